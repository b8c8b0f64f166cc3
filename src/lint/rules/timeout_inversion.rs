//! timeout-inversion: a caller that gives up before what it waits for can fail.

use crate::analysis::single_call_bound;
use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::{Edge, Origin};
use crate::source::Span;
use petgraph::graph::EdgeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;

/// a caller that gives up before what it waits for can fail.
pub static RULE: Rule = Rule {
    info: &RuleInfo {
        id: "timeout-inversion",
        summary: "a caller that gives up before what it waits for can fail",
        severity: Severity::Warning,
        pedantic: false,
        together: "",
        settings: &[],
        page: include_str!("timeout-inversion.md"),
    },
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut shared: BTreeMap<Span, (usize, Finding)> = BTreeMap::new();
    let graph = &ctx.calls.graph;
    for outer in graph.edge_references() {
        for (inner, _) in ctx.calls.calls(outer.target()) {
            let Some((finding, same)) = judge(ctx, *outer.weight(), inner) else { continue };
            match same {
                None => out.push(finding),
                Some(span) => shared.entry(span).or_insert((0, finding)).0 += 1,
            }
        }
    }
    // One inherited number on both sides is one cause, however many calls inherit it.
    for (count, finding) in shared.into_values() {
        let more = count - 1;
        out.push(if more == 0 {
            finding
        } else {
            finding.note(format!("so do {more} more pairs of calls that inherit it"))
        });
    }
}

/// A finding if `inner` may take as long as `outer` waits; with the bytes of the value where both inherit
/// the same one.
fn judge(ctx: &Context<'_>, outer: EdgeIndex, inner: EdgeIndex) -> Option<(Finding, Option<Span>)> {
    let (call, from, to) = ctx.edge(outer);
    let (next, _, far) = ctx.edge(inner);
    let propagates = |e: &Edge| e.policy.propagate_deadline.is_some_and(|p| p.value);
    if !next.is_sync_call() || propagates(call) || propagates(next) {
        return None;
    }
    let (waits, says) = (call.bound()?, said(call)?);
    // Most pairs are in order: no words are made for them.
    if next.bound()? < waits {
        return None;
    }
    let (takes, sum) = single_call_bound(next).ok()?;
    let (u, v, w) = (ctx.id(from), ctx.id(to), ctx.id(far));
    let at = said(next).unwrap_or(next.span);
    let same = (at == says && takes == waits).then_some(says);
    let finding = Finding::new(RULE.info, says, format!("`{u}` gives up before `{v}` can fail"));
    let finding = match same {
        Some(_) => finding
            .label(format!("every call waits {waits}{}", ctx.origin(says)))
            .also(call.span, format!("`{u}` waits {waits} for `{v}`"))
            .also(next.span, format!("while `{v}` may wait as long for `{w}`: {sum}"))
            .help(format!(
                "give the outer calls more than {takes}, or carry the deadline on with `propagate_deadline: true`"
            )),
        None => finding
            .label(format!("the caller waits {waits}{}{}", attempts(call, says), ctx.origin(says)))
            .also(at, format!("but this call may take {takes}: {sum}{}", ctx.origin(at)))
            .help(format!("{} above {takes}, or lower `{v} → {w}` below {waits}", raise(call, says))),
    };
    let finding = finding
        .hop(u, v, format!("waits {waits}"))
        .hop(v, w, format!("may take {takes}"))
        .number("timeout_s", waits.seconds())
        .number("callee_s", takes.seconds());
    let finding = match same {
        // The identity of the shared cause is the block it comes from, not one of its pairs.
        Some(span) => finding.about(match ctx.arch.layers.origin(span) {
            Origin::Inherited(block) => block,
            Origin::Own => ctx.arch.edge_id(outer),
        }),
        None => finding.about(ctx.arch.edge_id(outer)).about(ctx.arch.edge_id(inner)),
    };
    Some((finding, same))
}

/// The value that says how long a caller waits at the most, retries included: T, or p where n·p + b is less.
fn said(call: &Edge) -> Option<Span> {
    let bound = call.bound()?;
    let whole = call.timeout().filter(|t| t.value == bound);
    whole.or_else(|| call.per_try_timeout()).map(|by| by.span)
}

/// Whether it is the timeout of all attempts together.
fn is_whole(call: &Edge, says: Span) -> bool {
    call.timeout().is_some_and(|t| t.span == says)
}

/// ` in all: 3 attempts × 1s`, where the attempts say how long.
fn attempts(call: &Edge, says: Span) -> String {
    let sum = if is_whole(call, says) { None } else { single_call_bound(call).ok() };
    sum.map_or_else(String::new, |(_, sum)| format!(" in all: {sum}"))
}

fn raise(call: &Edge, says: Span) -> &'static str {
    if is_whole(call, says) { "raise it" } else { "raise all attempts together" }
}
