//! The engine allocates nothing in the steady state: ten times the requests, the same allocations.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use std::alloc::System;

use loadpath::kernel::{Distribution, Span};
use loadpath::policy::discovery::{CacheSettings, ProbeSettings, RegistrySettings};
use loadpath::policy::limit::{
    BulkheadSettings, Fill, Gradient2Settings, TokenBucketSettings, VegasSettings,
};
use loadpath::policy::retry::HedgingPolicy;
use loadpath::policy::{balancer, breaker};
use loadpath::sim::{
    Adaptive, Arrivals, BreakerPlan, Budget, Caller, Connections, Consumer, Discovery, Hedge, Limits, Plan,
    Queue, QueueId, RateLimit, SourceId, Step, Target, replicate,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Two hops with everything that has state: balancers, a breaker, timeouts, retries, bounded queues, limits at the
/// caller and at the callee, a budget, connections, hedges, a registry and health checks, a queue and a topic.
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
    passes(&mut plan);
    messages(&mut plan);
    plan
}

/// What requests pass on their way, and who knows of whom.
fn passes(plan: &mut Plan) {
    let fill_interval = Span::from_micros(700);
    let bucket =
        TokenBucketSettings { max_tokens: 100, tokens_per_fill: 1, fill_interval, fill: Fill::Continuous };
    let connections = Connections { max_connections: 2, max_concurrent_streams: 1, max_pending_requests: 20 };
    let limits = Limits {
        rate: Some(RateLimit::Bucket(bucket)),
        adaptive: Some(Adaptive::Gradient2(Gradient2Settings::default())),
        bulkhead: Some(BulkheadSettings { max_wait: Span::from_millis(5), ..BulkheadSettings::default() }),
        connections: Some(connections),
    };
    plan.upstreams[0].guards.limits = limits;
    plan.upstreams[0].guards.budget = Some(Budget::Throttle { max_tokens: 10, token_ratio: 0.1 });
    plan.services[0].limits.adaptive = Some(Adaptive::Vegas(VegasSettings::default()));
    plan.services[0].health_check = Some(ProbeSettings::default());
    plan.edges[1].hedging =
        Some(Hedge { policy: HedgingPolicy { max_attempts: 2, delay: Span::from_millis(4) }, cancel: true });
    plan.discovery = Some(Discovery {
        registry: RegistrySettings::plain(Span::from_secs(3), Span::from_secs(1)),
        heartbeat: Span::from_secs(1),
        cache: CacheSettings { ttl: Span::from_secs(1), ..CacheSettings::default() },
    });
}

/// The front publishes to a queue and to a topic; handlers fail now and then.
fn messages(plan: &mut Plan) {
    let readers = plan.add_service("readers", 3);
    for (at, fan_out) in [false, true].into_iter().enumerate() {
        let work = Some(Distribution::Exponential(Span::from_millis(1)));
        let handler = plan.add_endpoint(&format!("reader {at}"), readers, work, 0.01, &[]);
        plan.endpoints[handler.index()].handler = true;
        let consumers = vec![Consumer { prefetch: Some(4), ..Consumer::new(handler, 2) }];
        let ack_timeout = Some(Span::from_secs(2));
        plan.queues.push(Queue { fan_out, ack_timeout, consumers, ..Queue::new(&format!("line {at}")) });
    }
    let publish = |at| Step::Publish { queue: QueueId(at), probability: 0.5, times: 1 };
    let front = plan.endpoints[1].service;
    let work = Some(Distribution::Exponential(Span::from_millis(1)));
    let group = Step::Calls { first: 0, count: 1 };
    let asks = plan.add_endpoint("front 2", front, work, 0.0, &[group, publish(0), publish(1)]);
    plan.edges[1].target = Target::One(asks);
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
    // Nothing but a rare doubling of what has never been as full before; there are dozens of such containers.
    assert!(long <= short + 8, "{short} allocations in 20 s, {long} in 200 s");
}
