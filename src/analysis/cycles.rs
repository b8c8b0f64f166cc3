//! Strongly connected groups, their shortest cycles, and what to cut.

use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A strongly connected group of at least two nodes, or one with an edge to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its nodes, in document order.
    pub nodes: Vec<NodeIndex>,
    /// The edges between them, in document order.
    pub edges: Vec<EdgeIndex>,
}

/// The strongly connected groups of the edges that `keep` keeps, by their first node.
///
/// Kosaraju's algorithm on an explicit stack: petgraph's `tarjan_scc` recurses, and a chain of 100,000
/// services would overflow the stack.
pub fn components<N, E>(graph: &DiGraph<N, E>, keep: impl Fn(EdgeIndex) -> bool) -> Vec<Component> {
    let kept: DiGraph<NodeIndex, EdgeIndex> = graph.filter_map(|n, _| Some(n), |e, _| keep(e).then_some(e));
    let mut found = Vec::new();
    for group in petgraph::algo::kosaraju_scc(&kept) {
        let members: BTreeSet<NodeIndex> = group.iter().copied().collect();
        let mut edges: Vec<EdgeIndex> = group
            .iter()
            .flat_map(|n| kept.edges_directed(*n, Direction::Outgoing))
            .filter(|e| members.contains(&e.target()))
            .map(|e| *e.weight())
            .collect();
        edges.sort();
        if !edges.is_empty() {
            found.push(Component { nodes: members.into_iter().collect(), edges });
        }
    }
    found.sort_by_key(|c| c.nodes.first().copied());
    found
}

/// The shortest cycle of a group as edges; of several the one that starts at the earliest node. Breadth
/// first from each node of the group, stopping at the shortest there can be.
pub fn shortest_cycle<N, E>(graph: &DiGraph<N, E>, component: &Component) -> Vec<EdgeIndex> {
    shortest_cycle_through(graph, component, component.nodes.iter().copied())
}

/// The shortest cycle of a group that passes one of `starts`, beginning there.
pub fn shortest_cycle_through<N, E>(
    graph: &DiGraph<N, E>,
    component: &Component,
    starts: impl Iterator<Item = NodeIndex>,
) -> Vec<EdgeIndex> {
    let mut adjacent: BTreeMap<NodeIndex, Vec<EdgeIndex>> = BTreeMap::new();
    for edge in &component.edges {
        if let Some((from, _)) = graph.edge_endpoints(*edge) {
            adjacent.entry(from).or_default().push(*edge);
        }
    }
    let mut best: Vec<EdgeIndex> = Vec::new();
    // In a group of thousands every start costs a search of all edges: the first few hundred decide.
    for start in starts.take(256) {
        let limit = if best.is_empty() { usize::MAX } else { best.len() };
        if let Some(cycle) = cycle_through(graph, &adjacent, start, limit) {
            best = cycle;
        }
        if best.len() <= 1 {
            break;
        }
    }
    best
}

/// The shortest cycle through `start` with fewer than `limit` edges.
fn cycle_through<N, E>(
    graph: &DiGraph<N, E>,
    adjacent: &BTreeMap<NodeIndex, Vec<EdgeIndex>>,
    start: NodeIndex,
    limit: usize,
) -> Option<Vec<EdgeIndex>> {
    let mut came_by: BTreeMap<NodeIndex, EdgeIndex> = BTreeMap::new();
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((node, depth)) = queue.pop_front() {
        if depth + 1 >= limit {
            return None;
        }
        for edge in adjacent.get(&node).into_iter().flatten() {
            let (_, to) = graph.edge_endpoints(*edge)?;
            if to == start {
                return Some(unwind(graph, &came_by, start, *edge));
            }
            if let std::collections::btree_map::Entry::Vacant(slot) = came_by.entry(to) {
                slot.insert(*edge);
                queue.push_back((to, depth + 1));
            }
        }
    }
    None
}

fn unwind<N, E>(
    graph: &DiGraph<N, E>,
    came_by: &BTreeMap<NodeIndex, EdgeIndex>,
    start: NodeIndex,
    last: EdgeIndex,
) -> Vec<EdgeIndex> {
    let mut cycle = vec![last];
    let mut at = graph.edge_endpoints(last).map(|(from, _)| from);
    while let Some(node) = at.filter(|n| *n != start) {
        let Some(edge) = came_by.get(&node) else { break };
        cycle.push(*edge);
        at = graph.edge_endpoints(*edge).map(|(from, _)| from);
    }
    cycle.reverse();
    cycle
}

/// Up to this many distinct connections the cut is the smallest there is.
const EXACT: usize = 20;

/// Connections (pairs of nodes, with their edges) whose removal leaves no cycle in the group, and whether
/// it is proven to be the smallest such set. Connections are compared in document order, so the answer is
/// the same on every run.
pub fn smallest_cut<N, E>(
    graph: &DiGraph<N, E>,
    component: &Component,
) -> (Vec<(NodeIndex, NodeIndex)>, bool) {
    let pairs: BTreeSet<(NodeIndex, NodeIndex)> =
        component.edges.iter().filter_map(|e| graph.edge_endpoints(*e)).collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    if pairs.len() <= EXACT {
        for size in 1..=pairs.len() {
            if let Some(cut) = cut_of(&pairs, size) {
                return (cut, true);
            }
        }
    }
    (greedy_cut(&pairs), false)
}

/// The first set of `size` connections, in lexicographic order, whose removal leaves no cycle.
fn cut_of(pairs: &[(NodeIndex, NodeIndex)], size: usize) -> Option<Vec<(NodeIndex, NodeIndex)>> {
    let mut chosen: Vec<usize> = (0..size).collect();
    loop {
        let rest = pairs.iter().enumerate().filter(|(i, _)| !chosen.contains(i)).map(|(_, p)| *p);
        if is_acyclic(rest) {
            return Some(chosen.iter().filter_map(|i| pairs.get(*i)).copied().collect());
        }
        // The next combination: advance the last index that still has room.
        let at = (0..size).rev().find(|i| chosen[*i] < pairs.len() - size + i)?;
        chosen[at] += 1;
        for next in at + 1..size {
            chosen[next] = chosen[next - 1] + 1;
        }
    }
}

fn is_acyclic(pairs: impl Iterator<Item = (NodeIndex, NodeIndex)>) -> bool {
    let mut waiting: BTreeMap<NodeIndex, usize> = BTreeMap::new();
    let mut next: BTreeMap<NodeIndex, Vec<NodeIndex>> = BTreeMap::new();
    for (from, to) in pairs {
        waiting.entry(from).or_default();
        *waiting.entry(to).or_default() += 1;
        next.entry(from).or_default().push(to);
    }
    let mut free: Vec<_> = waiting.iter().filter(|(_, n)| **n == 0).map(|(v, _)| *v).collect();
    let mut done = 0;
    while let Some(node) = free.pop() {
        done += 1;
        for to in next.get(&node).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    free.push(*to);
                }
            }
        }
    }
    done == waiting.len()
}

/// Connections that point backwards in the order of Eades, Lin and Smyth ("A fast and effective heuristic
/// for the feedback arc set problem", 1993): sinks last, sources first, else the node that sends most.
fn greedy_cut(pairs: &[(NodeIndex, NodeIndex)]) -> Vec<(NodeIndex, NodeIndex)> {
    let mut left: BTreeSet<NodeIndex> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut degree: BTreeMap<NodeIndex, (i64, i64)> = BTreeMap::new();
    for (from, to) in pairs.iter().filter(|(a, b)| a != b) {
        degree.entry(*from).or_default().0 += 1;
        degree.entry(*to).or_default().1 += 1;
    }
    let score = |node: &NodeIndex, degree: &BTreeMap<NodeIndex, (i64, i64)>| {
        degree.get(node).copied().unwrap_or_default()
    };
    while !left.is_empty() {
        let sink = left.iter().find(|n| score(n, &degree).0 == 0).copied();
        let source = left.iter().find(|n| score(n, &degree).1 == 0).copied();
        let most = || {
            left.iter().copied().max_by_key(|n| {
                let (out, into) = score(n, &degree);
                (out - into, std::cmp::Reverse(*n))
            })
        };
        let Some(node) = sink.or(source).or_else(most) else { break };
        if sink.is_some() {
            last.push(node);
        } else {
            first.push(node);
        }
        left.remove(&node);
        for (from, to) in pairs.iter().filter(|(a, b)| a != b) {
            if *from == node && left.contains(to) {
                degree.entry(*to).or_default().1 -= 1;
            }
            if *to == node && left.contains(from) {
                degree.entry(*from).or_default().0 -= 1;
            }
        }
    }
    last.reverse();
    let order: BTreeMap<NodeIndex, usize> =
        first.into_iter().chain(last).enumerate().map(|(i, n)| (n, i)).collect();
    let backwards = |(from, to): &(NodeIndex, NodeIndex)| order.get(from) >= order.get(to);
    pairs.iter().copied().filter(backwards).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(edges: &[(u32, u32)]) -> DiGraph<(), ()> {
        DiGraph::from_edges(edges.iter().copied())
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_overflow() {
        let edges: Vec<_> = (0..100_000).map(|i| (i, i + 1)).collect();
        assert!(components(&graph(&edges), |_| true).is_empty());
    }

    #[test]
    fn one_group_one_shortest_cycle() {
        let graph = graph(&[(0, 1), (1, 2), (2, 0), (2, 3), (3, 2), (4, 4)]);
        let found = components(&graph, |_| true);
        assert_eq!(found.len(), 2);
        let cycle: Vec<_> = shortest_cycle(&graph, &found[0]).iter().map(|e| e.index()).collect();
        assert_eq!(cycle, [3, 4], "2 → 3 → 2 is shorter than the triangle");
        assert_eq!(smallest_cut(&graph, &found[0]).0.len(), 2);
        assert_eq!(shortest_cycle(&graph, &found[1]).len(), 1, "a self-call is a cycle of one");
    }

    /// Fewest pairs whose removal leaves no cycle, by trying every subset.
    fn brute_force(pairs: &[(NodeIndex, NodeIndex)]) -> usize {
        let sets = 0_u32..1 << pairs.len();
        let fits = sets.filter(|set| {
            is_acyclic(pairs.iter().enumerate().filter(|(i, _)| set >> i & 1 == 0).map(|(_, p)| *p))
        });
        fits.map(u32::count_ones).min().unwrap_or(0) as usize
    }

    proptest! {
        #[test]
        fn cuts_leave_no_cycle_and_small_ones_are_smallest(edges in prop::collection::vec((0_u32..6, 0_u32..6), 1..12)) {
            let graph = graph(&edges);
            for component in components(&graph, |_| true) {
                let (cut, exact) = smallest_cut(&graph, &component);
                let pairs: BTreeSet<_> = component.edges.iter().filter_map(|e| graph.edge_endpoints(*e)).collect();
                let pairs: Vec<_> = pairs.into_iter().collect();
                prop_assert!(exact);
                prop_assert_eq!(cut.len(), brute_force(&pairs));
                let left = |cut: &[(NodeIndex, NodeIndex)]| is_acyclic(pairs.iter().copied().filter(|p| !cut.contains(p)));
                prop_assert!(left(&cut));
                prop_assert!(left(&greedy_cut(&pairs)));
                let cycle = shortest_cycle(&graph, &component);
                prop_assert!(!cycle.is_empty());
                for (a, b) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                    prop_assert_eq!(graph.edge_endpoints(*a).unwrap().1, graph.edge_endpoints(*b).unwrap().0);
                }
            }
        }
    }
}
