//! What the documents mean: a petgraph of services, datastores, queues and topics, with communications as
//! edges, endpoints resolved and defaults filled in with their origin kept.
//!
//! Owns names and their resolution, the layers of defaults, and queries in the words of the domain, all in
//! document order. Must not judge: that is `lint`'s, on the arithmetic of `analysis`.

mod aliases;
mod build;
pub mod builtin;
mod communications;
mod edge;
mod latency;
mod layers;
mod node;
mod queries;
mod resolve;
mod routes;
pub mod rules;
mod scenario;
mod steps;

pub use build::{Building, build, from_text};
pub use edge::{Edge, EdgeKind, Evidence, Fallback};
pub use latency::{distribution, p99};
pub use layers::Origin;
pub use node::{Consumption, Endpoint, Node, NodeKind, Service, Step, edges_of};
pub use queries::Health;
pub use scenario::{Burst, Expected, Happening, Scenario, TargetRef, Traffic, bursts};

/// The words and quantities of a document that mean the same in the model: what stands below the model
/// takes them from here and need not know how they are written.
pub mod words {
    pub use crate::spec::Switch;
    pub use crate::spec::facts::facts;
    pub use crate::spec::units::{Duration, Rate, Share};
    pub use crate::spec::vocabulary::{
        AdaptiveLimit, Arrivals, Autoscaling, Balancing, BreakerCounts, Bulkhead, Cancellation,
        CircuitBreaker, ConnectionLimits, Contract, DatastoreKind, Event, Expectation, Exposure, Interpolate,
        Jitter, Latency, LatencyDistribution, Level, LimitAlgorithm, LintSettings, Metric, Operator,
        OutlierDetection, Policy, Preset, Protocol, QueueDiscipline, RateLimit, RateProfile, Retry,
        RetryBudget, RetryCondition, RetryHosts, RuleSettings, ServiceKind, Slo, Status, Texts, ThinkTime,
        Traffic, WarmUp,
    };
}

use crate::source::Spanned;
use crate::spec::vocabulary as spec;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use std::collections::HashMap;

/// The architecture: a graph G = (S, E) with everything that is known of it.
#[derive(Debug, Clone, Default)]
pub struct Architecture {
    /// Of the system.
    pub name: Option<Spanned<String>>,
    /// Nodes and edges, both in document order. petgraph lists neighbours the other way round: use the
    /// queries of this type.
    pub graph: DiGraph<Node, Edge>,
    /// Requests from outside.
    pub traffic: Vec<Traffic>,
    /// What is tried, in document order.
    pub scenarios: Vec<Scenario>,
    /// One-way latency between instances, in seconds.
    pub network_latency_s: f64,
    /// One-way latency between zones, in seconds, where another is said.
    pub between_zones_s: Option<f64>,
    /// Share of messages that are lost.
    pub network_loss: f64,
    /// How callers learn where instances are.
    pub discovery: Option<Spanned<spec::Discovery>>,
    /// What is recorded of a simulation.
    pub monitoring: Option<Spanned<spec::Monitoring>>,
    /// A proxy's own policies.
    pub mesh: Option<Spanned<spec::Mesh>>,
    /// What the linter is told (of the root files).
    pub lint: spec::LintSettings,
    /// Where values that were not said at their place come from.
    pub layers: layers::Layers,
    upstreams: HashMap<NodeIndex, spec::Policy>,
    ids: HashMap<String, NodeIndex>,
    aliases: HashMap<String, String>,
    /// For each edge of a built architecture, how many before it have the same ends.
    twins: Vec<u32>,
}

/// An endpoint or handler: a service and an index into its endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointRef {
    /// The service.
    pub service: NodeIndex,
    /// Index into [`Service::endpoints`].
    pub endpoint: usize,
}

impl Architecture {
    /// The id of a node.
    pub fn id(&self, node: NodeIndex) -> &str {
        &self.graph[node].id.value
    }

    /// The node of an id or an alias.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        let known = self.ids.get(id).or_else(|| self.ids.get(self.aliases.get(id)?));
        known.copied()
    }

    /// How callers reach a service, as `upstreams` says.
    pub fn upstream(&self, service: NodeIndex) -> Option<&spec::Policy> {
        self.upstreams.get(&service)
    }

    /// Both ends of an edge.
    pub fn ends(&self, edge: EdgeIndex) -> (NodeIndex, NodeIndex) {
        self.graph.edge_endpoints(edge).unwrap_or_default()
    }

    /// The name of an endpoint, `service endpoint`, as a call writes it.
    pub fn endpoint_id(&self, at: EndpointRef) -> String {
        let endpoint = self.endpoint(at).map(|e| e.name.value.as_str()).unwrap_or_default();
        format!("{} {endpoint}", self.id(at.service))
    }

    /// The endpoint itself.
    pub fn endpoint(&self, at: EndpointRef) -> Option<&Endpoint> {
        self.graph[at.service].service()?.endpoints.get(at.endpoint)
    }

    /// The id of an edge: `web GET / → cart GET /cart/{id}`, with `#2` for further call sites of the same.
    pub fn edge_id(&self, edge: EdgeIndex) -> String {
        let label = self.edge_label(edge);
        match self.twins.get(edge.index()) {
            None | Some(0) => label,
            Some(before) => format!("{label} #{}", before + 1),
        }
    }

    /// The id of an edge without what tells call sites of the same apart.
    pub fn edge_label(&self, edge: EdgeIndex) -> String {
        let (from, to) = self.ends(edge);
        let data = &self.graph[edge];
        let side = |node: NodeIndex, endpoint: Option<usize>| match endpoint {
            Some(endpoint) => self.endpoint_id(EndpointRef { service: node, endpoint }),
            None => self.id(node).to_owned(),
        };
        let (from_endpoint, to_endpoint) = (data.from_endpoint, data.to_endpoint);
        format!("{} → {}", side(from, from_endpoint), side(to, to_endpoint))
    }
}
