//! The engine beside hand-written loops, in one run: requests and events a second of both, and the ratio.
//!
//! `cargo bench --bench engine` runs all of it; a word after `--` only the systems whose names contain it.
//! Events are the hand-written loop's: both have the same.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

mod by_hand;

use std::time::Instant;

use by_hand::{Chains, Done, Policies};
use loadpath::kernel::{Distribution, Span};
use loadpath::policy::balancer;
use loadpath::sim::{Arrivals, Caller, CauseSet, Plan, SourceId, simulate};

const WORK: Span = Span::from_millis(1);
/// Retried twice, after 500 ms given up, and 2% fail at every hop.
const POLICIES: Policies = Policies {
    timeout: Span::from_millis(500),
    error_rate: 0.02,
    retries: 2,
    backoff: Span::from_millis(25),
};
const ROUNDS: u64 = 5;
/// As a user runs it: several replications.
const REPLICATIONS: u32 = 5;

/// A source behind which everything stands.
fn clients(
    plan: &mut Plan,
    name: &str,
    endpoint: loadpath::sim::EndpointId,
    name_of_balancer: &str,
    rate: f64,
) {
    let balancer = balancer::find(name_of_balancer).expect("known");
    let source = SourceId(plan.sources.len() as u32);
    let service = plan.endpoints[endpoint.index()].service;
    let upstream = plan.add_upstream(name, Caller::Source(source), service, balancer);
    let edge = plan.add_edge(&format!("{name}→"), endpoint, upstream);
    plan.add_source(name, edge, Arrivals::poisson(rate));
}

/// So many servers behind a balancer.
fn servers(count: u32, name_of_balancer: &str, rate: f64, seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(seconds));
    let service = plan.add_service("servers", count);
    let work = Some(Distribution::Exponential(WORK));
    let endpoint = plan.add_endpoint("servers", service, work, 0.0, &[]);
    clients(&mut plan, "clients", endpoint, name_of_balancer, rate);
    plan
}

/// Chains of five services, each behind a source of its own.
fn chains(chains: u32, policies: Option<Policies>, rate: f64, seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(seconds));
    let round_robin = &balancer::BALANCERS[0];
    let error_rate = policies.map_or(0.0, |policies| policies.error_rate);
    for chain in 0..chains {
        let mut below = None;
        for hop in (0..5).rev() {
            let name = format!("c{chain}s{hop}");
            let service = plan.add_service(&name, 1);
            let steps: Vec<_> = below
                .map(|endpoint| {
                    let callee = plan.endpoints[loadpath::sim::EndpointId::index(endpoint)].service;
                    let upstream = plan.add_upstream(&name, Caller::Service(service), callee, round_robin);
                    let edge = plan.add_edge(&format!("{name}→"), endpoint, upstream);
                    plan.add_group(&[edge])
                })
                .into_iter()
                .collect();
            let work = Some(Distribution::Exponential(WORK));
            below = Some(plan.add_endpoint(&name, service, work, error_rate, &steps));
        }
        clients(&mut plan, &format!("clients{chain}"), below.expect("five hops"), "round_robin", rate);
    }
    if let Some(policies) = policies {
        for edge in &mut plan.edges {
            edge.timeout = Some(policies.timeout);
            edge.retry.num_retries = policies.retries;
            edge.retry.on = CauseSet::SERVER_ERRORS;
        }
    }
    plan
}

fn engine(plan: &Plan, seed: u64, threads: usize) -> Done {
    let outcome = simulate(plan, seed, REPLICATIONS, threads).expect("the plan is valid");
    let mut done = Done { requests: 0, events: 0, mean: 0.0 };
    for source in &outcome.sources {
        let mean = source.requests.latency.mean.as_ref().map_or(0.0, |mean| mean.value);
        done.requests += source.requests.arrived;
        done.mean += mean / outcome.sources.len() as f64;
    }
    done
}

/// The best of a few rounds: what a busy machine disturbs least. Requests a second, and the round.
fn rate(run: &dyn Fn(u64) -> Done) -> (f64, Done) {
    let mut best = (0.0, Done { requests: 0, events: 0, mean: 0.0 });
    for seed in 0..ROUNDS {
        let start = Instant::now();
        let done = run(seed);
        let rate = done.requests as f64 / start.elapsed().as_secs_f64();
        if rate > best.0 {
            best = (rate, done);
        }
    }
    best
}

/// One system: by hand in one or two ways, and by the engine.
fn system(name: &str, by_hand: &[(&str, &dyn Fn(u64) -> Done)], plan: &Plan) {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
        return;
    }
    println!("{name}");
    let ours = rate(&|seed| engine(plan, seed, 1));
    let mut events = 0.0;
    for (way, run) in by_hand {
        let (found, done) = rate(run);
        events = done.events as f64 / done.requests as f64;
        println!(
            "  {way:<17} {:>6.2} M requests/s {:>7.2} M events/s   mean {:>6.3} ms   engine takes {:.2} times as long",
            found / 1e6,
            found * events / 1e6,
            done.mean * 1e3,
            found / ours.0,
        );
    }
    let (found, done) = ours;
    println!(
        "  {:<17} {:>6.2} M requests/s {:>7.2} M events/s   mean {:>6.3} ms",
        "engine",
        found / 1e6,
        found * events / 1e6,
        done.mean * 1e3,
    );
}

fn main() {
    println!("one thread, best of {ROUNDS}");
    let each = |seconds: u64| seconds / u64::from(REPLICATIONS);
    let long = Span::from_secs(2_500);
    let queue = |seed| by_hand::queue(800.0, WORK, long, seed);
    system("M/M/1", &[("heap", &queue)], &servers(1, "round_robin", 800.0, each(2_500)));
    let middle = Span::from_secs(600);
    for (name, balanced, shortest) in [
        ("four servers, round robin", "round_robin", false),
        ("four servers, shortest queue", "least_connections", true),
    ] {
        let run = |seed| by_hand::servers(4, shortest, 3200.0, WORK, middle, seed);
        system(name, &[("heap", &run)], &servers(4, balanced, 3200.0, each(600)));
    }
    let short = Span::from_secs(500);
    let plain = |seed| Chains::new(1, 5, None, WORK, false).run(700.0, short, seed);
    system("five hops", &[("heap", &plain)], &chains(1, None, 700.0, each(500)));
    for (name, count, seconds) in
        [("five hops, timers, errors, retries", 1, 500), ("a hundred such chains", 100, 10)]
    {
        let span = Span::from_secs(seconds);
        let chain = |lanes, seed| Chains::new(count, 5, Some(POLICIES), WORK, lanes).run(600.0, span, seed);
        let (heap, lanes) = (|seed| chain(false, seed), |seed| chain(true, seed));
        system(
            name,
            &[("heap", &heap), ("heap and lanes", &lanes)],
            &chains(count, Some(POLICIES), 600.0, each(seconds)),
        );
    }
    scaling();
}

/// The same replications on more threads.
fn scaling() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let plan = chains(1, Some(POLICIES), 600.0, 200);
    let mut one = 0.0;
    for threads in [1, cores] {
        let start = Instant::now();
        simulate(&plan, 1, 4 * cores as u32, threads).expect("the plan is valid");
        let took = start.elapsed().as_secs_f64();
        one = if threads == 1 { took } else { one };
        println!("replications on {threads} threads: {:.2} times as fast as on one", one / took);
    }
}
