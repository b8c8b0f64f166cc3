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
}

#[test]
fn guards_of_breaker_never_opens() {
    let found = ["warning breaker-never-opens"];
    let of = |breaker: &str, web: &str, traffic: &str| {
        format!(
            "services:\n  web: {{ {web}, endpoints: {{ E: {{ calls: [{{ call: cart E, timeout: 1s, circuit_breaker: {{ {breaker} }} }}] }} }} }}\n  \
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
    let tries =
        of(&rate(40), two, "rate: 4/s").replace("timeout: 1s", "timeout: 1s, retry: { num_retries: 1 }");
    check(&tries, &[]);
    check(&tries.replace("minimum_calls: 40", "minimum_calls: 41"), &found);
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
    check(&of("failure_threshold: 5, minimum_calls: 99, window: { duration: 10s }", two, "rate: 4/s"), &[]);
    check(&of("failure_rate_threshold: 50%, window: { duration: 10s }", two, "rate: 4/s"), &[]);
    // More may come than is said: another entry, a dependency without detail.
    let more = |service: &str| {
        of(&rate(99), two, "rate: 4/s").replace("services:\n", &format!("services:\n  x: {{ {service} }}\n"))
    };
    check(&more("endpoints: { E: { calls: [{ call: web E, timeout: 2s }] } }"), &[]);
    check(&more("dependencies: [web]"), &[]);
    check(&of(&rate(99), two, "rate: 4/s").replace("web E, rate", "cart E, rate"), &[]);
}
