//! What a monitoring system would have recorded: counters, gauges with their last samples, histograms.

use super::Run;
use crate::sim::{EndpointOutcome, Window};
use serde_json::{Value, json};

/// A window's number and what it is called.
type Gauge = (&'static str, fn(&Window) -> Option<f64>);

const GAUGES: [Gauge; 4] = [
    ("offered_per_s", |w| Some(w.offered_per_s)),
    ("goodput_per_s", |w| Some(w.goodput_per_s)),
    ("failures_per_s", |w| Some(w.failures_per_s)),
    ("p99_ms", |w| w.p99_s.map(|s| s * 1e3)),
];

/// Counters and histograms over all replications, of sources, endpoints, calls and queues; gauges of the sources in
/// replication 0, whose summary is of the last `history` samples.
pub(super) fn json(run: &Run, history: usize) -> Vec<Value> {
    let outcome = &run.outcome;
    let mut all = Vec::new();
    for source in &outcome.sources {
        let labels = json!({ "source": source.name });
        requests(&mut all, &labels, &source.requests);
        let last = source.windows.iter().skip(source.windows.len().saturating_sub(history));
        for (name, of) in GAUGES {
            let samples: Vec<f64> = last.clone().filter_map(of).collect();
            all.push(gauge(name, &labels, &samples));
        }
    }
    for endpoint in &outcome.endpoints {
        requests(&mut all, &json!({ "endpoint": endpoint.name }), endpoint);
    }
    for edge in &outcome.edges {
        let labels = json!({ "call": edge.name });
        let counters = [
            ("calls_total", edge.requests),
            ("attempts_total", edge.attempts),
            ("retries_total", edge.retries),
            ("timeouts_total", edge.timeouts),
            ("rejected_total", edge.rejected),
        ];
        all.extend(counters.map(|(name, value)| counter(name, &labels, value)));
    }
    for queue in &outcome.queues {
        let labels = json!({ "queue": queue.name });
        let counters = [
            ("published_total", queue.published),
            ("acknowledged_total", queue.acknowledged),
            ("redelivered_total", queue.redelivered),
            ("dead_lettered_total", queue.dead_lettered),
        ];
        all.extend(counters.map(|(name, value)| counter(name, &labels, value)));
    }
    all
}

fn requests(all: &mut Vec<Value>, labels: &Value, seen: &EndpointOutcome) {
    let counters = [
        ("requests_total", seen.arrived),
        ("succeeded_total", seen.succeeded),
        ("failed_total", seen.failed),
    ];
    all.extend(counters.map(|(name, value)| counter(name, labels, value)));
    let latency = &seen.latency;
    let ms = |seconds: f64| seconds * 1e3;
    all.push(json!({ "name": "latency_ms", "type": "histogram", "labels": labels,
        "count": latency.histogram.get().count(), "min": latency.min.map(ms), "max": latency.max.map(ms),
        "avg": latency.mean.as_ref().map(|m| ms(m.value)) }));
}

fn counter(name: &str, labels: &Value, value: u64) -> Value {
    json!({ "name": name, "type": "counter", "labels": labels, "value": value })
}

fn gauge(name: &str, labels: &Value, samples: &[f64]) -> Value {
    let sum: f64 = samples.iter().sum();
    json!({ "name": name, "type": "gauge", "labels": labels, "count": samples.len(),
        "min": samples.iter().copied().reduce(f64::min), "max": samples.iter().copied().reduce(f64::max),
        "avg": (!samples.is_empty()).then(|| sum / samples.len() as f64), "latest": samples.last() })
}
