//! request-loop: a cycle of synchronous calls: a request can come back to itself.

use crate::analysis::shortest_cycle;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::EndpointRef;
use petgraph::graph::EdgeIndex;

/// a cycle of synchronous calls: a request can come back to itself.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "request-loop",
        "a cycle of synchronous calls: a request can come back to itself",
        include_str!("request-loop.md"),
    )
    .reads(&[
        "services.endpoints.calls.call",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.fallback",
        "services.endpoints.max_recursion",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let graph = &ctx.calls.graph;
    for group in ctx.calls.endless_loops(ctx.arch) {
        let cycle: Vec<EdgeIndex> = shortest_cycle(graph, &group).iter().map(|e| graph[*e]).collect();
        let Some((first, rest)) = cycle.split_first() else { continue };
        let names: Vec<String> = cycle.iter().map(|e| caller(ctx, *e)).collect();
        let start = names.first().cloned().unwrap_or_default();
        let message = match rest.len() {
            0 => format!("`{start}` calls itself"),
            n => format!("a request to `{start}` comes back to it after {} calls", n + 1),
        };
        let mut finding =
            Finding::new(RULE.info, ctx.arch.graph[*first].span, message).label("the circle starts here");
        for (edge, name) in rest.iter().zip(names.iter().skip(1)) {
            finding = finding.also(ctx.arch.graph[*edge].span, format!("then `{name}` calls on"));
        }
        for (edge, name) in cycle.iter().zip(&names) {
            finding = finding.hop(ctx.arch.graph[*edge].span, name, callee(ctx, *edge), "");
        }
        finding = finding.note(round(&names));
        if group.nodes.len() > cycle.len() {
            finding =
                finding.note(format!("{} endpoints can reach each other in this way", group.nodes.len()));
        }
        finding = finding.help(
            "answer with a message instead of a call, or say `max_recursion: N` on an endpoint of it where an end is certain",
        );
        let mut members: Vec<String> = group.nodes.iter().map(|n| graph[*n].id(ctx.arch)).collect();
        members.sort();
        out.push(members.into_iter().fold(finding, Finding::about));
    }
}

fn caller(ctx: &Context<'_>, edge: EdgeIndex) -> String {
    let (data, from, _) = ctx.edge(edge);
    // A call of all endpoints stands for the one the walk came through.
    data.from_endpoint.map_or_else(
        || ctx.id(from).to_owned(),
        |endpoint| ctx.arch.endpoint_id(EndpointRef { service: from, endpoint }),
    )
}

fn callee(ctx: &Context<'_>, edge: EdgeIndex) -> String {
    let (data, _, to) = ctx.edge(edge);
    data.to_endpoint.map_or_else(
        || ctx.id(to).to_owned(),
        |endpoint| ctx.arch.endpoint_id(EndpointRef { service: to, endpoint }),
    )
}

/// The circle in one line, its middle left out where it is long: the path tells each step.
fn round(names: &[String]) -> String {
    let left_out = if names.len() > 16 { 6..names.len() - 6 } else { 0..0 };
    let middle = (!left_out.is_empty()).then(|| format!("… {} more …", left_out.len()));
    let head = names.iter().take(left_out.start).cloned();
    let tail = names.iter().skip(left_out.end).chain(names.first()).cloned();
    head.chain(middle).chain(tail).collect::<Vec<_>>().join(" → ")
}
