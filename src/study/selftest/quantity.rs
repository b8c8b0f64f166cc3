//! What of an outcome is compared: a value per replication, so that it has an interval.

use crate::sim::{Compiled, Estimate, Outcome};

/// An observation. Times are in milliseconds unless it says seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Mean latency.
    Mean,
    /// Mean latency in seconds.
    MeanSeconds,
    /// Half of the requests are faster.
    P50,
    /// The 99th percentile.
    P99,
    /// The 99.9th.
    P999,
    /// Requests at the first instance, waiting and in service.
    Inside,
    /// Mean time in the queue of the first service: its length over the admitted rate (Little).
    Wait,
    /// Requests that fail.
    Failed,
    /// Requests that succeed.
    Success,
    /// Successes per second.
    Goodput,
    /// Attempts at this service per request there would be without retries.
    Amplification(&'static str),
    /// Attempts of the clients per request, beside the first.
    Extra,
    /// Arrivals at the first endpoint per request.
    Visits,
    /// What the row's own watch saw.
    Watched,
}

/// What a system showed.
pub(super) struct Seen<'a> {
    pub compiled: &'a Compiled,
    pub outcome: &'a Outcome,
    pub watched: &'a [f64],
}

impl Quantity {
    /// A value per replication; empty where there is none.
    pub fn values(self, seen: &Seen<'_>) -> Vec<f64> {
        let (Some(source), Some(instance)) = (seen.outcome.sources.first(), seen.outcome.instances.first())
        else {
            return Vec::new();
        };
        let (requests, latency) = (&source.requests, &source.requests.latency);
        let of = |estimate: &Option<Estimate>, unit: f64| {
            let all = estimate.as_ref().map(|e| e.replications.as_slice()).unwrap_or_default();
            all.iter().map(|value| value * unit).collect()
        };
        let pairs = |a: &[f64], b: &[f64], made: fn(f64, f64) -> f64| {
            a.iter().zip(b).map(|(a, b)| made(*a, *b)).collect::<Vec<f64>>()
        };
        match self {
            Self::Mean => of(&latency.mean, 1e3),
            Self::MeanSeconds => of(&latency.mean, 1.0),
            Self::P50 => of(&latency.p50, 1e3),
            Self::P99 => of(&latency.p99, 1e3),
            Self::P999 => of(&latency.p999, 1e3),
            Self::Inside => {
                pairs(&instance.queue_mean.replications, &instance.busy_mean.replications, |a, b| a + b)
            }
            Self::Wait => {
                pairs(&instance.queue_mean.replications, &requests.rate_per_s.replications, |queue, rate| {
                    queue / rate * 1e3
                })
            }
            Self::Failed => requests.availability.replications.iter().map(|share| 1.0 - share).collect(),
            Self::Success => requests.availability.replications.clone(),
            Self::Goodput => requests.goodput_per_s.replications.clone(),
            Self::Amplification(service) => {
                let plan = &seen.compiled.plan;
                let to = |upstream: usize| plan.upstreams.get(upstream).map(|u| u.service.index());
                let there = |edge: usize| {
                    let called = plan.edges.get(edge).and_then(|e| to(e.upstream.index()));
                    called.and_then(|s| plan.services.get(s)).is_some_and(|s| s.name == service)
                };
                let edge = seen.outcome.edges.iter().enumerate().find(|(i, _)| there(*i));
                edge.map(|(_, edge)| of(&edge.amplification, 1.0)).unwrap_or_default()
            }
            Self::Extra => {
                let edge = seen.outcome.edges.first().map(|edge| of(&edge.amplification, 1.0));
                edge.unwrap_or_default().into_iter().map(|all: f64| all - 1.0).collect()
            }
            Self::Visits => {
                let visits = seen.outcome.endpoints.first().map(|e| e.rate_per_s.replications.clone());
                pairs(&visits.unwrap_or_default(), &requests.rate_per_s.replications, |a, b| a / b)
            }
            Self::Watched => seen.watched.to_vec(),
        }
    }
}
