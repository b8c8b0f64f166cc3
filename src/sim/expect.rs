//! Whether what a scenario expects holds, judged with confidence.

use super::compile::Compiled;
use super::estimate::Estimate;
use super::outcome::{EndpointOutcome, Outcome, Window};
use crate::model::words::{Expectation, Metric, Operator};
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
    /// Why it is undecided, where more replications would not decide it.
    pub reason: Option<String>,
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
        let expectation = &written.value;
        let observed = observations(arch, scenario, compiled, outcome, expectation.metric, target.as_ref());
        let compare = |seen: &Seen| verdict(seen.as_ref().ok().copied(), expectation);
        // The worst counts; among equals the one nearest to the limit, or farthest beyond it.
        let badness = |seen: &Seen| seen.as_ref().map_or(f64::INFINITY, |s| beyond(s.value, expectation));
        let worst = observed
            .iter()
            .max_by(|a, b| compare(a).cmp(&compare(b)).then_with(|| badness(a).total_cmp(&badness(b))));
        let seen = worst.and_then(|seen| seen.as_ref().ok());
        // What cannot be observed was not shown to hold.
        let (verdict, reason) = match (worst.map_or(Verdict::Undecided, compare), worst) {
            (Verdict::Met, _) if compiled.incomplete => (Verdict::Undecided, Some(INCOMPLETE.to_owned())),
            (verdict @ Verdict::Undecided, Some(Err(reason))) => (verdict, Some(reason.clone())),
            (verdict @ Verdict::Undecided, None) => (verdict, Some(nothing(expectation.metric))),
            (verdict @ Verdict::Undecided, Some(Ok(seen)))
                if seen.ci95.is_none() && outcome.replications > 1 =>
            {
                (verdict, Some(FEW.to_owned()))
            }
            (verdict, _) => (verdict, None),
        };
        Judged {
            text: expectation.text.clone(),
            verdict,
            observed: seen.map(|s| s.value),
            ci95: seen.and_then(|s| s.ci95),
            metric: expectation.metric,
            reason,
        }
    };
    scenario.expectations.iter().map(judge_one).collect()
}

/// A number with its 95% interval. Recovery and quantiles that are not estimated per replication are `exact`:
/// they have no interval and are taken as they are.
#[derive(Debug, Clone, Copy)]
struct Observation {
    value: f64,
    ci95: Option<(f64, f64)>,
    exact: bool,
}

/// What was observed, or why nothing was.
type Seen = Result<Observation, String>;

const INCOMPLETE: &str = "something that happens in this scenario is not simulated";
const FEW: &str = "too few requests in each replication: simulate longer";
const NONE_CAME: &str = "no request arrived";

/// Why there is nothing at all to look at.
fn nothing(metric: Metric) -> String {
    let reason = match metric {
        Metric::Recovery => "nothing happens in this scenario that it could recover from",
        Metric::Utilization => "nothing it is about has a number of workers",
        Metric::Amplification => "no call goes there",
        _ => "nothing of it is measured",
    };
    reason.to_owned()
}

fn verdict(seen: Option<Observation>, expected: &Expectation) -> Verdict {
    let holds = |value: f64| match expected.operator {
        Operator::Less => value < expected.value,
        Operator::AtMost => value <= expected.value,
        Operator::Greater => value > expected.value,
        Operator::AtLeast => value >= expected.value,
    };
    let interval = seen.and_then(|s| s.ci95.or(s.exact.then_some((s.value, s.value))));
    match interval.map(|(low, high)| (holds(low), holds(high))) {
        Some((true, true)) => Verdict::Met,
        Some((false, false)) => Verdict::NotMet,
        // Too few samples for an interval decide nothing.
        _ => Verdict::Undecided,
    }
}

/// How far a value lies on the wrong side of the limit; negative on the right one.
fn beyond(value: f64, expected: &Expectation) -> f64 {
    match expected.operator {
        Operator::Less | Operator::AtMost => value - expected.value,
        Operator::Greater | Operator::AtLeast => expected.value - value,
    }
}

fn observations(
    arch: &Architecture,
    scenario: &Scenario,
    compiled: &Compiled,
    outcome: &Outcome,
    metric: Metric,
    target: Option<&TargetRef>,
) -> Vec<Seen> {
    let here = |i: &usize| {
        let (node, endpoint) = compiled.sources[*i];
        target.is_none_or(|t| t.node == node && (t.endpoint.is_none() || t.endpoint == endpoint))
    };
    let sources: Vec<usize> = (0..outcome.sources.len()).filter(here).collect();
    match metric {
        Metric::Utilization => utilization(arch, compiled, outcome, target),
        Metric::Amplification => amplification(arch, compiled, outcome, target),
        Metric::Recovery => {
            let ends = last_event_ends(scenario);
            let starts = scenario.events.iter().map(|e| e.at.seconds()).reduce(f64::min);
            let (Some(ends), Some(starts)) = (ends, starts) else { return Vec::new() };
            let warm_up = compiled.plan.warm_up.seconds();
            let recovery = |i: usize| {
                recovery(&outcome.sources[i].mean_windows, warm_up, starts, ends)
                    .map(exact)
                    .map_err(|reason| format!("{}: {reason}", outcome.sources[i].name))
            };
            sources.into_iter().map(recovery).collect()
        }
        _ if !sources.is_empty() => {
            sources.into_iter().map(|i| of_requests(&outcome.sources[i].requests, metric)).collect()
        }
        _ => {
            let inner = |i: &usize| {
                let wanted = target.and_then(TargetRef::endpoint_ref);
                wanted.is_some() && compiled.endpoints.get(*i).copied().flatten() == wanted
            };
            let inner: Vec<usize> = (0..outcome.endpoints.len()).filter(inner).collect();
            inner.into_iter().map(|i| of_requests(&outcome.endpoints[i], metric)).collect()
        }
    }
}

const fn estimate(estimate: &Estimate) -> Observation {
    Observation { value: estimate.value, ci95: estimate.ci95, exact: false }
}

const fn exact(value: f64) -> Observation {
    Observation { value, ci95: None, exact: true }
}

fn of_requests(requests: &EndpointOutcome, metric: Metric) -> Seen {
    let latency = &requests.latency;
    if requests.arrived == 0 {
        return Err(NONE_CAME.to_owned());
    }
    if requests.succeeded == 0 && matches!(metric, Metric::Mean | Metric::Quantile(_)) {
        // Nobody got an answer, however long one waits.
        return Ok(exact(f64::INFINITY));
    }
    let seen = match metric {
        Metric::Availability => Some(estimate(&requests.availability)),
        Metric::Goodput => Some(estimate(&requests.goodput_per_s)),
        Metric::Mean => latency.mean.as_ref().map(estimate),
        Metric::Quantile(500) => latency.p50.as_ref().map(estimate),
        Metric::Quantile(900) => latency.p90.as_ref().map(estimate),
        Metric::Quantile(990) => latency.p99.as_ref().map(estimate),
        Metric::Quantile(999) => latency.p999.as_ref().map(estimate),
        Metric::Quantile(q) => latency.histogram.get().quantile(f64::from(q) / 1000.0).map(exact),
        Metric::Recovery | Metric::Amplification | Metric::Utilization => None,
    };
    seen.ok_or_else(|| nothing(metric))
}

fn utilization(
    arch: &Architecture,
    compiled: &Compiled,
    outcome: &Outcome,
    target: Option<&TargetRef>,
) -> Vec<Seen> {
    let plan = &compiled.plan;
    let of = |i: usize| {
        let service = &plan.services[plan.instances[i].service.index()].name;
        target.is_none_or(|t| service == arch.id(t.node))
    };
    let instances = outcome.instances.iter().enumerate().filter(|(i, _)| of(*i));
    instances.filter_map(|(_, i)| i.utilization.as_ref().map(estimate).map(Ok)).collect()
}

fn amplification(
    arch: &Architecture,
    compiled: &Compiled,
    outcome: &Outcome,
    target: Option<&TargetRef>,
) -> Vec<Seen> {
    let to = |i: usize| compiled.edges.get(i).copied().flatten().map(|e| arch.ends(e).1);
    let edges =
        outcome.edges.iter().enumerate().filter(|(i, _)| target.is_none_or(|t| to(*i) == Some(t.node)));
    edges.filter_map(|(_, e)| e.amplification.as_ref().map(estimate).map(Ok)).collect()
}

fn last_event_ends(scenario: &Scenario) -> Option<f64> {
    let ends = scenario
        .events
        .iter()
        .map(|e| e.at.seconds() + e.lasts.map_or(0.0, crate::model::words::Duration::seconds));
    ends.reduce(f64::max)
}

/// Seconds from `ends` to the first 5 s from which on every 5 s are within 10% of the goodput and 99th percentile
/// of those between `warm_up` and `starts`; infinity where that is not within the run. Where nothing can be said, why:
/// nothing before, nothing after, or ill already before. 5 s begin with every second. The share of requests that is
/// answered must come back as well: under a rising load the number alone says nothing.
///
/// Chance makes some of many stretches worse than the few before ever were. So a stretch is ill when it is worse by
/// 10% than the worst of them *and* by four standard deviations than their mean, and a spell of high percentiles that
/// is over within ten seconds is chance, unless it begins with the end of the event.
fn recovery(windows: &[Window], warm_up: f64, starts: f64, ends: f64) -> Result<f64, String> {
    let stretches = stretches(windows);
    let before: Vec<&Stretch> =
        stretches.iter().filter(|s| s.at_s >= warm_up && s.at_s + WIDTH <= starts).collect();
    let goodputs: Vec<f64> = before.iter().map(|s| s.goodput).collect();
    let p99s: Vec<f64> = before.iter().filter_map(|s| s.p99).collect();
    if goodputs.is_empty() {
        return Err("nothing was seen before the first event".to_owned());
    }
    let shares: Vec<f64> = before.iter().map(|s| s.share).collect();
    let usual = shares.iter().sum::<f64>() / shares.len() as f64;
    if usual < WELL {
        let percent = (usual * 100.0).round();
        return Err(format!("ill before the first event already: {percent}% of its requests succeeded"));
    }
    let least = |values: &[f64]| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        (least * WELL).min(beyond_chance(values, -1.0).unwrap_or(least))
    };
    let (goodput, share) = (least(&goodputs), least(&shares));
    let most = p99s.iter().copied().reduce(f64::max);
    let p99 = most.map(|most| (most * 1.1).max(beyond_chance(&p99s, 1.0).unwrap_or(most)));
    let slow = |s: &Stretch| match (s.p99, p99) {
        (Some(now), Some(then)) => now > then,
        (None, Some(_)) => true,
        _ => false,
    };
    let after: Vec<&Stretch> = stretches.iter().filter(|s| s.at_s >= ends).collect();
    // One past the last stretch that counts as ill.
    let ill = |s: &&Stretch| s.goodput < goodput || s.share < share;
    let mut well = after.iter().rposition(ill).map_or(0, |at| at + 1);
    let mut spell = 0;
    for (at, stretch) in after.iter().enumerate() {
        spell = if slow(stretch) { spell + 1 } else { 0 };
        let since_the_event = spell > 0 && at + 1 - spell <= well;
        if spell > CHANCE || since_the_event {
            well = well.max(at + 1);
        }
    }
    if after.is_empty() {
        return Err("nothing was seen after the last event".to_owned());
    }
    Ok(after.get(well).map_or(f64::INFINITY, |s| s.at_s - ends))
}

/// Four standard deviations above or below the mean.
fn beyond_chance(values: &[f64], side: f64) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (values.len() > 1).then(|| mean + side * 4.0 * (squares / (count - 1.0)).sqrt())
}

const WIDTH: f64 = 5.0;
/// So much of what was before is as good as it.
const WELL: f64 = 0.9;
/// Stretches in a row with a high percentile that may be chance.
const CHANCE: usize = 10;

struct Stretch {
    at_s: f64,
    goodput: f64,
    /// Of the requests that came in; at most 1, since those that waited are answered later.
    share: f64,
    p99: Option<f64>,
}

/// Windows of a second put together to stretches of five, one beginning with each. The 99th percentile of a stretch
/// is that of its worst window.
fn stretches(windows: &[Window]) -> Vec<Stretch> {
    windows
        .windows(WIDTH as usize)
        .map(|chunk| {
            let goodput = chunk.iter().map(|w| w.goodput_per_s).sum::<f64>() / WIDTH;
            let offered = chunk.iter().map(|w| w.offered_per_s).sum::<f64>() / WIDTH;
            let share = if offered > goodput { goodput / offered } else { 1.0 };
            let at_s = chunk.first().map_or(0.0, |w| w.at_s);
            Stretch { at_s, goodput, share, p99: chunk.iter().filter_map(|w| w.p99_s).reduce(f64::max) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_inside_the_interval_is_undecided() {
        let seen = |value, ci95, exact| Some(Observation { value, ci95, exact });
        let table = [
            (seen(0.4, Some((0.35, 0.45)), false), Operator::Less, 0.5, Verdict::Met),
            (seen(0.4, Some((0.35, 0.55)), false), Operator::Less, 0.5, Verdict::Undecided),
            (seen(0.6, Some((0.55, 0.65)), false), Operator::Less, 0.5, Verdict::NotMet),
            (seen(1.0, Some((1.0, 1.0)), false), Operator::AtLeast, 0.999, Verdict::Met),
            (seen(0.999, None, true), Operator::AtLeast, 0.999, Verdict::Met),
            (seen(f64::INFINITY, None, true), Operator::Less, 20.0, Verdict::NotMet),
            (seen(0.1, None, false), Operator::Less, 0.5, Verdict::Undecided),
            (None, Operator::Less, 0.5, Verdict::Undecided),
        ];
        for (seen, operator, value, expected) in table {
            let expectation =
                Expectation { text: String::new(), target: None, metric: Metric::Mean, operator, value };
            assert_eq!(verdict(seen, &expectation), expected, "{seen:?} {operator:?} {value}");
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
        // From 49 on every five seconds have at least 90.
        assert_eq!(recovery(&windows, 10.0, 30.0, 40.0), Ok(9.0));
        let ill: Vec<Window> = (0..80)
            .map(|at| Window { goodput_per_s: if at > 30 { 1.0 } else { 100.0 }, ..window(at) })
            .collect();
        assert_eq!(recovery(&ill, 10.0, 30.0, 40.0), Ok(f64::INFINITY), "never");
        let none = |reason: &str| Err(reason.to_owned());
        assert_eq!(recovery(&windows, 30.0, 30.0, 40.0), none("nothing was seen before the first event"));
        assert_eq!(recovery(&windows, 10.0, 30.0, 90.0), none("nothing was seen after the last event"));
        // 10 of 100 before and after: there is nothing to recover.
        let bad: Vec<Window> = (0..80).map(|at| Window { goodput_per_s: 10.0, ..window(at) }).collect();
        assert_eq!(
            recovery(&bad, 10.0, 30.0, 40.0),
            none("ill before the first event already: 10% of its requests succeeded")
        );
        // The load doubles with the event, the answers do not.
        let more = |at: usize| Window {
            offered_per_s: if at < 30 { 100.0 } else { 200.0 },
            goodput_per_s: 100.0,
            ..window(at)
        };
        let more: Vec<Window> = (0..80).map(more).collect();
        assert_eq!(recovery(&more, 10.0, 30.0, 40.0), Ok(f64::INFINITY), "half of them fail");
        // A slow second makes five stretches slow: chance. Twelve slow seconds are none.
        let slow = |from: usize, to: usize| -> Vec<Window> {
            let p99 = |at: usize| Some(if (from..to).contains(&at) { 0.3 } else { 0.1 });
            (0..80).map(|at| Window { goodput_per_s: 100.0, p99_s: p99(at), ..window(at) }).collect()
        };
        assert_eq!(recovery(&slow(60, 61), 10.0, 30.0, 40.0), Ok(0.0));
        assert_eq!(recovery(&slow(60, 72), 10.0, 30.0, 40.0), Ok(32.0));
        assert_eq!(recovery(&slow(35, 42), 10.0, 30.0, 40.0), Ok(2.0), "it begins with the event");
    }
}
