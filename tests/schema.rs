//! The published schema is the one the types give, and it refuses what the reader refuses.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own cases has failed")]

use jsonschema::Validator;
use loadpath::spec::parse::parse;
use loadpath::spec::tree::{Kind, Node};
use loadpath::spec::{Limits, document_schema, read_text};
use serde_json::{Map, Number, Value};
use std::path::Path;

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/loadpath.schema.json");

fn generated() -> String {
    serde_json::to_string_pretty(&document_schema()).unwrap() + "\n"
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(PUBLISHED, generated()).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    let same = published == generated();
    assert!(
        same,
        "schemas/loadpath.schema.json is not what the types say: run `UPDATE_SCHEMA=1 cargo test --test schema` and look at the difference"
    );
}

#[test]
fn the_schema_is_a_schema_of_draft_2020_12() {
    jsonschema::draft202012::meta::validate(&document_schema()).unwrap();
}

fn validator() -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(&document_schema()).unwrap()
}

/// The JSON of a document by our own rules: plain whole and decimal numbers, `true`, `false` and nothing
/// are what they look like, everything else is a text.
fn to_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Scalar { text, plain: true } => plain(text),
        Kind::Scalar { text, .. } => Value::String(text.to_string()),
        Kind::Sequence(items) => items.iter().map(to_json).collect(),
        Kind::Mapping(entries) => {
            let entries = entries.iter().map(|e| (e.key.value.to_string(), to_json(&e.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

fn plain(text: &str) -> Value {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.ends_with(|c: char| c.is_ascii_digit())
        && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && unsigned.matches('.').count() < 2;
    let float = || text.parse().ok().and_then(Number::from_f64).map(Value::Number);
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if decimal => text.parse::<u64>().map(Into::into).ok().or_else(float).unwrap_or_default(),
        _ => Value::String(text.to_owned()),
    }
}

fn json_of(text: &str) -> Value {
    let mut findings = Vec::new();
    let nodes =
        parse(&text.to_owned().into(), loadpath::source::FileId::default(), Limits::default(), &mut findings)
            .unwrap();
    assert!(findings.is_empty(), "{text}: {findings:?}");
    nodes.first().map(to_json).unwrap_or_default()
}

/// What the reader says, as one line for each finding. Whether files are there is no matter of a schema.
fn reader(text: &str) -> Vec<String> {
    let (_, _, mut findings) = read_text("case.yaml", text);
    findings.retain(|f| f.rule.id != "unreadable-file");
    findings.iter().map(|f| format!("{}: {}", f.rule.id, f.message)).collect()
}

fn schema(validator: &Validator, text: &str) -> Vec<String> {
    let json = json_of(text);
    validator.iter_errors(&json).map(|e| format!("{} at {}", e, e.instance_path())).collect()
}

#[test]
fn every_example_is_valid() {
    let validator = validator();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let native = ["services:", "communications:", "scenarios:", "datastores:", "traffic:"];
            let yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
            if path.is_dir() {
                folders.push(path);
            } else if yaml
                && text.lines().any(|l| native.iter().any(|n| l.starts_with(n)))
                && reader(&text).is_empty()
            {
                assert_eq!(schema(&validator, &text), [""; 0], "{}", path.display());
            }
        }
    }
}

/// Where a case stands in a document.
const PLACES: &[(&str, &str)] = &[
    ("document", "{}"),
    ("service", "services: { web: { {} } }"),
    ("endpoint", "services: { web: { endpoints: { Get: { {} } } } }"),
    ("step", "services: { web: { endpoints: { Get: { calls: [{}] } } } }"),
    ("call", "services: { web: { endpoints: { Get: { calls: [{ call: cart Add, {} }] } } } }"),
    ("datastore", "datastores: { db: { {} } }"),
    ("queue", "queues: { q: { {} } }"),
    ("edge", "communications: [{ from: web, to: cart, {} }]"),
    ("traffic", "traffic: [{ to: web, {} }]"),
    ("event", "scenarios: { s: { events: [{ at: 5s, {} }] } }"),
    ("scenario", "scenarios: { s: { {} } }"),
    ("lint", "lint: { {} }"),
];

/// Place, text, whether it is valid.
#[rustfmt::skip]
const CASES: &[(&str, &str, bool)] = &[
    ("document", "", true),
    ("document", "[]", false),
    ("document", "shop", false),
    ("document", "name: shop", true),
    ("document", "name: 1.10", true),
    ("document", "name: true", true),
    ("document", "name: ~", false),
    ("document", "name: [a]", false),
    ("document", "nmae: shop", false),
    ("document", "x-nmae: [anything, { goes: here }]", true),
    ("document", "include: a.yaml", true),
    ("document", "include: [a.yaml, 'b/*.yaml']", true),
    ("document", "include: { a: b }", false),
    ("document", "include: [[a]]", false),
    ("document", "include:", false),
    ("document", "services:", true),
    ("document", "services: []", false),
    ("document", "services: { web: , cart: {} }", true),
    ("document", "services: { 'web shop': {} }", false),
    ("document", "services: { '': {} }", false),
    ("document", "services: { web: yes }", false),
    ("document", "datastores: { 'a b': {} }", false),
    ("document", "aliases: { nginx-thrift: web }", true),
    ("document", "aliases: { nginx-thrift: [web] }", false),
    ("document", "network: { latency: 0.2ms, loss: 0% }", true),
    ("document", "network: { latency: 2 }", false),
    ("document", "upstreams: { web: { preset: envoy } }", true),
    ("document", "upstreams: { web: { preset: enovy } }", false),
    ("document", "import: [{ compose: [a.yml, b.yml] }]", true),
    ("document", "import: { compose: a.yml }", false),
    // Durations.
    ("service", "startup: 250ms", true),
    ("service", "startup: 1m30s", true),
    ("service", "startup: 1.5 s", true),
    ("service", "startup: 1_000us", true),
    ("service", "startup: '5s'", true),
    ("service", "startup: 7d", true),
    ("service", "startup: 3µs", true),
    ("service", "startup: 5", false),
    ("service", "startup: 5sec", false),
    ("service", "startup: -5s", false),
    ("service", "startup: 5s1m", false),
    ("service", "startup: 1m1m", false),
    ("service", "startup: ''", false),
    ("service", "startup: 1_s", false),
    ("service", "startup: .5s", false),
    ("service", "startup: 5.s", false),
    ("service", "startup: 1e400s", false),
    ("service", "startup: none", false),
    ("service", "startup: { s: 5 }", false),
    // Shares.
    ("service", "availability: 99.95%", true),
    ("service", "availability: 100%", true),
    ("service", "availability: 100.0 %", true),
    ("service", "availability: 0%", true),
    ("service", "availability: 100.1%", false),
    ("service", "availability: 101%", false),
    ("service", "availability: 0.999", false),
    ("service", "availability: 1", false),
    ("service", "availability: -1%", false),
    ("service", "availability: 1_0%", false),
    ("service", "availability: all", false),
    // Numbers.
    ("service", "replicas: 3", true),
    ("service", "replicas: 1000000", true),
    ("service", "replicas: 0", false),
    ("service", "replicas: 1000001", false),
    ("service", "replicas: -1", false),
    ("service", "replicas: 1.5", false),
    ("service", "replicas: '3'", false),
    ("service", "replicas: three", false),
    ("service", "replicas: 0x10", false),
    ("service", "replicas: 99999999999999999999", false),
    ("service", "replicas:", false),
    ("service", "tier: 0", true),
    ("service", "tier: high", false),
    ("service", "instances: [{ id: a, port: 80, speed: 1.5 }]", true),
    ("service", "instances: [{ id: a, speed: fast }]", false),
    ("service", "instances: [{ id: a, speed: -1 }]", false),
    ("service", "instances: [{ speed: 1e3 }]", false),
    // Words and truths.
    ("service", "kind: gateway", true),
    ("service", "kind: 'gateway'", true),
    ("service", "kind: Gateway", false),
    ("service", "kind: [gateway]", false),
    ("service", "external: true", true),
    ("service", "external: yes", false),
    ("service", "external: 'true'", false),
    ("service", "external: 1", false),
    ("service", "technology: rust", true),
    ("service", "technology: [rust, 1.89]", true),
    ("service", "technology:", false),
    ("service", "metadata: { a: 1, b: true, c: text }", true),
    ("service", "metadata: { a: [1] }", false),
    ("service", "dependencies: [cart, cart Add]", true),
    ("service", "dependencies: ['  ']", false),
    ("service", "dependencies: cart", false),
    ("service", "health_check: none", true),
    ("service", "health_check: { path: /healthz, interval: 10s }", true),
    ("service", "health_check: off", false),
    ("service", "health_check:", true),
    ("service", "queue: { max_length: 0, discipline: lifo }", true),
    ("service", "queue: none", false),
    // Latencies.
    ("service", "latency: { p50: 4ms, p99: 20ms }", true),
    ("service", "latency: { p50: 4ms }", false),
    ("service", "latency: { distribution: exponential, mean: 5ms }", true),
    ("service", "latency: { mean: 5ms, stddev: 1ms }", true),
    ("service", "latency: { distribution: exponential }", false),
    ("service", "latency: { quantiles: { 50%: 4ms, 99.9%: 9ms } }", true),
    ("service", "latency: { quantiles: { 50%: 4ms } }", false),
    ("service", "latency: { quantiles: { 0%: 4ms, 99%: 5ms } }", false),
    ("service", "latency: { quantiles: { p50: 4ms, 99%: 5ms } }", false),
    ("service", "latency: { p50: 4ms, p99: 9ms, mean: 5ms }", false),
    ("service", "latency: {}", false),
    ("service", "latency:", false),
    ("service", "latency: 5ms", false),
    // Endpoints and steps.
    ("service", "endpoints: [GET /, Convert]", true),
    ("service", "endpoints: [GET /, GET /]", false),
    ("service", "endpoints: { GET /: , Convert: {} }", true),
    ("service", "endpoints: GET /", false),
    ("service", "endpoints: { GET /: soon }", false),
    ("service", "endpoints:", true),
    ("endpoint", "sunset: 2027-03-31", true),
    ("endpoint", "sunset: 2028-02-29", true),
    ("endpoint", "sunset: 2027-02-30", false),
    ("endpoint", "sunset: 2027-13-01", false),
    ("endpoint", "sunset: soon", false),
    ("endpoint", "calls: []", true),
    ("endpoint", "calls:", true),
    ("endpoint", "calls: { call: cart }", false),
    ("step", "{ call: cart }", true),
    ("step", "{ call: cart, publish: orders }", false),
    ("step", "{ timeout: 5s }", false),
    ("step", "{}", false),
    ("step", "cart", false),
    ("step", "{ parallel: [{ call: cart }, { work: 5ms }] }", true),
    ("step", "{ parallel: { call: cart } }", false),
    ("step", "{ publish: orders, type: order.created, via: outbox }", true),
    ("step", "{ read: db, times: 3 }", true),
    ("step", "{ write: db, timeout: 3s }", false),
    ("step", "{ work: 5 }", false),
    ("call", "timeout: none", true),
    ("call", "timeout: never", false),
    ("call", "retry: { num_retries: 2, retry_on: [5xx, timeout], backoff: none }", true),
    ("call", "retry: { retry_on: [5XX] }", false),
    ("call", "retry: { retry_on: 5xx }", false),
    ("call", "retry: 3", false),
    ("call", "probability: 30%", true),
    ("call", "times: 0", false),
    ("call", "fallback: static", true),
    ("call", "fallback: { call: cart Add, timeout: 1s }", true),
    ("call", "fallback: { timeout: 1s }", false),
    ("call", "fallback: other", false),
    ("call", "fallback:", false),
    ("call", "load_balancing: { policy: ring_hash, hash_key: client_ip }", true),
    ("call", "load_balancing: { policy: ring_hash }", false),
    ("call", "load_balancing: { policy: maglev, hash_key: client_ip, table_size: 65521 }", true),
    ("call", "retry: { num_retries: 1, backoff: { base: 1s, jitter: proportional } }", true),
    ("call", "load_balancing: { policy: maglev }", false),
    ("call", "load_balancing: { choice_count: 2 }", true),
    ("call", "hedging: { delay: 5ms, max_attempts: 2 }", true),
    ("call", "hedging: { delay: 5ms, max_attempts: 1 }", false),
    ("call", "circuit_breaker: { failure_threshold: 5, open_duration: 30s }", true),
    ("call", "circuit_breaker: { failure_threshold: 5, failure_rate_threshold: 50% }", false),
    ("call", "circuit_breaker: { window: { calls: 5 } }", true),
    ("call", "circuit_breaker: { failure_threshold: 5, window: { calls: 5 } }", false),
    ("call", "circuit_breaker: { failure_threshold: 5, minimum_calls: 5 }", false),
    ("call", "circuit_breaker: { failure_threshold: 5, slow_call: { duration: 1s } }", true),
    ("call", "circuit_breaker: { half_open: { permitted_calls: 0 } }", false),
    ("call", "circuit_breaker: { window: { calls: 0 } }", false),
    ("call", "circuit_breaker: { window: { calls: 5, duration: 5s } }", false),
    // Data and channels.
    ("datastore", "kind: postgres", true),
    ("datastore", "kind: oracle", false),
    ("queue", "max_deliveries: 5, dead_letter: dlq", true),
    ("queue", "partitions: 5", false),
    ("edge", "retry_count: 2, timeout: 1s", true),
    ("edge", "endpoint: /a, method: GET", true),
    ("edge", "endpont: /a", false),
    ("document", "communications: [{ from: web }]", false),
    ("document", "communications: [{ from: web, to: cart Add, endpoint: /a }]", false),
    // Load.
    ("traffic", "rate: 200/s", true),
    ("traffic", "rate: 1.5 / m, peak: 90/h", true),
    ("traffic", "rate: 200", false),
    ("traffic", "rate: 200/w", false),
    ("traffic", "rate: [{ at: 0s, value: 5/s }, { at: 5s, value: 9/s }]", true),
    ("traffic", "rate: [{ at: 0s }]", false),
    ("traffic", "rate: []", false),
    ("traffic", "users: 5, think_time: 2s", true),
    ("traffic", "users: 5, rate: 5/s", false),
    ("traffic", "rate: 5/s, think_time: 2s", false),
    ("traffic", "users: 5, think_time: { p50: 1s, p99: 9s }", true),
    ("traffic", "users: 5, think_time: { p50: 1s }", false),
    ("traffic", "states: [{ rate: 5/s, lasts: 2s }, { rate: 0/s, lasts: 9s }]", true),
    ("traffic", "states: [{ name: a, rate: 5/s, lasts: 2s, next: { a: 100% } }, { rate: 0/s, lasts: 9s }]", true),
    ("traffic", "states: [{ rate: 5/s, lasts: 2s }]", false),
    ("traffic", "states: [{ rate: 5/s }, { rate: 0/s, lasts: 9s }]", false),
    ("traffic", "replay: requests.csv", true),
    ("traffic", "replay: requests.csv, rate: 5/s", false),
    ("traffic", "rate: [{ at: 0s, value: 5/s }], repeat: 1d", true),
    ("traffic", "rate: 5/s, repeat: 1d", false),
    ("traffic", "users: 5, interpolate: linear", false),
    ("document", "services: { web: {} }\ntraffic: [{ classes: [{ to: web, weight: 2 }], rate: 5/s }]", true),
    ("document", "traffic: [{ to: web, classes: [{ to: web }], rate: 5/s }]", false),
    ("document", "traffic: [{ classes: [{ to: web, weight: 0 }], rate: 5/s }]", false),
    ("document", "traffic: [{ classes: [], rate: 5/s }]", false),
    ("traffic", "arrivals: poisson", false),
    ("document", "traffic: [{ rate: 5/s }]", false),
    ("event", "kill: { target: web/1 }", true),
    ("event", "slow: { target: web, factor: 2.5 }", true),
    ("event", "slow: { target: web }", false),
    ("event", "for: 5s", false),
    ("event", "kill: { target: a }, stall: { target: a }", false),
    ("scenario", "expect: [availability >= 99.9%, web GET / p99 < 400ms, recovery<20s]", true),
    ("scenario", "expect: [goodput > 80/s, amplification < 1.5, utilization <= 70%, mean < 1m30s]", true),
    ("scenario", "expect: [avail >= 99.9%]", false),
    ("scenario", "expect: [p99 = 5ms]", false),
    ("scenario", "expect: [p99 < 5]", false),
    ("scenario", "expect: ['p99 <']", false),
    ("scenario", "expect: [p99 < 5%]", false),
    ("scenario", "expect: [goodput > 5ms]", false),
    ("scenario", "expect: [amplification < lots]", false),
    ("scenario", "seed: 0", true),
    ("scenario", "seed: -1", false),
    ("scenario", "replications: 10, duration: 5m", true),
    // What the linter is told.
    ("lint", "rules: { high-fan-out: warning, high-fan-in: { level: allow, max: 5 } }", true),
    ("lint", "rules: { high-fan-out: loud }", false),
    ("lint", "rules: { high-fan-out: { max: many } }", false),
    ("lint", "rules: { high-fan-out: }", false),
    ("lint", "layers: [edge, domain]", true),
    ("lint", "contracts: [{ forbid: { from: a, to: [b, c] }, reason: no }]", true),
    ("lint", "contracts: [{ forbid: { from: a } }]", false),
    ("lint", "contracts: [{ forbid: { from: a, to: b }, independent: [a, b] }]", false),
    ("lint", "contracts: [{ reason: none }]", false),
];

fn document(place: &str, text: &str) -> String {
    let (_, around) = PLACES.iter().find(|(name, _)| *name == place).unwrap();
    around.replace("{}", text)
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = validator();
    let mut wrong = Vec::new();
    for (place, text, valid) in CASES {
        let document = document(place, text);
        let (said, refused) = (reader(&document), schema(&validator, &document));
        if said.is_empty() != *valid || refused.is_empty() != *valid {
            wrong.push(format!("{place} {text} (valid: {valid})\n  reader: {said:?}\n  schema: {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the reader refuses and a schema cannot, with the reason.
#[rustfmt::skip]
const BEYOND: &[(&str, &str, &str)] = &[
    ("service", "replicas: 3, instances: [{ id: a }]", "a schema cannot compare a number with the length of a list"),
    ("service", "latency: { p50: 9ms, p99: 4ms }", "a schema cannot compare two values"),
    ("service", "latency: { quantiles: { 90%: 9ms, 50%: 4ms } }", "keys have no order in JSON"),
    ("scenario", "warm_up: 5m, duration: 1m", "a schema cannot compare two values"),
    ("call", "circuit_breaker: { window: { duration: 0s } }", "the range of a duration is beyond a pattern"),
    ("call", "circuit_breaker: { open_duration: 0ms }", "the range of a duration is beyond a pattern"),
    ("call", "circuit_breaker: { slow_call: { duration: 0s } }", "the range of a duration is beyond a pattern"),
    ("call", "circuit_breaker: { failure_rate_threshold: 0% }", "the range of a share is beyond a pattern"),
    ("call", "retry: { backoff: { base: 2s, max: 1s } }", "a schema cannot compare two values"),
    ("call", "outlier_detection: { base_ejection_time: 9s, max_ejection_time: 5s }", "a schema cannot compare two values"),
    ("call", "outlier_detection: { interval: 0s }", "the range of a duration is beyond a pattern"),
    ("service", "health_check: { interval: 0s }", "the range of a duration is beyond a pattern"),
    ("document", "discovery: { heartbeat: 90s, lease: 30s }", "a schema cannot compare two values"),
    ("document", "discovery: { sweep: 0s }", "the range of a duration is beyond a pattern"),
    ("traffic", "rate: [{ at: 5s, value: 5/s }, { at: 0s, value: 9/s }]", "a schema cannot compare two values"),
    ("traffic", "rate: [{ at: 5s, value: 5/s }], repeat: 4s", "a schema cannot compare two values"),
    ("traffic", "states: [{ name: a, rate: 5/s, lasts: 2s, next: { a: 50% } }, { rate: 0/s, lasts: 9s }]", "a schema cannot add up"),
    ("traffic", "states: [{ name: a, rate: 5/s, lasts: 2s, next: { b: 100% } }, { rate: 0/s, lasts: 9s }]", "a schema cannot look up names"),
    ("traffic", "states: [{ rate: 5/s, lasts: 0s }, { rate: 0/s, lasts: 9s }]", "the range of a duration is beyond a pattern"),
    ("endpoint", "sunset: 2027-02-29", "leap years are beyond a pattern; `format: date` says it where formats are asserted"),
    ("service", "startup: 999999999999d", "the range of a duration is beyond a pattern"),
    ("service", "startup: 0.1ns", "the resolution of a duration is beyond a pattern"),
    ("service", "replicas: 3.0", "3.0 is an integer in JSON; a count is written without a point"),
];

#[test]
fn what_a_schema_cannot_say_the_reader_says() {
    // Without formats, as editors do by default.
    let validator = jsonschema::draft202012::new(&document_schema()).unwrap();
    for (place, text, reason) in BEYOND {
        let document = document(place, text);
        assert!(!reader(&document).is_empty(), "the reader takes {text}");
        assert_eq!(
            schema(&validator, &document),
            [""; 0],
            "the schema can say it after all: {text} ({reason})"
        );
    }
}
