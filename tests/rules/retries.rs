//! Guards of the rules on retries.

use crate::support::{BOUNDED, calls, check, words};

/// Bounded calls, each pausing before another attempt.
const PAUSED: &str =
    "defaults: { call: { timeout: 1s, propagate_deadline: true, retry: { backoff: { base: 25ms } } } }";

/// A chain of calls with so many attempts each.
fn attempts(top: &str, chain: &[u32]) -> String {
    let hop = |(i, n): (usize, &u32)| match n {
        1 => format!("s{i} > s{}", i + 1),
        n => format!("s{i} > s{}: retry: {{ num_retries: {} }}", i + 1, n - 1),
    };
    let edges: Vec<_> = chain.iter().enumerate().map(hop).collect();
    calls(&format!("{PAUSED}\n{top}"), &edges.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn guards_of_retry_amplification() {
    let (warning, error) = (["warning retry-amplification"], ["error retry-amplification"]);
    let layers = ["warning retry-at-every-layer"];
    check(&attempts("", &[3, 3]), &layers);
    check(&attempts("", &[3, 1, 3]), &[]);
    check(&attempts("", &[2, 5]), &warning);
    check(&attempts("", &[10]), &warning);
    check(&attempts("", &[3, 3, 3]), &warning);
    check(&attempts("", &[29]), &warning);
    check(&attempts("", &[5, 6]), &error);
    check(&attempts("", &[4, 9]), &error);
    let lint = |numbers: &str| format!("lint: {{ rules: {{ retry-amplification: {{ {numbers} }} }} }}");
    check(&attempts(&lint("warning: 9"), &[3, 3]), &warning);
    check(&attempts(&lint("error: 9"), &[3, 3]), &error);
    check(&attempts(&lint("warning: 40, error: 50"), &[4, 9]), &layers);
    // The mesh tries every call three times: 9, 27, and 6 × 6 = 36 with two attempts of the library's each.
    let mesh = "mesh: { retry: { num_retries: 2 } }";
    check(&attempts(mesh, &[1, 1]), &layers);
    check(&attempts(mesh, &[1, 1, 1]), &warning);
    check(&attempts(mesh, &[2, 2]), &error);
    check(
        &attempts("mesh: { retry: { num_retries: 2, budget: { percent: 20% } } }", &[1, 1, 1, 9]),
        &warning,
    );
    check(&attempts("mesh: { retry: { num_retries: 2, budget: { percent: 20% } } }", &[1, 1, 1, 4]), &[]);
    check(&attempts("mesh: { retry: none }", &[3, 3]), &layers);
    let said = words(&attempts(mesh, &[2, 1, 2]));
    assert!(said.contains("`s0 → s1` is tried 2 times, each 3 times by the mesh"), "{said}");
    assert!(said.contains("`s1 → s2` is tried 3 times by the mesh"), "{said}");
    // However long a chain is, what is said of it is short: 2^2000.
    let said =
        words(&format!("{}\n{}", attempts("", &[2; 2000]), "lint: { rules: { deep-call-chain: allow } }"));
    assert!(said.contains("more than a thousand million calls of `s2000`"), "{said}");
    assert!(said.contains("2 × … (1992 more)") && said.lines().count() < 20, "{said}");
    // Repetitions are no retries.
    check(&calls(BOUNDED, &["a > b: times: 10", "b > c: times: 10"]), &[]);
    // The worst of several branches counts.
    let branches = [
        "a > b: retry: { num_retries: 1 }",
        "b > c: retry: { num_retries: 1 }",
        "b > d: retry: { num_retries: 5 }",
    ];
    let said = words(&calls(PAUSED, &branches));
    assert!(said.contains("one request to `a E` can become 12 calls of `d`"), "{said}");
    // Services without endpoints: what one of them does, all of its requests do.
    let edge = |from: &str, to: &str| format!("  - {{ from: {from}, to: {to}, retry_count: 2 }}\n");
    let edges = [edge("a", "b"), edge("b", "c"), edge("c", "d")].concat();
    check(
        &format!("{PAUSED}\nservices: {{ a: {{}}, b: {{}}, c: {{}}, d: {{}} }}\ncommunications:\n{edges}"),
        &warning,
    );
}

#[test]
fn budgets_and_breakers_make_amplification_less() {
    // A budget of 20%: 1.2 × 1.2 × 1.2; on one of three levels 1.2 × 3 × 3 = 10.8, on two 4.32.
    let budget = "retry: { num_retries: 2, budget: { percent: 20% } }";
    let plain = "retry: { num_retries: 2 }";
    let three = |a: &str, b: &str, c: &str| {
        calls(PAUSED, &[&format!("a > b: {a}"), &format!("b > c: {b}"), &format!("c > d: {c}")])
    };
    check(&three(budget, budget, budget), &[]);
    check(&three(budget, plain, plain), &["warning retry-amplification"]);
    let said = words(&three(budget, plain, plain));
    assert!(said.contains("`a → b` is tried 3 times, 1.2 under its budget"), "{said}");
    assert!(said.contains("`c → d` is tried 3 times\n"), "{said}");
    assert!(said.contains("1.2 × 3 × 3 = 10.8, when `d` fails"), "{said}");
    check(&three(budget, budget, plain), &[]);
    // One that says no share has a fifth; one that is off is none.
    check(&three("retry: { num_retries: 2, budget: { min_concurrency: 5 } }", budget, plain), &[]);
    check(&three("retry: { num_retries: 2, budget: none }", plain, plain), &["warning retry-amplification"]);
    // min(10, 1 + 100%) × 3 × 3 = 18, not 90.
    let whole = "retry: { num_retries: 9, budget: { percent: 100% } }";
    check(&three(whole, plain, plain), &["warning retry-amplification"]);
    check(&three(whole, plain, ""), &[]);
    // A breaker anywhere on the way may end it sooner: one level less.
    let breaker = "retry: { num_retries: 2 }, circuit_breaker: { failure_threshold: 5 }";
    check(&three(plain, plain, breaker), &["info retry-amplification"]);
    check(&three(breaker, plain, plain), &["info retry-amplification"]);
    check(
        &attempts("mesh: { circuit_breaker: { failure_threshold: 5 } }", &[5, 6]),
        &["warning retry-amplification"],
    );
    check(&attempts("mesh: { circuit_breaker: none }", &[5, 6]), &["error retry-amplification"]);
}

#[test]
fn what_is_not_retried_is_not_multiplied() {
    let chain = |on: &str| {
        let retry = format!("retry: {{ num_retries: 4, retry_on: [{on}] }}");
        calls(PAUSED, &[&format!("a > b: {retry}"), &format!("b > c: {retry}")])
    };
    let found = ["warning retry-amplification"];
    check(&chain("5xx"), &found);
    check(&chain("unavailable"), &found);
    check(&chain("connect-failure, 5xx"), &found);
    // b is there and answers: a has nothing to repeat. Without a time of its own an attempt is the last.
    check(&chain("connect-failure"), &[]);
    check(&chain("reset"), &[]);
    check(&chain("timeout"), &[]);
    check(&chain("rate-limited"), &[]);
    // The last call alone: 12 attempts to connect, none for what is no outage.
    let last = |on: &str| calls(PAUSED, &[&format!("a > b: retry: {{ num_retries: 11, retry_on: [{on}] }}")]);
    check(&last("connect-failure"), &found);
    check(&last("rate-limited"), &[]);
}

#[test]
fn entries_are_where_requests_begin() {
    let found = ["warning retry-amplification"];
    // Two entries through the same calls are one cause, and so are their endpoints.
    check(&calls(PAUSED, &["x > a", "y > a", "a > b: retry: { num_retries: 9 }"]), &found);
    let twice = [
        "x > a: retry: { num_retries: 1 }",
        "x.F > a: retry: { num_retries: 2 }",
        "a > b: retry: { num_retries: 9 }",
    ];
    let said = words(&calls(PAUSED, &twice));
    assert!(said.contains("one request to `x F` can become 30 calls of `b`"), "{said}");
    assert!(said.contains("1 more entry leads to the same retries"), "{said}");
    // Traffic says where requests enter: 3 × 3 below it.
    let at = |stop: &str| attempts(&format!("traffic: [{{ to: {stop}, rate: 1/s }}]"), &[3, 3, 3]);
    check(&at("s1 E"), &["warning retry-at-every-layer"]);
    check(&at("s0 E"), &found);
    check(&at("s0"), &found);
    // A service that is named without endpoint may be asked for any.
    let any = "traffic: [{ to: a, rate: 1/s }]";
    check(&calls(&format!("{PAUSED}\n{any}"), &["a > b", "a.F > b: retry: { num_retries: 9 }"]), &found);
    // Messages and jobs come by themselves, whatever traffic names.
    let beside = |about: &str, more: &str| {
        format!(
            "{PAUSED}
traffic: [{{ to: web E, rate: 1/s }}]
services:
  web: {{ endpoints: {{ E: {{ calls: [{{ call: c E }}] }} }} }}
  a: {{ {about} }}
  c: {{ endpoints: [E] }}
{more}"
        )
    };
    let steps = "calls: [{ call: c E, retry: { num_retries: 9 } }]";
    check(&beside(&format!("endpoints: {{ E: {{ {steps} }} }}"), ""), &[]);
    check(&beside(&format!("kind: cron, endpoints: {{ E: {{ {steps} }} }}"), ""), &found);
    let queue = "queues: { q: { external_producers: true, max_deliveries: 3, dead_letter: dead }, dead: {} }";
    check(&beside(&format!("consumes: {{ q: {{ {steps} }} }}"), queue), &found);
}

#[test]
fn guards_of_retry_at_every_layer() {
    let found = ["warning retry-at-every-layer"];
    check(&attempts("", &[2, 2]), &found);
    check(&attempts("", &[1, 2, 2]), &found);
    check(&attempts("", &[2]), &[]);
    check(&attempts("", &[2, 1, 2]), &[]);
    // A row is one finding, and so are rows that meet.
    check(&attempts("", &[2, 2, 2]), &found);
    let two = "retry: { num_retries: 1 }";
    let meet = |edges: &[&str]| {
        let edges: Vec<_> = edges.iter().map(|e| format!("{e}: {two}")).collect();
        calls(PAUSED, &edges.iter().map(String::as_str).collect::<Vec<_>>())
    };
    check(&meet(&["a > c", "b > c", "c > d", "c > e"]), &found);
    let said = words(&meet(&["a > c", "b > c", "c > d", "c > e"]));
    assert!(said.contains("2 more calls retry right before or behind these"), "{said}");
    check(&meet(&["a > b", "b > c", "d > e", "e > f"]), &["warning retry-at-every-layer"; 2]);
    // Another endpoint is another row.
    check(&meet(&["a > b", "b.F > c"]), &[]);
    // Under a budget, or where each repeats what only it can see.
    let pair = |outer: &str, inner: &str| {
        calls(
            PAUSED,
            &[
                &format!("a > b: retry: {{ num_retries: 1, {outer} }}"),
                &format!("b > c: retry: {{ num_retries: 1, {inner} }}"),
            ],
        )
    };
    check(&pair("", ""), &found);
    check(&pair("budget: { percent: 20% }", ""), &[]);
    check(&pair("", "budget: { percent: 20% }"), &[]);
    check(&pair("retry_on: [connect-failure]", ""), &[]);
    check(&pair("", "retry_on: [connect-failure]"), &found);
    check(&pair("retry_on: [5xx]", "retry_on: [5xx]"), &found);
    // A loop is request-loop's.
    check(&meet(&["a > b", "b > a"]), &["error request-loop"]);
}

#[test]
fn guards_of_retry_never_fits() {
    let found = ["warning retry-never-fits"];
    let one = |settings: &str| calls("", &[&format!("a > b: {settings}")]);
    let tries = |whole: &str, more: &str| {
        one(&format!(
            "{whole} retry: {{ num_retries: 2, per_try_timeout: 250ms, backoff: {{ base: 25ms }} {more} }}"
        ))
    };
    // 2 × 250ms + 25ms + 50ms = 575ms.
    check(&tries("timeout: 575ms,", ""), &found);
    check(&tries("timeout: 576ms,", ""), &[]);
    check(&tries("", ""), &[]);
    check(&tries("timeout: 575ms,", ", retry_on: [5xx]"), &[]);
    check(&tries("timeout: 575ms,", ", retry_on: [5xx, timeout]"), &found);
    check(&tries("timeout: 575ms, protocol: message_queue,", ""), &[]);
    check(&one("timeout: 1s, retry: { num_retries: 2, backoff: { base: 600ms } }"), &[]);
    check(&one("timeout: 1s, retry: { num_retries: 0, per_try_timeout: 2s }"), &[]);
    // What all inherit is one cause.
    let retry = "retry: { num_retries: 2, per_try_timeout: 250ms, backoff: { base: 25ms } }";
    let all =
        calls(&format!("defaults: {{ call: {{ timeout: 500ms, {retry} }} }}"), &["a > b", "a > c", "a > d"]);
    check(&all, &found);
    assert!(words(&all).contains("so do 2 more calls that inherit it"), "{}", words(&all));
}

#[test]
fn guards_of_retries_capped_twice() {
    let one = |top: &str, retry: &str, more: &str| {
        let retry = format!("a > b: retry: {{ num_retries: 1, backoff: {{}}, {retry} }}, {more}");
        calls(&format!("{BOUNDED}\n{top}"), &[&retry])
    };
    let (twice, budget, cap) =
        (["warning retries-capped-twice"], "budget: { percent: 20% }", "limits: { max_retries: 3 }");
    check(&one("", budget, cap), &twice);
    check(&one("upstreams: { b: { limits: { max_retries: 3 } } }", budget, ""), &twice);
    check(&one("", "", cap), &[]);
    check(&one("", budget, ""), &[]);
    check(&one("", "budget: none", cap), &[]);
    check(&one("", budget, "limits: none"), &[]);
    check(&one("", budget, "limits: { max_requests: 3 }"), &[]);
    // Envoy's own three retries make way for a budget; three of one's own do not.
    check(&one("", budget, "preset: envoy"), &[]);
    check(&one("", budget, "preset: envoy, limits: { max_retries: 3 }"), &twice);
}

#[test]
fn guards_of_retry_without_backoff_and_without_jitter() {
    let (backoff, jitter) = (["warning retry-without-backoff"], ["info retry-without-jitter"]);
    let one = |top: &str, retry: &str, more: &str| {
        calls(
            &format!("{BOUNDED}\n{top}"),
            &[&format!("a > b: retry: {{ num_retries: 1, {retry} }}, {more}")],
        )
    };
    check(&one("", "", ""), &backoff);
    check(&one("", "backoff: none", ""), &backoff);
    check(&one("", "backoff: { base: 0s }", ""), &backoff);
    check(&one("", "backoff: { base: 1ms }", ""), &[]);
    check(&one("", "backoff: { max: 1s }", ""), &[]);
    // From the call, its service, its upstream, the file.
    check(&one("upstreams: { b: { retry: { backoff: { base: 25ms } } } }", "", ""), &[]);
    check(&one("upstreams: { a: { retry: { backoff: { base: 25ms } } } }", "", ""), &backoff);
    check(&attempts("", &[2]), &[]);
    let caller = "a:\n    defaults: { call: { retry: { backoff: { base: 25ms } } } }\n";
    check(&one("", "", "").replacen("a:\n", caller, 1), &[]);
    // A preset brings its own along, unless it is switched off.
    check(&one("", "", "preset: envoy"), &[]);
    check(&one("upstreams: { b: { preset: envoy } }", "", ""), &[]);
    check(&one("", "backoff: none", "preset: envoy"), &backoff);
    check(&one("", "budget: { percent: 20% }", ""), &[]);
    check(&one("", "budget: none", ""), &backoff);
    check(&one("", "", "protocol: message_queue"), &[]);
    check(&calls(BOUNDED, &["a > b: retry: { num_retries: 0 }"]), &[]);
    check(&calls(&format!("{BOUNDED}\nmesh: {{ retry: {{ num_retries: 1 }} }}"), &["a > b"]), &[]);
    // What all inherit is one cause.
    let top = "defaults: { call: { timeout: 1s, propagate_deadline: true, retry: { num_retries: 1 } } }";
    check(&calls(top, &["a > b", "a > c"]), &backoff);
    assert!(words(&calls(top, &["a > b", "a > c"])).contains("so does 1 more call that inherits it"));

    check(&one("", "backoff: { base: 25ms, jitter: none }", ""), &jitter);
    check(&one("", "backoff: { base: 25ms, jitter: equal }", ""), &[]);
    check(&one("", "backoff: { base: 25ms }", ""), &[]);
    check(&one("", "backoff: { base: 0s, jitter: none }", ""), &backoff);
    check(&one("", "backoff: { base: 25ms, jitter: none }, budget: { percent: 20% }", ""), &[]);
    check(&one("", "backoff: { base: 25ms, jitter: none }", "protocol: event_stream"), &[]);
    check(&calls(BOUNDED, &["a > b: retry: { backoff: { base: 25ms, jitter: none } }"]), &[]);
}

#[test]
fn guards_of_retry_non_idempotent() {
    let found = ["warning retry-non-idempotent"];
    let system = |top: &str, endpoint: &str, about: &str, call: &str| {
        format!(
            "{PAUSED}\n{top}\nservices:\n  a: {{ endpoints: {{ E: {{ calls: [{{ call: b {endpoint}, {call} }}] }} }} }}\n  b: {{ endpoints: {{ {endpoint}: {{ {about} }} }} }}\n"
        )
    };
    let tries = "retry: { num_retries: 1 }";
    check(&system("", "POST /x", "", tries), &found);
    check(&system("", "PATCH /x", "", tries), &found);
    for safe in ["GET /x", "PUT /x", "DELETE /x", "/x", "Charge"] {
        check(&system("", safe, "", tries), &[]);
    }
    check(&system("", "POST /x", "", ""), &[]);
    check(&system("", "POST /x", "idempotent: true", tries), &[]);
    check(&system("", "POST /x", "", &format!("{tries}, idempotency_key: true")), &[]);
    check(&system("", "POST /x", "", &format!("{tries}, idempotency_key: false")), &found);
    check(&system("", "POST /x", "", "retry: { num_retries: 1, retry_on: [connect-failure] }"), &[]);
    check(
        &system("", "POST /x", "", "retry: { num_retries: 1, retry_on: [connect-failure, reset] }"),
        &found,
    );
    check(&system("", "POST /x", "protocol: grpc", &format!("{tries}, protocol: grpc")), &[]);
    // Said, it counts for every method and procedure; the method may stand on the call.
    check(&system("", "Charge", "idempotent: false", tries), &found);
    check(&system("", "PUT /x", "idempotent: false", tries), &found);
    check(&system("", "/x", "", &format!("{tries}, method: POST")), &found);
    check(&system("", "/x", "", &format!("{tries}, method: GET")), &[]);
    // The mesh retries what the call does not; one cause for all.
    let mesh = "mesh: { retry: { num_retries: 1 } }";
    check(&system(mesh, "POST /x", "", ""), &found);
    check(
        &system("mesh: { retry: { num_retries: 1, retry_on: [connect-failure] } }", "POST /x", "", ""),
        &[],
    );
    check(&system(mesh, "POST /x", "", "").replace("calls: [", "calls: [{ call: b POST /x }, "), &found);
}
