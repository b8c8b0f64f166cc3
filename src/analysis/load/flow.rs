//! Who sends requests to whom, and how many for one of its own.

use super::{Place, Rates};
use crate::analysis::amplification;
use crate::model::{Architecture, Edge, EdgeKind, EndpointRef, NodeKind, Service, Traffic, edges_of};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// A way requests take from one place to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    /// The edge of the architecture; `None` where messages are only told apart.
    pub edge: Option<EdgeIndex>,
    /// Requests for one at its start.
    pub often: f64,
    /// The same when every call is tried as often as its retries allow.
    pub storm: f64,
}

/// Everything requests can be at, and the ways between.
pub(super) struct Flows {
    pub graph: DiGraph<Place, Arc>,
    /// For each node of the architecture its own place; those of its endpoints follow.
    pub first: Vec<usize>,
    /// Where traffic goes, each with its place.
    pub sources: Vec<usize>,
    /// Places to which more comes than is said.
    pub unsaid: Vec<usize>,
}

impl Flows {
    /// Walks every script once.
    pub fn of(arch: &Architecture) -> Self {
        let mut this =
            Self { graph: DiGraph::new(), first: Vec::new(), sources: Vec::new(), unsaid: Vec::new() };
        for (index, node) in arch.nodes() {
            this.first.push(this.graph.add_node(Place::Node(index)).index());
            let endpoints = node.service().map_or(0, |s| s.endpoints.len());
            for endpoint in 0..endpoints {
                this.graph.add_node(Place::Endpoint(EndpointRef { service: index, endpoint }));
            }
        }
        let mut types = BTreeMap::new();
        for at in arch.endpoints() {
            let Some(endpoint) = arch.endpoint(at) else { continue };
            let from = this.endpoint(at);
            edges_of(&endpoint.steps, &mut |edge| this.leave(arch, &mut types, from, edge));
        }
        for (index, _, service) in arch.services() {
            if callable(service).next().is_none() {
                for edge in &service.common {
                    this.leave(arch, &mut types, this.node(index), *edge);
                }
            }
        }
        for (index, node) in arch.nodes() {
            if node.is_channel() {
                this.consumers(arch, &types, index);
            }
        }
        this.sources = arch.traffic.iter().map(|t| this.target(t.to.node, t.to.endpoint)).collect();
        this.spread(arch);
        this.entries(arch);
        this
    }

    /// The place of a node itself.
    pub fn node(&self, node: NodeIndex) -> usize {
        self.first.get(node.index()).copied().unwrap_or_default()
    }

    /// The place of an endpoint.
    pub fn endpoint(&self, at: EndpointRef) -> usize {
        self.node(at.service) + 1 + at.endpoint
    }

    fn arc(&mut self, from: usize, to: usize, edge: Option<EdgeIndex>, often: f64, storm: f64) {
        self.graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), Arc { edge, often, storm });
    }

    /// What one step sends.
    fn leave(&mut self, arch: &Architecture, types: &mut Types, from: usize, index: EdgeIndex) {
        let (edge, to) = (&arch.graph[index], arch.ends(index).1);
        if edge.is_telemetry() {
            return;
        }
        if !says_how_often(edge) {
            // Called, and nobody knows how often.
            self.unsaid.push(self.target(to, edge.to_endpoint));
            return;
        }
        let often = edge.probability * f64::from(edge.times);
        if arch.graph[to].is_channel() {
            let kind = edge.message.as_ref().map(|m| m.value.clone());
            let place = *types.entry((to, kind)).or_insert_with(|| {
                let place = self.graph.add_node(Place::Node(to)).index();
                self.arc(place, self.node(to), None, 1.0, 1.0);
                place
            });
            return self.arc(from, place, Some(index), often, often);
        }
        let retried = edge.kind == EdgeKind::Call && edge.breaker().is_none() && !has_mesh_breaker(arch);
        let attempts = if retried { amplification::factor_of_failures(arch, edge) } else { 1.0 };
        let target = self.target(to, edge.to_endpoint);
        self.arc(from, target, Some(index), often, often * attempts);
    }

    /// Where a call goes: to the endpoint it names, else to the whole of a service or datastore.
    fn target(&self, to: NodeIndex, endpoint: Option<usize>) -> usize {
        endpoint
            .map_or_else(|| self.node(to), |endpoint| self.endpoint(EndpointRef { service: to, endpoint }))
    }

    /// What goes to a whole service goes evenly to the endpoints that can be called.
    fn spread(&mut self, arch: &Architecture) {
        let known: BTreeSet<usize> = self.sources.iter().chain(&self.unsaid).copied().collect();
        for (index, _, service) in arch.services() {
            let node = self.node(index);
            if !self.is_called(node) && !known.contains(&node) {
                continue;
            }
            let callable: Vec<usize> = callable(service).map(|i| node + 1 + i).collect();
            let share = 1.0 / callable.len().max(1) as f64;
            for endpoint in callable {
                self.arc(node, endpoint, None, share, share);
            }
        }
    }

    /// From a queue or topic to its handlers: each group gets every message, its members share them.
    fn consumers(&mut self, arch: &Architecture, types: &Types, channel: NodeIndex) {
        let is_topic = matches!(arch.graph[channel].kind, NodeKind::Topic(_));
        let mut groups: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for edge in arch.outgoing(channel) {
            let to = arch.ends(edge).1;
            let at = arch.graph[edge].to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint });
            let settings = at.and_then(|at| arch.endpoint(at)?.consumes.as_ref()).map(|c| &c.settings);
            let group = settings.and_then(|s| s.group.as_ref()).map_or(arch.id(to), |g| &g.value);
            let group = if is_topic { group.to_owned() } else { String::new() };
            let named = settings.and_then(|s| s.types.as_ref());
            let named = named.map(|t| t.iter().map(|t| t.value.clone()).collect::<BTreeSet<_>>());
            let place = at.map_or_else(|| self.node(to), |at| self.endpoint(at));
            groups.entry(group).or_default().push(Member { place, edge, types: named });
        }
        for members in groups.into_values() {
            self.group(types, channel, &members);
        }
        let external = match &arch.graph[channel].kind {
            NodeKind::Queue(queue) => queue.external_producers,
            NodeKind::Topic(topic) => topic.external_producers,
            _ => None,
        };
        if external.is_some_and(|e| e.value) {
            self.unsaid.push(self.node(channel));
            // Of which type they are is not known either.
            self.unsaid
                .extend(types.range((channel, None)..).take_while(|(k, _)| k.0 == channel).map(|t| *t.1));
        }
    }

    /// The members of one group. Types are told apart only where every member names its own.
    fn group(&mut self, types: &Types, channel: NodeIndex, members: &[Member]) {
        let even = 1.0 / members.len().max(1) as f64;
        if members.iter().any(|m| m.types.is_none()) {
            for member in members {
                self.arc(self.node(channel), member.place, Some(member.edge), even, even);
            }
            return;
        }
        let mut takers: BTreeMap<&String, f64> = BTreeMap::new();
        for name in members.iter().flat_map(|m| m.types.iter().flatten()) {
            *takers.entry(name).or_default() += 1.0;
        }
        for member in members {
            let named = member.types.iter().flatten().map(|t| (Some(t.clone()), takers.get(t)));
            for (kind, among) in named.chain([(None, None)]) {
                let Some(from) = types.get(&(channel, kind)).copied() else { continue };
                let share = among.map_or(even, |n| 1.0 / n);
                self.arc(from, member.place, Some(member.edge), share, share);
            }
        }
    }

    /// Entries that no traffic names: what is open to anyone, and what nobody is known to call.
    fn entries(&mut self, arch: &Architecture) {
        let named: BTreeSet<usize> = self.sources.iter().copied().collect();
        let mut entries = Vec::new();
        for at in arch.endpoints() {
            let place = self.endpoint(at);
            let handler = arch.endpoint(at).is_some_and(|e| e.consumes.is_some());
            if !handler && (arch.is_public(at) || !self.is_called(place)) {
                entries.push(place);
            }
        }
        for (index, _, service) in arch.services() {
            let place = self.node(index);
            let silent = callable(service).next().is_none();
            if silent && !service.common.is_empty() && !self.is_called(place) {
                entries.push(place);
            }
        }
        self.unsaid.extend(entries.into_iter().filter(|place| !named.contains(place)));
    }

    fn is_called(&self, place: usize) -> bool {
        self.graph.edges_directed(NodeIndex::new(place), petgraph::Direction::Incoming).next().is_some()
    }
}

/// Messages of one type in a queue or topic, `None` for those of which no type is said, and their place.
type Types = BTreeMap<(NodeIndex, Option<String>), usize>;

/// A member of a consumer group.
struct Member {
    place: usize,
    edge: EdgeIndex,
    types: Option<BTreeSet<String>>,
}

/// The endpoints of a service that can be called.
pub(super) fn callable(service: &Service) -> impl Iterator<Item = usize> {
    service.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none()).map(|(i, _)| i)
}

fn has_mesh_breaker(arch: &Architecture) -> bool {
    let breaker = arch.mesh.as_ref().and_then(|m| m.circuit_breaker.as_ref());
    breaker.is_some_and(|b| b.value.on().is_some())
}

/// A mere dependency, or what an import has seen, does not say how often it is called.
pub(super) fn says_how_often(edge: &Edge) -> bool {
    let steps = |source: &str| matches!(source, "read" | "write" | "publish");
    edge.is_detailed()
        || matches!(edge.kind, EdgeKind::Read | EdgeKind::Write | EdgeKind::Publish)
            && edge.evidence.iter().any(|e| steps(&e.source))
}

/// What a source sends: the rate its profile settles at (the last of its points), users over think and
/// answer time, the highest there is, and the rate when clients try as often as they may.
pub(super) fn rates(arch: &Architecture, traffic: &Traffic, answer_s: f64) -> Rates {
    let written = &traffic.written;
    let declared = written.peak.map_or(0.0, |p| p.per_second()) * traffic.share;
    if let Some(users) = written.users {
        // Users who do not think send the more the faster they are answered: no number says how much.
        let cycle = traffic.think_s().map(|think| think + answer_s).filter(|s| *s > 0.0);
        let users = cycle.map_or(f64::NAN, |cycle| f64::from(users.value.0) / cycle);
        return [0.0, users * traffic.share, declared, 0.0];
    }
    let last = traffic.base_rate().unwrap_or(0.0);
    let top = traffic.top_rate().unwrap_or(0.0).max(declared);
    let breaker = arch.upstream(traffic.to.node).is_some_and(|p| p.circuit_breaker.is_some());
    let tries = if breaker { 1.0 } else { amplification::factor_of_clients(arch, traffic.to.node) };
    [last, 0.0, top.max(last), last * tries]
}
