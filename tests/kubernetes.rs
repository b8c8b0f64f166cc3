//! The Kubernetes importer: small systems of our own, kind of evidence by kind of evidence, and mutated
//! texts.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use proptest::prelude::*;

/// What files said, as text.
struct Said {
    arch: Architecture,
    notes: Vec<String>,
    findings: Vec<String>,
}

fn read(files: &[(&str, &str)]) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = files.iter().filter_map(|(name, _)| reader.root(name)).collect();
    let (documents, notes) = import::read(&mut reader, Input { roots, ..Input::default() });
    let (arch, unresolved) = build(&documents);
    let findings = reader.findings.iter().chain(&unresolved).map(|f| {
        let at = reader.sources.locate(f.primary.span);
        format!("{} {}:{} {}", f.rule.id, at.line, at.column, f.message)
    });
    Said { findings: findings.collect(), arch, notes }
}

impl Said {
    /// `from>to`, sorted.
    fn edges(&self) -> Vec<String> {
        let graph = &self.arch.graph;
        let mut all: Vec<_> = graph
            .edge_indices()
            .map(|edge| {
                let (from, to) = graph.edge_endpoints(edge).unwrap();
                format!("{}>{}", graph[from].id.value, graph[to].id.value)
            })
            .collect();
        all.sort();
        all
    }

    fn nodes(&self) -> Vec<String> {
        self.arch.graph.node_weights().map(|node| node.id.value.clone()).collect()
    }

    /// What shows each edge, sorted.
    fn evidence(&self) -> Vec<String> {
        let all =
            self.arch.graph.edge_weights().flat_map(|e| e.evidence.iter().map(|e| e.source.to_string()));
        let mut all: Vec<_> = all.collect();
        all.sort();
        all
    }
}

/// A workload of a name whose pods have the label `app` and one container.
fn workload(name: &str, app: &str, container: &str) -> String {
    format!(
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name} }}\nspec:\n  template:\n    metadata: {{ labels: {{ app: {app} }} }}\n    spec:\n      containers:\n        - name: main\n          image: x/{name}\n{container}"
    )
}

fn service(name: &str, app: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec: {{ selector: {{ app: {app} }} }}\n"
    )
}

fn env(name: &str, value: &str) -> String {
    format!("          env:\n            - {{ name: {name}, value: \"{value}\" }}\n")
}

fn one(text: &str) -> Said {
    read(&[("all.yaml", text)])
}

#[test]
fn a_service_is_what_callers_know() {
    let text = [
        workload("web", "web", &env("R", "http://reviews:9080")),
        workload("reviews-v1", "reviews", ""),
        workload("reviews-v2", "reviews", ""),
        service("reviews", "reviews"),
        service("web-external", "web"),
        service("web", "web"),
    ]
    .concat();
    let said = one(&text);
    assert_eq!(said.nodes(), ["web", "reviews"]);
    assert_eq!(said.edges(), ["web>reviews"]);
    assert_eq!(said.evidence(), ["environment R"]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
}

#[test]
fn hosts_of_all_lengths_in_every_channel() {
    let hosts = [
        ("cart", true),
        ("cart.default", true),
        ("cart.default.svc", true),
        ("cart.default.svc.cluster.local", true),
        ("cart-0.cart", true),
        ("cart.other", false),
        ("other.default.svc.cluster.local", false),
    ];
    for (host, known) in hosts {
        let told = [
            env("CART_ADDR", &format!("{host}:70")),
            env("CART_HOST", host),
            format!("          args: [\"--cart=http://{host}:70/x\"]\n"),
        ];
        for channel in told {
            let text =
                [workload("web", "web", &channel), workload("cart", "cart", ""), service("cart", "cart")];
            let edges = one(&text.concat()).edges();
            assert_eq!(edges, if known { vec!["web>cart"] } else { vec![] }, "{channel}");
        }
    }
}

#[test]
fn references_to_variables_are_put_in() {
    let env = "          env:\n            - { name: H, value: cart }\n            - { name: CART_URL, value: \"http://$(H):$(CART_SERVICE_PORT)/\" }\n          args: [\"-c\", \"http://$(USER_SERVICE_HOST)\"]\n";
    let text = [
        workload("web", "web", env),
        workload("cart", "cart", ""),
        service("cart", "cart"),
        workload("user", "user", ""),
        service("user", "user"),
    ];
    assert_eq!(one(&text.concat()).edges(), ["web>cart", "web>user"]);
}

#[test]
fn maps_tell_whoever_takes_them() {
    let map = "---\ndata:\n  CART_URL: http://cart\n  nginx.conf: |\n    # proxy_pass http://web;\n    location / { proxy_pass http://user:80; }\nkind: ConfigMap\napiVersion: v1\nmetadata: { name: m }\n";
    let rest = [
        workload("cart", "cart", ""),
        service("cart", "cart"),
        workload("user", "user", ""),
        service("user", "user"),
        map.to_owned(),
    ]
    .concat();
    let key = "          env:\n            - { name: C, valueFrom: { configMapKeyRef: { name: m, key: CART_URL } } }\n            - { name: D, valueFrom: { configMapKeyRef: { name: gone, key: X, optional: true } } }\n";
    assert_eq!(one(&(workload("web", "web", key) + &rest)).edges(), ["web>cart"]);

    let whole = "          envFrom: [{ configMapRef: { name: m } }]\n";
    let mounted = "          volumeMounts: [{ name: v, mountPath: /etc/nginx/nginx.conf, subPath: nginx.conf }]\n      volumes: [{ name: v, configMap: { name: m } }]\n";
    let said = one(&(workload("web", "web", mounted) + &rest));
    assert_eq!(said.edges(), ["web>user"]);
    assert_eq!(said.evidence(), ["config nginx.conf proxy_pass"]);
    assert_eq!(one(&(workload("web", "web", whole) + &rest)).edges(), ["web>cart", "web>user"]);
    // A map that two take whole is meant for one of them at least: nobody says which.
    let both = workload("web", "web", whole) + &workload("shop", "shop", whole) + &rest;
    let said = one(&both);
    assert!(said.edges().is_empty(), "{:?}", said.edges());
    let pairs = "web → cart, web → user, shop → cart, shop → user";
    assert!(said.notes.iter().any(|n| n.ends_with(pairs)), "{:?}", said.notes);
}

#[test]
fn nothing_is_invented() {
    let text = [
        workload("orders", "orders", &env("POSTGRES_USER", "user")),
        workload("user", "user", &env("SELF", "http://user/health")),
        service("user", "user"),
        workload("web", "web", &env("ASSISTANT_ADDR", "assistant:80")),
    ];
    let said = one(&text.concat());
    assert!(said.edges().is_empty(), "{:?}", said.edges());
    assert_eq!(said.nodes(), ["orders", "user", "web"]);
    let dangling = "`web` is told of `assistant` (ASSISTANT_ADDR), which these files do not define";
    assert!(said.notes.iter().any(|n| n == dangling), "{:?}", said.notes);
    assert!(said.notes.iter().any(|n| n.contains("edges cannot be known")), "{:?}", said.notes);
}

#[test]
fn lists_and_empty_documents() {
    let text = "---\n# only words\n---\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: { name: p, labels: { app: p } }\n  spec: { containers: [{ name: c, image: redis }] }\n- apiVersion: v1\n  kind: Service\n  metadata: { name: cache }\n  spec: { selector: { app: p } }\n---\n";
    let said = one(text);
    assert_eq!(said.nodes(), ["cache"]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
}

#[test]
fn istio_rules_become_policies() {
    let rules = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: d }\nspec:\n  host: cart.default.svc.cluster.local\n  trafficPolicy:\n    loadBalancer: { simple: RANDOM }\n    outlierDetection: { consecutive5xxErrors: 7, interval: 3s, maxEjectionPercent: 30 }\n    connectionPool: { tcp: { maxConnections: 9 } }\n---\napiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nmetadata: { name: v }\nspec:\n  hosts: [cart]\n  http:\n  - match: [{ uri: { exact: /x } }]\n    timeout: 9s\n    route: [{ destination: { host: gone } }]\n  - timeout: 2s\n    retries: { attempts: 4, perTryTimeout: 500ms, retryOn: \"gateway-error,connect-failure,503\" }\n    route: [{ destination: { host: cart } }]\n";
    let text = [
        workload("web", "web", &env("CART_ADDR", "cart:70")),
        workload("cart", "cart", ""),
        service("cart", "cart"),
        rules.to_owned(),
    ];
    let said = one(&text.concat());
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    let edge = said.arch.graph.edge_weights().next().unwrap();
    let policy = &edge.policy;
    let timeout = policy.timeout.as_ref().and_then(|t| t.value.on()).unwrap();
    assert_eq!(timeout.to_string(), "2s");
    for note in [
        "VirtualService `v` routes to `gone`, which these files do not define",
        "VirtualService `v`: `timeout of a route with a match` has no counterpart here and is left out",
    ] {
        assert!(said.notes.iter().any(|n| n == note), "{note}: {:?}", said.notes);
    }
}

#[test]
fn of_an_object_that_is_there_twice_the_last_counts() {
    let text = [
        workload("web", "web", &env("A_HOST", "cart")),
        workload("web", "web", &env("B_HOST", "user")),
        service("cart", "cart"),
        service("user", "user"),
        service("cart", "cart"),
    ];
    let said = one(&text.concat());
    assert_eq!(said.nodes(), ["web", "cart", "user"]);
    assert_eq!(said.edges(), ["web>user"]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    let note = "there more than once, and the last counts: Deployment `web`, Service `cart`";
    assert!(said.notes.iter().any(|n| n == note), "{:?}", said.notes);
}

#[test]
fn a_later_variable_of_a_name_counts() {
    let variables = "          env:
            - { name: A_HOST, value: cart }
            - { name: A_HOST, value: user }
            - { name: B_URL, value: \"http://$$(A_HOST)\" }
            - { name: C_URL, value: \"http://$(A_HOST)/$(NOBODY)\" }
";
    let said =
        one(&[workload("web", "web", variables), service("cart", "cart"), service("user", "user")].concat());
    assert_eq!(said.edges(), ["web>user"]);
    assert_eq!(said.evidence(), ["environment A_HOST", "environment C_URL"]);
    let web = said.arch.graph.node_weights().find(|n| n.id.value == "web").unwrap();
    let host = web
        .environment()
        .iter()
        .find(|(name, _)| name.value == "A_HOST")
        .map(|(_, value)| value.value.clone());
    assert_eq!(host.as_deref(), Some("user"));
}

#[test]
fn autoscalers_follow_the_processor_first() {
    for (metrics, expected, notes) in [
        (
            "[{type: Resource, resource: {name: memory, target: {averageUtilization: 60}}}, {type: Resource, resource: {name: cpu, target: {averageUtilization: 70}}}]",
            Some(0.7),
            0,
        ),
        ("[{type: Resource, resource: {name: memory, target: {averageUtilization: 60}}}]", Some(0.6), 0),
        ("[{type: Resource, resource: {name: cpu, target: {averageUtilization: 150}}}]", None, 1),
    ] {
        let scaler = format!("---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{ name: web }}
spec: {{ scaleTargetRef: {{ kind: Deployment, name: web }}, minReplicas: 1, maxReplicas: 4, metrics: {metrics} }}
");
        let said = one(&(workload("web", "web", "") + &scaler));
        assert!(said.findings.is_empty(), "{:?}", said.findings);
        let node = said.arch.graph.node_weights().next().unwrap();
        let scaling = node.service().unwrap().autoscaling.as_ref().unwrap().value.clone();
        assert_eq!(scaling.target_utilization.map(|t| t.value.fraction()), expected, "{metrics}");
        assert_eq!(said.notes.iter().filter(|n| n.contains("averageUtilization above 100")).count(), notes);
    }
}

#[test]
fn nothing_of_istio_is_lost_in_silence() {
    let rules = "---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart }
spec:
  host: cart
  exportTo: [\".\"]
  trafficPolicy:
    tls: { mode: MUTUAL, sni: x }
    loadBalancer: { simple: RANDOM, localityLbSetting: { enabled: true }, warmup: { duration: 30s, aggression: 2 } }
    connectionPool: { tcp: { connectTimeout: 1s }, http: { idleTimeout: 1s }, other: 1 }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: cart }
spec:
  hosts: [cart]
  http:
    - match: [{ uri: { prefix: /x } }]
      headers: { request: { add: { a: b } } }
      rewrite: { uri: / }
      retries: { attempts: 2, retryOn: \"envoy-ratelimited\", retryRemoteLocalities: true }
      route: [{ destination: { host: cart, subset: a }, weight: 9 }, { destination: { host: cart, subset: b }, weight: 1 }]
";
    let said = one(&(service("cart", "cart") + rules));
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    for key in [
        "exportTo",
        "tls.sni",
        "loadBalancer.localityLbSetting",
        "loadBalancer.warmup.aggression",
        "connectionPool.tcp.connectTimeout",
        "connectionPool.http.idleTimeout",
        "connectionPool.other",
        "match",
        "headers",
        "rewrite",
        "retryOn: envoy-ratelimited",
        "retries.retryRemoteLocalities",
        "weights and subsets of a route",
    ] {
        let named = said.notes.iter().filter(|n| n.contains(&format!("`{key}` has no counterpart"))).count();
        assert_eq!(named, 1, "{key}: {:?}", said.notes);
    }
    // None of its conditions is known here: nothing is retried, not what the proxy retries by itself.
    let edge = one(&[&workload("web", "web", &env("A_HOST", "cart")), &service("cart", "cart"), rules]
        .map(str::to_owned)
        .concat());
    let retry = edge.arch.graph.edge_weights().next().unwrap().retry().unwrap().clone();
    assert_eq!(retry.retry_on.map(|on| on.value.len()), Some(0));
}

#[test]
fn kinds_of_other_groups_are_others() {
    let foreign = "---
apiVersion: example.com/v1
kind: ServiceEntry
metadata: { name: x }
spec: { hosts: [api.example.com] }
---
apiVersion: example.com/v1
kind: VirtualService
metadata: { name: x }
spec: { gateways: [g], http: [{ route: [{ destination: { host: web } }] }] }
";
    let said =
        one(&[&workload("web", "web", ""), &service("web", "web"), foreign].map(str::to_owned).concat());
    assert_eq!(said.nodes(), ["web"]);
    let web = said.arch.graph.node_weights().next().unwrap().service().unwrap();
    assert!(web.exposure.is_none());
}

#[test]
fn a_database_that_is_told_of_a_sidecar_calls_nobody() {
    let text = [
        workload("db", "db", &env("TRACE_HOST", "jaeger")).replace("x/db", "postgres"),
        service("db", "db"),
        workload("jaeger", "jaeger", ""),
        service("jaeger", "jaeger"),
    ];
    assert!(one(&text.concat()).edges().is_empty());
}

#[test]
fn what_maps_tell_is_bounded() {
    let map = format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: big }}\ndata: {{ ALLOWED_ORIGINS: \"{}\" }}\n",
        "x".repeat(1 << 20)
    );
    let takes = "          envFrom: [{ configMapRef: { name: big } }]\n";
    let many: String = (0..80).map(|i| workload(&format!("w{i}"), "w", takes)).collect();
    let said = one(&(map + &many));
    let told: Vec<_> = said.findings.iter().filter(|f| f.contains("tell the containers more")).collect();
    assert_eq!(told.len(), 1, "{:?}", said.findings);
    assert_eq!(said.nodes().len(), 80);
}

#[test]
fn a_raw_helm_template_says_what_to_run() {
    let text = "{{- if .Values.web.create }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.web.name }}\n{{- end }}\n";
    let loader = MemoryLoader::new([("t.yaml", text)]);
    let mut reader = Reader::new(&loader, Limits::default());
    assert!(reader.root("t.yaml").is_none());
    let [finding] = reader.findings.as_slice() else { panic!("{:?}", reader.findings) };
    assert!(finding.help.iter().any(|h| h.contains("helm template")), "{:?}", finding.help);
}

proptest! {
    #[test]
    fn damaged_files_never_panic(edits in prop::collection::vec((0_usize..3000, "[ -~é\\n]{0,4}", 0_usize..9), 0..8)) {
        let text = [
            workload("web", "web", &env("CART_ADDR", "http://$(X):70,$(CART_SERVICE_HOST)")),
            workload("cart", "cart", "          envFrom: [{ configMapRef: { name: m } }]\n"),
            service("cart", "cart"),
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a.conf: \"server {web:80; }\"}\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {minReplicas: 1, maxReplicas: 5, scaleTargetRef: {kind: Deployment, name: web}}\n".to_owned(),
        ]
        .concat();
        let mut chars: Vec<char> = text.chars().collect();
        for (at, text, cut) in edits {
            let at = at % (chars.len() + 1);
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, text.chars());
        }
        let text: String = chars.into_iter().collect();
        let (first, second) = (one(&text), one(&text));
        prop_assert_eq!(first.edges(), second.edges());
        prop_assert_eq!(first.findings, second.findings);
        prop_assert_eq!(first.notes, second.notes);
    }
}
