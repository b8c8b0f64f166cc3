//! What documents mean: edges, instances, handlers, and what is said when names cannot be resolved.

#![expect(clippy::unwrap_used, reason = "a system that cannot be read has failed")]

use loadpath::finding::Finding;
use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};

/// Reads and builds a system of several files, all of them named.
fn system(files: &[(&str, &str)]) -> (Architecture, Vec<Finding>) {
    let loader = MemoryLoader::new(files.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = files.iter().map(|(name, _)| reader.root(name).unwrap()).collect();
    let (documents, _) = import::read(&mut reader, Input { roots, ..Input::default() });
    let mut findings = std::mem::take(&mut reader.findings);
    let (arch, unresolved) = build(&documents);
    findings.extend(unresolved);
    (arch, findings)
}

fn check(text: &str) -> (Architecture, Vec<Finding>) {
    system(&[("loadpath.yaml", text)])
}

/// `rule: message; help` of each finding.
fn said(findings: &[Finding]) -> Vec<String> {
    let line = |f: &Finding| format!("{}: {}; {}", f.rule.id, f.message, f.help.join("; "));
    findings.iter().map(line).collect()
}

#[test]
fn events_name_instances_that_exist() {
    let system = "services:\n  cart: { replicas: 2, endpoints: [GET /] }\n  a/b: { endpoints: [GET /] }\n  \
                  many: { endpoints: [GET /], instances: [{ id: green }, { id: red }] }\n\
                  datastores:\n  db: { kind: postgres, replicas: 3 }\nqueues:\n  q: {}\n";
    for (target, instance, expected) in [
        ("cart", Some(None), ""),
        ("cart/1", Some(Some(1)), ""),
        ("many/red", Some(Some(1)), ""),
        ("many/0", Some(Some(0)), ""),
        ("a/b", Some(None), ""),
        ("a/b/0", Some(Some(0)), ""),
        ("db/2", Some(Some(2)), ""),
        ("cart/2", None, "has no instance `2`; `cart` has instances 0 to 1"),
        ("cart/blue", None, "has no instance `blue`; `cart` has instances 0 to 1"),
        ("many/rod", None, "did you mean `many/red`?"),
        ("a/b/1", None, "`a/b` has one instance, 0"),
        ("q", None, "events happen to services and datastores"),
        ("crat/1", None, "did you mean `cart`?"),
    ] {
        let text = format!(
            "{system}scenarios:\n  s:\n    events:\n      - {{ at: 1s, kill: {{ target: {target} }} }}\n"
        );
        let (arch, findings) = check(&text);
        assert_eq!(arch.scenarios[0].events.first().map(|e| e.target.instance), instance, "{target}");
        let said = said(&findings);
        let fits =
            if expected.is_empty() { said.is_empty() } else { said.len() == 1 && said[0].contains(expected) };
        assert!(fits, "{target}: {said:?}");
        assert!(said.iter().all(|s| s.starts_with("undefined-service")), "{said:?}");
    }
}

#[test]
fn handlers_inherit_as_endpoints_do() {
    for (defaults, service, own, expected) in [
        ("latency: { mean: 3ms }, error_rate: 4%", "", "", (true, Some(0.04))),
        ("error_rate: 4%", "error_rate: 2%,", "", (false, Some(0.02))),
        ("error_rate: 4%", "error_rate: 2%,", "error_rate: 1%", (false, Some(0.01))),
        ("tier: 1", "", "", (false, None)),
    ] {
        let (arch, findings) = check(&format!(
            "defaults: {{ service: {{ {defaults} }} }}\nqueues:\n  q: {{}}\nservices:\n  s: {{ {service} consumes: {{ q: {{ {own} }} }} }}\n"
        ));
        assert!(findings.is_empty(), "{:?}", said(&findings));
        let handler = arch.endpoints().find_map(|at| arch.endpoint(at)).unwrap();
        assert_eq!((handler.latency.is_some(), handler.error_rate.map(|e| e.fraction())), expected);
    }
}

#[test]
fn a_backoff_needs_no_base() {
    for (backoff, expected) in [
        ("max: 1ms, jitter: none", (1, 1)),
        ("max: 100ms", (25, 100)),
        ("jitter: none", (25, 250)),
        ("base: 10ms", (10, 100)),
    ] {
        let (arch, _) = check(&format!(
            "services:\n  b: {{ endpoints: [GET /] }}\n  a:\n    endpoints:\n      GET /:\n        calls:\n          \
             - {{ call: b, retry: {{ num_retries: 2, backoff: {{ {backoff} }} }} }}\n"
        ));
        let (base, max) = arch.edges().next().unwrap().1.backoff().unwrap();
        assert_eq!((base.0 / 1_000_000, max.0 / 1_000_000), expected, "{backoff}");
    }
}

#[test]
fn what_a_communication_adds_to_a_dependency_counts() {
    let text = "services:\n  web: { dependencies: [cart] }\n  cart: {}\n\
        communications:\n  - { from: web, to: cart, optional: true, times: 3, probability: 50%, protocol: message_queue }\n";
    let (documents, _, findings) = loadpath::spec::read_text("a.yaml", text);
    let (arch, unresolved) = loadpath::model::build(&documents);
    assert!(findings.is_empty() && unresolved.is_empty());
    let (_, edge) = arch.edges().next().unwrap();
    assert_eq!(arch.graph.edge_count(), 1);
    assert_eq!((edge.times, edge.probability, edge.is_sync_call()), (3, 0.5, false));
    assert!(edge.optional.is_some_and(|o| o.value));
}
