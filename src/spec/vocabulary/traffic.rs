//! Load: who sends how much.

use super::target::Target;
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
        to: Target = required,
        /// Arrivals per time, whatever the answers (open loop).
        rate: RateProfile,
        /// What happens between two points of the rate.
        interpolate: Interpolate,
        /// How arrivals are spread.
        arrivals: Arrivals,
        /// Users who wait for their answer (closed loop).
        users: Positive,
        /// What a user does between answer and next request, on average.
        think_time: Duration,
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

fn traffic_schema(schema: Value) -> Value {
    with(one_of(schema, &["rate", "users"]), json!({ "dependentRequired": { "think_time": ["users"] } }))
}

fn open_or_closed<'n>(traffic: &Traffic, node: &'n Node, ctx: &mut Ctx<'n>) {
    let at = node.entries().first().map_or(node.span, |e| e.key.span);
    match (ctx.given(node, "rate"), ctx.given(node, "users")) {
        (true, true) => ctx.reject(at, "traffic is a `rate` (open loop) or `users` (closed loop), not both"),
        (false, false) => {
            ctx.reject(at, "traffic needs a `rate` such as `200/s`, or `users` with `think_time`");
        }
        _ => {}
    }
    if let Some(think) = traffic.think_time.as_ref().filter(|_| !ctx.given(node, "users")) {
        ctx.reject(think.span, "`think_time` belongs to `users`");
    }
}
