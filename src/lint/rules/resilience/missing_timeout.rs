//! missing-timeout: a synchronous call that waits forever.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a synchronous call that waits forever.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "missing-timeout",
        "a synchronous call that waits forever",
        include_str!("missing-timeout.md"),
    )
    .together("calls wait for an answer forever")
    .reads(&[
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.protocol",
        "mesh.timeout",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mesh =
        ctx.arch.mesh.as_ref().and_then(|m| m.timeout.as_ref()).is_some_and(|t| t.value.on().is_some());
    for (index, edge) in ctx.arch.edges() {
        // Edges without detail (`dependencies`, imports) say nothing of how they call.
        if !edge.is_sync_call()
            || edge.bound().is_some()
            || mesh
            || !edge.is_detailed()
            || ctx.is_broken(edge.whole)
        {
            continue;
        }
        let id = ctx.arch.edge_id(index);
        let off = edge.policy.timeout.as_ref().filter(|_| edge.says_no_timeout());
        let span = off.map_or(edge.span, |t| t.span);
        let finding =
            Finding::new(RULE.info, span, format!("`{}` has no timeout", ctx.arch.edge_label(index)));
        let finding = match off {
            Some(timeout) => finding.label(format!("switched off here{}", ctx.origin(timeout.span))),
            None => finding.label("waits for an answer forever"),
        };
        out.push(
            finding
                .help(
                    "add `timeout: …` to the call, or to `defaults: { call: … }` of the file for all of them",
                )
                .about(id),
        );
    }
}
