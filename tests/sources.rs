//! One graph from many sources: what merges, what contradicts, and what is kept of where it came from.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it skips"
)]

use loadpath::export::EXPORTS;
use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::facts::facts;
use loadpath::spec::{Limits, Reader};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

/// What files said.
struct Said {
    arch: Architecture,
    findings: Vec<String>,
}

/// Reads `roots` of `files` as one system.
fn read(files: &[(&str, &str)], roots: &[&str]) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = roots.iter().filter_map(|name| reader.root(name)).collect();
    let (documents, _) = import::read(&mut reader, Input { roots, ..Input::default() });
    let (arch, unresolved) = build(&documents);
    let findings = reader.findings.iter().chain(&unresolved).map(|f| {
        let at = reader.sources.locate(f.primary.span);
        let file = &reader.sources.file(f.primary.span.file).name;
        format!("{} {file}:{}:{} {}", f.rule.id, at.line, at.column, f.message)
    });
    Said { findings: findings.collect(), arch }
}

impl Said {
    fn nodes(&self) -> Vec<&str> {
        self.arch.graph.node_weights().map(|node| node.id.value.as_str()).collect()
    }

    /// `from>to (what shows it, …)`, sorted.
    fn edges(&self) -> Vec<String> {
        let graph = &self.arch.graph;
        let mut all: Vec<_> = graph
            .edge_indices()
            .map(|edge| {
                let (from, to) = graph.edge_endpoints(edge).unwrap();
                let shown: Vec<_> = graph[edge].evidence.iter().map(|e| e.source.to_string()).collect();
                format!("{}>{} ({})", graph[from].id.value, graph[to].id.value, shown.join(", "))
            })
            .collect();
        all.sort();
        all
    }
}

const BASE: &str =
    "services:\n  web: { image: x/web, environment: { CART_ADDR: 'cart:80' } }\n  cart: { image: x/cart }\n";
const OVER: &str = "services:\n  web: { environment: { DB_HOST: db } }\n  db: { image: postgres }\n";

#[test]
fn imports_of_one_format_are_read_together() {
    let files = [
        ("loadpath.yaml", "import:\n  - compose: compose.yaml\n  - compose: compose.prod.yaml\n"),
        ("compose.yaml", BASE),
        ("compose.prod.yaml", OVER),
    ];
    for roots in [&["loadpath.yaml"][..], &["compose.yaml", "compose.prod.yaml"]] {
        let said = read(&files, roots);
        assert_eq!(said.nodes(), ["web", "cart", "db"]);
        assert_eq!(said.edges(), ["web>cart (environment CART_ADDR)", "web>db (environment DB_HOST)"]);
        assert!(said.findings.is_empty(), "{:?}", said.findings);
    }
}

/// The graph of files as the program says it, without where things stand and what is said against them.
fn graph(paths: &[PathBuf]) -> Option<(Vec<String>, Vec<String>)> {
    let output = program(&["graph", "-q", "-f", "json"], paths);
    let value: Value =
        serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.code() == Some(0))?;
    let all = |key: &str| {
        let mut texts: Vec<_> = value[key].as_array().unwrap().clone();
        for one in &mut texts {
            let one = one.as_object_mut().unwrap();
            one.retain(|key, _| !matches!(key.as_str(), "evidence" | "findings"));
        }
        let mut texts: Vec<_> = texts.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    Some((all("nodes"), all("edges")))
}

fn program(words: &[&str], paths: &[PathBuf]) -> Output {
    let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
    program.current_dir(env!("CARGO_MANIFEST_DIR")).args(words).args(paths).output().unwrap()
}

/// Imports files, reads what was written, and holds the two graphs against each other.
fn round_trip(paths: &[PathBuf], name: &str) {
    let Some(expected) = graph(paths) else { return };
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("imported-{name}.yaml"));
    let output = program(&["import", "-q", "-o", written.to_str().unwrap()], paths);
    if output.status.code() != Some(0) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("is of none of the formats"), "{paths:?}: {said}");
        return;
    }
    assert_eq!(graph(&[written]), Some(expected), "{paths:?}");
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|e| e == "yml" || e == "yaml" || e == "json") {
            found.push(path);
        }
    }
}

#[test]
fn what_import_writes_is_the_same_graph() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("round-trip");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in [("compose.yaml", BASE), ("compose.prod.yaml", OVER), ("topology.yaml", TOPOLOGY)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    round_trip(&[folder.join("compose.yaml"), folder.join("compose.prod.yaml")], "compose");
    round_trip(&[folder.join("topology.yaml")], "isotope");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: {} is not here", corpus.display());
        return;
    }
    let mut files = Vec::new();
    below(&corpus, &mut files);
    files.retain(|file| !file.starts_with(corpus.join("truth")));
    let mut sets: Vec<_> = files.into_iter().map(|file| vec![file]).collect();
    for folder in ["10-onlineboutique-k8s", "11-bookinfo-k8s-istio", "12-sockshop-k8s", "19-backstage"] {
        sets.push(vec![corpus.join(folder)]);
    }
    for (at, set) in sets.iter().enumerate() {
        round_trip(set, &format!("corpus-{at}"));
    }
}

const TOPOLOGY: &str = "services:
  - name: web
    isEntrypoint: true
    errorRate: 0.1%
    numReplicas: 2
    script: [{ sleep: 10ms }, [{ call: cart }, { call: { service: user, probability: 30 } }], { call: cart }]
  - name: cart
  - name: user
";

#[test]
fn what_import_writes_says_where_it_came_from_and_no_secret() {
    let compose = "services:
  web:
    image: x/web
    environment: { CART_ADDR: 'cart:80', OTEL_ENDPOINT: 'http://cart:80', API_KEY: hX7kQp2mZ9ww }
    depends_on: [cart, db]
  cart: { image: x/cart }
  db: { image: postgres }
";
    let loader = MemoryLoader::new([("compose.yaml", compose)]);
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = reader.root("compose.yaml").into_iter().collect();
    let (documents, notes) = import::read(&mut reader, Input { roots, ..Input::default() });
    assert_eq!(
        import::write(&documents, &reader.sources, &notes),
        "# Made by `loadpath import` from compose.yaml: what is known of the system, with where it is known from.
# Variables of the processes are left out.
# Own work, traffic and promises are yours to add.

services:
  web: {}  # compose.yaml:3
  cart: {}  # compose.yaml:6

datastores:
  db: { kind: postgres }  # compose.yaml:7

communications:
  # environment CART_ADDR, compose.yaml:4
  # environment OTEL_ENDPOINT, compose.yaml:4
  # depends_on, compose.yaml:5
  - { from: web, to: cart, protocol: http }
  # depends_on, compose.yaml:5
  # assumed: only the order of starting shows it
  - { from: web, to: db }
"
    );
}

const MANIFESTS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, labels: { owner: basket } }
spec:
  replicas: 3
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers:
        - name: main
          image: x/cart
          env: [{ name: DB_URL, value: 'postgres://db:5432/x' }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: nginx-web }
spec:
  template:
    spec:
      containers:
        - { name: main, image: x/web, env: [{ name: CART, value: 'grpc://cart:80' }] }
---
apiVersion: v1
kind: Service
metadata: { name: cart }
spec: { selector: { app: cart } }
---
apiVersion: v1
kind: Service
metadata: { name: db }
";

#[test]
fn sources_of_several_formats_merge_by_id_and_alias() {
    let files = [
        ("loadpath.yaml", "aliases: { nginx-web: web }\n"),
        (
            "compose.yaml",
            "services:
  web: { image: x/web, environment: { CART_ADDR: 'http://cart:80' } }
  cart: { image: x/cart, deploy: { replicas: 2 } }
  db: { image: postgres }
",
        ),
        ("k8s.yaml", MANIFESTS),
    ];
    let said = read(&files, &["loadpath.yaml", "compose.yaml", "k8s.yaml"]);
    let cart = said.arch.graph.node_weights().find(|n| n.id.value == "cart").unwrap();
    assert_eq!(cart.service().unwrap().replicas.map(|r| r.value), Some(2));
    assert_eq!(cart.owner.as_ref().map(|o| o.value.as_str()), Some("basket"));
    assert!(
        said.edges().contains(&"web>cart (environment CART_ADDR, environment CART)".to_owned()),
        "{:?}",
        said.edges()
    );
    let wrong: Vec<_> = said.findings.iter().map(|f| f.split_once(' ').unwrap().1).collect();
    assert_eq!(
        wrong,
        [
            "k8s.yaml:30:19 two sources say different things of what `db` is",
            "k8s.yaml:5:13 two sources say different things of `replicas` of `cart`",
            "k8s.yaml:21:74 two sources say different things of the protocol from `web` to `cart`",
        ]
    );
}

#[test]
fn an_edge_is_explained_with_its_lines_and_without_secrets() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explain-edge");
    std::fs::create_dir_all(&folder).unwrap();
    let compose = folder.join("compose.yaml");
    let text = "services:
  web:
    image: x/web
    environment: { DB_URL: 'postgres://app:hunter2@db:5432/x', DB_PASSWORD: hunter2 }
    depends_on: [db, cart]
  cart: { image: x/cart }
  worker: { image: x/worker, depends_on: [db] }
  db: { image: postgres }
";
    std::fs::write(&compose, text).unwrap();
    let output = program(&["explain-edge", "web", "db"], std::slice::from_ref(&compose));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let strengths: Vec<_> = said
        .lines()
        .filter(|l| l.contains("compose.yaml:"))
        .map(|l| l.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(strengths, ["address", "start"], "{said}");
    assert!(said.contains("environment DB_URL") && said.contains("app:*******@db:5432"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let output = program(&["explain-edge", "-f", "json", "worker", "db"], std::slice::from_ref(&compose));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["edges"][0]["assumed"], true, "{value:#}");
    assert_eq!(value["edges"][0]["evidence"][0]["line"], 7);
    let output = program(&["explain-edge", "cart", "web"], std::slice::from_ref(&compose));
    assert_eq!(output.status.code(), Some(1));
    let output = program(&["explain-edge", "crat", "web"], std::slice::from_ref(&compose));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("did you mean `cart`?"));
    let dot = String::from_utf8(program(&["graph", "-q"], &[compose]).stdout).unwrap();
    assert!(
        dot.contains("style=dashed") && dot.contains("assumed") && dot.contains("environment DB_URL, "),
        "{dot}"
    );
}

type Pairs = BTreeSet<(String, String)>;

fn pairs(edges: &Value, ends: impl Fn(&Value) -> Option<(&str, &str)>) -> Pairs {
    let all = edges.as_array().into_iter().flatten().filter_map(ends);
    all.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
}

/// How a system of the corpus is read: right edges and all that are drawn, edges evident in the files that are
/// drawn and all of them, all true edges, services that nobody has.
type Score = (usize, usize, usize, usize, usize, Vec<String>);

fn score(corpus: &Path, truth: &str, set: &str) -> Score {
    let truth: Value =
        serde_json::from_str(&std::fs::read_to_string(corpus.join("truth").join(truth)).unwrap()).unwrap();
    let files = truth["manifests"].as_array().unwrap().iter();
    let files: Vec<_> = files.map(|file| corpus.join(set).join(file.as_str().unwrap())).collect();
    let output = program(&["graph", "-q", "-f", "json"], &files);
    let graph: Value = serde_json::from_slice(&output.stdout).unwrap();
    let by_key = |e: &'_ Value| Some((e["from"].as_str()?.to_owned(), e["to"].as_str()?.to_owned()));
    let named =
        |edges: &Value| -> Pairs { edges.as_array().into_iter().flatten().filter_map(by_key).collect() };
    let listed = |key: &str| pairs(&truth[key], |e| Some((e[0].as_str()?, e[1].as_str()?)));
    let known: BTreeSet<&str> =
        truth["services"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let neutral: Pairs =
        ["optional_edges", "telemetry_edges", "external_edges"].iter().flat_map(|key| listed(key)).collect();
    let (drawn, right) = (named(&graph["edges"]), listed("edges"));
    let mut details = truth["edge_details"].clone();
    details.as_array_mut().unwrap().retain(|e| e["recoverable"] == true);
    let evident = named(&details);
    let within = |e: &&(String, String)| known.contains(e.0.as_str()) && known.contains(e.1.as_str());
    let reported: Pairs = drawn.iter().filter(|e| !neutral.contains(e)).filter(within).cloned().collect();
    let nodes = graph["nodes"].as_array().unwrap().iter().filter_map(|n| n["id"].as_str());
    let invented = nodes.filter(|id| !known.contains(id)).map(str::to_owned).collect();
    let hits = reported.intersection(&right).count();
    (hits, reported.len(), evident.intersection(&drawn).count(), evident.len(), right.len(), invented)
}

/// Of every system whose true edges are known. The two wrong edges: `media-service` waits for a database that
/// another service uses, and is drawn as assumed; `frontend` is told of `flagd`, which only the browser asks.
/// Nothing in the files says so.
#[test]
fn real_systems_are_read_as_measured() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !corpus.is_dir() {
        println!("skipped: {} is not here", corpus.display());
        return;
    }
    let (mut right, mut drawn, mut found, mut evident) = (0, 0, 0, 0);
    for (truth, set, expected) in SYSTEMS {
        let (hits, reported, shown, told, all, invented) = score(&corpus, truth, set);
        println!(
            "{set}: {hits} of {reported} edges right, {shown} of {told} evident ones found, {all} true ones"
        );
        assert_eq!((hits, reported, shown, told, all), *expected, "{set}");
        assert!(invented.is_empty(), "{set}: {invented:?}");
        right += hits;
        drawn += reported;
        found += shown;
        evident += told;
    }
    assert!(right * 100 >= drawn * 96, "precision {right} of {drawn}");
    assert!(found * 100 >= evident * 95, "recall of what is evident: {found} of {evident}");
}

/// Truth, set; right, drawn, found of the evident, evident, true.
#[expect(clippy::type_complexity, reason = "a table")]
const SYSTEMS: &[(&str, &str, (usize, usize, usize, usize, usize))] = &[
    ("bookinfo.json", "11-bookinfo-k8s-istio", (0, 0, 0, 0, 3)),
    ("dsb-social-network.json", "04-dsb-socialnetwork-compose", (5, 6, 5, 5, 33)),
    ("online-boutique.json", "10-onlineboutique-k8s", (16, 16, 16, 16, 16)),
    ("otel-demo.json", "03-otel-demo-compose", (37, 38, 37, 37, 37)),
    ("sock-shop-compose.json", "01-sockshop-compose", (2, 2, 2, 2, 16)),
    ("sock-shop-k8s.json", "12-sockshop-k8s", (1, 1, 1, 1, 15)),
];

fn export(name: &str, arch: &Architecture) -> (String, Vec<String>) {
    let export = EXPORTS.iter().find(|export| export.name == name).unwrap();
    let exported = (export.write)(arch);
    (exported.text, exported.left_out.into_iter().map(|(what, _)| what).collect())
}

#[test]
fn isotope_there_and_back_is_the_same_graph() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("isotope");
    std::fs::create_dir_all(&folder).unwrap();
    let (first, second) = (folder.join("first.yaml"), folder.join("second.yaml"));
    std::fs::write(&first, TOPOLOGY).unwrap();
    let output =
        program(&["export", "isotope", "-o", second.to_str().unwrap()], std::slice::from_ref(&first));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("left out"));
    assert!(graph(std::slice::from_ref(&first)).is_some());
    assert_eq!(graph(&[second]), graph(&[first]));
}

#[test]
fn what_isotope_cannot_say_is_named() {
    let said = read(
        &[(
            "shop.yaml",
            "services:
  web:
    workers: 4
    endpoints:
      GET /: { calls: [{ call: cart, timeout: 2s }, { write: db }] }
      GET /x: {}
  cart: { latency: { p50: 1ms, p99: 9ms } }
datastores: { db: { kind: postgres } }
",
        )],
        &["shop.yaml"],
    );
    let (_, lost) = export("isotope", &said.arch);
    assert_eq!(
        lost,
        [
            "`workers` of `web`",
            "`GET /x` of `web`: a service of isotope can be asked one thing",
            "`timeout` of `web GET / → cart`",
            "`web GET / → db`: isotope knows calls of services only",
            "`latency` of `cart`",
            "the datastore `db`: isotope knows services only",
        ]
    );
}

const RULES: &str = "apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart }
spec:
  host: cart
  trafficPolicy:
    tls: { mode: ISTIO_MUTUAL }
    loadBalancer: { consistentHash: { httpHeaderName: x-user, ringHash: { minimumRingSize: 512 } } }
    connectionPool: { tcp: { maxConnections: 7 }, http: { http1MaxPendingRequests: 3, maxRetries: 2 } }
    outlierDetection: { consecutive5xxErrors: 4, interval: 5s, baseEjectionTime: 40s, maxEjectionPercent: 20 }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: cart }
spec:
  hosts: [cart]
  http:
    - route: [{ destination: { host: cart } }]
      timeout: 900ms
      retries: { attempts: 3, perTryTimeout: 250ms, retryOn: '5xx,connect-failure,429' }
";

#[test]
fn policies_of_istio_there_and_back_are_the_same() {
    let policies = |rules: &str| {
        let said = read(&[("k8s.yaml", MANIFESTS), ("rules.yaml", rules)], &["k8s.yaml", "rules.yaml"]);
        assert!(said.findings.is_empty(), "{:?}", said.findings);
        let edges = said.arch.graph.edge_weights().map(|edge| facts(&edge.policy)).collect::<Vec<_>>();
        (edges, said.arch)
    };
    let (before, arch) = policies(RULES);
    assert!(
        before.iter().any(|edge| edge.contains(&("retry.per_try_timeout".to_owned(), "250ms".to_owned())))
    );
    let (text, lost) = export("istio", &arch);
    assert!(lost.is_empty(), "{lost:?}\n{text}");
    assert!(!text.contains("backoff"), "what Istio does by itself is not said: {text}");
    assert_eq!(policies(&text).0, before, "{text}");
}
