//! Guards of the rules of `structure`.

use crate::support::{BOUNDED, calls, check, words};

#[test]
fn guards_of_request_loop() {
    let found = ["error request-loop"];
    check(&calls(BOUNDED, &["a > b", "b > a"]), &found);
    check(&calls(BOUNDED, &["a > a"]), &found);
    // One finding for each group, however many loops are in it.
    check(&calls(BOUNDED, &["a > b", "b > a", "b > c", "c > b", "c > a"]), &found);
    check(&calls(BOUNDED, &["a > b", "b > a", "c > d", "d > c"]), &["error request-loop"; 2]);
    // What does not wait does not loop.
    check(&calls(BOUNDED, &["a > b", "b > a: protocol: message_queue"]), &["info event-cycle"]);
    // A fallback is a call.
    check(&calls(BOUNDED, &["a > b", "b > c: fallback: { call: a E }", "c > d"]), &found);
    // An end is certain for loops through the endpoint that says so, not for others beside them.
    let bounded = |edges: &[&str]| calls(BOUNDED, edges).replacen("E: {", "E: { max_recursion: 3,", 1);
    check(&bounded(&["a > b", "b > a"]), &[]);
    check(&bounded(&["a > a"]), &[]);
    check(&bounded(&["a > b", "b > a", "b > c", "c > b"]), &found);
}

#[test]
fn what_a_circle_says() {
    let two = words(&calls(BOUNDED, &["a > b", "b.F > a.F"]));
    assert!(two.contains("`a` and `b` depend on each other") && !two.contains("the whole group"), "{two}");
    // a ⇄ b is the shortest of a group of three that no single cut dissolves.
    let three = words(&calls(BOUNDED, &["a > b", "b.F > a.F", "b > c", "c.F > b.G"]));
    assert!(three.contains("3 services depend on each other in a circle"), "{three}");
    assert!(three.contains("the whole group: a, b, c"), "{three}");
    let cut = "the smallest cut is `a → b`, `b → c`: remove them, or make them asynchronous";
    assert!(three.contains(cut), "{three}");
    let all = words(&calls(BOUNDED, &["a > b", "b > c", "c > a.F"]));
    assert!(all.contains("3 services depend on each other in a circle"), "{all}");
    assert!(!all.contains("the whole group"), "{all}");
    assert!(all.contains("the smallest cut is `a → b`: remove it, or make it asynchronous"), "{all}");
    // Of many the first eight are named.
    let edges: Vec<_> = (1..10).flat_map(|i| [format!("a > s{i}"), format!("s{i}.F > a.F{i}")]).collect();
    let top = format!("{BOUNDED}\nlint: {{ rules: {{ high-fan-out: allow }} }}");
    let many = words(&calls(&top, &edges.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(many.contains("the whole group: a, s1, s2, s3, s4, s5, s6, s7 and 2 more"), "{many}");
}

#[test]
fn guards_of_cyclic_dependency() {
    let found = ["warning cyclic-dependency"];
    check(&calls(BOUNDED, &["a > b", "b.F > a.F"]), &found);
    check(&calls(BOUNDED, &["a > a.F"]), &found);
    // One finding for each group, however many circles are in it.
    check(&calls(BOUNDED, &["a > b", "b.F > a.F", "b > c", "c.F > b.G", "c.G > a.G"]), &found);
    check(&calls(BOUNDED, &["a > b", "b.F > a.F", "c > d", "d.F > c.F"]), &["warning cyclic-dependency"; 2]);
    // A loop of endpoints in the group is the cause, bounded or not.
    check(&calls(BOUNDED, &["a > b", "b > a", "b.F > c", "c.F > b.F"]), &["error request-loop"]);
    let bounded = calls(BOUNDED, &["a > b", "b > a"]).replacen("E: {", "E: { max_recursion: 3,", 1);
    check(&bounded, &[]);
    // What does not wait breaks the circle.
    check(&calls(BOUNDED, &["a > b", "b.F > a.F: protocol: event_stream"]), &[]);
    check(
        "services: { a: { dependencies: [b], consumes: { q: {} } },
          b: { endpoints: { E: { calls: [publish: q] } } } }\nqueues: { q: {} }",
        &[],
    );
    // Edges without endpoints.
    check(
        "services: { a: { dependencies: [b] }, b: { dependencies: [c] }, c: { dependencies: [a] } }",
        &found,
    );
    // One connection breaks both circles; it is named.
    let said = words(&calls(BOUNDED, &["a > b", "b.F > c", "c.F > a.F", "c.G > a.G"]));
    assert!(said.contains("the smallest cut is `a → b`: remove it"), "{said}");
}

/// A service that calls `n` others, with more about it and them.
fn fan(n: usize, about: &str, callee: &str, top: &str) -> String {
    let names: Vec<_> = (0..n).map(|i| format!("s{i}")).collect();
    let services = names.iter().map(|s| format!("  {s}: {{ {callee} }}\n")).collect::<Vec<_>>().concat();
    let list = names.join(", ");
    format!("{top}\nservices:\n{services}  hub: {{ {about} dependencies: [{list}] }}\n")
}

#[test]
fn guards_of_high_fan_out() {
    let found = ["warning high-fan-out"];
    check(&fan(8, "", "", ""), &[]);
    check(&fan(9, "", "", ""), &found);
    check(&fan(9, "", "external: true", ""), &found);
    check(&fan(9, "kind: gateway,", "", ""), &[]);
    check(&fan(9, "kind: bff,", "", ""), &[]);
    check(&fan(9, "kind: job,", "", ""), &found);
    check(&fan(3, "", "", "lint: { rules: { high-fan-out: { max: 2 } } }"), &found);
    check(&fan(2, "", "", "lint: { rules: { high-fan-out: { max: 2 } } }"), &[]);
    check(
        &fan(3, "", "", "lint: { rules: { high-fan-out: { level: error, max: 2 } } }"),
        &["error high-fan-out"],
    );
    check(&fan(9, "", "", "lint: { rules: { high-fan-out: allow } }"), &[]);
    // Datastores are no services; a service counts once.
    let stores = (0..9).map(|i| format!("  s{i}: {{ kind: redis }}\n")).collect::<Vec<_>>().concat();
    let list = (0..9).map(|i| format!("read: s{i}")).collect::<Vec<_>>().join(", ");
    check(
        &format!(
            "services: {{ hub: {{ endpoints: {{ E: {{ calls: [{list}] }} }} }} }}\ndatastores:\n{stores}"
        ),
        &[],
    );
    check(&calls(BOUNDED, &(0..9).map(|_| "hub > a").collect::<Vec<_>>()), &[]);
}

#[test]
fn guards_of_high_fan_in() {
    let system = |n: usize, lint: &str, about: &str| {
        let callers =
            (0..n).map(|i| format!("  s{i}: {{ dependencies: [hub] }}\n")).collect::<Vec<_>>().concat();
        format!("lint: {{ rules: {{ high-fan-in: {lint} }} }}\nservices:\n{callers}  hub: {{ {about} }}\n")
    };
    check(&system(9, "info", ""), &["info high-fan-in"]);
    check(&system(9, "warning", ""), &["warning high-fan-in"]);
    check(&system(8, "info", ""), &[]);
    check(&system(3, "{ level: info, max: 2 }", ""), &["info high-fan-in"]);
    check(&system(9, "info", "tags: [platform]"), &[]);
    // Queues are no callers.
    let fed = |n| system(n, "info", "consumes: { q: {} }") + "queues: { q: { external_producers: true } }\n";
    check(&fed(8), &[]);
    check(&fed(9), &["info high-fan-in"]);
    check(&system(9, "info", "external: true"), &[]);
    // Pedantic: a threshold alone does not switch it on.
    check(&system(9, "{ max: 2 }", ""), &[]);
    check(&system(9, "allow", ""), &[]);
}

#[test]
fn guards_of_orphan_service() {
    let system = |about: &str, more: &str| {
        format!("services:\n  a: {{ dependencies: [b] }}\n  b: {{}}\n  c: {{ {about} }}\n{more}")
    };
    check(&system("", ""), &["warning orphan-service"]);
    check(&system("endpoints: [E]", ""), &["warning orphan-service"]);
    check(&system("kind: job", ""), &[]);
    check(&system("kind: cron", ""), &[]);
    check(&system("kind: gateway", ""), &["warning orphan-service"]);
    check(&system("dependencies: [d]", "datastores: { d: {} }"), &[]);
    check(&system("consumes: { q: {} }", "queues: { q: { external_producers: true } }"), &[]);
    check(&system("endpoints: [E]", "traffic: [{ to: c E, rate: 1/s }]"), &[]);
    let scenario = "scenarios: { peak: { traffic: [{ to: c E, rate: 1/s }] } }";
    check(&system("endpoints: [E]", scenario), &[]);
    check("services: { a: {} }", &[]);
    check("services: { a: {}, b: {} }", &["warning orphan-service"; 2]);
}

#[test]
fn guards_of_deep_call_chain() {
    let found = ["warning deep-call-chain"];
    let chain = |n: usize| (0..n).map(|i| format!("s{i} > s{}", i + 1)).collect::<Vec<_>>();
    let system = |edges: &[String], top: &str| {
        calls(&format!("{BOUNDED}\n{top}"), &edges.iter().map(String::as_str).collect::<Vec<_>>())
    };
    check(&system(&chain(5), ""), &[]);
    check(&system(&chain(6), ""), &found);
    check(&system(&chain(3), "lint: { rules: { deep-call-chain: { max: 2 } } }"), &found);
    check(&system(&chain(6), "lint: { rules: { deep-call-chain: { max: 6 } } }"), &[]);
    let said = words(&system(&chain(6), ""));
    assert!(said.contains("a request to `s0 E` waits for 6 calls in a row, more than 5"), "{said}");
    assert!(said.contains("s0 → s1 → s2 → s3 → s4 → s5 → s6"), "{said}");
    // A gateway passes on, at the start and on the way.
    let gateway = |at: usize| {
        system(&chain(6), "").replacen(&format!("  s{at}:\n"), &format!("  s{at}:\n    kind: gateway\n"), 1)
    };
    check(&gateway(0), &[]);
    check(&gateway(3), &[]);
    check(&gateway(6), &found);
    // Entries that lead to the same end are one finding; another end is another.
    let more = |extra: &[&str]| [chain(6), extra.iter().map(|e| (*e).to_owned()).collect()].concat();
    check(&system(&more(&["t > s0", "u > s0"]), ""), &found);
    check(&system(&more(&["s5 > t", "u > s0", "u > v", "v > s2"]), ""), &found);
    check(
        &system(&more(&["t0 > t1", "t1 > t2", "t2 > t3", "t3 > t4", "t4 > t5", "t5 > t6"]), ""),
        &["warning deep-call-chain"; 2],
    );
    // What does not wait, what another endpoint does, and loops.
    let without = |at: usize, with: &str| {
        let mut edges = chain(6);
        edges[at] = with.to_owned();
        edges
    };
    check(&system(&without(3, "s3 > s4: protocol: message_queue"), ""), &[]);
    check(&system(&without(3, "s3.F > s4"), ""), &[]);
    check(&system(&more(&["s6 > s0"]), ""), &["error request-loop"]);
    // Services without endpoints.
    let plain =
        (0..6).map(|i| format!("  s{i}: {{ dependencies: [s{}] }}\n", i + 1)).collect::<Vec<_>>().concat();
    check(&format!("services:\n{plain}  s6: {{}}\n"), &found);
}
