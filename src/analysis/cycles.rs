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
        // Nearly every group is one node without an edge to itself.
        if let [only] = group.as_slice()
            && !kept.neighbors(*only).any(|next| next == *only)
        {
            continue;
        }
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
    let mut search = Search::of(graph, component);
    let mut best: Vec<EdgeIndex> = Vec::new();
    // In a group of thousands every start costs a search of all edges: the first few hundred decide.
    for start in starts.take(256) {
        let limit = if best.is_empty() { usize::MAX } else { best.len() };
        if let Some(cycle) = search.cycle_through(start, limit) {
            best = cycle;
        }
        if best.len() <= 1 {
            break;
        }
    }
    best
}

/// A group with its nodes numbered from 0: one search after the other without a map or a new allocation.
struct Search<'c> {
    nodes: &'c [NodeIndex],
    /// For each node its edges, with where they end, in document order.
    next: Vec<Vec<(usize, EdgeIndex)>>,
    /// By which search a node was last reached, from where and along which edge.
    reached: Vec<(usize, usize, EdgeIndex)>,
    searches: usize,
}

impl<'c> Search<'c> {
    fn of<N, E>(graph: &DiGraph<N, E>, component: &'c Component) -> Self {
        let nodes = component.nodes.as_slice();
        let mut next = vec![Vec::new(); nodes.len()];
        for edge in &component.edges {
            let Some((from, to)) = graph.edge_endpoints(*edge) else { continue };
            let (Ok(from), Ok(to)) = (nodes.binary_search(&from), nodes.binary_search(&to)) else { continue };
            next[from].push((to, *edge));
        }
        let reached = vec![(0, 0, EdgeIndex::end()); nodes.len()];
        Self { nodes, next, reached, searches: 0 }
    }

    /// The shortest cycle through `start` with fewer than `limit` edges.
    fn cycle_through(&mut self, start: NodeIndex, limit: usize) -> Option<Vec<EdgeIndex>> {
        let start = self.nodes.binary_search(&start).ok()?;
        self.searches += 1;
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, depth)) = queue.pop_front() {
            if depth + 1 >= limit {
                return None;
            }
            for (to, edge) in &self.next[node] {
                if *to == start {
                    return Some(self.unwind(start, node, *edge));
                }
                if self.reached[*to].0 != self.searches {
                    self.reached[*to] = (self.searches, node, *edge);
                    queue.push_back((*to, depth + 1));
                }
            }
        }
        None
    }

    fn unwind(&self, start: usize, mut at: usize, last: EdgeIndex) -> Vec<EdgeIndex> {
        let mut cycle = vec![last];
        while at != start {
            let (_, from, edge) = self.reached[at];
            cycle.push(edge);
            at = from;
        }
        cycle.reverse();
        cycle
    }
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
    let numbered = numbered(pairs);
    let mut chosen: Vec<usize> = (0..size).collect();
    loop {
        let removed = chosen.iter().fold(0_u64, |set, i| set | 1 << i);
        if is_acyclic(&numbered, removed) {
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

/// Pairs with their nodes numbered from 0, at most twice as many as there are pairs.
fn numbered(pairs: &[(NodeIndex, NodeIndex)]) -> Vec<(usize, usize)> {
    let mut nodes: Vec<NodeIndex> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let number = |node| nodes.partition_point(|n| *n < node);
    pairs.iter().map(|(a, b)| (number(*a), number(*b))).collect()
}

/// Whether few pairs have no cycle without those of the set `removed`: nodes that lead nowhere are taken away
/// until none is left. Hundreds of thousands of sets may be asked about, so all of it is on the stack.
fn is_acyclic(pairs: &[(usize, usize)], removed: u64) -> bool {
    let mut next = [0_u64; 2 * EXACT];
    for (i, (from, to)) in pairs.iter().enumerate() {
        next[*from] |= u64::from(removed >> i & 1 == 0) << to;
    }
    let mut left = pairs.iter().fold(0_u64, |set, (from, _)| set | 1 << from);
    loop {
        let (before, mut rest) = (left, left);
        while rest != 0 {
            let node = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if next[node] & left == 0 {
                left &= !(1 << node);
            }
        }
        if left == 0 || left == before {
            return left == 0;
        }
    }
}

/// Connections that point backwards in the order of Eades, Lin and Smyth ("A fast and effective heuristic
/// for the feedback arc set problem", 1993): sinks last, sources first, else the node that sends most.
fn greedy_cut(pairs: &[(NodeIndex, NodeIndex)]) -> Vec<(NodeIndex, NodeIndex)> {
    let mut left = Remaining::default();
    for (from, to) in pairs {
        left.ends.entry(*from).or_default();
        left.ends.entry(*to).or_default();
        if from != to {
            left.ends.entry(*from).or_default().to.insert(*to);
            left.ends.entry(*to).or_default().from.insert(*from);
        }
    }
    left.ranks = left.ends.iter().map(|(node, ends)| ends.rank(*node)).collect();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    while let Some((class, _, node)) = left.ranks.first().copied() {
        if class == 0 { &mut last } else { &mut first }.push(node);
        left.take(node);
    }
    last.reverse();
    let order: BTreeMap<NodeIndex, usize> =
        first.into_iter().chain(last).enumerate().map(|(i, n)| (n, i)).collect();
    let backwards = |(from, to): &(NodeIndex, NodeIndex)| order.get(from) >= order.get(to);
    pairs.iter().copied().filter(backwards).collect()
}

/// Which of the nodes that are left is to be taken: 0 for sinks, 1 for sources, 2 for others, those by what
/// they send beyond what they get; then the earliest.
type Rank = (u8, i64, NodeIndex);

/// The other ends of a node's connections, as far as they are left.
#[derive(Default)]
struct Ends {
    to: BTreeSet<NodeIndex>,
    from: BTreeSet<NodeIndex>,
}

impl Ends {
    fn rank(&self, node: NodeIndex) -> Rank {
        match (self.to.len() as u64, self.from.len() as u64) {
            (0, _) => (0, 0, node),
            (_, 0) => (1, 0, node),
            (out, into) => (2, into.cast_signed() - out.cast_signed(), node),
        }
    }
}

/// What is left of a group, with the next one to be taken in front.
#[derive(Default)]
struct Remaining {
    ends: BTreeMap<NodeIndex, Ends>,
    ranks: BTreeSet<Rank>,
}

impl Remaining {
    fn take(&mut self, node: NodeIndex) {
        let Some(ends) = self.ends.remove(&node) else { return };
        self.ranks.remove(&ends.rank(node));
        for to in &ends.to {
            self.change(*to, |ends| ends.from.remove(&node));
        }
        for from in &ends.from {
            self.change(*from, |ends| ends.to.remove(&node));
        }
    }

    fn change(&mut self, node: NodeIndex, change: impl FnOnce(&mut Ends) -> bool) {
        let Some(ends) = self.ends.get_mut(&node) else { return };
        self.ranks.remove(&ends.rank(node));
        change(ends);
        self.ranks.insert(ends.rank(node));
    }
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
        let numbered = numbered(pairs);
        let fits = sets.filter(|set| is_acyclic(&numbered, u64::from(*set)));
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
                let left = |cut: &[(NodeIndex, NodeIndex)]| {
                    let left = pairs.iter().filter(|p| !cut.contains(p));
                    let left = DiGraph::<(), ()>::from_edges(left.map(|(a, b)| (a.index() as u32, b.index() as u32)));
                    !petgraph::algo::is_cyclic_directed(&left)
                };
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
