//! Load: how many requests reach what, how busy that keeps it, and how long answers take on average.
//!
//! Rates are in requests per second, times in seconds. What nobody said is left out, so that a rate is at
//! least what is given; `complete` says whether anything was left out.

mod flow;
mod solve;
mod station;
mod time;

pub use station::{Carrier, Loss, Station, Work, replicas};
pub use time::Answer;

use crate::model::{Architecture, EndpointRef};
use flow::Flows;
use petgraph::Direction;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use solve::Groups;
use std::collections::{BTreeMap, BTreeSet};

/// Steps of a path that proves something.
const STEPS: usize = 100;

/// Base, users, peak, storm; not a number where it is not known.
type Rates = [f64; 4];

/// What requests can be at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A datastore, queue or topic, or a service as a whole.
    Node(NodeIndex),
    /// An endpoint or handler.
    Endpoint(EndpointRef),
}

/// Requests per second. `None`: not known, since they go round in a circle that does not end, or users do
/// not say how long they think.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flow {
    /// Of sources with a rate (open loop): the rate itself, or the last of its points.
    pub base: Option<f64>,
    /// Of users who wait for their answer (closed loop), at the most: users over think and answer time.
    pub users: Option<f64>,
    /// Of sources with a rate, all at their `peak` or the highest of their points at once.
    pub peak: Option<f64>,
    /// As `base`, when every call fails and is tried as often as its retries allow; calls behind a circuit
    /// breaker are not tried again.
    pub storm: Option<f64>,
    /// Whether nothing else comes that is not said: entries without traffic, dependencies that do not say
    /// how often they are called, producers outside.
    pub complete: bool,
}

impl Flow {
    fn of(rates: Rates, complete: bool) -> Self {
        let [base, users, peak, storm] = rates.map(|rate| rate.is_finite().then_some(rate));
        Self { base, users, peak, storm, complete }
    }

    /// The most that is ever expected: the peak, with all users. `None` where not all is known.
    pub fn most(&self) -> Option<f64> {
        Some(self.peak? + self.users?).filter(|_| self.complete)
    }
}

/// Where requests come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// From outside: an index into [`Architecture::traffic`].
    Traffic(usize),
    /// Over an edge.
    Edge(EdgeIndex),
}

/// A part of what reaches a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inflow {
    /// Where it comes from.
    pub by: By,
    /// Requests per second.
    pub rate: f64,
}

/// Which of the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Flow::base`].
    Base = 0,
    /// [`Flow::users`].
    Users = 1,
    /// [`Flow::peak`].
    Peak = 2,
    /// [`Flow::storm`].
    Storm = 3,
}

/// The load of an architecture under the traffic of its document.
pub struct Load {
    flows: Flows,
    /// Traffic by the place it goes to.
    sources: BTreeMap<usize, Vec<usize>>,
    /// What comes from outside, one of each traffic.
    outside: Vec<Rates>,
    rates: Vec<Rates>,
    complete: Vec<bool>,
    edges: Vec<(Rates, bool)>,
    answers: Vec<Answer>,
    stations: Vec<Station>,
}

impl Load {
    /// Sends all traffic through all scripts. Linear in steps, but for circles.
    pub fn of(arch: &Architecture) -> Self {
        let flows = Flows::of(arch);
        let groups = Groups::of(&flows);
        let answers = time::answers(arch, &flows, &groups);
        let sources = flows.sources.iter().zip(&arch.traffic);
        let outside: Vec<Rates> = sources.map(|(at, t)| flow::rates(arch, t, answers[*at].seconds)).collect();
        let mut start = vec![[0.0; 4]; flows.graph.node_count()];
        for (at, rates) in flows.sources.iter().zip(&outside) {
            solve::add(&mut start[*at], *rates);
        }
        let rates = solve::rates(&flows, &groups, start);
        let complete = solve::complete(&flows);
        let mut edges = vec![([0.0; 4], true); arch.graph.edge_count()];
        for way in flows.graph.edge_references() {
            let (from, arc) = (way.source().index(), way.weight());
            let Some((sum, whole)) = arc.edge.and_then(|edge| edges.get_mut(edge.index())) else { continue };
            solve::add(sum, solve::passed(rates[from], arc.often, arc.storm));
            *whole &= complete[from];
        }
        let mut sources: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, at) in flows.sources.iter().enumerate() {
            sources.entry(*at).or_default().push(i);
        }
        let mut this =
            Self { flows, sources, outside, rates, complete, edges, answers, stations: Vec::new() };
        this.stations = station::stations(arch, &this);
        this
    }

    fn place(&self, place: Place) -> usize {
        match place {
            Place::Node(node) => self.flows.node(node),
            Place::Endpoint(at) => self.flows.endpoint(at),
        }
    }

    fn flow(&self, at: usize) -> Flow {
        Flow::of(self.rates[at], self.complete[at])
    }

    /// What reaches an endpoint or handler, a datastore, queue or topic. Of a service without endpoints its
    /// calls; of one with endpoints [`Load::service`] is the sum.
    pub fn at(&self, place: Place) -> Flow {
        self.flow(self.place(place))
    }

    /// What reaches all endpoints of a service that can be called.
    pub fn service(&self, arch: &Architecture, node: NodeIndex) -> Flow {
        let Some(service) = arch.graph[node].service() else { return self.at(Place::Node(node)) };
        let first = self.flows.node(node);
        let mut places: Vec<usize> = flow::callable(service).map(|i| first + 1 + i).collect();
        if places.is_empty() {
            places.push(first);
        }
        let mut sum = [0.0; 4];
        for at in &places {
            solve::add(&mut sum, self.rates[*at]);
        }
        Flow::of(sum, places.iter().all(|at| self.complete[*at]))
    }

    /// Calls, messages or accesses over an edge, all instances of the caller together, retries left out but
    /// for `storm`. Fallbacks are not called in the good case, and have no rate here.
    pub fn edge(&self, edge: EdgeIndex) -> Flow {
        self.edges.get(edge.index()).map_or_else(Flow::default, |(rates, whole)| Flow::of(*rates, *whole))
    }

    /// How long a place takes to answer on average.
    pub fn answer(&self, place: Place) -> Answer {
        self.answers[self.place(place)]
    }

    /// How long a call takes on average, network included, at the most its own limit.
    pub fn call_time(&self, arch: &Architecture, edge: EdgeIndex) -> Answer {
        let data = &arch.graph[edge];
        let to = arch.ends(edge).1;
        let place = data
            .to_endpoint
            .map_or(Place::Node(to), |endpoint| Place::Endpoint(EndpointRef { service: to, endpoint }));
        time::call(arch, data, self.answer(place))
    }

    /// Everything that works and says how much of it can be done at once, in document order.
    pub fn stations(&self) -> impl Iterator<Item = &Station> {
        self.stations.iter().filter(|s| !s.assumed)
    }

    /// Services that work and do not say how much of it they can do at once: what a simulation assumes of them.
    pub fn assumed_stations(&self) -> impl Iterator<Item = &Station> {
        self.stations.iter().filter(|s| s.assumed)
    }

    /// Parts of what reaches a place with the places they come from; ways on which messages are only told
    /// apart, or calls spread, are looked through.
    fn parts(&self, at: usize, kind: Kind) -> Vec<(Inflow, Option<usize>)> {
        let mut parts = Vec::new();
        let mut open = vec![(at, 1.0)];
        while let Some((at, share)) = open.pop() {
            for i in self.sources.get(&at).into_iter().flatten() {
                let rate = self.outside.get(*i).map_or(0.0, |rates| rates[kind as usize]) * share;
                parts.push((Inflow { by: By::Traffic(*i), rate }, None));
            }
            for way in self.flows.graph.edges_directed(NodeIndex::new(at), Direction::Incoming) {
                let (from, arc) = (way.source().index(), way.weight());
                let often = if kind == Kind::Storm { arc.storm } else { arc.often };
                match arc.edge {
                    Some(edge) => {
                        let rate = self.rates[from][kind as usize] * often * share;
                        parts.push((Inflow { by: By::Edge(edge), rate }, Some(from)));
                    }
                    None => open.push((from, share * often)),
                }
            }
        }
        parts.retain(|(term, _)| term.rate > 0.0);
        parts
    }

    /// The way most of what reaches a place takes from outside: at each step the largest part. Of a way of
    /// more than a hundred steps the last hundred.
    pub fn main_path(&self, place: Place, kind: Kind) -> Vec<Inflow> {
        let mut path = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = Some(self.place(place));
        while let Some(here) = at.filter(|here| path.len() < STEPS && seen.insert(*here)) {
            let parts = self.parts(here, kind);
            let larger =
                |a: &(Inflow, _), b: &(Inflow, _)| a.0.rate.total_cmp(&b.0.rate).then(b.0.by.cmp(&a.0.by));
            let Some((term, from)) = parts.into_iter().max_by(larger) else { break };
            path.push(term);
            at = from;
        }
        path.reverse();
        path
    }
}
