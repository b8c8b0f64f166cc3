//! The graph of endpoints: who calls whom while a request is waiting.

use super::cycles::{Component, components};
use crate::model::{Architecture, EndpointRef, edges_of};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};

/// Endpoints and handlers as nodes; synchronous calls whose target endpoint is known as edges, each with
/// the edge of the architecture it stands for.
#[derive(Debug, Clone, Default)]
pub struct EndpointGraph {
    /// The graph, in document order.
    pub graph: DiGraph<EndpointRef, EdgeIndex>,
    /// For each node of the architecture its first endpoint here, and how many it has.
    index: Vec<(usize, usize)>,
}

impl EndpointGraph {
    /// Walks every script once. Linear in steps.
    pub fn of(arch: &Architecture) -> Self {
        let mut this = Self::default();
        this.index = vec![(0, 0); arch.graph.node_count()];
        for (service, _, data) in arch.services() {
            this.index[service.index()] = (this.graph.node_count(), data.endpoints.len());
            for endpoint in 0..data.endpoints.len() {
                this.graph.add_node(EndpointRef { service, endpoint });
            }
        }
        for at in arch.endpoints() {
            let (Some(from), Some(endpoint)) = (this.node(at), arch.endpoint(at)) else { continue };
            edges_of(&endpoint.steps, &mut |edge| {
                let call = &arch.graph[edge];
                let fallback = match &call.fallback {
                    Some(f) => match f.value {
                        crate::model::Fallback::Call(other) => Some(other),
                        _ => None,
                    },
                    None => None,
                };
                for edge in std::iter::once(edge).chain(fallback) {
                    this.connect(arch, from, edge);
                }
            });
        }
        this
    }

    fn connect(&mut self, arch: &Architecture, from: NodeIndex, edge: EdgeIndex) {
        let call = &arch.graph[edge];
        let Some(endpoint) = call.to_endpoint.filter(|_| call.is_sync_call()) else { return };
        let to = EndpointRef { service: arch.ends(edge).1, endpoint };
        if let Some(to) = self.node(to) {
            self.graph.add_edge(from, to, edge);
        }
    }

    /// The node of an endpoint.
    pub fn node(&self, at: EndpointRef) -> Option<NodeIndex> {
        let (first, count) = self.index.get(at.service.index())?;
        (at.endpoint < *count).then(|| NodeIndex::new(first + at.endpoint))
    }

    /// Groups of endpoints through which a request can come back to itself: by calls that name both their
    /// endpoints. (A call of a whole service may be made by another endpoint than the one on the way.)
    pub fn loops(&self, arch: &Architecture) -> Vec<Component> {
        self.loops_past(arch, |_| true)
    }

    /// Those of [`EndpointGraph::loops`] that pass no endpoint whose recursion is bounded, and do not end.
    pub fn endless_loops(&self, arch: &Architecture) -> Vec<Component> {
        self.loops_past(arch, |at| arch.endpoint(at).is_none_or(|e| e.max_recursion.is_none()))
    }

    fn loops_past(&self, arch: &Architecture, pass: impl Fn(EndpointRef) -> bool) -> Vec<Component> {
        components(&self.graph, |e| {
            let named = arch.graph[self.graph[e]].from_endpoint.is_some();
            let ends = self.graph.edge_endpoints(e);
            named && ends.is_some_and(|(from, to)| pass(self.graph[from]) && pass(self.graph[to]))
        })
    }

    /// The calls an endpoint makes, in the order of its script.
    pub fn calls(&self, node: NodeIndex) -> Vec<(EdgeIndex, NodeIndex)> {
        use petgraph::visit::EdgeRef;
        let mut calls: Vec<_> = self.graph.edges(node).map(|e| (*e.weight(), e.target())).collect();
        calls.reverse();
        calls
    }
}
