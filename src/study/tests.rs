//! Studies of small systems whose answers are known.

use super::compare::{Change, Effort, Metric, differences, outcome};
use super::precision::{Reached, refine};
use super::scale::{load, scale};
use super::twin::{What, twins};
use crate::model::{self, Architecture};
use crate::sim::{Compiled, Replications, compile};

const EFFORT: Effort = Effort { seed: 1, replications: 4, threads: 1 };

fn read(text: &str) -> Architecture {
    model::from_text("test", text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn compiled(text: &str) -> Compiled {
    let arch = read(text);
    compile(&arch, arch.scenarios.first()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A service under 500/s.
fn station(service: &str, work: &str, more: &str) -> String {
    format!(
        "services: {{ server: {{ {service}, endpoints: {{ GET /: {{ latency: {{ {work} }} }} }} }} }}\n{more}\n\
         scenarios: {{ run: {{ warm_up: 2s, duration: 22s }} }}\n"
    )
}

const POISSON: &str = "traffic: [{ to: server GET /, rate: 500/s }]";
const EVENLY: &str = "traffic: [{ to: server GET /, rate: 500/s, arrivals: constant }]";
const EXPONENTIAL: &str = "distribution: exponential, mean: 1ms";

/// The models and broken assumptions of all stations.
fn check(text: &str, expected: &[&str]) {
    let compiled = compiled(text);
    let outcome = outcome(&compiled, EFFORT).expect("simulates");
    let all = twins(&compiled, &outcome);
    let said = |t: &super::twin::Twin| {
        let what = t.model.clone().or_else(|| t.broken.clone()).unwrap_or_default();
        format!("{}: {what}", t.station)
    };
    assert_eq!(all.iter().map(said).collect::<Vec<_>>(), expected, "{text}");
    for number in all.iter().flat_map(|t| &t.numbers) {
        // 4 replications of 10,000 requests: within a quarter, or nearly nothing.
        let near = (number.observed / number.expected - 1.0).abs() < 0.25;
        assert!(near || (number.observed - number.expected).abs() < 0.02, "{text}: {number:?}");
    }
}

#[test]
fn a_station_that_meets_the_assumptions_has_its_model() {
    let one = |service, work| station(service, work, POISSON);
    check(&one("workers: 1", EXPONENTIAL), &["server: M/M/1"]);
    check(&one("workers: 2", EXPONENTIAL), &["server: M/M/2"]);
    check(&one("workers: 1", "distribution: constant, mean: 1ms"), &["server: M/D/1"]);
    check(&one("workers: 1", "p50: 1ms, p99: 2ms"), &["server: M/G/1"]);
    check(&one("workers: 1, queue: { max_length: 3 }", EXPONENTIAL), &["server: M/M/1/4"]);
    check(&one("workers: 2, queue: { max_length: 0 }", "p50: 1ms, p99: 9ms"), &["server: M/G/2/2"]);
    check(&one("workers: 1, replicas: 2", EXPONENTIAL), &["server: E2/M/1"]);
    check(&station("workers: 1", EXPONENTIAL, EVENLY), &["server: D/M/1"]);
    let random = format!("{POISSON}\nupstreams: {{ server: {{ load_balancing: {{ policy: random }} }} }}");
    check(&station("workers: 1, replicas: 2", EXPONENTIAL, &random), &["server: M/M/1"]);
    let users = "traffic: [{ to: server GET /, users: 5, think_time: 10ms }]";
    check(
        &station("workers: 1", EXPONENTIAL, users),
        &["server GET /: closed loop of 5 users (mean value analysis)"],
    );
}

#[test]
fn a_broken_assumption_is_named() {
    let one = |service, work, more: &str| station(service, work, &format!("{POISSON}\n{more}"));
    check(
        &one("workers: 2", "p50: 1ms, p99: 9ms", ""),
        &["server: 2 workers and work that is not exponential"],
    );
    check(
        &one("workers: 1", "distribution: exponential, mean: 3ms", ""),
        &["server: offered 1.50 of what it can do: the queue grows without end"],
    );
    check(
        &one(
            "workers: 1, replicas: 2",
            EXPONENTIAL,
            "upstreams: { server: { load_balancing: { policy: least_request } } }",
        ),
        &["server: `least_request` looks at the instances: no closed form"],
    );
    check(
        &station("workers: 2", EXPONENTIAL, EVENLY),
        &["server: it is called evenly: a closed form needs one exponential worker and an endless queue"],
    );
    check(
        &one(
            "workers: 1",
            &format!("{EXPONENTIAL} }}, error_rate: 10%, x-a: {{ b: c"),
            "upstreams: { server: { retry: { num_retries: 1, retry_on: [5xx] } } }",
        ),
        &["server: what failed is tried again (`retry`)"],
    );
}

#[test]
fn a_chain_of_exponential_stations_is_a_jackson_network() {
    let chain = |work: &str| {
        format!(
            "services:\n  a: {{ workers: 1, endpoints: {{ GET /: {{ latency: {{ {work} }}, calls: [{{ call: b GET / }}] }} }} }}\n  \
             b: {{ workers: 1, endpoints: {{ GET /: {{ latency: {{ {EXPONENTIAL} }} }} }} }}\n\
             traffic: [{{ to: a GET /, rate: 500/s }}]\nscenarios: {{ run: {{ warm_up: 2s, duration: 22s }} }}\n"
        )
    };
    check(&chain(EXPONENTIAL), &["a: M/M/1", "b: M/M/1"]);
    check(
        &chain("distribution: constant, mean: 1ms"),
        &["a: M/D/1", "b: what `a` passes on does not come at random: it is no M/M/c itself"],
    );
}

#[test]
fn theory_counts_loss_of_a_full_queue() {
    let compiled = compiled(&station("workers: 1, queue: { max_length: 1 }", EXPONENTIAL, POISSON));
    let outcome = outcome(&compiled, EFFORT).expect("simulates");
    let all = twins(&compiled, &outcome);
    let loss = all[0].numbers.iter().find(|n| n.what == What::Loss).expect("a loss");
    // K = 2, ρ = 1/2: (1/4)/(1 + 1/2 + 1/4).
    assert!((loss.expected - 1.0 / 7.0).abs() < 1e-12, "{loss:?}");
    let (low, high) = loss.ci95.expect("an interval");
    assert!(low < loss.expected && loss.expected < high + 0.01, "{loss:?}");
}

#[test]
fn variants_are_compared_in_pairs() {
    let text = |policy: &str| {
        let more = format!(
            "traffic: [{{ to: server GET /, rate: 3200/s }}]\nupstreams: {{ server: {{ load_balancing: {{ policy: {policy} }} }} }}"
        );
        station("workers: 1, replicas: 4", EXPONENTIAL, &more)
    };
    let random = outcome(&compiled(&text("random")), EFFORT).expect("simulates");
    let least = outcome(&compiled(&text("least_connections")), EFFORT).expect("simulates");
    let found = differences(&random, &least);
    let of = |metric| found.iter().find(|d| d.metric == metric).expect("compared");
    // 5 ms and 1.953 ms in theory.
    assert_eq!(of(Metric::Mean).change, Change::Better);
    assert!((of(Metric::Mean).difference + 0.003_047).abs() < 0.000_6, "{:?}", of(Metric::Mean));
    let same = differences(&random, &random);
    assert!(same.iter().all(|d| d.change == Change::NotShown && d.difference == 0.0), "{same:?}");
}

#[test]
fn replications_are_added_until_the_numbers_are_known() {
    let compiled = compiled(&station("workers: 1", EXPONENTIAL, POISSON));
    let mut runs = Replications::new(&compiled.plan, 1).expect("a plan");
    runs.add(2, 1).expect("simulates");
    let (outcome, reached) = refine(&mut runs, 0.05, 60, 1, &|| false, &mut |_, _| {}).expect("simulates");
    assert!(reached.enough() && outcome.replications < 60, "{reached:?} {}", outcome.replications);
    assert_eq!(reached, Reached::of(&outcome, 0.05));
    // Adding replications gives what all at once would have given.
    let mut once = Replications::new(&compiled.plan, 1).expect("a plan");
    once.add(outcome.replications, 1).expect("simulates");
    assert_eq!(once.outcome(), outcome);
    let mut few = Replications::new(&compiled.plan, 1).expect("a plan");
    few.add(2, 1).expect("simulates");
    let (outcome, reached) = refine(&mut few, 1e-6, 3, 1, &|| false, &mut |_, _| {}).expect("simulates");
    assert!(!reached.enough() && outcome.replications == 3);
}

#[test]
fn load_is_scaled() {
    let users =
        "traffic: [{ to: server GET /, rate: 500/s }, { to: server GET /, users: 10, think_time: 1s }]";
    let mut compiled = compiled(&station("workers: 1", EXPONENTIAL, users));
    assert_eq!(load(&compiled.plan), (500.0, 10));
    scale(&mut compiled.plan, 1.5).expect("little");
    assert_eq!(load(&compiled.plan), (750.0, 15));
}
