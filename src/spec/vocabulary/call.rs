//! What an endpoint does after its own work: calls, messages, data.

use super::policy::Policy;
use super::target::Target;
use crate::finding::nearest;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, Record, decode_record, record};
use crate::spec::facts::Facts;
use crate::spec::scalar::Positive;
use crate::spec::schema::{Defs, with};
use crate::spec::tree::{Kind, Node};
use crate::spec::units::{Duration, Share};
use serde_json::{Value, json};

record! {
    /// A call of another service.
    Call {
        /// The service and its endpoint: `cart GET /cart/{id}`.
        call: Target = required,
        /// Happens so often.
        probability: Share,
        /// So many times, one after another.
        times: Positive,
        /// The request survives its failure.
        optional: bool,
        /// What stands in when it fails.
        fallback: Fallback,
        ..policy: Policy,
    }
}

/// What stands in when a call fails.
#[derive(Debug, Clone)]
pub enum Fallback {
    /// Nothing: the failure is the request's.
    None,
    /// A fixed answer.
    Static,
    /// The last answer.
    Cached,
    /// Another call.
    Call(Box<Call>),
}

impl Decode for Fallback {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        match node.text() {
            Some("none") => Some(Self::None),
            Some("static") => Some(Self::Static),
            Some("cached") => Some(Self::Cached),
            None if matches!(node.kind, Kind::Mapping(_)) => {
                decode_record(node, ctx).map(|c| Self::Call(Box::new(c)))
            }
            _ => ctx.expected(node, "none, static, cached, or a mapping with `call`"),
        }
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [{ "enum": ["none", "static", "cached"] }, Call::schema(defs)] })
    }
    fn tell(&self, facts: &mut Facts) {
        match self {
            _ if !facts.is_tree() => {}
            Self::None => facts.say(&"none"),
            Self::Static => facts.say(&"static"),
            Self::Cached => facts.say(&"cached"),
            Self::Call(call) => call.tell(facts),
        }
    }
}

record! {
    /// Steps that run at the same time.
    ParallelStep {
        /// The steps.
        parallel: Vec<Spanned<Step>> = required,
    }
}

record! {
    /// A message that is sent and not waited for.
    Publish {
        /// The queue or topic.
        publish: String = required,
        /// What happened, `order.created`.
        r#type["type"]: String,
        /// Written with the data and sent later: `outbox`, `cdc`.
        via: String,
        /// Happens so often.
        probability: Share,
        /// So many messages.
        times: Positive,
    }
}

record! {
    /// Data that is read.
    ReadStep {
        /// The datastore.
        read: String = required,
        /// Happens so often.
        probability: Share,
        /// So many times.
        times: Positive,
        /// The request survives its failure.
        optional: bool,
    }
}

record! {
    /// Data that is written.
    WriteStep {
        /// The datastore.
        write: String = required,
        /// Happens so often.
        probability: Share,
        /// So many times.
        times: Positive,
        /// The request survives its failure.
        optional: bool,
    }
}

record! {
    /// More of the endpoint's own work, between calls.
    WorkStep {
        /// How long.
        work: Duration = required,
    }
}

/// Data that is read or written.
#[derive(Debug, Clone)]
pub struct DataStep {
    /// The datastore.
    pub datastore: Spanned<String>,
    /// Whether it is written.
    pub write: bool,
    /// Happens so often.
    pub probability: Option<Spanned<Share>>,
    /// So many times.
    pub times: Option<Spanned<Positive>>,
    /// The request survives its failure.
    pub optional: Option<Spanned<bool>>,
}

/// One step of an endpoint.
#[derive(Debug, Clone)]
pub enum Step {
    /// A call of another service.
    Call(Box<Call>),
    /// Steps that run at the same time.
    Parallel(Vec<Spanned<Step>>),
    /// A message that is not waited for.
    Publish(Box<Publish>),
    /// Data that is read or written.
    Data(DataStep),
    /// More own work.
    Work(Spanned<Duration>),
}

/// The keys that say what a step does.
const STEPS: [&str; 6] = ["call", "parallel", "publish", "read", "write", "work"];

impl Decode for Step {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        if node.entries().is_empty() {
            let help = node.text().map(|text| format!("write `call: {text}`"));
            let message = format!("a step is a mapping with one of {}", STEPS.join(", "));
            return ctx.invalid_with(node.span, message, help);
        }
        let Some(kind) = STEPS.into_iter().find(|step| node.get(step).is_some()).or_else(|| meant(node))
        else {
            return unknown_step(node, ctx);
        };
        match kind {
            "call" => decode_record(node, ctx).map(|call| Self::Call(Box::new(call))),
            "parallel" => decode_record::<ParallelStep>(node, ctx)?.parallel.map(|p| Self::Parallel(p.value)),
            "publish" => decode_record(node, ctx).map(|publish| Self::Publish(Box::new(publish))),
            "work" => decode_record::<WorkStep>(node, ctx)?.work.map(Self::Work),
            "read" => {
                let ReadStep { read, probability, times, optional } = decode_record(node, ctx)?;
                read.map(|datastore| {
                    Self::Data(DataStep { datastore, write: false, probability, times, optional })
                })
            }
            _ => {
                let WriteStep { write, probability, times, optional } = decode_record(node, ctx)?;
                write.map(|datastore| {
                    Self::Data(DataStep { datastore, write: true, probability, times, optional })
                })
            }
        }
    }

    fn schema(defs: &mut Defs) -> Value {
        defs.define("Step", |defs| {
            let parts = [
                Call::schema(defs),
                ParallelStep::schema(defs),
                Publish::schema(defs),
                ReadStep::schema(defs),
                WriteStep::schema(defs),
                WorkStep::schema(defs),
            ];
            json!({ "description": "One step of an endpoint.", "anyOf": parts })
        })
    }
    fn tell(&self, facts: &mut Facts) {
        match self {
            _ if !facts.is_tree() => {}
            Self::Call(call) => call.tell(facts),
            Self::Parallel(steps) => facts.under("parallel", |facts| steps.tell(facts)),
            Self::Publish(publish) => publish.tell(facts),
            Self::Work(work) => facts.under("work", |facts| work.value.tell(facts)),
            Self::Data(DataStep { datastore, write, probability, times, optional }) => {
                let (datastore, probability) = (Some(datastore.clone()), *probability);
                let (times, optional) = (*times, *optional);
                if *write {
                    WriteStep { write: datastore, probability, times, optional }.tell(facts);
                } else {
                    ReadStep { read: datastore, probability, times, optional }.tell(facts);
                }
            }
        }
    }
}

/// What a step does whose key is misspelt.
fn meant(node: &Node) -> Option<&'static str> {
    let mut known = Vec::new();
    Call::keys(&mut known);
    let keys = node.entries().iter().map(|e| e.key.value.as_str()).filter(|key| !known.contains(key));
    keys.into_iter().find_map(|key| nearest(key, STEPS))
}

/// None of its keys says what it does: each unknown key is named, and what is probably meant.
fn unknown_step<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Step> {
    let mut known = STEPS.to_vec();
    Call::keys(&mut known);
    let before = ctx.findings.len();
    for entry in node.entries().iter().filter(|e| !known.contains(&e.key.value.as_str())) {
        ctx.unknown_field(&entry.key, &STEPS);
    }
    if ctx.findings.len() == before {
        let at = node.entries().first().map_or(node.span, |e| e.key.span);
        let message = format!("this step does not say what it does: one of {}", STEPS.join(", "));
        ctx.reject(at, message);
    }
    None
}

record! {
    /// An edge listed on its own.
    Communication {
        /// The service that calls, or one of its endpoints.
        from: Target = required,
        /// What it calls: a service, an endpoint, a queue, a topic or a datastore.
        to: Target = required,
        /// Another word for the endpoint of `to`.
        endpoint: String,
        /// Attempts beside the first.
        retry_count: u32,
        /// Happens so often.
        probability: Share,
        /// So many times.
        times: Positive,
        /// The request survives its failure.
        optional: bool,
        /// What stands in when it fails.
        fallback: Fallback,
        /// It carries traces, metrics or logs rather than work.
        telemetry: bool,
        ..policy: Policy,
    }
    validate: communication_fits;
    schema: communication_schema;
}

fn communication_schema(schema: Value) -> Value {
    let one_word = json!({ "properties": { "to": { "pattern": r"^\s*\S+\s*$" } } });
    with(schema, json!({ "dependentSchemas": { "endpoint": one_word } }))
}

fn communication_fits<'n>(communication: &Communication, _: &'n Node, ctx: &mut Ctx<'n>) {
    if let (Some(endpoint), Some(Spanned { value: Target { endpoint: Some(_), .. }, .. })) =
        (&communication.endpoint, &communication.to)
    {
        ctx.reject(endpoint.span, "`to` names the endpoint already");
    }
}

record! {
    /// What holds for calls that say nothing.
    CallDefaults {
        ..policy: Policy,
    }
}
