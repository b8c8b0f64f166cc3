//! The policies against what the real products do.
//!
//! `tests/data/policy-vectors.json` holds figures from their own tests and documentation, each with its
//! source. Every vector of the file is run, and nothing is run that is not in the file.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::{
    Balancer, Hosts, IpHash, LeastConnections, LeastRequest, Request, RoundRobin, WeightedRoundRobin,
};
use loadpath::policy::breaker::{Breaker, Consecutive, ConsecutiveSettings, State, Verdict};
use loadpath::policy::retry::{Backoff, Jitter, RetryBudget};
use serde_json::Value;

/// Runs one vector; panics where the policy does something else.
type Check = fn(&Value);

const CHECKS: &[(&str, Check)] = &[
    ("lb-swrr-511", smooth_weighted_round_robin),
    ("lb-nginx-leastconn", nginx_least_connections),
    ("lb-nginx-iphash", nginx_ip_hash),
    ("lb-envoy-rr-seed", envoy_round_robin_seed),
    ("lb-envoy-p2c", envoy_least_request),
    ("cb-gobreaker-default", gobreaker),
    ("rt-envoy-backoff", envoy_backoff),
    ("rt-envoy-retry-budget", envoy_retry_budget),
];

#[test]
fn every_vector_holds() {
    let file: Value = serde_json::from_str(include_str!("data/policy-vectors.json")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list of vectors");
    let ids: Vec<&str> = vectors.iter().filter_map(|vector| vector["id"].as_str()).collect();
    let run: Vec<&str> = CHECKS.iter().map(|(id, _)| *id).collect();
    assert_eq!(sorted(&ids), sorted(&run), "the vectors of the file are those that are run");
    for vector in vectors {
        let (id, check) = CHECKS.iter().find(|(id, _)| vector["id"] == *id).expect("compared above");
        println!("{id}: {}", vector["source"]["repo"]);
        check(vector);
    }
}

fn sorted<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a whole number")).collect()
}

fn small(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|n| u32::try_from(n).expect("a small number")).collect()
}

fn draws() -> Stream {
    Stream::new(1, 0, "test", "vectors")
}

fn from(client: [u8; 4]) -> Request {
    Request { now: Time::ZERO, client }
}

fn smooth_weighted_round_robin(vector: &Value) {
    let weights: Vec<u32> = vector["config"]["weights"]
        .as_object()
        .expect("weights by name")
        .values()
        .map(|weight| weight.as_u64().expect("a weight") as u32)
        .collect();
    let names = ["a", "b", "c"];
    let hosts = Hosts::new(weights.iter().copied());
    let mut turns = WeightedRoundRobin::new(weights.len());
    let steps = &vector["expected"]["current_weight_before_and_after_each_pick"];
    for (turn, expected) in vector["expected"]["sequence"].as_array().expect("a list").iter().enumerate() {
        let before: Vec<i64> =
            turns.current_weights().iter().zip(&weights).map(|(c, w)| c + i64::from(*w)).collect();
        assert_eq!(serde_json::json!(before), steps[turn][0]);
        let picked = turns.pick(&hosts, from([10, 0, 0, 1]), &mut draws()).expect("a host");
        assert_eq!(names[picked], expected.as_str().expect("a name"));
        assert_eq!(serde_json::json!(turns.current_weights()), steps[turn][1]);
    }
}

fn nginx_least_connections(vector: &Value) {
    let mut hosts = Hosts::new(small(&vector["config"]["weights"]));
    let mut lb = LeastConnections::new(2);
    let mut ten = |hosts: &mut Hosts| {
        let mut counts = [0u64; 2];
        for _ in 0..10 {
            let host = lb.pick(hosts, from([10, 0, 0, 1]), &mut draws()).expect("a host");
            hosts.begin(host);
            counts[host] += 1;
            hosts.end(host);
        }
        serde_json::json!({"p1": counts[0], "p2": counts[1]})
    };
    assert_eq!(ten(&mut hosts), vector["expected"]["step1"]);
    hosts.begin(0);
    assert_eq!(ten(&mut hosts), vector["expected"]["step3"]);
}

fn nginx_ip_hash(vector: &Value) {
    let targets = |weights: Vec<u32>| -> Vec<usize> {
        let (n, hosts) = (weights.len(), Hosts::new(weights));
        let mut lb = IpHash::new(n);
        (1..=30).filter_map(|i| lb.pick(&hosts, from([127, 0, i, 2]), &mut draws())).collect()
    };
    let counts = |targets: &[usize], n: usize| -> Vec<u64> {
        (0..n).map(|host| targets.iter().filter(|target| **target == host).count() as u64).collect()
    };
    let three = targets(small(&vector["config"]["weights"]));
    assert_eq!(counts(&three, 3), numbers(&vector["expected"]["counts"]));
    assert_eq!(serde_json::json!(three[..6]), vector["expected"]["first_six_targets"]);
    let two = targets(vec![1, 1]);
    assert_eq!(counts(&two, 2), numbers(&vector["expected"]["counts_with_2_peers"]));
}

fn envoy_round_robin_seed(vector: &Value) {
    let n = vector["config"]["hosts"].as_u64().expect("a number");
    let hosts = Hosts::new((0..n).map(|_| 1));
    let mut lb = RoundRobin::starting_at(vector["config"]["initial_random"].as_u64().expect("a seed"));
    let picks: Vec<usize> = (0..vector["input"]["picks"].as_u64().expect("a number"))
        .filter_map(|_| lb.pick(&hosts, from([10, 0, 0, 1]), &mut draws()))
        .collect();
    assert_eq!(serde_json::json!(picks), vector["expected"]["sequence"]);
}

fn envoy_least_request(vector: &Value) {
    let active = numbers(&vector["input"]["active"]);
    let mut hosts = Hosts::new(active.iter().map(|_| 1));
    for (host, count) in active.iter().enumerate() {
        (0..*count).for_each(|_| hosts.begin(host));
    }
    let mut draws = numbers(&vector["input"]["random_draws_for_candidates"]).into_iter();
    let choices = vector["config"]["choice_count"].as_u64().expect("a number") as u32;
    let picked = LeastRequest::of(choices).choose(&hosts, |n| draws.next().expect("a draw") % n);
    assert_eq!(serde_json::json!(picked), vector["expected"]["pick"]);
}

/// The operations are gobreaker's own script, spelled out: S and F are calls, `+t` lets time pass.
fn gobreaker(vector: &Value) {
    const S: i64 = 1_000_000_000;
    let mut breaker = Consecutive::new(ConsecutiveSettings { failure_threshold: 6, ..Default::default() });
    let mut now = Time::ZERO;
    let mut states = Vec::new();
    let call = |breaker: &mut Consecutive, now, verdict| match breaker.admit(now) {
        None => "ErrOpenState",
        Some(permit) => {
            breaker.record(now, permit, verdict);
            match breaker.state() {
                State::Closed => "closed",
                State::Open => "open",
                State::HalfOpen => "half-open",
            }
        }
    };
    // What gobreaker's State() shows after waiting; ours moves with the next call, so a probe that is
    // handed back stands in for looking.
    let look = |breaker: &mut Consecutive, now| match breaker.admit(now) {
        None => "open",
        Some(permit) => {
            breaker.record(now, permit, Verdict::Ignored);
            "half-open"
        }
    };
    let wait = |now: Time, nanos: i64| now + Span::from_nanos(nanos.unsigned_abs());
    for op in vector["input"]["ops"].as_array().expect("a list") {
        let op = op.as_str().expect("an operation");
        states.push(match op {
            "5xF" => (0..5).map(|_| call(&mut breaker, now, Verdict::Failure)).last().expect("five"),
            "6xF" => (0..6).map(|_| call(&mut breaker, now, Verdict::Failure)).last().expect("six"),
            "S" | "S?" => call(&mut breaker, now, Verdict::Success),
            "F" | "F?" => call(&mut breaker, now, Verdict::Failure),
            _ => {
                now = wait(
                    now,
                    match op {
                        "+59.999s" => 59_999 * S / 1000,
                        // The test's clock moves on while it runs; here it needs a nanosecond of help.
                        "+1s" => S + 1,
                        "+60.000000001s" => 60 * S + 1,
                        other => panic!("an operation nobody knows: {other}"),
                    },
                );
                look(&mut breaker, now)
            }
        });
    }
    assert_eq!(serde_json::json!(states), vector["expected"]["state"]);
}

fn envoy_backoff(vector: &Value) {
    let cases = vector["config"]["cases"].as_array().expect("a list");
    for (index, case) in cases.iter().enumerate() {
        // Envoy counts milliseconds; the unit of the draw is the unit of the bound.
        let span = |key: &str| Span::from_nanos(case[key].as_u64().expect("a number"));
        let backoff = Backoff { base: span("base"), max: span("max"), jitter: Jitter::Full };
        let delays: Vec<u64> = numbers(&vector["input"]["random"][index])
            .into_iter()
            .zip(1..)
            .map(|(draw, retry)| backoff.delay(retry, Span::ZERO, draw).nanos())
            .collect();
        assert_eq!(serde_json::json!(delays), vector["expected"]["delay_ms"][index]);
    }
}

fn envoy_retry_budget(vector: &Value) {
    let budget = RetryBudget {
        percent: vector["config"]["budget_percent"].as_f64().expect("a number"),
        min_concurrency: vector["config"]["min_retry_concurrency"].as_u64().expect("a number") as u32,
    };
    let allowed: Vec<u32> =
        small(&vector["input"]["active_plus_pending"]).into_iter().map(|n| budget.max_retries(n)).collect();
    assert_eq!(serde_json::json!(allowed), vector["expected"]["max_concurrent_retries"]);
}
