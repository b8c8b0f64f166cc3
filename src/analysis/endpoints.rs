//! The graph of endpoints: who calls whom while a request is waiting.

use super::cycles::{Component, components};
use crate::model::{Architecture, EndpointRef, Fallback, Step, edges_of};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Where a request stops on its way: an endpoint or handler; or a service of which no endpoint is named, and
/// then what all of its endpoints do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stop {
    /// The service.
    pub service: NodeIndex,
    /// Index into its endpoints.
    pub endpoint: Option<usize>,
}

impl Stop {
    /// The endpoint, where it is one.
    pub fn at(self) -> Option<EndpointRef> {
        self.endpoint.map(|endpoint| EndpointRef { service: self.service, endpoint })
    }

    /// Its name as a call writes it: `cart GET /cart/{id}`, or `cart`.
    pub fn id(self, arch: &Architecture) -> String {
        self.at().map_or_else(|| arch.id(self.service).to_owned(), |at| arch.endpoint_id(at))
    }

    /// What is done there, in order.
    pub fn steps(self, arch: &Architecture) -> Cow<'_, [Step]> {
        if let Some(at) = self.at() {
            return arch.endpoint(at).map_or(Cow::Borrowed(&[]), |e| Cow::Borrowed(&e.steps));
        }
        let common = arch.graph[self.service].service().map(|s| &s.common);
        Cow::Owned(common.into_iter().flatten().map(|e| Step::Edge(*e)).collect())
    }
}

impl From<EndpointRef> for Stop {
    fn from(at: EndpointRef) -> Self {
        Self { service: at.service, endpoint: Some(at.endpoint) }
    }
}

/// Endpoints, handlers and services called as a whole as nodes; synchronous calls, what stands in for them
/// included, as edges, each with the edge of the architecture it stands for.
#[derive(Debug, Clone, Default)]
pub struct EndpointGraph {
    /// The graph: first the endpoints in document order, then the services.
    pub graph: DiGraph<Stop, EdgeIndex>,
    /// For each node of the architecture its first endpoint here, how many it has, and itself as a whole.
    index: Vec<Option<(usize, usize, NodeIndex)>>,
    order: OnceLock<Order>,
    loops: OnceLock<Vec<Component>>,
}

/// In which order a request's way can be added up.
#[derive(Debug, Clone)]
struct Order {
    callees_first: Vec<NodeIndex>,
    /// The loop each node is on, if it is on one.
    group: Vec<Option<usize>>,
}

impl EndpointGraph {
    /// Walks every script once. Linear in steps.
    pub fn of(arch: &Architecture) -> Self {
        let mut this = Self::default();
        let mut firsts = Vec::new();
        for (service, _, data) in arch.services() {
            let count = data.endpoints.len();
            firsts.push((service, this.graph.node_count(), count));
            for endpoint in 0..count {
                this.graph.add_node(EndpointRef { service, endpoint }.into());
            }
        }
        this.index = vec![None; arch.graph.node_count()];
        for (service, first, count) in firsts {
            let whole = this.graph.add_node(Stop { service, endpoint: None });
            this.index[service.index()] = Some((first, count, whole));
        }
        for from in this.graph.node_indices() {
            edges_of(&this.graph[from].steps(arch), &mut |edge| {
                for edge in with_stand_ins(arch, edge) {
                    this.connect(arch, from, edge);
                }
            });
        }
        this
    }

    fn connect(&mut self, arch: &Architecture, from: NodeIndex, edge: EdgeIndex) {
        let call = &arch.graph[edge];
        let to = Stop { service: arch.ends(edge).1, endpoint: call.to_endpoint };
        if let Some(to) = self.stop(to).filter(|_| call.is_sync_call()) {
            self.graph.add_edge(from, to, edge);
        }
    }

    /// The node of an endpoint or of a whole service.
    pub fn stop(&self, stop: Stop) -> Option<NodeIndex> {
        let (first, count, whole) = (*self.index.get(stop.service.index())?)?;
        match stop.endpoint {
            None => Some(whole),
            Some(endpoint) => (endpoint < count).then(|| NodeIndex::new(first + endpoint)),
        }
    }

    /// Groups of endpoints through which a request can come back to itself: by calls that name both their
    /// endpoints. (A call of a whole service may be made by another endpoint than the one on the way.)
    pub fn loops(&self, arch: &Architecture) -> &[Component] {
        self.loops.get_or_init(|| self.loops_past(arch, |_| true))
    }

    /// Those of [`EndpointGraph::loops`] that pass no endpoint whose recursion is bounded, and do not end.
    pub fn endless_loops(&self, arch: &Architecture) -> Vec<Component> {
        let ends = |at| arch.endpoint(at).is_some_and(|e| e.max_recursion.is_some());
        if !arch.endpoints().any(ends) {
            return self.loops(arch).to_vec();
        }
        self.loops_past(arch, |at| !ends(at))
    }

    fn loops_past(&self, arch: &Architecture, pass: impl Fn(EndpointRef) -> bool) -> Vec<Component> {
        let passes = |node: NodeIndex| self.graph[node].at().is_some_and(&pass);
        components(&self.graph, |e| {
            let named = arch.graph[self.graph[e]].from_endpoint.is_some();
            let ends = self.graph.edge_endpoints(e);
            named && ends.is_some_and(|(from, to)| passes(from) && passes(to))
        })
    }

    /// The calls made at a node, in the order of its script.
    pub fn calls(&self, node: NodeIndex) -> Vec<(EdgeIndex, NodeIndex)> {
        use petgraph::visit::EdgeRef;
        let mut calls: Vec<_> = self.graph.edges(node).map(|e| (*e.weight(), e.target())).collect();
        calls.reverse();
        calls
    }

    /// The calls of a node and the nodes they come from, each call once, in document order.
    pub fn callers(&self, node: NodeIndex) -> Vec<(EdgeIndex, NodeIndex)> {
        use petgraph::visit::EdgeRef;
        let calls = self.graph.edges_directed(node, petgraph::Direction::Incoming);
        let mut calls: Vec<_> = calls.map(|e| (*e.weight(), e.source())).collect();
        calls.sort_unstable();
        // A call that all endpoints make comes from each of them.
        calls.dedup_by_key(|(call, _)| *call);
        calls
    }

    /// Every node with those it calls before it, loops aside.
    pub fn callees_first(&self) -> &[NodeIndex] {
        &self.order().callees_first
    }

    /// Whether a call between two nodes is part of a loop: sums along a way leave it out.
    pub fn is_on_loop(&self, from: NodeIndex, to: NodeIndex) -> bool {
        let group = |n: NodeIndex| self.order().group.get(n.index()).copied().flatten();
        group(from).is_some() && group(from) == group(to)
    }

    fn order(&self) -> &Order {
        self.order.get_or_init(|| {
            let mut callees_first = Vec::with_capacity(self.graph.node_count());
            // Depth first on an explicit stack.
            let mut visit = petgraph::visit::DfsPostOrder::empty(&self.graph);
            for node in self.graph.node_indices() {
                visit.move_to(node);
                while let Some(done) = visit.next(&self.graph) {
                    callees_first.push(done);
                }
            }
            let mut group = vec![None; self.graph.node_count()];
            for (i, component) in components(&self.graph, |_| true).iter().enumerate() {
                for node in &component.nodes {
                    if let Some(group) = group.get_mut(node.index()) {
                        *group = Some(i);
                    }
                }
            }
            Order { callees_first, group }
        })
    }
}

/// A call, what stands in when it fails, what stands in for that, and so on.
pub fn with_stand_ins(arch: &Architecture, edge: EdgeIndex) -> impl Iterator<Item = EdgeIndex> {
    // Each stands inside the one before it in the text, which is not endlessly deep.
    std::iter::successors(Some(edge), |edge| match arch.graph[*edge].fallback.as_ref()?.value {
        Fallback::Call(other) => Some(other),
        _ => None,
    })
    .take(64)
}
