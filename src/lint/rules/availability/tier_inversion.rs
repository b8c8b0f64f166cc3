//! tier-inversion: a critical service that cannot do without a less critical one.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;

/// a critical service that cannot do without a less critical one.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "tier-inversion",
        "a critical service that cannot do without a less critical one",
        include_str!("tier-inversion.md"),
    )
    .reads(&[
        "services.tier",
        "defaults.service.tier",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // One finding for two services, however often one calls the other.
    let hard = ctx.arch.edges().filter(|(_, e)| e.is_hard());
    let mut calls: Vec<_> = hard.map(|(index, _)| (ctx.arch.ends(index), index)).collect();
    calls.sort_unstable();
    for same in calls.chunk_by(|a, b| a.0 == b.0) {
        let tier = |node: NodeIndex| ctx.arch.graph[node].service().and_then(|s| s.tier);
        let [((from, to), first), rest @ ..] = same else { continue };
        let (from, to) = (*from, *to);
        let (Some(own), Some(other)) = (tier(from), tier(to)) else { continue };
        if other.value <= own.value {
            continue;
        }
        let (u, v) = (ctx.id(from), ctx.id(to));
        let message = format!("`{u}` (tier {}) cannot do without `{v}` (tier {})", own.value, other.value);
        let mut finding = Finding::new(RULE.info, ctx.arch.graph[*first].span, message)
            .label("a request fails with this call")
            .also(own.span, format!("`{u}` is of tier {}{}", own.value, ctx.origin(own.span)))
            .also(
                other.span,
                format!("`{v}` is less critical: tier {}{}", other.value, ctx.origin(other.span)),
            );
        if !rest.is_empty() {
            finding = finding.note(format!("and {} more of its calls", rest.len()));
        }
        out.push(
            ctx.hop(finding, *first, format!("tier {} needs tier {}", own.value, other.value))
                .help(format!(
                    "survive its failure with `optional: true` or a `fallback`, or run `{v}` at tier {}",
                    own.value
                ))
                .about(u)
                .about(v),
        );
    }
}
