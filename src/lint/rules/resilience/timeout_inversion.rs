//! timeout-inversion: a caller that gives up before what it waits for can fail.

use crate::analysis::{Bounded, Budget, CallTime};
use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::Inherited;
use crate::lint::{Context, Rule};
use crate::source::Span;
use petgraph::graph::{EdgeIndex, NodeIndex};

/// a caller that gives up before what it waits for can fail.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "timeout-inversion",
        "a caller that gives up before what it waits for can fail",
        include_str!("timeout-inversion.md"),
    )
    .reads(&[
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.retry.backoff",
        "services.endpoints.calls.propagate_deadline",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.fallback",
        "mesh.timeout",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for budget in ctx.budgets() {
        for (outer, from, waits) in inverted(ctx, budget) {
            let Some((inner, takes)) = budget.longest else { continue };
            let says = ctx.says(&ctx.arch.graph[outer], waits.by);
            let at = ctx.says(&ctx.arch.graph[inner], takes.by);
            // One inherited number on both sides is one cause, however many calls inherit it.
            let same = says == at && waits.total == takes.total;
            let cause = if same { says } else { ctx.arch.graph[outer].span };
            found.add(ctx, outer, &[cause], None, || {
                let pair = Pair { outer, waits, says, inner, takes, at };
                if same { pair.shared(ctx, from) } else { pair.finding(ctx, from) }
            });
        }
    }
    found.finish(out, |more| format!("so do {more} more pairs of calls that inherit it"));
}

/// The calls of an endpoint that wait no longer than a single call made there may take, with where they come
/// from. Silent on those that carry their deadline on: who is called ends with it.
pub fn inverted(
    ctx: &Context<'_>,
    budget: &Budget,
) -> impl Iterator<Item = (EdgeIndex, NodeIndex, CallTime)> {
    let longest = budget.longest.map(|(_, takes)| takes.total);
    let short =
        budget.callers.iter().take_while(move |(.., waits)| longest.is_some_and(|l| l >= waits.total));
    short.filter(|(outer, ..)| !ctx.arch.graph[*outer].propagates_deadline()).copied()
}

/// A call that waits, and one made in the called endpoint that may take as long.
struct Pair {
    outer: EdgeIndex,
    waits: CallTime,
    says: Span,
    inner: EdgeIndex,
    takes: CallTime,
    at: Span,
}

impl Pair {
    fn finding(&self, ctx: &Context<'_>, from: NodeIndex) -> Finding {
        let (call, u, v) = ctx.edge(self.outer);
        let (next, _, w) = ctx.edge(self.inner);
        let (u, v, w) = (ctx.id(u), ctx.id(v), ctx.id(w));
        let (waits, takes) = (self.waits.total, self.takes.total);
        let whole = self.waits.by == Bounded::ByTimeout;
        let all =
            if whole { String::new() } else { format!(" in all: {}", ctx.sum_of_call(call, &self.waits)) };
        let raise = if whole { "raise it" } else { "raise all attempts together" };
        let finding = Finding::new(RULE.info, self.says, format!("`{u}` gives up before `{v}` can fail"))
            .label(format!("the caller waits {waits}{all}{}", ctx.origin(self.says)))
            .also(
                self.at,
                format!(
                    "but this call may take {takes}: {}{}",
                    ctx.sum_of_call(next, &self.takes),
                    ctx.origin(self.at)
                ),
            )
            .help(format!("{raise} above {takes}, or lower `{v} → {w}` below {waits}"));
        self.proven(ctx, finding, from)
    }

    /// The finding about a number that both inherit.
    fn shared(&self, ctx: &Context<'_>, from: NodeIndex) -> Finding {
        let (call, u, v) = ctx.edge(self.outer);
        let (next, _, w) = ctx.edge(self.inner);
        let (u, v, w) = (ctx.id(u), ctx.id(v), ctx.id(w));
        let (waits, takes) = (self.waits.total, self.takes.total);
        let sum = ctx.sum_of_call(next, &self.takes);
        let finding = Finding::new(RULE.info, self.says, format!("`{u}` gives up before `{v}` can fail"))
            .label(format!("every call waits {waits}{}", ctx.origin(self.says)))
            .also(call.span, format!("`{u}` waits {waits} for `{v}`"))
            .also(next.span, format!("while `{v}` may wait as long for `{w}`: {sum}"))
            .help(format!(
                "give the outer calls more than {takes}, or carry the deadline on with `propagate_deadline: true`"
            ));
        self.proven(ctx, finding, from)
    }

    fn proven(&self, ctx: &Context<'_>, finding: Finding, from: NodeIndex) -> Finding {
        let (_, u, v) = ctx.edge(self.outer);
        let w = ctx.edge(self.inner).2;
        let finding = match ctx.proposal(self.outer, from) {
            Some(proposal) => finding.help(proposal),
            None => finding,
        };
        finding
            .hop(self.says, ctx.id(u), ctx.id(v), format!("waits {}", self.waits.total))
            .hop(self.at, ctx.id(v), ctx.id(w), format!("may take {}", self.takes.total))
            .number("timeout_s", self.waits.total.seconds())
            .number("callee_s", self.takes.total.seconds())
    }
}
