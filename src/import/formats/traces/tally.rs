//! What all visits have in common: counts, lengths of time, who calls whom when.

use super::quantiles::Quantiles;
use super::span::{Name, Seen, Span};
use crate::spec::vocabulary::Protocol;
use std::collections::HashMap;

/// Calls of one visit that are compared with one another.
const COMPARED: usize = 48;

/// Repetitions of a call that are told apart; the last stands for all further ones.
const REPEATED: u32 = 8;

/// Different calls of an endpoint that are told apart.
pub const SLOTS: usize = 512;

/// An endpoint, or the handler of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Callee {
    /// An endpoint that was seen to answer.
    Endpoint(EndpointId),
    /// Something that leaves no spans, and whether it is changed.
    Other(Name, bool),
    /// A queue or topic.
    Channel(Name),
}

/// One call of one visit.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// What is called.
    pub callee: Callee,
    /// When it is answered, nanoseconds since 1970.
    pub start_ns: u64,
    /// Until when.
    pub end_ns: u64,
    /// It failed.
    pub failed: bool,
    /// Its failure explains that of the visit: another service is to blame.
    pub excuses: bool,
    /// The visit goes on after it.
    pub waited: bool,
    /// How it travels.
    pub protocol: Option<Protocol>,
    /// Where it is to be seen.
    pub seen: Seen,
}

/// A request's stay in a service.
#[derive(Debug)]
pub struct Visit<'c> {
    /// What was asked.
    pub endpoint: EndpointId,
    /// When, nanoseconds since 1970.
    pub start_ns: u64,
    /// Time that was not spent waiting for others, where it is known.
    pub own_ns: Option<u64>,
    /// It failed.
    pub failed: bool,
    /// And nobody it called did.
    pub own_fault: bool,
    /// What it called, by start.
    pub calls: &'c [Call],
    /// How it came.
    pub protocol: Option<Protocol>,
}

/// A call as a visit may make it: what is called, and for which time.
#[derive(Debug, Clone)]
pub struct Slot {
    /// What is called.
    pub callee: Callee,
    /// Visits that made it.
    pub visits: u64,
    /// Calls beyond the first that stand here too.
    pub further: u64,
    /// From the start of the visit to that of the call, all together, nanoseconds.
    pub start_ns: i128,
    /// Its length, all together, nanoseconds.
    pub length_ns: u128,
    /// Failed calls, and those of them whose visit succeeded.
    pub failed: u64,
    /// Failed calls whose visit succeeded.
    pub survived: u64,
    /// Calls nobody waited for.
    pub left: u64,
    /// How it travels.
    pub protocol: Option<Protocol>,
}

/// What is known of an endpoint or handler.
#[derive(Debug)]
pub struct Endpoint {
    /// Whose.
    pub service: Name,
    /// Its name.
    pub name: Name,
    /// The channel whose messages it handles.
    pub channel: Name,
    /// Whether it handles messages.
    pub consumes: bool,
    /// Where it was met first.
    pub seen: Seen,
    /// How requests come.
    pub protocol: Option<Protocol>,
    /// Visits.
    pub visits: u64,
    /// Of them failed by its own fault.
    pub faults: u64,
    /// Visits nobody in the traces asked for.
    pub entries: u64,
    /// Own time.
    pub own: Quantiles,
    /// Calls, in the order in which they were met.
    pub slots: Vec<Slot>,
    known: HashMap<(Callee, u32), usize>,
    /// Of two calls: visits that made both, and those in which they overlapped.
    pairs: HashMap<(usize, usize), (u64, u64)>,
}

impl Endpoint {
    /// Whether two calls are made at the same time, more often than not.
    pub fn parallel(&self, a: usize, b: usize) -> bool {
        let pair = self.pairs.get(&(a.min(b), a.max(b)));
        pair.is_some_and(|(both, over)| over * 2 > *both)
    }

    fn slot(&mut self, call: &Call, nth: u32) -> Option<usize> {
        let nth = nth.min(REPEATED - 1);
        if let Some(known) = self.known.get(&(call.callee, nth)) {
            return Some(*known);
        }
        if self.slots.len() >= SLOTS {
            return None;
        }
        self.known.insert((call.callee, nth), self.slots.len());
        self.slots.push(Slot {
            callee: call.callee,
            visits: 0,
            further: 0,
            start_ns: 0,
            length_ns: 0,
            failed: 0,
            survived: 0,
            left: 0,
            protocol: None,
        });
        Some(self.slots.len() - 1)
    }
}

/// One end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// A service that was seen to answer.
    Service(Name),
    /// Something that leaves no spans.
    Other(Name),
    /// A queue or topic.
    Channel(Name),
}

/// How often one called another.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Who.
    pub from: End,
    /// Whom.
    pub to: End,
    /// How often.
    pub count: u64,
    /// How it travels.
    pub protocol: Option<Protocol>,
    /// Where it was met first.
    pub seen: Seen,
}

/// How long what leaves no spans takes to answer.
#[derive(Debug, Default)]
pub struct Answers {
    /// Seen from the caller.
    pub time: Quantiles,
    /// Calls that failed.
    pub failed: u64,
}

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Tally {
    /// Traces, whole or cut.
    pub traces: u64,
    /// Spans, each once.
    pub spans: u64,
    /// Spans that name a cause that is not there.
    pub orphans: u64,
    /// All endpoints and handlers, in the order in which they were met.
    pub endpoints: Vec<Endpoint>,
    known: HashMap<(Name, Name, bool), EndpointId>,
    /// All edges, in the order in which they were met.
    pub pairs: Vec<Pair>,
    edges: HashMap<(End, End), usize>,
    /// What leaves no spans.
    pub answers: HashMap<Name, Answers>,
    /// The first and the last arrival from outside, nanoseconds since 1970.
    pub window_ns: Option<(u64, u64)>,
    /// Arrivals from outside whose time is known.
    pub arrivals: u64,
    /// Spans that name no service, below none that does.
    pub nameless: u64,
    /// Calls beyond those that are told apart.
    pub skipped: u64,
    /// The trace whose arrival was counted last: what else begins in it is no arrival of its own.
    arrived: u64,
}

impl Tally {
    /// The endpoint a span answers, or the handler of a channel it is.
    pub fn endpoint(&mut self, span: &Span, channel: Name) -> EndpointId {
        let consumes = span.kind == super::tags::Kind::Consumer;
        let name = if consumes { channel } else { span.name };
        *self.known.entry((span.service, name, consumes)).or_insert_with(|| {
            self.endpoints.push(Endpoint {
                service: span.service,
                name: span.name,
                channel,
                consumes,
                seen: span.seen,
                protocol: None,
                visits: 0,
                faults: 0,
                entries: 0,
                own: Quantiles::default(),
                slots: Vec::new(),
                known: HashMap::new(),
                pairs: HashMap::new(),
            });
            EndpointId(self.endpoints.len() as u32 - 1)
        })
    }

    /// An endpoint.
    pub fn endpoint_of(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.get(id.0 as usize)
    }

    /// How often one called another.
    pub fn pair(&self, from: End, to: End) -> Option<&Pair> {
        self.pairs.get(*self.edges.get(&(from, to))?)
    }

    /// A request came from outside.
    pub fn entered(&mut self, endpoint: EndpointId, start_ns: u64) {
        let Some(endpoint) = self.endpoints.get_mut(endpoint.0 as usize) else { return };
        endpoint.entries += 1;
        if start_ns != 0 && self.arrived != self.traces {
            self.arrived = self.traces;
            let (first, last) = self.window_ns.unwrap_or((start_ns, start_ns));
            self.window_ns = Some((first.min(start_ns), last.max(start_ns)));
            self.arrivals += 1;
        }
    }

    /// A message was handled.
    pub fn consumed(&mut self, channel: Name, span: &Span) {
        if channel != Name::NONE {
            self.edge(End::Channel(channel), End::Service(span.service), None, span.seen);
        }
    }

    fn edge(&mut self, from: End, to: End, protocol: Option<Protocol>, seen: Seen) {
        let at = *self.edges.entry((from, to)).or_insert_with(|| {
            self.pairs.push(Pair { from, to, count: 0, protocol: None, seen });
            self.pairs.len() - 1
        });
        if let Some(pair) = self.pairs.get_mut(at) {
            pair.count += 1;
            pair.protocol = pair.protocol.or(protocol);
        }
    }

    /// A visit is over.
    pub fn visit(&mut self, visit: &Visit<'_>) {
        let Some(service) = self.endpoint_of(visit.endpoint).map(|e| e.service) else { return };
        for call in visit.calls {
            let to = match call.callee {
                Callee::Endpoint(id) => self.endpoint_of(id).map(|e| End::Service(e.service)),
                Callee::Other(name, _) => Some(End::Other(name)),
                Callee::Channel(name) => Some(End::Channel(name)),
            };
            if let Callee::Other(name, _) = call.callee {
                let answers = self.answers.entry(name).or_default();
                answers.time.add(call.end_ns.saturating_sub(call.start_ns));
                answers.failed += u64::from(call.failed);
            }
            if let Some(to) = to {
                self.edge(End::Service(service), to, call.protocol, call.seen);
            }
        }
        let Some(endpoint) = self.endpoints.get_mut(visit.endpoint.0 as usize) else { return };
        endpoint.visits += 1;
        endpoint.faults += u64::from(visit.own_fault);
        endpoint.protocol = endpoint.protocol.or(visit.protocol);
        if let Some(own) = visit.own_ns {
            endpoint.own.add(own);
        }
        self.skipped += endpoint.calls(visit);
    }
}

impl Endpoint {
    /// Counts the calls of a visit; gives how many were too many to be told apart.
    fn calls(&mut self, visit: &Visit<'_>) -> u64 {
        let mut skipped = 0;
        let mut times: HashMap<Callee, u32> = HashMap::new();
        let mut made: Vec<(usize, &Call)> = Vec::new();
        for call in visit.calls {
            let nth = times.entry(call.callee).or_default();
            *nth += 1;
            let first = *nth <= REPEATED;
            let Some(at) = self.slot(call, *nth - 1) else {
                skipped += 1;
                continue;
            };
            let Some(slot) = self.slots.get_mut(at) else { continue };
            slot.protocol = slot.protocol.or(call.protocol);
            slot.failed += u64::from(call.failed);
            slot.survived += u64::from(call.failed && !visit.failed);
            if !first {
                slot.further += 1;
                continue;
            }
            slot.visits += 1;
            slot.start_ns += i128::from(call.start_ns) - i128::from(visit.start_ns);
            slot.length_ns += u128::from(call.end_ns.saturating_sub(call.start_ns));
            slot.left += u64::from(!call.waited);
            if made.len() < COMPARED {
                made.push((at, call));
            }
        }
        for (i, (a, one)) in made.iter().enumerate() {
            for (b, other) in made.iter().skip(i + 1) {
                let pair = self.pairs.entry((*a.min(b), *a.max(b))).or_default();
                pair.0 += 1;
                pair.1 += u64::from(overlap(one, other));
            }
        }
        skipped
    }
}

/// Whether two calls run at the same time for more than a tenth of the shorter one.
fn overlap(a: &Call, b: &Call) -> bool {
    let both = a.end_ns.min(b.end_ns).saturating_sub(a.start_ns.max(b.start_ns));
    let shorter = a.end_ns.saturating_sub(a.start_ns).min(b.end_ns.saturating_sub(b.start_ns));
    both > shorter / 10
}
