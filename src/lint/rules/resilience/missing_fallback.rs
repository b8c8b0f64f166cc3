//! missing-fallback: a call that nothing stands in for.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a call that nothing stands in for.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "missing-fallback",
        "a call that nothing stands in for",
        include_str!("missing-fallback.md"),
    )
    .pedantic()
    .together("calls have nothing that stands in for them")
    .reads(&[
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.protocol",
        "communications.fallback",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, edge) in ctx.arch.edges() {
        if !edge.is_hard() || !edge.is_detailed() || ctx.is_broken(edge.whole) {
            continue;
        }
        let off = edge.fallback.as_ref();
        let label = ctx.arch.edge_label(index);
        let finding = Finding::new(
            RULE.info,
            off.map_or(edge.span, |f| f.span),
            format!("nothing stands in when `{label}` fails"),
        );
        out.push(
            finding
                .label(if off.is_some() { "switched off here" } else { "the request fails with it" })
                .help("add `fallback: static`, `cached` or another call, or `optional: true` if the request can do without")
                .about(ctx.arch.edge_id(index)),
        );
    }
}
