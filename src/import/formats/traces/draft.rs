//! From what was counted to a document.

use super::names::{Names, Side};
use super::places::Places;
use super::quantiles::Quantiles;
use super::script::{groups, waited};
use super::span::{Name, Seen};
use super::tally::{Callee, End, Endpoint, Slot, Tally};
use crate::import::EvidenceKind;
use crate::import::calls::{Calls, Clue};
use crate::import::clues::roles::Role;
use crate::import::tree::{entry, list, mapping, section, text, word};
use crate::source::{Span, Spanned};
use crate::spec::tree::{Entry, Kind, Node};
use crate::spec::vocabulary::{DatastoreKind, Protocol};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What something on the other side is in the document.
#[derive(Debug, Clone, PartialEq)]
enum Thing {
    /// A service that was seen, or one of others.
    Service(String),
    Store(String, DatastoreKind),
    Channel(String),
}

/// The document of what was counted.
pub struct Draft<'d> {
    names: &'d Names,
    tally: &'d Tally,
    places: &'d mut Places,
    root: Span,
    /// Services that were seen to answer: their places and, by a name in small letters, their ids.
    services: Vec<Name>,
    known: HashMap<String, Name>,
    /// What was met on the other side only, and where.
    others: BTreeMap<String, (Name, Thing, Seen)>,
    /// Who handles the messages of a channel, and whether somebody sends them.
    handlers: HashMap<Name, BTreeSet<Name>>,
    senders: BTreeSet<Name>,
}

impl<'d> Draft<'d> {
    /// A draft of a tally; `root` stands for all of it.
    pub fn new(names: &'d Names, tally: &'d Tally, places: &'d mut Places, root: Span) -> Self {
        let (mut services, mut known) = (Vec::new(), HashMap::new());
        for endpoint in &tally.endpoints {
            let name = names.text(endpoint.service).to_lowercase();
            known.entry(name).or_insert_with(|| {
                services.push(endpoint.service);
                endpoint.service
            });
        }
        // Names that differ in their letters' case only are different all the same.
        let all = tally.endpoints.iter().map(|e| e.service).collect::<BTreeSet<_>>();
        let rest: Vec<_> = all.into_iter().filter(|s| !services.contains(s)).collect();
        services.extend(rest);
        let (mut handlers, mut senders) = (HashMap::<Name, BTreeSet<Name>>::new(), BTreeSet::new());
        for pair in &tally.pairs {
            match (pair.from, pair.to) {
                (End::Channel(channel), End::Service(service)) => {
                    handlers.entry(channel).or_default().insert(service);
                }
                (_, End::Channel(channel)) => {
                    senders.insert(channel);
                }
                _ => {}
            }
        }
        let others = BTreeMap::new();
        Self { names, tally, places, root, services, known, others, handlers, senders }
    }

    /// The calls that were seen, with their evidence.
    pub fn calls(&mut self) -> Calls {
        let mut found = Vec::new();
        let mut parties: Vec<Spanned<String>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for pair in &self.tally.pairs {
            let (from, to) = (self.end(pair.from, pair.seen), self.end(pair.to, pair.seen));
            let span = self.places.span(pair.seen);
            let from = *places.entry(from.id().to_owned()).or_insert_with(|| {
                parties.push(Spanned::new(from.id().to_owned(), span));
                parties.len() - 1
            });
            found.push((from, to, pair, span));
        }
        let mut calls = Calls::new(parties.into_iter().map(|id| (id, Role::Service)));
        for (from, to, pair, span) in found {
            let messages = matches!(pair.from, End::Channel(_)) || matches!(pair.to, End::Channel(_));
            let what = if messages { "message" } else { "call" };
            let many = if pair.count == 1 { "" } else { "s" };
            let detail = format!("{} {what}{many}", pair.count);
            let protocol = pair.protocol.filter(|_| !messages && matches!(to, Thing::Service(_)));
            calls.add(from, to.id(), Clue { kind: EvidenceKind::Trace, span, detail: &detail, protocol });
        }
        calls
    }

    fn end(&mut self, end: End, seen: Seen) -> Thing {
        match end {
            End::Service(name) => Thing::Service(self.names.text(name).to_owned()),
            End::Other(name) => self.other(name, seen),
            End::Channel(name) => self.channel(name, seen),
        }
    }

    /// What a name on the other side means: a service that was seen, by its whole name or the first part of it;
    /// else what spans show of it.
    fn other(&mut self, name: Name, seen: Seen) -> Thing {
        let said = self.names.text(name);
        let whole = said.to_lowercase();
        // A service and its namespace; a host of the world may begin with the name of a service as well.
        let part = whole.split_once('.').filter(|(_, rest)| !rest.contains('.')).map(|(part, _)| part);
        let Side { channel, store } = self.names.side_of(name);
        let known = self.known.get(&whole).or_else(|| self.known.get(part?));
        let (id, thing) = match (store, known) {
            _ if channel.is_some() && known.is_none() => return self.channel(name, seen),
            // The database of a service often has its name.
            (Some(kind), Some(_)) => (format!("{said}-db"), Thing::Store(format!("{said}-db"), kind)),
            (Some(kind), None) => (said.to_owned(), Thing::Store(said.to_owned(), kind)),
            (None, Some(service)) => return Thing::Service(self.names.text(*service).to_owned()),
            (None, None) => (said.to_owned(), Thing::Service(said.to_owned())),
        };
        self.others.entry(id).or_insert((name, thing.clone(), seen));
        thing
    }

    fn channel(&mut self, name: Name, seen: Seen) -> Thing {
        let said = self.names.text(name);
        let taken = self.known.contains_key(&said.to_lowercase());
        let id = if taken { format!("{said}-messages") } else { said.to_owned() };
        let thing = Thing::Channel(id.clone());
        self.others.entry(id).or_insert((name, thing.clone(), seen));
        thing
    }

    /// The document: everything but its communications. To be asked for after the calls.
    pub fn tree(&mut self) -> Option<Node> {
        let mut of: HashMap<Name, Vec<&Endpoint>> = HashMap::new();
        for endpoint in &self.tally.endpoints {
            of.entry(endpoint.service).or_default().push(endpoint);
        }
        let mut services = Vec::new();
        for name in self.services.clone() {
            let endpoints = of.remove(&name).unwrap_or_default();
            let span = endpoints.first().map_or(self.root, |e| self.places.span(e.seen));
            let node = self.service(&endpoints, span);
            services.push(entry(self.names.text(name), span, node));
        }
        let (mut stores, mut queues, mut topics) = (Vec::new(), Vec::new(), Vec::new());
        for (id, (name, thing, seen)) in std::mem::take(&mut self.others) {
            let span = self.places.span(seen);
            match thing {
                Thing::Service(_) => services.push(entry(&id, span, self.external(name, span))),
                Thing::Store(_, kind) => stores.push(entry(&id, span, self.store(name, kind, span))),
                Thing::Channel(_) if self.is_topic(name) => topics.push(self.outside(&id, name, span)),
                Thing::Channel(_) => queues.push(self.outside(&id, name, span)),
            }
        }
        let traffic = self.traffic();
        let root = self.root;
        mapping(
            root,
            [
                ("services", section(root, services)),
                ("datastores", section(root, stores)),
                ("queues", section(root, queues)),
                ("topics", section(root, topics)),
                ("traffic", traffic),
            ],
        )
    }

    fn is_topic(&self, name: Name) -> bool {
        let several = self.handlers.get(&name).is_some_and(|all| all.len() > 1);
        several || self.names.side_of(name).channel == Some(Protocol::EventStream)
    }

    fn outside(&self, id: &str, name: Name, span: Span) -> Entry {
        let yes = |is: bool| is.then(|| word("true", span));
        let entries = [
            ("external_producers", yes(!self.senders.contains(&name))),
            ("external_consumers", yes(!self.handlers.contains_key(&name))),
        ];
        entry(id, span, some(mapping(span, entries), span))
    }

    fn service(&mut self, all: &[&Endpoint], span: Span) -> Node {
        let (mut endpoints, mut consumes) = (Vec::new(), Vec::new());
        for endpoint in all {
            let at = self.places.span(endpoint.seen);
            let calls = self.script(endpoint);
            let faults = share(endpoint.faults, endpoint.visits);
            let error_rate = faults.filter(|_| endpoint.faults > 0).map(|rate| word(rate, at));
            let latency = latency(&endpoint.own, at);
            if endpoint.consumes && endpoint.channel != Name::NONE {
                let channel = self.channel(endpoint.channel, endpoint.seen);
                let busy = self.busy(&[endpoint]);
                let concurrency = Some(word(busy.to_string(), at));
                let entries = [
                    ("concurrency", concurrency),
                    ("latency", latency),
                    ("error_rate", error_rate),
                    ("calls", calls),
                ];
                consumes.push(entry(channel.id(), at, some(mapping(at, entries), at)));
            } else {
                let protocol = endpoint.protocol.map(|p| word(p.word(), at));
                let entries = [
                    ("protocol", protocol),
                    ("latency", latency),
                    ("error_rate", error_rate),
                    ("calls", calls),
                ];
                let name = self.names.text(endpoint.name);
                endpoints.push(entry(name, at, some(mapping(at, entries), at)));
            }
        }
        let entries = [
            ("workers", Some(word(self.busy(all).to_string(), span))),
            ("endpoints", section(span, endpoints)),
            ("consumes", section(span, consumes)),
        ];
        some(mapping(span, entries), span)
    }

    /// More workers than are ever busy at once: the measured times hold what waiting there was, and are not to wait
    /// again. Six deviations above the mean of a Poisson number (M/G/∞).
    fn busy(&self, all: &[&Endpoint]) -> u64 {
        let total: u128 = all.iter().map(|e| e.own.total_ns).sum();
        let seconds = self.window_s().unwrap_or(self.tally.arrivals.max(1) as f64);
        let mean = total as f64 / 1e9 / seconds;
        (mean + 6.0 * mean.sqrt() + 4.0).ceil().min(1e6) as u64
    }

    /// How long so many arrivals take: the time between the first and the last, and one more gap.
    fn window_s(&self) -> Option<f64> {
        let (first, last) = self.tally.window_ns?;
        let count = self.tally.arrivals as f64;
        (last > first).then(|| (last - first) as f64 / 1e9 * count / (count - 1.0))
    }

    /// Whether the rates are made up: there is one arrival, or all come at the same time.
    pub fn assumes_rates(&self) -> bool {
        self.window_s().is_none()
    }

    fn traffic(&mut self) -> Option<Node> {
        let window = self.window_s();
        let mut all = Vec::new();
        for endpoint in self.tally.endpoints.iter().filter(|e| e.entries > 0 && !e.consumes) {
            let span = self.places.span(endpoint.seen);
            let rate = window.map_or(1.0, |window| endpoint.entries as f64 / window);
            let target = format!("{} {}", self.names.text(endpoint.service), self.names.text(endpoint.name));
            let entries = [("to", Some(text(target, span))), ("rate", Some(word(per_second(rate), span)))];
            all.extend(mapping(span, entries));
        }
        list(self.root, all)
    }

    fn external(&self, name: Name, span: Span) -> Node {
        let answers = self.tally.answers.get(&name);
        let rate = answers.filter(|a| a.failed > 0).and_then(|a| share(a.failed, a.time.count));
        let entries = [
            ("external", Some(word("true", span))),
            ("latency", answers.and_then(|a| latency(&a.time, span))),
            ("error_rate", rate.map(|rate| word(rate, span))),
        ];
        some(mapping(span, entries), span)
    }

    fn store(&self, name: Name, kind: DatastoreKind, span: Span) -> Node {
        let answers = self.tally.answers.get(&name);
        let entries = [
            ("kind", Some(word(kind.word(), span))),
            ("latency", answers.and_then(|a| latency(&a.time, span))),
        ];
        some(mapping(span, entries), span)
    }

    fn script(&mut self, endpoint: &Endpoint) -> Option<Node> {
        let span = self.places.span(endpoint.seen);
        let mut steps = Vec::new();
        for group in groups(endpoint) {
            let slots = group.slots.iter().filter_map(|at| endpoint.slots.get(*at));
            let mut made: Vec<Node> =
                slots.filter_map(|slot| self.step(endpoint, slot, group.times)).collect();
            if made.len() > 1 {
                steps.extend(mapping(span, [("parallel", list(span, made))]));
            } else {
                steps.append(&mut made);
            }
        }
        list(span, steps)
    }

    fn step(&mut self, endpoint: &Endpoint, slot: &Slot, times: u64) -> Option<Node> {
        let to = match slot.callee {
            Callee::Endpoint(id) => End::Service(self.tally.endpoint_of(id)?.service),
            Callee::Other(name, _) => End::Other(name),
            Callee::Channel(name) => End::Channel(name),
        };
        let pair = self.tally.pair(End::Service(endpoint.service), to)?;
        // The place of the evidence: what shows the call stands for the step.
        let span = self.places.span(pair.seen);
        let thing = self.end(to, pair.seen);
        let further = (slot.further as f64 / slot.visits.max(1) as f64).round() as u64;
        let times = times + further;
        let chance = share(slot.visits, endpoint.visits).filter(|_| slot.visits < endpoint.visits);
        let key = match (&thing, slot.callee) {
            (Thing::Service(_), _) => "call",
            (Thing::Channel(_), _) => "publish",
            (Thing::Store(..), Callee::Other(_, true)) => "write",
            (Thing::Store(..), _) => "read",
        };
        let target = match slot.callee {
            Callee::Endpoint(id) => {
                format!("{} {}", thing.id(), self.names.text(self.tally.endpoint_of(id)?.name))
            }
            _ => thing.id().to_owned(),
        };
        // What nobody waits for is a message to the service.
        let protocol = if waited(slot) { slot.protocol.map(Protocol::word) } else { Some("message_queue") };
        let optional = slot.survived * 2 > slot.failed && key != "publish";
        let entries = [
            (key, Some(text(target, span))),
            ("protocol", protocol.filter(|_| key == "call").map(|p| word(p, span))),
            ("probability", chance.map(|chance| word(chance, span))),
            ("times", (times > 1).then(|| word(times.to_string(), span))),
            ("optional", optional.then(|| word("true", span))),
        ];
        mapping(span, entries)
    }
}

impl Thing {
    fn id(&self) -> &str {
        match self {
            Self::Service(id) | Self::Store(id, _) | Self::Channel(id) => id,
        }
    }
}

fn some(node: Option<Node>, span: Span) -> Node {
    node.unwrap_or_else(|| Node::new(span, Kind::Mapping(Vec::new())))
}

/// A share as a percentage; `None` of nothing.
fn share(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| percent(part as f64 / whole as f64))
}

fn percent(share: f64) -> String {
    let said = format!("{:.6}", share * 100.0);
    format!("{}%", said.trim_end_matches('0').trim_end_matches('.'))
}

fn per_second(rate: f64) -> String {
    let decimals = if rate < 1.0 { 9 } else { 3 };
    let said = format!("{rate:.decimals$}");
    format!("{}/s", said.trim_end_matches('0').trim_end_matches('.'))
}

/// Own work that takes as long as it was seen to take.
fn latency(times: &Quantiles, span: Span) -> Option<Node> {
    if times.count == 0 {
        return None;
    }
    let points = times.points();
    if points.is_empty() {
        let mean = word(format!("{}ns", times.mean_ns()), span);
        let constant = Some(word("constant", span));
        return mapping(span, [("distribution", constant), ("mean", Some(mean))]);
    }
    let points =
        points.into_iter().map(|(share, ns)| entry(&percent(share), span, word(format!("{ns}ns"), span)));
    mapping(span, [("quantiles", section(span, points.collect()))])
}
