//! Guards of the rules of `structure` that look at messages and at the size and place of a service.

use crate::support::{BOUNDED, ROOT, calls, check, judged, words};
use proptest::prelude::*;

/// Switches a pedantic rule on, with thresholds.
fn on(rule: &str, settings: &str) -> String {
    format!("{BOUNDED}\nlint: {{ rules: {{ {rule}: {{ level: info{settings} }} }} }}")
}

/// A service with something said of it.
fn with(yaml: &str, service: &str, about: &str) -> String {
    yaml.replacen(&format!("  {service}:\n"), &format!("  {service}:\n    {about}\n"), 1)
}

#[test]
fn guards_of_unused_endpoint() {
    let found = ["info unused-endpoint"];
    let system = |more: &str, edges: &[&str]| format!("{}{more}", calls(&on("unused-endpoint", ""), edges));
    let entered = "traffic: [{ to: a E, rate: 1/s }]\n";
    check(&system(entered, &["a > b", "b.F > c"]), &found);
    check(&system(entered, &["a > b", "a > b.F"]), &[]);
    // Where nothing says what comes from outside it may come anywhere.
    check(&system("", &["a > b", "b.F > c"]), &[]);
    let scenario = "scenarios: { s: { traffic: [{ to: a E, rate: 1/s }] } }\n";
    check(&system(scenario, &["a > b", "b.F > c"]), &found);
    let public = "exposure: public\n    auth: oidc";
    check(&with(&system("", &["a > b", "b.F > c"]), "a", public), &found);
    check(&with(&system(entered, &["a > b", "b.F > c"]), "b", public), &[]);
    for kind in ["kind: gateway", "kind: bff", "external: true"] {
        check(&with(&system(entered, &["a > b", "b.F > c"]), "b", kind), &[]);
    }
    check(&with(&system(entered, &["a > b", "b.F > c"]), "b", "kind: job"), &found);
    // A service that is called as a whole may be asked for anything.
    check(&with(&system(entered, &["a > b", "b.F > c", "a > c"]), "a", "dependencies: [b]"), &found);
    let whole = "communications: [{ from: c, to: b }]\n";
    check(&system(&format!("{entered}{whole}"), &["a > b", "b.F > d", "a > c"]), &[]);
    let health = "health_check: { path: /healthz }";
    check(&with(&system(entered, &["a > b", "b./healthz > c"]), "b", health), &[]);
    check(&with(&system(entered, &["a > b", "b./health > c"]), "b", health), &found);
    // Who is alone is an orphan, and that is all.
    let lonely = "  z: { endpoints: [E, F] }\n";
    check(
        &format!("{}{lonely}{entered}", calls(&on("unused-endpoint", ""), &["a > b"])),
        &["warning orphan-service"],
    );
    check(&system(entered, &["a > b", "b.F > c"]).replace("info }", "allow }"), &[]);
}

/// Services by name with what they consume and what they do with it.
fn events(handlers: &[(&str, &str, &str)]) -> String {
    let mut channels: Vec<&str> = Vec::new();
    for word in
        handlers.iter().flat_map(|(_, consumes, does)| [consumes, does]).flat_map(|t| t.split_whitespace())
    {
        let word = word.trim_end_matches([',', '}', ':']);
        if word.starts_with("t.") && !channels.contains(&word) {
            channels.push(word);
        }
    }
    let services = handlers.iter().map(|(name, consumes, does)| {
        format!("  {name}: {{ consumes: {{ {consumes}, calls: [{does}] }} }} }}\n")
    });
    let topics = channels.iter().map(|c| format!("  {c}: {{ external_producers: true }}\n"));
    format!(
        "services:\n{}topics:\n{}",
        services.collect::<Vec<_>>().concat(),
        topics.collect::<Vec<_>>().concat()
    )
}

#[test]
fn guards_of_event_cycle() {
    let found = ["info event-cycle"];
    let round = |a: &str, b: &str| events(&[("a", a, "publish: t.y"), ("b", b, "publish: t.x")]);
    let (x, y) = ("t.x: { concurrency: 1", "t.y: { concurrency: 1");
    check(&round(x, y), &found);
    check(&round("t.x: { ends: true", y), &[]);
    check(&round(x, "t.y: { ends: true"), &[]);
    check(&round(x, "t.y: { ends: false"), &found);
    check(&events(&[("a", x, "publish: t.x")]), &found);
    // One finding for each group, however many circles are in it.
    check(&events(&[("a", x, "publish: t.y, publish: t.x"), ("b", y, "publish: t.x")]), &found);
    let apart = [("a", x, "publish: t.x"), ("b", y, "publish: t.y")];
    check(&events(&apart), &[found[0]; 2]);
    // Types: other messages are other messages, and one of an unknown type is any.
    let typed = |sent: &str, taken: &str| events(&[("a", &format!("t.x: {{ {taken}"), sent)]);
    check(&typed("{ publish: t.x, type: m }", "types: [m]"), &found);
    check(&typed("{ publish: t.x, type: m }", "types: [n, o]"), &[]);
    check(&typed("{ publish: t.x, type: m }", "group: g"), &found);
    check(&typed("publish: t.x", "types: [m]"), &found);
    // Calls on the way are followed; calls alone are request-loop's.
    let way = "services: { a: { consumes: { x: { calls: [{ call: b E, timeout: 1s }] } } }, \
         b: { endpoints: { E: { calls: [publish: x] }, F: { calls: [publish: y] } } } }\ntopics: { x: {} }";
    check(&way.replace(", F: { calls: [publish: y] }", ""), &found);
    check(
        &way.replace(", F: { calls: [publish: y] }", "")
            .replace("E: { calls", "E: { max_recursion: 2, calls"),
        &[],
    );
    check(&calls(BOUNDED, &["a > b", "b > a"]), &["error request-loop"]);
    // A message to a service is a message.
    check(&calls(BOUNDED, &["a > b: protocol: message_queue", "b > a"]), &found);
    // What a whole service sends is sent by none of its handlers for certain.
    let whole = format!("{}communications: [{{ from: a, to: t.x }}]\n", events(&[("a", x, "")]));
    check(&whole, &[]);
    let told = words(&round(x, y));
    assert!(told.contains("what is sent to `t.x` leads to it being sent again"), "{told}");
    for step in
        ["then `a` sends to `t.y`", "then `b` handles it", "`b` sends to `t.x`", "then `a` handles it"]
    {
        assert!(told.contains(step), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Handlers that are on some circle of messages, each pair of sender and receiver tried, are the subjects
    /// of what is found.
    #[test]
    fn messages_come_back_where_some_way_leads_back(
        sent in prop::collection::vec(prop::collection::vec((0_usize..3, prop::option::of(0_usize..2)), 0..3), 5),
        taken in prop::collection::vec((0_usize..3, prop::option::of(0_usize..2), any::<bool>()), 5),
    ) {
        let kind = |k: &Option<usize>| k.map_or(String::new(), |k| format!(", type: m{k}"));
        let handlers = sent.iter().zip(&taken).enumerate().map(|(i, (sent, (channel, of, ends)))| {
            let calls = sent.iter().map(|(c, k)| format!("{{ publish: t{c}{} }}", kind(k))).collect::<Vec<_>>();
            let types = of.map_or(String::new(), |k| format!("types: [m{k}], "));
            let ends = *ends && i % 2 == 0;
            format!("  s{i}: {{ consumes: {{ t{channel}: {{ {types}ends: {ends}, calls: [{}] }} }} }}\n", calls.join(", "))
        });
        let topics = (0..3).map(|c| format!("  t{c}: {{ external_producers: true }}\n")).collect::<Vec<_>>().concat();
        let yaml = format!("services:\n{}topics:\n{topics}", handlers.collect::<Vec<_>>().concat());
        let mut reach = [[false; 5]; 5];
        for (i, sent) in sent.iter().enumerate() {
            for (j, (channel, of, _)) in taken.iter().enumerate() {
                let fits = |(c, k): &(usize, Option<usize>)| c == channel && (of.is_none() || k.is_none() || of == k);
                reach[i][j] = sent.iter().any(fits) && !(taken[i].2 && i % 2 == 0);
            }
        }
        for k in 0..5 {
            for i in 0..5 {
                for j in 0..5 {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        let expected: Vec<String> =
            (0..5).filter(|i| reach[*i][*i]).map(|i| format!("s{i} t{}", taken[i].0)).collect();
        let (findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
        let cycles = findings.iter().filter(|f| f.rule.id == "event-cycle");
        let mut told: Vec<String> = cycles.clone().flat_map(|f| f.subjects.clone()).collect();
        told.sort();
        prop_assert_eq!(told, expected, "{}", yaml);
        for cycle in cycles {
            for (a, b) in cycle.path.iter().zip(cycle.path.iter().cycle().skip(1)) {
                prop_assert_eq!(&a.to, &b.from);
            }
        }
    }
}

#[test]
fn guards_of_hub_service() {
    let system = |callers: usize, called: usize| {
        let before = (0..callers).map(|i| format!("b{i} > hub"));
        let edges: Vec<String> = before.chain((0..called).map(|i| format!("hub > c{i}"))).collect();
        calls(&on("hub-service", ""), &edges.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let found = ["info hub-service"];
    check(&system(5, 5), &found);
    check(&system(4, 5), &[]);
    check(&system(5, 4), &[]);
    check(&system(5, 5).replace("level: info", "level: info, callers: 6"), &[]);
    check(&system(2, 1).replace("level: info", "level: info, callers: 2, called: 1"), &found);
    for about in ["kind: gateway", "kind: bff", "external: true", "tags: [platform]"] {
        check(&with(&system(5, 5), "hub", about), &[]);
    }
    check(&with(&system(5, 5), "hub", "tags: [other]"), &found);
}

#[test]
fn guards_of_mega_service() {
    let system = |n: usize, about: &str| {
        let names = (0..n).map(|i| format!("E{i}")).collect::<Vec<_>>().join(", ");
        format!(
            "{}\ntopics: {{ t: {{ external_producers: true }} }}\nservices:\n  a: {{ dependencies: [m], consumes: {{ t: {{}} }} }}\n  m: {{ {about} endpoints: [{names}] }}\n",
            on("mega-service", "")
        )
    };
    let found = ["info mega-service"];
    check(&system(20, ""), &[]);
    check(&system(21, ""), &found);
    check(&system(20, "consumes: { t: {} },"), &found);
    assert!(
        words(&system(20, "consumes: { t: {} },"))
            .contains("`m` has 20 endpoints and 1 consumer, more than 20 in all")
    );
    for about in ["kind: gateway,", "kind: bff,", "external: true,"] {
        check(&system(21, about), &[]);
    }
    check(&system(3, "").replace("level: info", "level: info, max: 2"), &found);
}

#[test]
fn guards_of_nano_service() {
    let found = ["info nano-service"];
    let system = |edges: &[&str]| calls(&on("nano-service", ""), edges);
    let pair = system(&["a > n", "a.F > n"]);
    check(&pair, &found);
    // A second endpoint, a second caller.
    check(&system(&["a > n", "a > n.F"]), &[]);
    check(&system(&["a > n", "b > n"]), &[]);
    check(&pair.replace("level: info", "level: info, max: 0"), &[]);
    check(&system(&["a > n", "a > n.F"]).replace("level: info", "level: info, max: 2"), &found);
    // A reason to stand for itself.
    for about in ["kind: job", "external: true", "exposure: public\n    auth: oidc"] {
        check(&with(&pair, "n", about), &[]);
    }
    check(&format!("{pair}traffic: [{{ to: n E, rate: 1/s }}]\n"), &[]);
    check(&with(&format!("{pair}datastores: {{ d: {{}} }}\n"), "n", "dependencies: [d]"), &[]);
    let topic = format!("{pair}topics: {{ d: {{ external_producers: true }} }}\n");
    check(&with(&topic, "n", "consumes: { d: {} }"), &[]);
    let third = system(&["a > n", "a.F > n", "n > t"]);
    check(&with(&third, "t", "external: true"), &[]);
    // What keeps the two apart.
    check(&with(&pair, "a", "kind: gateway"), &[]);
    let owned = |a: &str, n: &str| with(&with(&pair, "a", a), "n", n);
    check(&owned("owner: x", "owner: y"), &[]);
    check(&owned("owner: x", "owner: x"), &found);
    check(&owned("owner: x", "tier: 1"), &["info missing-owner", "info nano-service"]);
    check(&owned("technology: java", "technology: go"), &[]);
    check(&owned("technology: [java, spring]", "technology: java"), &found);
    check(&owned("technology: java", "tier: 1"), &found);
}

#[test]
fn guards_of_chatty_call() {
    let found = ["info chatty-call"];
    let system = |edges: &[&str]| calls(&on("chatty-call", ""), edges);
    check(&system(&["a > b: times: 5"]), &[]);
    check(&system(&["a > b: times: 6"]), &found);
    // 10 × 50% = 5; 11 × 50% = 5.5.
    check(&system(&["a > b: { times: 10, probability: 50% }".replace(['{', '}'], "").as_str()]), &[]);
    check(&system(&["a > b: times: 11, probability: 50%"]), &found);
    // Different endpoints of the same service add up, different requests and services do not.
    check(&system(&["a > b: times: 4", "a > b.F: times: 2"]), &found);
    let sum = words(&system(&["a > b: times: 4", "a > b.F: times: 2"]));
    assert!(
        sum.contains("one request to `a E` calls `b` 6 times, more than 5") && sum.contains("4 + 2 = 6"),
        "{sum}"
    );
    check(&system(&["a > b: times: 4", "a.F > b: times: 2"]), &[]);
    check(&system(&["a > b: times: 4", "a > c: times: 2"]), &[]);
    check(&system(&["a > b: times: 9, protocol: event_stream"]), &[]);
    check(&with(&system(&["a > b: times: 9"]), "a", "kind: job"), &[]);
    check(&with(&system(&["a > b: times: 9"]), "a", "kind: cron"), &[]);
    check(&system(&["a > b: times: 3"]).replace("level: info", "level: info, max: 2"), &found);
}

#[test]
fn guards_of_unstable_dependency() {
    let found = ["info unstable-dependency"];
    // u: 1/(3 + 1) = 0.25. v: n/(1 + n).
    let system = |callers: usize, n: usize| {
        let before = (0..callers).map(|i| format!("b{i} > u"));
        let after = (0..n).map(|i| format!("v > w{i}"));
        let edges: Vec<String> = before.chain(["u > v".to_owned()]).chain(after).collect();
        calls(&on("unstable-dependency", ""), &edges.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // 1/2 − 1/4 = 0.25; 2/3 − 1/4 = 0.42.
    check(&system(3, 1), &[]);
    check(&system(3, 2), &found);
    check(&system(2, 2), &[]);
    check(&system(3, 1).replace("level: info", "level: info, gap: 0.25"), &found);
    check(&system(2, 2).replace("level: info", "level: info, callers: 2"), &found);
    check(&with(&system(3, 2), "v", "external: true"), &[]);
    let told = words(&system(3, 2));
    assert!(told.contains("`v`: instability 2/(1 + 2) = 0.67"), "{told}");
    assert!(told.contains("of `u`: 1/(3 + 1) = 0.25"), "{told}");
}

#[test]
fn guards_of_distributed_monolith() {
    let found = ["info distributed-monolith"];
    // A gateway before pairs: 1 + 2·pairs services, all needed but those that `last` spares.
    let system = |pairs: usize, last: &str, more: &[&str]| {
        let edges = (0..pairs).flat_map(|i| {
            let about = if i == 0 { last } else { "tls: true" };
            [format!("g > a{i}: {about}"), format!("a{i} > b{i}")]
        });
        let edges: Vec<String> = edges.chain(more.iter().map(|e| (*e).to_owned())).collect();
        let yaml =
            calls(&on("distributed-monolith", ""), &edges.iter().map(String::as_str).collect::<Vec<_>>());
        with(&yaml, "g", "kind: gateway")
    };
    check(&system(4, "tls: true", &[]), &found);
    check(&system(3, "tls: true", &[]), &[]);
    // 7 of 9 are less than 0.8; 8 of 10 are just that.
    for spared in ["optional: true", "fallback: cached", "protocol: event_stream"] {
        check(&system(4, spared, &[]), &[]);
        assert!(words(&system(4, "tls: true", &[])).contains("needs 9 of 9 services at once"));
    }
    check(&system(4, "tls: true", &["g.F > c"]), &found);
    check(&system(4, "tls: true", &["g.F > c", "g.F > d"]), &found);
    check(&system(4, "tls: true", &["g.F > c", "g.F > d", "g.F > e"]), &[]);
    check(&system(4, "tls: true", &["g.F > c"]).replace("level: info", "level: info, share: 1"), &[]);
    check(&system(3, "tls: true", &[]).replace("level: info", "level: info, services: 7"), &found);
    // What stands in is not needed; third parties are not of the system.
    check(&system(3, "tls: true", &["g > x: fallback: { call: y E }", "y > z", "g.F > c"]), &[]);
    check(&with(&system(3, "tls: true", &["g > x"]), "x", "external: true"), &[]);
    // Circles end.
    let round = ["a3 > g.F", "g.F > a0.F"];
    check(&system(4, "tls: true", &round), &["info distributed-monolith", "warning cyclic-dependency"]);
}

#[test]
fn guards_of_technology_lock_in() {
    let found = ["info technology-lock-in"];
    let system = |a: &str, b: &str, c: &str, d: &str| {
        let yaml = calls(
            &on("technology-lock-in", ""),
            &["d > a", "a > b: protocol: grpc", "b > c: protocol: grpc"],
        );
        with(&with(&with(&with(&yaml, "a", a), "b", b), "c", c), "d", d)
    };
    let (java, go) = ("technology: java", "technology: go");
    check(&system(java, java, java, go), &found);
    check(&system("technology: [java, x]", java, "technology: [y, java]", go), &found);
    // Another speaks it, everyone is made with it, or someone does not say.
    check(&system(java, java, go, go), &[]);
    check(&system(java, java, java, java), &[]);
    check(&system(java, java, "tier: 1", go), &[]);
    check(&system(java, java, java, "tier: 1"), &[]);
    check(&system(java, java, "technology: java\n    external: true", go), &[]);
    check(&system(java, java, java, go).replace("protocol: grpc", "protocol: http"), &[]);
    check(&system(java, java, java, go).replace("b > c: protocol: grpc", "b > c"), &found);
    check(&system(java, java, java, go).replace("level: info", "level: info, speakers: 4"), &[]);
    // Of the endpoint where the call says nothing.
    let said = system(java, java, java, go).replace(", protocol: grpc", ",");
    check(&said, &[]);
    check(&said.replace("E: { calls", "E: { protocol: grpc, calls"), &[]);
}
