//! breaker-never-opens: a breaker that waits for more calls than ever come.

use crate::analysis::factor;
use crate::finding::{Finding, RuleInfo};
use crate::lint::amounts::{amount, count, rate};
use crate::lint::{Context, Rule};
use petgraph::graph::EdgeIndex;

/// a breaker that waits for more calls than ever come.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "breaker-never-opens",
        "a breaker that waits for more calls than ever come",
        include_str!("breaker-never-opens.md"),
    )
    .reads(&[
        "traffic.rate",
        "traffic.repeat",
        "traffic.states",
        "traffic.replay",
        "traffic.peak",
        "traffic.users",
        "traffic.think_time",
        "services.replicas",
        "services.autoscaling.min",
        "services.endpoints.calls.circuit_breaker.failure_threshold",
        "services.endpoints.calls.circuit_breaker.minimum_calls",
        "services.endpoints.calls.circuit_breaker.window.duration",
        "services.endpoints.calls.retry.num_retries",
        "topics.external_producers",
        "queues.external_producers",
        "services.dependencies",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, edge) in ctx.arch.edges() {
        let Some(breaker) = edge.breaker().filter(|_| edge.is_sync_call()) else { continue };
        // One that counts failures in a row needs no window.
        let (None, Some(minimum)) = (breaker.failure_threshold, breaker.minimum_calls) else { continue };
        let Some(window) = breaker.window.as_ref().and_then(|w| w.duration) else { continue };
        let Some(most) = most(ctx, index) else { continue };
        let (from, to) = (ctx.arch.ends(index).0, ctx.arch.ends(index).1);
        let copies = fewest(ctx, from);
        let seen = most / copies * window.value.seconds();
        let needed = f64::from(minimum.value.0);
        if seen >= needed {
            continue;
        }
        let (u, v) = (ctx.id(from), ctx.id(to));
        let message = format!(
            "the breaker of `{u} → {v}` waits for {} and sees {}",
            count(needed, "call"),
            amount(seen)
        );
        let origin = ctx.origin(minimum.span);
        let label = format!("nothing is decided below so many calls in {}{origin}", window.value);
        let finding = Finding::new(RULE.info, minimum.span, message)
            .label(label)
            .also(window.span, format!("{} × {} is all there is", rate(most / copies), window.value));
        let finding = ctx.hop(finding, index, rate(most));
        out.push(
            finding
                .note(format!(
                    "{} at the most, peaks and retries included, from {}: {} for each",
                    rate(most),
                    count(copies, "replica"),
                    rate(most / copies)
                ))
                .help(format!("lower `minimum_calls` below {}, or lengthen the window", amount(seen)))
                .number("calls_in_window", seen)
                .number("minimum_calls", needed)
                .about(ctx.arch.edge_id(index)),
        );
    }
}

/// The most calls per second over an edge, while its callee fails: at the peak, with all retries. `None`
/// where something is not known, and where nothing comes at all.
fn most(ctx: &Context<'_>, edge: EdgeIndex) -> Option<f64> {
    let flow = ctx.load().edge(edge);
    let (most, base, storm) = (flow.most()?, flow.base?, flow.storm?);
    let retried = if base > 0.0 { storm / base } else { return None };
    Some(most * retried * factor(ctx.arch, &ctx.arch.graph[edge])).filter(|rate| *rate > 0.0)
}

/// The fewest instances a caller has: among those its calls are spread. One where nothing is said, which
/// makes the rate of each the highest there can be.
fn fewest(ctx: &Context<'_>, caller: petgraph::graph::NodeIndex) -> f64 {
    let Some(service) = ctx.arch.graph[caller].service() else { return 1.0 };
    let scaled = service.autoscaling.as_ref().map(|a| a.min.map_or(1, |m| m.value.0));
    f64::from(scaled.or_else(|| service.replicas.map(|r| r.value)).unwrap_or(1))
}
