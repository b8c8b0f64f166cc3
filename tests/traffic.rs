//! How requests arrive, held against what is known of it: bursts, recorded times, curves that repeat, classes, users.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test, or what is built beside one: it stops where it cannot go on"
)]

use loadpath::import::{self, Input};
use loadpath::kernel::Time;
use loadpath::model::{Architecture, build, from_text};
use loadpath::sim::{Compiled, Probe, SourceId, compile, replicate, simulate};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};

/// When requests arrive at each source, in seconds.
#[derive(Default)]
struct Arrivals(Vec<Vec<f64>>);

impl Probe for Arrivals {
    fn request_arrived(&mut self, now: Time, source: SourceId, _measured: bool) {
        let at = source.0 as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, Vec::new());
        }
        self.0[at].push(now.seconds());
    }
}

fn architecture(traffic: &str, seconds: u32) -> Architecture {
    let text = format!(
        "services: {{ web: {{ endpoints: [A, B, C] }} }}\ntraffic: [{{ {traffic} }}]\n\
         scenarios: {{ one: {{ duration: {seconds}s, warm_up: 0s }} }}\n"
    );
    from_text("test", &text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn compiled(traffic: &str, seconds: u32) -> Compiled {
    let arch = architecture(traffic, seconds);
    compile(&arch, arch.scenarios.first()).unwrap_or_else(|e| panic!("{e}"))
}

fn arrivals(traffic: &str, seconds: u32, seed: u64) -> Vec<Vec<f64>> {
    let compiled = compiled(traffic, seconds);
    replicate(&compiled.plan, seed, 0, Arrivals::default()).unwrap_or_else(|e| panic!("{e}")).0
}

/// Requests in each stretch of so many seconds.
fn counts(times: &[f64], seconds: u32, width: f64) -> Vec<f64> {
    let mut counts = vec![0.0; (f64::from(seconds) / width) as usize];
    for at in times {
        if let Some(count) = counts.get_mut((at / width) as usize) {
            *count += 1.0;
        }
    }
    counts
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Variance over mean: the index of dispersion of counts.
fn dispersion(counts: &[f64]) -> f64 {
    let mean = mean(counts);
    counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / (counts.len() as f64 - 1.0) / mean
}

/// W. Fischer, K. Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", Performance Evaluation 18
/// (1993), for two states with rates λ that are left at rates σ: mean (λ₁σ₂ + λ₂σ₁)/(σ₁ + σ₂), and
/// IDC(t) = 1 + 2(λ₁ − λ₂)²σ₁σ₂/((σ₁ + σ₂)²(λ₁σ₂ + λ₂σ₁)) · (1 − (1 − e^(−(σ₁+σ₂)t))/((σ₁ + σ₂)t)).
fn two_states(rates: [f64; 2], left: [f64; 2], width: f64) -> (f64, f64) {
    let both = left[0] + left[1];
    let weighted = rates[0] * left[1] + rates[1] * left[0];
    let settled = 2.0 * (rates[0] - rates[1]).powi(2) * left[0] * left[1] / (both * both * weighted);
    (weighted / both, 1.0 + settled * (1.0 - (1.0 - (-both * width).exp()) / (both * width)))
}

#[test]
fn bursts_of_two_states_are_those_of_theory() {
    // 90/s for 2 s, 5/s for 8 s on average; an on/off source is silent in between.
    for (rate, width) in [(5.0, 1.0), (5.0, 20.0), (0.0, 5.0)] {
        let traffic =
            format!("to: web A, states: [{{ rate: 90/s, lasts: 2s }}, {{ rate: {rate}/s, lasts: 8s }}]");
        let seconds = 20_000;
        let (expected, index) = two_states([90.0, rate], [0.5, 0.125], width);
        let seen = counts(&arrivals(&traffic, seconds, 3)[0], seconds, width);
        assert!((mean(&seen) / width / expected - 1.0).abs() < 0.04, "{} {expected}", mean(&seen) / width);
        assert!((dispersion(&seen) / index - 1.0).abs() < 0.1, "{width}: {} {index}", dispersion(&seen));
    }
}

#[test]
fn states_follow_one_another_as_they_say() {
    // From calm only to busy, from busy to either, from storm to calm: visits 3 : 3 : 2 (π = πP with half and half).
    let states = "states: [{ name: calm, rate: 1/s, lasts: 4s, next: { busy: 100% } }, \
                  { name: busy, rate: 10/s, lasts: 2s, next: { calm: 50%, storm: 50% } }, \
                  { name: storm, rate: 100/s, lasts: 1s, next: { calm: 100% } }]";
    // Of a round: calm 2 visits of 4 s, busy 2 of 2 s, storm 1 of 1 s: 8, 4 and 1 of 13 s.
    let expected = (8.0 + 40.0 + 100.0) / 13.0;
    let architecture = architecture(&format!("to: web A, {states}"), 10);
    let base = architecture.traffic[0].base_rate().expect("an open loop");
    assert!((base - expected).abs() < 1e-9, "{base} {expected}");
    assert_eq!(architecture.traffic[0].top_rate(), Some(100.0));
    let seconds = 20_000;
    let seen = arrivals(&format!("to: web A, {states}"), seconds, 5)[0].len() as f64 / f64::from(seconds);
    assert!((seen / expected - 1.0).abs() < 0.04, "{seen} {expected}");
}

#[test]
fn a_curve_repeats() {
    // On for 2 s and off for 3 s, exactly.
    let on_off =
        "to: web A, arrivals: constant, rate: [{ at: 0s, value: 10/s }, { at: 2s, value: 0/s }], repeat: 5s";
    let seen = counts(&arrivals(on_off, 20, 1)[0], 20, 5.0);
    assert!(seen.iter().all(|n| (n - 20.0).abs() <= 1.0), "{seen:?}");
    // A day of 24 s: from 0 up to 20/s at noon and down again, 240 requests a day.
    let day = "to: web A, arrivals: constant, interpolate: linear, repeat: 24s, \
               rate: [{ at: 0s, value: 0/s }, { at: 12s, value: 20/s }]";
    let seen = counts(&arrivals(day, 96, 1)[0], 96, 24.0);
    assert!(seen.iter().all(|n| (n - 240.0).abs() <= 1.0), "{seen:?}");
    let rate = architecture(day, 10).traffic[0].base_rate();
    assert_eq!(rate, Some(10.0));
}

#[test]
fn classes_are_drawn_by_weight() {
    let classes = "classes: [{ to: web A, weight: 6 }, { to: web B, weight: 3 }, { to: web C }]";
    let seen = arrivals(&format!("name: shoppers, {classes}, rate: 1000/s"), 20, 1);
    let all: usize = seen.iter().map(Vec::len).sum();
    for (times, share) in seen.iter().zip([0.6, 0.3, 0.1]) {
        assert!((times.len() as f64 / all as f64 - share).abs() < 0.01, "{share}: {}", times.len());
    }
    // Every third is not of a class of its own: together they are evenly spaced.
    let mut even: Vec<f64> = arrivals(&format!("{classes}, rate: 100/s, arrivals: constant"), 10, 1).concat();
    even.sort_by(f64::total_cmp);
    assert!(even.windows(2).all(|pair| (pair[1] - pair[0] - 0.01).abs() < 1e-9));
    // A user who asks for one thing asks for another next.
    let compiled = compiled(&format!("{classes}, users: 10, think_time: 100ms"), 20);
    let outcome = simulate(&compiled.plan, 1, 1, 1).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<&str> = outcome.sources.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["web A", "web B", "web C"]);
    let all: u64 = outcome.sources.iter().map(|s| s.requests.arrived).sum();
    assert!((all as f64 / 2000.0 - 1.0).abs() < 0.06, "10 users, ten times a second each: {all}");
    let first = outcome.sources[0].requests.arrived as f64 / all as f64;
    assert!((first - 0.6).abs() < 0.05, "{first}");
}

/// The architecture of a document in a folder with a CSV file, or what is wrong with them.
fn replayed(csv: &str, seconds: u32) -> Result<Architecture, Vec<String>> {
    let text = format!(
        "services: {{ web: {{ endpoints: [A] }} }}\ntraffic: [{{ to: web A, replay: data/requests.csv }}]\n\
         scenarios: {{ one: {{ duration: {seconds}s, warm_up: 0s }} }}\n"
    );
    let files = [("shop/shop.yaml", text.as_str()), ("shop/data/requests.csv", csv)];
    let loader = MemoryLoader::new(files.map(|(path, text)| (path, text.as_bytes())));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = reader.root("shop/shop.yaml").into_iter().collect();
    let (documents, _) = import::read(&mut reader, Input { roots, ..Input::default() });
    if reader.findings.is_empty() {
        return Ok(build(&documents).0);
    }
    let place = |span| {
        let at = reader.sources.locate(span);
        format!("{}:{}:{}", reader.sources.file(span.file).name, at.line, at.column)
    };
    Err(reader.findings.iter().map(|f| format!("{} {}", place(f.primary.span), f.message)).collect())
}

#[test]
fn recorded_times_come_exactly_as_they_were() {
    let csv = "time,code\n0.25,200\n1.5,500\n1.5,200\n2.000000001,200\n30,200\n";
    let arch = replayed(csv, 10).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!((arch.traffic[0].base_rate(), arch.traffic[0].top_rate()), (Some(5.0 / 30.0), Some(2.0)));
    let mut compiled = compile(&arch, arch.scenarios.first()).unwrap_or_else(|e| panic!("{e}"));
    let seen = |compiled: &Compiled, seed| {
        replicate(&compiled.plan, seed, 0, Arrivals::default()).unwrap_or_else(|e| panic!("{e}")).0.concat()
    };
    for seed in [1, 2] {
        assert_eq!(seen(&compiled, seed), [0.25, 1.5, 1.5, 2.000_000_001], "whatever the seed");
    }
    loadpath::study::scale::scale(&mut compiled.plan, 1.5).expect("little");
    assert_eq!(seen(&compiled, 1), [0.25, 1.5, 1.5, 1.5, 2.000_000_001, 2.000_000_001], "every second twice");
    let wrong = replayed("0.25\nnow\n", 10).expect_err("not read");
    assert_eq!(wrong, ["shop/data/requests.csv:2:1 `now` is no time"]);
}

#[test]
fn users_think_as_long_as_their_distribution_says() {
    for (think, per_second) in [
        ("2s", 0.5),
        ("{ distribution: constant, mean: 500ms }", 2.0),
        ("{ distribution: erlang, mean: 1s, shape: 4 }", 1.0),
        ("{ distribution: uniform, mean: 1s }", 1.0),
    ] {
        let seen = arrivals(&format!("to: web A, users: 200, think_time: {think}"), 100, 1)[0].len() as f64;
        assert!((seen / (200.0 * 100.0 * per_second) - 1.0).abs() < 0.03, "{think}: {seen}");
    }
    // Constant: the first thought ends for all at once.
    let even = &arrivals("to: web A, users: 5, think_time: { distribution: constant, mean: 1s }", 3, 1)[0];
    assert_eq!(even.len(), 10);
}
