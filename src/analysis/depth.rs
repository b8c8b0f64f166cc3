//! The longest way of a request from service to service while it is waited for.

use super::endpoints::{EndpointGraph, Stop};
use crate::model::Architecture;
use crate::model::words::ServiceKind;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// A way down the graph of endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepPath {
    /// Where it starts.
    pub start: Stop,
    /// Its calls, in order.
    pub hops: Vec<EdgeIndex>,
    /// How many of them count: those that gateways make only pass on.
    pub depth: usize,
}

/// Whether a call counts as one of a chain: a gateway is part of the road.
pub fn counts(arch: &Architecture, edge: EdgeIndex) -> bool {
    let from = arch.graph[arch.ends(edge).0].service();
    from.is_none_or(|s| s.kind != ServiceKind::Gateway)
}

/// For every place where longest paths end, the longest of them if it has more than `max` calls that count;
/// the first of equals. Calls of a loop are left out, and those that `follow` does not want. Linear.
pub fn deep_paths(
    arch: &Architecture,
    calls: &EndpointGraph,
    max: usize,
    follow: impl Fn(EdgeIndex) -> bool,
) -> Vec<DeepPath> {
    let below = longest_below(arch, calls, follow);
    // Callers first: of equals the one that is called by others is not where it starts.
    let mut deepest: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    for node in calls.callees_first().iter().rev() {
        let here = &below[node.index()];
        let best = deepest.entry(here.end).or_insert(*node);
        if here.depth > below[best.index()].depth {
            *best = *node;
        }
    }
    let long = deepest.into_values().filter(|n| below[n.index()].depth > max);
    let path = |start: NodeIndex| {
        let (mut hops, mut at) = (Vec::new(), start);
        while let Some((edge, to)) = below[at.index()].next {
            hops.push(edge);
            at = to;
        }
        DeepPath { start: calls.graph[start], hops, depth: below[start.index()].depth }
    };
    long.map(path).collect()
}

/// For every node of the graph how many calls that count are on the longest way down from it.
pub fn depths(arch: &Architecture, calls: &EndpointGraph) -> Vec<usize> {
    longest_below(arch, calls, |_| true).into_iter().map(|below| below.depth).collect()
}

/// The longest way down from a node.
struct Below {
    depth: usize,
    next: Option<(EdgeIndex, NodeIndex)>,
    end: NodeIndex,
}

fn longest_below(
    arch: &Architecture,
    calls: &EndpointGraph,
    follow: impl Fn(EdgeIndex) -> bool,
) -> Vec<Below> {
    let mut below: Vec<Below> =
        calls.graph.node_indices().map(|n| Below { depth: 0, next: None, end: n }).collect();
    for node in calls.callees_first() {
        for (edge, to) in calls.calls(*node) {
            if calls.is_on_loop(*node, to) || !follow(edge) {
                continue;
            }
            let (depth, end) =
                (below[to.index()].depth + usize::from(counts(arch, edge)), below[to.index()].end);
            let here = &mut below[node.index()];
            if depth > here.depth || here.next.is_none() {
                *here = Below { depth, next: Some((edge, to)), end };
            }
        }
    }
    below
}
