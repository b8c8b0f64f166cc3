//! Guards of the rules on timeouts: what a caller waits against what is spent below it.

use crate::support::{ROOT, calls, check, judged, words};

fn pair(outer: &str, inner: &str) -> String {
    calls("", &[&format!("a > b: {outer}"), &format!("b > c: {inner}")])
}

#[test]
fn guards_of_timeout_inversion() {
    let found = ["warning timeout-inversion"];
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
    // Cut by T: min(600ms, 825ms). The third attempt would begin at 575ms.
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
    // One call that waits too little is one finding, about the longest of what it waits for.
    let several = calls("", &["a > b: timeout: 1s", "b > c: timeout: 2s", "b > d: timeout: 3s"]);
    check(&several, &found);
    assert!(words(&several).contains("this call may take 3s"), "{}", words(&several));
    // What stands in is a call; so is what all endpoints of a service do.
    let stands_in = [
        "a > b: timeout: 1s",
        "b > c: timeout: 500ms, fallback: { call: d E, timeout: 2s }",
        "d > e: timeout: 1s",
    ];
    check(&calls("", &stands_in), &found);
    let whole = "services: { a: {}, b: {}, c: {} }\ncommunications:\n  - { from: a, to: b, timeout: 1s }\n";
    check(&format!("{whole}  - {{ from: b, to: c, timeout: 2s }}"), &found);
    check(&format!("{whole}  - {{ from: b, to: c, timeout: 900ms }}"), &[]);
}

#[test]
fn the_mesh_bounds_attempts() {
    let under = |mesh: &str, outer: &str, inner: &str| {
        calls(&format!("mesh: {{ {mesh} }}"), &[&format!("a > b: {outer}"), &format!("b > c: {inner}")])
    };
    let found = ["warning timeout-inversion"];
    // The proxy ends after 500ms what its caller would wait 3s for; whoever tries twice waits for more.
    let twice = "timeout: 3s, retry: { num_retries: 1, backoff: { base: 25ms } }";
    check(&under("timeout: 500ms", twice, "timeout: 3s"), &[]);
    check(&under("timeout: 500ms", twice, ""), &[]);
    check(&under("timeout: 500ms", "timeout: 3s", "timeout: 3s"), &found);
    check(&under("timeout: 500ms", "timeout: 3s", "timeout: 400ms"), &[]);
    // 2 × 500ms + 25ms against one attempt.
    check(&under("timeout: 500ms", "timeout: 3s", twice), &found);
    // Its own attempts: 2 × 400ms + 25ms, cut by 800ms.
    let own = "timeout: 800ms, retry: { num_retries: 1, per_try_timeout: 400ms, backoff: { base: 25ms } }";
    check(&under(own, "timeout: 801ms", "timeout: 799ms"), &["warning retry-at-every-layer"]);
    let both = ["warning retry-at-every-layer", "warning timeout-inversion"];
    check(&under(own, "timeout: 801ms", "timeout: 800ms"), &both);
    // One number for all calls is one cause.
    let all = calls("mesh: { timeout: 1s }", &["a > b", "b > c", "c > d"]);
    check(&all, &found);
    assert!(words(&all).contains("every call waits 1s (from the mesh at line 1)"), "{}", words(&all));
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
    let top = "defaults: { call: { retry: { per_try_timeout: 1s, backoff: { base: 25ms } } } }";
    let three = calls(top, &["a > b", "b > c: retry: { num_retries: 2 }"]);
    check(&three, &["warning timeout-inversion"]);
    let said = words(&three);
    assert!(said.contains("this call may take 3.075s: 3 attempts × 1s + 75ms back-off"), "{said}");
}

/// `web` calls `cart`, which does these things; three services are there to be called.
fn budget(top: &str, waits: &str, about: &str, steps: &str) -> String {
    format!(
        "{top}
services:
  web: {{ endpoints: {{ E: {{ calls: [{{ call: cart E, {waits} }}] }} }} }}
  cart: {{ endpoints: {{ E: {{ {about} calls: [{steps}] }} }} }}
  b: {{ endpoints: [E] }}
  c: {{ endpoints: [E] }}
  d: {{ endpoints: [E] }}
  idle: {{ endpoints: {{ E: {{ calls: [{{ call: b E, timeout: 1s }}, {{ call: c E, timeout: 1s }}, {{ call: d E, timeout: 1s }}] }} }} }}
datastores: {{ store: {{ latency: {{ p50: 1s, p99: 9s }} }} }}
queues: {{ q: {{ external_producers: true, external_consumers: true }} }}
"
    )
}

#[test]
fn guards_of_timeout_budget_exceeded() {
    let found = ["warning timeout-budget-exceeded"];
    let check_at = |limit: u32, about: &str, steps: &str| {
        check(&budget("", &format!("timeout: {limit}ms"), about, steps), &[]);
        check(&budget("", &format!("timeout: {}ms", limit - 1), about, steps), &found);
    };
    let (b, c) = ("{ call: b E, timeout: 400ms }", "{ call: c E, timeout: 600ms }");
    // One after another, and at once.
    check_at(1000, "", &format!("{b}, {c}"));
    check(&budget("", "timeout: 601ms", "", &format!("parallel: [{b}, {c}]")), &[]);
    check_at(1000, "", &format!("parallel: [{b}, {c}], {b}"));
    // Again and again; of times, not of probability.
    check_at(1200, "", "{ call: b E, timeout: 400ms, times: 3 }");
    check_at(1000, "", &format!("{{ call: b E, timeout: 400ms, probability: 1% }}, {c}"));
    // Own time: declared, listed, of a distribution (ln 100 · 10ms = 46.051702ms, in whole microseconds),
    // or the work of the script, which is part of a latency that is declared.
    check_at(1020, "latency: { p50: 5ms, p99: 20ms },", &format!("{b}, {c}"));
    check_at(1030, "latency: { quantiles: { 50%: 5ms, 99%: 30ms, 99.9%: 1s } },", &format!("{b}, {c}"));
    check_at(1047, "latency: { distribution: exponential, mean: 10ms },", &format!("{b}, {c}"));
    check_at(1007, "latency: { distribution: constant, mean: 7ms },", &format!("{b}, {c}"));
    check_at(1050, "", &format!("{b}, work: 50ms, {c}"));
    check_at(1020, "latency: { p50: 5ms, p99: 20ms },", &format!("{b}, work: 50ms, {c}"));
    // Attempts and back-off: 2 × 300ms + 25ms, and 400ms.
    let tries = "{ call: c E, retry: { num_retries: 1, per_try_timeout: 300ms, backoff: { base: 25ms } } }";
    check_at(1025, "", &format!("{b}, {tries}"));
    // What stands in comes after what failed.
    check_at(
        1400,
        "",
        &format!("{b}, {{ call: c E, timeout: 600ms, fallback: {{ call: d E, timeout: 400ms }} }}"),
    );
    // Data, messages and what is optional: only the last is waited for as long.
    check_at(
        1000,
        "",
        &format!("{b}, read: store, publish: q, {{ call: c E, timeout: 600ms, optional: true }}"),
    );
    check(
        &budget(
            "",
            "timeout: 999ms",
            "",
            &format!("{b}, {{ call: c E, timeout: 600ms, protocol: message_queue }}"),
        ),
        &[],
    );
    // A deadline that is carried on ends what is below it.
    check(&budget("", "timeout: 900ms, propagate_deadline: true", "", &format!("{b}, {c}")), &[]);
    let carried = "{ call: b E, timeout: 400ms, propagate_deadline: true }";
    check(&budget("", "timeout: 900ms", "", &format!("{carried}, {c}")), &[]);
    // One cause, one finding: a single call that takes as long, or own work that does.
    check(&budget("", "timeout: 600ms", "", &format!("{b}, {c}")), &["warning timeout-inversion"]);
    let slow = "latency: { p50: 700ms, p99: 800ms },";
    check(&budget("", "timeout: 700ms", slow, &format!("{b}, {c}")), &["warning timeout-below-latency"]);
    // What nothing bounds is not known: what is known may be too much already.
    let endless = format!("{b}, {c}, {{ call: d E }}");
    check(&budget("", "timeout: 2s", "", &endless), &["warning missing-timeout"]);
    check(
        &budget("", "timeout: 900ms", "", &endless),
        &["warning missing-timeout", "warning timeout-budget-exceeded"],
    );
    // Numbers that nobody chose for these calls: less certain.
    let info = ["info timeout-budget-exceeded"];
    let defaults = "defaults: { call: { timeout: 600ms } }";
    check(&budget(defaults, "timeout: 900ms", "", &format!("{b}, {{ call: c E }}")), &info);
    let defaults = "defaults: { service: { latency: { p50: 1ms, p99: 20ms } } }";
    check(&budget(defaults, "timeout: 1010ms", "", &format!("{b}, {c}")), &info);
}

#[test]
fn budgets_are_proven_and_something_else_is_proposed() {
    let latency = "latency: { p50: 5ms, p99: 20ms },";
    let said = words(&budget(
        "",
        "timeout: 2s",
        latency,
        "{ call: b E, timeout: 500ms, times: 3 }, { call: c E, timeout: 800ms }",
    ));
    assert!(said.contains("one after another: 20ms + 3 × 500ms + 800ms = 2.32s"), "{said}");
    assert!(said.contains("consistent along the path: web → cart 2.4s, cart → b 500ms"), "{said}");
    // Up to the caller that waits long enough; down as long as timeouts are too short.
    let chain = ["a > b: timeout: 9s", "b > c: timeout: 1s", "c > d: timeout: 2s", "d > e: timeout: 1s"];
    let said = words(&calls("", &chain));
    assert!(said.lines().any(|l| l == "consistent along the path: b → c 2.1s, c → d 2s"), "{said}");
    let said = words(&calls("defaults: { call: { timeout: 1s } }", &["a > b", "b > c", "c > d", "d > e"]));
    assert!(
        said.contains("consistent along the path: a → b 1.3s, b → c 1.2s, c → d 1.1s, d → e 1s"),
        "{said}"
    );
    // Nothing can be promised around a call that waits for ever.
    let open = calls("", &["a > b: timeout: 1s", "b > c: timeout: 2s", "b > d: optional: true"]);
    let (findings, _) = crate::support::judged(&vec![("loadpath.yaml".to_owned(), open.into_bytes())]);
    let inversion = findings.iter().find(|f| f.rule.id == "timeout-inversion").unwrap();
    assert!(inversion.help.iter().all(|h| !h.starts_with("consistent")), "{:?}", inversion.help);
}

#[test]
fn guards_of_timeout_below_latency() {
    let found = ["warning timeout-below-latency"];
    let system = |top: &str, call: &str, latency: &str| {
        calls(top, &[&format!("a > b: {call}")]).replacen(
            "  b:\n",
            &format!("  b:\n    latency: {{ {latency} }}\n"),
            1,
        )
    };
    let p99 = "p50: 10ms, p99: 80ms";
    check(&system("", "timeout: 80ms", p99), &[]);
    check(&system("", "timeout: 79ms", p99), &found);
    check(&system("", "timeout: 79ms", "quantiles: { 50%: 10ms, 99%: 80ms }"), &found);
    check(&system("", "timeout: 80ms", "quantiles: { 50%: 10ms, 99%: 80ms }"), &[]);
    // ln 100 · 20ms = 92.1ms.
    check(&system("", "timeout: 92ms", "distribution: exponential, mean: 20ms"), &found);
    check(&system("", "timeout: 93ms", "distribution: exponential, mean: 20ms"), &[]);
    // One attempt counts, not all of them.
    let tries = |p: &str| {
        format!("timeout: 1s, retry: {{ num_retries: 1, per_try_timeout: {p}, backoff: {{ base: 5ms }} }}")
    };
    check(&system("", &tries("79ms"), p99), &found);
    check(&system("", &tries("80ms"), p99), &[]);
    check(&system("mesh: { timeout: 70ms }", "timeout: 1s", p99), &found);
    check(&system("", "timeout: 79ms, hedging: { delay: 20ms, max_attempts: 2 }", p99), &[]);
    check(&system("", "timeout: 79ms, protocol: message_queue", p99), &[]);
    check(&calls("", &["a > b: timeout: 1ms"]), &[]);
    // Of an endpoint that says more, that counts.
    let own = system("", "timeout: 79ms", p99).replace("calls: [] }", "latency: { p50: 1ms, p99: 5ms } }");
    check(&own, &[]);
    // One inherited number against one latency is one cause.
    let many = calls("defaults: { call: { timeout: 79ms } }", &["a > d", "b > d", "c > d"]);
    let many = many.replacen("  d:\n", "  d:\n    latency: { p50: 10ms, p99: 80ms }\n", 1);
    check(&many, &found);
    assert!(words(&many).contains("so do 2 more calls that inherit it"), "{}", words(&many));
}

#[test]
fn guards_of_ack_shorter_than_work() {
    let found = ["warning ack-shorter-than-work"];
    let system = |queue: &str, handler: &str| {
        format!(
            "services:
  a: {{ consumes: {{ q: {{ {handler} }} }} }}
  b: {{ endpoints: [E] }}
  c: {{ endpoints: {{ E: {{ calls: [{{ call: b E, timeout: 1s }}] }} }} }}
queues: {{ q: {{ external_producers: true, max_deliveries: 3, dead_letter: dead, {queue} }}, dead: {{}} }}
"
        )
    };
    // 200ms + 2 × 400ms = 1s.
    let work = "latency: { p50: 10ms, p99: 200ms }, calls: [{ call: b E, timeout: 400ms, times: 2 }]";
    check(&system("visibility_timeout: 999ms", work), &found);
    check(&system("visibility_timeout: 1s", work), &[]);
    check(&system("", work), &[]);
    let said = words(&system("visibility_timeout: 999ms", work));
    assert!(said.contains("one after another: 200ms + 2 × 400ms = 1s"), "{said}");
    // What nothing bounds is not known; what is known may be too much already.
    let open = "calls: [{ call: b E }]";
    check(&system("visibility_timeout: 1s", open), &["warning missing-timeout"]);
    check(&system("visibility_timeout: 1s", ""), &[]);
}

#[test]
fn a_sum_says_what_cuts_it() {
    let inner = "retry: { num_retries: 1, per_try_timeout: 1500ms, backoff: { base: 25ms } }";
    let told = |timeout: &str| words(&pair("timeout: 1s", &format!("timeout: {timeout}, {inner}")));
    let sum = "2 attempts × 1.5s + 25ms back-off";
    assert!(told("2s").contains(&format!("but this call may take 2s: {sum}, cut by its timeout of 2s")));
    let whole = told("4s");
    assert!(whole.contains(&format!("but this call may take 3.025s: {sum}\n")), "{whole}");
}

#[test]
fn of_many_parts_the_first_are_pointed_at() {
    let mut edges = vec!["a > b: timeout: 5s".to_owned()];
    edges.extend((0..10).map(|i| format!("b > c{i}: timeout: 1s")));
    let top = "lint: { rules: { high-fan-out: allow } }";
    let text = calls(top, &edges.iter().map(String::as_str).collect::<Vec<_>>());
    let (findings, _) = judged(&vec![(ROOT.to_owned(), text.into_bytes())]);
    let [finding] = &findings[..] else { panic!("{} findings", findings.len()) };
    assert_eq!(finding.rule.id, "timeout-budget-exceeded");
    assert_eq!((finding.secondary.len(), finding.path.len()), (8, 11));
    let eight = ["1s"; 8].join(" + ");
    assert_eq!(finding.notes, [format!("one after another: {eight} + … (2 more) = 10s")]);
}

#[test]
fn of_a_long_path_the_middle_is_proposed() {
    // Each would have to wait 100ms longer than the next.
    let edges: Vec<_> = (0..12).map(|i| format!("s{i} > s{}: timeout: 1s", i + 1)).collect();
    let text = calls("", &edges.iter().map(String::as_str).collect::<Vec<_>>());
    let (findings, _) = judged(&vec![(ROOT.to_owned(), text.into_bytes())]);
    let middle = findings.iter().find(|f| f.path.first().is_some_and(|hop| hop.from == "s6")).unwrap();
    let six: Vec<_> = (3..9).map(|i| format!("s{i} → s{} 1.{}s", i + 1, 11 - i)).collect();
    let proposal = format!("consistent along the path: {}, and so on", six.join(", "));
    assert!(middle.help.contains(&proposal), "{:?}", middle.help);
}
