//! Requests with everything that was done for them, as spans with parents and tags.

use super::Run;
use super::events::correlation;
use crate::kernel::Time;
use crate::sim::{Ending, Trace, TraceSpan};
use serde_json::{Value, json};

/// The traces of a run. Times are in milliseconds from the start of the trace; the root span is the client's request,
/// and spans that were under way when it was answered have no end.
pub(super) fn json(run: &Run) -> Value {
    run.traces.iter().map(|trace| one(run, trace)).collect()
}

fn one(run: &Run, trace: &Trace) -> Value {
    let source = &run.compiled.plan.sources[trace.source.index()].name;
    let took_ms = trace.took.seconds() * 1e3;
    let root = json!({ "span_id": 0, "parent_id": null, "name": source, "kind": "client", "start_ms": 0.0,
        "duration_ms": took_ms, "status": status(trace.end), "tags": {} });
    let spans = trace.spans.iter().enumerate().map(|(at, span)| child(run, trace.began, at, span));
    json!({ "trace_id": correlation(trace.request), "source": source, "start_s": trace.began.seconds(),
        "duration_ms": took_ms, "status": status(trace.end), "sampled": trace.sampled,
        "spans": std::iter::once(root).chain(spans).collect::<Vec<_>>() })
}

fn child(run: &Run, began: Time, at: usize, span: &TraceSpan) -> Value {
    let plan = &run.compiled.plan;
    let since = |at: Time| at.since(began).seconds() * 1e3;
    let instance = &plan.instances[span.instance.index()];
    let edge = span.edge.map(|edge| plan.edges[edge.index()].name.as_str());
    let status = if span.ended.is_some() { status(span.end) } else { "unfinished" };
    json!({ "span_id": at + 1, "parent_id": span.parent.map_or(0, |parent| parent + 1),
        "name": plan.endpoints[span.endpoint.index()].name, "kind": if edge.is_some() { "server" } else { "consumer" },
        "start_ms": since(span.sent), "duration_ms": span.ended.map(|end| end.since(span.sent).seconds() * 1e3),
        "status": status,
        "tags": { "service": plan.services[instance.service.index()].name, "instance": instance.name, "call": edge,
            "retry": span.retry, "received_ms": span.arrived.map(since) } })
}

fn status(end: Ending) -> &'static str {
    end.map_or("ok", crate::sim::Cause::name)
}
