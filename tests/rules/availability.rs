//! Guards of the rules of `availability`.

use crate::support::{BOUNDED, ROOT, calls, check, judged, words};

#[test]
fn guards_of_stopped_dependency() {
    let stopped = |edges: &[&str], id: &str| {
        calls(BOUNDED, edges).replacen(&format!("  {id}:\n"), &format!("  {id}:\n    status: stopped\n"), 1)
    };
    let (warning, error) = (["warning stopped-dependency"], ["error stopped-dependency"]);
    check(&stopped(&["a > b"], "b"), &error);
    check(&stopped(&["a > b"], "a"), &[]);
    check(&stopped(&["a > b: optional: true"], "b"), &warning);
    check(&stopped(&["a > b: optional: false"], "b"), &error);
    check(&stopped(&["a > b: fallback: static"], "b"), &warning);
    check(&stopped(&["a > b: fallback: none"], "b"), &error);
    // One finding for one service; one hard call is enough.
    check(&stopped(&["a > b: optional: true", "c > b: fallback: cached"], "b"), &warning);
    check(&stopped(&["a > b: optional: true", "c > b"], "b"), &error);
    check(&stopped(&["a > b: protocol: message_queue"], "b"), &[]);
    check("services: { a: { dependencies: [b] }, b: { status: stopped } }", &error);
    check("services: { a: { dependencies: [b] }, b: { status: starting } }", &[]);
    // What stands in is called only when another has failed.
    check(&stopped(&["a > c: fallback: { call: b E }", "d > b: optional: true"], "b"), &warning);
}

#[test]
fn guards_of_unhealthy_dependency() {
    let unhealthy = |edges: &[&str], id: &str| {
        let status = format!("  {id}:\n    status: unhealthy\n");
        calls(BOUNDED, edges).replacen(&format!("  {id}:\n"), &status, 1)
    };
    let (info, warning) = (["info unhealthy-dependency"], ["warning unhealthy-dependency"]);
    check(&unhealthy(&["a > b"], "b"), &warning);
    check(&unhealthy(&["a > b"], "a"), &[]);
    check(&unhealthy(&["a > b: optional: true"], "b"), &info);
    check(&unhealthy(&["a > b: fallback: static"], "b"), &info);
    check(&unhealthy(&["a > b: fallback: none"], "b"), &warning);
    check(&unhealthy(&["a > b: optional: true", "c > b"], "b"), &warning);
    check(&unhealthy(&["a > b: protocol: message_queue"], "b"), &[]);
    check("services: { a: { dependencies: [b] }, b: { status: unhealthy } }", &warning);
}

/// `a` promises 99.9% and calls as is said; what else is said of services and datastores.
fn promise(calls: &str, others: &str) -> String {
    let a = format!("a: {{ slo: {{ availability: 99.9% }}, endpoints: {{ E: {{ calls: [{calls}] }} }} }}");
    format!("{BOUNDED}\nlint: {{ rules: {{ slo-extra-nine: allow }} }}\nservices:\n  {a}\n{others}\n")
}

#[test]
fn guards_of_slo_unachievable() {
    let error = ["error slo-unachievable"];
    let slo =
        |id: &str, number: &str| format!("  {id}: {{ slo: {{ availability: {number} }}, endpoints: [E] }}\n");
    // One direct dependency: as good as the promise will do.
    check(&promise("call: b E", &slo("b", "99.9%")), &[]);
    check(&promise("call: b E", &slo("b", "99.89%")), &error);
    // Two: 99.95% × 99.95% = 99.900025%, 99.95% × 99.94% = 99.89003%.
    let two = |b, c| promise("call: b E, call: c E", &format!("{}{}", slo("b", b), slo("c", c)));
    check(&two("99.95%", "99.95%"), &[]);
    check(&two("99.95%", "99.94%"), &error);
    let said = words(&two("99.95%", "99.94%"));
    assert!(said.contains("`a` promises 99.9% and can reach 99.89% at the most"), "{said}");
    assert!(said.contains("99.95% × 99.94% = 99.89%"), "{said}");
    assert!(said.contains("an upper bound: nothing is said of `a`"), "{said}");
    assert!(said.contains("make `c` better"), "{said}");
    // The same called twice counts once; what is behind a promise is inside it.
    check(&promise("call: b E, call: b E", &slo("b", "99.95%")), &[]);
    let behind = |b: &str, c: &str| {
        let b = format!("  b: {{ {b}, endpoints: {{ E: {{ calls: [call: c E] }} }} }}\n");
        promise("call: b E", &format!("{b}  c: {{ {c}, endpoints: [E] }}\n"))
    };
    let (good, bad) = ("slo: { availability: 99.95% }", "slo: { availability: 99.5% }");
    check(&behind(good, "slo: { availability: 99.96% }"), &[]);
    check(&behind(good, good), &[]);
    // But where the one between says nothing, what it needs is known.
    check(&behind("tags: [x]", bad), &error);
    // Intrinsic numbers: the whole closure, each node once. 99.95% twice is 99.900025%, three times 99.85%.
    let own = "availability: 99.95%";
    check(&behind(own, own), &[]);
    let a = |text: String| text.replacen("a: { slo", "a: { availability: 99.95%, slo", 1);
    check(&a(behind(own, own)), &error);
    check(&a(promise("call: b E, call: b E", "  b: { availability: 99.95%, endpoints: [E] }")), &[]);
    // A diamond: the datastore at the end is one factor of three, 99.95% each with two silent services.
    let diamond =
        "  b: { endpoints: { E: { calls: [read: d] } } }\n  c: { endpoints: { E: { calls: [write: d] } } }\n";
    let diamond = |number: &str| {
        promise(
            "call: b E, call: c E",
            &format!("{diamond}datastores: {{ d: {{ availability: {number} }} }}"),
        )
    };
    check(&diamond("99.9%"), &[]);
    check(&diamond("99.8%"), &error);
    // Both are said of one: its promise as an interface, its own number in the closure; the lower product
    // counts. 99.99% at the interface, but 99.95% × 99.9% inside.
    let both = behind("slo: { availability: 99.99% }, availability: 99.95%", "availability: 99.9%");
    check(&both, &[error[0]; 2]);
    // Only its own number is against it.
    check(&a(promise("call: b E", "  b: { endpoints: [E] }")).replace("99.95%", "99.5%"), &error);
    check(&a(promise("call: b E", "  b: { endpoints: [E] }")), &[]);
}

#[test]
fn a_promise_covers_its_own_calls() {
    let error = ["error slo-unachievable"];
    let weak = "  b: { slo: { availability: 99% }, endpoints: [E, F] }\n";
    // Soft and asynchronous calls.
    for call in ["optional: true", "fallback: static", "fallback: cached", "protocol: message_queue"] {
        check(&promise(&format!("{{ call: b E, {call} }}"), weak), &[]);
    }
    check(&promise("{ call: b E, fallback: none }", weak), &error);
    // 1 − 5% × 1% = 99.95%, 1 − 20% × 1% = 99.8%; the larger part counts where there are two.
    let sometimes = |p: &str| format!("{{ call: b E, probability: {p} }}");
    check(&promise(&sometimes("5%"), weak), &[]);
    check(&promise(&sometimes("20%"), weak), &error);
    check(&promise(&format!("{}, {}", sometimes("5%"), sometimes("20%")), weak), &error);
    let said = words(&promise(&sometimes("20%"), weak));
    assert!(said.contains("1 − 20% × (1 − 99%) = 99.8%"), "{said}");
    assert!(said.contains("`b` promises 99%, needed in 20% of the requests\n"), "{said}");
    assert!(words(&promise("call: b E", weak)).contains("`b` promises 99%\n"));
    // The promise of an endpoint covers what that one calls; that of a service is held against its best one,
    // other than the one that its health check asks.
    let of = |e: &str, f: &str, about: &str| {
        let endpoints = format!("E: {{ {e} }}, F: {{ {f} }}, GET /up: {{}}");
        format!("{BOUNDED}\nservices:\n  a: {{ {about}, endpoints: {{ {endpoints} }} }}\n{weak}")
    };
    let (slo, call) = ("slo: { availability: 99.9% }", "calls: [call: b E]");
    let up = "health_check: { path: /up }";
    check(&of(&format!("{slo}, {call}"), "", up), &error);
    check(&of(slo, call, up), &[]);
    check(&of(call, "", &format!("{slo}, {up}")), &[]);
    let equal = of(call, call, &format!("{slo}, {up}"));
    check(&equal, &error);
    assert!(words(&equal).contains("of its endpoints `a E` can reach most"), "the first of equals");
    check(&of(call, call, slo), &[]);
    // Endpoint and service break by the same cause.
    check(&of(&format!("{slo}, {call}"), call, &format!("{slo}, {up}")), &error);
    // Of two promises of one service the lower one counts, in either order.
    let endpoint = |slo: &str| format!("{{ slo: {{ availability: {slo} }} }}");
    let both = |e: &str, f: &str| {
        let b = format!("  b: {{ endpoints: {{ E: {}, F: {} }} }}", endpoint(e), endpoint(f));
        promise("call: b E, call: b F", &b)
    };
    check(&both("99.99%", "99.95%"), &[]);
    check(&both("99.99%", "99%"), &error);
    check(&both("99%", "99.99%"), &error);
    assert!(words(&both("99.99%", "99%")).contains("99% = 99%"), "once");
    // The endpoint that is called counts, before its service.
    let b = |numbers: &str| promise("call: b E", &format!("  b: {{ {numbers} }}"));
    check(&b("slo: { availability: 99% }, endpoints: { E: { slo: { availability: 99.99% } } }"), &[]);
    check(&b("slo: { availability: 99.99% }, endpoints: { E: { slo: { availability: 99% } } }"), &error);
    // Someone else's promise counts, and is not judged.
    check(&promise("call: b E", &weak.replace("slo", "external: true, slo")), &error);
    check(
        &promise(
            "call: b E",
            "  b: { external: true, slo: { availability: 99.99% }, availability: 90%, endpoints: [E] }",
        ),
        &error,
    );
    check("services: { b: { external: true, slo: { availability: 99% }, availability: 90% } }", &[]);
    // Nothing known is nothing said.
    check(&promise("call: b E", "  b: { endpoints: [E] }"), &[]);
    // Services without endpoints.
    let bare = |b: &str| format!("services:\n  a: {{ {slo}, dependencies: [b] }}\n  b: {{ {b} }}");
    check(&bare("slo: { availability: 99% }"), &error);
    check(&bare("availability: 99.99%"), &[]);
}

#[test]
fn guards_of_slo_extra_nine() {
    let info = ["info slo-extra-nine"];
    let of = |calls: &str, others: &str| {
        promise(calls, others).replace("slo-extra-nine: allow", "slo-extra-nine: info")
    };
    let b = |number: &str| format!("  b: {{ slo: {{ availability: {number} }}, endpoints: [E] }}");
    check(&of("call: b E", &b("99.99%")), &[]);
    check(&of("call: b E", &b("99.98%")), &info);
    check(&of("{ call: b E, probability: 50% }", &b("99.98%")), &[]);
    check(&of("{ call: b E, optional: true }", &b("99%")), &[]);
    check(&of("{ call: b E, fallback: static }", &b("99%")), &[]);
    check(&of("{ call: b E, protocol: message_queue }", &b("99%")), &[]);
    check(&of("read: d", "datastores: { d: { availability: 99.95% } }"), &info);
    check(&of("call: b E", "  b: { availability: 99.95%, endpoints: [E] }"), &info);
    check(&of("call: b E", "  b: { endpoints: [E] }"), &[]);
    // Of several calls the one that most is lost to.
    let twice =
        |p: &str, q: &str| format!("{{ call: b E, probability: {p} }}, {{ call: b E, probability: {q} }}");
    check(&of(&twice("10%", "90%"), &b("99.98%")), &info);
    check(&of(&twice("90%", "10%"), &b("99.98%")), &info);
    check(&of(&twice("10%", "20%"), &b("99.98%")), &[]);
    // What is behind the dependency is the dependency's.
    let behind = "  b: { slo: { availability: 99.99% }, endpoints: { E: { calls: [read: d] } } }\ndatastores: { d: { availability: 99.999% } }";
    check(&of("call: b E", behind), &[]);
    // What cannot be kept at all is one finding.
    check(&of("call: b E", &b("99.8%")), &["error slo-unachievable"]);
    // Several weak ones are one finding, and the number can be set.
    let two = "  b: { slo: { availability: 99.96% }, endpoints: [E] }\n  c: { slo: { availability: 99.95% }, endpoints: [E] }";
    check(&of("call: b E, call: c E", two), &info);
    let said = words(&of("call: b E, call: c E", two));
    assert!(said.contains("2 dependencies are not 10 times better than `a`"), "{said}");
    assert!(said.contains("`b` promises 99.96%; 99.99% would be 10 times better"), "{said}");
    check(
        &of("call: b E, call: c E", two).replace("slo-extra-nine: info", "slo-extra-nine: { times: 2 }"),
        &[],
    );
    // The promise of a service speaks of what all of its endpoints need.
    let some = "services: { a: { slo: { availability: 99.9% }, endpoints: { E: { calls: [{ call: b E, timeout: 1s }] }, F: {} } }, b: { slo: { availability: 99.95% }, endpoints: [E] } }";
    check(some, &[]);
}

/// `a` is where requests come in; it calls as is said. What else is said of services and datastores.
fn entry(calls: &str, others: &str) -> String {
    let a = format!(
        "a: {{ replicas: 2, exposure: public, endpoints: {{ E: {{ auth: oidc, version: v1, calls: [{calls}] }} }} }}"
    );
    format!("{BOUNDED}\nservices:\n  {a}\n{others}\n")
}

#[test]
fn guards_of_single_point_of_failure() {
    let found = ["warning single-point-of-failure"];
    let b = |about: &str| entry("call: b E", &format!("  b: {{ {about}, endpoints: [E] }}"));
    check(&b("replicas: 1"), &found);
    check(&b("replicas: 2"), &[]);
    check(&b("tags: [x]"), &[]);
    check(&b("replicas: 1, external: true"), &[]);
    check(&b("replicas: 1, kind: job"), &[]);
    check(&b("replicas: 1, kind: cron"), &[]);
    check(&b("instances: [{ id: one }]"), &found);
    check(&b("instances: [{ id: one }, { id: two }]"), &[]);
    check(&b("replicas: 1, autoscaling: { min: 2, max: 4 }"), &[]);
    check(&b("replicas: 3, autoscaling: { min: 1, max: 4 }"), &found);
    check(&b("replicas: 1, autoscaling: { max: 4 }"), &found);
    let said = words(&b("replicas: 1"));
    assert!(said.contains("`b` is a single point of failure: `a E` fails with it"), "{said}");
    assert!(said.contains("the only entry point fails with it"), "{said}");
    // The entry itself.
    check(&entry("", "").replace("replicas: 2", "replicas: 1"), &found);
    // Calls that requests survive.
    let one = "  b: { replicas: 1, endpoints: [E] }\n";
    for call in ["optional: true", "fallback: static", "fallback: cached", "protocol: message_queue"] {
        check(&entry(&format!("{{ call: b E, {call} }}"), one), &[]);
    }
    // A fallback saves it, unless that fails with it.
    let saved = "{ call: b E, fallback: { call: c E } }";
    check(&entry(saved, &format!("{one}  c: {{ endpoints: [E] }}")), &[]);
    check(&entry(saved, &format!("{one}  c: {{ replicas: 1, endpoints: [E] }}")), &[]);
    let both =
        "  b: { endpoints: { E: { calls: [read: d] } } }\n  c: { endpoints: { E: { calls: [read: d] } } }\n";
    let store = |about: &str| format!("{both}datastores: {{ d: {{ {about} }} }}");
    check(
        &entry(saved, &store("replicas: 1")),
        &["warning fallback-shares-fate", "warning single-point-of-failure"],
    );
    check(&entry(saved, &store("replicas: 1, ha: true")), &["warning fallback-shares-fate"]);
    // Datastores.
    let read = |about: &str| entry("read: d", &format!("datastores: {{ d: {{ {about} }} }}"));
    check(&read("replicas: 1"), &found);
    check(&read("replicas: 1, managed: true"), &found);
    check(&read("replicas: 1, ha: true"), &[]);
    check(&read("replicas: 2"), &[]);
    check(&read("kind: redis"), &[]);
    check(&entry("{ read: d, optional: true }", "datastores: { d: { replicas: 1 } }"), &[]);
    check(&entry("publish: q", "queues: { q: { external_consumers: true } }"), &[]);
}

#[test]
fn single_points_are_seen_from_where_requests_come_in() {
    let found = ["warning single-point-of-failure"];
    let one = "  b: { replicas: 1, endpoints: [E] }\n";
    // Nobody comes from outside through c.
    let c = "  c: { endpoints: { E: { calls: [call: b E] } } }\n";
    let front = "read: kept";
    let c = format!("{c}datastores: {{ kept: {{}} }}\n");
    check(&entry(front, &format!("{one}{c}")), &[]);
    // Traffic says where requests come in, else exposure, else who calls and is not called.
    check(&entry(front, &format!("{one}{c}traffic: [{{ to: c E, rate: 1/s }}]")), &found);
    check(
        &entry(
            "call: b E",
            &format!("{one}{c}traffic: [{{ to: c E, rate: 1/s }}, {{ to: a E, rate: 3/s }}]"),
        ),
        &found,
    );
    let share = words(&entry(
        front,
        &format!("{one}{c}traffic: [{{ to: c E, rate: 1/s }}, {{ to: a E, rate: 3/s }}]"),
    ));
    assert!(share.contains("1 of 2 entry points fails with it, 25% of the declared traffic"), "{share}");
    check(&calls(BOUNDED, &["a > b", "b > c"]).replacen("  c:\n", "  c:\n    replicas: 1\n", 1), &found);
    check("services: { a: { dependencies: [b] }, b: { replicas: 1 } }", &found);
    check("services: { a: { dependencies: [b], kind: cron }, b: { replicas: 1 } }", &[]);
    // A call that names no endpoint fails when all of them do.
    let some = "  b: { endpoints: { E: { calls: [read: d] }, F: {} } }\ndatastores: { d: { replicas: 1 } }";
    check(&entry("call: b", some), &[]);
    check(&entry("call: b", &some.replace("F: {}", "F: { calls: [write: d] }")), &found);
    // A circle fails with what is outside of it, and nothing by itself.
    let ring = |d: &str| {
        format!(
            "{BOUNDED}\nlint: {{ rules: {{ request-loop: allow }} }}\nservices:\n  a: {{ exposure: public, endpoints: {{ E: {{ auth: oidc, version: v1, calls: [call: b E] }} }} }}\n  b: {{ endpoints: {{ E: {{ calls: [call: c E] }} }} }}\n  c: {{ endpoints: {{ E: {{ calls: [call: b E, read: d] }} }} }}\ndatastores: {{ d: {{ {d} }} }}"
        )
    };
    check(&ring("replicas: 1"), &found);
    check(&ring("replicas: 2"), &[]);
    // One inherited number is one cause.
    let chain = calls(&format!("{BOUNDED}\ntraffic: [{{ to: a E, rate: 1/s }}]"), &["a > b", "b > c"]);
    let inherited = chain
        .replace("propagate_deadline: true } }", "propagate_deadline: true }, service: { replicas: 1 } }");
    check(&inherited, &found);
    assert!(words(&inherited).contains("so are 2 more that inherit the number"));
}

#[test]
fn a_zone_is_one_point() {
    let found = ["warning single-point-of-failure"];
    let b = |about: &str| entry("call: b E", &format!("  b: {{ {about}, endpoints: [E] }}"));
    check(&b("replicas: 3, zone: z1"), &found);
    check(&b("replicas: 3, zone: z1, external: true"), &[]);
    let listed = |zones: [&str; 2]| {
        b(&format!("instances: [{{ id: x, zone: {} }}, {{ id: y, zone: {} }}]", zones[0], zones[1]))
    };
    check(&listed(["z1", "z1"]), &found);
    check(&listed(["z1", "z2"]), &[]);
    check(&b("instances: [{ id: x, zone: z1 }, { id: y }]"), &[]);
    // One replica in one zone is one cause; two in the same zone are one zone, in two zones two.
    check(&b("replicas: 1, zone: z1"), &found);
    let two = |other: &str| {
        let others = format!("  b: {{ zone: z1, endpoints: [E] }}\n  c: {{ zone: {other}, endpoints: [E] }}");
        entry("call: b E, call: c E", &others)
    };
    check(&two("z1"), &found);
    check(&two("z2"), &["warning single-point-of-failure"; 2]);
    // A fallback in another zone saves it; in the same zone it does not.
    let saved =
        |other: &str| two(other).replace("call: b E, call: c E", "{ call: b E, fallback: { call: c E } }");
    check(&saved("z2"), &[]);
    check(&saved("z1"), &found);
    assert!(words(&saved("z1")).contains("what stands in for `a E → b E` fails too"));
}

#[test]
fn guards_of_tier_inversion() {
    let found = ["warning tier-inversion"];
    let tiers = |edge: &str, a: &str, b: &str| {
        let text = calls(BOUNDED, &[edge]).replacen("  a:\n", &format!("  a:\n    {a}\n"), 1);
        text.replacen("  b:\n", &format!("  b:\n    {b}\n"), 1)
    };
    check(&tiers("a > b", "tier: 1", "tier: 2"), &found);
    check(&tiers("a > b", "tier: 0", "tier: 3"), &found);
    check(&tiers("a > b", "tier: 2", "tier: 2"), &[]);
    check(&tiers("a > b", "tier: 2", "tier: 1"), &[]);
    check(&tiers("a > b", "tier: 1", ""), &[]);
    check(&tiers("a > b", "", "tier: 1"), &[]);
    check(&tiers("a > b: optional: true", "tier: 1", "tier: 2"), &[]);
    check(&tiers("a > b: fallback: static", "tier: 1", "tier: 2"), &[]);
    check(&tiers("a > b: fallback: none", "tier: 1", "tier: 2"), &found);
    check(&tiers("a > b: protocol: event_stream", "tier: 1", "tier: 2"), &[]);
    // What stands in may be of any tier.
    let soft = calls(BOUNDED, &["a > c: fallback: { call: b E }", "b > d"]);
    let soft = soft.replacen("  a:\n", "  a:\n    tier: 1\n", 1).replacen("  b:\n", "  b:\n    tier: 2\n", 1);
    check(&soft, &[]);
    // Inherited tiers count; two calls are one finding.
    let top = "defaults: { service: { tier: 3 }, call: { timeout: 1s, propagate_deadline: true } }";
    check(&calls(top, &["a > b", "a > b"]).replacen("  a:\n", "  a:\n    tier: 1\n", 1), &found);
}

#[test]
fn what_costs_too_much_to_follow_is_still_found() {
    // Each of a chain fails all before it: more than two million looks in all.
    let count = 1_500;
    let edges: Vec<_> = (1..count).map(|i| format!("s{} > s{i}", i - 1)).collect();
    let text = calls(BOUNDED, &edges.iter().map(String::as_str).collect::<Vec<_>>());
    let text = text.replace("    endpoints:", "    replicas: 1\n    endpoints:");
    let (mut findings, _) = judged(&vec![(ROOT.to_owned(), text.into_bytes())]);
    findings.retain(|f| f.rule.id == "single-point-of-failure");
    assert_eq!(findings.len(), count);
    // Of a long way both ends are shown.
    let last = findings.iter().find(|f| f.subjects == [format!("s{}", count - 1)]).unwrap();
    let hops: Vec<_> = last.path.iter().map(|hop| hop.to.clone()).collect();
    let ends = (1..=32).chain(count - 32..count).map(|i| format!("s{i}"));
    assert_eq!(hops, ends.collect::<Vec<_>>());
    assert!(last.notes[0].starts_with("1435 calls in the middle"), "{:?}", last.notes);
}
