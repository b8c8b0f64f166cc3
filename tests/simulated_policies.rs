//! Policies of the document, seen through a simulation of the program: one instance of five fails always.

#![allow(clippy::unwrap_used, reason = "a helper of tests panics as a test does")]

use assert_cmd::Command;

/// Whether `expect` holds, and what was printed, when `web` calls `api` under this policy.
fn holds(policy: &str, events: &str, expect: &str) -> (bool, String) {
    let document = format!(
        "services:\n  \
           web: {{ endpoints: {{ Get: {{ latency: {{ distribution: constant, mean: 1ms }}, \
                  calls: [{{ call: api Get, {policy} }}] }} }}, workers: 100 }}\n  \
           api: {{ replicas: 5, workers: 10, endpoints: \
                  {{ Get: {{ latency: {{ distribution: exponential, mean: 5ms }} }} }} }}\n\
         traffic: [{{ to: web Get, rate: 100/s }}]\n\
         scenarios: {{ one: {{ duration: 100s, warm_up: 20s, replications: 10, events: [{events}], \
                    expect: [ \"{expect}\" ] }} }}\n"
    );
    let mut command = Command::cargo_bin("loadpath").unwrap();
    let output = command.args(["simulate", "-"]).env("NO_COLOR", "1").write_stdin(document).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    let code = output.status.code().unwrap();
    assert!(code < 2 && !text.contains("error["), "{text}");
    (code == 0, text)
}

const ONE_FAILS: &str = "{ at: 0s, errors: { target: api/0, rate: 100% } }";
const ALL_FAIL: &str = "{ at: 0s, errors: { target: api, rate: 100% } }";

#[test]
fn outlier_detection_takes_out_what_fails_and_no_more_than_it_may() {
    // One of five is 20%.
    let few = "availability < 81%";
    assert!(holds("times: 1", ONE_FAILS, few).0);
    assert!(holds("outlier_detection: {}", ONE_FAILS, few).0, "10% of five hosts are none");
    assert!(holds("outlier_detection: { max_ejection_percent: 19% }", ONE_FAILS, few).0);
    let all = "availability > 99%";
    let ejects = "outlier_detection: { max_ejection_percent: 20% }";
    let (held, text) = holds(ejects, ONE_FAILS, all);
    assert!(held, "{text}");
    assert!(!text.contains("not simulated"), "{text}");
    // With four of five out the panic threshold sends requests to all of them again.
    let four = "{ at: 0s, errors: { target: api/0, rate: 100% } }, { at: 0s, errors: { target: api/1, rate: 100% } }, \
                { at: 0s, errors: { target: api/2, rate: 100% } }, { at: 0s, errors: { target: api/3, rate: 100% } }";
    let ejects = "outlier_detection: { max_ejection_percent: 100% }";
    assert!(holds(ejects, four, all.replace("99", "98").as_str()).0);
    let panics = format!("{ejects}, load_balancing: {{ healthy_panic_threshold: 50% }}");
    assert!(holds(&panics, four, "availability < 40%").0);
}

#[test]
fn a_cap_on_requests_turns_down_what_is_too_much() {
    // Offered load is 100/s · 5 ms = 0.5: of an Erlang loss system with one place, 1/3 is turned away.
    assert!(holds("limits: { max_requests: 1 }", "", "availability < 69%").0);
    assert!(holds("limits: { max_requests: 1 }", "", "availability > 64%").0);
    assert!(holds("limits: { max_requests: 100 }", "", "availability >= 100%").0);
    // It is not retried.
    let retried = "limits: { max_requests: 1 }, retry: { num_retries: 5, backoff: { base: 50ms } }";
    assert!(holds(retried, "", "availability < 69%").0);
}

#[test]
fn a_budget_of_retries_counts_the_attempt_that_failed() {
    // Mostly it was the only one under way: all of one is one retry, all of none would be none.
    let retry =
        "retry: { num_retries: 1, backoff: { base: 1ms }, budget: { percent: 100%, min_concurrency: 0 } }";
    let (held, text) = holds(retry, ONE_FAILS, "availability > 99%");
    assert!(held, "{text}");
}

#[test]
fn presets_bring_the_breakers_of_their_products() {
    for preset in ["resilience4j", "polly", "hystrix", "gobreaker"] {
        let (held, text) = holds(&format!("preset: {preset}"), ALL_FAIL, "availability < 1%");
        assert!(held && text.contains("rejected"), "{preset}: {text}");
        assert!(!text.contains("not simulated"), "{preset}: {text}");
    }
    // A fifth of failures is below half of them (resilience4j, Hystrix) and above a tenth (Polly).
    for (preset, rejects) in [("resilience4j", false), ("hystrix", false), ("polly", true)] {
        let (_, text) = holds(&format!("preset: {preset}"), ONE_FAILS, "availability < 100%");
        assert_eq!(text.contains("rejected"), rejects, "{preset}: {text}");
    }
}

#[test]
fn every_balancer_of_the_document_is_simulated() {
    let policies = "round_robin random least_connections weighted_round_robin ip_hash least_request weighted_edf \
                    random_two p2c peak_ewma hash consistent_hash bounded_load ring_hash maglev";
    for policy in policies.split_whitespace() {
        let balancing = format!("load_balancing: {{ policy: {policy}, hash_key: client_ip }}");
        let (held, text) = holds(&balancing, "", "availability >= 100%");
        assert!(held && !text.contains("not simulated"), "{policy}: {text}");
    }
}
