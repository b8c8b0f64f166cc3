//! Whether what a scenario expects holds, judged with confidence.

use super::compile::Compiled;
use super::estimate::Estimate;
use super::outcome::{EndpointOutcome, Outcome, Window};
use crate::model::words::{Metric, Operator};
use crate::model::{Architecture, Expected, Scenario, TargetRef};

/// What became of an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds, and so does the whole confidence interval.
    Met,
    /// The limit lies inside the confidence interval: more replications are needed.
    Undecided,
    /// It does not hold.
    NotMet,
}

impl Verdict {
    /// As the JSON says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Undecided => "undecided",
            Self::NotMet => "not-met",
        }
    }
}

/// An expectation with what was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// As written.
    pub text: String,
    /// What became of it.
    pub verdict: Verdict,
    /// The observation, in the unit of the metric: seconds, per second, or a part of 1. `None` where
    /// nothing could be observed.
    pub observed: Option<f64>,
    /// Its 95% interval.
    pub ci95: Option<(f64, f64)>,
    /// What the metric measures, for the unit.
    pub metric: Metric,
}

/// Judges every expectation of a scenario; one about no target in particular is judged for every source,
/// and the worst counts.
pub fn judge(
    arch: &Architecture,
    scenario: &Scenario,
    compiled: &Compiled,
    outcome: &Outcome,
) -> Vec<Judged> {
    let judge_one = |(written, target): &Expected| {
        let observed = observations(arch, scenario, compiled, outcome, written.metric, target.as_ref());
        let compare = |(value, ci): &(f64, Option<(f64, f64)>)| {
            verdict(*value, *ci, written.value.operator, written.value.value)
        };
        let worst = observed.iter().max_by_key(|o| compare(o));
        Judged {
            text: written.text.clone(),
            // What cannot be observed was not shown to hold.
            verdict: worst.map_or(Verdict::Undecided, compare),
            observed: worst.map(|(value, _)| *value),
            ci95: worst.and_then(|(_, ci)| *ci),
            metric: written.metric,
        }
    };
    scenario.expectations.iter().map(judge_one).collect()
}

fn verdict(value: f64, ci: Option<(f64, f64)>, operator: Operator, limit: f64) -> Verdict {
    let holds = |value: f64| match operator {
        Operator::Less => value < limit,
        Operator::AtMost => value <= limit,
        Operator::Greater => value > limit,
        Operator::AtLeast => value >= limit,
    };
    let (low, high) = ci.unwrap_or((value, value));
    match (holds(low), holds(high)) {
        (true, true) => Verdict::Met,
        (false, false) => Verdict::NotMet,
        _ => Verdict::Undecided,
    }
}

type Observation = (f64, Option<(f64, f64)>);

fn observations(
    arch: &Architecture,
    scenario: &Scenario,
    compiled: &Compiled,
    outcome: &Outcome,
    metric: Metric,
    target: Option<&TargetRef>,
) -> Vec<Observation> {
    let here = |i: &usize| {
        let (node, endpoint) = compiled.sources[*i];
        target.is_none_or(|t| t.node == node && (t.endpoint.is_none() || t.endpoint == endpoint))
    };
    let sources: Vec<usize> = (0..outcome.sources.len()).filter(here).collect();
    match metric {
        Metric::Utilization => utilization(arch, outcome, target),
        Metric::Amplification => amplification(arch, compiled, outcome, target),
        Metric::Recovery => {
            let ends = last_event_ends(scenario);
            let starts = scenario.events.iter().map(|e| e.at.seconds()).reduce(f64::min);
            let (Some(ends), Some(starts)) = (ends, starts) else { return Vec::new() };
            let recovery = |i: usize| {
                recovery(&outcome.sources[i].mean_windows, compiled.plan.warm_up.seconds(), starts, ends)
            };
            // Never within the run is longer than any limit.
            sources.into_iter().map(|i| (recovery(i).unwrap_or(f64::INFINITY), None)).collect()
        }
        _ if !sources.is_empty() => {
            sources.into_iter().filter_map(|i| of_requests(&outcome.sources[i].requests, metric)).collect()
        }
        _ => {
            let inner = |i: &usize| {
                let wanted = target.and_then(TargetRef::endpoint_ref);
                wanted.is_some() && compiled.endpoints.get(*i).copied().flatten() == wanted
            };
            let inner: Vec<usize> = (0..outcome.endpoints.len()).filter(inner).collect();
            inner.into_iter().filter_map(|i| of_requests(&outcome.endpoints[i], metric)).collect()
        }
    }
}

fn of_requests(requests: &EndpointOutcome, metric: Metric) -> Option<Observation> {
    let estimate = |e: &Estimate| (e.value, e.ci95);
    let latency = &requests.latency;
    match metric {
        Metric::Availability => Some(estimate(&requests.availability)),
        Metric::Goodput => Some(estimate(&requests.goodput_per_s)),
        Metric::Mean => latency.mean.as_ref().map(estimate),
        Metric::Quantile(500) => latency.p50.as_ref().map(estimate),
        Metric::Quantile(900) => latency.p90.as_ref().map(estimate),
        Metric::Quantile(990) => latency.p99.as_ref().map(estimate),
        Metric::Quantile(999) => latency.p999.as_ref().map(estimate),
        Metric::Quantile(q) => latency.histogram.get().quantile(f64::from(q) / 1000.0).map(|v| (v, None)),
        Metric::Recovery | Metric::Amplification | Metric::Utilization => None,
    }
}

fn utilization(arch: &Architecture, outcome: &Outcome, target: Option<&TargetRef>) -> Vec<Observation> {
    let of =
        |name: &str| target.is_none_or(|t| name.split_once('/').is_some_and(|(id, _)| id == arch.id(t.node)));
    let instances = outcome.instances.iter().filter(|i| of(&i.name));
    instances.filter_map(|i| i.utilization.as_ref().map(|u| (u.value, u.ci95))).collect()
}

fn amplification(
    arch: &Architecture,
    compiled: &Compiled,
    outcome: &Outcome,
    target: Option<&TargetRef>,
) -> Vec<Observation> {
    let to = |i: usize| compiled.edges.get(i).copied().flatten().map(|e| arch.ends(e).1);
    let edges =
        outcome.edges.iter().enumerate().filter(|(i, _)| target.is_none_or(|t| to(*i) == Some(t.node)));
    edges.filter_map(|(_, e)| e.amplification.as_ref().map(|a| (a.value, a.ci95))).collect()
}

fn last_event_ends(scenario: &Scenario) -> Option<f64> {
    let ends = scenario
        .events
        .iter()
        .map(|e| e.at.seconds() + e.lasts.map_or(0.0, crate::model::words::Duration::seconds));
    ends.reduce(f64::max)
}

/// Seconds from `ends` to the first 5 s stretch from which on every stretch is within 10% of the goodput and
/// 99th percentile of the stretches between `warm_up` and `starts`. `None`: not within the run.
fn recovery(windows: &[Window], warm_up: f64, starts: f64, ends: f64) -> Option<f64> {
    let stretches = stretches(windows);
    let before: Vec<&Stretch> =
        stretches.iter().filter(|s| s.at_s >= warm_up && s.at_s + WIDTH <= starts).collect();
    // Stretches are short and so are uneven: no worse than the worst of them before the event is well.
    let goodput = before.iter().map(|s| s.goodput).reduce(f64::min)?;
    let p99 = before.iter().filter_map(|s| s.p99).reduce(f64::max);
    let well = |s: &Stretch| {
        let fast = match (s.p99, p99) {
            (Some(now), Some(then)) => now <= then * 1.1,
            (None, Some(_)) => false,
            _ => true,
        };
        s.goodput >= goodput * 0.9 && fast
    };
    let after: Vec<&Stretch> = stretches.iter().filter(|s| s.at_s >= ends).collect();
    let ill = after.iter().rposition(|s| !well(s));
    let first = ill.map_or(0, |at| at + 1);
    after.get(first).map(|s| s.at_s - ends)
}

const WIDTH: f64 = 5.0;

struct Stretch {
    at_s: f64,
    goodput: f64,
    p99: Option<f64>,
}

/// Windows of a second put together to stretches of five; an incomplete one at the end is left out. The
/// 99th percentile of a stretch is that of its worst window.
fn stretches(windows: &[Window]) -> Vec<Stretch> {
    windows
        .chunks_exact(WIDTH as usize)
        .map(|chunk| Stretch {
            at_s: chunk.first().map_or(0.0, |w| w.at_s),
            goodput: chunk.iter().map(|w| w.goodput_per_s).sum::<f64>() / WIDTH,
            p99: chunk.iter().filter_map(|w| w.p99_s).reduce(f64::max),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_inside_the_interval_is_undecided() {
        let table = [
            (0.4, Some((0.35, 0.45)), Operator::Less, 0.5, Verdict::Met),
            (0.4, Some((0.35, 0.55)), Operator::Less, 0.5, Verdict::Undecided),
            (0.6, Some((0.55, 0.65)), Operator::Less, 0.5, Verdict::NotMet),
            (0.999, None, Operator::AtLeast, 0.999, Verdict::Met),
            (1.0, Some((1.0, 1.0)), Operator::AtLeast, 0.999, Verdict::Met),
            (f64::INFINITY, None, Operator::Less, 20.0, Verdict::NotMet),
        ];
        for (value, ci, operator, limit, expected) in table {
            assert_eq!(verdict(value, ci, operator, limit), expected, "{value} {ci:?} {operator:?} {limit}");
        }
    }

    #[test]
    fn recovery_counts_from_the_events_end_to_lasting_health() {
        let goodput = |at: usize| match at {
            30..40 => 10.0,
            // A relapse: health before it does not count.
            45..50 => 50.0,
            _ => 100.0,
        };
        let window = |at: usize| Window {
            at_s: at as f64,
            offered_per_s: 100.0,
            goodput_per_s: goodput(at),
            failures_per_s: 0.0,
            p99_s: Some(0.1),
        };
        let windows: Vec<Window> = (0..80).map(window).collect();
        assert_eq!(recovery(&windows, 10.0, 30.0, 40.0), Some(10.0));
        let ill: Vec<Window> = (0..80)
            .map(|at| Window { goodput_per_s: if at > 30 { 1.0 } else { 100.0 }, ..window(at) })
            .collect();
        assert_eq!(recovery(&ill, 10.0, 30.0, 40.0), None);
    }
}
