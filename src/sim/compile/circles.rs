//! Calls that go round in circles: a simulation of them would never end.

use super::super::plan::{Fallback, Plan, Step, Target};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// Rounds a request may go before it must have died out.
const ROUNDS: usize = 200;

/// Refuses a plan in which requests cause more and more of their own kind, or the same number for ever. Where
/// each round is rarer than the last they die out and may be simulated.
pub(super) fn refuse(plan: &Plan) -> Result<(), String> {
    let graph = calls(plan);
    let groups = petgraph::algo::kosaraju_scc(&graph);
    let mut group_of = vec![0_usize; graph.node_count()];
    for (at, group) in groups.iter().enumerate() {
        for node in group {
            group_of[node.index()] = at;
        }
    }
    let mut inside: Vec<Vec<(usize, usize, f64)>> = vec![Vec::new(); groups.len()];
    for edge in graph.edge_references() {
        let (from, to) = (edge.source().index(), edge.target().index());
        if group_of[from] == group_of[to] {
            inside[group_of[from]].push((from, to, *edge.weight()));
        }
    }
    for (group, edges) in groups.iter().zip(&inside) {
        if !edges.is_empty() && goes_on(edges, graph.node_count()) {
            return Err(endless(plan, group));
        }
    }
    Ok(())
}

/// Whether requests that start at every endpoint of a group are still under way after many rounds: whether
/// the spectral radius of its matrix of calls is near one or above, by power iteration.
fn goes_on(edges: &[(usize, usize, f64)], nodes: usize) -> bool {
    let mut under_way = vec![0.0_f64; nodes];
    for (from, ..) in edges {
        under_way[*from] = 1.0;
    }
    for _ in 0..ROUNDS {
        let mut next = vec![0.0_f64; nodes];
        for (from, to, often) in edges {
            next[*to] += under_way[*from] * often;
        }
        under_way = next;
        let most = under_way.iter().copied().fold(0.0, f64::max);
        if !(1e-3..=1e6).contains(&most) {
            return most > 1.0;
        }
    }
    true
}

fn endless(plan: &Plan, group: &[NodeIndex]) -> String {
    let mut names: Vec<_> = group.iter().map(|n| plan.endpoints[n.index()].name.as_str()).collect();
    names.sort_unstable();
    let shown = names.iter().take(4).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
    format!(
        "requests would call each other without end: {shown}{more}; break the circle, make a call of it \
         asynchronous, or give it a `probability` that lets requests die out"
    )
}

/// Endpoints, and how often one request at the first becomes one at the second.
fn calls(plan: &Plan) -> DiGraph<(), f64> {
    let mut graph = DiGraph::new();
    for _ in &plan.endpoints {
        graph.add_node(());
    }
    for (from, endpoint) in plan.endpoints.iter().enumerate() {
        let script = plan.steps.iter().skip(endpoint.script as usize).take_while(|s| **s != Step::Done);
        for step in script {
            let Step::Calls { first, count } = step else { continue };
            for edge in plan.groups.iter().skip(*first as usize).take(*count as usize) {
                let call = &plan.edges[edge.index()];
                let often = call.probability * f64::from(call.times);
                // In the worst case what stands in is called as often.
                let mut next = Some(*edge);
                while let Some(edge) = next.map(|e| &plan.edges[e.index()]) {
                    let (to, among) = match edge.target {
                        Target::One(to) => (to, 1),
                        Target::Spread { first, count } => (first, count),
                    };
                    for to in to.0..to.0 + among {
                        graph.add_edge(
                            NodeIndex::new(from),
                            NodeIndex::new(to as usize),
                            often / f64::from(among),
                        );
                    }
                    next = match edge.fallback {
                        Fallback::Call(other) => Some(other),
                        Fallback::None | Fallback::Answer => None,
                    };
                }
            }
        }
    }
    graph
}
