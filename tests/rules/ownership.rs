//! Guards of the rules of `ownership`.

use crate::support::{check, words};

#[test]
fn guards_of_missing_owner() {
    let found = ["info missing-owner"];
    let system = |top: &str, a: &str, b: &str| {
        format!("{top}\nservices: {{ a: {{ dependencies: [b], {a} }}, b: {{ {b} }} }}")
    };
    check(&system("", "owner: x", ""), &found);
    check(&system("", "owner: x", "owner: y"), &[]);
    // A document without teams does not speak of them.
    check(&system("", "", ""), &[]);
    check(&system("", "owner: x", "external: true"), &[]);
    check(&system("defaults: { service: { owner: x } }", "", ""), &[]);
    // One by one: reporters put them together.
    check("services: { a: { owner: x, dependencies: [b, c] }, b: {}, c: {} }", &["info missing-owner"; 2]);
}

#[test]
fn guards_of_team_coupling() {
    let found = ["info team-coupling"];
    let system = |edges: &[(&str, &str, &str)], about: &[(&str, &str)]| {
        let ids: std::collections::BTreeSet<_> = edges.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        let lines = ids.iter().map(|id| {
            let calls = edges.iter().filter(|(from, ..)| from == id);
            let calls: Vec<_> = calls
                .map(|(_, to, how)| format!("{{ call: {to}, timeout: 1s, propagate_deadline: true, {how} }}"))
                .collect();
            let more = about.iter().find(|(of, _)| of == id).map_or("", |(_, about)| about);
            let team = id.chars().next().unwrap();
            format!(
                "  {id}: {{ owner: {team}, {more} endpoints: {{ E: {{ calls: [{}] }} }} }}\n",
                calls.join(", ")
            )
        });
        format!("services:\n{}", lines.collect::<String>())
    };
    let both = [("x1", "y1", ""), ("x1", "y2", ""), ("y1", "x2", ""), ("y2", "x3", "")];
    check(&system(&both, &[]), &found);
    // One connection in the lesser direction is fine, however many calls it has.
    check(&system(&[both[0], both[1], both[2]], &[]), &[]);
    check(&system(&[both[0], both[1], both[2], both[2]], &[]), &[]);
    let lint =
        format!("lint: {{ rules: {{ team-coupling: {{ max: 0 }} }} }}\n{}", system(&[both[0], both[2]], &[]));
    check(&lint, &found);
    // One way is what layers are.
    check(&system(&[both[0], both[1]], &[]), &[]);
    // What is survived or not waited for does not couple.
    for how in ["optional: true", "fallback: static", "protocol: message_queue"] {
        check(&system(&[both[0], both[1], ("y1", "x2", how), both[3]], &[]), &[]);
    }
    for kind in ["kind: gateway,", "kind: bff,"] {
        check(&system(&both, &[("x1", kind)]), &[]);
    }
    check(&system(&both, &[("x2", "tags: [platform],")]), &[]);
    check(&system(&both, &[("x2", "external: true,")]), &[]);
    let said = words(&system(&[both[0], both[1], ("x1", "y3", ""), both[2], both[3]], &[]));
    assert!(said.contains("teams `x` and `y` need each other, 3 and 2 connections"), "{said}");
    assert_eq!(said.lines().nth(1), Some("`y1` of `y` needs `x2`"), "the lesser direction is told first");
}

#[test]
fn what_is_broken_is_not_judged_for_what_it_lacks() {
    // Each for its own mistakes, not for those of another.
    let of = |a: &str, b: &str| {
        format!("services:\n  a: {{ owner: x, dependencies: [b], {a} }}\n  b: {{ {b} }}\n")
    };
    let error = "error unknown-field";
    check(&of("colour: red", "ownr: y"), &[error, error]);
    check(&of("", "ownr: y"), &[error]);
    check(&of("colour: red", "tags: [y]"), &[error, "info missing-owner"]);
    check(&of("", "tags: [y]"), &["info missing-owner"]);
}
