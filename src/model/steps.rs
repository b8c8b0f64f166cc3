//! From what endpoints do to edges of the graph.

use super::build::{Building, Written};
use super::edge::Fallback;
use super::node::Step;
use super::resolve::{self, Want, Who};
use super::{Edge, EdgeKind, Evidence, NodeKind};
use crate::finding::Finding;
use crate::source::Spanned;
use crate::spec::scalar::Positive;
use crate::spec::units::Share;
use crate::spec::vocabulary as spec;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::borrow::Cow;
use std::fmt::Display;

/// The endpoint a target names; `None` where it stands for the whole service.
pub(super) type EndpointChoice = Option<usize>;

/// Who makes a call: a service, one of its endpoints or all of them, and what findings call it.
pub(super) struct Caller<'c> {
    pub node: NodeIndex,
    pub endpoint: Option<usize>,
    pub home: usize,
    pub who: &'c dyn Display,
}

impl Building<'_> {
    /// The calls of every endpoint and handler of a service, and its plain dependencies.
    pub(super) fn calls(&mut self, node: NodeIndex) {
        let Some(Written { home, id, service }) = self.written(node) else { return };
        let endpoints = service.endpoints.iter().flat_map(|e| e.0.iter().map(|(n, e)| (n, e.calls.as_ref())));
        // What is consumed of a channel nobody defines has no handler.
        let defined = |name: &Spanned<String>| {
            self.arch.find(name).is_some_and(|node| Want::Channel.fits(&self.arch.graph[node]))
        };
        let handlers = service.consumes.iter().flat_map(|c| c.0.iter()).filter(|(name, _)| defined(name));
        let handlers = handlers.map(|(name, consume)| (name, consume.calls.as_ref()));
        let all: Vec<_> = endpoints.chain(handlers).collect();
        for (endpoint, (name, script)) in all.into_iter().enumerate() {
            let who = Who { id, endpoint: Some(name) };
            let caller = Caller { node, endpoint: Some(endpoint), home, who: &who };
            let steps = self.script(&caller, script.map_or(&[], |s| s.value.as_slice()));
            if let Some(endpoint) =
                self.arch.graph[node].service_mut().and_then(|s| s.endpoints.get_mut(endpoint))
            {
                endpoint.steps = steps;
            }
        }
        let caller = Caller { node, endpoint: None, home, who: &Who { id, endpoint: None } };
        for target in service.dependencies.iter().flat_map(|d| d.value.iter()) {
            self.dependency(&caller, target);
        }
    }

    fn script(&mut self, caller: &Caller<'_>, script: &[Spanned<spec::Step>]) -> Vec<Step> {
        script.iter().filter_map(|step| self.step(caller, step)).collect()
    }

    fn step(&mut self, caller: &Caller<'_>, step: &Spanned<spec::Step>) -> Option<Step> {
        match &step.value {
            spec::Step::Parallel(steps) => Some(Step::Parallel(self.script(caller, steps))),
            spec::Step::Work(work) => Some(Step::Work(*work)),
            spec::Step::Call(call) => {
                let edge = self.call(caller, call)?;
                self.arch.graph[edge].whole = step.span;
                Some(Step::Edge(edge))
            }
            spec::Step::Publish(publish) => {
                let target = publish.publish.as_ref()?;
                let to = self.resolve(target, Want::Channel, caller.who)?;
                let mut edge = Edge::new(EdgeKind::Publish, target.span, "publish");
                repeat(&mut edge, publish.probability, publish.times);
                edge.via.clone_from(&publish.via);
                edge.message.clone_from(&publish.r#type);
                Some(Step::Edge(self.connect(caller, to, edge)))
            }
            spec::Step::Data(data) => {
                let to = self.resolve(&data.datastore, Want::Datastore, caller.who)?;
                let (kind, source) =
                    if data.write { (EdgeKind::Write, "write") } else { (EdgeKind::Read, "read") };
                let mut edge = Edge::new(kind, data.datastore.span, source);
                repeat(&mut edge, data.probability, data.times);
                edge.optional = data.optional;
                Some(Step::Edge(self.connect(caller, to, edge)))
            }
        }
    }

    fn call(&mut self, caller: &Caller<'_>, call: &spec::Call) -> Option<EdgeIndex> {
        let target = call.call.as_ref()?;
        // What stands in may be wrong as well: it is looked at in any case.
        let fallback = self.fallback(caller, call.fallback.as_ref());
        let to = self.resolve(&target.service, Want::Service, caller.who)?;
        let mut edge = Edge::new(call_kind(&call.policy), target.span, "call");
        let target = self.routed(to, &target.value, call.policy.method.as_ref());
        edge.to_endpoint = self.endpoint(to, &target, caller.who)?;
        edge.policy.clone_from(&call.policy);
        edge.optional = call.optional;
        edge.fallback = fallback;
        repeat(&mut edge, call.probability, call.times);
        Some(self.connect(caller, to, edge))
    }

    pub(super) fn fallback(
        &mut self,
        caller: &Caller<'_>,
        fallback: Option<&Spanned<spec::Fallback>>,
    ) -> Option<Spanned<Fallback>> {
        let fallback = fallback?;
        let resolved = match &fallback.value {
            spec::Fallback::None => Fallback::None,
            spec::Fallback::Static => Fallback::Static,
            spec::Fallback::Cached => Fallback::Cached,
            spec::Fallback::Call(call) => {
                let edge = self.call(caller, call)?;
                if let Some(evidence) = self.arch.graph[edge].evidence.first_mut() {
                    evidence.source = "fallback".into();
                }
                Fallback::Call(edge)
            }
        };
        Some(Spanned::new(resolved, fallback.span))
    }

    /// `dependencies: [cart]`: an edge without detail, unless a call names the same target already.
    fn dependency(&mut self, caller: &Caller<'_>, target: &Spanned<spec::Target>) {
        let Some(to) = self.resolve(&target.service, Want::Any, caller.who) else { return };
        let Some(endpoint) = self.endpoint(to, &target.value, caller.who) else { return };
        let same = self.same_edges(caller, to, target.endpoint.as_ref().and(endpoint));
        let evidence = Evidence::new("dependencies", target.span);
        for edge in &same {
            self.arch.graph[*edge].evidence.push(evidence.clone());
        }
        if same.is_empty() {
            let mut edge = Edge::new(self.kind_to(to, &spec::Policy::default()), target.span, "dependencies");
            edge.to_endpoint = endpoint;
            let edge = self.connect(caller, to, edge);
            self.common(caller, edge);
        }
    }

    /// Edges that say the same: from the same endpoint (or any, where none is named) to the same target.
    pub(super) fn same_edges(
        &mut self,
        caller: &Caller<'_>,
        to: NodeIndex,
        endpoint: Option<usize>,
    ) -> Vec<EdgeIndex> {
        let from = caller.endpoint;
        self.edges_between(caller.node, to, |edge| {
            (from.is_none() || edge.from_endpoint == from)
                && (endpoint.is_none() || edge.to_endpoint == endpoint)
        })
    }

    /// Those of them that are wanted.
    pub(super) fn edges_between(
        &mut self,
        from: NodeIndex,
        to: NodeIndex,
        wanted: impl Fn(&Edge) -> bool,
    ) -> Vec<EdgeIndex> {
        self.between(from, to);
        let all = self.pairs.as_ref().and_then(|pairs| pairs.get(&(from, to)));
        let all = all.into_iter().flatten().copied();
        all.filter(|edge| wanted(&self.arch.graph[*edge])).collect()
    }

    pub(super) fn connect(&mut self, caller: &Caller<'_>, to: NodeIndex, mut edge: Edge) -> EdgeIndex {
        edge.from_endpoint = caller.endpoint;
        self.edge(caller.home, caller.node, to, edge)
    }

    /// Puts an edge behind the calls of its endpoint, or of all endpoints.
    pub(super) fn common(&mut self, caller: &Caller<'_>, edge: EdgeIndex) {
        let Some(service) = self.arch.graph[caller.node].service_mut() else { return };
        if let Some(endpoint) = caller.endpoint {
            if let Some(endpoint) = service.endpoints.get_mut(endpoint) {
                endpoint.steps.push(Step::Edge(edge));
            }
        } else {
            service.common.push(edge);
            for endpoint in service.endpoints.iter_mut().filter(|e| e.consumes.is_none()) {
                endpoint.steps.push(Step::Edge(edge));
            }
        }
    }

    pub(super) fn kind_to(&self, to: NodeIndex, policy: &spec::Policy) -> EdgeKind {
        match &self.arch.graph[to].kind {
            NodeKind::Service(_) => call_kind(policy),
            NodeKind::Datastore(_) => EdgeKind::Read,
            NodeKind::Queue(_) | NodeKind::Topic(_) => EdgeKind::Publish,
        }
    }

    /// The node of a name, or a finding.
    pub(super) fn resolve(
        &mut self,
        name: &Spanned<String>,
        want: Want,
        who: &dyn Display,
    ) -> Option<NodeIndex> {
        let found = resolve::node(&self.arch, &mut self.directory, name, want, who);
        self.noted(found)
    }

    /// The endpoint of a target, or a finding.
    pub(super) fn endpoint(
        &mut self,
        node: NodeIndex,
        target: &spec::Target,
        who: &dyn Display,
    ) -> Option<EndpointChoice> {
        let found = resolve::endpoint(&self.arch, &mut self.directory, node, target, who);
        self.noted(found)
    }

    /// A bare path with the method that is said beside it, where the service tells its methods apart.
    pub(super) fn routed<'t>(
        &self,
        node: NodeIndex,
        target: &'t spec::Target,
        method: Option<&Spanned<String>>,
    ) -> Cow<'t, spec::Target> {
        let bare = target.endpoint.as_ref().filter(|name| name.starts_with('/'));
        if let (Some(name), Some(method)) = (bare, method) {
            let whole = format!("{} {}", method.value, name.value);
            if self.arch.graph[node].service().is_some_and(|s| s.endpoint(&whole).is_some()) {
                let endpoint = Some(Spanned::new(whole, name.span));
                return Cow::Owned(spec::Target { endpoint, ..target.clone() });
            }
        }
        Cow::Borrowed(target)
    }

    /// The same, but a target without an endpoint stands for the whole service.
    pub(super) fn endpoint_named(
        &mut self,
        node: NodeIndex,
        target: &spec::Target,
        who: &dyn Display,
    ) -> Option<EndpointChoice> {
        if target.endpoint.is_none() { Some(None) } else { self.endpoint(node, target, who) }
    }

    fn noted<T>(&mut self, found: Result<T, Box<Finding>>) -> Option<T> {
        found.map_err(|finding| self.findings.push(*finding)).ok()
    }
}

pub(super) const fn call_kind(policy: &spec::Policy) -> EdgeKind {
    match &policy.protocol {
        Some(Spanned { value: spec::Protocol::MessageQueue | spec::Protocol::EventStream, .. }) => {
            EdgeKind::Publish
        }
        _ => EdgeKind::Call,
    }
}

pub(super) fn repeat(edge: &mut Edge, probability: Option<Spanned<Share>>, times: Option<Spanned<Positive>>) {
    edge.probability = probability.map_or(1.0, |p| p.fraction());
    edge.times = times.map_or(1, |t| t.value.0);
}
