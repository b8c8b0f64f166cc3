//! The arithmetic of calls against brute force on small random systems: every attempt is played, every choice
//! of parallel steps and every path is enumerated, and what is proposed is tried.

#![expect(clippy::unwrap_used, reason = "a system that cannot be read has failed")]
#![expect(clippy::format_push_string, reason = "a document is written line by line")]

mod support;

use loadpath::analysis::{
    Budgets, Durations, EndpointGraph, Stop, counts, deep_paths, entries, retry_layers, worst_paths,
};
use loadpath::model::words::Duration;
use loadpath::model::{Architecture, EndpointRef, build};
use loadpath::spec::read_text;
use petgraph::graph::EdgeIndex;
use std::collections::{BTreeMap, BTreeSet};
use support::rng::Rng;

/// A call; times in milliseconds.
#[derive(Debug, Clone)]
struct Call {
    id: usize,
    to: usize,
    timeout: Option<u64>,
    each: Option<u64>,
    retries: u64,
    base: Option<u64>,
    max: Option<u64>,
    times: u64,
    budget: Option<u64>,
    only_connecting: bool,
    instead: Option<Box<Call>>,
}

#[derive(Debug, Clone)]
enum Step {
    Call(Call),
    Parallel(Vec<Step>),
    Work(u64),
    Read,
}

/// One endpoint of one service.
#[derive(Debug, Clone)]
struct Endpoint {
    p99: Option<u64>,
    gateway: bool,
    public: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct World {
    endpoints: Vec<Endpoint>,
    mesh: Option<(u64, u64)>,
}

fn random(seed: u64) -> World {
    let mut rng = Rng::new(seed);
    let n = rng.within(2, 7);
    let loops = rng.chance(20);
    let mut id = 0;
    let endpoints = (0..n).map(|from| {
        let steps = rng.below(4);
        Endpoint {
            p99: rng.chance(50).then(|| rng.within(1, 300) as u64),
            gateway: rng.chance(15),
            public: rng.chance(20),
            steps: (0..steps).map(|_| step(&mut rng, from, n, loops, &mut id)).collect(),
        }
    });
    let endpoints = endpoints.collect();
    let mesh = rng.chance(25).then(|| (rng.within(100, 2000) as u64, rng.below(3) as u64));
    World { endpoints, mesh }
}

fn step(rng: &mut Rng, from: usize, n: usize, loops: bool, id: &mut usize) -> Step {
    match rng.below(10) {
        0 => Step::Read,
        1 => Step::Work(rng.within(1, 200) as u64),
        2 | 3 => Step::Parallel((0..rng.within(1, 3)).map(|_| step(rng, from, n, loops, id)).collect()),
        _ => call(rng, from, n, loops, id).map_or(Step::Read, Step::Call),
    }
}

/// A call of a later endpoint, or of any where there may be loops.
fn call(rng: &mut Rng, from: usize, n: usize, loops: bool, id: &mut usize) -> Option<Call> {
    let to = if loops { rng.below(n) } else { rng.within(from + 1, n) };
    if to >= n {
        return None;
    }
    *id += 1;
    let own = *id;
    let base = rng.chance(60).then(|| rng.within(1, 100) as u64);
    Some(Call {
        id: own,
        to,
        timeout: rng.chance(80).then(|| rng.within(50, 3000) as u64),
        each: rng.chance(30).then(|| rng.within(20, 1000) as u64),
        retries: if rng.chance(50) { rng.below(4) as u64 } else { 0 },
        base,
        max: base.filter(|_| rng.chance(30)).map(|b| b * rng.within(1, 4) as u64),
        times: rng.within(1, 2) as u64,
        budget: rng.chance(15).then(|| rng.within(10, 100) as u64),
        only_connecting: rng.chance(15),
        instead: if rng.chance(15) { call(rng, from, n, loops, id).map(Box::new) } else { None },
    })
}

impl World {
    fn yaml(&self) -> String {
        let mut text = String::new();
        if let Some((timeout, retries)) = self.mesh {
            text += &format!("mesh: {{ timeout: {timeout}ms, retry: {{ num_retries: {retries} }} }}\n");
        }
        text += "datastores: { d: { latency: { p50: 1s, p99: 2s } } }\nservices:\n";
        for (i, e) in self.endpoints.iter().enumerate() {
            let kind = if e.gateway { "kind: gateway, " } else { "" };
            let latency = e.p99.map_or(String::new(), |p| format!("latency: {{ p50: 1ms, p99: {p}ms }}, "));
            let exposure = if e.public { "exposure: public, " } else { "" };
            let steps: Vec<_> = e.steps.iter().map(Step::yaml).collect();
            let steps = steps.join(", ");
            text += &format!(
                "  s{i}: {{ {kind}endpoints: {{ E: {{ {latency}{exposure}calls: [{steps}] }} }} }}\n"
            );
        }
        text
    }

    /// D, in nanoseconds: the attempts are played one by one.
    fn takes(&self, call: &Call) -> Option<u64> {
        let each = [call.each, self.mesh.map(|(timeout, _)| timeout)].into_iter().flatten().min();
        let mut clock = None;
        if let Some(each) = each {
            let mut now = each;
            let mut pause = call.base.unwrap_or(0);
            for _ in 0..call.retries {
                now += pause.min(call.max.unwrap_or(call.base.unwrap_or(0) * 10)) + each;
                pause *= 2;
            }
            clock = Some(now);
        }
        [clock, call.timeout].into_iter().flatten().min().map(|ms| ms * 1_000_000)
    }

    /// W, and whether all of it is known: the longest of all ways through the script.
    fn worst(&self, at: usize) -> (u64, bool) {
        let endpoint = &self.endpoints[at];
        let known = all_calls(&endpoint.steps).iter().all(|c| self.takes(c).is_some());
        let own = endpoint.p99.map_or(0, |p| p * 1_000_000);
        let ways = self.ways(&endpoint.steps, endpoint.p99.is_none());
        (own + ways.into_iter().max().unwrap_or(0), known)
    }

    fn ways(&self, steps: &[Step], works: bool) -> Vec<u64> {
        let mut ways = vec![0];
        for step in steps {
            let of_step = match step {
                Step::Read => vec![0],
                Step::Work(ms) => vec![if works { ms * 1_000_000 } else { 0 }],
                Step::Call(call) => vec![self.with_instead(call) * call.times],
                Step::Parallel(steps) => {
                    steps.iter().flat_map(|s| self.ways(std::slice::from_ref(s), works)).collect()
                }
            };
            ways = ways.iter().flat_map(|way| of_step.iter().map(move |s| way + s)).collect();
        }
        ways
    }

    fn with_instead(&self, call: &Call) -> u64 {
        // Whenever the call has failed, what stands in is made as often as it says.
        self.takes(call).unwrap_or(0)
            + call.instead.as_ref().map_or(0, |instead| instead.times * self.with_instead(instead))
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(all_calls(&self.endpoints[at].steps).iter().map(|c| c.to));
            }
        }
        false
    }

    /// The calls of an endpoint that are part of no loop.
    fn onward(&self, at: usize) -> Vec<Call> {
        let mut calls = all_calls(&self.endpoints[at].steps);
        calls.retain(|c| !self.reaches(c.to, at));
        calls
    }

    /// All paths from an endpoint, the empty one included.
    fn paths(&self, at: usize) -> Vec<Vec<(usize, Call)>> {
        let mut paths = vec![Vec::new()];
        for call in self.onward(at) {
            for rest in self.paths(call.to) {
                paths.push(std::iter::once((at, call.clone())).chain(rest).collect());
            }
        }
        paths
    }

    /// Attempts of one call when its callee is down, or answers that something behind it is.
    fn attempts(&self, call: &Call, down: bool) -> f64 {
        let mut own = (call.retries + 1) as f64;
        if let Some(percent) = call.budget {
            own = own.min(1.0 + percent as f64 / 100.0);
        }
        if call.only_connecting && !down {
            own = 1.0;
        }
        own * self.mesh.map_or(1.0, |(_, retries)| (retries + 1) as f64)
    }

    fn product(&self, path: &[(usize, Call)]) -> f64 {
        let last = path.len().saturating_sub(1);
        path.iter().enumerate().map(|(i, (_, call))| self.attempts(call, i == last)).product()
    }

    fn repeats(&self, call: &Call, down: bool) -> bool {
        let own = call.retries > 0 && call.budget.is_none() && (down || !call.only_connecting);
        own || self.mesh.is_some_and(|(_, retries)| retries > 0)
    }

    fn change(&mut self, id: usize, ns: u64) {
        fn change(steps: &mut [Step], id: usize, ns: u64) {
            for step in steps {
                match step {
                    Step::Parallel(steps) => change(steps, id, ns),
                    Step::Call(call) => {
                        let mut at = Some(call);
                        while let Some(call) = at {
                            if call.id == id {
                                assert_eq!(ns % 1_000_000, 0);
                                (call.timeout, call.each) = (Some(ns / 1_000_000), None);
                            }
                            at = call.instead.as_deref_mut();
                        }
                    }
                    _ => {}
                }
            }
        }
        self.endpoints.iter_mut().for_each(|e| change(&mut e.steps, id, ns));
    }

    fn call(&self, id: usize) -> Call {
        let all = self.endpoints.iter().flat_map(|e| all_calls(&e.steps));
        all.into_iter().find(|c| c.id == id).unwrap()
    }
}

/// Every call of a script, and what stands in.
fn all_calls(steps: &[Step]) -> Vec<Call> {
    let mut found = Vec::new();
    for step in steps {
        match step {
            Step::Parallel(steps) => found.extend(all_calls(steps)),
            Step::Call(call) => {
                let mut at = Some(call);
                while let Some(call) = at {
                    found.push(call.clone());
                    at = call.instead.as_deref();
                }
            }
            _ => {}
        }
    }
    found
}

impl Step {
    fn yaml(&self) -> String {
        match self {
            Self::Call(call) => call.yaml(),
            Self::Parallel(steps) => {
                format!("parallel: [{}]", steps.iter().map(Self::yaml).collect::<Vec<_>>().join(", "))
            }
            Self::Work(ms) => format!("work: {ms}ms"),
            Self::Read => "read: d".to_owned(),
        }
    }
}

impl Call {
    fn yaml(&self) -> String {
        // `method` is where a call is known by.
        let mut text = format!("{{ call: s{} E, method: m{}, times: {}", self.to, self.id, self.times);
        if let Some(timeout) = self.timeout {
            text += &format!(", timeout: {timeout}ms");
        }
        text += &format!(", retry: {{ num_retries: {}", self.retries);
        if let Some(each) = self.each {
            text += &format!(", per_try_timeout: {each}ms");
        }
        if let Some(base) = self.base {
            let max = self.max.map_or(String::new(), |max| format!(", max: {max}ms"));
            text += &format!(", backoff: {{ base: {base}ms{max} }}");
        }
        if let Some(percent) = self.budget {
            text += &format!(", budget: {{ percent: {percent}% }}");
        }
        if self.only_connecting {
            text += ", retry_on: [connect-failure]";
        }
        text += " }";
        if let Some(instead) = &self.instead {
            text += &format!(", fallback: {}", instead.yaml());
        }
        text + " }"
    }
}

fn architecture(world: &World) -> Architecture {
    let (documents, _, findings) = read_text("loadpath.yaml", &world.yaml());
    assert!(findings.is_empty(), "{findings:?}\n{}", world.yaml());
    let (arch, unresolved) = build(&documents);
    assert!(unresolved.is_empty(), "{unresolved:?}");
    arch
}

/// Which call of the world an edge is.
fn id(arch: &Architecture, edge: EdgeIndex) -> usize {
    arch.graph[edge].policy.method.as_ref().unwrap().value[1..].parse().unwrap()
}

fn stop(arch: &Architecture, i: usize) -> Stop {
    let service = arch.find(&format!("s{i}")).unwrap();
    EndpointRef { service, endpoint: 0 }.into()
}

fn worlds() -> impl Iterator<Item = (u64, World, Architecture, EndpointGraph)> {
    (0..1500).map(|seed| {
        let world = random(seed);
        let arch = architecture(&world);
        let calls = EndpointGraph::of(&arch);
        (seed, world, arch, calls)
    })
}

#[test]
fn durations_are_those_of_playing_it_all() {
    let (mut known, mut unknown) = (0, 0);
    for (seed, world, arch, _) in worlds() {
        let durations = Durations::of(&arch);
        for i in 0..world.endpoints.len() {
            let worst = durations.worst(stop(&arch, i));
            let (total, all) = world.worst(i);
            assert_eq!(worst.total, Duration(total), "seed {seed}, s{i}\n{}", world.yaml());
            assert_eq!(worst.unbounded.is_empty(), all, "seed {seed}, s{i}\n{}", world.yaml());
            let sum = worst.terms.iter().map(|t| t.total().0).sum::<u64>();
            assert_eq!(sum, total, "the terms are the sum: seed {seed}");
            if all { known += 1 } else { unknown += 1 }
        }
        for (edge, call) in arch.edges().filter(|(_, e)| e.is_sync_call()) {
            let takes = durations.call(call).map(|time| time.total.0);
            assert_eq!(takes, world.takes(&world.call(id(&arch, edge))), "seed {seed}\n{}", world.yaml());
        }
    }
    assert!(known > 1000 && unknown > 300, "{known} {unknown}");
}

#[test]
fn what_is_proposed_is_consistent_and_no_more_than_needed() {
    let mut tried = 0;
    for (seed, world, arch, calls) in worlds().filter(|(_, world, ..)| world.mesh.is_none()) {
        let all = Durations::of(&arch).budgets(&calls);
        let budgets = Budgets { arch: &arch, calls: &calls, all: &all };
        for budget in &all {
            for (outer, from, _) in budget.callers.iter().filter(|(.., w)| w.total <= budget.spent.total) {
                let Some(proposal) = budgets.consistent(*outer, *from) else { continue };
                let told = || format!("seed {seed}: {proposal:?}\n{}", world.yaml());
                let mut changed = world.clone();
                for wait in &proposal.path {
                    assert_eq!(
                        Some(wait.now.0),
                        world.takes(&world.call(id(&arch, wait.edge))),
                        "{}",
                        told()
                    );
                    changed.change(id(&arch, wait.edge), wait.needs.0);
                }
                for (i, wait) in proposal.path.iter().enumerate() {
                    let call = changed.call(id(&arch, wait.edge));
                    let (takes, known) = changed.worst(call.to);
                    assert!(known && wait.needs.0 > takes, "{}", told());
                    if wait.needs != wait.now {
                        assert!(wait.now.0 <= takes, "needless: {}", told());
                        assert!(wait.needs.0 - takes <= takes / 10 + 1, "too much: {}", told());
                    }
                    // Each call is made where the one before it arrives.
                    if let Some(next) = proposal.path.get(i + 1) {
                        let (_, to) = arch.ends(wait.edge);
                        assert_eq!(arch.ends(next.edge).0, to, "{}", told());
                    }
                }
                assert!(proposal.path.iter().any(|w| w.edge == *outer && w.needs > w.now), "{}", told());
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn the_longest_chain_is_the_longest_of_all_paths() {
    let mut deep = 0;
    for (seed, world, arch, calls) in worlds() {
        let count =
            |path: &[(usize, Call)]| path.iter().filter(|(from, _)| !world.endpoints[*from].gateway).count();
        let brute = (0..world.endpoints.len()).flat_map(|i| world.paths(i)).map(|p| count(&p)).max().unwrap();
        let found = deep_paths(&arch, &calls, 1, |_| true);
        let longest = found.iter().map(|p| p.depth).max().unwrap_or(0);
        assert_eq!(longest, if brute > 1 { brute } else { 0 }, "seed {seed}\n{}", world.yaml());
        for path in &found {
            assert_eq!(path.hops.iter().filter(|e| counts(&arch, **e)).count(), path.depth, "seed {seed}");
            let mut at = path.start.service;
            for edge in &path.hops {
                assert_eq!(arch.ends(*edge).0, at, "seed {seed}");
                at = arch.ends(*edge).1;
            }
        }
        deep += usize::from(brute > 2);
    }
    assert!(deep > 50, "{deep}");
}

#[test]
fn amplification_is_the_largest_product_of_all_paths() {
    let mut high = 0;
    for (seed, world, arch, calls) in worlds() {
        let told = || format!("seed {seed}\n{}", world.yaml());
        let n = world.endpoints.len();
        let called: BTreeSet<usize> =
            world.endpoints.iter().flat_map(|e| all_calls(&e.steps)).map(|c| c.to).collect();
        let public: Vec<usize> = (0..n).filter(|i| world.endpoints[*i].public).collect();
        let enter = if public.is_empty() { (0..n).filter(|i| !called.contains(i)).collect() } else { public };
        assert_eq!(
            entries(&arch, &calls),
            enter.iter().map(|i| stop(&arch, *i)).collect::<Vec<_>>(),
            "{}",
            told()
        );
        let best = |i: usize| world.paths(i).iter().map(|p| world.product(p)).fold(1.0, f64::max);
        let found = worst_paths(&arch, &calls);
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        for i in enter {
            let best = best(i);
            let covered = found.iter().any(|p| p.product > best || near(p.product, best));
            assert!(covered || near(best, 1.0), "s{i}: {best}, {}", told());
            high += usize::from(best >= 10.0);
        }
        for path in &found {
            let i: usize = arch.id(path.entry.service)[1..].parse().unwrap();
            let product: f64 = path.hops.iter().map(|h| h.factor).product();
            assert!(near(product, path.product) && near(product, best(i)), "s{i}: {path:?} {}", told());
        }
    }
    assert!(high > 100, "{high}");
}

#[test]
fn layers_are_the_rows_of_calls_that_repeat_the_same() {
    let mut rows = 0;
    for (seed, world, arch, calls) in worlds() {
        // Which call repeats what the next has repeated already.
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for at in 0..world.endpoints.len() {
            for outer in world.onward(at).iter().filter(|c| world.repeats(c, false)) {
                let inner = world.onward(outer.to);
                pairs.extend(inner.iter().filter(|c| world.repeats(c, true)).map(|c| (outer.id, c.id)));
            }
        }
        let mut group: BTreeMap<usize, usize> =
            pairs.iter().flat_map(|(a, b)| [(*a, *a), (*b, *b)]).collect();
        for _ in 0..group.len() {
            for (a, b) in &pairs {
                let least = group[a].min(group[b]);
                group.insert(*a, least);
                group.insert(*b, least);
            }
        }
        let mut expected: BTreeMap<usize, (BTreeSet<usize>, usize)> = BTreeMap::new();
        for (call, of) in &group {
            let (members, row) = expected.entry(*of).or_default();
            members.insert(*call);
            *row = (*row).max(longest(&pairs, *call));
        }
        let found = retry_layers(&arch, &calls);
        let mut found: Vec<(BTreeSet<usize>, usize)> =
            found.iter().map(|g| (g.calls.iter().map(|e| id(&arch, *e)).collect(), g.row.len())).collect();
        found.sort();
        let mut expected: Vec<_> = expected.into_values().collect();
        expected.sort();
        assert_eq!(found, expected, "seed {seed}\n{}", world.yaml());
        rows += expected.len();
    }
    assert!(rows > 200, "{rows}");
}

/// The most calls in a row from one on.
fn longest(pairs: &[(usize, usize)], at: usize) -> usize {
    let next = pairs.iter().filter(|(a, _)| *a == at).map(|(_, b)| longest(pairs, *b));
    1 + next.max().unwrap_or(0)
}
