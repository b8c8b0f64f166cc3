//! chatty-call: one request that calls the same service again and again.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use crate::model::{Edge, edges_of};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// one request that calls the same service again and again.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "chatty-call",
        "one request that calls the same service again and again",
        include_str!("chatty-call.md"),
    )
    .pedantic()
    .settings(&[Setting::new("max", 5.0, "calls of one service in a request that are still fine")])
    .reads(&[
        "services.endpoints.calls.call",
        "services.endpoints.calls.probability",
        "services.endpoints.calls.times",
        "services.kind",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    for at in ctx.arch.endpoints() {
        let job = ctx.arch.graph[at.service]
            .service()
            .is_none_or(|s| matches!(s.kind, ServiceKind::Job | ServiceKind::Cron));
        let Some(endpoint) = ctx.arch.endpoint(at).filter(|_| !job) else { continue };
        let mut by_service: BTreeMap<NodeIndex, (f64, Vec<EdgeIndex>)> = BTreeMap::new();
        edges_of(&endpoint.steps, &mut |edge| {
            let data = &ctx.arch.graph[edge];
            if data.is_sync_call() && data.from_endpoint.is_some() {
                let (sum, edges) = by_service.entry(ctx.arch.ends(edge).1).or_default();
                *sum += expected(data);
                edges.push(edge);
            }
        });
        for (callee, (sum, edges)) in by_service {
            let Some((first, rest)) = edges.split_first().filter(|_| sum > max) else { continue };
            let (name, to) = (ctx.arch.endpoint_id(at), ctx.id(callee));
            let times = rounded(sum);
            let message = format!("one request to `{name}` calls `{to}` {times} times, more than {max}");
            let mut finding = Finding::new(RULE.info, ctx.arch.graph[*first].span, message)
                .label(share(&ctx.arch.graph[*first]));
            for edge in rest.iter().take(6) {
                let data = &ctx.arch.graph[*edge];
                finding = finding.also(data.span, share(data));
            }
            if edges.len() > 1 {
                let sum = edges.iter().take(12).map(|e| rounded(expected(&ctx.arch.graph[*e])).to_string());
                let more = if edges.len() > 12 { " + …" } else { "" };
                finding = finding.note(format!("{}{more} = {times}", sum.collect::<Vec<_>>().join(" + ")));
            }
            out.push(
                finding
                    .help("ask for all of it in one call, or move the work to where the data is")
                    .number("calls", sum)
                    .number("max", max)
                    .about(name)
                    .about(to),
            );
        }
    }
}

/// How often it is made in one request, on average.
fn expected(call: &Edge) -> f64 {
    call.probability * f64::from(call.times)
}

fn share(call: &Edge) -> String {
    let plural = if call.times == 1 { "call" } else { "calls" };
    if call.probability < 1.0 {
        format!("{} {plural} in {}% of requests", call.times, rounded(call.probability * 100.0))
    } else {
        format!("{} {plural}", call.times)
    }
}

/// With at most two places.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
