//! What holds requests back or turns them away, against queueing theory: mean service time and patience are
//! in milliseconds, the offered load is 0.8.

use super::two;
use crate::kernel::{Distribution, Span};
use crate::policy::limit::{
    AdaptiveSettings, AimdSettings, BulkheadSettings, Fill, Gradient2Settings, RateLimiterSettings,
    TokenBucketSettings, VegasSettings,
};
use crate::policy::{balancer, breaker, retry};
use crate::sim::plan::{Adaptive, Budget, Connections, Limits, RateLimit};
use crate::sim::{Arrivals, BreakerId, BreakerPlan, Caller, Cause, Outcome, Plan, SourceId, simulate};

const RHO: f64 = 0.8;

/// Exponential work of 1 ms on a server that does any number at once: what queues, queues elsewhere.
fn delay(seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::from_secs(2), Span::from_secs(2 + seconds));
    let service = plan.add_service("server", 1);
    plan.services[0].workers = None;
    let work = Some(Distribution::Exponential(Span::from_millis(1)));
    let endpoint = plan.add_endpoint("server", service, work, 0.0, &[]);
    let upstream =
        plan.add_upstream("clients", Caller::Source(SourceId(0)), service, &balancer::BALANCERS[0]);
    let edge = plan.add_edge("clients → server", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(RHO * 1000.0));
    plan
}

fn run(plan: &Plan) -> Outcome {
    simulate(plan, 1, 4, 2).expect("a valid plan")
}

/// The mean latency in ms and the share of requests that are turned away, both within 3%.
fn check(what: &str, limits: Limits, mean_ms: f64, lost: f64, cause: Cause) {
    let mut plan = delay(60);
    plan.upstreams[0].guards.limits = limits;
    let requests = &run(&plan).sources[0].requests;
    let mean = requests.latency.mean.as_ref().expect("answers").value * 1e3;
    assert!((mean / mean_ms - 1.0).abs() < 0.03, "{what}: a mean of {mean} ms, not {mean_ms}");
    let share = 1.0 - requests.availability.value;
    assert!((share - lost).abs() < 0.03 * lost.max(1e-9), "{what}: {share} lost, not {lost}");
    if lost > 0.0 {
        assert_eq!(requests.errors_by_cause, [(cause, requests.failed)], "{what}");
    }
}

fn connections(max_connections: u32, max_concurrent_streams: u32, max_pending_requests: u32) -> Limits {
    let connections = Connections { max_connections, max_concurrent_streams, max_pending_requests };
    Limits { connections: Some(connections), ..Limits::default() }
}

#[test]
fn connections_and_who_waits_for_one() {
    let many = u32::MAX;
    // M/M/1, M/M/2, M/M/1/1 and M/M/1/2.
    check("one", connections(1, 1, many), 1.0 / (1.0 - RHO), 0.0, Cause::Capped);
    check("two streams", connections(1, 2, many), 1.0 / (1.0 - RHO * RHO / 4.0), 0.0, Cause::Capped);
    check("none waits", connections(1, 1, 0), 1.0, RHO / (1.0 + RHO), Cause::Capped);
    let (one, two) = (RHO, RHO * RHO);
    check(
        "one waits",
        connections(1, 1, 1),
        (1.0 + 2.0 * one) / (1.0 + one),
        two / (1.0 + one + two),
        Cause::Capped,
    );
}

#[test]
fn every_instance_may_have_a_connection_beyond_the_cap() {
    // Two instances in turn, one connection, and nobody may wait for it.
    let mut plan = two(50);
    plan.upstreams[0].guards.limits = connections(1, 1, 0);
    assert_eq!(simulate(&plan, 1, 1, 1).expect("a valid plan").sources[0].requests.succeeded, 99);
}

#[test]
fn bulkheads_with_and_without_patience() {
    let bulkhead = |millis| {
        let settings = BulkheadSettings { max_concurrent_calls: 1, max_wait: Span::from_millis(millis) };
        Limits { bulkhead: Some(settings), ..Limits::default() }
    };
    check("no patience", bulkhead(0), 1.0, RHO / (1.0 + RHO), Cause::Capped);
    check("all patience", bulkhead(1_000_000), 1.0 / (1.0 - RHO), 0.0, Cause::Capped);
    // M/M/1 with constant patience τ (Barrer 1957): (1 − ρ)·ρ·e^(−(1 − ρ)·τ) / (1 − ρ²·e^(−(1 − ρ)·τ)).
    let mut plan = delay(60);
    plan.upstreams[0].guards.limits = bulkhead(1);
    let away = 1.0 - run(&plan).sources[0].requests.availability.value;
    assert!((away / 0.275_2 - 1.0).abs() < 0.03, "{away}");
}

#[test]
fn adaptive_limits_at_their_bounds_are_loss_systems() {
    let aimd = AimdSettings { initial: 1, min: 1, max: 1, ..AimdSettings::default() };
    let vegas = VegasSettings { initial: 1, max: 1, ..VegasSettings::default() };
    let gradient = Gradient2Settings { initial: 1, min: 1, max: 1, ..Gradient2Settings::default() };
    let envoy =
        AdaptiveSettings { min_concurrency: 1, max_concurrency_limit: 1, ..AdaptiveSettings::default() };
    let kinds = [
        ("aimd", Adaptive::Aimd(aimd)),
        ("vegas", Adaptive::Vegas(vegas)),
        ("gradient2", Adaptive::Gradient2(gradient)),
        ("envoy", Adaptive::Envoy(envoy)),
    ];
    for (name, kind) in kinds {
        let limits = Limits { adaptive: Some(kind), ..Limits::default() };
        check(name, limits, 1.0, RHO / (1.0 + RHO), Cause::Capped);
        let mut plan = delay(60);
        plan.services[0].limits = limits;
        let requests = &run(&plan).sources[0].requests;
        assert_eq!(requests.errors_by_cause, [(Cause::Overflow, requests.failed)], "{name}");
        let away = 1.0 - requests.availability.value;
        assert!((away * (1.0 + RHO) / RHO - 1.0).abs() < 0.03, "{name} in front of the server: {away}");
    }
    // A limit that is let grow keeps latency near what it is without a queue: the server does one at a time
    // and is offered twice what it can do. Without a limit its queue grows for as long as the run lasts.
    let mut plan = delay(60);
    plan.services[0].workers = Some(1);
    plan.sources[0].arrivals = Arrivals::poisson(2000.0);
    plan.services[0].limits.adaptive = Some(Adaptive::Vegas(VegasSettings::default()));
    let requests = &run(&plan).sources[0].requests;
    let (goodput, p99) =
        (requests.goodput_per_s.value, requests.latency.p99.as_ref().expect("answers").value);
    assert!(goodput > 950.0 && p99 < 0.1, "{goodput}/s, {p99} s");
}

/// `two`, whose client is limited: requests answered well, turned away by the rate limit, and mean wait in ms.
fn rated(rate: RateLimit, at_caller: bool) -> (u64, u64, f64) {
    let mut plan = two(50);
    if at_caller {
        plan.upstreams[1].guards.limits.rate = Some(rate);
    } else {
        plan.services[1].limits.rate = Some(rate);
    }
    let requests = simulate(&plan, 1, 1, 1).expect("a valid plan").sources[0].requests.clone();
    let away = requests.errors_by_cause.iter().find(|(cause, _)| *cause == Cause::RateLimited);
    let mean = requests.latency.mean.map_or(0.0, |mean| mean.value);
    (requests.succeeded, away.map_or(0, |(_, count)| *count), mean * 1e3 - 50.0)
}

#[test]
fn rate_limits_turn_away_or_let_wait() {
    // A token that takes 200 ms to come back: at 0.1, 0.3, 0.5, … 9.9 s.
    let fill_interval = Span::from_millis(200);
    let bucket = RateLimit::Bucket(TokenBucketSettings {
        max_tokens: 1,
        tokens_per_fill: 1,
        fill_interval,
        fill: Fill::Continuous,
    });
    for at_caller in [true, false] {
        assert_eq!(rated(bucket, at_caller).0, 50);
        assert_eq!(rated(bucket, at_caller).1, 49);
    }
    // The nth request, at n·100 ms, has the permit of (n − 1)·200 ms: on average 4.801 s later.
    let cycles = |timeout| {
        let settings =
            RateLimiterSettings { limit_for_period: 1, limit_refresh_period: fill_interval, timeout };
        RateLimit::Cycles(settings)
    };
    let (well, away, wait) = rated(cycles(Span::from_secs(100)), true);
    assert!(well == 99 && away == 0 && (wait - 4_801.0).abs() < 1.0, "{well} {away} {wait}");
    // Nothing waits in front of a server.
    assert_eq!(rated(cycles(Span::from_secs(100)), false).0, 50);
    // As many get through within their patience as there are permits until then.
    let (well, away, _) = rated(cycles(Span::from_secs(1)), true);
    assert!((54..=56).contains(&well) && well + away == 99, "{well}");
}

/// Retries that a budget lets through when all 99 requests fail and may be retried so often.
fn retries(budget: Budget, num_retries: u32) -> u64 {
    let mut plan = two(1);
    plan.endpoints[0].error_rate = 1.0;
    plan.edges[0].retry.num_retries = num_retries;
    plan.edges[0].retry.backoff.base = Span::from_millis(1);
    plan.upstreams[0].guards.budget = Some(budget);
    simulate(&plan, 1, 1, 1).expect("a valid plan").edges[0].retries
}

#[test]
fn budgets_of_every_kind() {
    // Of ten tokens each failure takes one; at five it is over.
    assert_eq!(retries(Budget::Throttle { max_tokens: 10, token_ratio: 0.1 }, 1), 2);
    assert_eq!(retries(Budget::Throttle { max_tokens: 10, token_ratio: 0.1 }, 10), 4);
    // A fifth of 99 requests, and on top one a second for as long as a deposit lasts.
    let finagle = retry::FinagleBudgetSettings { min_retries_per_sec: 0, ..Default::default() };
    assert_eq!(retries(Budget::Deposits(finagle), 1), 19);
    let quota = retry::AwsQuotaSettings { capacity: 23, ..Default::default() };
    assert_eq!(retries(Budget::Quota(quota), 3), 4);
    let share = |min_concurrency| Budget::Share(retry::RetryBudget { percent: 0.0, min_concurrency });
    assert_eq!((retries(share(0), 3), retries(share(1), 3)), (0, 297));
}

#[test]
fn a_breaker_counts_attempts_or_calls() {
    let attempts = |counts_calls| {
        let mut plan = two(1);
        plan.endpoints[0].error_rate = 1.0;
        plan.edges[0].retry.num_retries = 1;
        let settings = breaker::Settings::Consecutive(breaker::ConsecutiveSettings::default());
        let caller = plan.upstreams[0].caller;
        plan.breakers.push(BreakerPlan { name: "b".into(), caller, settings });
        plan.edges[0].breaker = Some(BreakerId(0));
        plan.edges[0].breaker_counts_calls = counts_calls;
        let outcome = simulate(&plan, 1, 1, 1).expect("a valid plan");
        (outcome.edges[0].attempts, outcome.edges[0].rejected)
    };
    // Five failures open it for a minute: in the third of 99 calls, whose retry is rejected, or after the fifth.
    assert_eq!(attempts(false), (5, 97));
    assert_eq!(attempts(true), (10, 94));
}
