//! The import of traces: small traces of our own for each odd case, hostile texts, real dumps against what is true of
//! them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it skips, and stops where it cannot go on"
)]

use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What files said.
struct Said {
    arch: Architecture,
    findings: Vec<String>,
    notes: Vec<String>,
}

fn read(files: &[(&str, Vec<u8>)]) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, bytes)| (*name, bytes.clone())));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots: Vec<_> = files.iter().filter_map(|(name, _)| import::open(&mut reader, name)).collect();
    let (documents, notes) = import::read(&mut reader, Input { roots, ..Input::default() });
    let (arch, unresolved) = build(&documents);
    let findings = reader.findings.iter().chain(&unresolved);
    let findings = findings.map(|f| format!("{}: {}", reader.sources.locate(f.primary.span).line, f.message));
    Said { findings: findings.collect(), arch, notes }
}

/// `from>to count`, sorted, each once.
fn edges(arch: &Architecture) -> Vec<String> {
    let graph = &arch.graph;
    let each = graph.edge_indices().filter_map(|edge| {
        let (from, to) = graph.edge_endpoints(edge)?;
        let trace = graph[edge].evidence.iter().find_map(|e| e.source.strip_prefix("trace "))?;
        let count = trace.split(' ').next()?.to_owned();
        Some(format!("{}>{} {count}", *graph[from].id, *graph[to].id))
    });
    let mut all: Vec<_> = each.collect();
    all.sort();
    all.dedup();
    all
}

/// An OTLP span; times in milliseconds.
fn span(id: &str, parent: &str, name: &str, kind: u8, times: (u64, u64), tags: &[(&str, &str)]) -> Value {
    let tags: Vec<_> =
        tags.iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect();
    let ns = |ms: u64| ((1000 + ms) * 1_000_000).to_string();
    json!({ "traceId": "0a", "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
        "startTimeUnixNano": ns(times.0), "endTimeUnixNano": ns(times.1), "attributes": tags })
}

fn resource(service: &str, spans: &[Value]) -> Value {
    let name = json!([{ "key": "service.name", "value": { "stringValue": service } }]);
    json!({ "resource": { "attributes": name }, "scopeSpans": [{ "spans": spans }] })
}

fn shop() -> Vec<Value> {
    let client = |id, to, times| span(id, "01", "call", 3, times, &[("peer.service", to)]);
    vec![
        resource(
            "web",
            &[
                span("01", "", "GET /", 2, (0, 20), &[("http.method", "GET")]),
                client("02", "cart", (2, 8)),
                client("03", "price", (3, 9)),
                span(
                    "04",
                    "01",
                    "SELECT",
                    3,
                    (10, 15),
                    &[("db.system", "postgresql"), ("db.name", "orders")],
                ),
                span("05", "01", "mail publish", 4, (16, 17), &[("messaging.system", "kafka")]),
            ],
        ),
        resource("cart", &[span("12", "02", "Get", 2, (3, 7), &[])]),
        resource("price", &[span("13", "03", "Get", 2, (4, 8), &[])]),
        resource(
            "mailer",
            &[span("14", "05", "mail process", 5, (30, 40), &[("messaging.system", "kafka")])],
        ),
    ]
}

const SHOP: [&str; 5] = ["kafka>mailer 1", "web>cart 1", "web>kafka 1", "web>orders 1", "web>price 1"];

#[test]
fn one_message_lines_and_files_say_the_same() {
    let whole = json!({ "resourceSpans": shop() }).to_string();
    let lines: Vec<_> = shop().iter().map(|r| json!({ "resourceSpans": [r] }).to_string()).collect();
    let lines = lines.join("\n");
    let files: Vec<_> = shop().iter().map(|r| json!({ "batches": [r] }).to_string().into_bytes()).collect();
    let names = ["a.json", "b.json", "c.json", "d.json"];
    let apart: Vec<_> = names.into_iter().zip(files).collect();
    for files in [vec![("t.json", whole.into_bytes())], vec![("t.jsonl", lines.into_bytes())], apart] {
        let said = read(&files);
        assert_eq!(said.findings, Vec::<String>::new());
        assert_eq!(edges(&said.arch), SHOP);
    }
}

#[test]
fn a_broken_text_never_stops_the_program() {
    let whole = json!({ "resourceSpans": shop() }).to_string();
    for end in (0..whole.len()).step_by(37) {
        read(&[("t.json", whole.as_bytes()[..end].to_vec())]);
        let mut bytes = whole.clone().into_bytes();
        bytes[end] = 0xff;
        read(&[("t.json", bytes)]);
    }
    let deep = format!("{{\"resourceSpans\":{}", "[".repeat(200_000));
    read(&[("t.json", deep.into_bytes())]);
    let absurd = whole.replace("1000000000", "18446744073709551615");
    read(&[("t.json", absurd.into_bytes())]);
}

/// What one service and its clients' spans become.
fn said_of(service: &str, tags: &[(&str, &str)]) -> Said {
    let spans = [span("01", "", "GET /", 2, (0, 20), &[]), span("02", "01", "call", 3, (2, 8), tags)];
    let text = json!({ "resourceSpans": [resource(service, &spans)] }).to_string();
    read(&[("t.json", text.into_bytes())])
}

#[test]
fn a_line_that_is_no_json_is_told_and_not_taken_for_the_end() {
    let [first, second, ..] = &shop()[..] else { return };
    let line = |r: &Value| json!({ "resourceSpans": [r] }).to_string();
    let broken = r#"{"resourceSpans":[{"resource":{},"scopeSpans":[,]}]}"#;
    let text = format!("{}\n{broken}\n{}\n", line(first), line(second));
    assert_eq!(read(&[("t.jsonl", text.into_bytes())]).findings, ["2: `,` is not expected here"]);
    let cut = format!("{}\n{}", line(first), &line(second)[..40]);
    assert_eq!(read(&[("t.jsonl", cut.into_bytes())]).findings, Vec::<String>::new(), "it is being written");
}

#[test]
fn a_database_may_have_the_name_of_its_service() {
    let said = said_of("orders", &[("db.system", "postgresql"), ("db.name", "orders")]);
    assert_eq!(edges(&said.arch), ["orders>orders-db 1"]);
}

#[test]
fn a_host_of_the_world_is_no_service_of_ours() {
    let said = said_of("api", &[("url.full", "https://api.pay.com/v1")]);
    assert_eq!(edges(&said.arch), ["api>api.pay.com 1"]);
}

#[test]
fn what_is_left_out_is_told() {
    let calls = (0..600).map(|i| {
        let peer = format!("host{i}");
        span(&format!("{:04x}", 16 + i), "01", "call", 3, (2, 8), &[("peer.service", &peer)])
    });
    let spans: Vec<_> = std::iter::once(span("01", "", "GET /", 2, (0, 20), &[])).chain(calls).collect();
    let mut nameless = resource("", &[span("03", "", "GET /", 2, (0, 20), &[])]);
    nameless["resource"] = json!({});
    let text = json!({ "resourceSpans": [resource("web", &spans), nameless] }).to_string();
    let notes = read(&[("t.json", text.into_bytes())]).notes.join("\n");
    for said in ["1 span of no named service: left out", "88 calls left out"] {
        assert!(notes.contains(said), "{notes}");
    }
}

/// The file of a truth: `owner__repository/path`.
fn find(folder: &Path, wanted: &str) -> Option<PathBuf> {
    let (_, path) = wanted.split_once('/')?;
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let at = entry.path();
            if at.is_dir() {
                open.push(at);
            } else if at.ends_with(path) {
                return Some(at);
            }
        }
    }
    None
}

#[test]
fn public_dumps_show_what_is_true_of_them() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(truth) = std::fs::read(corpus.join("truth/traces-dev.json")) else {
        println!("skipped: the public dumps are not here");
        return;
    };
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    for (name, system) in truth.as_object().unwrap() {
        let file = find(&corpus, system["file"].as_str().unwrap()).unwrap();
        let said = read(&[("traces.json", std::fs::read(file).unwrap())]);
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let mut expected: Vec<_> = system["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| {
                let edge = edge.as_array().unwrap();
                let consumed = edge.get(2).is_some_and(|kind| kind == "queue-consume");
                let (from, to) = if consumed { (&edge[1], &edge[0]) } else { (&edge[0], &edge[1]) };
                format!("{}>{} {}", word(from), word(to), edge.last().unwrap())
            })
            .collect();
        expected.sort();
        assert_eq!(edges(&said.arch), expected, "{name}");
        for service in system["services"].as_array().unwrap() {
            assert!(said.arch.find(service.as_str().unwrap()).is_some(), "{name}: {service}");
        }
    }
}
