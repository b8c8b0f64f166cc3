//! What a check costs beside what parsing alone costs, on the same text in the same run:
//! `cargo bench --bench check [-- CASE ...]`, where a case is a number of services, `files`, or the name of a
//! shape (`ring`); 1000, 10000 and `files` where none is said, everything for `all`.
//!
//! `events` is the bare parser, whose events nobody keeps; `values` is what every generic reader does, a tree
//! of values without places. `check` is reading, judging and the report for people. `peak` is the largest
//! memory of a process that checks and does nothing else.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

#[path = "../tests/support/mod.rs"]
mod support;

use loadpath::spec::{Limits, Reader, parse::parse};
use serde_yaml::granit_parser::Parser;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::fleet::Fleet;
use support::judge::judge;
use support::shapes::SHAPES;

/// A case is repeated so often, or until so many seconds are over.
const RUNS: usize = 15;
const PATIENCE_S: f64 = 10.0;

type Files = Vec<(String, String)>;

/// The files of a case, the root first, and what it is called in the table.
fn case(name: &str) -> Option<(Files, String)> {
    let one = |text| vec![("fleet.yaml".to_owned(), text)];
    if let Ok(services) = name.parse() {
        return Some((one(Fleet::new(services).text()), format!("{name} services")));
    }
    if name == "files" {
        return Some((Fleet::new(10_000).files(), "10000 in 101 files".to_owned()));
    }
    let (shape, factor) = name.split_once('*').map_or((name, 1), |(n, f)| (n, f.parse().unwrap_or(1)));
    let (_, size, make) = SHAPES.iter().find(|(known, ..)| *known == shape)?;
    Some((one(make(size * factor)), format!("{shape} of {}", size * factor)))
}

/// Milliseconds of one run.
fn time(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e3
}

fn events(text: &str) -> usize {
    let mut parser = Parser::new_from_str(text);
    let mut count = 0;
    while let Some(event) = parser.next_event() {
        count += usize::from(event.is_ok());
    }
    count
}

fn values(text: &str) {
    let options = serde_yaml::options! { budget: None };
    let value: Result<serde_json::Value, _> = serde_yaml::from_str_with_options(text, options);
    drop(black_box(value));
}

fn check(files: &Files) -> usize {
    let judged = judge(black_box(files));
    black_box(judged.report("human"));
    judged.findings.len()
}

/// The medians of several ways to spend time, each in turn, so that a noisy moment touches all of them.
fn medians<const N: usize>(ways: [&dyn Fn(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    let start = Instant::now();
    // The first round warms up.
    for round in 0..=RUNS {
        for (times, way) in times.iter_mut().zip(&ways) {
            times.push(time(way));
        }
        if round > 1 && start.elapsed().as_secs_f64() > PATIENCE_S {
            break;
        }
    }
    times.map(|mut times| {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// Megabytes at the peak of a process that checks the case, where the system tells.
fn peak(name: &str) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let output = std::process::Command::new(program).args(["--peak", name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn print_peak(name: &str) {
    let Some((files, _)) = case(name) else { return };
    check(&files);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    println!("{:.1}", kilobytes.unwrap_or(f64::NAN) / 1e3);
}

/// One line of the table, and one on where the time goes.
fn row(name: &str) {
    let Some((files, title)) = case(name) else {
        println!("there is no case `{name}`");
        return;
    };
    let all = |each: &dyn Fn(&str)| files.iter().for_each(|(_, text)| each(text));
    let megabytes = files.iter().map(|(_, text)| text.len()).sum::<usize>() as f64 / 1e6;
    let found = check(&files);
    let times = medians([
        &|| all(&|text| assert_ne!(events(black_box(text)), 0)),
        &|| all(&|text| values(black_box(text))),
        &|| assert_eq!(check(&files), found),
    ]);
    let [events, values, checked] = times;
    let peak = peak(name).unwrap_or(f64::NAN);
    println!(
        "{title:24} {megabytes:7.2} MB {events:9.1} {values:9.1} {checked:9.1} ms {:6.2} {:6.2} {peak:8.1} MB {found:8}",
        checked / events,
        checked / values
    );
    phases(&files);
}

/// Where the time of a check goes.
fn phases(files: &Files) {
    let texts: Vec<Arc<String>> = files.iter().map(|(_, text)| Arc::new(text.clone())).collect();
    let loader = loadpath::source::MemoryLoader::new(files.clone());
    let trees = || {
        let mut reader = Reader::new(&loader, Limits::default());
        let root = files.first().and_then(|(path, _)| reader.root(path));
        let trees = reader.includes(root.into_iter().collect());
        (reader, trees)
    };
    let read = || {
        let (mut reader, trees) = trees();
        let documents = reader.decode(trees);
        (documents, reader.sources)
    };
    let (documents, sources) = read();
    let (arch, _) = loadpath::model::build(&documents);
    let today = loadpath::finding::Date::from_unix_days(20_000);
    let occasion = loadpath::lint::Occasion { today, complete: true };
    let [parsed, tree, decoded, built, judged] = medians([
        &|| {
            for text in &texts {
                black_box(parse(text, loadpath::source::FileId(0), Limits::default(), &mut Vec::new()));
            }
        },
        &|| drop(black_box(trees())),
        &|| drop(black_box(read())),
        &|| drop(black_box(loadpath::model::build(&documents))),
        &|| drop(black_box(loadpath::lint::judge(&arch, &sources, Vec::new(), occasion))),
    ]);
    println!(
        "{:24} tree {parsed:.1}, all trees {tree:.1}, decoding {:.1}, model {built:.1}, rules {judged:.1} ms",
        "",
        decoded - tree
    );
}

fn main() {
    let mut named: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, name] = named.as_slice()
        && flag == "--peak"
    {
        return print_peak(name);
    }
    let realistic = ["1000", "10000", "files"].map(str::to_owned);
    if named.is_empty() {
        named.extend(realistic);
    } else if named == ["all"] {
        named = realistic.to_vec();
        named.push("100000".to_owned());
        named.extend(SHAPES.iter().map(|(name, ..)| (*name).to_owned()));
    }
    println!(
        "{:24} {:>10} {:>9} {:>9} {:>12} {:>6} {:>6} {:>11} {:>8}",
        "", "text", "events", "values", "check", "/ ev.", "/ val.", "peak", "findings"
    );
    for name in &named {
        row(name);
    }
}
