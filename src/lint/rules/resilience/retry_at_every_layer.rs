//! retry-at-every-layer: calls in a row that all repeat the same failure.

use super::retry_amplification::{amplified, mesh_retries, says, times};
use crate::analysis::{Layers, retry_layers};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::EdgeIndex;
use std::collections::BTreeSet;

/// calls in a row that all repeat the same failure.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-at-every-layer",
        "calls in a row that all repeat the same failure",
        include_str!("retry-at-every-layer.md"),
    )
    .reads(&[
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.retry_on",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.retry.budget",
        "communications.retry_count",
        "mesh.retry.num_retries",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // Where retry-amplification speaks the cause is told.
    let told: BTreeSet<EdgeIndex> =
        amplified(ctx).flat_map(|path| path.hops).filter(|h| h.factor > 1.0).map(|h| h.edge).collect();
    for group in retry_layers(ctx.arch, &ctx.calls) {
        if !group.calls.iter().any(|call| told.contains(call)) {
            out.extend(finding(ctx, &group));
        }
    }
}

fn finding(ctx: &Context<'_>, group: &Layers) -> Option<Finding> {
    let (first, rest) = group.row.split_first()?;
    let (entry, callee) = (ctx.edge(*first).1, ctx.edge(*group.row.last()?).2);
    let (entry, callee) = (ctx.id(entry), ctx.id(callee));
    let layers = group.row.len();
    let message = format!("a failure of `{callee}` is repeated in {layers} layers up to `{entry}`");
    let mut finding = Finding::new(RULE.info, says(ctx, *first), message).label(times(ctx, *first));
    let mut said = BTreeSet::from([says(ctx, *first)]);
    for edge in rest {
        // A number that several inherit is pointed at once.
        if said.insert(says(ctx, *edge)) {
            finding = finding.also(says(ctx, *edge), times(ctx, *edge));
        }
    }
    if let Some(mesh) = mesh_retries(ctx) {
        let tries = mesh.value.saturating_add(1);
        finding = finding.also(mesh.span, format!("the mesh tries every call {tries} times"));
    }
    for edge in &group.row {
        let attempts = crate::analysis::factor(ctx.arch, &ctx.arch.graph[*edge]);
        finding = ctx.hop(finding, *edge, format!("{attempts} attempts"));
    }
    let others = group.calls.len() - layers.min(group.calls.len());
    if others > 0 {
        let plural = if others == 1 { "call retries" } else { "calls retry" };
        finding = finding.note(format!("{others} more {plural} right before or behind these"));
    }
    finding = finding
        .help(format!("retry `{callee}` where it is called and nowhere above, or give each layer a `budget: {{ percent: 20% }}`"));
    Some(group.row.iter().fold(finding, |f, e| {
        let (_, from, to) = ctx.edge(*e);
        f.about(format!("{} → {}", ctx.id(from), ctx.id(to)))
    }))
}
