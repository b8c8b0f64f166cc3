//! Fixes mend what they are about and nothing else.

mod support;

use loadpath::finding::apply_fixes;
use support::judge::judge;

/// Applies the fixes of a document once; checks that nothing is left to fix and that no finding is new.
fn check(before: &str, after: &str) {
    let judged = judge(&[("shop.yaml", before)]);
    let fixed = apply_fixes(&judged.findings, &judged.sources);
    let texts: Vec<&str> = fixed.iter().map(|f| f.text.as_str()).collect();
    if before == after {
        assert!(texts.is_empty(), "{before}\n{texts:?}");
        return;
    }
    assert_eq!(texts, [after]);
    let again = judge(&[("shop.yaml", after)]);
    assert!(again.findings.iter().all(|f| f.fix.is_none()), "{after}");
    let known: Vec<String> = judged.findings.iter().map(|f| f.fingerprint()).collect();
    let new = again.findings.iter().find(|f| !known.contains(&f.fingerprint()));
    assert!(new.is_none(), "{after}\n{:?}", again.lines());
}

/// A service with this line in it, and one that it calls.
fn line(line: &str) -> String {
    format!("services:\n  web:\n    {line}\n    dependencies: [cart]\n  cart: {{}}\n")
}

#[test]
fn words_in_another_spelling() {
    for (wrong, right) in [
        ("healthCheck: { path: /healthz }", "health_check: { path: /healthz }"),
        ("\"health-check\": none", "\"health_check\": none"),
        ("kind: Gateway", "kind: gateway"),
        ("kind: \"GATEWAY\"", "kind: \"gateway\""),
        ("external: yes", "external: true"),
        ("external: \"false\"", "external: false"),
        ("replicas: \"3\"", "replicas: 3"),
        ("replicas: '03'", "replicas: 3"),
    ] {
        check(&line(wrong), &line(right));
    }
    check(&line("kind: bff").replace("[cart]", "[Cart]"), &line("kind: bff"));
}

#[test]
fn what_may_be_meant_otherwise_is_left() {
    for doubtful in [
        "kin: gateway",
        "kind: gatewy",
        "replicas: \"0\"",
        "replicas: \"many\"",
        "external: maybe",
        // Both spellings are there: which one counts is not for us to say.
        "health_check: none\n    healthCheck: none",
    ] {
        check(&line(doubtful), &line(doubtful));
    }
    check(&line("kind: bff").replace("[cart]", "[card]"), &line("kind: bff").replace("[cart]", "[card]"));
}

#[test]
fn comments_that_suppress_nothing() {
    let idle = "# loadpath: allow[orphan-service] gone since May";
    check(&line(&format!("replicas: 2 {idle}")), &line("replicas: 2"));
    check(&line(&format!("{idle}\n    replicas: 2")), &line("replicas: 2"));
    let expired = "# loadpath: allow[orphan-service] until 2020-01-31 gone";
    check(&line(&format!("replicas: 2   {expired}")), &line("replicas: 2"));
    // At the end of the file, without and with another line.
    let text = line("kind: bff");
    check(&format!("{text}{idle}"), &text);
    check(&format!("{text}{idle}\r\n"), &text);
    // One of several: the others stay.
    let lonely = |names: &str| {
        format!(
            "services:\n  a: {{}} # loadpath: allow[{names}] why\n  b: {{ dependencies: [c] }}\n  c: {{}}\n"
        )
    };
    check(&lonely("high-fan-out, orphan-service, request-loop"), &lonely("orphan-service"));
    check(&lonely("orphan-service,request-loop"), &lonely("orphan-service"));
    check(&lonely("orphan-service"), &lonely("orphan-service"));
}
