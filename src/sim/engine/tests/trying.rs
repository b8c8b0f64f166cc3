//! Attempts beside the first: retries that go elsewhere, hedges.

use super::{event, two};
use crate::kernel::{Distribution, Span};
use crate::policy::balancer;
use crate::policy::retry::HedgingPolicy;
use crate::sim::plan::Hedge;
use crate::sim::{Action, Arrivals, Caller, Cause, Outcome, Plan, SourceId, simulate};

/// Failures of 99 requests over two instances, one of them dead, with one retry.
fn failures(name: &str, avoids_tried: bool) -> (u64, u64) {
    let mut plan = two(1);
    plan.upstreams[0].balancer = balancer::find(name).expect("known");
    plan.edges[0].retry.num_retries = 1;
    plan.edges[0].retry.avoids_tried = avoids_tried;
    plan.edges[0].retry.backoff.base = Span::from_millis(1);
    plan.events = vec![event(0, None, Action::Kill { unlisted_after: None }, &[0])];
    // Over 20 replications of 99 requests.
    let outcome = simulate(&plan, 1, 20, 1).expect("a valid plan");
    (outcome.sources[0].requests.failed, outcome.edges[0].retries)
}

#[test]
fn retries_avoid_where_they_were() {
    // Half of the first picks is wrong, and so are all of six more in 1/64 of these: 15.5 of 1980.
    let (failed, retried) = failures("random", true);
    assert!((5..30).contains(&failed) && (900..1080).contains(&retried), "{failed} of {retried}");
    // Without, the second pick is as bad as the first: a quarter.
    let (failed, _) = failures("random", false);
    assert!((430..560).contains(&failed), "{failed}");
    // A turn that is taken is the next one's in any case.
    assert_eq!(failures("round_robin", true).0, 0);
    // nginx never goes back, and leaves a server alone that failed: one trial in ten seconds.
    let (failed, retried) = failures("weighted_round_robin", true);
    assert_eq!(failed, 0);
    assert!(retried <= 40, "{retried}");
}

/// Exponential work of 1 ms, hedged after so long.
fn hedged(delay: f64, max_attempts: u32, cancel: bool) -> Plan {
    let mut plan = Plan::new(Span::from_secs(1), Span::from_secs(101));
    let service = plan.add_service("server", 2);
    plan.services[0].workers = None;
    let work = Some(Distribution::Exponential(Span::from_millis(1)));
    let endpoint = plan.add_endpoint("server", service, work, 0.0, &[]);
    let upstream =
        plan.add_upstream("clients", Caller::Source(SourceId(0)), service, &balancer::BALANCERS[0]);
    let edge = plan.add_edge("clients → server", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(1000.0));
    let policy = HedgingPolicy { max_attempts, delay: Span::from_seconds(delay / 1e3) };
    plan.edges[0].hedging = Some(Hedge { policy, cancel });
    plan
}

fn busy(outcome: &Outcome) -> f64 {
    outcome.instances.iter().map(|instance| instance.busy_mean.value).sum()
}

#[test]
fn the_first_of_hedged_replies_counts() {
    // Survival e^−t up to the delay h, e^−(2t − h) beyond: mean 1 − e^−h/2, p99 3.8004, and e^−h more attempts.
    let outcome = simulate(&hedged(2.9957, 2, true), 1, 10, 2).expect("a valid plan");
    let latency = &outcome.sources[0].requests.latency;
    let (mean, p99) =
        (latency.mean.as_ref().expect("answers").value, latency.p99.as_ref().expect("answers").value);
    let extra = outcome.edges[0].attempts as f64 / outcome.edges[0].requests as f64 - 1.0;
    assert!((mean - 0.975e-3).abs() < 0.005e-3, "{mean}");
    assert!((p99 - 3.8004e-3).abs() < 0.04e-3, "{p99}");
    assert!((extra - 0.05).abs() < 0.002, "{extra}");
    // Both work from the hedge to the first reply, e^−h/2 each on average: 1 ms in all. A loser that goes on
    // takes e^−h more.
    let cancelled = busy(&outcome);
    let goes_on = busy(&simulate(&hedged(2.9957, 2, false), 1, 10, 2).expect("a valid plan"));
    assert!((cancelled - 1.0).abs() < 0.005 && (goes_on - 1.05).abs() < 0.006, "{cancelled} {goes_on}");
    // Three at once: a third of the time, and all of them are sent.
    let outcome = simulate(&hedged(0.0, 3, true), 1, 10, 2).expect("a valid plan");
    let mean = outcome.sources[0].requests.latency.mean.as_ref().expect("answers").value;
    assert!((mean * 3e3 - 1.0).abs() < 0.005, "{mean}");
    // But where the first takes no nanosecond.
    let sent = outcome.edges[0].attempts as f64 / outcome.edges[0].requests as f64;
    assert!((sent - 3.0).abs() < 1e-5, "{sent}");
}

#[test]
fn failures_of_hedged_attempts() {
    let hedge = |policy| Some(Hedge { policy, cancel: true });
    // One of two is dead. Its refusal is the answer, unless such a failure is worth another attempt.
    let mut plan = two(30);
    plan.edges[0].hedging = hedge(HedgingPolicy { max_attempts: 2, delay: Span::from_millis(10) });
    plan.events = vec![event(0, None, Action::Kill { unlisted_after: None }, &[0])];
    let run = |plan: &Plan| simulate(plan, 1, 1, 1).expect("a valid plan");
    let outcome = run(&plan);
    let failed = outcome.edges[0].errors_by_cause.clone();
    assert_eq!(failed, [(Cause::Refused, outcome.sources[0].requests.failed)]);
    assert!(outcome.sources[0].requests.failed > 40);
    plan.edges[0].retry.num_retries = 1;
    let outcome = run(&plan);
    assert_eq!((outcome.sources[0].requests.failed, outcome.sources[0].requests.in_flight), (0, 0));
    // Both dead: two attempts, one failure.
    plan.events.push(event(0, None, Action::Kill { unlisted_after: None }, &[1]));
    let outcome = run(&plan);
    assert_eq!((outcome.sources[0].requests.failed, outcome.edges[0].attempts), (99, 198));
    // A time limit ends both attempts at once.
    plan.events.clear();
    plan.edges[0].timeout = Some(Span::from_millis(20));
    let outcome = run(&plan);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Timeout, 99)]);
    assert_eq!((outcome.edges[0].attempts, outcome.edges[0].timeouts), (198, 198));
}
