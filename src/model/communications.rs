//! From the edges that are listed on their own to edges of the graph: each is one that stands already, or new.

use super::build::Building;
use super::node::Step;
use super::resolve::Want;
use super::steps::{Caller, call_kind, repeat};
use super::{Edge, EdgeKind, Evidence};
use crate::finding::Finding;
use crate::source::Spanned;
use crate::spec::rules::INVALID_VALUE;
use crate::spec::vocabulary as spec;
use crate::spec::{Decode, Switch};
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

impl Building<'_> {
    /// The edges listed on their own in one document.
    pub(super) fn communications(&mut self, home: usize) {
        let Some(file) = self.documents.get(home) else { return };
        for (i, communication) in file.document.communications.iter().flat_map(|c| c.value.iter()).enumerate()
        {
            let telemetry = communication.telemetry.is_some_and(|t| t.value);
            let own = || {
                let all = communication.to.iter().map(|to| Evidence::new("communications", to.span));
                all.map(|evidence| Evidence { telemetry, ..evidence })
            };
            let imported = file.imported.as_ref().map(|all| all.get(i).cloned().unwrap_or_default());
            let evidence = imported.unwrap_or_else(|| own().collect());
            self.communication(home, communication, evidence);
        }
    }

    fn communication(
        &mut self,
        home: usize,
        written: &Spanned<spec::Communication>,
        evidence: Vec<Evidence>,
    ) {
        let (Some(from), Some(to)) = (&written.from, &written.to) else { return };
        let who = format!("`{}`", from.value);
        let node = self.resolve(&from.service, Want::Any, &"a communication");
        let endpoint = node.and_then(|node| self.endpoint_named(node, &from.value, &"a communication"));
        let to_node = self.resolve(&to.service, Want::Any, &who);
        let target = named_target(written, to);
        let target = match to_node {
            Some(node) => self.routed(node, &target, written.policy.method.as_ref()),
            None => Cow::Borrowed(&target),
        };
        let to_endpoint = to_node.and_then(|node| self.endpoint(node, &target, &who));
        let (Some(node), Some(endpoint), Some(to_node), Some(to_endpoint)) =
            (node, endpoint, to_node, to_endpoint)
        else {
            return;
        };
        if self.arch.graph[node].is_channel() {
            return self.consumer_edge(home, node, to_node, written);
        }
        let caller = Caller { node, endpoint, home, who: &who };
        let fallback = self.fallback(&caller, written.fallback.as_ref());
        let policy = origin_policy(written);
        let mut same = self.same_edges(&caller, to_node, target.endpoint.as_ref().and(to_endpoint));
        if same.is_empty() {
            same = self.bare_edges(&caller, to_node);
        }
        if same.is_empty() {
            same.extend(self.narrowed(&caller, to_node, to_endpoint));
        }
        for edge in &same {
            let edge = &mut self.arch.graph[*edge];
            edge.to_endpoint = edge.to_endpoint.or(to_endpoint);
            edge.policy.fill(&policy);
            edge.optional = edge.optional.or(written.optional);
            edge.fallback = edge.fallback.or(fallback);
            if edge.probability >= 1.0 && edge.times == 1 {
                repeat(edge, written.probability, written.times);
            }
            // A protocol that is not waited for makes a message of the call.
            if edge.kind == EdgeKind::Call {
                edge.kind = call_kind(&edge.policy);
            }
            edge.evidence.extend(evidence.iter().cloned());
        }
        if !same.is_empty() {
            return;
        }
        let mut edge = Edge::new(self.kind_to(to_node, &policy), to.span, "communications");
        edge.evidence = evidence;
        edge.whole = written.span;
        edge.to_endpoint = to_endpoint;
        edge.policy = policy;
        edge.optional = written.optional;
        edge.fallback = fallback;
        repeat(&mut edge, written.probability, written.times);
        let edge = self.connect(&caller, to_node, edge);
        self.common(&caller, edge);
    }

    /// A communication from a queue or topic: a service handles its messages.
    fn consumer_edge(
        &mut self,
        home: usize,
        from: NodeIndex,
        to: NodeIndex,
        written: &Spanned<spec::Communication>,
    ) {
        let (Some(source), Some(target)) = (&written.from, &written.to) else { return };
        if let Some(endpoint) = &target.endpoint {
            let (channel, service) = (self.arch.id(from), self.arch.id(to));
            let message = format!("messages of `{channel}` reach no endpoint: `{service}` handles them");
            let finding = Finding::new(&INVALID_VALUE, endpoint.span, message);
            let help = format!(
                "write `to: {service}`, and what it does with them under its `consumes: {{ {channel}: … }}`"
            );
            self.findings.push(finding.about(channel).about(service).help(help));
        }
        let edge = Edge::new(EdgeKind::Consume, target.span, "communications");
        if let Some(known) = self.between(from, to).first().copied() {
            self.arch.graph[known].evidence.extend(edge.evidence);
        } else if self.arch.graph[to].service().is_some() {
            let name = Spanned::new(self.arch.id(from).to_owned(), source.span);
            self.handler(home, (from, to), edge, name, spec::Consume::default());
        } else {
            self.edge(home, from, to, edge);
        }
    }

    /// A plain dependency of all endpoints of which an endpoint says more: it is this endpoint's, as with a
    /// call that stands in its script.
    fn narrowed(&mut self, caller: &Caller<'_>, to: NodeIndex, endpoint: Option<usize>) -> Option<EdgeIndex> {
        caller.endpoint?;
        let found = self.edges_between(caller.node, to, |edge| {
            let same = edge.to_endpoint.is_none() || endpoint.is_none() || edge.to_endpoint == endpoint;
            same && edge.from_endpoint.is_none() && edge.evidence.iter().all(|e| e.source == "dependencies")
        });
        let found = found.first().copied()?;
        self.arch.graph[found].from_endpoint = caller.endpoint;
        self.narrowed.insert(caller.node);
        Some(found)
    }

    /// Takes dependencies that are of one endpoint only from the others.
    pub(super) fn narrow(&mut self) {
        for node in std::mem::take(&mut self.narrowed) {
            let edges = self.arch.graph.edges(node);
            let own: HashMap<_, _> =
                edges.filter_map(|e| Some((e.id(), e.weight().from_endpoint?))).collect();
            let Some(service) = self.arch.graph[node].service_mut() else { continue };
            service.common.retain(|e| !own.contains_key(e));
            for (at, endpoint) in service.endpoints.iter_mut().enumerate() {
                endpoint.steps.retain(|step| match step {
                    Step::Edge(edge) => own.get(edge).is_none_or(|of| *of == at),
                    _ => true,
                });
            }
        }
    }

    /// Plain dependencies that name no endpoint: what says more of the same target is the same edge.
    fn bare_edges(&mut self, caller: &Caller<'_>, to: NodeIndex) -> Vec<EdgeIndex> {
        let mut all = self.same_edges(caller, to, None);
        all.retain(|e| {
            let edge = &self.arch.graph[*e];
            edge.to_endpoint.is_none() && edge.evidence.iter().all(|e| e.source == "dependencies")
        });
        all
    }
}

/// The target of a communication, with its `endpoint` and `method` keys taken in.
fn named_target(written: &spec::Communication, to: &Spanned<spec::Target>) -> spec::Target {
    let mut target = to.value.clone();
    if let (None, Some(endpoint)) = (&target.endpoint, &written.endpoint) {
        let method = written.policy.method.as_ref().filter(|_| endpoint.value.starts_with('/'));
        let name =
            method.map_or_else(|| endpoint.value.clone(), |m| format!("{} {}", m.value, endpoint.value));
        target.endpoint = Some(Spanned::new(name, endpoint.span));
    }
    target
}

/// The policy of a communication. With `retry_count` its timeout is that of one attempt: that is what the
/// pair means where it comes from.
fn origin_policy(written: &spec::Communication) -> spec::Policy {
    let mut policy = written.policy.clone();
    let Some(count) = written.retry_count else { return policy };
    let mut retry = spec::Retry { num_retries: Some(count), ..spec::Retry::default() };
    if let Some(Spanned { value: Switch::On(timeout), span }) = policy.timeout {
        retry.per_try_timeout = Some(Spanned::new(timeout, span));
        policy.timeout = None;
    }
    let over = Spanned::new(Arc::new(Switch::On(retry)), count.span);
    crate::spec::decode::fill(&mut policy.retry, Some(&over));
    policy
}
