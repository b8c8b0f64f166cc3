//! From the model and a scenario to a plan: names become places, what nobody said is assumed and named.

mod assume;
mod budget;
mod calls;
mod circles;
mod events;
mod limits;
mod load;
mod policies;
mod services;

use super::ids::{EdgeId, EndpointId, QueueId, ServiceId, UpstreamId};
use super::plan::{Caller, Discovery, Plan};
use crate::kernel::Span;
use crate::model::words::Duration;
use crate::model::{Architecture, EndpointRef, Scenario, builtin};
use crate::policy::discovery::{CacheSettings, RegistrySettings};
use assume::Assumptions;
pub use budget::refuse;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// A plan with the way back to the architecture it was made of.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The scenario's name; `default` where the document has none.
    pub scenario: String,
    /// The plan.
    pub plan: Plan,
    /// What was assumed because nobody said it, a sentence each.
    pub assumed: Vec<String>,
    /// What the document says and this engine leaves out, a sentence each.
    pub left_out: Vec<String>,
    /// Whether something that should happen is left out: no expectation can be shown to hold then.
    pub incomplete: bool,
    /// For each of the plan's endpoints what it stands for; `None` for datastores and services without
    /// endpoints.
    pub endpoints: Vec<Option<EndpointRef>>,
    /// For each of the plan's edges what it stands for; `None` for the calls of traffic.
    pub edges: Vec<Option<EdgeIndex>>,
    /// For each of the plan's sources the service and endpoint it goes to.
    pub sources: Vec<(NodeIndex, Option<usize>)>,
}

/// Flattens an architecture under a scenario (`None`: the document's traffic and the built-in run).
///
/// # Errors
/// When there is no traffic, so that there is nothing to simulate, or when requests would call each other
/// without end; the sentence says what to do.
pub fn compile(arch: &Architecture, scenario: Option<&Scenario>) -> Result<Compiled, String> {
    let duration = |own: Option<Duration>, else_: Duration| span(own.unwrap_or(else_));
    let written = scenario.map(|s| &s.written);
    let length = duration(written.and_then(|w| w.duration).map(|d| d.value), builtin::DURATION);
    let mut warm_up = duration(written.and_then(|w| w.warm_up).map(|d| d.value), builtin::WARM_UP);
    if warm_up >= length {
        // Beside a written duration a written warm-up was checked.
        if written.is_some_and(|w| w.warm_up.is_some()) {
            return Err(format!(
                "a warm_up of {warm_up} leaves nothing of the {length} that are simulated: add a longer `duration`"
            ));
        }
        warm_up = length.scaled(0.1);
    }
    let mut compiler = Compiler {
        arch,
        plan: Plan::new(warm_up, length),
        services: BTreeMap::new(),
        queues: BTreeMap::new(),
        spans: BTreeMap::new(),
        edges: BTreeMap::new(),
        zones: Vec::new(),
        upstreams: BTreeMap::new(),
        assumptions: Assumptions::default(),
        endpoint_refs: Vec::new(),
        edge_refs: Vec::new(),
        sources: Vec::new(),
        source_names: BTreeSet::new(),
        network: Span::from_seconds(arch.network_latency_s),
        incomplete: false,
    };
    compiler.discovery();
    compiler.services();
    compiler.calls();
    compiler.scripts();
    circles::refuse(&compiler.plan)?;
    compiler.traffic(scenario)?;
    compiler.keys();
    refuse(&compiler.plan)?;
    compiler.events(scenario);
    compiler.not_simulated();
    Ok(compiler.finish(scenario))
}

/// The work in progress.
struct Compiler<'a> {
    arch: &'a Architecture,
    plan: Plan,
    services: BTreeMap<NodeIndex, ServiceId>,
    queues: BTreeMap<NodeIndex, QueueId>,
    /// For each node that answers, its first endpoint in the plan, how many can be called, how many in all.
    spans: BTreeMap<NodeIndex, EndpointSpan>,
    edges: BTreeMap<EdgeIndex, EdgeId>,
    zones: Vec<String>,
    /// For each caller and callee the ways they are balanced.
    upstreams: BTreeMap<(Side, ServiceId), Vec<UpstreamId>>,
    assumptions: Assumptions,
    endpoint_refs: Vec<Option<EndpointRef>>,
    edge_refs: Vec<Option<EdgeIndex>>,
    sources: Vec<(NodeIndex, Option<usize>)>,
    source_names: BTreeSet<String>,
    network: Span,
    incomplete: bool,
}

/// The endpoints of one node in the plan; those that can be called come first.
#[derive(Debug, Clone, Copy)]
struct EndpointSpan {
    first: u32,
    callable: u32,
    /// 1 where an endpoint without a name stands before the handlers, since nothing else can be called.
    unnamed: u32,
}

/// A caller, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Service(u32),
    Source(u32),
}

impl From<Caller> for Side {
    fn from(caller: Caller) -> Self {
        match caller {
            Caller::Service(service) => Self::Service(service.0),
            Caller::Source(source) => Self::Source(source.0),
        }
    }
}

impl Compiler<'_> {
    /// The plan's endpoint of an endpoint of the model.
    fn endpoint(&self, at: EndpointRef) -> Option<EndpointId> {
        self.spans.get(&at.service).map(|span| EndpointId(span.first + span.unnamed + at.endpoint as u32))
    }

    /// The registry that the document describes, if it does. A lease is as long as it says.
    fn discovery(&mut self) {
        let Some(written) = &self.arch.discovery else { return };
        let of = |said: Option<Duration>, other| {
            said.map_or(Span::from_secs(other), span).max(Span::from_millis(1))
        };
        let [lease, sweep, heartbeat, ttl] =
            [written.lease, written.sweep, written.heartbeat, written.client_cache_ttl]
                .map(|s| s.map(|s| s.value));
        self.plan.discovery = Some(Discovery {
            registry: RegistrySettings::plain(of(lease, 90), of(sweep, 60)),
            heartbeat: of(heartbeat, 30),
            cache: CacheSettings { ttl: of(ttl, 30), ..CacheSettings::default() },
        });
    }

    /// What is read and not simulated, and stands at no single call.
    fn not_simulated(&mut self) {
        if let Some(mesh) = &self.arch.mesh {
            let says = mesh.retry.is_some() || mesh.timeout.is_some();
            if says {
                self.assumptions.leaves_out("retries and timeouts of a mesh are not simulated yet", "mesh");
            }
        }
        for (_, node) in self.arch.nodes() {
            let id = node.id.value.as_str();
            let handlers = node
                .service()
                .into_iter()
                .flat_map(|s| s.endpoints.iter())
                .filter_map(|e| e.consumes.as_ref());
            for handler in handlers {
                if handler.settings.types.is_some() {
                    self.assumptions.leaves_out("types of messages are not told apart yet", id);
                }
            }
        }
    }

    fn finish(self, scenario: Option<&Scenario>) -> Compiled {
        Compiled {
            scenario: scenario.map_or_else(|| "default".to_owned(), |s| s.name.value.clone()),
            assumed: self.assumptions.assumed(),
            left_out: self.assumptions.left_out(),
            incomplete: self.incomplete,
            plan: self.plan,
            endpoints: self.endpoint_refs,
            edges: self.edge_refs,
            sources: self.sources,
        }
    }
}

/// A document's duration as the engine counts time.
const fn span(duration: Duration) -> Span {
    Span::from_nanos(duration.0)
}
