//! retry-amplification: retries that multiply along a path.

use crate::analysis::{AmplifiedPath, factor, worst_paths};
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
    ])
    .reads(&[
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.retry_on",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.retry.budget.percent",
        "services.endpoints.calls.circuit_breaker",
        "services.endpoints.exposure",
        "services.exposure",
        "services.kind",
        "services.consumes",
        "communications.retry_count",
        "mesh.retry.num_retries",
        "mesh.retry.budget.percent",
        "mesh.circuit_breaker",
        "traffic.to",
        "upstreams",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let error = ctx.number(RULE.info, "error");
    out.extend(amplified(ctx).filter_map(|path| finding(ctx, &path, path.product >= error)));
}

/// The paths this rule speaks of.
pub fn amplified(ctx: &Context<'_>) -> impl Iterator<Item = AmplifiedPath> {
    let (warning, error) = (ctx.number(RULE.info, "warning"), ctx.number(RULE.info, "error"));
    let paths = worst_paths(ctx.arch, &ctx.calls).into_iter();
    paths.filter(move |path| path.product >= warning.min(error))
}

fn finding(ctx: &Context<'_>, path: &AmplifiedPath, is_error: bool) -> Option<Finding> {
    let retrying: Vec<EdgeIndex> = path.hops.iter().filter(|h| h.factor > 1.0).map(|h| h.edge).collect();
    let (last, before) = retrying.split_last()?;
    let callee = ctx.id(ctx.arch.ends(*last).1);
    let entry = path.entry.id(ctx.arch);
    let product = rounded(path.product);
    let message = format!("one request to `{entry}` can become {product} calls of `{callee}`");
    let mut finding = Finding::new(RULE.info, says(ctx, *last), message).label(times(ctx, *last));
    let mut said = BTreeSet::from([says(ctx, *last)]);
    if path.clients > 1.0 {
        let (id, tries) = (ctx.id(path.entry.service), rounded(path.clients));
        finding = finding.note(format!("clients of `{id}` try {tries} times, by `upstreams.{id}`"));
    }
    for edge in before {
        // A number that several inherit is pointed at once.
        if said.len() <= Context::POINTED && said.insert(says(ctx, *edge)) {
            finding = finding.also(says(ctx, *edge), times(ctx, *edge));
        }
    }
    if let Some(mesh) = mesh_retries(ctx) {
        finding = finding
            .also(mesh.span, format!("the mesh tries every call {} times", mesh.value.saturating_add(1)));
    }
    for hop in path.hops.iter().take(Context::KEPT) {
        let plural = if hop.factor > 1.0 { "attempts" } else { "attempt" };
        finding = ctx.hop(finding, hop.edge, format!("{} {plural}", rounded(hop.factor)));
    }
    let clients = std::iter::once(path.clients);
    let factors = clients.chain(path.hops.iter().map(|h| h.factor)).filter(|f| *f > 1.0);
    let factors: Vec<_> = factors.map(rounded).collect();
    finding = finding.note(format!("{} = {product}, when `{callee}` fails", Context::line(&factors, " × ")));
    if path.others > 0 {
        let (more, plural) = (path.others, if path.others == 1 { "entry leads" } else { "entries lead" });
        finding = finding.note(format!("{more} more {plural} to the same retries"));
    }
    let mut severity = if is_error { Severity::Error } else { Severity::Warning };
    if let Some(breaker) = breaker(ctx, path) {
        severity = if is_error { Severity::Warning } else { Severity::Info };
        finding = finding.note(format!("{breaker} may end it sooner"));
    }
    finding = finding
        .severity(severity)
        .help("retry at one level only, or give each level a `budget: { percent: 20% }`")
        .number("amplification", path.product);
    Some(retrying.iter().take(Context::KEPT).fold(finding, |f, e| {
        let (_, from, to) = ctx.edge(*e);
        f.about(format!("{} → {}", ctx.id(from), ctx.id(to)))
    }))
}

/// The first breaker that stands in the way.
fn breaker(ctx: &Context<'_>, path: &AmplifiedPath) -> Option<String> {
    let mesh = ctx.arch.mesh.as_ref().and_then(|m| m.circuit_breaker.as_ref());
    if mesh.is_some_and(|b| b.value.on().is_some()) {
        return Some("the circuit breaker of the mesh".to_owned());
    }
    let (_, from, to) = ctx.edge(path.hops.iter().find(|h| ctx.arch.graph[h.edge].breaker().is_some())?.edge);
    Some(format!("the circuit breaker of `{} → {}`", ctx.id(from), ctx.id(to)))
}

/// Where a call says that it retries.
pub fn says(ctx: &Context<'_>, edge: EdgeIndex) -> Span {
    let (call, ..) = ctx.edge(edge);
    call.retry().and_then(|r| r.num_retries).map_or(call.span, |n| n.span)
}

/// How often a call is tried, and who says so.
pub fn times(ctx: &Context<'_>, edge: EdgeIndex) -> String {
    let (call, from, to) = ctx.edge(edge);
    let (from, to) = (ctx.id(from), ctx.id(to));
    let mut origin = ctx.origin(says(ctx, edge));
    if let Some(written) =
        origin.strip_prefix(" (from upstreams.").filter(|o| !o.starts_with(&format!("{to} ")))
    {
        // What stands with another service is here by an alias of YAML.
        origin = format!(" (an alias of what is in upstreams.{written}");
    }
    let budget = match factor(ctx.arch, call) {
        counted if mesh_retries(ctx).is_none() && counted < f64::from(call.attempts()) => {
            format!(", {} under its budget", rounded(counted))
        }
        _ => String::new(),
    };
    match (call.attempts(), mesh_retries(ctx).map(|m| m.value.saturating_add(1))) {
        (1, Some(mesh)) => format!("`{from} → {to}` is tried {mesh} times by the mesh"),
        (own, Some(mesh)) => {
            format!("`{from} → {to}` is tried {own} times{origin}, each {mesh} times by the mesh")
        }
        (own, None) => format!("`{from} → {to}` is tried {own} times{origin}{budget}"),
    }
}

/// The retries of the mesh, where it has any.
pub fn mesh_retries(ctx: &Context<'_>) -> Option<Spanned<u32>> {
    let retry = ctx.arch.mesh.as_ref()?.retry.as_ref()?.value.on()?;
    retry.num_retries.filter(|n| n.value > 0)
}

fn rounded(value: f64) -> String {
    if value >= 1e9 {
        return "more than a thousand million".to_owned();
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
