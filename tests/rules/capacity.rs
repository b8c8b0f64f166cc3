//! Guards of the rules of `capacity`.

use crate::support::{ROOT, judged};
use loadpath::finding::Finding;

/// The rules of the family: what else is wrong with these systems is tested elsewhere.
const FAMILY: [&str; 4] = ["overload", "no-headroom", "pool-too-small", "retry-storm-capacity"];

fn found(yaml: &str) -> Vec<Finding> {
    let (mut findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
    let broken = |f: &Finding| f.rule.id.starts_with("invalid") || f.rule.id.starts_with("un");
    findings.retain(|f| FAMILY.contains(&f.rule.id) || broken(f));
    findings
}

fn check(yaml: &str, expected: &[&str]) {
    let findings = found(yaml);
    let mut said: Vec<_> = findings.iter().map(|f| format!("{} {}", f.severity, f.rule.id)).collect();
    // What a service would have to have that says nothing is another matter.
    said.retain(|word| word != "info overload" || expected.contains(&"info overload"));
    said.sort();
    let told: Vec<_> = findings.iter().map(|f| &f.message).collect();
    assert_eq!(said, expected, "{told:?}\n{yaml}");
}

fn words(yaml: &str) -> String {
    let mut findings = found(yaml);
    if findings.len() > 1 {
        findings.retain(|f| f.rule.id != "overload" || f.severity != loadpath::finding::Severity::Info);
    }
    let [finding] = findings.as_slice() else { panic!("{} findings\n{yaml}", findings.len()) };
    let all = [&finding.message, &finding.primary.text].into_iter().chain(&finding.notes);
    all.cloned().collect::<Vec<_>>().join("\n")
}

/// `web` calls `cart`, whose work takes 10ms; `call` is said of the call, `cart` of the service.
fn shop(call: &str, cart: &str, traffic: &str) -> String {
    format!(
        "services:\n  web: {{ endpoints: {{ E: {{ calls: [{{ call: cart E, timeout: 1s, {call} }}] }} }} }}\n  \
         cart: {{ endpoints: {{ E: {{ latency: {{ distribution: constant, mean: 10ms }} }} }}, {cart} }}\n\
         traffic: [{{ to: web E, {traffic} }}]\n"
    )
}

#[test]
fn guards_of_overload() {
    let of = |cart: &str, traffic: &str| shop("", cart, traffic);
    let (error, warning) = (["error overload"], ["warning overload"]);
    // 5 replicas × 2 workers do 1000/s of 10ms; 79% leaves 98.75% after a loss.
    let ten = "replicas: 5, workers: 2";
    check(&of(ten, "rate: 790/s"), &[]);
    check(&of(ten, "rate: 800/s"), &warning);
    check(&of(ten, "rate: 999/s"), &warning);
    check(&of(ten, "rate: 1000/s"), &error);
    check(&of(ten, "rate: 5000/s"), &error);
    let rules = |numbers: &str| format!("lint: {{ rules: {{ overload: {{ {numbers} }} }} }}\n");
    check(&(rules("warning: 0.5") + &of(ten, "rate: 500/s")), &warning);
    check(&(rules("error: 0.7") + &of(ten, "rate: 700/s")), &error);
    // A peak is told apart from what is always there.
    check(&of(ten, "rate: 100/s, peak: 999/s"), &[]);
    check(&of(ten, "rate: 100/s, peak: 1000/s"), &warning);
    let peak = words(&of(ten, "rate: 100/s, peak: 2000/s"));
    assert!(peak.contains("`cart` cannot carry the declared peak: its workers would be 200% busy"), "{peak}");
    let both = words(&of(ten, "rate: 900/s, peak: 2000/s"));
    assert!(both.contains("900/s × 10ms = 9 at once, 90% of 10"), "{both}");
    assert!(both.contains("at the declared peak it would be 200% busy"), "{both}");
    assert!(!words(&of(ten, "rate: 900/s, peak: 900/s")).contains("declared peak"));
    let steps = "rate: [{ at: 0s, value: 2000/s }, { at: 1m, value: 10/s }]";
    check(&of(ten, steps), &warning);
    check(&of(ten, "rate: [{ at: 0s, value: 10/s }, { at: 1m, value: 2000/s }]"), &error);
    // Users wait: 1010 of them, 1 s of thought and 10ms of work, ask 1000 times a second at the most.
    check(&of(ten, "users: 1010, think_time: 1s"), &warning);
    check(&of(ten, "users: 1000, think_time: 1s"), &[]);
    check(&of(ten, "users: 100000"), &[]);
    // What is not said is assumed, as a simulation does: worth knowing, no more.
    let assumed = ["info overload"];
    check(&of("workers: 2", "rate: 9000/s"), &assumed);
    check(&of("replicas: 5", "rate: 9000/s"), &assumed);
    check(&of("replicas: 5", "rate: 500/s"), &assumed);
    check(&of("", "rate: 100/s"), &assumed);
    let all = words(&of("", "rate: 150/s"));
    assert!(all.contains("`cart` keeps 2 workers busy and does not say how many it has"), "{all}");
    assert!(
        all.contains("workers and replicas not said: a simulation assumes 1, which would be 150% busy"),
        "{all}"
    );
    for enough in [of("replicas: 5", "rate: 499/s"), of("external: true", "rate: 900/s")] {
        assert_eq!(found(&enough).len(), 0, "{enough}");
    }
    check(&of(ten, "rate: 5000/s").replace("constant, mean: 10ms", "constant, mean: 0s"), &[]);
    check(&of(ten, "rate: 5000/s").replace("call: cart E", "call: cart E, probability: 1%"), &[]);
    check(&of(ten, "rate: 5000/s").replace("call: cart E", "call: cart E, probability: 20%"), &error);
    // With autoscaling, what there may be counts.
    let scaled = |max: &str| format!("{ten}, autoscaling: {{ min: 5, {max} }}");
    check(&of(&scaled("max: 9"), "rate: 1000/s"), &[]);
    check(&of(&scaled("max: 9"), "rate: 1800/s"), &error);
    check(&of(&scaled(""), "rate: 1800/s"), &[]);
    // Fallbacks are not called in the good case; optional calls are.
    let soft = shop("optional: true", ten, "rate: 1000/s");
    check(&soft, &error);
    let fallback = "services:\n  web: { endpoints: { E: { calls: [{ call: b E, timeout: 1s, fallback: { call: cart E, timeout: 1s } }] } } }\n  \
                    b: { endpoints: [E] }\n  cart: { replicas: 1, workers: 1, endpoints: { E: { latency: { distribution: constant, mean: 1s } } } }\n\
                    traffic: [{ to: web E, rate: 100/s }]\n";
    check(fallback, &[]);
    check(
        &fallback.replace(
            "fallback: { call: cart E, timeout: 1s } }",
            "fallback: static }, { call: cart E, timeout: 1s }",
        ),
        &error,
    );
}

#[test]
fn what_overload_proposes_is_enough() {
    // 9 and 16 at once, two by a replica: below 80% from 6 and from 11 on.
    for (rate, needed) in [("900/s", 6), ("1600/s", 11)] {
        let of =
            |replicas: u32| shop("", &format!("replicas: {replicas}, workers: 2"), &format!("rate: {rate}"));
        let [finding] = &found(&of(5))[..] else { panic!("{rate}") };
        let help = format!("below 80% it is with {needed} replicas, with more workers per replica");
        assert!(finding.help[0].starts_with(&help), "{:?}", finding.help);
        check(&of(needed - 1), &["warning overload"]);
        check(&of(needed), &[]);
    }
}

#[test]
fn what_an_overload_says() {
    let text = "services:\n  web: { endpoints: { E: { calls: [CALLS] } } }\n  \
                cart: { replicas: 1, workers: 1, endpoints: { E: { latency: SLOW }, F: { latency: FAST } } }\n\
                traffic: [{ to: web E, rate: 100/s }]\n";
    let calls = "{ call: cart E, timeout: 1s, times: 2 }, { call: cart F, timeout: 1s, times: 5 }";
    let constant = |ms: u32| format!("{{ distribution: constant, mean: {ms}ms }}");
    let text = text.replace("CALLS", calls).replace("SLOW", &constant(5)).replace("FAST", &constant(1));
    let [finding] = &found(&text)[..] else { panic!("{text}") };
    assert_eq!(finding.primary.text, "1 replica × 1 worker = 1 at once");
    // 200/s of 5ms are more work than 500/s of 1ms: that way is shown.
    assert_eq!(finding.notes, ["200/s × 5ms (`E`) + 500/s × 1ms (`F`) = 1.5 at once, 150% of 1"]);
    let way: Vec<_> =
        finding.path.iter().map(|h| (h.from.as_str(), h.to.as_str(), h.value.as_str())).collect();
    assert_eq!(way, [("traffic", "web", "100/s"), ("web", "cart", "200/s")]);
}

#[test]
fn handlers_and_datastores_are_overloaded_too() {
    let text = |more: &str| {
        format!(
            "services:\n  web: {{ endpoints: {{ E: {{ calls: [{{ publish: q }}, {{ write: d }}] }} }} }}\n  \
             mailer: {{ replicas: 2, consumes: {{ q: {{ concurrency: 5, latency: {{ distribution: constant, mean: 100ms }}, {more} }} }} }}\n\
             queues: {{ q: {{}} }}\ndatastores: {{ d: {{ replicas: 1, workers: 4, latency: {{ distribution: constant, mean: 20ms }} }} }}\n\
             traffic: [{{ to: web E, rate: RATE }}]\n"
        )
    };
    // 2 × 5 handlers: 100/s; 4 accesses: 200/s.
    check(&text("").replace("RATE", "50/s"), &["warning no-headroom"][1..]);
    check(&text("").replace("RATE", "99/s"), &["warning overload"]);
    check(&text("").replace("RATE", "100/s"), &["error overload"]);
    check(&text("").replace("RATE", "200/s"), &["error overload"; 2]);
    let labels: Vec<_> =
        found(&text("").replace("RATE", "200/s")).into_iter().map(|f| f.primary.text).collect();
    assert_eq!(labels, ["2 replicas × 5 messages = 10 at once", "1 replica × 4 accesses = 4 at once"]);
    let one = text("").replace("workers: 4", "workers: 1").replace("RATE", "50/s");
    assert!(words(&one).contains("1 replica × 1 access = 1 at once"));
    let said = words(&text("").replace("RATE", "120/s"));
    assert!(said.contains("`mailer` with `q` cannot keep up: its handlers would be 120% busy"), "{said}");
    // A handler holds its message while it waits: 100ms and 20ms.
    check(&text("calls: [{ read: d }]").replace("RATE", "84/s"), &["error overload", "warning overload"]);
}

#[test]
fn guards_of_no_headroom() {
    let found = ["warning no-headroom"];
    let of = |cart: &str, rate: &str| shop("", cart, &format!("rate: {rate}"));
    // 2 × 2 workers: 400/s, and 200/s with one replica.
    check(&of("replicas: 2, workers: 2", "200/s"), &[]);
    check(&of("replicas: 2, workers: 2", "201/s"), &found);
    check(&of("replicas: 2, workers: 2", "319/s"), &found);
    check(&of("replicas: 2, workers: 2", "320/s"), &["warning overload"]);
    check(&of("replicas: 1, workers: 4", "250/s"), &[]);
    check(&of("replicas: 2, workers: 2, autoscaling: { max: 2 }", "250/s"), &[]);
    check(&of("replicas: 2, workers: 2", "100/s, peak: 250/s"), &[]);
    // Of three instances two are in one zone: 100/s are left of 300/s.
    let zones =
        |third: &str| format!("workers: 1, instances: [{{ zone: x }}, {{ zone: x }}, {{ zone: {third} }}]");
    check(&of(&zones("y"), "100/s"), &[]);
    check(&of(&zones("y"), "150/s"), &found);
    check(&of(&zones("x"), "150/s"), &[]);
    let said = words(&of(&zones("y"), "150/s"));
    assert!(said.contains("without zone `x`, the other zones of `cart` would be 150% busy"), "{said}");
    // The fastest instance is the one to lose: 100/s are left of 400/s.
    check(&of("workers: 1, instances: [{ speed: 3 }, {}]", "150/s"), &found);
}

#[test]
fn guards_of_pool_too_small() {
    let found = ["warning pool-too-small"];
    // 400/s × 10ms = 4 at once.
    let pool = |limits: &str, web: &str, call: &str| {
        let text = shop(&format!("limits: {{ {limits} }}, {call}"), "", "rate: 400/s");
        text.replace("web: {", &format!("web: {{ {web}, "))
    };
    let one = "replicas: 1";
    check(&pool("max_connections: 4", one, ""), &[]);
    check(&pool("max_connections: 3", one, ""), &found);
    check(&pool("max_requests: 3", one, ""), &found);
    check(&pool("max_requests: 3", "replicas: 2", ""), &[]);
    check(&pool("max_requests: 1", "replicas: 2", ""), &found);
    check(&pool("max_requests: 1", "kind: service", ""), &[]);
    check(&pool("max_pending_requests: 1", one, ""), &[]);
    // Many requests on one connection.
    check(&pool("max_connections: 1, max_concurrent_streams: 4", one, ""), &[]);
    check(&pool("max_connections: 1, max_concurrent_streams: 3", one, ""), &found);
    check(&pool("max_connections: 1", one, "protocol: grpc"), &[]);
    check(&pool("max_connections: 1, max_requests: 3", one, "protocol: grpc"), &found);
    // A call that is cut at 5ms holds its connection no longer: 2 at once.
    let cut = |limits: &str| pool(limits, one, "").replace("timeout: 1s", "timeout: 5ms");
    check(&cut("max_connections: 2"), &[]);
    check(&cut("max_connections: 1"), &found);
    // Calls under the same limits share them.
    let shared = "defaults: { call: { timeout: 1s, limits: { max_connections: 6 } } }\nservices:\n  \
                  web: { replicas: 1, endpoints: { E: { calls: [{ call: cart E }, { call: cart F }] } } }\n  \
                  cart: { latency: { distribution: constant, mean: 10ms }, endpoints: [E, F] }\ntraffic: [{ to: web E, rate: 400/s }]\n";
    check(shared, &found);
    check(&shared.replace("6 }", "8 }"), &[]);
    check(
        &shared.replace("cart F", "other F").replace(
            "services:\n",
            "services:\n  other: { latency: { distribution: constant, mean: 10ms }, endpoints: [F] }\n",
        ),
        &[],
    );
    // What a service lets in, from admission to reply: own 10ms and 40ms of waiting.
    let inside = |web: &str| {
        format!(
            "defaults: {{ call: {{ timeout: 1s }} }}\nservices:\n  \
             web: {{ {web}, endpoints: {{ E: {{ latency: {{ distribution: constant, mean: 10ms }}, calls: [{{ call: b E }}] }} }} }}\n  \
             b: {{ endpoints: {{ E: {{ latency: {{ distribution: constant, mean: 40ms }} }} }} }}\ntraffic: [{{ to: web E, rate: 100/s }}]\n"
        )
    };
    check(&inside("replicas: 1, concurrency: 5"), &[]);
    check(&inside("replicas: 1, concurrency: 4"), &found);
    check(&inside("replicas: 2, concurrency: 4"), &[]);
    check(&inside("concurrency: 4"), &[]);
    check(&inside("replicas: 1, concurrency: 4, autoscaling: { max: 2 }"), &[]);
    // Too few workers are the cause already.
    check(&inside("replicas: 1, concurrency: 4, workers: 1"), &["error overload"]);
    let said = words(&inside("replicas: 1, concurrency: 4"));
    assert!(said.contains("100/s × 50ms / 1 replica = 5"), "{said}");
}

#[test]
fn guards_of_retry_storm_capacity() {
    let found = ["warning retry-storm-capacity"];
    // 4 × 1 workers: 400/s.
    let of = |retry: &str, rate: &str| {
        shop(
            &format!("retry: {{ num_retries: 2, backoff: {{ base: 25ms }}, {retry} }}"),
            "replicas: 4, workers: 1",
            &format!("rate: {rate}"),
        )
    };
    check(&of("", "133/s"), &[]);
    check(&of("", "134/s"), &found);
    check(&of("", "400/s"), &["error overload"]);
    check(&of("budget: { percent: 20% }", "300/s"), &[]);
    check(&of("budget: { percent: 100% }", "200/s"), &found);
    check(&of("", "134/s").replace("retry:", "circuit_breaker: {}, retry:"), &[]);
    check(&(of("", "134/s") + "mesh: { circuit_breaker: {} }\n"), &[]);
    check(&(of("", "50/s") + "mesh: { retry: { num_retries: 2, backoff: { base: 25ms } } }\n"), &found);
    check(&of("", "134/s").replace("num_retries: 2", "num_retries: 0"), &[]);
    let said = words(&of("", "200/s"));
    assert!(said.contains("with all retries 600/s × 10ms = 6 at once, 150% of 4"), "{said}");
    // Two services behind the same retries have one cause.
    let two = "defaults: { call: { timeout: 1s, propagate_deadline: true } }\nservices:\n  \
               web: { endpoints: { E: { calls: [{ call: a E, retry: { num_retries: 3, backoff: { base: 25ms } } }] } } }\n  \
               a: { replicas: 4, workers: 1, latency: { distribution: constant, mean: 10ms }, endpoints: { E: { calls: [{ call: b E }] } } }\n  \
               b: { replicas: 4, workers: 1, latency: { distribution: constant, mean: 9ms }, endpoints: [E] }\n\
               traffic: [{ to: web E, rate: 200/s }]\n";
    check(two, &found);
    assert!(words(two).contains("the same retries overload `b`"), "{}", words(two));
}
