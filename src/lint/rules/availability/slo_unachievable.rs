//! slo-unachievable: a promise above what the declared numbers of its dependencies allow.

use super::{needed_in, promised, says, written};
use crate::analysis::{Ceiling, Element, Promise, percent};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;

/// a promise of availability that its dependencies do not allow.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "slo-unachievable",
        "a promise of availability that its dependencies do not allow",
        include_str!("slo-unachievable.md"),
    )
    .reads(&[
        "services.slo.availability",
        "services.endpoints.slo.availability",
        "services.availability",
        "datastores.availability",
        "services.external",
        "services.health_check.path",
        "services.endpoints.calls.probability",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found: Option<NodeIndex> = None;
    for promise in ctx.promises() {
        let Some(ceiling) = promise.broken_by() else { continue };
        // The promise of a service breaks with that of its endpoint, by the same cause.
        if matches!(promise.of, Element::Service(_)) && found == Some(promise.of.node()) {
            continue;
        }
        found = Some(promise.of.node());
        out.push(judge(ctx, promise, ceiling));
    }
}

fn judge(ctx: &Context<'_>, promise: &Promise, ceiling: &Ceiling) -> Finding {
    let name = promise.of.name(ctx.arch);
    let reached = percent(ceiling.value);
    let message = format!("`{name}` promises {} and can reach {reached} at the most", promise.number);
    let mut finding = Finding::new(RULE.info, promised(ctx, promise), message).label("promised here");
    for (nth, (group, factor)) in
        ceiling.groups.iter().flat_map(|g| g.factors.iter().map(move |f| (g, f))).enumerate()
    {
        let part = needed_in(group.share);
        if nth < 6 {
            let text = format!("{}{part}", says(ctx, factor));
            finding = finding.also(written(ctx, factor.node, factor.said), text);
        }
        let value = format!("{}{part}", factor.number);
        finding = if let Some(edge) = factor.by {
            ctx.hop(finding, edge, value)
        } else {
            let id = ctx.id(factor.node);
            finding.hop(written(ctx, factor.node, factor.said), id, id, value)
        };
    }
    finding = finding.note(format!("{} = {reached}", ceiling.product()));
    if ceiling.of != promise.of {
        let best = ceiling.of.name(ctx.arch);
        finding = finding.note(format!("of its endpoints `{best}` can reach most"));
    }
    if let Some(unknown) = unknown(ctx, ceiling) {
        finding = finding.note(unknown);
    }
    let least = ceiling.factors().min_by_key(|f| f.number);
    let better = match least {
        Some(f) if f.node != promise.of.node() => {
            format!("make `{}` better, or survive its failure with a `fallback`", ctx.id(f.node))
        }
        _ => format!("make `{}` itself better", ctx.id(promise.of.node())),
    };
    finding
        .help(format!("promise no more than {reached}, {better}"))
        .number("promised", promise.number.fraction())
        .number("reachable", ceiling.value)
        .about(name)
}

/// What makes the product no more than an upper bound.
fn unknown(ctx: &Context<'_>, ceiling: &Ceiling) -> Option<String> {
    let more = if ceiling.complete { "" } else { "; not all that it needs was looked at" };
    let names: Vec<_> = ceiling.unknown.iter().take(3).map(|n| format!("`{}`", ctx.id(*n))).collect();
    let rest = match ceiling.unknown.len() - names.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    match names.as_slice() {
        [] if more.is_empty() => None,
        [] => Some(format!("an upper bound{more}")),
        _ => Some(format!("an upper bound: nothing is said of {}{rest}{more}", names.join(", "))),
    }
}
