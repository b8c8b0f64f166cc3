//! The engine against queueing theory: the rows of `loadpath selftest`, which says what is simulated and what is
//! expected (`src/study/selftest`).
//!
//! A row passes when the 99.9% Student-t interval over its replications contains the truth *and* is narrow: a wrong
//! engine cannot hide behind noise, and a right one does not pass by luck. Seeds are fixed. Rows that take 10⁷
//! requests and more to become narrow are only kept from failing here; `loadpath selftest --full` narrows them.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use loadpath::kernel::{Distribution, Span};
use loadpath::policy::balancer;
use loadpath::sim::{Arrivals, Caller, Cause, CauseSet, EndpointId, Plan, ServiceId, SourceId, simulate};
use loadpath::study::selftest::{Judged, Settings, Verdict, not_expressed, rows, run};

/// Rows that take longer than a test may.
const LONG: &[&str] = &[
    "mm1-0.8",
    "mm1-p50",
    "mm1-p99",
    "mm1-p999",
    "mm1-L",
    "mm1-0.9",
    "mm1-0.99",
    "mg1-ln",
    "mg1-h2",
    "lifo",
    "mmc-2-0.8",
    "mmc-4-0.8",
    "mmc-16-0.8",
    "mmck-1-10-0.9",
    "mmck-4-20-3.8",
    "rnd-4-0.8",
    "sm-0.5",
    "sm-0.8",
    "sm-0.9",
    "sm-0.95",
    "tmo",
    "cb",
    "vuln",
];

fn judged(full: bool, only: Vec<String>) -> Vec<Judged> {
    let settings = Settings { full, seed: 1, threads: 2, only };
    let found = run(&settings, &mut |_| {}).expect("every system can be simulated");
    for judged in &found {
        println!(
            "{:16} {:24} expected {:.6} observed {:?} {:?} {:?}",
            judged.row.id, judged.quantity, judged.expected, judged.observed, judged.interval, judged.verdict
        );
    }
    found
}

#[test]
fn short_rows_pass() {
    let excused = not_expressed();
    let short = rows().into_iter().map(|row| row.id.to_owned());
    let short = short.filter(|id| !LONG.contains(&id.as_str()) && excused.iter().all(|e| e.row.id != id));
    for judged in judged(true, short.collect()) {
        let fine = matches!(judged.verdict, Verdict::Pass | Verdict::Beside);
        assert!(fine, "{judged:?}");
    }
}

#[test]
fn long_rows_do_not_fail() {
    for judged in judged(false, LONG.iter().map(|id| (*id).to_owned()).collect()) {
        assert_ne!(judged.verdict, Verdict::Fail, "{judged:?}");
    }
}

/// A chain of services, each calling the next: own work, then the call.
fn chain(works: &[Option<Distribution>], leaf_error: f64) -> Plan {
    let mut plan = Plan::new(Span::from_secs(20), Span::from_secs(40));
    let round_robin = &balancer::BALANCERS[0];
    let mut below: Option<(EndpointId, ServiceId)> = None;
    for (hop, work) in works.iter().enumerate().rev() {
        let name = format!("s{hop}");
        let service = plan.add_service(&name, 1);
        let mut steps = Vec::new();
        if let Some((endpoint, callee)) = below {
            let upstream = plan.add_upstream(&name, Caller::Service(service), callee, round_robin);
            let edge = plan.add_edge(&format!("{name} → s{}", hop + 1), endpoint, upstream);
            steps.push(plan.add_group(&[edge]));
        }
        let error = if below.is_none() { leaf_error } else { 0.0 };
        below = Some((plan.add_endpoint(&name, service, work.clone(), error, &steps), service));
    }
    let (endpoint, service) = below.expect("a chain of something");
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), service, round_robin);
    let edge = plan.add_edge("clients → s0", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(700.0));
    plan
}

/// Two hops with retries.
fn retried() -> Plan {
    let mut plan = chain(&[Some(Distribution::Exponential(UNIT)), None], 0.3);
    for edge in &mut plan.edges {
        edge.retry.num_retries = 2;
        edge.retry.on = CauseSet::SERVER_ERRORS;
        edge.retry.backoff.base = UNIT;
    }
    plan
}

const UNIT: Span = Span::from_millis(1);

#[test]
fn the_outcome_does_not_depend_on_threads_or_the_day() {
    let mut plan = retried();
    plan.edges[1].timeout = Some(UNIT.times(20));
    plan.edges[1].per_try_timeout = Some(UNIT.times(5));
    plan.sources[0].clients = 3;
    let text = |seed, threads| format!("{:?}", simulate(&plan, seed, 4, threads).expect("a valid plan"));
    let first = text(1, 1);
    assert_eq!(first, text(1, 1), "two runs");
    assert_eq!(first, text(1, 2), "one thread and two");
    assert_eq!(first, text(1, 3), "one thread and three");
    assert_ne!(first, text(2, 1), "the seed counts");
}

#[test]
fn every_request_has_one_ending() {
    let mut plan = retried();
    plan.edges[1].retry.num_retries = 0;
    plan.edges[1].timeout = Some(UNIT.times(10));
    let outcome = simulate(&plan, 3, 2, 1).expect("a valid plan");
    let requests = &outcome.sources[0].requests;
    let failed: u64 = requests.errors_by_cause.iter().map(|(_, count)| count).sum();
    assert_eq!(requests.failed, failed);
    assert_eq!(requests.in_flight, 0);
    assert_eq!(requests.arrived, requests.succeeded + requests.failed);
    let causes: Vec<Cause> = requests.errors_by_cause.iter().map(|(cause, _)| *cause).collect();
    assert_eq!(causes, [Cause::Timeout, Cause::Dependency]);
}
