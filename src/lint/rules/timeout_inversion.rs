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
    let waits = call.attempt_bound()?;
    // Most pairs are in order: no words are made for them.
    if next.bound()? < waits.value {
        return None;
    }
    let (takes, sum) = single_call_bound(next).ok()?;
    let (u, v, w) = (ctx.id(from), ctx.id(to), ctx.id(far));
    let at = next.attempt_bound().map_or(next.span, |p| p.span);
    let same = (at == waits.span).then_some(at);
    let finding = Finding::new(RULE.info, waits.span, format!("`{u}` gives up before `{v}` can fail"));
    let finding = match same {
        Some(_) => finding
            .label(format!("every call waits {}{}", waits.value, ctx.origin(waits.span)))
            .also(call.span, format!("`{u}` waits {} for `{v}`", waits.value))
            .also(next.span, format!("while `{v}` may wait as long for `{w}`: {sum}")),
        None => finding
            .label(format!("the caller waits {}{}", waits.value, ctx.origin(waits.span)))
            .also(at, format!("but this call may take {takes}: {sum}{}", ctx.origin(at))),
    };
    let finding = finding
        .help(format!("raise it above {takes}, or lower `{v} → {w}` below {}", waits.value))
        .hop(u, v, format!("waits {}", waits.value))
        .hop(v, w, format!("may take {takes}"))
        .number("timeout_s", waits.value.seconds())
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
