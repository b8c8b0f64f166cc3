//! retry-never-fits: attempts for which the timeout leaves no time.

use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};
use crate::model::words::Duration;

/// attempts for which the timeout leaves no time.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-never-fits",
        "attempts for which the timeout leaves no time",
        include_str!("retry-never-fits.md"),
    )
    .reads(&[
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.retry.backoff",
        "services.endpoints.calls.retry.retry_on",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        let retries = call.retry().and_then(|r| r.num_retries).filter(|n| n.value > 0);
        let (Some(retries), Some(whole), Some(one)) = (retries, call.timeout(), call.per_try_timeout())
        else {
            continue;
        };
        let pauses = call.total_backoff();
        let before = Duration(one.value.0.saturating_mul(u64::from(retries.value)).saturating_add(pauses.0));
        // Attempts that fail fast are followed by others in time; here they are those that run out of it.
        if !call.is_sync_call() || !call.retries_timeouts() || before < whole.value {
            continue;
        }
        found.add(ctx, index, &[retries.span, whole.span, one.span], None, || {
            let label = ctx.arch.edge_label(index);
            let message = format!("`{label}` has no time for the last of its attempts");
            let pause = if pauses.0 == 0 { String::new() } else { format!(" + {pauses} back-off") };
            let sum = format!("{} × {}{pause}", retries.value, one.value);
            Finding::new(RULE.info, retries.span, message)
                .label(format!("{} attempts{}", call.attempts(), ctx.origin(retries.span)))
                .also(one.span, format!("each of up to {}{}", one.value, ctx.origin(one.span)))
                .also(whole.span, format!("all within {}{}", whole.value, ctx.origin(whole.span)))
                .note(format!("before the last one {sum} = {before} may have gone by"))
                .help(format!(
                    "raise `timeout` above {before}, shorten `per_try_timeout`, or retry less often"
                ))
                .number("timeout_s", whole.value.seconds())
                .number("before_last_attempt_s", before.seconds())
        });
    }
    found.finish(out, more_calls);
}
