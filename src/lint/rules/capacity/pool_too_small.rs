//! pool-too-small: more requests at once than a pool or a service lets in.

use super::words;
use crate::analysis::{Carrier, Place, Station, replicas};
use crate::finding::{Finding, RuleInfo};
use crate::lint::amounts::{amount, count, rate, time};
use crate::lint::{Context, Rule};
use crate::model::words::Protocol;
use crate::model::{Edge, EndpointRef};
use crate::source::Span;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// more requests at once than a pool or a service lets in.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "pool-too-small",
        "more requests at once than a pool or a service lets in",
        include_str!("pool-too-small.md"),
    )
    .reads(&[
        "traffic.rate",
        "services.replicas",
        "services.concurrency",
        "services.endpoints.latency",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.limits.max_connections",
        "services.endpoints.calls.limits.max_concurrent_streams",
        "services.endpoints.calls.limits.max_requests",
        "services.autoscaling.max",
    ]),
    check,
};

/// One part of what is inside at once.
struct Part {
    name: String,
    per_s: f64,
    seconds: f64,
}

impl Part {
    fn at_once(&self) -> f64 {
        self.per_s * self.seconds
    }
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    pools(ctx, out);
    for (index, _, service) in ctx.arch.services() {
        let (Some(limit), Some(copies)) = (service.concurrency, replicas(service)) else { continue };
        let works = ctx.load().stations().find(|s| s.carrier == Carrier::Service(index));
        // Too few workers let requests pile up inside: that is overload's.
        if works.and_then(Station::utilization).is_some_and(|rho| rho >= 1.0 - words::NEAR) {
            continue;
        }
        let callable = service.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none());
        let parts = callable.filter_map(|(endpoint, e)| {
            let place = Place::Endpoint(EndpointRef { service: index, endpoint });
            let (per_s, seconds) = (ctx.load().at(place).base?, ctx.load().answer(place).seconds);
            Some(Part { name: e.name.value.clone(), per_s, seconds })
        });
        let id = ctx.id(index);
        let needs = format!("`{id}` lets in {} at once, and needs", count(f64::from(limit.value), "request"));
        let label =
            format!("at once in one of {}{}", count(f64::from(copies), "replica"), ctx.origin(limit.span));
        let finding = judge(parts.collect(), f64::from(copies), f64::from(limit.value), limit.span, &needs);
        out.extend(finding.map(|f| {
            f.label(label)
                .help("raise `concurrency`, add replicas, or make what is waited for faster")
                .about(id)
        }));
    }
}

/// Pools of a caller instance to one service: calls under the same `limits` share it.
fn pools(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut shared: BTreeMap<(NodeIndex, NodeIndex, Span), Vec<EdgeIndex>> = BTreeMap::new();
    for (index, edge) in ctx.arch.edges() {
        if let (Some(limits), true) = (&edge.policy.limits, edge.is_sync_call()) {
            let (from, to) = ctx.arch.ends(index);
            shared.entry((from, to, limits.span)).or_default().push(index);
        }
    }
    for ((from, to, _), edges) in shared {
        let copies = ctx.arch.graph[from].service().and_then(replicas);
        let first = edges.first().and_then(|e| pool(&ctx.arch.graph[*e]));
        let (Some(copies), Some((limit, what, span))) = (copies, first) else { continue };
        let parts = edges.iter().filter_map(|edge| {
            let (per_s, seconds) =
                (ctx.load().edge(*edge).base?, ctx.load().call_time(ctx.arch, *edge).seconds);
            Some(Part { name: ctx.arch.edge_label(*edge), per_s, seconds })
        });
        let (u, v) = (ctx.id(from), ctx.id(to));
        let needs = format!("`{u}` has {} to `{v}`, and needs", count(limit, what));
        let Some(mut finding) = judge(parts.collect(), f64::from(copies), limit, span, &needs) else {
            continue;
        };
        for edge in &edges {
            let per_s = ctx.load().edge(*edge).base.unwrap_or(0.0);
            finding = ctx.hop(finding, *edge, rate(per_s));
        }
        let label = format!("for one of {}{}", count(f64::from(copies), "replica"), ctx.origin(span));
        out.push(
            finding
                .label(label)
                .help(format!("raise it, add replicas of `{u}`, or make `{v}` faster"))
                .about(format!("{u} → {v}")),
        );
    }
}

/// Requests at once that the limits of a call let through, the word for them, and where it is said.
fn pool(edge: &Edge) -> Option<(f64, &'static str, Span)> {
    let limits = edge.policy.limits.as_ref()?.value.on()?;
    let streams = limits.max_concurrent_streams.map(|s| f64::from(s.value.0));
    let multiplexed = edge.protocol() == Some(Protocol::Grpc);
    // Over a connection of HTTP/2 go as many requests as nobody limits.
    let each = streams.or_else(|| (!multiplexed).then_some(1.0));
    let connections = limits.max_connections.zip(each);
    let connections = connections.map(|(n, each)| {
        let what = if each < 1.5 { "connection" } else { "stream" };
        (f64::from(n.value.0) * each, what, n.span)
    });
    let requests = limits.max_requests.map(|n| (f64::from(n.value.0), "request", n.span));
    match (connections, requests) {
        (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// Little's law: what is inside at once on average is rate times time.
fn judge(mut parts: Vec<Part>, copies: f64, limit: f64, span: Span, needs: &str) -> Option<Finding> {
    let all: f64 = parts.iter().map(Part::at_once).sum();
    let each = all / copies;
    if each <= limit + words::NEAR {
        return None;
    }
    parts.sort_by(|a, b| b.at_once().total_cmp(&a.at_once()));
    let several = parts.len() > 1;
    let name = |p: &Part| if several { format!(" (`{}`)", p.name) } else { String::new() };
    let words = |p: &Part| format!("{} × {}{}", rate(p.per_s), time(p.seconds), name(p));
    let mut sum: Vec<String> = parts.iter().take(4).map(words).collect();
    if parts.len() > 4 {
        sum.push(format!("{} more", parts.len() - 4));
    }
    let sum = if several { format!("({})", sum.join(" + ")) } else { sum.join("") };
    Some(
        Finding::new(RULE.info, span, format!("{needs} {} on average", amount(each)))
            .note(format!("{sum} / {} = {}", count(copies, "replica"), amount(each)))
            .number("needed", each)
            .number("limit", limit),
    )
}
