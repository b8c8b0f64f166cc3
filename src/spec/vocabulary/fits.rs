//! What fits together within one block, as the products themselves judge it. Layers are laid over one another
//! later: a block is judged by what it says itself.

use super::document::Discovery;
use super::policy::{Backoff, CircuitBreaker, HealthCheck, Hedging, OutlierDetection, SlowCall, Window};
use crate::source::Spanned;
use crate::spec::decode::Ctx;
use crate::spec::schema::with;
use crate::spec::tree::Node;
use crate::spec::units::{Duration, Share};
use serde_json::{Value, json};

/// What only a breaker on a rate has. Slow calls may open either; a forecast says where it leaves them out.
const OF_A_RATE: [&str; 3] = ["failure_rate_threshold", "minimum_calls", "window"];

pub(super) fn breaker_schema(schema: Value) -> Value {
    let both = OF_A_RATE.map(|key| json!({ "required": ["failure_threshold", key] }));
    with(schema, json!({ "not": { "anyOf": both } }))
}

pub(super) fn breaker<'n>(breaker: &CircuitBreaker, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let (Some(consecutive), Some(_)) = (&breaker.failure_threshold, &breaker.failure_rate_threshold) {
        let help =
            "keep `failure_threshold` for consecutive failures, or `failure_rate_threshold` with `window`";
        let message = "a breaker opens on consecutive failures or on a rate, not on both";
        ctx.reject_with(consecutive.span, message, Some(help.to_owned()));
    } else if breaker.failure_threshold.is_some() {
        let further = [
            ("minimum_calls", breaker.minimum_calls.map(|m| m.span)),
            ("window", breaker.window.as_ref().map(|w| w.span)),
        ];
        for (key, span) in further {
            let Some(span) = span else { continue };
            let message =
                format!("`{key}` is of a breaker on a rate, and this one opens on consecutive failures");
            let help = "drop it, or write `failure_rate_threshold` in place of `failure_threshold`";
            ctx.reject_with(span, message, Some(help.to_owned()));
        }
    }
    some_share("failure_rate_threshold", breaker.failure_rate_threshold, ctx);
    some_time("open_duration", breaker.open_duration, ctx);
}

pub(super) fn slow_call<'n>(slow: &SlowCall, _: &'n Node, ctx: &mut Ctx<'n>) {
    some_share("rate_threshold", slow.rate_threshold, ctx);
    some_time("duration", slow.duration, ctx);
}

pub(super) fn window<'n>(window: &Window, node: &'n Node, ctx: &mut Ctx<'n>) {
    if window.calls.is_some() && window.duration.is_some() {
        ctx.reject(node.span, "a window is of `calls` or of a `duration`, not both");
    }
    some_time("duration", window.duration, ctx);
}

pub(super) fn backoff<'n>(backoff: &Backoff, _: &'n Node, ctx: &mut Ctx<'n>) {
    let (Some(base), Some(max)) = (backoff.base, backoff.max) else { return };
    if base.value > max.value {
        let message = format!("`base` is longer than `max`: every back-off is {}", max.value);
        ctx.reject_with(base.span, message, Some("lower `base`, or raise `max`".to_owned()));
    }
}

pub(super) fn outliers<'n>(outliers: &OutlierDetection, _: &'n Node, ctx: &mut Ctx<'n>) {
    some_time("interval", outliers.interval, ctx);
    some_time("base_ejection_time", outliers.base_ejection_time, ctx);
    let (Some(base), Some(most)) = (outliers.base_ejection_time, outliers.max_ejection_time) else { return };
    if base.value > most.value {
        let message = format!("the first ejection of {} is longer than `max_ejection_time`", base.value);
        let help = "lower `base_ejection_time`, or raise `max_ejection_time`";
        ctx.reject_with(base.span, message, Some(help.to_owned()));
    }
}

pub(super) fn hedging_schema(schema: Value) -> Value {
    let once = json!({ "properties": { "max_attempts": { "const": 1 } }, "required": ["max_attempts"] });
    with(schema, json!({ "not": once }))
}

pub(super) fn hedging<'n>(hedging: &Hedging, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let Some(most) = hedging.max_attempts.filter(|most| most.value.0 == 1) {
        let help = "`max_attempts` counts the first attempt in: write 2, or drop `hedging`";
        ctx.reject_with(most.span, "one attempt at the most hedges nothing", Some(help.to_owned()));
    }
}

pub(super) fn health_check<'n>(check: &HealthCheck, _: &'n Node, ctx: &mut Ctx<'n>) {
    some_time("interval", check.interval, ctx);
    some_time("timeout", check.timeout, ctx);
}

pub(super) fn discovery<'n>(discovery: &Discovery, _: &'n Node, ctx: &mut Ctx<'n>) {
    some_time("heartbeat", discovery.heartbeat, ctx);
    some_time("sweep", discovery.sweep, ctx);
    let (Some(beat), Some(lease)) = (discovery.heartbeat, discovery.lease) else { return };
    if beat.value >= lease.value {
        let message = format!("a lease of {} ends before the next heartbeat renews it", lease.value);
        let help = format!("make it longer than {}: Eureka's is three heartbeats", beat.value);
        ctx.reject_with(lease.span, message, Some(help));
    }
}

fn some_time(key: &str, time: Option<Spanned<Duration>>, ctx: &mut Ctx<'_>) {
    if let Some(time) = time.filter(|time| time.value.0 == 0) {
        ctx.reject(time.span, format!("`{key}` wants a duration longer than 0s"));
    }
}

fn some_share(key: &str, share: Option<Spanned<Share>>, ctx: &mut Ctx<'_>) {
    if let Some(share) = share.filter(|share| share.value.fraction() <= 0.0) {
        let help = "a share is reached when it is met: 0% opens on any call";
        ctx.reject_with(share.span, format!("`{key}` wants a share above 0%"), Some(help.to_owned()));
    }
}
