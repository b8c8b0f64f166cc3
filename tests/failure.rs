//! What fails when something is down, and how available something can be: against brute force on random
//! systems of calls, fallbacks, optional and asynchronous steps, circles included.

use loadpath::analysis::{Element, FailureGraph, ceiling};
use loadpath::model::{Architecture, EndpointRef, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use petgraph::graph::NodeIndex;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A random system as plain data: what is judged here knows nothing of how loadpath keeps it.
#[derive(Debug)]
struct System {
    /// Steps by service and endpoint.
    services: Vec<Vec<Vec<Step>>>,
    stores: usize,
    /// Percent, of services and then stores.
    availability: Vec<u32>,
}

#[derive(Debug)]
struct Step {
    target: Target,
    optional: bool,
    message: bool,
    /// Number among the steps that do not always happen.
    sometimes: Option<usize>,
    fallback: Fallback,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Endpoint(usize, usize),
    Service(usize),
    Store(usize),
}

#[derive(Debug)]
enum Fallback {
    None,
    Static,
    Call(Box<Step>),
}

/// Decisions from random bytes.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().map_or(0, |b| usize::from(*b) % n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }
}

/// The percent of requests in which a step happens that does not always.
const SOMETIMES: u32 = 30;

impl System {
    fn random(bytes: &[u8], soft: bool, sometimes: usize) -> Self {
        let mut dice = Dice(bytes.iter());
        let stores = 1 + dice.below(2);
        let endpoints: Vec<usize> = (0..2 + dice.below(3)).map(|_| 1 + dice.below(2)).collect();
        let mut left = sometimes;
        let mut services = Vec::new();
        for count in &endpoints {
            let one = (0..*count).map(|_| {
                let steps = dice.below(4);
                (0..steps).map(|_| Step::random(&mut dice, &endpoints, stores, soft, &mut left)).collect()
            });
            services.push(one.collect());
        }
        let availability = (0..services.len() + stores).map(|_| 50 + dice.below(51) as u32).collect();
        Self { services, stores, availability }
    }

    fn yaml(&self) -> String {
        let services = self.services.iter().enumerate().map(|(i, endpoints)| {
            let endpoints = endpoints.iter().enumerate().map(|(e, steps)| {
                let calls: Vec<_> = steps.iter().map(Step::json).collect();
                (format!("e{e}"), json!({ "calls": calls }))
            });
            let endpoints: serde_json::Map<_, _> = endpoints.collect();
            let share = format!("{}%", self.availability[i]);
            (format!("s{i}"), json!({ "endpoints": endpoints, "availability": share }))
        });
        let services: serde_json::Map<_, _> = services.collect();
        let stores = (0..self.stores).map(|i| {
            let share = format!("{}%", self.availability[self.services.len() + i]);
            (format!("d{i}"), json!({ "availability": share }))
        });
        let stores: serde_json::Map<_, _> = stores.collect();
        let traffic = json!([{ "to": "s0 e0", "rate": "1/s" }]);
        json!({ "services": services, "datastores": stores, "traffic": traffic }).to_string()
    }

    fn nodes(&self) -> usize {
        self.services.len() + self.stores
    }

    /// Which endpoints fail, from nothing upwards until nothing changes. `happens` are the steps that do.
    fn failed(&self, down: u32, happens: u32) -> Vec<Vec<bool>> {
        let mut failed: Vec<Vec<bool>> = self.services.iter().map(|e| vec![false; e.len()]).collect();
        loop {
            let next = self.services.iter().enumerate().map(|(service, endpoints)| {
                let fails = |steps: &Vec<Step>| {
                    down >> service & 1 == 1 || steps.iter().any(|s| self.fails(s, down, happens, &failed))
                };
                endpoints.iter().map(fails).collect()
            });
            let next: Vec<Vec<bool>> = next.collect();
            if next == failed {
                return failed;
            }
            failed = next;
        }
    }

    fn fails(&self, step: &Step, down: u32, happens: u32, failed: &[Vec<bool>]) -> bool {
        let target = match step.target {
            Target::Endpoint(service, endpoint) => failed[service][endpoint],
            Target::Service(service) => {
                down >> service & 1 == 1 || failed[service].iter().all(|failed| *failed)
            }
            Target::Store(store) => down >> (self.services.len() + store) & 1 == 1,
        };
        let made = step.sometimes.is_none_or(|i| happens >> i & 1 == 1);
        target
            && made
            && !step.optional
            && !step.message
            && match &step.fallback {
                Fallback::None => true,
                Fallback::Static => false,
                Fallback::Call(other) => self.fails(other, down, happens, failed),
            }
    }
}

impl Step {
    fn random(
        dice: &mut Dice<'_>,
        endpoints: &[usize],
        stores: usize,
        soft: bool,
        sometimes: &mut usize,
    ) -> Self {
        let service = dice.below(endpoints.len());
        let target = match dice.below(6) {
            0 => Target::Store(dice.below(stores)),
            1 if soft => Target::Service(service),
            _ => Target::Endpoint(service, dice.below(endpoints[service])),
        };
        let call = soft && !matches!(target, Target::Store(_));
        let fallback = match dice.below(4) {
            0 if call => Fallback::Static,
            1 | 2 if call => {
                let other = Self::random(dice, endpoints, stores, soft, &mut 0);
                if matches!(other.target, Target::Store(_)) {
                    Fallback::None
                } else {
                    Fallback::Call(other.into())
                }
            }
            _ => Fallback::None,
        };
        let happens = (*sometimes > 0 && dice.one_in(2)).then(|| {
            *sometimes -= 1;
            *sometimes
        });
        Self {
            target,
            optional: soft && dice.one_in(6),
            message: call && dice.one_in(8),
            sometimes: happens,
            fallback,
        }
    }

    fn json(&self) -> Value {
        let mut step = match self.target {
            Target::Endpoint(service, endpoint) => json!({ "call": format!("s{service} e{endpoint}") }),
            Target::Service(service) => json!({ "call": format!("s{service}") }),
            Target::Store(store) => json!({ "read": format!("d{store}") }),
        };
        if self.optional {
            step["optional"] = true.into();
        }
        if self.message {
            step["protocol"] = "message_queue".into();
        }
        if self.sometimes.is_some() {
            step["probability"] = format!("{SOMETIMES}%").into();
        }
        match &self.fallback {
            Fallback::None => {}
            Fallback::Static => step["fallback"] = "static".into(),
            Fallback::Call(other) => step["fallback"] = other.json(),
        }
        step
    }
}

fn architecture(text: &str) -> Architecture {
    let loader = MemoryLoader::new([("loadpath.yaml".to_owned(), text.as_bytes().to_vec())]);
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.root("loadpath.yaml").into_iter().collect();
    let documents = reader.decode(trees);
    assert!(reader.findings.is_empty(), "{:?}\n{text}", reader.findings);
    let (arch, findings) = build(&documents);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    arch
}

/// A budget that is never used up.
fn unlimited() -> usize {
    usize::MAX
}

fn nodes_of(down: u32, count: usize) -> Vec<NodeIndex> {
    (0..count).filter(|i| down >> i & 1 == 1).map(NodeIndex::new).collect()
}

fn endpoint(service: usize, endpoint: usize) -> Element {
    Element::Endpoint(EndpointRef { service: NodeIndex::new(service), endpoint })
}

/// The path that proves a failure begins at its endpoint, hangs together, ends at what is down, and each
/// stand-in on it fails too.
fn is_proof(arch: &Architecture, graph: &FailureGraph, down: &[NodeIndex], part: Element) -> bool {
    let failure = graph.fail(down, &mut unlimited());
    let target = |edge| {
        let to = arch.ends(edge).1;
        let service = arch.graph[to].service().is_some();
        match arch.graph[edge].to_endpoint {
            Some(endpoint) if service => Element::Endpoint(EndpointRef { service: to, endpoint }),
            _ if service => Element::Service(to),
            _ => Element::Node(to),
        }
    };
    let mut at = part.node();
    for step in graph.why(&failure, part) {
        let hangs = arch.ends(step.edge).0 == at;
        let all = step.instead.iter().chain([&step.edge]).all(|e| graph.has_failed(&failure, target(*e)));
        if !hangs || !all {
            return false;
        }
        at = arch.ends(step.edge).1;
    }
    down.contains(&at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_must_fail_fails(bytes in prop::collection::vec(any::<u8>(), 10..120)) {
        let system = System::random(&bytes, true, 0);
        let arch = architecture(&system.yaml());
        let graph = FailureGraph::of(&arch);
        let closure = graph.certain(&graph.entries, usize::MAX);
        for down in 0..1_u32 << system.nodes() {
            let nodes = nodes_of(down, system.nodes());
            let failure = graph.fail(&nodes, &mut unlimited());
            let expected = system.failed(down, 0);
            for (service, endpoints) in expected.iter().enumerate() {
                for (e, fails) in endpoints.iter().enumerate() {
                    let part = endpoint(service, e);
                    prop_assert_eq!(graph.has_failed(&failure, part), *fails, "{:b} {}", down, system.yaml());
                    prop_assert!(!fails || is_proof(&arch, &graph, &nodes, part), "{:b} {}", down, system.yaml());
                }
                let whole = down >> service & 1 == 1 || endpoints.iter().all(|f| *f);
                prop_assert_eq!(graph.has_failed(&failure, Element::Service(NodeIndex::new(service))), whole);
            }
            // The blast radius: the one entry, with a path to what is down.
            let blast = graph.blast(&nodes, &mut unlimited());
            prop_assert_eq!(blast.is_some(), expected[0][0]);
            if let Some(blast) = blast {
                let end = blast.path.last().map_or(blast.nearest.node(), |s| arch.ends(s.edge).1);
                prop_assert!(nodes.contains(&end));
                prop_assert_eq!(blast.entries, vec![endpoint(0, 0)]);
            }
            // What an entry needs without a stand-in fails it alone.
            if let [one] = nodes.as_slice()
                && let Some((from, path)) = graph.way(&closure, Element::Node(*one))
            {
                prop_assert!(expected[0][0], "{:b} {}", down, system.yaml());
                let end = path.last().map_or(from.node(), |s| arch.ends(s.edge).1);
                prop_assert_eq!(end, *one);
            }
        }
    }

    #[test]
    fn nothing_is_more_available_than_its_ceiling(
        bytes in prop::collection::vec(any::<u8>(), 10..120),
        soft in any::<bool>(),
        sometimes in 0_usize..4,
    ) {
        let system = System::random(&bytes, soft, sometimes);
        let arch = architecture(&system.yaml());
        let graph = FailureGraph::of(&arch);
        // Every outcome of every node and of every step that does not always happen.
        let mut up: Vec<Vec<f64>> = system.services.iter().map(|e| vec![0.0; e.len()]).collect();
        for down in 0..1_u32 << system.nodes() {
            for happens in 0..1_u32 << sometimes {
                let node = |i: usize| {
                    let a = f64::from(system.availability[i]) / 100.0;
                    if down >> i & 1 == 1 { 1.0 - a } else { a }
                };
                let step = |i: usize| {
                    let p = f64::from(SOMETIMES) / 100.0;
                    if happens >> i & 1 == 1 { p } else { 1.0 - p }
                };
                let chance: f64 = (0..system.nodes()).map(node).product::<f64>() * (0..sometimes).map(step).product::<f64>();
                for (service, endpoints) in system.failed(down, happens).into_iter().enumerate() {
                    for (e, failed) in endpoints.into_iter().enumerate() {
                        up[service][e] += if failed { 0.0 } else { chance };
                    }
                }
            }
        }
        for (service, endpoints) in up.iter().enumerate() {
            for (e, exact) in endpoints.iter().enumerate() {
                let found = ceiling(&arch, &graph, endpoint(service, e), &mut unlimited()).unwrap();
                prop_assert!(found.complete && found.unknown.is_empty());
                prop_assert!(found.value >= exact - 1e-9, "{} < {}: {}", found.value, exact, system.yaml());
                if !soft && sometimes == 0 {
                    prop_assert!((found.value - exact).abs() < 1e-9, "{} {}", found.value, exact);
                }
            }
            let best = endpoints.iter().copied().fold(0.0, f64::max);
            let whole = ceiling(&arch, &graph, Element::Service(NodeIndex::new(service)), &mut unlimited());
            prop_assert!(whole.unwrap().value >= best - 1e-9);
        }
    }
}

/// A chain of a hundred thousand: every question is answered without a deep stack.
#[test]
fn a_long_chain_fails_from_end_to_end() {
    let count = 100_000;
    let service = |i: usize| {
        let calls = if i + 1 < count { format!("[call: s{} E]", i + 1) } else { "[]".to_owned() };
        format!("  s{i}: {{ availability: 99.99%, endpoints: {{ E: {{ calls: {calls} }} }} }}\n")
    };
    let text = format!("services:\n{}", (0..count).map(service).collect::<String>());
    let arch = architecture(&text);
    let graph = FailureGraph::of(&arch);
    let blast = graph.blast(&[NodeIndex::new(count - 1)], &mut unlimited()).unwrap();
    assert_eq!(blast.path.len(), count - 1);
    assert_eq!(
        graph
            .way(&graph.certain(&graph.entries, usize::MAX), Element::Node(NodeIndex::new(count - 1)))
            .unwrap()
            .1,
        blast.path
    );
    let found = ceiling(&arch, &graph, endpoint(0, 0), &mut unlimited()).unwrap();
    assert!(!found.complete && found.value > 0.0);
    // A budget that is used up is said.
    assert_eq!(graph.blast(&[NodeIndex::new(count - 1)], &mut 1000), None);
    assert!(!graph.fail(&[NodeIndex::new(count - 1)], &mut 1000).complete);
}
