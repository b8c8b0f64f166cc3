//! Importers of catalogs and topologies: small systems of our own, real ones against what is true of them, and
//! mutated texts.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it skips, and stops where it cannot go on"
)]

mod backstage;

use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

/// What files said, as text.
struct Said {
    arch: Architecture,
    notes: Vec<String>,
    findings: Vec<String>,
}

fn read(files: &[(&str, &str)]) -> Said {
    read_some(files, files.len())
}

/// The first `roots` of the files are named; the others lie beside them.
fn read_some(files: &[(&str, &str)], roots: usize) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = files.iter().take(roots).filter_map(|(name, _)| reader.root(name)).collect();
    let (documents, notes) = import::read(&mut reader, Input { roots, ..Input::default() });
    let (arch, unresolved) = build(&documents);
    let findings = reader.findings.iter().chain(&unresolved).map(|f| {
        let at = reader.sources.locate(f.primary.span);
        format!("{} {}:{} {}", f.rule.id, at.line, at.column, f.message)
    });
    Said { findings: findings.collect(), arch, notes }
}

fn one(text: &str) -> Said {
    read(&[("all.yaml", text)])
}

impl Said {
    /// `from>to`, sorted, each once.
    fn edges(&self) -> Vec<String> {
        let graph = &self.arch.graph;
        let ends = graph.edge_indices().map(|edge| graph.edge_endpoints(edge).unwrap());
        let mut all: Vec<_> =
            ends.map(|(from, to)| format!("{}>{}", *graph[from].id, *graph[to].id)).collect();
        all.sort();
        all.dedup();
        all
    }

    fn nodes(&self) -> Vec<String> {
        self.arch.graph.node_weights().map(|node| node.id.to_string()).collect()
    }
}

/// A file of the public inputs, beside the project where somebody works on it.
fn corpus(path: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    text
}

/// A text with some of its parts replaced.
fn damaged(text: &str, edits: Vec<(usize, String, usize)>) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, text, cut) in edits {
        let at = at % (chars.len() + 1);
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, text.chars());
    }
    chars.into_iter().collect()
}

fn edits() -> impl Strategy<Value = Vec<(usize, String, usize)>> {
    prop::collection::vec((0_usize..3000, "[ -~é\\n]{0,4}", 0_usize..9), 0..8)
}

const ISOTOPE: &str =
    "default: { errorRate: 0.1%, numReplicas: 3, requestSize: 1 KB, script: [{ sleep: 2ms }] }
services:
- name: web
  isEntrypoint: true
  type: grpc
  numReplicas: 1
  errorRate: 0.02
  script:
  - sleep: 100ms
  - - call: cart
    - call: { service: user, probability: 25, size: 10K }
  - call: cart
- name: cart
- name: user
  script: []
";

#[test]
fn isotope_scripts_are_calls() {
    let said = one(ISOTOPE);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(said.nodes(), ["web", "cart", "user"]);
    assert_eq!(said.edges(), ["web>cart", "web>user"]);
    let services: Vec<_> = said.arch.graph.node_weights().map(|n| n.service().unwrap()).collect();
    let shares: Vec<_> =
        services.iter().map(|s| s.endpoints[0].error_rate.unwrap().value.fraction()).collect();
    assert_eq!(shares, [0.02, 0.001, 0.001]);
    assert_eq!(said.notes, ["of the topology is left out what has no counterpart here: `requestSize`"]);
}

#[test]
fn isotope_says_what_is_wrong_where_it_stands() {
    let text = "services:\n- name: a\n  script:\n  - - - call: b\n  - wait: 1s\n  - call: gone\n- name: a\n- name: b\n";
    let said = one(text);
    let starts = [
        "invalid-value 4:7 a list of commands at the same time",
        "invalid-value 5:5 a command is a mapping with one of call, sleep",
        "duplicate-definition 7:9 the service `a` is there twice",
    ];
    for start in starts {
        assert!(said.findings.iter().any(|f| f.starts_with(start)), "{start}: {:?}", said.findings);
    }
    assert!(said.findings.iter().any(|f| f.contains("6:11") && f.contains("gone")), "{:?}", said.findings);
}

#[test]
fn isotope_topologies_are_read_whole() {
    let Some(truth) = corpus("truth/isotope-dev.json") else { return };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    for (file, expected) in truth.as_object().unwrap() {
        let Some(text) = corpus(&format!("15-isotope/isotope/example-topologies/{file}")) else { return };
        let said = read(&[(file, &text)]);
        assert_eq!(said.nodes().len() as u64, expected["services"].as_u64().unwrap(), "{file}");
        assert_eq!(said.edges().len() as u64, expected["distinct"].as_u64().unwrap(), "{file}");
        let public = said.arch.graph.node_weights().filter(|n| n.service().unwrap().exposure.is_some());
        let public: Vec<_> = public.map(|n| n.id.to_string()).collect();
        assert_eq!(serde_json::json!(public), expected["entry"], "{file}");
    }
}

const SENDER: &str = "asyncapi: 3.0.0
info: { title: Order Desk, version: 1.2.0 }
servers: { broker: { $ref: 'common.yaml#/broker' } }
channels:
  placed: { address: shop/orders }
  asked: { address: shop/prices }
operations:
  orderPlaced: { action: send, channel: { $ref: '#/channels/placed' } }
  priceAsked: { action: receive, channel: { $ref: '#/channels/asked' } }
";
/// Others subscribe to what the application sends, and publish what it receives.
const SECOND: &str = "asyncapi: 2.6.0
info: { title: Billing, version: 1.0.0 }
servers: { main: { url: 'mqtt://Broker:1883/x', protocol: mqtt } }
channels:
  shop/orders: { publish: { operationId: bill } }
  shop/prices: { subscribe: {} }
";
const COMMON: &str = "broker: { host: 'broker:1883', protocol: mqtt }\n";

#[test]
fn asyncapi_joins_by_address_and_server_in_both_versions() {
    let said = read_some(&[("a.yaml", SENDER), ("b.yaml", SECOND), ("common.yaml", COMMON)], 2);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert!(said.notes.is_empty(), "{:?}", said.notes);
    assert_eq!(said.nodes(), ["order-desk", "billing", "shop/orders", "shop/prices"]);
    assert_eq!(journeys(&said), ["billing>order-desk shop/prices", "order-desk>billing shop/orders"]);
    // Elsewhere the same address is another channel.
    let other = COMMON.replace("broker:", "other:").replacen("other:", "broker:", 1);
    let said = read_some(&[("a.yaml", SENDER), ("b.yaml", SECOND), ("common.yaml", &other)], 2);
    assert!(journeys(&said).is_empty(), "{:?}", journeys(&said));
    assert!(said.notes.iter().any(|n| n.starts_with("the files share no channel")), "{:?}", said.notes);
}

/// `sender>receiver channel`, sorted.
fn journeys(said: &Said) -> Vec<String> {
    let edges = said.edges();
    let pairs: Vec<_> = edges.iter().filter_map(|edge| edge.split_once('>')).collect();
    let channels: Vec<_> =
        said.arch.graph.node_weights().filter(|n| n.is_channel()).map(|n| n.id.to_string()).collect();
    let services: Vec<_> = said.arch.graph.node_weights().filter(|n| !n.is_channel()).collect();
    let mut all = Vec::new();
    for (from, channel) in pairs.iter().filter(|(_, to)| channels.iter().any(|c| c == to)) {
        for to in &services {
            let consumed = to.service().unwrap().endpoints.iter();
            if consumed.filter(|e| e.consumes.is_some()).any(|e| e.name.value == *channel) {
                all.push(format!("{from}>{} {channel}", *to.id));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn asyncapi_social_media_is_found_whole() {
    let Some(truth) = corpus("truth/asyncapi-social-media.json") else { return };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let below = "20-c4-asyncapi/spec/examples/social-media";
    let applications = ["backend", "comments-service", "frontend", "notification-service", "public-api"];
    let shared = ["messages", "servers", "parameters", "schemas"].map(|name| format!("common/{name}"));
    let paths = applications.map(|name| format!("{name}/asyncapi"));
    let mut files = Vec::new();
    for path in paths.iter().chain(&shared) {
        let path = format!("{path}.yaml");
        let Some(text) = corpus(&format!("{below}/{path}")) else { return };
        files.push((path, text));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let said = read_some(&files, applications.len());
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    let word = |v: &Value| v.as_str().unwrap().to_lowercase().replace(' ', "-");
    let mut expected: Vec<_> = truth["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            let channel = e[2].as_str().unwrap().split_once(':').unwrap().1.to_owned();
            format!("{}>{} {channel}", word(&e[0]), word(&e[1]))
        })
        .collect();
    expected.sort();
    assert_eq!(journeys(&said), expected);
}

proptest! {
    #[test]
    fn damaged_files_never_panic(edits in edits()) {
        for text in [ISOTOPE, SENDER, SECOND, backstage::MUTATED] {
            let text = damaged(text, edits.clone());
            let (first, second) = (one(&text), one(&text));
            prop_assert_eq!(first.edges(), second.edges());
            prop_assert_eq!(first.findings, second.findings);
            prop_assert_eq!(first.notes, second.notes);
        }
    }
}
