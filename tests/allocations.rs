//! The engine allocates nothing in the steady state: ten times the requests, the same allocations.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use std::alloc::System;

use loadpath::kernel::{Distribution, Span};
use loadpath::policy::{balancer, breaker};
use loadpath::sim::{Arrivals, BreakerPlan, Caller, Plan, SourceId, replicate};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Two hops with everything that has state: balancers, a breaker, timeouts, retries, bounded queues.
fn plan(seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(seconds));
    let work = |millis| Some(Distribution::Exponential(Span::from_millis(millis)));
    let back = plan.add_service("back", 3);
    let answer = plan.add_endpoint("back", back, work(2), 0.05, &[]);
    let front = plan.add_service("front", 2);
    let least = balancer::find("least_connections").expect("known");
    let upstream = plan.add_upstream("front → back", Caller::Service(front), back, least);
    let edge = plan.add_edge("front → back", answer, upstream);
    let group = plan.add_group(&[edge]);
    let ask = plan.add_endpoint("front", front, work(1), 0.0, &[group]);
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), front, &balancer::BALANCERS[0]);
    let entry = plan.add_edge("clients → front", ask, upstream);
    plan.add_source("clients", entry, Arrivals::poisson(800.0));
    for service in &mut plan.services {
        service.queue_max_length = Some(50);
    }
    let settings = breaker::Settings::Consecutive(breaker::ConsecutiveSettings::default());
    plan.breakers.push(BreakerPlan { name: "b".into(), caller: Caller::Service(front), settings });
    for edge in &mut plan.edges {
        edge.latency_out = Span::from_micros(100);
        edge.latency_back = Span::from_micros(100);
        edge.timeout = Some(Span::from_millis(100));
        edge.per_try_timeout = Some(Span::from_millis(20));
        edge.retry.num_retries = 2;
    }
    plan.edges[0].breaker = Some(loadpath::sim::BreakerId(0));
    plan
}

#[test]
fn ten_times_the_requests_take_no_more_allocations() {
    let count = |seconds| {
        let plan = plan(seconds);
        let region = Region::new(GLOBAL);
        replicate(&plan, 1, 0, ()).expect("a valid plan");
        region.change().allocations
    };
    // The first run also makes the tables of the random numbers.
    count(1);
    let (short, long) = (count(20), count(200));
    // Nothing but a rare doubling of what has never been as full before.
    assert!(long <= short + 3, "{short} allocations in 20 s, {long} in 200 s");
}
