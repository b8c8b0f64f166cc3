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
    check(&calls("", &["a > b: retry: { per_try_timeout: 1s }"]), &[]);
    check(&calls("", &["a > b: retry: { num_retries: 1, backoff: { base: 25ms } }"]), &found);
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
    let said = words(&system(&[two, "c > b.F", "d > b.F"]));
    assert!(said.contains("and so does what stands in for the fallback"), "{said}");
    assert!(!words(&system(&[stand_in, "c > b.F"])).contains("stands in for the fallback"));
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

#[test]
fn guards_of_breaker_never_opens() {
    let found = ["warning breaker-never-opens"];
    let of = |breaker: &str, web: &str, traffic: &str| {
        format!(
            "lint: {{ rules: {{ single-point-of-failure: allow }} }}\nservices:\n  web: {{ {web}, endpoints: {{ E: {{ calls: [{{ call: cart E, timeout: 1s, circuit_breaker: {{ {breaker} }} }}] }} }} }}\n  \
             cart: {{ endpoints: [E] }}\ntraffic: [{{ to: web E, {traffic} }}]\n"
        )
    };
    let rate = |minimum: u32| {
        format!("failure_rate_threshold: 50%, minimum_calls: {minimum}, window: {{ duration: 10s }}")
    };
    // 4/s over 2 replicas are 20 calls in 10 s.
    let two = "replicas: 2";
    check(&of(&rate(20), two, "rate: 4/s"), &[]);
    check(&of(&rate(21), two, "rate: 4/s"), &found);
    check(&of(&rate(21), two, "rate: 4/s, peak: 5/s"), &[]);
    check(&of(&rate(21), two, "rate: [{ at: 0s, value: 5/s }, { at: 1m, value: 4/s }]"), &[]);
    check(&of(&rate(40), "kind: bff", "rate: 4/s"), &[]);
    check(&of(&rate(41), "kind: bff", "rate: 4/s"), &found);
    check(&of(&rate(21), "replicas: 2, autoscaling: { min: 1, max: 2 }", "rate: 4/s"), &[]);
    check(&of(&rate(41), "replicas: 2, autoscaling: { max: 2 }", "rate: 4/s"), &found);
    // A failing call is tried again, and seen each time.
    let tries = of(&rate(40), two, "rate: 4/s")
        .replace("timeout: 1s", "timeout: 1s, retry: { num_retries: 1, backoff: { base: 25ms } }");
    check(&tries, &[]);
    check(&tries.replace("minimum_calls: 40", "minimum_calls: 41"), &found);
    // So are those of its callers, while it fails: twice 20 calls.
    let above = |minimum: u32| {
        let retry = "timeout: 3s, retry: { num_retries: 1, backoff: { base: 25ms } }";
        of(&rate(minimum), two, "rate: 4/s").replace("to: web E", "to: top E").replace(
            "services:\n",
            &format!(
                "services:\n  top: {{ endpoints: {{ E: {{ calls: [{{ call: web E, {retry} }}] }} }} }}\n"
            ),
        )
    };
    check(&above(40), &[]);
    check(&above(41), &found);
    // Users may add 1/s.
    let users = of(&rate(25), two, "rate: 4/s") + "  - { to: web E, users: 1, think_time: 1s }\n";
    let users =
        users.replace("traffic: [{ to: web E, rate: 4/s }]", "traffic:\n  - { to: web E, rate: 4/s }");
    check(&users, &[]);
    check(&users.replace("minimum_calls: 25", "minimum_calls: 26"), &found);
    check(&users.replace("think_time: 1s", "clients: 1").replace("25", "99"), &[]);
    // Windows of calls, failures in a row, and what is not said need no rate.
    check(
        &of("failure_rate_threshold: 50%, minimum_calls: 99, window: { calls: 100 }", two, "rate: 4/s"),
        &[],
    );
    check(&of("failure_threshold: 5", two, "rate: 4/s"), &[]);
    check(&of("failure_rate_threshold: 50%, window: { duration: 10s }", two, "rate: 4/s"), &[]);
    // More may come than is said: another entry, a dependency without detail.
    let more = |service: &str| {
        of(&rate(99), two, "rate: 4/s").replace("services:\n", &format!("services:\n  x: {{ {service} }}\n"))
    };
    check(&more("endpoints: { E: { calls: [{ call: web E, timeout: 2s }] } }"), &[]);
    check(&more("dependencies: [web]"), &[]);
    check(&of(&rate(99), two, "rate: 4/s").replace("web E, rate", "cart E, rate"), &[]);
}
