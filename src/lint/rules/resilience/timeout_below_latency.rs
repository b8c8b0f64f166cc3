//! timeout-below-latency: a caller that gives up on answers that are under way.

use crate::analysis::{Bounded, Stop};
use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};
use crate::source::Span;

/// a caller that gives up on answers that are under way.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "timeout-below-latency",
        "a caller that gives up on answers that are under way",
        include_str!("timeout-below-latency.md"),
    )
    .reads(&[
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry.per_try_timeout",
        "services.endpoints.calls.hedging",
        "services.endpoints.latency",
        "services.latency",
        "mesh.timeout",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let durations = ctx.durations();
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        // A hedged attempt is not waited for: another is sent after it.
        let hedged = call.policy.hedging.as_ref().is_some_and(|h| h.value.on().is_some());
        let Some((waits, by)) = durations.attempt(call).filter(|_| call.is_sync_call() && !hedged) else {
            continue;
        };
        let stop = Stop { service: ctx.arch.ends(index).1, endpoint: call.to_endpoint };
        let Some(takes) = durations.own(stop).filter(|takes| waits < *takes) else { continue };
        let (says, at) = (ctx.says(call, by), declared(ctx, stop));
        found.add(ctx, index, &[says], Some(stop.id(ctx.arch)), || {
            let (_, from, to) = ctx.edge(index);
            let (u, v) = (ctx.id(from), ctx.id(to));
            let each = if by == Bounded::ByTimeout { "waits" } else { "waits for each attempt" };
            let key = if by == Bounded::ByAttempts { "per_try_timeout" } else { "timeout" };
            Finding::new(RULE.info, says, format!("`{u}` gives up on answers of `{v}` that are under way"))
                .label(format!("the caller {each} {waits}{}", ctx.origin(says)))
                .also(at, format!("one answer in a hundred takes {takes} or longer{}", ctx.origin(at)))
                .help(format!("raise `{key}` above {takes}"))
                .hop(says, u, v, format!("waits {waits}"))
                .hop(at, v, v, format!("takes {takes} (p99)"))
                .number("timeout_s", waits.seconds())
                .number("p99_s", takes.seconds())
        });
    }
    found.finish(out, more_calls);
}

/// Where the latency of an endpoint is said.
fn declared(ctx: &Context<'_>, stop: Stop) -> Span {
    let node = &ctx.arch.graph[stop.service];
    let of_endpoint = stop.at().and_then(|at| ctx.arch.endpoint(at)).and_then(|e| e.latency.as_ref());
    let latency = of_endpoint.or_else(|| node.service()?.latency.as_ref());
    latency.map_or(node.id.span, |l| l.span)
}
