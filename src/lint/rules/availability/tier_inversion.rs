//! tier-inversion: a critical service that cannot do without a less critical one.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

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
    let mut pairs: BTreeMap<_, Vec<EdgeIndex>> = BTreeMap::new();
    for (index, _) in ctx.arch.edges().filter(|(_, e)| e.is_hard()) {
        pairs.entry(ctx.arch.ends(index)).or_default().push(index);
    }
    for ((from, to), edges) in pairs {
        let tier = |node: NodeIndex| ctx.arch.graph[node].service().and_then(|s| s.tier);
        let (Some(own), Some(other), [first, rest @ ..]) = (tier(from), tier(to), edges.as_slice()) else {
            continue;
        };
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
