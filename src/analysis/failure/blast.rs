//! How far a failure reaches: the entry points that fail with it, and their share of the traffic.

use super::{Closure, Element, FailedStep, FailureGraph};
use crate::model::words::{Exposure, ServiceKind};
use crate::model::{Architecture, EndpointRef, NodeKind};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// The entry points that fail when something is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blast {
    /// They, in document order.
    pub entries: Vec<Element>,
    /// Why the nearest of them fails.
    pub nearest: Element,
    /// The calls from the nearest one to what is down; empty where it stands there itself.
    pub path: Vec<FailedStep>,
    /// Whether all of them were found.
    pub complete: bool,
}

/// Where requests come in: the targets of `traffic`, else what is public. Else what looks like it: the
/// services that call others and are called by nobody, jobs left out.
pub(super) fn entries(arch: &Architecture) -> Vec<Element> {
    let of = |node: NodeIndex, endpoint: Option<usize>| match endpoint {
        Some(endpoint) => Element::Endpoint(EndpointRef { service: node, endpoint }),
        None => Element::Service(node),
    };
    let named: BTreeSet<_> = arch.traffic.iter().map(|t| (t.to.node, t.to.endpoint)).collect();
    if !named.is_empty() {
        return named.into_iter().map(|(node, endpoint)| of(node, endpoint)).collect();
    }
    let mut public = Vec::new();
    let mut likely = Vec::new();
    for (node, _, service) in arch.services() {
        let callable = || service.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none());
        let all: Vec<usize> = callable().map(|(i, _)| i).collect();
        let open = |endpoint: &&usize| arch.is_public(EndpointRef { service: node, endpoint: **endpoint });
        public.extend(all.iter().filter(open).map(|i| of(node, Some(*i))));
        if all.is_empty() && service.exposure.is_some_and(|e| e.value == Exposure::Public) {
            public.push(of(node, None));
        }
        let job = matches!(service.kind, ServiceKind::Job | ServiceKind::Cron);
        let degree = |direction| arch.graph.edges_directed(node, direction).next().is_some();
        if service.external || job || degree(Direction::Incoming) || !degree(Direction::Outgoing) {
            continue;
        }
        if all.is_empty() {
            likely.push(of(node, None));
        }
        likely.extend(all.into_iter().map(|i| of(node, Some(i))));
    }
    if public.is_empty() { likely } else { public }
}

impl FailureGraph {
    /// Which entry points fail when these nodes are down; `None` where none does, or none was found before
    /// `budget` was used up.
    pub fn blast(&self, down: &[NodeIndex], budget: &mut usize) -> Option<Blast> {
        let failure = self.fail(down, budget);
        let mut hit: Vec<u32> =
            failure.order.iter().copied().filter(|id| self.is_entry[*id as usize]).collect();
        let nearest = self.parts[*hit.first()? as usize];
        hit.sort_unstable();
        let entries = hit.into_iter().map(|id| self.parts[id as usize]).collect();
        let path = self.why(&failure, nearest);
        Some(Blast { entries, nearest, path, complete: failure.complete })
    }

    /// The same where everything else failed to answer: one entry that needs one of the nodes, as the closure
    /// of all entries shows.
    pub fn blast_within(&self, closure: &Closure, down: &[NodeIndex]) -> Option<Blast> {
        let (nearest, path) = down.iter().find_map(|node| self.way(closure, Element::Node(*node)))?;
        Some(Blast { entries: vec![nearest], nearest, path, complete: false })
    }
}

/// The part of the declared traffic that goes to these entries (in order); `None` where a rate is not declared.
pub fn traffic_share(arch: &Architecture, entries: &[Element]) -> Option<f64> {
    let (mut hit, mut all) = (0.0, 0.0);
    for traffic in &arch.traffic {
        let rate = traffic.top_rate()?;
        let to = traffic.to.endpoint_ref().map_or(Element::Service(traffic.to.node), Element::Endpoint);
        all += rate;
        if entries.binary_search(&to).is_ok() {
            hit += rate;
        }
    }
    (all > 0.0).then(|| hit / all)
}

/// The zone in which all copies of a service or datastore stand, where every copy says one and it is the same.
pub fn only_zone(arch: &Architecture, node: NodeIndex) -> Option<&str> {
    let data = &arch.graph[node];
    let common = data.zone.as_ref().map(|z| z.value.as_str());
    let instances = match &data.kind {
        NodeKind::Service(service) => service.instances.as_slice(),
        _ => &[],
    };
    let mut zones = instances.iter().map(|i| i.zone.as_ref().map(|z| z.value.as_str()).or(common));
    let Some(first) = zones.next() else { return common };
    if zones.all(|zone| zone == first) { first } else { None }
}
