//! event-cycle: a message that brings itself about again.

use crate::analysis::event_cycles;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::EdgeKind;
use petgraph::graph::EdgeIndex;

/// a message that brings itself about again.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "event-cycle",
        "a message that brings itself about again",
        include_str!("event-cycle.md"),
    )
    .reads(&[
        "services.consumes.calls",
        "services.consumes.ends",
        "services.consumes.types",
        "services.endpoints.calls.publish",
        "services.endpoints.calls.type",
        "services.endpoints.max_recursion",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for group in event_cycles(ctx.arch) {
        let Some((first, rest)) = group.cycle.split_first() else { continue };
        let sent = ctx.id(ctx.edge(*first).2);
        let message = format!("what is sent to `{sent}` leads to it being sent again");
        let mut finding =
            Finding::new(RULE.info, ctx.arch.graph[*first].span, message).label(does(ctx, *first));
        for edge in rest {
            finding = finding.also(ctx.arch.graph[*edge].span, format!("then {}", does(ctx, *edge)));
        }
        for edge in &group.cycle {
            finding = ctx.hop(finding, *edge, "");
        }
        let on_cycle = group.cycle.iter().filter(|e| ctx.arch.graph[**e].kind != EdgeKind::Publish).count();
        if group.members.len() > on_cycle {
            let all: Vec<_> = group.members.iter().take(8).map(|at| ctx.arch.endpoint_id(*at)).collect();
            let more = if group.members.len() > all.len() { ", …" } else { "" };
            finding = finding.note(format!("all that set each other off: {}{more}", all.join(", ")));
        }
        finding = finding
            .help("break the circle, or say `ends: true` on a consumer of it where a condition ends it");
        let mut members: Vec<String> = group.members.iter().map(|at| ctx.arch.endpoint_id(*at)).collect();
        members.sort();
        out.push(members.into_iter().fold(finding, Finding::about));
    }
}

fn does(ctx: &Context<'_>, edge: EdgeIndex) -> String {
    let (data, from, to) = ctx.edge(edge);
    let (from, to) = (ctx.id(from), ctx.id(to));
    match (data.kind, &data.message) {
        (EdgeKind::Publish, Some(kind)) => format!("`{from}` sends `{}` to `{to}`", kind.value),
        (EdgeKind::Publish, None) => format!("`{from}` sends to `{to}`"),
        (EdgeKind::Consume, _) => format!("`{to}` handles it"),
        _ => format!("`{from}` calls `{to}`"),
    }
}
