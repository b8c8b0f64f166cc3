//! retry-without-backoff: attempts without a pause between them.

use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};
use crate::model::Edge;

/// attempts without a pause between them.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-without-backoff",
        "attempts without a pause between them",
        include_str!("retry-without-backoff.md"),
    )
    .together("calls are tried again without a pause")
    .reads(&[
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.backoff.base",
        "services.endpoints.calls.retry.budget",
        "services.endpoints.calls.preset",
        "communications.retry_count",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        let Some(retry) = unbudgeted(call) else { continue };
        let Some(retries) = retry.num_retries else { continue };
        let off = retry.backoff.as_ref();
        let pauses = call.backoff().is_some_and(|(base, _)| base.0 > 0);
        if pauses || ctx.is_broken(call.whole) {
            continue;
        }
        let cause: Vec<_> = std::iter::once(retries.span).chain(off.map(|b| b.span)).collect();
        found.add(ctx, index, &cause, None, || {
            let message = format!("`{}` is tried again at once", ctx.arch.edge_label(index));
            let span = off.map_or(retries.span, |b| b.span);
            let label = match off {
                Some(off) => format!("no pause between {} attempts{}", call.attempts(), ctx.origin(off.span)),
                None => format!("{} attempts, no `backoff`{}", call.attempts(), ctx.origin(retries.span)),
            };
            Finding::new(RULE.info, span, message)
                .label(label)
                .help("add `backoff: { base: 25ms, max: 250ms }` to its `retry`, or to `defaults: { call: … }` of the file for all of them")
        });
    }
    found.finish(out, more_calls);
}

/// The retries of a call that is waited for, unless a budget keeps them in bounds.
pub fn unbudgeted(call: &Edge) -> Option<&crate::model::words::Retry> {
    let retry = call.retry().filter(|_| call.is_sync_call() && call.attempts() > 1)?;
    retry.budget.as_ref().is_none_or(|b| b.value.on().is_none()).then_some(retry)
}
