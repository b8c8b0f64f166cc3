//! Limits, budgets and hedging in the words of the products' own settings.

use super::super::plan::{Adaptive, Budget, Connections, Hedge, Limits, RateLimit};
use super::span;
use crate::kernel::Span;
use crate::model::words as spec;
use crate::policy::limit::{
    AdaptiveSettings, AimdSettings, BulkheadSettings, Fill, Gradient2Settings, RateLimiterSettings,
    TokenBucketSettings, VegasSettings,
};
use crate::policy::retry::{AwsQuotaSettings, FinagleBudgetSettings, HedgingPolicy, RetryBudget};

/// Requests at once on a connection of HTTP/2 where nobody limits them (Envoy).
const STREAMS: u32 = 1 << 29;

/// What requests of a caller pass before they are sent.
pub(super) fn limits(policy: &spec::Policy) -> Limits {
    let Some(written) = policy.limits.as_ref().and_then(|l| l.value.on()) else { return Limits::default() };
    Limits {
        rate: written.rate_limit.as_ref().map(|r| rate_limit(r)),
        adaptive: written.adaptive.as_ref().map(|a| adaptive(a)),
        bulkhead: written.bulkhead.as_ref().map(|b| bulkhead(b)),
        connections: connections(written, policy.protocol.map(|p| p.value)),
    }
}

fn connections(written: &spec::ConnectionLimits, protocol: Option<spec::Protocol>) -> Option<Connections> {
    let (most, streams, pending) =
        (written.max_connections, written.max_concurrent_streams, written.max_pending_requests);
    let each = if protocol == Some(spec::Protocol::Grpc) { STREAMS } else { 1 };
    (most.is_some() || streams.is_some() || pending.is_some()).then(|| Connections {
        max_connections: most.map_or(u32::MAX, |m| m.value.0),
        max_concurrent_streams: streams.map_or(each, |s| s.value.0),
        max_pending_requests: pending.map_or(u32::MAX, |p| p.value),
    })
}

fn bulkhead(written: &spec::Bulkhead) -> BulkheadSettings {
    let known = BulkheadSettings::default();
    BulkheadSettings {
        max_concurrent_calls: written.max_concurrent_calls.map_or(known.max_concurrent_calls, |c| c.value.0),
        max_wait: written.max_wait.map_or(known.max_wait, |w| span(w.value)),
    }
}

/// A bucket that holds `burst` tokens and is filled by one at a time; where requests wait, cycles of `burst`
/// permits. A burst of a second's worth where none is said.
pub(super) fn rate_limit(written: &spec::RateLimit) -> RateLimit {
    let rate = written.rate.map_or(1.0, |r| r.per_second()).max(1e-9);
    let burst = written.burst.map_or_else(|| rate.ceil().clamp(1.0, 1e9) as u32, |b| b.value.0);
    match written.max_wait.map(|w| span(w.value)).filter(|wait| !wait.is_zero()) {
        None => RateLimit::Bucket(TokenBucketSettings {
            max_tokens: burst,
            tokens_per_fill: 1,
            fill_interval: Span::from_seconds(1.0 / rate).max(Span::from_nanos(1)),
            fill: Fill::Continuous,
        }),
        Some(timeout) => RateLimit::Cycles(RateLimiterSettings {
            limit_for_period: burst,
            limit_refresh_period: Span::from_seconds(f64::from(burst) / rate).max(Span::from_nanos(1)),
            timeout,
        }),
    }
}

pub(super) fn adaptive(written: &spec::AdaptiveLimit) -> Adaptive {
    let of = |said: Option<u32>, other| said.unwrap_or(other);
    let [initial, min, max] = [written.initial, written.min, written.max].map(|said| said.map(|s| s.value.0));
    match written.algorithm.map(|a| a.value).unwrap_or_default() {
        spec::LimitAlgorithm::Aimd => {
            let known = AimdSettings::default();
            let (min, max) = (of(min, known.min), of(max, known.max));
            Adaptive::Aimd(AimdSettings { initial: of(initial, known.initial), min, max, ..known })
        }
        spec::LimitAlgorithm::Vegas => {
            let known = VegasSettings::default();
            let initial = of(initial, known.initial);
            Adaptive::Vegas(VegasSettings { initial, max: of(max, known.max), ..known })
        }
        spec::LimitAlgorithm::Gradient2 => {
            let known = Gradient2Settings::default();
            let (min, max) = (of(min, known.min), of(max, known.max));
            Adaptive::Gradient2(Gradient2Settings { initial: of(initial, known.initial), min, max, ..known })
        }
        spec::LimitAlgorithm::AdaptiveConcurrency => {
            let known = AdaptiveSettings::default();
            let min_concurrency = of(min, known.min_concurrency);
            let max_concurrency_limit = of(max, known.max_concurrency_limit);
            Adaptive::Envoy(AdaptiveSettings { max_concurrency_limit, min_concurrency, ..known })
        }
    }
}

/// What limits retries beside their number; the keys say whose.
pub(super) fn budget(policy: &spec::Policy) -> Option<Budget> {
    let retry = policy.retry.as_ref().and_then(|r| r.value.on())?;
    let written = retry.budget.as_ref().and_then(|b| b.value.on())?;
    let share = written.percent.map(|p| p.fraction());
    if written.max_tokens.is_some() || written.token_ratio.is_some() {
        return Some(Budget::Throttle {
            max_tokens: written.max_tokens.map_or(10, |m| m.value.0),
            token_ratio: written.token_ratio.map_or(0.1, |r| r.value),
        });
    }
    if written.capacity.is_some() || written.retry_cost.is_some() || written.timeout_cost.is_some() {
        let known = AwsQuotaSettings::default();
        return Some(Budget::Quota(AwsQuotaSettings {
            capacity: written.capacity.map_or(known.capacity, |c| c.value.0),
            retry_cost: written.retry_cost.map_or(known.retry_cost, |c| c.value),
            timeout_cost: written.timeout_cost.map_or(known.timeout_cost, |c| c.value),
            ..known
        }));
    }
    let finagle = policy.preset.is_some_and(|p| p.value == spec::Preset::Finagle);
    let deposits = written.ttl.is_some() || written.min_retries_per_sec.is_some();
    if deposits || (finagle && written.min_concurrency.is_none()) {
        let known = FinagleBudgetSettings::default();
        return Some(Budget::Deposits(FinagleBudgetSettings {
            ttl: written.ttl.map_or(known.ttl, |t| span(t.value)),
            min_retries_per_sec: written.min_retries_per_sec.map_or(known.min_retries_per_sec, |m| m.value),
            percent_can_retry: share.unwrap_or(known.percent_can_retry),
        }));
    }
    let known = RetryBudget::default();
    Some(Budget::Share(RetryBudget {
        percent: share.map_or(known.percent, |share| share * 100.0),
        min_concurrency: written.min_concurrency.map_or(known.min_concurrency, |m| m.value),
    }))
}

/// Attempts beside the first that has not answered.
pub(super) fn hedging(policy: &spec::Policy) -> Option<Hedge> {
    let written = policy.hedging.as_ref().and_then(|h| h.value.on())?;
    let known = HedgingPolicy::default();
    Some(Hedge {
        policy: HedgingPolicy {
            max_attempts: written.max_attempts.map_or(known.max_attempts, |m| m.value.0),
            delay: written.delay.map_or(known.delay, |d| span(d.value)),
        },
        cancel: written.cancel.is_none_or(|c| c.value),
    })
}
