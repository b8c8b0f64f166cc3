//! fallback-shares-fate: a stand-in that fails with what it stands in for.

use crate::analysis::{Closure, Element, FailureGraph, alternatives};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::Fallback;
use petgraph::graph::{EdgeIndex, NodeIndex};

/// a stand-in that fails with what it stands in for.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "fallback-shares-fate",
        "a stand-in that fails with what it stands in for",
        include_str!("fallback-shares-fate.md"),
    )
    .reads(&[
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.fallback.call",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.read",
        "services.endpoints.calls.write",
        "communications.fallback",
    ]),
    check,
};

/// Parts that are looked at behind one call, and for all fallbacks together before it is fewer.
const LIMITS: [usize; 2] = [2_000, 32];
const BUDGET: usize = 1_000_000;

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let graph = ctx.failures();
    let mut looked = 0_usize;
    for (index, edge) in ctx.arch.edges().filter(|(_, e)| !e.stands_in()) {
        let Some(Fallback::Call(stand_in)) = edge.fallback.as_ref().map(|f| f.value) else { continue };
        // Where a fixed answer comes last, the request survives.
        let Some(ways) = alternatives(ctx.arch, index) else { continue };
        let asked: Vec<Element> = ways.iter().filter_map(|way| graph.asked(ctx.arch, *way)).collect();
        let limit = if looked < BUDGET { LIMITS[0] } else { LIMITS[1] };
        let all: Vec<Closure> = asked.iter().map(|part| graph.certain(&[*part], limit)).collect();
        looked += all.iter().map(|c| c.parts.len()).sum::<usize>();
        let Some((first, rest)) = all.split_first() else { continue };
        let nodes = first.parts.iter().filter_map(|part| match part {
            Element::Node(node) => Some(*node),
            _ => None,
        });
        let common =
            nodes.filter(|node| rest.iter().all(|c| graph.needed_from(c, Element::Node(*node)).is_some()));
        let callee = ctx.arch.ends(index).1;
        let own = caller(ctx, graph, index, limit);
        // What the request needs anyway fails it whatever stands in.
        let fate =
            common.into_iter().find(|n| *n == callee || graph.needed_from(&own, Element::Node(*n)).is_none());
        if let Some(fate) = fate {
            out.push(judge(ctx, index, stand_in, fate, (&asked, &all)));
        }
    }
}

/// What the caller needs beside this call.
fn caller(ctx: &Context<'_>, graph: &FailureGraph, index: EdgeIndex, limit: usize) -> Closure {
    let service = ctx.arch.ends(index).0;
    let part = match ctx.arch.graph[index].from_endpoint {
        Some(endpoint) => Element::Endpoint(crate::model::EndpointRef { service, endpoint }),
        None => Element::Service(service),
    };
    graph.certain(&[part], limit)
}

fn judge(
    ctx: &Context<'_>,
    index: EdgeIndex,
    stand_in: EdgeIndex,
    fate: NodeIndex,
    (asked, closures): (&[Element], &[Closure]),
) -> Finding {
    let graph = ctx.failures();
    let (call, _, callee) = ctx.edge(index);
    let (other, _, second) = ctx.edge(stand_in);
    let (u, v, n) = (ctx.id(callee), ctx.id(second), ctx.id(fate));
    let message = match () {
        () if fate == callee && second == callee => format!("what stands in for `{u}` is `{u}` again"),
        () if fate == callee => format!("`{v}` stands in for `{u}` and fails with it"),
        () if fate == second => format!("`{u}` and what stands in for it fail with `{v}`"),
        () => format!("`{u}` and what stands in for it, `{v}`, both fail with `{n}`"),
    };
    let mut finding = Finding::new(RULE.info, other.span, message)
        .label("the fallback")
        .also(call.span, format!("stands in for this call of `{u}`"));
    finding = match asked.len().saturating_sub(2) {
        0 => finding,
        1 => finding.note("and so does what stands in for the fallback"),
        n => finding.note(format!("and so do the {n} that stand in for the fallback")),
    };
    let ways = [(index, asked.first(), closures.first()), (stand_in, asked.get(1), closures.get(1))];
    for (edge, part, closure) in ways {
        let (Some(_), Some(closure)) = (part, closure) else { continue };
        finding = ctx.hop(finding, edge, if edge == index { "fails" } else { "the fallback fails" });
        for step in graph.way(closure, Element::Node(fate)) {
            finding = ctx.hop(finding, step.edge, "fails");
            let data = &ctx.arch.graph[step.edge];
            finding = finding.also(data.span, format!("`{}` needs it", ctx.arch.edge_label(step.edge)));
        }
    }
    finding
        .help(format!("stand in with what does not need `{n}`: another service, or `static` or `cached`"))
        .about(ctx.arch.edge_id(index))
        .about(ctx.arch.edge_id(stand_in))
}
