//! retry-amplification: retries that multiply along a path.

use crate::analysis::worst_paths;
use crate::finding::{Finding, RuleInfo, Setting, Severity};
use crate::lint::{Context, Rule};
use crate::source::{Span, Spanned};
use petgraph::graph::EdgeIndex;
use std::collections::BTreeSet;

/// retries that multiply along a path.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-amplification",
        "retries that multiply along a path",
        include_str!("retry-amplification.md"),
    )
    .settings(&[
        Setting::new("warning", 10.0, "attempts per request from which it is a warning"),
        Setting::new("error", 30.0, "attempts per request from which it is an error"),
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let (warning, error) = (ctx.number(RULE.info, "warning"), ctx.number(RULE.info, "error"));
    let mut seen = BTreeSet::new();
    for path in worst_paths(ctx.arch, &ctx.calls) {
        // Entries that share the calls that retry share the cause.
        let retrying: Vec<EdgeIndex> = path.hops.iter().filter(|h| h.factor > 1.0).map(|h| h.edge).collect();
        if path.product < warning.min(error) || !seen.insert(retrying.clone()) {
            continue;
        }
        let severity = if path.product >= error { Severity::Error } else { Severity::Warning };
        let Some((last, before)) = retrying.split_last() else { continue };
        let callee = ctx.id(ctx.arch.ends(*last).1);
        let entry = ctx.arch.endpoint_id(path.entry);
        let product = rounded(path.product);
        let message = format!("one request to `{entry}` can become {product} calls of `{callee}`");
        let mut finding =
            Finding::new(RULE.info, says(ctx, *last), message).label(times(ctx, *last)).severity(severity);
        for edge in before {
            finding = finding.also(says(ctx, *edge), times(ctx, *edge));
        }
        if let Some(mesh) = mesh_retries(ctx) {
            finding = finding
                .also(mesh.span, format!("the mesh tries every call {} times", mesh.value.saturating_add(1)));
        }
        let factors: Vec<_> =
            path.hops.iter().filter(|h| h.factor > 1.0).map(|h| rounded(h.factor)).collect();
        for hop in &path.hops {
            let plural = if hop.factor > 1.0 { "attempts" } else { "attempt" };
            finding = ctx.hop(finding, hop.edge, format!("{} {plural}", rounded(hop.factor)));
        }
        finding = finding
            .note(format!("{} = {product}, when `{callee}` fails", factors.join(" × ")))
            .help("retry at one level only, or give each level a `budget: { percent: 20% }`")
            .number("amplification", path.product);
        out.push(retrying.iter().fold(finding, |f, e| f.about(ctx.arch.edge_id(*e))));
    }
}

/// Where a call says that it retries.
fn says(ctx: &Context<'_>, edge: EdgeIndex) -> Span {
    let (call, ..) = ctx.edge(edge);
    call.retry().and_then(|r| r.num_retries).map_or(call.span, |n| n.span)
}

fn times(ctx: &Context<'_>, edge: EdgeIndex) -> String {
    let (call, from, to) = ctx.edge(edge);
    let origin = ctx.origin(says(ctx, edge));
    let (from, to) = (ctx.id(from), ctx.id(to));
    match (call.attempts(), mesh_retries(ctx).map(|m| m.value.saturating_add(1))) {
        (1, Some(mesh)) => format!("`{from} → {to}` is tried {mesh} times by the mesh"),
        (own, Some(mesh)) => {
            format!("`{from} → {to}` is tried {own} times{origin}, each {mesh} times by the mesh")
        }
        (own, None) => format!("`{from} → {to}` is tried {own} times{origin}"),
    }
}

/// The retries of the mesh, where it has any.
fn mesh_retries(ctx: &Context<'_>) -> Option<Spanned<u32>> {
    let retry = ctx.arch.mesh.as_ref()?.retry.as_ref()?.value.on()?;
    retry.num_retries.filter(|n| n.value > 0)
}

fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
