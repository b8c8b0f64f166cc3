//! Scenarios: what is tried, and what is expected of it.

use super::target::Target;
use super::traffic::Traffic;
use crate::finding::nearest;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, record, shorten};
use crate::spec::facts::Facts;
use crate::spec::scalar::Positive;
use crate::spec::schema::{Defs, one_of};
use crate::spec::tree::Node;
use crate::spec::units::{Decimal, Duration, Rate, Share};
use serde_json::{Value, json};

record! {
    /// Something that is done to a target.
    TargetEvent {
        /// A service, or one instance: `cart/1`.
        target: String = required,
    }
}

record! {
    /// Work that takes longer.
    FactorEvent {
        /// A service, or one instance: `cart/1`.
        target: String = required,
        /// 10 is ten times slower.
        factor: f64 = required,
    }
}

record! {
    /// Requests that fail.
    ErrorsEvent {
        /// A service, or one instance: `cart/1`.
        target: String = required,
        /// So many of them.
        rate: Share = required,
    }
}

record! {
    /// Messages that take longer or get lost.
    LatencyEvent {
        /// A service, or one instance: `cart/1`.
        target: String = required,
        /// Added to each way.
        latency: Duration,
        /// Lost so often.
        loss: Share,
    }
}

record! {
    /// Something that happens during a scenario.
    Event {
        /// When.
        at: Duration = required,
        /// How long; until the end where nothing is said.
        r#for["for"]: Duration,
        /// The process dies: calls are refused at once.
        kill: TargetEvent,
        /// It dies and comes back.
        restart: TargetEvent,
        /// Work takes longer.
        slow: FactorEvent,
        /// Requests fail.
        errors: ErrorsEvent,
        /// Work stands still.
        stall: TargetEvent,
        /// No message gets through: calls time out.
        partition: TargetEvent,
        /// Messages take longer or get lost.
        network: LatencyEvent,
        /// All instances of a zone die.
        zone_outage: TargetEvent,
        /// Instances are replaced one after another.
        deploy: TargetEvent,
    }
    validate: one_event;
    schema: event_schema;
}

const EVENTS: [&str; 9] =
    ["kill", "restart", "slow", "errors", "stall", "partition", "network", "zone_outage", "deploy"];

fn event_schema(schema: Value) -> Value {
    one_of(schema, &EVENTS)
}

fn one_event<'n>(event: &Event, node: &'n Node, ctx: &mut Ctx<'n>) {
    let _ = event;
    let count = EVENTS.iter().filter(|kind| ctx.given(node, kind)).count();
    if count != 1 {
        let at = node.entries().first().map_or(node.span, |e| e.key.span);
        ctx.reject(at, format!("an event says one thing that happens: one of {}", EVENTS.join(", ")));
    }
}

/// What can be expected of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Share of requests that succeed.
    Availability,
    /// Requests that succeed, per time.
    Goodput,
    /// A quantile of the latency of successes, in 1/1000.
    Quantile(u16),
    /// Mean latency of successes.
    Mean,
    /// From the last event's end until all is as before.
    Recovery,
    /// Attempts per request.
    Amplification,
    /// Busy share of the workers.
    Utilization,
}

/// Names of metrics, and which quantity each is.
const METRICS: [(&str, Metric); 11] = [
    ("availability", Metric::Availability),
    ("goodput", Metric::Goodput),
    ("p50", Metric::Quantile(500)),
    ("p90", Metric::Quantile(900)),
    ("p95", Metric::Quantile(950)),
    ("p99", Metric::Quantile(990)),
    ("p999", Metric::Quantile(999)),
    ("mean", Metric::Mean),
    ("recovery", Metric::Recovery),
    ("amplification", Metric::Amplification),
    ("utilization", Metric::Utilization),
];

/// How an observation is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// `[TARGET] METRIC OP VALUE`: `web GET /checkout/{id} p99 < 400ms`.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// As written.
    pub text: String,
    /// What is observed; every entry where none is named.
    pub target: Option<Target>,
    /// Which number.
    pub metric: Metric,
    /// How it is compared.
    pub operator: Operator,
    /// With what: seconds, events per second, or a part of 1.
    pub value: f64,
}

impl Decode for Expectation {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let Some(text) = node.text() else {
            return ctx.expected(node, "an expectation such as `web GET / p99 < 400ms`");
        };
        let operators = [
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = operators
            .iter()
            .find_map(|(sign, op)| text.split_once(sign).map(|parts| (parts, *op, sign.len())));
        let Some(((left, right), operator, width)) = found else {
            return ctx
                .invalid(node.span, format!("`{}` compares nothing: write METRIC < VALUE", shorten(text)));
        };
        let words = left.trim_end();
        let name_at = words.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let name = words.get(name_at..).unwrap_or_default();
        let Some((_, metric)) = METRICS.iter().find(|(known, _)| *known == name) else {
            let near = nearest(name, METRICS.iter().map(|(k, _)| *k)).map(|n| format!("did you mean `{n}`?"));
            let all: Vec<_> = METRICS.iter().map(|(k, _)| *k).collect();
            let help = near.unwrap_or_else(|| format!("metrics: {}", all.join(", ")));
            let span = node.part(name_at, name_at + name.len());
            return ctx.invalid_with(span, format!("`{}` is no metric", shorten(name)), Some(help));
        };
        let value_at = left.len() + width + right.len() - right.trim_start().len();
        let value = match value_of(*metric, right.trim()) {
            Ok(value) => value,
            Err(message) => return ctx.invalid(node.part(value_at, text.trim_end().len()), message),
        };
        let target_text = words.get(..name_at).unwrap_or_default().trim();
        let target =
            (!target_text.is_empty()).then(|| Target::of(&part_of(node, text, target_text))).flatten();
        Some(Self { text: text.to_owned(), target, metric: *metric, operator, value })
    }
    fn schema(_: &mut Defs) -> Value {
        let comparisons = METRICS.iter().map(|(name, metric)| {
            let value = match metric {
                Metric::Availability | Metric::Utilization => Share::PATTERN,
                Metric::Goodput => Rate::PATTERN,
                Metric::Quantile(_) | Metric::Mean | Metric::Recovery => Duration::PATTERN,
                Metric::Amplification => Decimal::PATTERN,
            };
            format!(r"{name}\s*[<>]=?\s*{}", value.trim_start_matches('^').trim_end_matches('$'))
        });
        let comparisons = comparisons.collect::<Vec<_>>().join("|");
        let pattern = format!(r"^(.*\s)?({comparisons})\s*$");
        json!({ "type": "string", "pattern": pattern, "allOf": [{ "pattern": r"[<>]=?\s*[0-9]" }] })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(&self.text);
    }
}

/// A part of a scalar as a scalar of its own, so that its words keep their bytes.
fn part_of(node: &Node, text: &str, part: &str) -> Node {
    let from = text.find(part).unwrap_or(0);
    let kind = crate::spec::tree::Kind::Scalar { text: part.into(), plain: true };
    Node::new(node.part(from, from + part.len()), kind)
}

fn value_of(metric: Metric, text: &str) -> Result<f64, String> {
    match metric {
        Metric::Availability | Metric::Utilization => Share::parse(text).map(Share::fraction),
        Metric::Goodput => Rate::parse(text).map(Rate::per_second),
        Metric::Quantile(_) | Metric::Mean | Metric::Recovery => Duration::parse(text).map(Duration::seconds),
        Metric::Amplification => match Decimal::split(text) {
            Some((number, "")) => Ok(number.to_f64()),
            _ => Err(format!("`{text}` is not a number")),
        },
    }
}

record! {
    /// Something to try.
    Scenario {
        /// A sentence.
        description: String,
        /// How long, warm-up included.
        duration: Duration,
        /// Not measured.
        warm_up: Duration,
        /// Of the random numbers.
        seed: u64,
        /// Repetitions with other random numbers.
        replications: Positive,
        /// In place of the document's.
        traffic: Vec<Spanned<Traffic>>,
        /// What happens.
        events: Vec<Spanned<Event>>,
        /// What must hold: `[TARGET] METRIC OP VALUE`.
        expect: Vec<Spanned<Expectation>>,
    }
    validate: warm_up_fits;
}

fn warm_up_fits<'n>(scenario: &Scenario, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let (Some(warm_up), Some(duration)) = (&scenario.warm_up, &scenario.duration)
        && warm_up.value >= duration.value
    {
        ctx.reject(
            warm_up.span,
            format!("a warm-up of {} leaves nothing of {}", warm_up.value, duration.value),
        );
    }
}
