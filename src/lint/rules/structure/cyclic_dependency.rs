//! cyclic-dependency: services that depend on each other in a circle.

use crate::analysis::{components, shortest_cycle, smallest_cut};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeSet;

/// services that depend on each other in a circle.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "cyclic-dependency",
        "services that depend on each other in a circle",
        include_str!("cyclic-dependency.md"),
    )
    .reads(&[
        "services.dependencies",
        "services.endpoints.calls.call",
        "services.endpoints.calls.protocol",
        "services.endpoints.max_recursion",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let arch = ctx.arch;
    let looping = looping_services(ctx);
    for group in components(&arch.graph, |e| arch.graph[e].is_sync_call()) {
        // A loop of endpoints is request-loop's: one finding per cause.
        if group.nodes.iter().any(|n| looping.contains(n)) {
            continue;
        }
        let cycle = shortest_cycle(&arch.graph, &group);
        let Some((first, rest)) = cycle.split_first() else { continue };
        let id = |node: NodeIndex| format!("`{}`", ctx.id(node));
        let message = match (group.nodes.as_slice(), group.nodes.len()) {
            ([one], _) => format!("{} calls itself", id(*one)),
            ([a, b], _) => format!("{} and {} depend on each other", id(*a), id(*b)),
            (_, n) => format!("{n} services depend on each other in a circle"),
        };
        let says = |edge: EdgeIndex| {
            let (_, from, to) = ctx.edge(edge);
            format!("{} calls {}", id(from), id(to))
        };
        let mut finding = Finding::new(RULE.info, arch.graph[*first].span, message).label(says(*first));
        for edge in rest {
            finding = finding.also(arch.graph[*edge].span, says(*edge));
        }
        for edge in &cycle {
            finding = ctx.hop(finding, *edge, "");
        }
        let members: Vec<_> = group.nodes.iter().map(|n| ctx.id(*n)).collect();
        if group.nodes.len() > cycle.len() {
            finding = finding.note(format!("the whole group: {}", listed(&members)));
        }
        finding = finding.help(advice(ctx, &smallest_cut(&arch.graph, &group)));
        let mut members: Vec<_> = members.into_iter().map(str::to_owned).collect();
        members.sort();
        out.push(members.into_iter().fold(finding, Finding::about));
    }
}

/// Services with an endpoint on a loop of calls.
fn looping_services(ctx: &Context<'_>) -> BTreeSet<NodeIndex> {
    let groups = ctx.calls.loops(ctx.arch);
    groups.iter().flat_map(|g| g.nodes.iter()).map(|n| ctx.calls.graph[*n].service).collect()
}

fn advice(ctx: &Context<'_>, (cut, exact): &(Vec<(NodeIndex, NodeIndex)>, bool)) -> String {
    let edges: Vec<_> = cut.iter().map(|(a, b)| format!("`{} → {}`", ctx.id(*a), ctx.id(*b))).collect();
    let edges: Vec<_> = edges.iter().map(String::as_str).collect();
    let size = if *exact { "the smallest cut" } else { "a small cut" };
    let what = if edges.len() == 1 { "it" } else { "them" };
    format!("{size} is {}: remove {what}, or make {what} asynchronous", listed(&edges))
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}
