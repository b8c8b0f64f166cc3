//! Everything a simulation found, as JSON. Numbers are what was computed, not rounded.

use super::{Forecast, Run, Style, inputs, metrics, theory, traces};
use crate::model::{Architecture, EndpointRef};
use crate::sim::{Cause, Compiled, EndpointOutcome, Estimate, Judged, Latency, Outcome, QueueOutcome};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The forecast as one JSON object.
pub fn render(forecast: &Forecast<'_>, _: &Style) -> String {
    let mut assumed: Vec<&String> = Vec::new();
    let mut left_out: Vec<&String> = Vec::new();
    for run in &forecast.runs {
        assumed.extend(run.compiled.assumed.iter().filter(|a| !assumed.contains(a)).collect::<Vec<_>>());
        left_out.extend(run.compiled.left_out.iter().filter(|a| !left_out.contains(a)).collect::<Vec<_>>());
    }
    let first = forecast.runs.first();
    let value = json!({
        "version": 1,
        "seed": first.map(|r| r.outcome.seed),
        "replications": first.map(|r| r.outcome.replications),
        "inputs_assumed": assumed,
        "not_simulated": left_out,
        "scenarios": forecast.runs.iter().map(|r| scenario(forecast.arch, r)).collect::<Vec<_>>(),
    });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn scenario(arch: &Architecture, run: &Run) -> Value {
    let Run { compiled, outcome, expectations, .. } = run;
    let breakers = outcome.breakers.iter().flat_map(|breaker| {
        let mut callers: Vec<u32> = breaker.transitions.iter().map(|t| t.caller_instance).collect();
        callers.sort_unstable();
        callers.dedup();
        callers
            .into_iter()
            .map(|caller| {
                let own = breaker.transitions.iter().filter(move |t| t.caller_instance == caller);
                let steps = own.map(|t| json!({ "at_s": t.at_s, "from": t.from.name(), "to": t.to.name() }));
                json!({ "edge": breaker.name, "caller_instance": caller, "opened": breaker.opened,
                "open_share": breaker.open_share.value, "transitions": steps.collect::<Vec<_>>() })
            })
            .collect::<Vec<_>>()
    });
    json!({
        "scenario": compiled.scenario,
        "seed": outcome.seed,
        "replications": outcome.replications,
        "duration_s": compiled.plan.duration.seconds(),
        "warm_up_s": compiled.plan.warm_up.seconds(),
        "sources": outcome.sources.iter().map(|s| requests(&s.requests, Map::from_iter([("name".to_owned(), s.name.clone().into())]))).collect::<Vec<_>>(),
        "endpoints": endpoints(arch, compiled, outcome),
        "edges": edges(arch, compiled, outcome),
        "instances": instances(compiled, outcome),
        "breakers": breakers.collect::<Vec<_>>(),
        "queues": outcome.queues.iter().map(queue).collect::<Vec<_>>(),
        "discovery": outcome.known.iter().map(|(what, n)| (what.name().to_owned(), json!(n))).collect::<Map<_, _>>(),
        "expectations": expectations.iter().map(expectation).collect::<Vec<_>>(),
        "theory": theory::json(run),
        "precision": inputs::json_precision(run),
        "sensitivity": inputs::json_sensitivity(run),
        "timeline": timeline(outcome),
        "metrics": metrics::json(run, history(arch)),
        "traces": traces::json(run),
    })
}

/// Samples of a gauge that are kept where the document says nothing.
const HISTORY: usize = 1000;

fn history(arch: &Architecture) -> usize {
    let said = arch.monitoring.as_ref().and_then(|m| m.history);
    said.map_or(HISTORY, |h| h.value.0 as usize)
}

/// Endpoints; those that only one source calls as that source sees them.
fn endpoints(arch: &Architecture, compiled: &Compiled, outcome: &Outcome) -> Vec<Value> {
    let called: BTreeSet<EndpointRef> = arch
        .edges()
        .filter_map(|(e, edge)| Some(EndpointRef { service: arch.ends(e).1, endpoint: edge.to_endpoint? }))
        .collect();
    let rows = outcome.endpoints.iter().enumerate().map(|(i, endpoint)| {
        let at = compiled.endpoints.get(i).copied().flatten();
        let (service, name) = match at {
            Some(at) => (arch.id(at.service).to_owned(), arch.endpoint(at).map(|e| e.name.value.clone())),
            None => (endpoint.name.clone(), None),
        };
        let entering = compiled
            .sources
            .iter()
            .enumerate()
            .filter(|(_, (node, e))| at.is_some_and(|at| at.service == *node && Some(at.endpoint) == *e));
        let entering: Vec<usize> = entering.map(|(i, _)| i).collect();
        let called = at.is_some_and(|at| called.contains(&at));
        let seen = match (entering.as_slice(), called) {
            ([source], false) => &outcome.sources[*source].requests,
            _ => endpoint,
        };
        let head = [
            ("service", Value::from(service)),
            ("endpoint", Value::from(name)),
            ("entry", Value::from(!entering.is_empty())),
        ];
        requests(seen, head.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    });
    rows.collect()
}

fn requests(outcome: &EndpointOutcome, mut head: Map<String, Value>) -> Value {
    let causes = causes(&outcome.errors_by_cause);
    head.extend([
        ("requests".to_owned(), outcome.arrived.into()),
        ("succeeded".to_owned(), outcome.succeeded.into()),
        ("failed".to_owned(), outcome.failed.into()),
        ("in_flight".to_owned(), outcome.in_flight.into()),
        ("rate_per_s".to_owned(), outcome.rate_per_s.value.into()),
        ("goodput_per_s".to_owned(), outcome.goodput_per_s.value.into()),
        ("availability".to_owned(), outcome.availability.value.into()),
        ("errors_by_cause".to_owned(), causes),
        ("latency_ms".to_owned(), latency(&outcome.latency)),
    ]);
    Value::Object(head)
}

fn causes(all: &[(Cause, u64)]) -> Value {
    all.iter().map(|(cause, n)| (cause.name().to_owned(), json!(n))).collect::<Map<_, _>>().into()
}

fn latency(latency: &Latency) -> Value {
    let ms = |e: &Option<Estimate>| e.as_ref().map(|e| e.value * 1e3);
    let all = [
        ("mean", &latency.mean),
        ("p50", &latency.p50),
        ("p90", &latency.p90),
        ("p99", &latency.p99),
        ("p999", &latency.p999),
    ];
    let intervals = all.iter().filter_map(|(name, e)| {
        let (low, high) = e.as_ref()?.ci95?;
        Some(((*name).to_owned(), json!([low * 1e3, high * 1e3])))
    });
    let intervals: Map<String, Value> = intervals.collect();
    let mut object: Map<String, Value> =
        all.iter().map(|(name, e)| ((*name).to_owned(), ms(e).into())).collect();
    object.insert("count".to_owned(), latency.histogram.get().count().into());
    object.insert("min".to_owned(), latency.min.map(|m| m * 1e3).into());
    object.insert("max".to_owned(), latency.max.map(|m| m * 1e3).into());
    object.insert("ci95".to_owned(), intervals.into());
    Value::Object(object)
}

fn edges(arch: &Architecture, compiled: &Compiled, outcome: &Outcome) -> Vec<Value> {
    let rows = outcome.edges.iter().enumerate().filter_map(|(i, edge)| {
        let index = compiled.edges.get(i).copied().flatten()?;
        let (from, to) = arch.ends(index);
        Some(json!({ "id": edge.name, "from": arch.id(from), "to": arch.id(to), "requests": edge.requests,
            "attempts": edge.attempts, "retries": edge.retries, "timeouts": edge.timeouts,
            "rejected": edge.rejected, "succeeded": edge.succeeded, "recovered": edge.recovered,
            "errors_by_cause": causes(&edge.errors_by_cause),
            "amplification": edge.amplification.as_ref().map(|a| a.value) }))
    });
    rows.collect()
}

fn instances(compiled: &Compiled, outcome: &Outcome) -> Vec<Value> {
    let planned = compiled.plan.instances.iter().zip(&outcome.instances);
    let rows = planned.map(|(plan, seen)| {
        let service = &compiled.plan.services[plan.service.index()].name;
        json!({ "service": service, "instance": seen.name, "healthy": plan.up && plan.listed, "weight": plan.weight,
            "requests": seen.requests, "utilization": seen.utilization.as_ref().map(|u| u.value),
            "queue_mean": seen.queue_mean.value })
    });
    rows.collect()
}

fn queue(queue: &QueueOutcome) -> Value {
    json!({ "name": queue.name, "published": queue.published, "dropped": queue.dropped, "delivered": queue.delivered,
        "acknowledged": queue.acknowledged, "redelivered": queue.redelivered, "dead_lettered": queue.dead_lettered,
        "left": queue.left, "depth_max": queue.depth_max, "age_ms": latency(&queue.age) })
}

fn expectation(judged: &Judged) -> Value {
    json!({ "text": judged.text, "verdict": judged.verdict.name(), "observed": judged.observed.filter(|o| o.is_finite()),
        "ci95": judged.ci95.map(|(low, high)| [low, high]), "reason": judged.reason })
}

fn timeline(outcome: &Outcome) -> Vec<Value> {
    let rows = outcome.sources.iter().map(|source| {
        let windows = source.windows.iter().map(|w| {
            json!({ "at_s": w.at_s, "offered_per_s": w.offered_per_s, "goodput_per_s": w.goodput_per_s,
                "failures_per_s": w.failures_per_s, "p99_ms": w.p99_s.map(|p| p * 1e3) })
        });
        json!({ "source": source.name, "windows": windows.collect::<Vec<_>>() })
    });
    rows.collect()
}
