//! Calls with their policies.

use super::super::ids::{BreakerId, EdgeId, EndpointId, UpstreamId};
use super::super::plan::{BreakerPlan, Caller, Cancellation, Edge, Fallback, Retry, Target};
use super::super::probe::CauseSet;
use super::limits::hedging;
use super::policies::{consecutive_breaker, rate_breaker, settings};
use super::{Compiler, Side, span};
use crate::kernel::Span;
use crate::model::words as spec;
use crate::model::words::Duration;
use crate::model::{self, EdgeKind, builtin};
use crate::policy::balancer;
use crate::policy::retry::{Backoff, Jitter};
use petgraph::graph::{EdgeIndex, NodeIndex};

impl Compiler<'_> {
    /// Every call and every access to a datastore that takes time.
    pub(super) fn calls(&mut self) {
        for (index, edge) in self.arch.edges() {
            let (from, to) = self.arch.ends(index);
            let asks = matches!(edge.kind, EdgeKind::Call | EdgeKind::Read | EdgeKind::Write);
            let (Some(caller), true) = (self.services.get(&from).copied(), asks) else { continue };
            let name = self.arch.edge_id(index);
            if let Some(id) = self.call(&name, Caller::Service(caller), to, edge) {
                self.edges.insert(index, id);
                self.edge_refs.push(Some(index));
            }
        }
        // What stands in is a call of the same caller, known only now.
        for (index, id) in self.edges.clone() {
            self.plan.edges[id.index()].fallback = self.fallback(index);
        }
    }

    fn fallback(&self, edge: EdgeIndex) -> Fallback {
        match self.arch.graph[edge].fallback.as_ref().map(|f| f.value) {
            None | Some(model::Fallback::None) => Fallback::None,
            Some(model::Fallback::Static | model::Fallback::Cached) => Fallback::Answer,
            Some(model::Fallback::Call(other)) => {
                self.edges.get(&other).map_or(Fallback::None, |e| Fallback::Call(*e))
            }
        }
    }

    /// Adds a call from a service or a source to a node; `None` where the node does not answer.
    pub(super) fn call(
        &mut self,
        name: &str,
        caller: Caller,
        to: NodeIndex,
        edge: &model::Edge,
    ) -> Option<EdgeId> {
        let service = self.services.get(&to).copied()?;
        let endpoints = *self.spans.get(&to)?;
        let upstream = self.upstream(caller, to, &edge.policy)?;
        let first = EndpointId(endpoints.first);
        let target = match edge.to_endpoint {
            Some(endpoint) => Target::One(EndpointId(endpoints.first + endpoint as u32)),
            None if endpoints.callable == 1 => Target::One(first),
            None => {
                self.assumptions.asked("spread evenly over the endpoints|calls that name none", Some(name));
                Target::Spread { first, count: endpoints.callable }
            }
        };
        let mut call = Edge::new(name, target, upstream);
        call.latency_out = self.network;
        call.latency_back = self.network;
        call.latency_across = self.arch.between_zones_s.map(Span::from_seconds);
        call.loss = self.arch.network_loss;
        call.probability = edge.probability;
        call.times = edge.times;
        call.timeout = edge.timeout().map(|t| span(t.value));
        call.per_try_timeout = edge.per_try_timeout().map(|p| span(p.value));
        call.retry = retry(edge);
        call.optional = edge.optional.is_some_and(|o| o.value);
        call.cancellation = cancellation(&edge.policy);
        call.propagate_deadline = edge.policy.propagate_deadline.is_some_and(|p| p.value);
        call.breaker = self.breaker(name, caller, edge);
        call.breaker_counts_calls = edge
            .breaker()
            .and_then(|b| b.counts)
            .is_some_and(|counts| counts.value == spec::BreakerCounts::Calls);
        call.hedging = hedging(&edge.policy);
        debug_assert!(service.index() < self.plan.services.len());
        self.plan.edges.push(call);
        Some(EdgeId(self.plan.edges.len() as u32 - 1))
    }

    fn upstream(&mut self, caller: Caller, to: NodeIndex, policy: &spec::Policy) -> Option<UpstreamId> {
        let service = self.services.get(&to).copied()?;
        let balancing = policy.load_balancing.as_ref();
        let wanted = balancing.and_then(|b| b.policy.as_ref()).map(|p| p.value).unwrap_or_default();
        let found = balancer::find(wanted.word())?;
        let settings = settings(balancing.map(|b| &*b.value));
        let guards = Self::guards(policy);
        let key = (Side::from(caller), service);
        let siblings = self.upstreams.entry(key).or_default();
        let same = |id: &&UpstreamId| {
            let known = &self.plan.upstreams[id.index()];
            std::ptr::eq(known.balancer, found) && known.settings == settings && known.guards == guards
        };
        if let Some(known) = siblings.iter().find(same) {
            return Some(*known);
        }
        let caller_name = match caller {
            Caller::Service(service) => &self.plan.services[service.index()].name,
            Caller::Source(source) => &format!("traffic {}", source.0),
        };
        let further = match siblings.len() {
            0 => String::new(),
            n => format!(" by {} ({})", found.about.name, n + 1),
        };
        let name = format!("{caller_name} → {}{further}", self.plan.services[service.index()].name);
        let id = self.plan.add_upstream(&name, caller, service, found);
        self.plan.upstreams[id.index()].settings = settings;
        self.plan.upstreams[id.index()].guards = guards;
        siblings.push(id);
        Some(id)
    }

    fn breaker(&mut self, name: &str, caller: Caller, edge: &model::Edge) -> Option<BreakerId> {
        let written = edge.breaker()?;
        let preset = edge.policy.preset.map(|p| p.value);
        let ratio = written.failure_rate_threshold.is_some() || written.slow_call.is_some();
        let on_rates =
            ratio || (preset == Some(spec::Preset::Sentinel) && written.failure_threshold.is_none());
        if on_rates
            && matches!(preset, Some(spec::Preset::Polly | spec::Preset::Hystrix | spec::Preset::Sentinel))
        {
            let counted = written.window.as_ref().is_some_and(|w| w.calls.is_some());
            let probes =
                written.half_open.as_ref().and_then(|h| h.permitted_calls).is_some_and(|p| p.value.0 > 1);
            if written.slow_call.is_some() || counted || probes {
                let what = "slow calls, windows of calls and several probes are not simulated with this preset's breaker";
                self.assumptions.leaves_out(what, name);
            }
        }
        if on_rates && written.failure_threshold.is_some() {
            self.assumptions.leaves_out("slow calls beside failures in a row are not simulated", name);
            return None;
        }
        let settings = if on_rates { rate_breaker(written, preset) } else { consecutive_breaker(written) };
        self.plan.breakers.push(BreakerPlan { name: name.to_owned(), caller, settings });
        Some(BreakerId(self.plan.breakers.len() as u32 - 1))
    }
}

fn cancellation(policy: &spec::Policy) -> Cancellation {
    match policy.cancellation.map(|c| c.value).unwrap_or_default() {
        spec::Cancellation::None => Cancellation::None,
        spec::Cancellation::Queued => Cancellation::Queued,
        spec::Cancellation::All => Cancellation::All,
    }
}

fn retry(edge: &model::Edge) -> Retry {
    let (base, max) = edge.backoff().unwrap_or_else(|| {
        let off = edge.retry().and_then(|r| r.backoff.as_ref()).is_some_and(|b| b.value.on().is_none());
        let base = if off { Duration(0) } else { builtin::BACKOFF_BASE };
        (base, Duration(base.0 * 10))
    });
    let jitter = match edge.jitter() {
        spec::Jitter::None => Jitter::None,
        spec::Jitter::Full => Jitter::Full,
        spec::Jitter::Equal => Jitter::Equal,
        spec::Jitter::Decorrelated => Jitter::Decorrelated,
        spec::Jitter::Proportional => Jitter::Proportional,
        spec::Jitter::Truncated => Jitter::Truncated,
    };
    let hosts = edge.retry().and_then(|r| r.retry_host_predicate).map(|h| h.value).unwrap_or_default();
    let on = edge.retry().and_then(|r| r.retry_on.as_ref());
    let on =
        on.map_or(CauseSet::ALL, |list| list.iter().fold(CauseSet::NONE, |set, c| set.and(causes(c.value))));
    Retry {
        num_retries: edge.attempts() - 1,
        on,
        backoff: Backoff { base: span(base), max: span(max), jitter },
        avoids_tried: hosts == spec::RetryHosts::PreviousHosts,
    }
}

const fn causes(condition: spec::RetryCondition) -> CauseSet {
    match condition {
        spec::RetryCondition::ServerError | spec::RetryCondition::Unavailable => CauseSet::SERVER_ERRORS,
        spec::RetryCondition::ConnectFailure => CauseSet::CONNECT_FAILURE,
        spec::RetryCondition::Timeout => CauseSet::TIMEOUT,
        spec::RetryCondition::Reset => CauseSet::RESET,
        spec::RetryCondition::RateLimited => CauseSet::RATE_LIMITED,
        // Answers of this kind do not occur in a simulation.
        spec::RetryCondition::Retriable => CauseSet::NONE,
    }
}
