//! The engine beside a hand-written loop, in one run: requests a second of both, and the ratio.
//!
//! The hand-written M/M/1 does only what it must: a heap of 24-byte events, a histogram record per
//! request. `cargo bench --bench engine`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

use loadpath::kernel::{Distribution, Span, Stream};
use loadpath::policy::balancer;
use loadpath::sim::{Arrivals, Caller, CauseSet, Histogram, Plan, SourceId, simulate};

const SERVICE: Span = Span::from_millis(1);
const RATE: f64 = 800.0;
const SECONDS: u64 = 5_000;
const ROUNDS: usize = 5;
/// As a user runs it: several replications, of which the first keeps a timeline.
const REPLICATIONS: u32 = 5;

/// M/M/1 without an engine; returns the number of requests and their mean latency in seconds.
fn by_hand(seed: u64) -> (u64, f64) {
    let mut arrivals = Stream::new(seed, 0, "arrivals", "clients");
    let mut services = Stream::new(seed, 0, "work", "server");
    let mut heap = BinaryHeap::new();
    let mut waiting: VecDeque<u64> = VecDeque::new();
    let mut latencies = Histogram::default();
    let (mut sequence, mut in_service) = (1u64, 0u64);
    let end = Span::from_secs(SECONDS).nanos();
    let gap = |stream: &mut Stream| (stream.exponential() * 1e9 / RATE) as u64;
    let work = |stream: &mut Stream| (stream.exponential() * SERVICE.nanos() as f64) as u64;
    heap.push(Reverse((gap(&mut arrivals), 0u64, 0u32)));
    while let Some(Reverse((now, _, kind))) = heap.pop() {
        sequence += 1;
        if kind == 0 {
            let next = now + gap(&mut arrivals);
            if next < end {
                heap.push(Reverse((next, sequence, 0)));
                sequence += 1;
            }
            waiting.push_back(now);
            if waiting.len() == 1 {
                in_service = now;
                heap.push(Reverse((now + work(&mut services), sequence, 1)));
            }
        } else {
            waiting.pop_front();
            latencies.record(Span::from_nanos(now - in_service));
            if let Some(next) = waiting.front() {
                in_service = *next;
                heap.push(Reverse((now + work(&mut services), sequence, 1)));
            }
        }
    }
    (latencies.count(), latencies.mean().unwrap_or(0.0))
}

/// A chain of so many services behind one source; with `policies`, every hop has a network, a timeout
/// and retries.
fn chain(hops: u32, policies: bool, seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(seconds));
    let round_robin = &balancer::BALANCERS[0];
    let mut below = None;
    for hop in (0..hops).rev() {
        let name = format!("s{hop}");
        let service = plan.add_service(&name, 1);
        let steps: Vec<_> = below
            .map(|(endpoint, callee)| {
                let upstream = plan.add_upstream(&name, Caller::Service(service), callee, round_robin);
                let edge = plan.add_edge(&format!("{name}→"), endpoint, upstream);
                plan.add_group(&[edge])
            })
            .into_iter()
            .collect();
        let error_rate = if policies { 0.02 } else { 0.0 };
        let endpoint =
            plan.add_endpoint(&name, service, Some(Distribution::Exponential(SERVICE)), error_rate, &steps);
        below = Some((endpoint, service));
    }
    let (endpoint, service) = below.expect("at least one hop");
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), service, round_robin);
    let edge = plan.add_edge("clients→", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(if hops > 1 { 700.0 } else { RATE }));
    if policies {
        for edge in &mut plan.edges {
            edge.timeout = Some(Span::from_secs(1));
            edge.latency_out = Span::from_micros(100);
            edge.retry.num_retries = 2;
            edge.retry.on = CauseSet::NONE.with(loadpath::sim::Cause::Error);
        }
    }
    plan
}

fn engine(plan: &Plan, seed: u64) -> (u64, f64) {
    let outcome = simulate(plan, seed, REPLICATIONS, 1).expect("the plan is valid");
    let requests = &outcome.sources[0].requests;
    (requests.arrived, requests.latency.mean.as_ref().map_or(0.0, |mean| mean.value))
}

/// The best of a few rounds, in requests a second: what a busy machine disturbs least.
fn rate(run: impl Fn(u64) -> (u64, f64)) -> (f64, f64) {
    let mut best = (0.0f64, 0.0);
    for seed in 0..ROUNDS as u64 {
        let start = Instant::now();
        let (requests, mean) = run(seed);
        let rate = requests as f64 / start.elapsed().as_secs_f64();
        if rate > best.0 {
            best = (rate, mean);
        }
    }
    best
}

fn main() {
    let hand = rate(by_hand);
    let plan = chain(1, false, SECONDS / u64::from(REPLICATIONS));
    let ours = rate(|seed| engine(&plan, seed));
    println!("M/M/1 at 0.8, one thread, best of {ROUNDS}");
    println!("  by hand   {:>6.2} M requests/s   mean {:.3} ms", hand.0 / 1e6, hand.1 * 1e3);
    println!("  engine    {:>6.2} M requests/s   mean {:.3} ms", ours.0 / 1e6, ours.1 * 1e3);
    println!("  ratio     {:>6.2}", hand.0 / ours.0);
    for (name, policies) in [("plain", false), ("network, timeouts, retries", true)] {
        let plan = chain(5, policies, SECONDS / 5 / u64::from(REPLICATIONS));
        let found = rate(|seed| engine(&plan, seed));
        println!("five hops, {name}: {:.2} M requests/s, mean {:.3} ms", found.0 / 1e6, found.1 * 1e3);
    }
}
