//! stopped-dependency: a call of a service that is declared stopped.

use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::words::Status;
use petgraph::graph::EdgeIndex;

/// a call of a service that is declared stopped.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "stopped-dependency",
        "a call of a service that is declared stopped",
        include_str!("stopped-dependency.md"),
    ),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, node, service) in ctx.arch.services() {
        let Some(status) = service.status.filter(|s| s.value == Status::Stopped) else { continue };
        let calls: Vec<_> =
            ctx.arch.incoming(index).into_iter().filter(|e| ctx.arch.graph[*e].is_sync_call()).collect();
        let Some((first, rest)) = calls.split_first() else { continue };
        // What survives the failure only degrades.
        let hard = calls.iter().any(|e| ctx.arch.graph[*e].is_hard());
        let severity = if hard { Severity::Error } else { Severity::Warning };
        let id = &node.id.value;
        let caller = |e: &EdgeIndex| format!("`{}` calls it", ctx.id(ctx.arch.ends(*e).0));
        let callers = match rest.len() {
            0 => format!("`{}` calls `{id}`, which is stopped", ctx.id(ctx.arch.ends(*first).0)),
            n => format!("{} calls go to `{id}`, which is stopped", n + 1),
        };
        let mut finding =
            Finding::new(RULE.info, status.span, callers).label("declared stopped here").severity(severity);
        for edge in calls.iter().take(4) {
            finding = finding.also(ctx.arch.graph[*edge].span, caller(edge));
        }
        if calls.len() > 4 {
            finding = finding.note(format!("and {} more", calls.len() - 4));
        }
        out.push(finding.help("start it, remove the calls, or give them a `fallback`").about(id));
    }
}
