//! How requests come beside an even or random rate: bursts, recorded times, several kinds at once, users who think.

use super::latency::Latency;
use super::target::Target;
use crate::spec::decode::{Ctx, Decode, Map, record};
use crate::spec::facts::Facts;
use crate::spec::schema::{Defs, with};
use crate::spec::tree::{Kind, Node};
use crate::spec::units::{Duration, Rate, Share};
use serde_json::{Value, json};
use std::sync::Arc;

record! {
    /// A state of traffic that changes at random (a Markov-modulated Poisson process).
    TrafficState {
        /// What other states call it.
        name: String,
        /// Arrivals per time while it lasts, independent of one another.
        rate: Rate = required,
        /// How long it lasts on average; exponential.
        lasts: Duration = required,
        /// Which states follow it how often, by their names; each of the others as often where nothing is said.
        next: Map<Share>,
    }
    validate: state_fits;
}

fn state_fits<'n>(state: &TrafficState, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let Some(lasts) = state.lasts.as_ref().filter(|lasts| lasts.value == Duration(0)) {
        ctx.reject(lasts.span, "a state that lasts no time is none");
    }
    let Some(next) = &state.next else { return };
    let sum: f64 = next.iter().map(|(_, share)| share.fraction()).sum();
    if (sum - 1.0).abs() > 1e-9 {
        ctx.reject(next.span, format!("what follows a state sums to 100%, not to {}%", sum * 100.0));
    }
}

record! {
    /// One of several kinds of requests that one source makes.
    TrafficClass {
        /// The service and endpoint they go to.
        to: Target = required,
        /// So many parts of all; 1 where nothing is said.
        weight: f64,
    }
    validate: weight_fits;
    schema: class_schema;
}

fn class_schema(schema: Value) -> Value {
    with(
        schema,
        json!({ "allOf": [{ "properties": { "weight": { "exclusiveMinimum": 0, "maximum": 1e9 } } }] }),
    )
}

fn weight_fits<'n>(class: &TrafficClass, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let Some(weight) = class.weight.as_ref().filter(|w| !(w.value > 0.0 && w.value <= 1e9)) {
        ctx.reject(weight.span, "a weight is above 0 and at most a thousand million");
    }
}

/// A file of recorded times, in the first column or one called `timestamp`.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Where it is, seen from the document.
    pub path: String,
    /// What is in it, in nanoseconds from the start of the run, rising; empty until the file is read.
    pub times: Arc<[u64]>,
}

impl Replay {
    /// Arrivals per second over the whole.
    pub fn rate(&self) -> f64 {
        let last = self.times.last().map_or(0.0, |last| *last as f64 / 1e9);
        if last > 0.0 { self.times.len() as f64 / last } else { 0.0 }
    }

    /// The most of any whole second.
    pub fn peak(&self) -> f64 {
        let same = |a: &u64, b: &u64| a / 1_000_000_000 == b / 1_000_000_000;
        self.times.chunk_by(same).map(<[u64]>::len).max().unwrap_or(0) as f64
    }
}

impl Decode for Replay {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        String::decode(node, ctx).map(|path| Self { path, times: Arc::new([]) })
    }
    fn schema(defs: &mut Defs) -> Value {
        String::schema(defs)
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(&self.path);
    }
}

/// How long a user thinks: a mean (exponential), or a distribution.
#[derive(Debug, Clone)]
pub enum ThinkTime {
    /// On average.
    Mean(Duration),
    /// As it is spread.
    Spread(Box<Latency>),
}

impl Decode for ThinkTime {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        if matches!(node.kind, Kind::Mapping(_)) {
            return Latency::decode(node, ctx).map(|latency| Self::Spread(Box::new(latency)));
        }
        Duration::decode(node, ctx).map(Self::Mean)
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [Duration::schema(defs), Latency::schema(defs)] })
    }
    fn tell(&self, facts: &mut Facts) {
        match self {
            Self::Mean(mean) => mean.tell(facts),
            Self::Spread(latency) => latency.tell(facts),
        }
    }
}
