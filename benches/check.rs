//! What a check costs, beside what the bare parser and a generic reader cost on the same text in the same
//! run: `cargo bench --bench check [-- SERVICES]` (1000 where none is said).

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

#[path = "../tests/support/mod.rs"]
mod support;

use serde_yaml::granit_parser::Parser;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;
use support::judge::judge;
use support::rng::Rng;

const RUNS: usize = 15;

/// A system as they are found: few services called by many, one call in six of data, long names, 20 % of
/// services that call nothing. Calls go on to later services, but for one in a hundred.
fn document(services: usize) -> String {
    let mut rng = Rng::new(7);
    let name = |i: usize| format!("team-{:02}.platform-service-number-{i:05}", i % 100);
    let endpoints: Vec<usize> = (0..services).map(|_| *rng.pick(&[1, 1, 1, 1, 1, 2, 2, 3, 4, 7])).collect();
    let mut text = "name: fleet\ndefaults:\n  call: { timeout: 2s }\nservices:\n".to_owned();
    for (i, count) in endpoints.iter().enumerate() {
        let (team, replicas) = (i % 100, 1 + rng.below(40));
        let _ = write!(
            text,
            "  {}:\n    owner: team-{team:02}\n    replicas: {replicas}\n    workers: 8\n    technology: [java, spring]\n    health_check: {{ path: /healthz, interval: 10s, timeout: 1s }}\n    endpoints:\n",
            name(i)
        );
        // Power law, alpha 2.2, from 3 on: x = 3 · u^(-1 / 1.2).
        let degree = if rng.chance(20) { 0 } else { (3.0 * rng.unit().max(1e-4).powf(-1.0 / 1.2)) as usize };
        let calls = degree.min(services / 3);
        for endpoint in 0..*count {
            let _ = writeln!(
                text,
                "      GET /resource-{endpoint}/{{id}}:\n        latency: {{ p50: 4ms, p99: 20ms }}"
            );
            if calls / count == 0 {
                continue;
            }
            text.push_str("        calls:\n");
            for _ in 0..calls / count {
                step(&mut text, &mut rng, i, &endpoints, &name);
            }
        }
    }
    text.push_str("datastores:\n");
    for i in 0..services.div_ceil(7) {
        let _ = writeln!(text, "  database-{i:05}: {{ kind: postgres, replicas: 2 }}");
    }
    text.push_str("topics:\n");
    for i in 0..services.div_ceil(100) {
        let _ = writeln!(text, "  topic-{i:05}: {{ partitions: 12, external_producers: true }}");
    }
    text
}

fn step(text: &mut String, rng: &mut Rng, from: usize, endpoints: &[usize], name: &dyn Fn(usize) -> String) {
    let services = endpoints.len();
    match rng.below(100) {
        0..20 => {
            let _ = writeln!(text, "          - read: database-{:05}", from % services.div_ceil(7));
        }
        20..27 => {
            let _ = writeln!(text, "          - publish: topic-{:05}", rng.below(services.div_ceil(100)));
        }
        _ => {
            // Zipf: most calls go to the few last ones.
            let rank = ((services as f64).powf(rng.unit()) as usize).min(services - 1);
            let to = if rng.chance(1) {
                rng.below(services)
            } else {
                (services - rank).max(from + 1).min(services - 1)
            };
            let endpoint = rng.below(endpoints[to]);
            // The further down, the less time: callers outwait what they call, but for one in twenty.
            let depth = if rng.chance(5) { rng.below(services) } else { from };
            let _ = write!(
                text,
                "          - call: {} GET /resource-{endpoint}/{{id}}\n            timeout: {}ms\n",
                name(to),
                3000 - 2500 * depth / services
            );
            if rng.chance(10) {
                text.push_str("            retry: { num_retries: 1 }\n");
            }
        }
    }
}

/// Milliseconds of one run.
fn time(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e3
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The median of several runs.
fn often(mut run: impl FnMut()) -> f64 {
    median(&(0..RUNS).map(|_| time(&mut run)).collect::<Vec<_>>())
}

fn events(text: &str) -> usize {
    let mut parser = Parser::new_from_str(text);
    let mut count = 0;
    while let Some(event) = parser.next_event() {
        count += usize::from(event.is_ok());
    }
    count
}

fn main() {
    let services = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1000);
    let text = document(services);
    let megabytes = text.len() as f64 / 1e6;
    let files = [("fleet.yaml", text.as_bytes())];
    let calls = text.matches("- call:").count()
        + text.matches("- read:").count()
        + text.matches("- publish:").count();
    println!("{services} services, {calls} calls, {megabytes:.2} MB, {} lines", text.lines().count());
    let options = serde_yaml::options! { budget: None };
    let generic = || {
        let value: Result<serde_json::Value, _> =
            serde_yaml::from_str_with_options(black_box(&text), options.clone());
        drop(black_box(value));
    };
    // In turn, so that a noisy moment of the machine touches all three.
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..=RUNS {
        times[0].push(time(|| assert_ne!(black_box(events(black_box(&text))), 0)));
        times[1].push(time(generic));
        times[2].push(time(|| drop(black_box(judge(black_box(&files))))));
    }
    // The first round warms up.
    let [parser, generic, check] = times.map(|all| median(&all[1..]));
    let rows = [
        ("a: events of the parser", parser),
        ("b: serde_json::Value", generic),
        ("c: the whole check", check),
    ];
    for (what, ms) in rows {
        println!("{what:24} {ms:8.2} ms {:8.1} MB/s", megabytes / ms * 1e3);
    }
    let findings = judge(&files).findings.len();
    println!("c/a {:.2}, c/b {:.2}; {findings} findings", check / parser, check / generic);
    phases(&text);
}

/// Where the time of a check goes.
fn phases(text: &str) {
    use loadpath::source::FileId;
    use loadpath::spec::{Limits, Reader, parse::parse};
    let tree = often(|| drop(black_box(parse(text, FileId::default(), Limits::default(), &mut Vec::new()))));
    let read = || {
        let loader = loadpath::source::MemoryLoader::default();
        let mut reader = Reader::new(&loader, Limits::default());
        let trees = reader.text("fleet.yaml", text.as_bytes().to_vec()).into_iter().collect();
        let documents = reader.decode(trees);
        (documents, reader.sources)
    };
    let decode = often(|| drop(black_box(read())));
    let (documents, sources) = read();
    let build = often(|| drop(black_box(loadpath::model::build(&documents))));
    let (arch, _) = loadpath::model::build(&documents);
    let today = loadpath::finding::Date::from_unix_days(20_000);
    let occasion = loadpath::lint::Occasion { today, complete: true };
    let lint = often(|| drop(black_box(loadpath::lint::judge(&arch, &sources, Vec::new(), occasion))));
    println!("tree {tree:.2} ms, with decoding {decode:.2} ms, build {build:.2} ms, rules {lint:.2} ms");
}
