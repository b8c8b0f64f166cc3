//! What documents mean: edges, instances, handlers, and what is said when names cannot be resolved.

#![expect(clippy::unwrap_used, reason = "a system that cannot be read has failed")]

use loadpath::finding::Finding;
use loadpath::import::{self, Input};
use loadpath::model::{Architecture, EdgeKind, EndpointRef, build, edges_of};
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
fn a_channel_nobody_defines_takes_no_calls_from_the_next_handler() {
    let (arch, findings) = check(
        "services:\n  cart: { endpoints: [GET /, POST /] }\n  a:\n    consumes:\n      gone: { calls: [{ call: cart GET / }] }\n      q: { calls: [{ call: cart POST / }] }\nqueues:\n  q: {}\n",
    );
    assert_eq!(said(&findings).len(), 1, "{findings:?}");
    let (_, _, a) = arch.services().find(|(_, node, _)| node.id.value == "a").unwrap();
    let [handler] = a.endpoints.as_slice() else { panic!("{:?}", a.endpoints) };
    let [loadpath::model::Step::Edge(edge)] = handler.steps.as_slice() else { panic!("{:?}", handler.steps) };
    assert_eq!(arch.graph[*edge].to_endpoint, Some(1), "POST / is what is called");
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

/// The one call of a system in which `a` calls `b`, with `call` on it and `rest` beside the services.
fn resolved(call: &str, rest: &str) -> (Architecture, Vec<Finding>) {
    let text = format!(
        "services:\n  a: {{ endpoints: {{ GET /: {{ calls: [{{ call: b GET /, {call} }}] }} }} }}\n  \
         b: {{ endpoints: [GET /] }}\n{rest}"
    );
    check(&text)
}

#[test]
fn a_preset_is_the_weakest_layer_that_was_written() {
    // What Envoy's documentation gives for a route that says nothing, and for a declared block.
    let seconds = |arch: &Architecture| {
        arch.edges().next().and_then(|(_, edge)| edge.timeout().map(|t| t.value.0 / 1_000_000_000))
    };
    for (call, rest, expected) in [
        ("preset: envoy", "", Some(15)),
        ("preset: hystrix", "", Some(1)),
        ("preset: istio", "", None),
        ("preset: envoy, timeout: 3s", "", Some(3)),
        ("preset: envoy, timeout: none", "", None),
        ("preset: envoy", "defaults: { call: { timeout: 4s } }\n", Some(4)),
        ("optional: false", "upstreams: { b: { preset: envoy } }\n", Some(15)),
        ("preset: istio", "upstreams: { b: { preset: envoy } }\n", None),
    ] {
        let (arch, findings) = resolved(call, rest);
        assert!(findings.is_empty(), "{call}: {:?}", said(&findings));
        assert_eq!(seconds(&arch), expected, "{call} {rest}");
    }
}

const MS: u64 = 1_000_000;

#[test]
fn a_preset_completes_what_is_declared_and_declares_nothing() {
    let facts = |call: &str| {
        let (arch, findings) = resolved(call, "");
        assert!(findings.is_empty(), "{call}: {:?}", said(&findings));
        let (_, edge) = arch.edges().next().unwrap();
        let retry =
            edge.retry().map(|_| (edge.attempts(), edge.backoff().map(|(base, max)| (base.0, max.0))));
        let budget = edge.retry().is_some_and(|r| r.budget.is_some());
        let outliers = edge.policy.outlier_detection.as_ref().and_then(|o| o.value.on());
        let interval = outliers.and_then(|o| o.interval).map(|i| i.value.0);
        (retry, budget, interval)
    };
    assert_eq!(facts("preset: envoy"), (None, false, None));
    let declared = facts("preset: envoy, retry: {}, outlier_detection: { consecutive_5xx: 2 }");
    assert_eq!(declared, (Some((2, Some((25 * MS, 250 * MS)))), false, Some(10_000 * MS)));
    assert!(facts("preset: envoy, retry: { budget: {} }").1);
    assert!(facts("preset: linkerd, retry: {}").1, "its retries have a budget");
    assert_eq!(facts("preset: envoy, retry: none").0, None);
    // resilience4j counts the first attempt in: three of them.
    assert_eq!(facts("preset: resilience4j, retry: {}").0, Some((3, Some((500 * MS, 500 * MS)))));
    assert_eq!(facts("preset: istio").0, Some((3, Some((25 * MS, 250 * MS)))));
}

#[test]
fn a_breaker_of_one_kind_takes_nothing_from_a_preset_of_the_other() {
    let breaker = |call: &str| {
        let (arch, _) = resolved(call, "");
        let edge = arch.edges().next().unwrap().1;
        let found = edge.breaker().unwrap();
        let consecutive = found.failure_threshold.map(|t| t.value.0);
        let rate = found.failure_rate_threshold.map(|t| (t.value.fraction() * 100.0).round() as u32);
        (
            consecutive,
            rate,
            found.minimum_calls.map(|m| m.value.0),
            found.open_duration.map(|d| d.value.0 / 1_000_000_000),
        )
    };
    assert_eq!(breaker("preset: resilience4j"), (None, Some(50), Some(100), Some(60)));
    assert_eq!(
        breaker("preset: polly, circuit_breaker: { failure_threshold: 3 }"),
        (Some(3), None, None, Some(5))
    );
    assert_eq!(
        breaker("preset: gobreaker, circuit_breaker: { failure_rate_threshold: 50% }"),
        (None, Some(50), None, Some(60))
    );
    assert_eq!(
        breaker("preset: polly, circuit_breaker: { minimum_calls: 7 }"),
        (None, Some(10), Some(7), Some(5))
    );
}

#[test]
fn a_breaker_of_one_kind_takes_nothing_from_defaults_of_the_other() {
    let below = "defaults: { call: { circuit_breaker: { failure_threshold: 5, open_duration: 9s } } }\n";
    let (arch, _) = resolved("circuit_breaker: { failure_rate_threshold: 50% }", below);
    let breaker = arch.edges().next().unwrap().1.breaker().unwrap().clone();
    assert!(breaker.failure_threshold.is_none() && breaker.failure_rate_threshold.is_some());
    assert_eq!(breaker.open_duration.map(|d| d.value.0), Some(9_000 * MS));
    let below = "defaults: { call: { circuit_breaker: { window: { duration: 30s } } } }\n";
    let (arch, _) =
        resolved("circuit_breaker: { failure_rate_threshold: 50%, window: { calls: 20 } }", below);
    let breaker = arch.edges().next().unwrap().1.breaker().unwrap().clone();
    assert!(breaker.window.unwrap().value.duration.is_none());
}

#[test]
fn what_a_preset_brings_stands_at_its_name() {
    let (arch, _) = resolved("preset: envoy", "");
    let timeout = arch.edges().next().unwrap().1.timeout().unwrap().span;
    assert_eq!(timeout, arch.edges().next().unwrap().1.policy.preset.unwrap().span);
    let origin = arch.layers.origin(timeout);
    assert_eq!(origin, loadpath::model::Origin::Inherited("the preset `envoy`".to_owned()));
}

#[test]
fn how_a_service_is_reached_is_said_once() {
    let (_, findings) = system(&[
        ("a.yaml", "services:\n  a: { endpoints: [GET /] }\nupstreams: { a: { timeout: 1s } }\n"),
        ("b.yaml", "upstreams: { a: { timeout: 2s } }\n"),
    ]);
    let expected = "duplicate-definition: how `a` is reached is said twice; \
                    say it in one place for all callers, or on the calls themselves";
    assert_eq!(said(&findings), [expected]);
}

#[test]
fn an_endpoint_that_says_more_of_a_dependency_is_the_one_that_has_it() {
    // What each endpoint does, as the ids of its edges.
    let steps = |communications: &str| {
        let (arch, findings) = check(&format!(
            "services:\n  web: {{ dependencies: [cart], endpoints: [A, B] }}\n  cart: {{ endpoints: [Add, Get] }}\n\
             communications:\n{communications}"
        ));
        assert!(findings.is_empty(), "{:?}", said(&findings));
        let web = arch.find("web").unwrap();
        let of = |endpoint: usize| {
            let mut ids = Vec::new();
            edges_of(&arch.endpoint(EndpointRef { service: web, endpoint }).unwrap().steps, &mut |e| {
                ids.push(arch.edge_id(e));
            });
            ids.join(", ")
        };
        let common = arch.graph[web].service().unwrap().common.len();
        (of(0), of(1), common, arch.graph.edge_count())
    };
    let all = |a: &str, b: &str, common, edges| (a.to_owned(), b.to_owned(), common, edges);
    let from_a = "  - { from: web A, to: cart Add, timeout: 1s }\n";
    let from_b = "  - { from: web B, to: cart Get, timeout: 1s }\n";
    assert_eq!(
        steps("  - { from: web, to: cart, timeout: 1s }\n"),
        all("web → cart", "web → cart", 1, 1),
        "all of it"
    );
    assert_eq!(steps(from_a), all("web A → cart Add", "", 0, 1), "once, by the one that is named");
    assert_eq!(steps(&format!("{from_a}{from_b}")), all("web A → cart Add", "web B → cart Get", 0, 2));
    let again = "  - { from: web A, to: cart Get }\n";
    assert_eq!(steps(&format!("{from_a}{again}")), all("web A → cart Add, web A → cart Get", "", 0, 2));
}

#[test]
fn a_communication_from_a_queue_has_a_handler() {
    let text = |to: &str| {
        format!(
            "queues: {{ orders: {{}} }}\nservices:\n  mailer: {{ latency: {{ mean: 3ms }}, endpoints: [Ping] }}\n\
             communications:\n  - {{ from: orders, to: {to} }}\n"
        )
    };
    let (arch, findings) = check(&text("mailer"));
    assert!(findings.is_empty(), "{:?}", said(&findings));
    let handlers: Vec<_> =
        arch.endpoints().filter(|at| arch.endpoint(*at).unwrap().consumes.is_some()).collect();
    let [handler] = handlers[..] else { panic!("{handlers:?}") };
    assert_eq!(arch.endpoint_id(handler), "mailer orders");
    assert!(arch.endpoint(handler).unwrap().latency.is_some(), "the service's own");
    let (_, edge) = arch.edges().next().unwrap();
    assert_eq!((edge.kind, edge.to_endpoint), (EdgeKind::Consume, Some(handler.endpoint)));
    // Said twice it is the same handler.
    let twice = text("mailer").replace("latency:", "consumes: { orders: { group: g } }, latency:");
    let (arch, findings) = check(&twice);
    assert_eq!((arch.graph.edge_count(), findings.len()), (1, 0));
    let (_, findings) = check(&text("mailer Ping"));
    let expected = "invalid-value: messages of `orders` reach no endpoint: `mailer` handles them; write \
                    `to: mailer`, and what it does with them under its `consumes: { orders: … }`";
    assert_eq!(said(&findings), [expected]);
}

#[test]
fn aliases_lead_somewhere() {
    let services = "services: { web: {}, cart: {} }\n";
    for (aliases, expected) in [
        ("{ shop: web, basket: cart, Shop: web }", &[][..]),
        ("{ shop: wbe }", &["undefined-service: no service is called `wbe`; did you mean `web`?"]),
        (
            "{ shop: web, front: shop }",
            &["undefined-service: the alias `front` stands for another alias, `shop`; write `web`"],
        ),
        (
            "{ web: cart }",
            &[
                "duplicate-definition: `web` is defined, and an alias of `cart`; remove the alias, or the definition",
            ],
        ),
        ("{ a: a }", &["undefined-service: no service is called `a`; define it as a service"]),
    ] {
        let (_, findings) = check(&format!("{services}aliases: {aliases}\n"));
        assert_eq!(said(&findings), expected, "{aliases}");
    }
    let two = [
        ("a.yaml", "services: { web: {}, cart: {} }\naliases: { shop: web }\n"),
        ("b.yaml", "aliases: { shop: cart }\n"),
    ];
    let expected = "duplicate-definition: the alias `shop` stands for two; give one of them another name";
    assert_eq!(said(&system(&two).1), [expected]);
}

#[test]
fn instances_have_names_of_their_own() {
    let (_, findings) =
        check("services: { web: { instances: [{ id: a }, { id: b }, { id: a }, {}, {}] } }\n");
    let expected = "duplicate-definition: `web` has two instances called `a`; give each an `id` of its own";
    assert_eq!(said(&findings), [expected]);
}

#[test]
fn a_marked_definition_lies_on_top_of_an_import() {
    let compose = "services: { web: { image: web }, cart: { image: cart } }\n";
    let own = |id: &str| format!("services: {{ {id}: {{ overlay: true, owner: shop, replicas: 5 }} }}\n");
    let (arch, findings) = system(&[("a.yaml", &own("web")), ("docker-compose.yml", compose)]);
    assert!(findings.is_empty(), "{:?}", said(&findings));
    let web = &arch.graph[arch.find("web").unwrap()];
    assert_eq!(web.owner.as_ref().map(|o| o.value.as_str()), Some("shop"));
    assert_eq!((web.service().unwrap().replicas.map(|r| r.value), arch.graph.node_count()), (Some(5), 2));
    let (_, findings) = system(&[("a.yaml", &own("wbe")), ("docker-compose.yml", compose)]);
    let expected =
        "invalid-value: `wbe` lies on top of nothing: no other file defines it; did you mean `web`?";
    assert_eq!(said(&findings), [expected]);
}

#[test]
fn a_latency_is_not_one_number() {
    let (_, findings) = check("services: { web: { latency: 5ms } }\n");
    let expected = "invalid-value: `latency` wants a mapping, found `5ms`; write `latency: { p50: 5ms }`";
    assert_eq!(said(&findings), [expected]);
}

#[test]
fn a_datastore_that_sends_something_consumes_nothing() {
    let text = "
services: { cart: {} }
datastores: { orders: { kind: postgres }, copy: { kind: postgres } }
topics: { changes: {} }
communications:
  - { from: orders, to: cart }
  - { from: orders, to: changes }
  - { from: orders, to: copy }
  - { from: changes, to: cart }
";
    let arch = loadpath::model::from_text("shop.yaml", text).unwrap();
    let kinds: Vec<_> = arch.graph.edge_weights().map(|edge| edge.kind).collect();
    assert_eq!(kinds, [EdgeKind::Call, EdgeKind::Publish, EdgeKind::Read, EdgeKind::Consume]);
}
