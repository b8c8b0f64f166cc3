//! Load: who sends how much.

use super::arrivals::{Replay, ThinkTime, TrafficClass, TrafficState};
use super::target::Target;
use crate::finding::nearest;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, choice, record};
use crate::spec::facts::Facts;
use crate::spec::scalar::Positive;
use crate::spec::schema::{Defs, one_of, with};
use crate::spec::tree::{Kind, Node};
use crate::spec::units::{Duration, Rate};
use serde_json::{Value, json};

choice! {
    /// How arrivals are spread in time.
    Arrivals {
        /// Independent of one another.
        #[default] Poisson = "poisson",
        /// Evenly spaced.
        Constant = "constant",
    }
}

choice! {
    /// What happens between two points of a rate.
    Interpolate {
        /// The rate stays until the next point.
        #[default] Step = "step",
        /// The rate moves in a straight line.
        Linear = "linear",
    }
}

record! {
    /// The rate from a moment on.
    RatePoint {
        /// From the start of the run.
        at: Duration = required,
        /// From there on.
        value: Rate = required,
    }
}

/// A rate, or points of a rate over time.
#[derive(Debug, Clone)]
pub enum RateProfile {
    /// Always the same.
    Constant(Rate),
    /// Rising times.
    Points(Vec<Spanned<RatePoint>>),
}

impl Decode for RateProfile {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        if !matches!(node.kind, Kind::Sequence(_)) {
            return Rate::decode(node, ctx).map(Self::Constant);
        }
        let points = Vec::<Spanned<RatePoint>>::decode(node, ctx)?;
        if node.items().is_empty() {
            return ctx.invalid(node.span, "a rate over time needs at least one point");
        }
        for pair in points.windows(2) {
            if let [
                Spanned { value: RatePoint { at: Some(a), .. }, .. },
                Spanned { value: RatePoint { at: Some(b), .. }, .. },
            ] = pair
                && a.value >= b.value
            {
                ctx.reject(
                    b.span,
                    format!("points come in order of time: {} is not after {}", b.value, a.value),
                );
            }
        }
        Some(Self::Points(points))
    }
    fn schema(defs: &mut Defs) -> Value {
        let (rate, point) = (Rate::schema(defs), RatePoint::schema(defs));
        json!({ "anyOf": [rate, { "type": "array", "items": point, "minItems": 1 }] })
    }
    fn tell(&self, facts: &mut Facts) {
        match self {
            Self::Constant(rate) => rate.tell(facts),
            Self::Points(points) => points.tell(facts),
        }
    }
}

record! {
    /// Requests from outside.
    Traffic {
        /// A name, where one target has several sources.
        name: String,
        /// The service and endpoint they go to.
        to: Target,
        /// In place of `to`: several kinds of requests, drawn one by one.
        classes: Vec<Spanned<TrafficClass>>,
        /// Arrivals per time, whatever the answers (open loop).
        rate: RateProfile,
        /// What happens between two points of the rate.
        interpolate: Interpolate,
        /// After so long the points of the rate begin anew: a day, or the period of bursts.
        repeat: Duration,
        /// Arrivals in random bursts: states that follow one another (open loop).
        states: Vec<Spanned<TrafficState>>,
        /// A CSV file of recorded times, seen from the document (open loop).
        replay: Replay,
        /// How arrivals are spread.
        arrivals: Arrivals,
        /// Users who wait for their answer (closed loop).
        users: Positive,
        /// What a user does between answer and next request: on average, or a distribution.
        think_time: ThinkTime,
        /// Client instances, each with its own policy state.
        clients: Positive,
        /// End users, or whatever else is hashed and cached: so many different ones.
        keys: Positive,
        /// How uneven they come (Zipf): the nth most frequent comes 1/n^skew as often as the first.
        key_skew: f64,
        /// The highest rate that is expected.
        peak: Rate,
    }
    validate: open_or_closed;
    schema: traffic_schema;
}

/// How requests can come; one of these is said.
const KINDS: [&str; 4] = ["rate", "states", "replay", "users"];

fn traffic_schema(schema: Value) -> Value {
    let needs = json!({ "think_time": ["users"], "repeat": ["rate"], "interpolate": ["rate"] });
    let to = json!({ "oneOf": [{ "required": ["to"] }, { "required": ["classes"] }] });
    let lists = json!({ "states": { "minItems": 2, "maxItems": MOST_STATES }, "classes": { "minItems": 1 } });
    let points = json!({ "if": { "required": ["repeat"] }, "then": { "properties": { "rate": { "type": "array" } } } });
    let all = json!([to, { "properties": lists }, points]);
    with(one_of(schema, &KINDS), json!({ "dependentRequired": needs, "allOf": all }))
}

fn open_or_closed<'n>(traffic: &Traffic, node: &'n Node, ctx: &mut Ctx<'n>) {
    let at = node.entries().first().map_or(node.span, |e| e.key.span);
    match KINDS.iter().filter(|kind| ctx.given(node, kind)).count() {
        0 => ctx.reject(at, "traffic needs a `rate` such as `200/s`, or `users` with `think_time`"),
        1 => {}
        _ => ctx.reject(
            at,
            "traffic is a `rate`, `states` or a `replay` (open loop) or `users` (closed loop), one of them",
        ),
    }
    match (ctx.given(node, "to"), ctx.given(node, "classes")) {
        (true, true) => ctx.reject(at, "traffic goes `to` one place, or to that of its `classes`, not both"),
        (false, false) => ctx.reject(at, "`to` is missing: where the requests go"),
        _ => {}
    }
    if let Some(think) = traffic.think_time.as_ref().filter(|_| !ctx.given(node, "users")) {
        ctx.reject(think.span, "`think_time` belongs to `users`");
    }
    let of_rates = [traffic.repeat.as_ref().map(|r| r.span), traffic.interpolate.as_ref().map(|i| i.span)];
    for (key, span) in ["repeat", "interpolate"].into_iter().zip(of_rates) {
        if let Some(span) = span.filter(|_| !ctx.given(node, "rate")) {
            ctx.reject(span, format!("`{key}` belongs to the points of a `rate`"));
        }
    }
    repeat_fits(traffic, ctx);
    if let Some(states) = &traffic.states {
        states_fit(states, ctx);
    }
    if let Some(classes) = traffic.classes.as_ref().filter(|c| c.value.is_empty()) {
        ctx.reject(classes.span, "`classes` without any: no request is made");
    }
}

fn repeat_fits(traffic: &Traffic, ctx: &mut Ctx<'_>) {
    let Some(repeat) = traffic.repeat else { return };
    let last = match traffic.rate.as_ref().map(|r| &r.value) {
        Some(RateProfile::Points(points)) => points.iter().filter_map(|p| p.at).map(|at| at.value).max(),
        _ => None,
    };
    match last {
        None => {
            ctx.reject(repeat.span, "a rate without points does not change: there is nothing to `repeat`");
        }
        Some(last) if repeat.value <= last => {
            ctx.reject(
                repeat.span,
                format!("a `repeat` after {} cuts off the point at {last}", repeat.value),
            );
        }
        Some(_) => {}
    }
}

/// States at the most.
const MOST_STATES: usize = 32;

fn states_fit(states: &Spanned<Vec<Spanned<TrafficState>>>, ctx: &mut Ctx<'_>) {
    if states.value.len() < 2 {
        ctx.reject(states.span, "traffic that changes has at least two `states`");
    }
    if states.value.len() > MOST_STATES {
        ctx.reject(states.span, format!("more than {MOST_STATES} states"));
    }
    let names: Vec<&str> =
        states.value.iter().filter_map(|s| s.name.as_ref()).map(|n| n.value.as_str()).collect();
    for (at, state) in states.value.iter().enumerate() {
        if let Some(name) = state.name.as_ref().filter(|n| {
            states.value.iter().take(at).any(|s| s.name.as_ref().is_some_and(|s| s.value == n.value))
        }) {
            ctx.reject(name.span, format!("two states are called `{}`", name.value));
        }
        for (next, _) in state.next.iter().flat_map(|next| next.value.iter()) {
            if !names.contains(&next.value.as_str()) {
                let help =
                    nearest(&next.value, names.iter().copied()).map(|n| format!("did you mean `{n}`?"));
                ctx.reject_with(next.span, format!("no state is called `{}`", next.value), help);
            }
        }
    }
}
