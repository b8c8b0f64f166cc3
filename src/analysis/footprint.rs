//! How many services one request needs at once.

use super::endpoints::{EndpointGraph, Stop};
use crate::model::Architecture;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeSet, VecDeque};

/// What one request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Where it enters.
    pub entry: Stop,
    /// The system's own services it cannot do without, its own included, in document order.
    pub services: BTreeSet<NodeIndex>,
    /// For each of the others the call that first gets there, in the order of distance.
    pub calls: Vec<EdgeIndex>,
}

/// Calls that are looked at in all: some seconds' work at the very most.
const LIMIT: usize = 20_000_000;

/// The request that needs most services, by hard calls that `follow` wants: the first of equals. Tried from
/// where no other request comes by, until calls enough have been looked at. `None` where there is no
/// endpoint.
pub fn widest_request(
    arch: &Architecture,
    calls: &EndpointGraph,
    follow: impl Fn(EdgeIndex) -> bool,
) -> Option<Footprint> {
    let wanted = |edge: EdgeIndex| {
        let call = &arch.graph[edge];
        let stands_in = call.evidence.first().is_some_and(|e| e.source == "fallback");
        call.is_hard() && !stands_in && follow(edge)
    };
    let incoming = |n: NodeIndex| calls.graph.edges_directed(n, petgraph::Direction::Incoming);
    let entered = |n: &NodeIndex| calls.graph[*n].endpoint.is_some();
    let alone = |n: &NodeIndex| !incoming(*n).any(|e| wanted(*e.weight()));
    let (first, then): (Vec<_>, Vec<_>) = calls.graph.node_indices().filter(entered).partition(alone);
    let mut passed = vec![false; calls.graph.node_count()];
    let mut seen = vec![usize::MAX; calls.graph.node_count()];
    let (mut best, mut looked_at): (Option<Footprint>, usize) = (None, 0);
    for (turn, start) in first.into_iter().chain(then).enumerate() {
        // What another request passes needs no more than that one.
        if passed[start.index()] || looked_at > LIMIT {
            continue;
        }
        let own = |n: NodeIndex| arch.graph[n].service().is_some_and(|s| !s.external);
        let entry = calls.graph[start];
        let mut found = Footprint { entry, services: BTreeSet::from([entry.service]), calls: Vec::new() };
        let mut queue = VecDeque::from([start]);
        seen[start.index()] = turn;
        while let Some(node) = queue.pop_front() {
            passed[node.index()] = true;
            for (edge, to) in calls.calls(node) {
                looked_at += 1;
                if !wanted(edge) || seen[to.index()] == turn {
                    continue;
                }
                seen[to.index()] = turn;
                queue.push_back(to);
                let service = calls.graph[to].service;
                if own(service) && found.services.insert(service) {
                    found.calls.push(edge);
                }
            }
        }
        if best.as_ref().is_none_or(|b| b.services.len() < found.services.len()) {
            best = Some(found);
        }
    }
    best
}
