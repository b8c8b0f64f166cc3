//! retry-storm-capacity: retries that keep down what they wait for.

use super::words;
use crate::analysis::{By, Inflow, Kind, Station, factor_of_failures};
use crate::finding::{Finding, RuleInfo};
use crate::lint::amounts::{amount, percent, rate};
use crate::lint::{Context, Rule};
use petgraph::graph::EdgeIndex;
use std::collections::BTreeMap;

/// retries that keep down what they wait for.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-storm-capacity",
        "retries that keep down what they wait for",
        include_str!("retry-storm-capacity.md"),
    )
    .reads(&[
        "traffic.rate",
        "traffic.repeat",
        "traffic.states",
        "traffic.replay",
        "traffic.peak",
        "traffic.users",
        "traffic.think_time",
        "services.endpoints.calls.probability",
        "services.endpoints.calls.times",
        "services.endpoints.latency",
        "services.replicas",
        "services.workers",
        "services.instances",
        "services.status",
        "services.autoscaling.max",
        "services.consumes.concurrency",
        "datastores.replicas",
        "datastores.workers",
        "datastores.latency",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.budget.percent",
        "services.endpoints.calls.circuit_breaker",
        "mesh.retry",
        "mesh.circuit_breaker",
    ]),
    check,
};

/// A station under its storm, and the way most of that takes.
struct Storm<'a> {
    station: &'a Station,
    rho: f64,
    way: Vec<Inflow>,
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // What the same retries keep down is one cause: the worst of it is told.
    let mut causes: BTreeMap<Vec<EdgeIndex>, Vec<Storm<'_>>> = BTreeMap::new();
    for station in ctx.load().stations() {
        let (Some(base), Some(storm)) = (station.busy.base, station.busy.storm) else { continue };
        let (calm, rho) = (base / station.servers, storm / station.servers);
        if rho < 1.0 - words::NEAR || calm >= 1.0 - words::NEAR || storm <= base * (1.0 + words::NEAR) {
            continue;
        }
        let busy = |s: &&crate::analysis::Work| s.flow.storm.unwrap_or(0.0) * s.seconds;
        let Some(work) = station.works.iter().max_by(|a, b| busy(a).total_cmp(&busy(b))) else { continue };
        let way = ctx.load().main_path(work.place, Kind::Storm);
        let retrying = |t: &Inflow| match t.by {
            By::Edge(edge) if tries(ctx, edge) > 1.0 => Some(edge),
            _ => None,
        };
        let edges: Vec<EdgeIndex> = way.iter().filter_map(retrying).collect();
        causes.entry(edges).or_default().push(Storm { station, rho, way });
    }
    for (edges, mut storms) in causes {
        storms.sort_by(|a, b| b.rho.total_cmp(&a.rho).then(a.station.carrier.cmp(&b.station.carrier)));
        let Some((worst, others)) = storms.split_first() else { continue };
        out.push(tell(ctx, &edges, worst, others));
    }
}

fn tries(ctx: &Context<'_>, edge: EdgeIndex) -> f64 {
    let call = &ctx.arch.graph[edge];
    if call.is_sync_call() && call.breaker().is_none() { factor_of_failures(ctx.arch, call) } else { 1.0 }
}

fn tell(ctx: &Context<'_>, edges: &[EdgeIndex], worst: &Storm<'_>, others: &[Storm<'_>]) -> Finding {
    let Storm { station, rho, way } = worst;
    let id = words::id(ctx, station.carrier);
    let base = station.busy.base.unwrap_or(0.0);
    let at_least = words::at_least(&station.busy);
    let message = format!("retries could keep `{id}` down: {at_least}{} busy once it fails", percent(*rho));
    let places: Vec<_> = edges.iter().rev().map(|edge| (ctx.edge(*edge).0, tries(ctx, *edge))).collect();
    let said =
        |call: &crate::model::Edge| call.retry().and_then(|r| r.num_retries).map_or(call.span, |n| n.span);
    let words = |n: f64| format!("every failed call is tried {} times", amount(n));
    let mut places = places.into_iter();
    let mut finding = match places.next() {
        Some((call, n)) => {
            let at = said(call);
            Finding::new(RULE.info, at, message).label(format!("{}{}", words(n), ctx.origin(at)))
        }
        None => Finding::new(RULE.info, words::says(ctx, station.carrier), message),
    };
    for (call, n) in places.take(4) {
        finding = finding.also(said(call), words(n));
    }
    finding = finding.also(words::says(ctx, station.carrier), words::capacity(ctx, station));
    for term in way {
        finding = match term.by {
            By::Edge(edge) => {
                let n = tries(ctx, edge);
                let times = if n > 1.0 { format!(" after {} attempts", amount(n)) } else { String::new() };
                ctx.hop(finding, edge, format!("{}{times}", rate(term.rate)))
            }
            By::Traffic(_) => words::path(ctx, finding, std::slice::from_ref(term)),
        };
    }
    let sum = words::sum(ctx, station, Kind::Storm);
    finding = finding
        .note(format!(
            "without retries {} at once, {} of {}",
            amount(base),
            percent(base / station.servers),
            amount(station.servers)
        ))
        .note(format!("with all retries {sum}"));
    if !others.is_empty() {
        let names: Vec<_> =
            others.iter().take(4).map(|s| format!("`{}`", words::id(ctx, s.station.carrier))).collect();
        let more = if others.len() > 4 { format!(" and {} more", others.len() - 4) } else { String::new() };
        finding = finding.note(format!("the same retries overload {}{more}", names.join(", ")));
    }
    finding = finding
        .help("retry less, give the retries a `budget: { percent: 20% }`, put a `circuit_breaker` before them, or add capacity")
        .number("utilization", base / station.servers)
        .number("utilization_under_retries", *rho);
    let finding = edges.iter().fold(finding, |f, e| f.about(ctx.arch.edge_id(*e)));
    if edges.is_empty() { finding.about(id) } else { finding }
}
