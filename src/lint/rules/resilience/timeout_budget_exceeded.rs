//! timeout-budget-exceeded: a caller that gives up before all that it waits for can be done.

use super::timeout_inversion::inverted;
use crate::analysis::{Budget, CallTime, Part};
use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::Origin;
use crate::source::Span;
use petgraph::graph::{EdgeIndex, NodeIndex};

/// a caller that gives up before all that it waits for can be done.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "timeout-budget-exceeded",
        "a caller that gives up before all that it waits for can be done",
        include_str!("timeout-budget-exceeded.md"),
    )
    .reads(&[
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.retry.backoff",
        "services.endpoints.calls.propagate_deadline",
        "services.endpoints.calls.times",
        "services.endpoints.calls.parallel",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.work",
        "services.endpoints.latency",
        "mesh.timeout",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for budget in ctx.budgets() {
        let calls = budget.spent.terms.iter().filter_map(|t| match t.part {
            Part::Call(edge) => Some(edge),
            Part::Own => None,
        });
        // What carries a deadline on ends with it.
        if calls.clone().any(|edge| ctx.arch.graph[edge].propagates_deadline()) {
            continue;
        }
        // One call alone is timeout-inversion's; too slow by itself is timeout-below-latency's.
        let first = inverted(ctx, budget).count();
        let own = ctx.durations().own(ctx.calls.graph[budget.node]).unwrap_or_default();
        let short = budget.callers.iter().take_while(|(.., waits)| waits.total < budget.spent.total);
        let short = short.filter(|(outer, ..)| !ctx.arch.graph[*outer].propagates_deadline());
        for (outer, from, waits) in short.skip(first).filter(|(.., waits)| waits.total >= own) {
            out.push(finding(ctx, budget, *outer, *from, waits));
        }
    }
}

fn finding(
    ctx: &Context<'_>,
    budget: &Budget,
    outer: EdgeIndex,
    from: NodeIndex,
    waits: &CallTime,
) -> Finding {
    let (call, u, v) = ctx.edge(outer);
    let (u, v) = (ctx.id(u), ctx.id(v));
    let (says, spent) = (ctx.says(call, waits.by), &budget.spent);
    let total = waits.total;
    let message = format!("`{u}` gives up before `{v}` can be done with all it does");
    let mut finding = Finding::new(RULE.info, says, message)
        .label(format!("the caller waits {total}{}", ctx.origin(says)))
        .hop(says, u, v, format!("waits {total}"));
    finding = ctx.terms(finding, budget.node, spent);
    let mut assumed = usize::from(is_default(ctx, says));
    for term in &spent.terms {
        let (at, what) = match term.part {
            Part::Own => match own_span(ctx, budget.node) {
                Some(span) => (span, format!("`{v}` itself works for {}", term.total())),
                None => continue,
            },
            Part::Call(edge) => {
                let (next, _, w) = ctx.edge(edge);
                let Some(time) = ctx.durations().call(next) else { continue };
                let w = ctx.id(w);
                (ctx.says(next, time.by), format!("`{w}` may take {}", term.total()))
            }
        };
        assumed += usize::from(is_default(ctx, at));
        finding = finding.also(at, format!("{what}{}", ctx.origin(at)));
    }
    finding = finding.note(format!("one after another: {}", ctx.sum(spent)));
    if let Some(unknown) = spent.unbounded.first() {
        finding = finding.note(format!("without `{}`, which nothing bounds", ctx.arch.edge_label(*unknown)));
    }
    // A number that nobody chose for this call may not be what is meant.
    if assumed > 0 {
        finding = finding.note("some of these numbers are defaults").severity(Severity::Info);
    }
    finding = finding.help(format!(
        "raise it above {}, lower what is below it, or make calls at the same time",
        spent.total
    ));
    finding = match ctx.proposal(outer, from) {
        Some(proposal) => finding.help(proposal),
        None => finding,
    };
    finding
        .about(ctx.arch.edge_id(outer))
        .number("timeout_s", total.seconds())
        .number("callee_s", spent.total.seconds())
}

/// Where the own time of an endpoint is said.
fn own_span(ctx: &Context<'_>, node: NodeIndex) -> Option<Span> {
    let at = ctx.calls.graph[node].at()?;
    ctx.arch.endpoint(at)?.latency.as_ref().map(|l| l.span)
}

fn is_default(ctx: &Context<'_>, span: Span) -> bool {
    ctx.arch.layers.origin(span) != Origin::Own
}
