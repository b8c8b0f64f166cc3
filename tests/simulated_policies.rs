//! Policies of the document, seen through a simulation of the program: one instance of five fails always.

#![allow(clippy::unwrap_used, reason = "a helper of tests panics as a test does")]

use assert_cmd::Command;

/// Whether `expect` holds, and what was printed, when `web` calls `api` under this policy.
fn holds(policy: &str, events: &str, expect: &str) -> (bool, String) {
    holds_with(policy, "", events, expect)
}

/// The same, with more said of the service `api`.
fn holds_with(policy: &str, service: &str, events: &str, expect: &str) -> (bool, String) {
    let document = format!(
        "services:\n  \
           web: {{ endpoints: {{ Get: {{ latency: {{ distribution: constant, mean: 1ms }}, \
                  calls: [{{ call: api Get, {policy} }}] }} }}, workers: 100 }}\n  \
           api: {{ replicas: 5, workers: 10, {service} endpoints: \
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
                    random_two p2c peak_ewma hash consistent_hash bounded_load ring_hash maglev prequal";
    for policy in policies.split_whitespace() {
        let balancing = format!("load_balancing: {{ policy: {policy}, hash_key: client_ip }}");
        let (held, text) = holds(&balancing, "", "availability >= 100%");
        assert!(held && !text.contains("not simulated"), "{policy}: {text}");
    }
}

/// Holds, and nothing of it is left out.
fn proves(policy: &str, service: &str, events: &str, expect: &str) {
    let (held, text) = holds_with(policy, service, events, expect);
    assert!(held && !text.contains("not simulated"), "{policy} {service}: {expect}\n{text}");
}

#[test]
fn a_retry_goes_where_no_attempt_has_been() {
    // One of five fails: a random second pick is it again in 1 of 25 requests, unless it is avoided.
    let retry = |predicate| {
        format!(
            "load_balancing: {{ policy: random }}, retry: {{ num_retries: 1, backoff: {{ base: 1ms }}, \
             retry_host_predicate: {predicate} }}"
        )
    };
    proves(&retry("previous_hosts"), "", ONE_FAILS, "availability > 99.9%");
    proves(&retry("none"), "", ONE_FAILS, "availability > 95.3%");
    proves(&retry("none"), "", ONE_FAILS, "availability < 96.7%");
}

#[test]
fn a_hedge_answers_when_the_first_attempt_does_not() {
    // Exponential work of 5 ms behind 1 ms: p99 24.03 ms; hedged after 14.98 ms, at its p95, 20.00 ms.
    proves("times: 1", "", "", "web Get p99 > 23ms");
    proves("hedging: { delay: 14.98ms }", "", "", "web Get p99 < 20.8ms");
    proves("hedging: { delay: 14.98ms }", "", "", "web Get p99 > 19.2ms");
}

#[test]
fn limits_of_callers_and_of_instances() {
    // Of an Erlang loss system with one place and an offered load of 0.5, 1/3 is turned away.
    for limits in ["bulkhead: { max_concurrent_calls: 1 }", "adaptive: { initial: 1, min: 1, max: 1 }"] {
        proves(&format!("limits: {{ {limits} }}"), "", "", "availability < 69%");
        proves(&format!("limits: {{ {limits} }}"), "", "", "availability > 64%");
    }
    // Who waits for the one place is an M/M/1 queue: 10 ms behind 1 ms.
    let waits = "limits: { bulkhead: { max_concurrent_calls: 1, max_wait: 10s } }";
    proves(waits, "", "", "web Get mean > 10.5ms");
    proves(waits, "", "", "web Get mean < 11.5ms");
    // One token, which takes 20 ms to come back: one request every 20 ms and the 10 ms until the next comes.
    let limits = "rate_limit: { rate: 50/s, burst: 1 }";
    proves(&format!("limits: {{ {limits} }}"), "", "", "availability < 34.3%");
    proves(&format!("limits: {{ {limits} }}"), "", "", "availability > 32.3%");
    // Five instances that let in ten a second each at the most, of twenty that come nearly evenly.
    let each = "limits: { rate_limit: { rate: 10/s, burst: 1 } },";
    proves("times: 1", each, "", "availability < 50%");
    proves("times: 1", each, "", "availability > 33.3%");
    // Four instances as fast as ever and one that answers nothing: what has one connection waits.
    let one = "timeout: 10ms, limits: { max_connections: 1, max_pending_requests: 0 }";
    proves(one, "", "", "availability < 90%");
}

#[test]
fn what_happens_to_instances_and_networks() {
    let limited = "timeout: 200ms";
    let one = |what: &str| format!("{{ at: 0s, {what} }}");
    // One of five: swallowed, standing still, in a zone that is gone.
    for what in ["partition: { target: api/0 }", "stall: { target: api/0 }"] {
        proves(limited, "", &one(what), "availability < 81%");
        proves(limited, "", &one(what), "availability > 79%");
    }
    let zones = "instances: [{ zone: a }, { zone: a }, { zone: b }, { zone: b }, { zone: b }],";
    let text = |expect: &str| {
        let document = format!(
            "services:\n  \
               web: {{ endpoints: {{ Get: {{ calls: [{{ call: api Get }}] }} }}, workers: 100 }}\n  \
               api: {{ {zones} workers: 10, endpoints: {{ Get: {{ latency: {{ distribution: constant, mean: 5ms }} }} }} }}\n\
             traffic: [{{ to: web Get, rate: 100/s }}]\n\
             scenarios: {{ one: {{ duration: 50s, warm_up: 10s, events: [{{ at: 0s, zone_outage: {{ target: a }} }}], \
                        expect: [ \"{expect}\" ] }} }}\n"
        );
        let mut command = Command::cargo_bin("loadpath").unwrap();
        command.args(["simulate", "-"]).write_stdin(document).output().unwrap().status.code()
    };
    assert_eq!([text("availability > 59%"), text("availability < 61%")], [Some(0), Some(0)]);
    // Both ways of one call of two take 50 ms more, for all instances.
    let slow = one("network: { target: api, latency: 50ms }");
    proves("times: 1", "", &slow, "web Get mean > 105ms");
    proves("times: 1", "", &slow, "web Get mean < 107ms");
    let lost = one("network: { target: api, loss: 10% }");
    proves(limited, "", &lost, "availability > 80%");
    proves(limited, "", &lost, "availability < 82%");
    // A rolling replacement loses nothing: who is replaced is no longer called, and finishes what it has.
    proves("times: 1", "startup: 1s,", "{ at: 30s, deploy: { target: api } }", "availability >= 100%");
}

#[test]
fn budgets_of_every_product() {
    // All attempts fail: as many retries as the budget has room for.
    let retry = |budget: &str| {
        format!("retry: {{ num_retries: 3, backoff: {{ base: 1ms }}, budget: {{ {budget} }} }}")
    };
    for (budget, expect) in [
        ("percent: 100%, min_concurrency: 1000", "api Get goodput < 1/s"),
        ("percent: 20%, ttl: 10s, min_retries_per_sec: 0", "api Get goodput < 1/s"),
        ("max_tokens: 10, token_ratio: 0.1", "api Get goodput < 1/s"),
        ("capacity: 500", "api Get goodput < 1/s"),
    ] {
        proves(&retry(budget), "", ALL_FAIL, expect);
    }
    let amplified = |budget: &str, expect: &str| proves(&retry(budget), "", ALL_FAIL, expect);
    amplified("percent: 100%, min_concurrency: 1000", "api Get amplification > 2.4");
    amplified("percent: 20%, ttl: 10s, min_retries_per_sec: 0", "api Get amplification < 1.25");
    amplified("max_tokens: 10, token_ratio: 0.1", "api Get amplification < 1.01");
}

/// The forecast of a document, as JSON: its only scenario.
fn simulated(document: &str) -> serde_json::Value {
    let mut command = Command::cargo_bin("loadpath").unwrap();
    let output = command.args(["simulate", "-", "-f", "json"]).write_stdin(document).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert_eq!(value["not_simulated"], serde_json::json!([]), "{text}");
    value["scenarios"][0].clone()
}

#[test]
fn a_dead_instance_is_called_until_its_lease_and_all_copies_are_over() {
    let errors = |more: &str, check: &str| {
        let found = simulated(&format!(
            "services:\n  \
               web: {{ workers: 100, endpoints: {{ Get: {{ calls: [{{ call: api Get }}] }} }} }}\n  \
               api: {{ replicas: 4, workers: 10, {check} endpoints: {{ Get: {{ latency: {{ distribution: constant, mean: 1ms }} }} }} }}\n\
             {more}\
             traffic: [{{ to: web Get, rate: 40/s, arrivals: constant }}]\n\
             scenarios: {{ stale: {{ duration: 300s, warm_up: 0s, replications: 20, events: [{{ at: 60s, kill: {{ target: api/0 }} }}] }} }}\n"
        ));
        (found["sources"][0]["failed"].as_f64().unwrap() / 20.0, found["discovery"].clone())
    };
    // A quarter of 40/s for 240 s.
    let (never, _) = errors("", "");
    assert!((never - 2_400.0).abs() < 5.0, "{never}");
    // The last heartbeat is up to 30 s old, the lease of 90 s is met by a sweep up to 60 s later, and that by a
    // copy of up to 30 s: 60 s to 180 s, so 600 to 1,800 errors in each run.
    let discovery = "discovery: { heartbeat: 30s, lease: 90s, sweep: 60s, client_cache_ttl: 30s }\n";
    let (stale, learnt) = errors(discovery, "");
    assert!((600.0..1_800.0).contains(&stale), "{stale}");
    assert_eq!((learnt["expired"].as_u64(), learnt["registered"].as_u64()), (Some(20), Some(100)));
    assert!(learnt["heartbeat_missed"].as_u64().unwrap() >= 60, "{learnt}");
    // Three checks in a row, ten seconds apart: 20 s to 30 s.
    let check = "health_check: { interval: 10s, timeout: 1s, unhealthy_threshold: 3 },";
    let (checked, learnt) = errors("", check);
    assert!((200.0..301.0).contains(&checked), "{checked}");
    assert_eq!(learnt["unhealthy"].as_u64(), Some(20));
    // Both: found out as fast, and told when the copy is renewed, up to 30 s later.
    let (both, _) = errors(discovery, check);
    assert!((200.0..601.0).contains(&both) && both > checked, "{both}");
}

#[test]
fn a_backlog_drains_and_an_autoscaler_comes_late() {
    // 700/s for a consumer of 1000/s that was gone for 60000/700 s: what is left of the rate drains it in 200 s.
    let found = simulated(
        "services:\n  \
           web: { endpoints: { Post: { calls: [{ publish: jobs }] } }, workers: 10 }\n  \
           worker: { consumes: { jobs: { concurrency: 10, prefetch: 20, latency: { distribution: constant, mean: 10ms } } } }\n\
         queues: { jobs: { visibility_timeout: 10m } }\n\
         traffic: [{ to: web Post, rate: 700/s, arrivals: constant }]\n\
         scenarios: { backlog: { duration: 400s, warm_up: 300s, replications: 1, \
                      events: [{ at: 10s, for: 85714ms, kill: { target: worker } }] } }\n",
    );
    // Gone until 95.7 s, and drained 200 s later, at 295.7 s: what comes from 300 s on waits for nobody.
    let jobs = &found["queues"][0];
    let depth = jobs["depth_max"].as_f64().unwrap();
    assert!((depth - 60_000.0).abs() < 10.0, "{jobs}");
    let latest = |warm_up: &str| {
        let document = format!(
            "services:\n  \
               web: {{ endpoints: {{ Post: {{ calls: [{{ publish: jobs }}] }} }}, workers: 10 }}\n  \
               worker: {{ consumes: {{ jobs: {{ concurrency: 10, latency: {{ distribution: constant, mean: 10ms }} }} }} }}\n\
             queues: {{ jobs: {{}} }}\n\
             traffic: [{{ to: web Post, rate: 700/s, arrivals: constant }}]\n\
             scenarios: {{ backlog: {{ duration: 310s, warm_up: {warm_up}, replications: 1, \
                          events: [{{ at: 10s, for: 85714ms, kill: {{ target: worker }} }}] }} }}\n"
        );
        simulated(&document)["queues"][0]["age_ms"]["p50"].as_f64().unwrap()
    };
    assert!(latest("300s") < 11.0 && latest("270s") > 500.0, "{} {}", latest("300s"), latest("270s"));
}

#[test]
fn near_instances_are_called_first() {
    // Two callers of three stand in zone a, four of eight callees: half of all calls leave their zone, and with
    // zones heeded a quarter of those of two thirds. Each way across takes 10 ms.
    let mean_ms = |aware: bool| {
        let found = simulated(&format!(
            "services:\n  \
               web: {{ instances: [{{ zone: a }}, {{ zone: a }}, {{ zone: b }}], endpoints: {{ Get: {{ calls: \
                      [{{ call: api Get, load_balancing: {{ zone_aware: {aware} }} }}] }} }} }}\n  \
               api: {{ instances: [{{ zone: a }}, {{ zone: a }}, {{ zone: a }}, {{ zone: a }}, \
                      {{ zone: b }}, {{ zone: b }}, {{ zone: b }}, {{ zone: b }}], endpoints: [Get] }}\n\
             network: {{ between_zones: 10ms }}\n\
             traffic: [{{ to: web Get, rate: 300/s }}]\n\
             scenarios: {{ one: {{ duration: 110s, replications: 2 }} }}\n"
        ));
        found["sources"][0]["latency_ms"]["mean"].as_f64().unwrap()
    };
    let (blind, aware) = (mean_ms(false), mean_ms(true));
    assert!((blind - 10.0).abs() < 0.3 && (aware - 20.0 / 6.0).abs() < 0.2, "{blind} {aware}");
}
