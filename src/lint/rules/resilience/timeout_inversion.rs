//! timeout-inversion: a caller that gives up before what it waits for can fail.

use crate::analysis::single_call_bound;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::words::Duration;
use crate::model::{Edge, Origin};
use crate::source::Span;
use petgraph::Direction;
use petgraph::graph::EdgeIndex;
use std::collections::BTreeMap;

/// a caller that gives up before what it waits for can fail.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "timeout-inversion",
        "a caller that gives up before what it waits for can fail",
        include_str!("timeout-inversion.md"),
    ),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut shared: BTreeMap<Span, (usize, Finding)> = BTreeMap::new();
    let graph = &ctx.calls.graph;
    for endpoint in graph.node_indices() {
        let mut inner: Vec<(Duration, EdgeIndex)> = ctx
            .calls
            .calls(endpoint)
            .into_iter()
            .filter_map(|(edge, _)| Some((bound(ctx, edge)?, edge)))
            .collect();
        // The longest first: of most calls even that one is in order.
        inner.sort_by(|a, b| b.cmp(a));
        for outer in graph.edges_directed(endpoint, Direction::Incoming).map(|e| *e.weight()) {
            let Some(waits) = bound(ctx, outer) else { continue };
            for (_, next) in inner.iter().take_while(|(takes, _)| *takes >= waits) {
                let seen = inherited(ctx, outer, *next).and_then(|span| shared.get_mut(&span));
                if let Some((count, _)) = seen {
                    *count += 1;
                    continue;
                }
                let Some((finding, same)) = judge(ctx, outer, *next) else { continue };
                match same {
                    None => out.push(finding),
                    Some(span) => drop(shared.insert(span, (1, finding))),
                }
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

/// How long a call that waits without a deadline handed on may take; `None` for every other.
fn bound(ctx: &Context<'_>, edge: EdgeIndex) -> Option<Duration> {
    let call = &ctx.arch.graph[edge];
    let propagates = call.policy.propagate_deadline.is_some_and(|p| p.value);
    if call.is_sync_call() && !propagates { call.bound() } else { None }
}

/// The bytes of the value that both calls inherit, where they do and it gives both the same time.
fn inherited(ctx: &Context<'_>, outer: EdgeIndex, inner: EdgeIndex) -> Option<Span> {
    let (call, next) = (&ctx.arch.graph[outer], &ctx.arch.graph[inner]);
    let says = said(call)?;
    (said(next) == Some(says) && call.bound() == next.bound()).then_some(says)
}

/// The finding about two calls of which the inner may take as long as the outer waits; with the bytes of the
/// value where both inherit the same one.
fn judge(ctx: &Context<'_>, outer: EdgeIndex, inner: EdgeIndex) -> Option<(Finding, Option<Span>)> {
    let (call, from, to) = ctx.edge(outer);
    let (next, _, far) = ctx.edge(inner);
    let (waits, says) = (call.bound()?, said(call)?);
    let (takes, sum) = single_call_bound(next).ok()?;
    let (u, v, w) = (ctx.id(from), ctx.id(to), ctx.id(far));
    let at = said(next).unwrap_or(next.span);
    let same = inherited(ctx, outer, inner);
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
        .hop(says, u, v, format!("waits {waits}"))
        .hop(at, v, w, format!("may take {takes}"))
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
