//! Questions in the words of the domain, answered in document order.

use super::{Architecture, Edge, EndpointRef, Node, Service};
use crate::spec::vocabulary::Status;
use petgraph::Direction;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{BTreeSet, HashMap};

/// How a service and what it depends on are declared to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The service's own status.
    pub status: Status,
    /// Services it calls that are not declared healthy, in document order.
    pub troubled: Vec<NodeIndex>,
}

impl Architecture {
    /// Registers a node. An id that is taken is refused and given back.
    pub fn register(&mut self, node: Node) -> Result<NodeIndex, Box<Node>> {
        if self.ids.contains_key(&node.id.value) {
            return Err(Box::new(node));
        }
        let id = node.id.value.clone();
        let index = self.graph.add_node(node);
        self.ids.insert(id, index);
        Ok(index)
    }

    /// Adds a communication between two registered nodes.
    pub fn communicate(&mut self, from: NodeIndex, to: NodeIndex, edge: Edge) -> EdgeIndex {
        let ends = (edge.from_endpoint, edge.to_endpoint);
        let before = self.graph.edges_connecting(from, to).map(|e| e.weight());
        let twins = before.filter(|e| (e.from_endpoint, e.to_endpoint) == ends).count();
        self.twins.resize(self.graph.edge_count(), 0);
        self.twins.push(twins as u32);
        self.graph.add_edge(from, to, edge)
    }

    /// Counts call sites of the same ends, for [`Architecture::edge_id`].
    pub(super) fn number_twins(&mut self) {
        let mut seen = HashMap::new();
        let graph = &self.graph;
        let twins = graph.edge_references().map(|e| {
            let ends = (e.source(), e.target(), e.weight().from_endpoint, e.weight().to_endpoint);
            let count = seen.entry(ends).or_insert(0);
            *count += 1;
            *count - 1
        });
        self.twins = twins.collect();
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        self.graph.node_indices().map(|i| (i, &self.graph[i]))
    }

    /// All services, external ones included.
    pub fn services(&self) -> impl Iterator<Item = (NodeIndex, &Node, &Service)> {
        self.nodes().filter_map(|(i, n)| n.service().map(|s| (i, n, s)))
    }

    /// The first service people call by this name: its title, else its id.
    pub fn service_named(&self, name: &str) -> Option<NodeIndex> {
        let titled = self.services().find(|(_, _, s)| s.title.as_deref() == Some(name)).map(|(i, ..)| i);
        titled.or_else(|| self.find(name).filter(|i| self.graph[*i].service().is_some()))
    }

    /// All endpoints and handlers.
    pub fn endpoints(&self) -> impl Iterator<Item = EndpointRef> {
        self.services().flat_map(|(service, _, s)| {
            (0..s.endpoints.len()).map(move |endpoint| EndpointRef { service, endpoint })
        })
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeIndex, &Edge)> {
        self.graph.edge_indices().map(|i| (i, &self.graph[i]))
    }

    /// Everyone who owns something.
    pub fn owners(&self) -> BTreeSet<&str> {
        self.nodes().filter_map(|(_, n)| n.owner.as_ref()).map(|o| o.value.as_str()).collect()
    }

    /// The edges that leave a node.
    pub fn outgoing(&self, node: NodeIndex) -> Vec<EdgeIndex> {
        self.at(node, Direction::Outgoing)
    }

    /// The edges that enter a node.
    pub fn incoming(&self, node: NodeIndex) -> Vec<EdgeIndex> {
        self.at(node, Direction::Incoming)
    }

    fn at(&self, node: NodeIndex, direction: Direction) -> Vec<EdgeIndex> {
        let mut edges: Vec<_> = self.graph.edges_directed(node, direction).map(|e| e.id()).collect();
        edges.reverse();
        edges
    }

    /// What a node depends on, each once: G as name → dependencies.
    pub fn dependencies(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let all: BTreeSet<_> = self.graph.neighbors_directed(node, Direction::Outgoing).collect();
        all.into_iter().collect()
    }

    /// What depends on a node, each once.
    pub fn dependents(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let all: BTreeSet<_> = self.graph.neighbors_directed(node, Direction::Incoming).collect();
        all.into_iter().collect()
    }

    /// How a service is declared to be, and which of the services it calls are in trouble.
    pub fn health(&self, node: NodeIndex) -> Option<Health> {
        let status = |s: &Service| s.status.map(|s| s.value).unwrap_or_default();
        let own = status(self.graph[node].service()?);
        let troubled = self.dependencies(node).into_iter();
        let troubled =
            troubled.filter(|d| self.graph[*d].service().is_some_and(|s| status(s) != Status::Healthy));
        Some(Health { status: own, troubled: troubled.collect() })
    }

    /// Endpoints that traffic from outside enters: those of `traffic`, else those marked public or of a
    /// public service, else those that nobody calls.
    pub fn entry_points(&self) -> Vec<EndpointRef> {
        let named: BTreeSet<_> = self.traffic.iter().filter_map(|t| t.to.endpoint_ref()).collect();
        if !named.is_empty() {
            return named.into_iter().collect();
        }
        let public = self.endpoints().filter(|at| self.is_public(*at)).collect::<Vec<_>>();
        if !public.is_empty() {
            return public;
        }
        let called = self
            .graph
            .edge_references()
            .filter_map(|e| Some(EndpointRef { service: e.target(), endpoint: e.weight().to_endpoint? }));
        let mut called: Vec<_> = called.collect();
        called.sort_unstable();
        self.endpoints().filter(|at| called.binary_search(at).is_err()).collect()
    }

    /// Whether an endpoint is declared open to anyone: by itself, else by its service.
    pub fn is_public(&self, at: EndpointRef) -> bool {
        let own = self.endpoint(at).and_then(|e| e.exposure);
        let exposure = own.or_else(|| self.graph[at.service].service().and_then(|s| s.exposure));
        let handler = self.endpoint(at).is_some_and(|e| e.consumes.is_some());
        !handler && exposure.is_some_and(|e| e.value == crate::spec::vocabulary::Exposure::Public)
    }
}
