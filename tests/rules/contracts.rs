//! What contracts hold and what they let be.

use crate::support::{BOUNDED, calls, check, words};

/// `a` calls what is named behind it, each edge one call, under contracts.
fn system(contracts: &str, edges: &[&str]) -> String {
    calls(&format!("{BOUNDED}\nlint: {{ contracts: [{contracts}] }}"), edges)
}

/// A service with something said of it.
fn with(yaml: &str, service: &str, about: &str) -> String {
    yaml.replacen(&format!("  {service}:\n"), &format!("  {service}:\n    {about}\n"), 1)
}

const FORBIDDEN: [&str; 1] = ["error forbidden-dependency"];

#[test]
fn what_is_forbidden() {
    let rule = |from, to| format!("{{ forbid: {{ from: {from}, to: {to} }} }}");
    check(&system(&rule("a", "b"), &["a > b"]), &FORBIDDEN);
    check(&system(&rule("b", "a"), &["a > b"]), &[]);
    check(&system(&rule("a", "c"), &["a > b", "b > c"]), &[]);
    check(&system(&rule("'a*'", "'b*'"), &["a1 > b1", "a1 > b2", "b1 > a2"]), &[FORBIDDEN[0]; 2]);
    check(&system(&rule("[a, c]", "[b, d]"), &["a > b", "c > d", "b > c"]), &[FORBIDDEN[0]; 2]);
    // A service that matches both is not its own enemy; others of the same patterns are.
    check(&system(&rule("'*'", "'*'"), &["a > b"]), &FORBIDDEN);
    // One finding for each pair and contract, however many calls; each is shown.
    let twice = system(&rule("a", "b"), &["a > b", "a.F > b", "a > b.F"]);
    check(&twice, &FORBIDDEN);
    assert_eq!(words(&twice).matches("and here").count(), 2);
    let both = "{ name: one, forbid: { from: a, to: b } }, { name: two, forbid: { from: '*', to: b } }";
    check(&system(both, &["a > b"]), &[FORBIDDEN[0]; 2]);
    // Selectors, with globs.
    for pattern in ["owner:sales", "'owner:s*'", "layer:core", "'layer:c*'", "tag:money", "'tag:*'"] {
        let yaml = with(&system(&rule("a", pattern), &["a > b"]), "b", "owner: sales");
        let yaml = with(&yaml, "a", "owner: web");
        check(&with(&with(&yaml, "b", "layer: core"), "b", "tags: [x, money]"), &FORBIDDEN);
    }
    // An alias is the same service.
    let alias = system(&rule("a", "other"), &["a > b"]);
    check(&format!("aliases: {{ other: b }}\n{alias}"), &FORBIDDEN);
}

#[test]
fn what_counts_as_a_dependency() {
    let system = |from: &str, to: &str, store: &str| {
        format!(
            "lint: {{ contracts: [{{ forbid: {{ from: {from}, to: {to} }} }}] }}\n\
             services: {{ a: {{ endpoints: {{ E: {{ calls: [publish: t, read: d, write: w] }} }} }},\n\
               c: {{ consumes: {{ t: {{}} }}, dependencies: [e] }}, e: {{}} }}\n\
             topics: {{ t: {{}} }}\ndatastores: {{ d: {{ {store} }}, w: {{}} }}"
        )
    };
    for (from, to) in [("a", "t"), ("a", "d"), ("a", "w"), ("c", "t"), ("c", "e")] {
        check(&system(from, to, ""), &FORBIDDEN);
    }
    // A topic knows nobody, and who only shares one knows nobody else.
    for (from, to) in [("t", "c"), ("a", "c"), ("c", "a"), ("d", "a")] {
        check(&system(from, to, ""), &[]);
    }
    let long = system("[a, c]", "[a, c]", "").replace("to: [a, c]", "to: [a, c], transitive: true");
    check(&long, &[]);
    // Its own datastore.
    check(&system("a", "d", "service: a"), &[]);
    check(&system("a", "d", "service: c"), &FORBIDDEN);
    check(&system("'*'", "'[dw]'", "service: a"), &FORBIDDEN);
    // Also what stands in is called.
    let fallback = "lint: { contracts: [{ forbid: { from: a, to: c } }] }";
    let fallback = calls(&format!("{BOUNDED}\n{fallback}"), &["a > b: fallback: { call: c E }", "b.F > c"]);
    check(&fallback, &FORBIDDEN);
}

#[test]
fn what_is_forbidden_by_way_of_others() {
    let rule = |from, to| format!("{{ forbid: {{ from: {from}, to: {to}, transitive: true }} }}");
    check(&system(&rule("a", "c"), &["a > b", "b > c"]), &FORBIDDEN);
    check(&system(&rule("a", "c"), &["b > a", "b > c"]), &[]);
    // The last of `from` on the way is the one to be told.
    let told = system(&rule("'a*'", "c"), &["a1 > a2", "a2 > b", "b > c"]);
    check(&told, &FORBIDDEN);
    assert!(words(&told).contains("`a2` must not depend on `c`, not even by way of `b`"), "{}", words(&told));
    // A shorter way, if there is one; a direct one is all that is told.
    let short = system(&rule("a", "d"), &["a > b", "b > c", "c > d", "a > e", "e > d"]);
    assert!(words(&short).contains("by way of `e`"), "{}", words(&short));
    let direct = system(&rule("a", "'[cd]'"), &["a > b", "b > c", "a > d"]);
    assert!(words(&direct).contains("`a` must not depend on `d`\n"), "{}", words(&direct));
    // The way back to itself is no dependency on another.
    check(&system(&rule("a", "a"), &["a > c", "c.F > a.F"]), &["warning cyclic-dependency"]);
    let long = system(&rule("a", "e"), &["a > b", "b > c", "c > d", "d > e"]);
    assert!(words(&long).contains("not even by way of `b` and 2 more"), "{}", words(&long));
}

#[test]
fn what_alone_is_allowed() {
    let rule = "{ allow_only: { from: 'a*', to: [b, tag:ok] } }";
    check(&system(rule, &["a > b", "c > d", "a1 > a"]), &["error unmatched-pattern"]);
    let rule = "{ allow_only: { from: 'a*', to: b } }";
    check(&system(rule, &["a > b", "c > d", "a1 > a"]), &[]);
    check(&system(rule, &["a > c", "a1 > b"]), &FORBIDDEN);
    check(&system(rule, &["a > b", "b > c"]), &[]);
    let told = words(&system(rule, &["a > c", "a1 > b"]));
    assert!(told.contains("`a` depends on `c`, and may depend on `b` only"), "{told}");
    let own = |service: &str| {
        format!(
            "lint: {{ contracts: [{{ allow_only: {{ from: a, to: b }} }}] }}\nservices: {{ b: {{}}, \
             a: {{ dependencies: [b], endpoints: {{ E: {{ calls: [read: d] }} }} }} }}\n\
             datastores: {{ d: {{ service: {service} }} }}"
        )
    };
    check(&own("a"), &[]);
    check(&own("b"), &FORBIDDEN);
}

#[test]
fn what_is_protected() {
    let found = ["error protected-service"];
    let rule = "{ protect: { from: a, to: 'p*' } }";
    check(&system(rule, &["a > p"]), &[]);
    check(&system(rule, &["b > p", "a > p"]), &found);
    check(&system(rule, &["b > a", "a > p"]), &[]);
    check(&system(rule, &["a > p", "p > p2"]), &[]);
    check(&system(rule, &["a > p", "p > b"]), &[]);
    check(&system(rule, &["a > p", "b > p", "c > p", "c > p2"]), &[found[0]; 3]);
    let store = |service: &str| {
        format!(
            "lint: {{ contracts: [{{ protect: {{ from: a, to: d }} }}] }}\nservices: {{ \
             a: {{ dependencies: [d] }}, b: {{ endpoints: {{ E: {{ calls: [write: d] }} }} }} }}\n\
             datastores: {{ d: {{ service: {service} }} }}"
        )
    };
    check(&store("b"), &[]);
    check(&store("a"), &found);
}

#[test]
fn what_is_independent() {
    let found = ["error independence-violation"];
    let rule = |parts: &str| format!("{{ independent: {parts} }}");
    check(&system(&rule("[a, b]"), &["a > b"]), &found);
    check(&system(&rule("[a, b]"), &["a > c", "b > c"]), &[]);
    check(&system(&rule("[a, b]"), &["a > c", "c > b"]), &[]);
    let far = rule("{ services: [a, b], transitive: true }");
    check(&system(&far, &["a > c", "c > b"]), &found);
    check(&system(&far, &["a > c", "b > c"]), &[]);
    // Through a third part there are two dependencies, and each is told.
    let three = rule("{ services: [a, b, c], transitive: true }");
    check(&system(&three, &["a > c", "c > b"]), &[found[0]; 2]);
    // One pattern: each is a part. Several: each pattern is one, the first that matches.
    check(&system(&rule("'a*'"), &["a1 > a2"]), &found);
    check(&system(&rule("['a*', 'b*']"), &["a1 > a2", "b1 > b2"]), &[]);
    check(&system(&rule("['a*', 'b*']"), &["a1 > a2", "a2 > b1"]), &found);
    check(&system(&rule("['a*', '*']"), &["a1 > a2", "b1 > b2"]), &[]);
    let long = system(&far, &["a > c", "c > d", "d > b"]);
    assert!(words(&long).contains("depends on it by way of `c` and 1 more"), "{}", words(&long));
}

#[test]
fn what_the_layers_say() {
    let found = ["error layer-violation"];
    let layered = |a: &str, b: &str| {
        let yaml =
            calls(&format!("{BOUNDED}\nlint: {{ layers: [edge, domain, data] }}"), &["a > b", "a.F > b"]);
        with(&with(&yaml, "a", a), "b", b)
    };
    check(&layered("layer: edge", "layer: domain"), &[]);
    check(&layered("layer: edge", "layer: data"), &[]);
    check(&layered("layer: domain", "layer: domain"), &[]);
    check(&layered("layer: domain", "layer: edge"), &found);
    check(&layered("layer: data", "layer: edge"), &found);
    check(&layered("layer: data", "tier: 1"), &[]);
    check(&layered("tier: 1", "layer: edge"), &[]);
    check(&layered("layer: shared", "layer: edge"), &[]);
    check(&layered("layer: data", "layer: edge").replace("[edge, domain, data]", "[]"), &[]);
    // Inherited layers count; a message through a topic does not.
    let low =
        layered("layer: data", "tier: 1").replace("defaults: {", "defaults: { service: { layer: edge },");
    check(&low, &found);
    check(
        "lint: { layers: [edge, data] }\ntopics: { t: {} }\nservices: { \
         a: { layer: data, endpoints: { E: { calls: [publish: t] } } }, b: { layer: edge, consumes: { t: {} } } }",
        &[],
    );
}

#[test]
fn patterns_that_match_nothing() {
    let found = ["error unmatched-pattern"];
    let rule =
        |from: &str, to: &str| system(&format!("{{ forbid: {{ from: {from}, to: {to} }} }}"), &["a > b"]);
    for pattern in ["c", "'c*'", "owner:a", "layer:a", "tag:a", "team:a", "[]", "'[a'"] {
        check(&rule("b", pattern), &found);
        check(&rule(pattern, "a"), &found);
    }
    check(&rule("[b, c]", "[a, d, e]"), &["error unmatched-pattern"; 3]);
    // What does match is judged.
    check(&rule("[a, c]", "b"), &["error forbidden-dependency", "error unmatched-pattern"]);
    check(&system("{ independent: [a, c] }", &["a > b"]), &found);
    check(&system("{ level: allow, independent: [a, c] }", &["a > b"]), &[]);
    let near = words(&with(&with(&rule("b", "owner:sale"), "a", "owner: sales"), "b", "owner: sales"));
    assert!(near.contains("did you mean `owner:sales`?"), "{near}");
    let near = words(&calls(
        &format!("{BOUNDED}\nlint: {{ contracts: [{{ independent: [cart, paymnet] }}] }}"),
        &["cart > payment2", "web > payment2"],
    ));
    assert!(near.contains("did you mean `payment2`?"), "{near}");
    let told = words(&with(&with(&rule("b", "owner:nobody"), "a", "owner: sales"), "b", "owner: sales"));
    assert!(told.contains("each owner that is used: `sales`"), "{told}");
    let told = |pattern: &str| words(&rule("b", pattern));
    assert!(told("zebra").contains("patterns match the ids of services, datastores, queues and topics"));
    assert!(
        told("team:zebra").contains("`owner:`, `layer:` and `tag:` choose by these, everything else by id")
    );
    assert!(told("owner:zebra").contains("no owner is used here"));
    // Eight words are shown.
    let owned = |n: usize| {
        let edges: Vec<_> = (1..n).map(|i| format!("s0 > s{i}")).collect();
        let rule = "{ forbid: { from: s0, to: owner:zebra } }";
        let yaml = system(rule, &edges.iter().map(String::as_str).collect::<Vec<_>>());
        words(&(0..n).fold(yaml, |yaml, i| with(&yaml, &format!("s{i}"), &format!("owner: o{i}"))))
    };
    let eight = "each owner that is used: `o0`, `o1`, `o2`, `o3`, `o4`, `o5`, `o6`, `o7`";
    assert!(owned(8).ends_with(eight), "{}", owned(8));
    assert!(owned(9).ends_with(&format!("{eight}, …")), "{}", owned(9));
    let layer = |word: &str| {
        let yaml = calls(&format!("{BOUNDED}\nlint: {{ layers: [edge, domain] }}"), &["a > b"]);
        with(&yaml, "b", &format!("layer: {word}"))
    };
    check(&layer("domian"), &found);
    check(&layer("platform"), &[]);
}

#[test]
fn what_a_contract_says_of_itself() {
    let of = |more: &str| system(&format!("{{ {more}, forbid: {{ from: a, to: b }} }}"), &["a > b"]);
    let told = words(&of("name: no shortcuts, reason: ask first"));
    assert!(told.contains("`a` must not depend on `b` (contract `no shortcuts`)"), "{told}");
    assert!(told.contains("the contract's reason: ask first"), "{told}");
    check(&of("level: info"), &["info forbidden-dependency"]);
    check(&of("level: allow"), &[]);
    // The contract's own level goes before the rule's; without one the rule's holds.
    let rule = |yaml: &str, level: &str| {
        yaml.replace("lint: {", &format!("lint: {{ rules: {{ forbidden-dependency: {level} }},"))
    };
    check(&rule(&of("level: info"), "warning"), &["info forbidden-dependency"]);
    check(&rule(&of("level: warning"), "error"), &["warning forbidden-dependency"]);
    check(&rule(&of("name: n"), "warning"), &["warning forbidden-dependency"]);
    check(&rule(&of("level: error"), "allow"), &[]);
}
