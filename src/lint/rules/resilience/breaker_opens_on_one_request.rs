//! breaker-opens-on-one-request: a breaker that the attempts of a single request open.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::words::BreakerCounts;
use crate::model::{Origin, builtin};
use crate::source::Span;
use std::collections::BTreeMap;

/// a breaker that the attempts of a single request open.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "breaker-opens-on-one-request",
        "a breaker that the attempts of a single request open",
        include_str!("breaker-opens-on-one-request.md"),
    )
    .reads(&[
        "services.endpoints.calls.circuit_breaker.failure_threshold",
        "services.endpoints.calls.circuit_breaker.failure_rate_threshold",
        "services.endpoints.calls.circuit_breaker.slow_call",
        "services.endpoints.calls.circuit_breaker.counts",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.protocol",
        "services.defaults.call.circuit_breaker.failure_threshold",
        "upstreams.circuit_breaker.failure_threshold",
        "defaults.call.circuit_breaker.failure_threshold",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut shared: BTreeMap<(Span, Span), (usize, Finding)> = BTreeMap::new();
    for (index, edge) in ctx.arch.edges().filter(|(_, e)| e.is_sync_call()) {
        let (Some(breaker), Some(whole)) = (edge.breaker(), &edge.policy.circuit_breaker) else { continue };
        // A rate needs a minimum of calls; a breaker outside the retry sees one call.
        let on_rates = breaker.failure_rate_threshold.is_some() || breaker.slow_call.is_some();
        let outside = breaker.counts.is_some_and(|c| c.value == BreakerCounts::Calls);
        let threshold = breaker.failure_threshold.map_or(builtin::FAILURE_THRESHOLD, |t| t.value.0);
        let attempts = edge.attempts();
        if on_rates || outside || threshold > attempts {
            continue;
        }
        let says = breaker.failure_threshold.map_or(whole.span, |t| t.span);
        let tries = edge.retry().and_then(|r| r.num_retries).map_or(edge.span, |n| n.span);
        let inherited = [says, tries].map(|span| ctx.arch.layers.origin(span));
        // Two inherited numbers are one cause, however many calls inherit them.
        if let ([Origin::Inherited(_), Origin::Inherited(_)], Some((count, _))) =
            (&inherited, shared.get_mut(&(says, tries)))
        {
            *count += 1;
            continue;
        }
        let label = ctx.arch.edge_label(index);
        let message = format!("one request can open the breaker of `{label}`");
        let failures = if threshold == 1 { "failure" } else { "failures in a row" };
        let plural = if attempts == 1 { "attempt" } else { "attempts" };
        let origin = ctx.origin(says);
        let finding = Finding::new(RULE.info, says, message)
            .label(format!("opens after {threshold} {failures}{origin}"))
            .also(tries, format!("one request makes {attempts} {plural}{}", ctx.origin(tries)))
            .help(format!(
                "raise `failure_threshold` above {attempts}, or say `counts: calls` if the breaker is outside the retry"
            ))
            .number("failure_threshold", f64::from(threshold))
            .number("attempts", f64::from(attempts));
        let finding = ctx.hop(finding, index, format!("{attempts} {plural}, opens at {threshold}"));
        match inherited {
            [Origin::Inherited(a), Origin::Inherited(b)] => {
                shared.insert((says, tries), (0, finding.about(a).about(b)));
            }
            _ => out.push(finding.about(ctx.arch.edge_id(index))),
        }
    }
    for (more, finding) in shared.into_values() {
        out.push(match more {
            0 => finding,
            1 => finding.note("so it is with one more call that inherits both"),
            n => finding.note(format!("so it is with {n} more calls that inherit both")),
        });
    }
}
