//! An architecture as things with an identity, and what holds for each, key by key.

use super::Version;
use crate::finding::Secrets;
use crate::model::words::facts;
use crate::model::{
    Architecture, Edge, EdgeKind, Endpoint, EndpointRef, Fallback, Node, NodeKind, Service, Step, TargetRef,
};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// What a thing is, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What holds for all of it: the mesh, the network, levels of rules.
    System,
    /// A rule of the user's own.
    Contract,
    /// A service.
    Service,
    /// A datastore.
    Datastore,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// An endpoint.
    Endpoint,
    /// What a service does with the messages of a queue or topic.
    Handler,
    /// A call.
    Call,
    /// A message that is sent.
    Publish,
    /// Messages that are taken.
    Consume,
    /// Data that is read.
    Read,
    /// Data that is written.
    Write,
    /// Requests from outside.
    Traffic,
    /// Something to try.
    Scenario,
}

impl Kind {
    /// One word: `service`, `call`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Contract => "contract",
            Self::Service => "service",
            Self::Datastore => "datastore",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Endpoint => "endpoint",
            Self::Handler => "handler",
            Self::Call => "call",
            Self::Publish => "publish",
            Self::Consume => "consume",
            Self::Read => "read",
            Self::Write => "write",
            Self::Traffic => "traffic",
            Self::Scenario => "scenario",
        }
    }

    /// Where its keys stand in the list of built-in defaults.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::Service => "services.*.",
            Self::Endpoint | Self::Handler => "endpoints.*.",
            Self::Call => "calls.*.",
            Self::Traffic => "traffic.*.",
            Self::Scenario => "scenarios.*.",
            _ => "",
        }
    }
}

/// A thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thing {
    pub kind: Kind,
    pub id: String,
    /// The service it is a part of or starts at.
    pub of: Option<String>,
    /// What it is apart from the endpoint that does it: what is the same there may have moved.
    pub leads_to: Option<String>,
    pub facts: BTreeMap<String, String>,
    /// What an endpoint does, in order.
    pub script: Vec<Token>,
}

/// A step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A call, message or access.
    Edge(String),
    /// Own work.
    Work(String),
    /// What follows happens at the same time.
    Open,
    /// To here.
    Close,
}

impl Thing {
    fn new(kind: Kind, id: impl Into<String>) -> Self {
        let (of, leads_to, script) = (None, None, Vec::new());
        Self { kind, id: id.into(), of, leads_to, facts: BTreeMap::new(), script }
    }

    fn say(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.facts.insert(key.to_owned(), value.to_string());
        }
    }

    /// Takes facts in under a key, those whose own keys start with one of `but` left out.
    fn take(&mut self, under: &str, facts: Vec<(String, String)>, but: &[&str]) {
        for (key, value) in facts {
            let first = key.split('.').next().unwrap_or_default();
            if but.contains(&first) {
                continue;
            }
            let dot = if under.is_empty() || key.is_empty() { "" } else { "." };
            self.facts.insert(format!("{under}{dot}{key}"), value);
        }
    }
}

/// Everything an architecture consists of, in its order. What its findings call secret is not among it.
pub(super) fn of(version: Version<'_>) -> Vec<Thing> {
    let arch = version.arch;
    let secrets = Secrets::of(version.findings);
    let mut things = vec![system(arch)];
    for contract in arch.lint.contracts.iter().flat_map(|c| c.iter()) {
        let said = facts(&contract.value);
        let words: Vec<_> = said.iter().map(|(key, value)| format!("{key} {value}")).collect();
        let name = contract.name.as_ref().map_or(words.join(", "), |n| n.value.clone());
        let mut thing = Thing::new(Kind::Contract, name);
        thing.take("", said, &["name"]);
        things.push(thing);
    }
    for (index, node) in arch.nodes() {
        things.push(self::node(node, &secrets));
        for (i, endpoint) in node.service().iter().flat_map(|s| s.endpoints.iter().enumerate()) {
            things.push(self::endpoint(arch, EndpointRef { service: index, endpoint: i }, endpoint));
        }
    }
    things.extend(arch.edges().map(|(index, edge)| self::edge(arch, index, edge)));
    for traffic in &arch.traffic {
        let to = target(arch, &traffic.to);
        let name = traffic.written.name.as_ref().map(|n| format!("{} → ", n.value)).unwrap_or_default();
        let mut thing = Thing::new(Kind::Traffic, format!("{name}{to}"));
        thing.take("", facts(&traffic.written), &["name", "to"]);
        thing.take("upstream", arch.upstream(traffic.to.node).map(facts).unwrap_or_default(), &[]);
        things.push(thing);
    }
    for scenario in &arch.scenarios {
        let mut thing = Thing::new(Kind::Scenario, &scenario.name.value);
        thing.take("", facts(&scenario.written), &["description"]);
        things.push(thing);
    }
    things
}

fn system(arch: &Architecture) -> Thing {
    let mut thing = Thing::new(Kind::System, "system");
    thing.say("name", arch.name.as_deref());
    let latency = (arch.network_latency_s > 0.0).then(|| format!("{}ms", arch.network_latency_s * 1e3));
    thing.say("network.latency", latency);
    thing.take("mesh", arch.mesh.as_ref().map(|m| facts(&m.value)).unwrap_or_default(), &[]);
    thing.take("lint.rules", arch.lint.rules.as_ref().map(|r| facts(&r.value)).unwrap_or_default(), &[]);
    let layers = arch.lint.layers.as_ref().map(|l| l.iter().map(|l| l.value.as_str()).collect::<Vec<_>>());
    thing.say("lint.layers", layers.map(|l| l.join(" > ")));
    thing
}

fn node(node: &Node, secrets: &Secrets) -> Thing {
    // What a node of any kind has is said once, for all kinds.
    let common = ["overlay", "owner", "tags", "zone", "trust_zone", "metadata"];
    let (kind, said) = match &node.kind {
        NodeKind::Service(_) => (Kind::Service, Vec::new()),
        NodeKind::Datastore(datastore) => (Kind::Datastore, facts(&**datastore)),
        NodeKind::Queue(queue) => (Kind::Queue, facts(queue)),
        NodeKind::Topic(topic) => (Kind::Topic, facts(topic)),
    };
    let mut thing = Thing::new(kind, &node.id.value);
    thing.take("", said, &common);
    thing.say("owner", node.owner.as_deref());
    thing.say("tags", words(&node.tags));
    thing.say("zone", node.zone.as_deref());
    thing.say("trust_zone", node.trust_zone.as_deref());
    for (key, value) in node.metadata() {
        thing.say(&format!("metadata.{}", key.value), Some(secrets.shown(value)));
    }
    if let Some(service) = node.service() {
        self::service(&mut thing, service);
    }
    thing
}

fn service(thing: &mut Thing, service: &Service) {
    thing.say("title", service.title.as_ref());
    let kind = service.kind.word();
    thing.say("kind", (kind != "service").then_some(kind));
    thing.say("version", service.version.as_ref());
    thing.say("created_at", service.created_at.as_ref());
    thing.say("external", service.external.then_some(true));
    thing.say("exposure", service.exposure.map(|e| e.word()));
    thing.say("auth", service.auth.as_deref());
    thing.say("layer", service.layer.as_deref());
    thing.say("tier", service.tier.as_deref());
    thing.say("technology", words(&service.technology));
    thing.say("status", service.status.map(|s| s.word()));
    thing.say("startup", service.startup.as_deref());
    thing.say("replicas", service.replicas.as_deref());
    for (i, instance) in service.instances.iter().enumerate() {
        thing.take(&format!("instances.{i}"), facts(&instance.value), &[]);
    }
    thing.say("workers", service.workers.as_deref());
    thing.say("concurrency", service.concurrency.as_deref());
    thing.say("queue.max_length", service.queue_length.as_deref());
    thing.say("queue.discipline", service.discipline.map(|d| d.word()));
    thing.take("limits", service.limits.as_ref().map(|l| facts(&l.value)).unwrap_or_default(), &[]);
    thing.take("warm_up", service.warm_up.as_ref().map(|w| facts(&w.value)).unwrap_or_default(), &[]);
    thing.take("autoscaling", service.autoscaling.as_ref().map(|a| facts(&a.value)).unwrap_or_default(), &[]);
    let check = service.health_check.as_ref().map(|h| facts(&h.value));
    thing.take("health_check", check.unwrap_or_default(), &[]);
    thing.take("slo", service.slo.as_ref().map(|s| facts(&s.value)).unwrap_or_default(), &[]);
    thing.say("availability", service.availability.as_deref());
    // With endpoints of its own these are theirs.
    if service.endpoints.iter().all(|e| e.consumes.is_some()) {
        thing.take("latency", service.latency.as_ref().map(|l| facts(&l.value)).unwrap_or_default(), &[]);
        thing.say("error_rate", service.error_rate.as_deref());
    }
}

fn endpoint(arch: &Architecture, at: EndpointRef, endpoint: &Endpoint) -> Thing {
    let kind = if endpoint.consumes.is_some() { Kind::Handler } else { Kind::Endpoint };
    let mut thing = Thing::new(kind, arch.endpoint_id(at));
    thing.of = Some(arch.id(at.service).to_owned());
    if let Some(consumption) = &endpoint.consumes {
        thing.take("", facts(&consumption.settings), &["latency", "error_rate", "calls"]);
    }
    thing.say("protocol", endpoint.protocol.map(|p| p.word()));
    thing.take("latency", endpoint.latency.as_ref().map(|l| facts(&l.value)).unwrap_or_default(), &[]);
    thing.say("error_rate", endpoint.error_rate.as_deref());
    thing.take("slo", endpoint.slo.as_ref().map(|s| facts(&s.value)).unwrap_or_default(), &[]);
    thing.say("idempotent", endpoint.idempotent.as_deref());
    thing.say("exposure", endpoint.exposure.map(|e| e.word()));
    thing.say("auth", endpoint.auth.as_deref());
    thing.say("version", endpoint.version.as_deref());
    thing.say("deprecated", endpoint.deprecated.as_deref());
    thing.say("sunset", endpoint.sunset.as_deref());
    thing.say("tags", words(&endpoint.tags));
    thing.say("max_recursion", endpoint.max_recursion.as_deref());
    script(arch, &endpoint.steps, &mut thing.script);
    thing
}

fn script(arch: &Architecture, steps: &[Step], out: &mut Vec<Token>) {
    for step in steps {
        match step {
            Step::Edge(edge) if has_place(&arch.graph[*edge]) => {
                out.push(Token::Edge(leads_to(arch, *edge)));
            }
            Step::Edge(_) => {}
            Step::Work(work) => out.push(Token::Work(format!("work {}", work.value))),
            Step::Parallel(steps) => {
                out.push(Token::Open);
                script(arch, steps, out);
                out.push(Token::Close);
            }
        }
    }
}

/// Whether it stands in a script, and not in a list whose order says nothing.
fn has_place(edge: &Edge) -> bool {
    let listed = |source: &str| matches!(source, "communications" | "dependencies");
    edge.from_endpoint.is_some() && !edge.evidence.first().is_some_and(|e| listed(&e.source))
}

fn edge(arch: &Architecture, index: EdgeIndex, edge: &Edge) -> Thing {
    let kind = match edge.kind {
        EdgeKind::Call => Kind::Call,
        EdgeKind::Publish => Kind::Publish,
        EdgeKind::Consume => Kind::Consume,
        EdgeKind::Read => Kind::Read,
        EdgeKind::Write => Kind::Write,
    };
    let mut thing = Thing::new(kind, arch.edge_label(index));
    thing.of = Some(arch.id(arch.ends(index).0).to_owned());
    thing.leads_to = Some(leads_to(arch, index));
    thing.take("", facts(&edge.policy), &[]);
    let part = edge.probability;
    // Back to the percent it was written in: parts of 1 carry a little noise.
    let percent = (part * 1e12).round() / 1e10;
    thing.say("probability", (part < 1.0).then(|| format!("{percent}%")));
    thing.say("times", (edge.times != 1).then_some(edge.times));
    thing.say("optional", edge.optional.as_deref());
    thing.say("fallback", edge.fallback.as_ref().map(|f| fallback(arch, f.value)));
    thing.say("via", edge.via.as_deref());
    thing.say("message", edge.message.as_deref());
    thing.say("telemetry", edge.is_telemetry().then_some(true));
    thing
}

fn fallback(arch: &Architecture, fallback: Fallback) -> String {
    match fallback {
        Fallback::None => "none".to_owned(),
        Fallback::Static => "static".to_owned(),
        Fallback::Cached => "cached".to_owned(),
        Fallback::Call(edge) => format!("call {}", leads_to(arch, edge)),
    }
}

/// The far end of an edge as a script names it.
fn leads_to(arch: &Architecture, edge: EdgeIndex) -> String {
    let data = &arch.graph[edge];
    let to = end(arch, arch.ends(edge).1, data.to_endpoint);
    match data.kind {
        EdgeKind::Call => to,
        EdgeKind::Publish => format!("publish {to}"),
        EdgeKind::Consume => format!("consume {to}"),
        EdgeKind::Read => format!("read {to}"),
        EdgeKind::Write => format!("write {to}"),
    }
}

fn target(arch: &Architecture, target: &TargetRef) -> String {
    end(arch, target.node, target.endpoint)
}

fn end(arch: &Architecture, node: NodeIndex, endpoint: Option<usize>) -> String {
    let at = endpoint.map(|endpoint| EndpointRef { service: node, endpoint });
    at.map_or_else(|| arch.id(node).to_owned(), |at| arch.endpoint_id(at))
}

/// Words in whose order there is no meaning.
fn words(words: &[String]) -> Option<String> {
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(", "))
}
