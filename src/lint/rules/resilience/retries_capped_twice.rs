//! retries-capped-twice: a cap on retries that nobody looks at.

use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};

/// a cap on retries that nobody looks at.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retries-capped-twice",
        "a cap on retries that nobody looks at",
        include_str!("retries-capped-twice.md"),
    )
    .together("calls have two caps on their retries")
    .reads(&["services.endpoints.calls.retry.budget", "services.endpoints.calls.limits.max_retries"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        let budget = call.retry().and_then(|r| r.budget.as_ref()).filter(|b| b.value.on().is_some());
        let limits = call.policy.limits.as_ref().and_then(|l| l.value.on());
        let (Some(budget), Some(cap)) = (budget, limits.and_then(|l| l.max_retries)) else { continue };
        // What a product has by itself is no contradiction: the budget takes its place there.
        if call.policy.preset.is_some_and(|preset| [cap.span, budget.span].contains(&preset.span)) {
            continue;
        }
        found.add(ctx, index, &[budget.span, cap.span], None, || {
            let message = format!("retries of `{}` are capped twice", ctx.arch.edge_label(index));
            Finding::new(RULE.info, cap.span, message)
                .label(format!("never looked at beside a budget{}", ctx.origin(cap.span)))
                .also(budget.span, format!("this one counts{}", ctx.origin(budget.span)))
                .help("keep the `budget`, which grows with the load, or `max_retries`, which does not")
        });
    }
    found.finish(out, more_calls);
}
