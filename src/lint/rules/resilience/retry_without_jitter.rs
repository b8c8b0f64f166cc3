//! retry-without-jitter: callers that come back together.

use super::retry_without_backoff::unbudgeted;
use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};
use crate::model::words::Jitter;

/// callers that come back together.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "retry-without-jitter",
        "callers that come back together",
        include_str!("retry-without-jitter.md"),
    )
    .together("calls come back together, their pauses being equal")
    .reads(&[
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.backoff.jitter",
        "services.endpoints.calls.retry.budget",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        let backoff = unbudgeted(call).and_then(|r| r.backoff.as_ref()).and_then(|b| b.value.on());
        let said = backoff.and_then(|b| b.jitter).filter(|j| j.value == Jitter::None);
        let (Some(jitter), Some((base, _))) = (said, call.backoff()) else { continue };
        // Without a pause there is nothing to spread: retry-without-backoff speaks of that.
        if base.0 == 0 {
            continue;
        }
        found.add(ctx, index, &[jitter.span], None, || {
            let message = format!("callers of `{}` come back all at once", ctx.arch.edge_label(index));
            Finding::new(RULE.info, jitter.span, message)
                .label(format!(
                    "every caller waits exactly {base} before its first retry{}",
                    ctx.origin(jitter.span)
                ))
                .help("leave `jitter` out, or say `full`, `equal` or `decorrelated`")
        });
    }
    found.finish(out, more_calls);
}
