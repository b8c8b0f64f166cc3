//! Who depends on whom: each pair of nodes once, however many edges say it, and the shortest ways between
//! groups of them.

use crate::model::{Architecture, EdgeKind, NodeKind};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{HashMap, VecDeque};

/// One node knows another by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Who knows.
    pub from: NodeIndex,
    /// Who is known.
    pub to: NodeIndex,
    /// The edges that say so, in document order; at least one.
    pub edges: Vec<EdgeIndex>,
    /// A service and a datastore that belongs to it.
    pub own: bool,
}

/// All dependencies, by their first edge.
///
/// Who calls, publishes, reads or writes depends on what it names; who consumes depends on the queue or
/// topic, against the way the messages go: two services that only share a topic do not depend on each
/// other. Traces, metrics and logs are no dependency, nor is a call of oneself.
#[derive(Debug, Clone, Default)]
pub struct Dependencies {
    /// Each pair once.
    pub all: Vec<Dependency>,
    outgoing: Vec<Vec<usize>>,
    incoming: Vec<Vec<usize>>,
}

/// For each node (by index) the part of the system it belongs to, if any.
pub type Parts = Vec<Option<usize>>;

/// How a node gets to a part: the dependency to follow, and the mark of the node behind it; `None` for a
/// node of the part itself.
#[derive(Debug, Clone, Copy)]
struct Mark {
    part: usize,
    next: Option<(usize, usize)>,
}

impl Dependencies {
    /// Looks at every edge once.
    pub fn of(arch: &Architecture) -> Self {
        let pairs = arch.edges().filter(|(_, edge)| !edge.is_telemetry()).map(|(index, edge)| {
            let (from, to) = arch.ends(index);
            if edge.kind == EdgeKind::Consume { (to, from, index) } else { (from, to, index) }
        });
        let owns = |from: NodeIndex, to: NodeIndex| match &arch.graph[to].kind {
            NodeKind::Datastore(store) => store.service.as_ref().is_some_and(|s| arch.find(s) == Some(from)),
            _ => false,
        };
        let mut this = Self::from_pairs(arch.graph.node_count(), pairs);
        for dependency in &mut this.all {
            dependency.own = owns(dependency.from, dependency.to);
        }
        this
    }

    fn from_pairs(nodes: usize, pairs: impl Iterator<Item = (NodeIndex, NodeIndex, EdgeIndex)>) -> Self {
        let mut this =
            Self { all: Vec::new(), outgoing: vec![Vec::new(); nodes], incoming: vec![Vec::new(); nodes] };
        let mut known: HashMap<(NodeIndex, NodeIndex), usize> = HashMap::new();
        for (from, to, edge) in pairs.filter(|(from, to, _)| from != to) {
            let at = *known.entry((from, to)).or_insert(this.all.len());
            if at == this.all.len() {
                this.all.push(Dependency { from, to, edges: Vec::new(), own: false });
                this.outgoing[from.index()].push(at);
                this.incoming[to.index()].push(at);
            }
            this.all[at].edges.push(edge);
        }
        this
    }

    /// What a node depends on.
    pub fn outgoing(&self, node: NodeIndex) -> impl Iterator<Item = &Dependency> {
        self.outgoing.get(node.index()).into_iter().flatten().filter_map(|at| self.all.get(*at))
    }

    /// What depends on a node.
    pub fn incoming(&self, node: NodeIndex) -> impl Iterator<Item = &Dependency> {
        self.incoming.get(node.index()).into_iter().flatten().filter_map(|at| self.all.get(*at))
    }

    /// For each node of `from` that gets to a part of `to` which is not its own, the shortest way there
    /// that passes no other node of `from`: what lies behind such a node is that node's. In node order.
    ///
    /// Breadth first from all targets at once, against the dependencies. A node keeps the nearest two
    /// parts, so that one of them is another's whoever asks: linear.
    pub fn ways(&self, from: &Parts, to: &Parts) -> Vec<Vec<&Dependency>> {
        let mut marks: Vec<Vec<Mark>> = vec![Vec::new(); self.incoming.len()];
        let mut queue = VecDeque::new();
        for (node, part) in to.iter().enumerate() {
            if let (Some(part), Some(marks)) = (part, marks.get_mut(node)) {
                marks.push(Mark { part: *part, next: None });
                queue.push_back((node, 0));
            }
        }
        let mut found: Vec<Option<(usize, usize)>> = vec![None; self.incoming.len()];
        while let Some((node, slot)) = queue.pop_front() {
            let part = marks[node][slot].part;
            for at in &self.incoming[node] {
                let dependency = &self.all[*at];
                let user = dependency.from.index();
                if let Some(own) = from.get(user).copied().flatten() {
                    if own != part && !dependency.own && found[user].is_none() {
                        found[user] = Some((*at, slot));
                    }
                } else if marks[user].len() < 2 && marks[user].iter().all(|m| m.part != part) {
                    queue.push_back((user, marks[user].len()));
                    marks[user].push(Mark { part, next: Some((*at, slot)) });
                }
            }
        }
        found.into_iter().flatten().map(|start| self.unwind(&marks, start)).collect()
    }

    fn unwind(&self, marks: &[Vec<Mark>], start: (usize, usize)) -> Vec<&Dependency> {
        let mut way = Vec::new();
        let mut next = Some(start);
        while let Some((at, slot)) = next {
            let dependency = &self.all[at];
            way.push(dependency);
            next = marks[dependency.to.index()][slot].next;
        }
        way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dependencies(nodes: usize, edges: &[(usize, usize)]) -> Dependencies {
        let pairs = edges.iter().enumerate();
        let pairs = pairs.map(|(i, (a, b))| (NodeIndex::new(*a), NodeIndex::new(*b), EdgeIndex::new(i)));
        Dependencies::from_pairs(nodes, pairs)
    }

    /// The length of the shortest way from `start` to another part, every way tried by breadth.
    fn brute_force(edges: &[(usize, usize)], start: usize, from: &Parts, to: &Parts) -> Option<usize> {
        let mut reached = vec![start];
        let mut seen = vec![start];
        for length in 1..=from.len() {
            let next: Vec<usize> =
                edges.iter().filter(|(a, b)| a != b && reached.contains(a)).map(|(_, b)| *b).collect();
            if next.iter().any(|n| to[*n].is_some() && to[*n] != from[start]) {
                return Some(length);
            }
            reached = next.into_iter().filter(|n| from[*n].is_none() && !seen.contains(n)).collect();
            seen.extend(&reached);
        }
        None
    }

    #[test]
    fn a_chain_of_a_hundred_thousand() {
        let edges: Vec<_> = (0..100_000).map(|i| (i, i + 1)).collect();
        let mut ends = (vec![None; 100_001], vec![None; 100_001]);
        (ends.0[0], ends.1[100_000]) = (Some(0), Some(1));
        assert_eq!(dependencies(100_001, &edges).ways(&ends.0, &ends.1)[0].len(), 100_000);
    }

    proptest! {
        #[test]
        fn ways_are_the_shortest_there_are(
            edges in prop::collection::vec((0_usize..9, 0_usize..9), 0..24),
            from in prop::collection::vec(prop::option::of(0_usize..3), 9),
            to in prop::collection::vec(prop::option::of(0_usize..3), 9),
            each in any::<bool>(),
            same in any::<bool>(),
        ) {
            // As `forbid` asks (each node a part of its own), and as `independent` does (the same parts).
            let alone = |parts: Parts| -> Parts {
                parts.iter().enumerate().map(|(i, p)| p.map(|p| if each { i } else { p })).collect()
            };
            let (from, to) = (alone(from), alone(to));
            let to = if same { from.clone() } else { to };
            let all = dependencies(9, &edges);
            let ways = all.ways(&from, &to);
            for start in 0..9 {
                let way = ways.iter().find(|w| w[0].from.index() == start);
                let expected = from[start].and_then(|_| brute_force(&edges, start, &from, &to));
                prop_assert_eq!(way.map(Vec::len), expected, "from {}", start);
            }
            for way in ways {
                for (a, b) in way.iter().zip(way.iter().skip(1)) {
                    prop_assert_eq!(a.to, b.from);
                    prop_assert_eq!(from[a.to.index()], None);
                }
                let (first, last) = (way[0].from.index(), way[way.len() - 1].to.index());
                prop_assert!(to[last].is_some() && to[last] != from[first]);
            }
        }
    }
}
