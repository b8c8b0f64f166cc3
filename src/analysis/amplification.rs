//! How many attempts one request from outside can become: the product of attempts along a path.

use super::endpoints::EndpointGraph;
use crate::model::{Architecture, Edge, EndpointRef};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// One hop of a path that retries.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryHop {
    /// The call.
    pub edge: EdgeIndex,
    /// By how much it multiplies: its attempts, or less under a budget.
    pub factor: f64,
}

/// The worst path from an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AmplifiedPath {
    /// Where it starts.
    pub entry: EndpointRef,
    /// All hops; those that do not retry have factor 1.
    pub hops: Vec<RetryHop>,
    /// The product: attempts at the last hop for one request at the entry.
    pub product: f64,
}

/// By how much a call multiplies requests in a total outage: its attempts, times the mesh's; under a budget
/// at most 1 + the budget's share.
pub fn factor(arch: &Architecture, edge: &Edge) -> f64 {
    let budget =
        edge.retry().and_then(|r| r.budget.as_ref()).and_then(|b| b.value.on()).and_then(|b| b.percent);
    let own = f64::from(edge.attempts());
    let own = budget.map_or(own, |b| own.min(1.0 + b.fraction()));
    let mesh = arch.mesh.as_ref().and_then(|m| m.retry.as_ref()).and_then(|r| r.value.on());
    let mesh = mesh.map_or(1.0, |r| {
        let attempts = r.num_retries.map_or(1.0, |n| f64::from(n.value) + 1.0);
        let budget = r.budget.as_ref().and_then(|b| b.value.on()).and_then(|b| b.percent);
        budget.map_or(attempts, |b| attempts.min(1.0 + b.fraction()))
    });
    own * mesh
}

/// For every entry the path with the largest product, in document order. Linear: a path is followed
/// backwards from its end through a topological order; calls inside a cycle are left out (request-loop
/// speaks of those).
pub fn worst_paths(arch: &Architecture, calls: &EndpointGraph) -> Vec<AmplifiedPath> {
    let groups = super::components(&calls.graph, |_| true);
    let mut group_of: BTreeMap<NodeIndex, usize> = BTreeMap::new();
    for (i, group) in groups.iter().enumerate() {
        group_of.extend(group.nodes.iter().map(|n| (*n, i)));
    }
    let in_cycle =
        |a: NodeIndex, b: NodeIndex| group_of.contains_key(&a) && group_of.get(&a) == group_of.get(&b);
    // Best product below each endpoint, and the call that leads there; callees before callers.
    let mut best: Vec<(f64, Option<(EdgeIndex, NodeIndex)>)> = vec![(1.0, None); calls.graph.node_count()];
    for node in callees_first(calls) {
        for (edge, to) in calls.calls(node) {
            if in_cycle(node, to) {
                continue;
            }
            let product = factor(arch, &arch.graph[edge]) * best[to.index()].0;
            if product > best[node.index()].0 {
                best[node.index()] = (product, Some((edge, to)));
            }
        }
    }
    let entries = arch.entry_points().into_iter();
    entries
        .filter_map(|entry| {
            let mut at = calls.node(entry)?;
            let product = best[at.index()].0;
            let mut hops = Vec::new();
            while let Some((edge, to)) = best[at.index()].1 {
                hops.push(RetryHop { edge, factor: factor(arch, &arch.graph[edge]) });
                at = to;
            }
            Some(AmplifiedPath { entry, hops, product })
        })
        .collect()
}

/// Endpoints with those they call before them (depth first, on an explicit stack).
fn callees_first(calls: &EndpointGraph) -> Vec<NodeIndex> {
    let mut order = Vec::new();
    let mut visit = petgraph::visit::DfsPostOrder::empty(&calls.graph);
    for node in calls.graph.node_indices() {
        visit.move_to(node);
        while let Some(done) = visit.next(&calls.graph) {
            order.push(done);
        }
    }
    order
}
