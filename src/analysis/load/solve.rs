//! Rates: a linear system along the flows, r = outside + Aᵀ·r.

use super::Rates;
use super::flow::Flows;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

/// Steps along the ways of one circle, over all rounds.
const STEPS: usize = 20_000_000;
/// A round that adds less than this part is the last.
const SMALL: f64 = 1e-12;

/// The circles of the flows, and everything else alone, callees first; and for each place its group.
pub(super) struct Groups {
    pub groups: Vec<Vec<NodeIndex>>,
    pub of: Vec<usize>,
}

impl Groups {
    pub fn of(flows: &Flows) -> Self {
        let groups = petgraph::algo::kosaraju_scc(&flows.graph);
        let mut of = vec![0; flows.graph.node_count()];
        for (at, group) in groups.iter().enumerate() {
            for node in group {
                of[node.index()] = at;
            }
        }
        Self { groups, of }
    }

    /// Whether both are on one circle.
    pub fn together(&self, a: NodeIndex, b: NodeIndex) -> bool {
        self.of.get(a.index()) == self.of.get(b.index())
    }
}

/// Requests per second at each place, given what comes from outside; not a number where they go round
/// without dying out. Linear but for circles, which are gone round until nothing is left.
pub(super) fn rates(flows: &Flows, groups: &Groups, outside: Vec<Rates>) -> Vec<Rates> {
    let mut rates = outside;
    for group in groups.groups.iter().rev() {
        settle(flows, groups, group, &mut rates);
        for from in group {
            let here = rates[from.index()];
            for way in flows.graph.edges(*from).filter(|way| !groups.together(*from, way.target())) {
                add(&mut rates[way.target().index()], passed(here, way.weight().often, way.weight().storm));
            }
        }
    }
    rates
}

/// Lets what enters a circle go round in it.
fn settle(flows: &Flows, groups: &Groups, group: &[NodeIndex], rates: &mut [Rates]) {
    let mut ways = Vec::new();
    let mut group = group.to_vec();
    group.sort_unstable();
    for (at, from) in group.iter().enumerate() {
        for way in flows.graph.edges(*from).filter(|way| groups.together(*from, way.target())) {
            let to = group.binary_search(&way.target()).unwrap_or_default();
            ways.push((at, to, way.weight().often, way.weight().storm));
        }
    }
    if ways.is_empty() {
        return;
    }
    let mut under_way: Vec<Rates> = group.iter().map(|n| rates[n.index()]).collect();
    let mut left = [true; 4];
    for _ in 0..(STEPS / ways.len()).clamp(100, 100_000) {
        let mut next = vec![[0.0; 4]; group.len()];
        for (from, to, often, storm) in &ways {
            add(&mut next[*to], passed(under_way[*from], *often, *storm));
        }
        left = [false; 4];
        for (node, more) in group.iter().zip(&next) {
            let sum = &mut rates[node.index()];
            for kind in 0..4 {
                // Not a number stays one, and is not waited for.
                left[kind] |= more[kind] > SMALL * sum[kind].max(f64::MIN_POSITIVE);
                sum[kind] += more[kind];
            }
        }
        under_way = next;
        if left == [false; 4] {
            break;
        }
    }
    for node in &group {
        for kind in (0..4).filter(|kind| left[*kind]) {
            rates[node.index()][kind] = f64::NAN;
        }
    }
}

/// What of the requests at one place passes a way.
pub(super) fn passed(here: Rates, often: f64, storm: f64) -> Rates {
    [here[0] * often, here[1] * often, here[2] * often, here[3] * storm]
}

pub(super) fn add(sum: &mut Rates, more: Rates) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Places to which nothing comes that is not said: not from `unsaid`, on any way.
pub(super) fn complete(flows: &Flows) -> Vec<bool> {
    let mut complete = vec![true; flows.graph.node_count()];
    let mut next: Vec<usize> = flows.unsaid.clone();
    while let Some(place) = next.pop() {
        if std::mem::replace(&mut complete[place], false) {
            next.extend(flows.graph.neighbors(NodeIndex::new(place)).map(NodeIndex::index));
        }
    }
    complete
}
