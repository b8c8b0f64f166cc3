//! Calls that go round in circles: a simulation of them would never end.

use super::super::ids::EndpointId;
use super::super::plan::{Plan, Step, Target};
use petgraph::graph::{DiGraph, NodeIndex};

/// Refuses a plan in which one request causes, on average, one or more of its own kind. Where each round is
/// rarer than the last, requests die out and may be simulated.
pub(super) fn refuse(plan: &Plan) -> Result<(), String> {
    let graph = calls(plan);
    for group in petgraph::algo::kosaraju_scc(&graph) {
        let inside = |n: NodeIndex| group.contains(&n);
        let edges =
            graph.edge_indices().filter_map(|e| graph.edge_endpoints(e).map(|(a, b)| (a, b, graph[e])));
        let own: Vec<_> = edges.filter(|(a, b, _)| inside(*a) && inside(*b)).collect();
        // A bound that needs no eigenvalue: what an endpoint sends into its group, at the most.
        let most =
            group.iter().map(|n| own.iter().filter(|(a, ..)| a == n).map(|(.., often)| often).sum::<f64>());
        if !own.is_empty() && most.reduce(f64::max).is_some_and(|most| most >= 1.0) {
            let mut names: Vec<_> = group.iter().map(|n| plan.endpoints[n.index()].name.as_str()).collect();
            names.sort_unstable();
            let shown = names.iter().take(4).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
            return Err(format!(
                "requests would call each other without end: {shown}{more}; break the circle, make a call of it \
                 asynchronous, or give it a `probability`"
            ));
        }
    }
    Ok(())
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
                let edge = &plan.edges[edge.index()];
                let often = edge.probability * f64::from(edge.times);
                let (to, among) = match edge.target {
                    Target::One(to) => (to, 1),
                    Target::Spread { first, count } => (first, count),
                };
                for EndpointId(to) in (to.0..to.0 + among).map(EndpointId) {
                    graph.add_edge(
                        NodeIndex::new(from),
                        NodeIndex::new(to as usize),
                        often / f64::from(among),
                    );
                }
            }
        }
    }
    graph
}
