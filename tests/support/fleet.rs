//! Large systems as they are found: degrees of a power law, a few hubs that nearly all call, layers, long
//! names. The same for the same number of services, everywhere.
//!
//! The figures are those published of Meta's and Alibaba's graphs: a call count per service of alpha 2.2 from
//! 3 on, a fifth that calls nothing, 27 % that nothing calls, 13 % entries and 39 % leaves, at most eight
//! levels from an entry to a leaf, replicas of a lognormal law around 34.

use super::rng::Rng;
use std::fmt::Write as _;

/// Levels of the services, each with its share of them in percent: calls go to a level further down.
const LEVELS: [usize; 8] = [13, 8, 8, 8, 8, 8, 8, 39];
const TEAMS: usize = 100;

/// A large system.
#[derive(Debug, Clone)]
pub struct Fleet {
    services: Vec<Service>,
    topics: usize,
}

#[derive(Debug, Clone)]
struct Service {
    name: String,
    team: usize,
    level: usize,
    replicas: usize,
    datastore: bool,
    consumes: Option<usize>,
    /// The steps of each endpoint.
    endpoints: Vec<Vec<Step>>,
}

#[derive(Debug, Clone)]
enum Step {
    Call { to: usize, endpoint: usize, timeout_ms: usize, retries: bool },
    Read,
    Publish(usize),
}

impl Fleet {
    /// A system of so many services.
    pub fn new(count: usize) -> Self {
        let mut rng = Rng::new(7);
        let topics = count.div_ceil(100);
        let mut services: Vec<Service> = (0..count).map(|i| service(i, count, topics, &mut rng)).collect();
        // The one interface that has everything.
        if let Some(large) = services.get_mut(count / 2) {
            large.endpoints.resize((count / 9).clamp(1, 11_000), Vec::new());
        }
        let hubs = count.div_ceil(2000);
        let mut callers = vec![Vec::new(); count];
        for from in 0..count {
            for _ in 0..degree(count, &mut rng) {
                let step = step(from, hubs, &services, topics, &mut rng);
                if let Step::Call { to, .. } = step {
                    callers[to].push(from);
                }
                let endpoints = services[from].endpoints.len();
                services[from].endpoints[rng.below(endpoints.min(30))].push(step);
            }
            for hub in count - hubs..count {
                if services[from].level < 7 && rng.chance(50) {
                    let step = call(from, hub, &services, &mut rng);
                    services[from].endpoints[0].push(step);
                }
            }
        }
        // One service in a hundred calls a caller of its own back.
        for from in (0..count).filter(|i| i % 100 == 50) {
            if let Some(to) = callers[from].first() {
                let step = call(from, *to, &services, &mut rng);
                services[from].endpoints[0].push(step);
            }
        }
        Self { services, topics }
    }

    /// Calls, messages and accesses.
    pub fn edges(&self) -> usize {
        self.services.iter().flat_map(|s| &s.endpoints).map(Vec::len).sum()
    }

    /// All in one file.
    pub fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        self.write_services(&mut text, |_| true);
        self.write_data(&mut text);
        text
    }

    /// A root file and one of each team.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut root = format!("include: teams/*.yaml\n{}  {{}}\n", HEAD.replace("services:", "aliases:"));
        self.write_data(&mut root);
        let mut files = vec![("loadpath.yaml".to_owned(), root)];
        for team in 0..TEAMS {
            let mut text = DEFAULTS.to_owned() + "services:\n";
            self.write_services(&mut text, |s| s.team == team);
            files.push((format!("teams/{team:02}.yaml"), text));
        }
        files
    }

    fn write_services(&self, text: &mut String, wanted: impl Fn(&Service) -> bool) {
        for (i, service) in self.services.iter().enumerate().filter(|(_, s)| wanted(s)) {
            let Service { name, team, level, replicas, .. } = service;
            // What many lean on is the most critical.
            let tier = LEVELS.len() - 1 - level;
            let _ = write!(
                text,
                "  {name}:\n    owner: team-{team:02}\n    tier: {tier}\n    replicas: {replicas}\n    workers: 8\n    technology: [java, spring]\n    health_check: {{ path: /healthz, interval: 10s, timeout: 1s }}\n"
            );
            if let Some(topic) = service.consumes {
                let _ = writeln!(text, "    consumes: {{ topic-{topic:05}: {{ group: {name} }} }}");
            }
            text.push_str("    endpoints:\n");
            for (at, steps) in service.endpoints.iter().enumerate() {
                let _ = writeln!(
                    text,
                    "      GET /v1/resource-{at}/{{id}}:\n        latency: {{ p50: 4ms, p99: 20ms }}"
                );
                if !steps.is_empty() {
                    text.push_str("        calls:\n");
                }
                for step in steps {
                    self.write_step(text, i, step);
                }
            }
        }
    }

    fn write_step(&self, text: &mut String, from: usize, step: &Step) {
        let _ = match step {
            Step::Read => writeln!(text, "          - read: database-{from:05}"),
            Step::Publish(topic) => writeln!(text, "          - publish: topic-{topic:05}"),
            Step::Call { to, endpoint, timeout_ms, retries } => {
                let name = &self.services[*to].name;
                let retry = if *retries { "\n            retry: { num_retries: 1 }" } else { "" };
                writeln!(
                    text,
                    "          - call: {name} GET /v1/resource-{endpoint}/{{id}}\n            timeout: {timeout_ms}ms{retry}"
                )
            }
        };
    }

    fn write_data(&self, text: &mut String) {
        text.push_str("datastores:\n");
        for (i, service) in self.services.iter().enumerate().filter(|(_, s)| s.datastore) {
            let team = service.team;
            let _ =
                writeln!(text, "  database-{i:05}: {{ kind: postgres, replicas: 2, owner: team-{team:02} }}");
        }
        text.push_str("topics:\n");
        for i in 0..self.topics {
            let _ = writeln!(text, "  topic-{i:05}: {{ partitions: 12, external_producers: true }}");
        }
    }
}

const DEFAULTS: &str = "defaults:\n  call: { timeout: 2s }\n";
const HEAD: &str = "name: fleet\ndefaults:\n  call: { timeout: 2s }\nservices:\n";

fn service(i: usize, count: usize, topics: usize, rng: &mut Rng) -> Service {
    let team = TEAMS - 1 - zipf(TEAMS, rng);
    let part =
        *rng.pick(&["checkout", "identity", "recommendation", "fulfilment", "notification-preferences"]);
    let name = match rng.below(20) {
        0 => format!("platform.region-{team:02}/{part}.service-{i:06}"),
        _ => format!("platform-{team:02}-{part}-service-{i:06}"),
    };
    let mut until = 0;
    let level = LEVELS.iter().position(|share| {
        until += share;
        i * 100 < until * count
    });
    let level = level.unwrap_or(LEVELS.len() - 1);
    let endpoints = (rng.unit().max(1e-3).powf(-1.0 / 1.23) as usize).clamp(1, 100);
    Service {
        name,
        team,
        level,
        replicas: (34.0 * (1.326 * normal(rng)).exp()).clamp(1.0, 500_000.0) as usize,
        datastore: level > 3 && rng.chance(23),
        consumes: rng.chance(5).then(|| rng.below(topics)),
        endpoints: vec![Vec::new(); endpoints],
    }
}

/// How much a service calls: none in a fifth, else x = 3 · u^(-1 / 1.2), up to a third of all or Meta's most.
fn degree(count: usize, rng: &mut Rng) -> usize {
    let degree = if rng.chance(20) { 0.0 } else { 3.0 * rng.unit().max(1e-9).powf(-1.0 / 1.2) };
    (degree as usize).min(count / 3).min(5865)
}

fn step(from: usize, hubs: usize, services: &[Service], topics: usize, rng: &mut Rng) -> Step {
    let Service { level, datastore, .. } = services[from];
    match rng.below(100) {
        0..50 if datastore => return Step::Read,
        0..7 => return Step::Publish(rng.below(topics)),
        _ => {}
    }
    // The last ones are called most; the first 27 % by nobody.
    let count = services.len() - hubs;
    for _ in 0..8 {
        let to = count.saturating_sub(1 + zipf(count, rng));
        if to * 100 >= count * 27 && services[to].level > level {
            return call(from, to, services, rng);
        }
    }
    if datastore { Step::Read } else { Step::Publish(rng.below(topics)) }
}

fn call(from: usize, to: usize, services: &[Service], rng: &mut Rng) -> Step {
    let endpoint = rng.below(services[to].endpoints.len());
    // Callers outwait what they call, but for one in twenty.
    let level = if rng.chance(5) { rng.below(LEVELS.len()) } else { services[from].level };
    Step::Call { to, endpoint, timeout_ms: 3000 - 350 * level, retries: rng.chance(10) }
}

/// A rank below `count`, the first ones most often.
fn zipf(count: usize, rng: &mut Rng) -> usize {
    ((count as f64).powf(rng.unit()) as usize - 1).min(count - 1)
}

/// Around 0, with a deviation of 1: the sum of twelve uniform draws.
fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.unit()).sum::<f64>() - 6.0
}
