//! Guards of the rules of `resilience`.

use crate::support::{BOUNDED, calls, check, words};

#[test]
fn guards_of_missing_timeout() {
    let found = ["warning missing-timeout"];
    check(&calls("", &["a > b"]), &found);
    check(&calls("", &["a > b", "a > c", "c > d: timeout: 1s"]), &["warning missing-timeout"; 2]);
    check(&calls("", &["a > b: timeout: 1s"]), &[]);
    check(&calls("defaults: { call: { timeout: 1s } }", &["a > b"]), &[]);
    check(&calls("upstreams: { b: { timeout: 1s } }", &["a > b"]), &[]);
    check(&calls("upstreams: { b: { timeout: 1s } }", &["b > c"]), &found);
    check(&calls("mesh: { timeout: 1s }", &["a > b"]), &[]);
    check(&calls("mesh: { timeout: none }", &["a > b"]), &found);
    check(&calls("", &["a > b"]).replacen("a:\n", "a:\n    defaults: { call: { timeout: 1s } }\n", 1), &[]);
    // Attempts that are bounded bound the call; retries that are switched off bound nothing.
    check(&calls("", &["a > b: retry: { num_retries: 1, per_try_timeout: 1s }"]), &[]);
    check(&calls("", &["a > b: retry: { num_retries: 1 }"]), &found);
    check(&calls("defaults: { call: { retry: { per_try_timeout: 1s } } }", &["a > b: retry: none"]), &found);
    // Switched off against a default, and said so.
    let off = calls("defaults: { call: { timeout: 1s } }", &["a > b: timeout: none"]);
    check(&off, &found);
    assert!(words(&off).contains("switched off here"), "{}", words(&off));
    let off = words(&calls("defaults: { call: { timeout: none } }", &["a > b"]));
    assert!(off.contains("switched off here (from defaults at line 1)"), "{off}");
    // Edges without detail, messages and data say nothing of waiting.
    check("services: { a: { dependencies: [b] }, b: {} }", &[]);
    check("services: { a: {}, b: {} }\ncommunications: [{ from: a, to: b }]", &found);
    check(&calls("", &["a > b: protocol: message_queue"]), &[]);
    check("services: { a: { endpoints: { E: { calls: [read: d] } } } }\ndatastores: { d: {} }", &[]);
}

#[test]
fn guards_of_timeout_inversion() {
    let found = ["warning timeout-inversion"];
    let pair =
        |outer: &str, inner: &str| calls("", &[&format!("a > b: {outer}"), &format!("b > c: {inner}")]);
    check(&pair("timeout: 1s", "timeout: 999ms"), &[]);
    check(&pair("timeout: 1s", "timeout: 1s"), &found);
    check(&pair("timeout: 1s", "timeout: 3s"), &found);
    check(&pair("timeout: 1s", "timeout: 3s, propagate_deadline: true"), &[]);
    check(&pair("timeout: 1s, propagate_deadline: true", "timeout: 3s"), &[]);
    check(&pair("timeout: 1s", "timeout: 3s, protocol: message_queue"), &[]);
    check(&pair("timeout: 1s", ""), &["warning missing-timeout"]);
    // Only calls inside the called endpoint count.
    check(&calls("", &["a > b: timeout: 1s", "b.F > c: timeout: 3s"]), &[]);
    // 3 × 250ms + 25ms + 50ms = 825ms.
    let tries = "retry: { num_retries: 2, per_try_timeout: 250ms, backoff: { base: 25ms } }";
    check(&pair("timeout: 825ms", tries), &found);
    check(&pair("timeout: 826ms", tries), &[]);
    // The back-off stops growing at 30ms: 4 × 100ms + 25ms + 30ms + 30ms = 485ms.
    let capped = "retry: { num_retries: 3, per_try_timeout: 100ms, backoff: { base: 25ms, max: 30ms } }";
    check(&pair("timeout: 485ms", capped), &found);
    check(&pair("timeout: 486ms", capped), &[]);
    // Cut by T: min(600ms, 825ms).
    check(&pair("timeout: 601ms", &format!("timeout: 600ms, {tries}")), &[]);
    check(&pair("timeout: 600ms", &format!("timeout: 600ms, {tries}")), &found);
    // The caller waits for all of its attempts: min(T, 825ms).
    check(&pair(tries, "timeout: 824ms"), &[]);
    check(&pair(tries, "timeout: 825ms"), &found);
    check(&pair(&format!("timeout: 2s, {tries}"), "timeout: 825ms"), &found);
    check(&pair(&format!("timeout: 600ms, {tries}"), "timeout: 700ms"), &found);
    check(&pair(&format!("timeout: 600ms, {tries}"), "timeout: 599ms"), &[]);
    assert!(
        words(&pair(tries, "timeout: 1s")).contains("waits 825ms in all: 3 attempts × 250ms + 75ms back-off")
    );
}

#[test]
fn an_inherited_timeout_is_one_cause() {
    let top = "defaults: { call: { timeout: 1s } }";
    let chain = calls(top, &["a > b", "b > c", "c > d", "d > e"]);
    check(&chain, &["warning timeout-inversion"]);
    assert!(words(&chain).contains("so do 2 more pairs of calls that inherit it"), "{}", words(&chain));
    // An own value is a cause of its own: only a > b waits less (1s) than what follows may take (2s).
    let own = ["a > b", "b > c: timeout: 2s", "c > d: timeout: 1500ms", "d > e"];
    check(&calls(top, &own), &["warning timeout-inversion"]);
    // The same bytes, but more of them at the inner call: 1 × 1s against 3 × 1s.
    let top = "defaults: { call: { retry: { per_try_timeout: 1s } } }";
    check(&calls(top, &["a > b", "b > c: retry: { num_retries: 2 }"]), &["warning timeout-inversion"]);
    let said = words(&calls(top, &["a > b", "b > c: retry: { num_retries: 2 }"]));
    assert!(said.contains("this call may take 3s: 3 attempts × 1s"), "{said}");
}

/// A chain of calls with so many attempts each.
fn attempts(top: &str, chain: &[u32]) -> String {
    let hop = |(i, n): (usize, &u32)| format!("s{i} > s{}: retry: {{ num_retries: {} }}", i + 1, n - 1);
    let edges: Vec<_> = chain.iter().enumerate().map(hop).collect();
    calls(&format!("{BOUNDED}\n{top}"), &edges.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn guards_of_retry_amplification() {
    let (warning, error) = (["warning retry-amplification"], ["error retry-amplification"]);
    check(&attempts("", &[3, 3]), &[]);
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
    check(&attempts(&lint("warning: 40, error: 50"), &[4, 9]), &[]);
    // The mesh tries every call three times: 9, 27, and 6 × 6 = 36 with two attempts of the library's each.
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[1, 1]), &[]);
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[1, 1, 1]), &warning);
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[2, 2]), &error);
    check(&attempts("mesh: { retry: none }", &[3, 3]), &[]);
    // A budget of 20%: 1.2 × 1.2 × 1.2; on one of three levels 1.2 × 3 × 3 = 10.8, on two 4.32.
    let budget = "retry: { num_retries: 2, budget: { percent: 20% } }";
    let plain = "retry: { num_retries: 2 }";
    let three = |a: &str, b: &str, c: &str| {
        calls(BOUNDED, &[&format!("a > b: {a}"), &format!("b > c: {b}"), &format!("c > d: {c}")])
    };
    check(&three(budget, budget, budget), &[]);
    check(&three(budget, plain, plain), &warning);
    check(&three(budget, budget, plain), &[]);
    // Two entries through the same calls are one cause; the worst of several branches counts.
    check(&calls(BOUNDED, &["x > a", "y > a", "a > b: retry: { num_retries: 9 }"]), &warning);
    let branches = [
        "a > b: retry: { num_retries: 1 }",
        "b > c: retry: { num_retries: 1 }",
        "b > d: retry: { num_retries: 5 }",
    ];
    let said = words(&calls(BOUNDED, &branches));
    assert!(said.contains("one request to `a E` can become 12 calls of `d`"), "{said}");
    // Traffic says where requests enter: 3 × 3 below it.
    check(&attempts("traffic: [{ to: s1 E, rate: 1/s }]", &[3, 3, 3]), &[]);
    let said = words(&attempts("mesh: { retry: { num_retries: 2 } }", &[2, 1, 2]));
    assert!(said.contains("`s0 → s1` is tried 2 times, each 3 times by the mesh"), "{said}");
    assert!(said.contains("`s1 → s2` is tried 3 times by the mesh"), "{said}");
}

#[test]
fn guards_of_missing_health_check() {
    let system = |about: &str, edge: &str| {
        let top = format!("{BOUNDED}\nlint: {{ rules: {{ missing-health-check: info }} }}");
        calls(&top, &[edge]).replacen("  b:\n", &format!("  b:\n    {about}\n"), 1)
    };
    let found = ["info missing-health-check"];
    check(&system("", "a > b"), &found);
    check(&system("health_check: none", "a > b"), &found);
    assert!(words(&system("health_check: none", "a > b")).contains("switched off here"));
    check(&system("health_check: { path: /healthz }", "a > b"), &[]);
    check(&system("external: true", "a > b"), &[]);
    check(&system("", "a > b: optional: true"), &[]);
    check(&system("", "a > b: fallback: static"), &[]);
    check(&system("", "a > b: protocol: message_queue"), &[]);
    check(&calls(BOUNDED, &["a > b"]), &[]);
    // What fails is taken out by the proxy, or by every caller.
    let with = |top: &str| system("", "a > b").replacen("lint:", &format!("{top}\nlint:"), 1);
    check(&with("mesh: { outlier_detection: { consecutive_5xx: 5 } }"), &[]);
    check(&with("mesh: { outlier_detection: none }"), &found);
    check(&with("mesh: { circuit_breaker: {} }"), &found);
    check(&with("upstreams: { b: { outlier_detection: {} } }"), &[]);
    check(&with("upstreams: { a: { outlier_detection: {} } }"), &found);
    // Only asked when another has failed.
    let soft = ["a > c: fallback: { call: b E }", "b > d: optional: true"];
    let soft = calls(&format!("{BOUNDED}\nlint: {{ rules: {{ missing-health-check: info }} }}"), &soft);
    check(&soft.replacen("  c:\n", "  c:\n    health_check: { path: /up }\n", 1), &[]);
}

/// One edge under a pedantic rule, with lines above.
fn pedantic(rule: &str, top: &str, edge: &str) -> String {
    calls(&format!("{top}\nlint: {{ rules: {{ {rule}: info }} }}"), &[edge])
}

#[test]
fn guards_of_missing_circuit_breaker() {
    let found = ["info missing-circuit-breaker"];
    let system = |top: &str, edge: &str| pedantic("missing-circuit-breaker", top, edge);
    let plain = |edge: &str| system(BOUNDED, edge);
    check(&plain("a > b"), &found);
    check(&plain("a > b: circuit_breaker: {}"), &[]);
    check(&plain("a > b: circuit_breaker: none"), &found);
    assert!(words(&plain("a > b: circuit_breaker: none")).contains("switched off here"));
    check(&plain("a > b: outlier_detection: {}"), &[]);
    check(&plain("a > b: outlier_detection: none"), &found);
    check(&plain("a > b: limits: { max_requests: 10 }"), &found);
    for call in ["optional: true", "fallback: static", "protocol: message_queue"] {
        check(&plain(&format!("a > b: {call}")), &[]);
    }
    check(&plain("a > b: preset: resilience4j"), &[]);
    check(&plain("a > b: preset: envoy"), &found);
    check(
        &plain("a > b: { preset: resilience4j, circuit_breaker: none }".replace(['{', '}'], "").as_str()),
        &found,
    );
    let above = |top: &str| system(&format!("{BOUNDED}\n{top}"), "a > b");
    check(&above("mesh: { circuit_breaker: {} }"), &[]);
    check(&above("mesh: { circuit_breaker: none }"), &found);
    check(&above("mesh: { outlier_detection: {} }"), &[]);
    check(&above("upstreams: { b: { circuit_breaker: {} } }"), &[]);
    check(&above("upstreams: { b: { outlier_detection: {} } }"), &[]);
    check(&system("defaults: { call: { timeout: 1s, circuit_breaker: {} } }", "a > b"), &[]);
    // Edges without detail, and off by default.
    let lint = "lint: { rules: { missing-circuit-breaker: info, missing-fallback: info } }";
    check(&format!("{lint}\nservices: {{ a: {{ dependencies: [b] }}, b: {{}} }}"), &[]);
    check(&calls(BOUNDED, &["a > b"]), &[]);
}

#[test]
fn guards_of_missing_fallback() {
    let found = ["info missing-fallback"];
    let plain = |edge: &str| pedantic("missing-fallback", BOUNDED, edge);
    check(&plain("a > b"), &found);
    check(&plain("a > b: fallback: none"), &found);
    for call in ["optional: true", "fallback: static", "fallback: cached", "protocol: grpc, optional: true"] {
        check(&plain(&format!("a > b: {call}")), &[]);
    }
    check(&plain("a > b: optional: false"), &found);
    check(&plain("a > b: protocol: event_stream"), &[]);
    // What stands in needs no stand-in.
    let both = ["a > b: fallback: { call: c E }", "b > c: optional: true"];
    check(&calls(&format!("{BOUNDED}\nlint: {{ rules: {{ missing-fallback: info }} }}"), &both), &[]);
    check(&calls(BOUNDED, &["a > b"]), &[]);
}

#[test]
fn guards_of_breaker_opens_on_one_request() {
    let found = ["warning breaker-opens-on-one-request"];
    let system = |breaker: &str, retries: u32| {
        let backoff = "backoff: { base: 1ms }";
        let edge =
            format!("a > b: circuit_breaker: {breaker}, retry: {{ num_retries: {retries}, {backoff} }}");
        calls(BOUNDED, &[&edge])
    };
    check(&system("{ failure_threshold: 3 }", 1), &[]);
    check(&system("{ failure_threshold: 3 }", 2), &found);
    check(&system("{ failure_threshold: 2 }", 2), &found);
    check(&system("{ failure_threshold: 1 }", 0), &found);
    check(&system("none", 2), &[]);
    // Five where a breaker says nothing.
    check(&system("{}", 3), &[]);
    check(&system("{}", 4), &found);
    // A rate, and a breaker outside the retry.
    check(&system("{ failure_rate_threshold: 50% }", 4), &[]);
    check(&system("{ slow_call: { duration: 1s } }", 4), &[]);
    check(&system("{ failure_threshold: 3, counts: calls }", 2), &[]);
    check(&system("{ failure_threshold: 3, counts: attempts }", 2), &found);
    let said = words(&system("{ failure_threshold: 3 }", 2));
    assert!(said.contains("opens after 3 failures in a row") && said.contains("makes 3 attempts"), "{said}");
    // Two inherited numbers are one cause, an own one another.
    let top = "defaults: { call: { timeout: 1s, propagate_deadline: true, circuit_breaker: { failure_threshold: 2 }, retry: { num_retries: 1, backoff: { base: 1ms } } } }";
    check(&calls(top, &["a > b", "a > c", "a > d"]), &found);
    assert!(words(&calls(top, &["a > b", "a > c", "a > d"])).contains("so it is with 2 more calls"));
    check(&calls(top, &["a > b", "a > c: circuit_breaker: { failure_threshold: 1 }"]), &[found[0]; 2]);
    check(&calls(top, &["a > b: protocol: message_queue"]), &[]);
}

#[test]
fn guards_of_fallback_shares_fate() {
    let found = ["warning fallback-shares-fate"];
    let system = |edges: &[&str]| calls(BOUNDED, edges);
    let stand_in = "a > b: fallback: { call: c E }";
    check(&system(&[stand_in, "c > d", "b > e"]), &[]);
    // It needs what failed: directly, further on, or is it.
    check(&system(&[stand_in, "c > b.F"]), &found);
    check(&system(&[stand_in, "c > d", "d > b.F"]), &found);
    check(&system(&["a > b: fallback: { call: b F }", "x > b.F"]), &found);
    assert!(words(&system(&[stand_in, "c > b.F"])).contains("`c` stands in for `b` and fails with it"));
    // Both need a third.
    check(&system(&[stand_in, "b > d", "c > d"]), &found);
    assert!(
        words(&system(&[stand_in, "b > d", "c > d"]))
            .contains("`b` and what stands in for it, `c`, both fail with `d`")
    );
    // Not where one of them survives it.
    for call in ["optional: true", "fallback: static", "fallback: cached", "protocol: message_queue"] {
        check(&system(&[stand_in, "b > d", &format!("c > d: {call}")]), &[]);
        check(&system(&[stand_in, &format!("b > d: {call}"), "c > d"]), &[]);
    }
    // What the request needs anyway fails it in any case.
    check(&system(&[stand_in, "b > d", "c > d", "a > d"]), &[]);
    // Fixed answers, also as the last of several.
    check(&system(&["a > b: fallback: cached", "b > d"]), &[]);
    check(&system(&["a > b: fallback: { call: c E, fallback: static }", "c > b.F"]), &[]);
    check(&system(&["a > b: fallback: { call: c E, optional: true }", "c > b.F"]), &[]);
    // The second of two stand-ins saves it, or does not.
    let two = "a > b: fallback: { call: c E, fallback: { call: d E } }";
    check(&system(&[two, "c > b.F", "x > d"]), &[]);
    check(&system(&[two, "c > b.F", "d > b.F"]), &found);
    // Datastores.
    let store = "services: { a: { endpoints: { E: { calls: [{ call: b E, timeout: 1s, fallback: { call: c E, timeout: 1s } }] } } }, b: { endpoints: { E: { calls: [read: d] } } }, c: { endpoints: { E: { calls: [{ read: d, optional: false }] } } } }\ndatastores: { d: {} }";
    check(store, &found);
    check(&store.replace("optional: false", "optional: true"), &[]);
}

#[test]
fn guards_of_readiness_checks_dependency() {
    let system = |about: &str| {
        format!("services: {{ a: {{ {about}, dependencies: [b] }}, b: {{}} }}\ndatastores: {{ d: {{}} }}")
    };
    let found = ["info readiness-checks-dependency"];
    check(&system("health_check: { path: /up, checks: [b] }"), &found);
    check(&system("health_check: { path: /up, checks: [b, d] }"), &found);
    check(&system("health_check: { path: /up, checks: [] }"), &[]);
    check(&system("health_check: { path: /up, checks: [a] }"), &[]);
    check(&system("health_check: { path: /up }"), &[]);
    check(&system("health_check: none"), &[]);
    check(&system("health_check: { checks: [nobody] }"), &["error undefined-service"]);
}
