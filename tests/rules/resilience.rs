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
