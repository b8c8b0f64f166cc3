//! Random systems without mistakes: every section, every kind of key, in one or several files.

use super::rng::Rng;
use super::yaml::{Y, list, map, raw, text};

/// The files of a system, the root first, as trees.
#[derive(Debug, Clone)]
pub struct System {
    /// Path and content.
    pub files: Vec<(String, Y)>,
}

/// A service of which others know the name.
struct Service {
    id: String,
    endpoints: Vec<String>,
    listed: bool,
    external: bool,
}

struct Names {
    services: Vec<Service>,
    datastores: Vec<String>,
    queues: Vec<String>,
    topics: Vec<String>,
}

const FIRST: [&str; 24] = [
    "account",
    "basket",
    "catalog",
    "delivery",
    "exchange",
    "freight",
    "gallery",
    "handling",
    "invoice",
    "journal",
    "kitchen",
    "loyalty",
    "marketing",
    "newsletter",
    "offering",
    "payment",
    "quotation",
    "returns",
    "shipping",
    "telemetry",
    "upload",
    "voucher",
    "warehouse",
    "zoning",
];
const SECOND: [&str; 10] = [
    "frontend",
    "backend",
    "adapter",
    "worker",
    "gateway",
    "planner",
    "keeper",
    "übersetzer",
    "monitor",
    "resolver",
];
const NOUNS: [&str; 8] =
    ["orders", "baskets", "invoices", "products", "addresses", "vouchers", "gebühren", "shipments"];
const VERBS: [&str; 6] = ["Convert", "GetQuote", "ListEverything", "Reserve", "Settle", "Überweisen"];
const TEAMS: [&str; 5] = ["storefront", "zahlungen", "Zoë & friends", "logistics", "プラットフォーム"];

/// A mapping that grows.
struct Grow(Vec<(String, Y)>);

impl Grow {
    fn add(&mut self, key: &str, value: Y) {
        self.0.push((key.to_owned(), value));
    }

    fn maybe(&mut self, rng: &mut Rng, percent: usize, key: &str, value: impl FnOnce(&mut Rng) -> Y) {
        if rng.chance(percent) {
            let value = value(rng);
            self.add(key, value);
        }
    }

    fn done(mut self, rng: &mut Rng) -> Y {
        if rng.chance(40) {
            rng.shuffle(&mut self.0);
        }
        map(self.0)
    }
}

const fn grow() -> Grow {
    Grow(Vec::new())
}

fn duration(rng: &mut Rng, least_ms: usize, most_ms: usize) -> Y {
    let ms = rng.within(least_ms, most_ms);
    text(match rng.below(4) {
        0 if ms >= 1000 => format!("{}s", ms / 1000),
        1 if ms >= 1000 => format!("{}.{:03}s", ms / 1000, ms % 1000),
        2 => format!("{ms} ms"),
        _ => format!("{ms}ms"),
    })
}

fn share(rng: &mut Rng, least: usize) -> Y {
    text(format!("{}.{}%", rng.within(least, 99), rng.below(10)))
}

fn count(rng: &mut Rng, most: usize) -> Y {
    raw(rng.within(1, most))
}

fn truth(rng: &mut Rng) -> Y {
    raw(rng.chance(50))
}

fn words(rng: &mut Rng) -> Y {
    let all = ["typescript", "node", "rust", "postgres driver", "c++"];
    match rng.below(3) {
        0 => text(*rng.pick(&all)),
        n => list(all.iter().skip(rng.below(3)).take(n).map(|w| text(*w))),
    }
}

fn latency(rng: &mut Rng) -> Y {
    let p50 = rng.within(1, 40);
    match rng.below(5) {
        0 => map([("distribution", text("exponential")), ("mean", duration(rng, 1, 50))]),
        1 => {
            let quantiles = [("50%", p50), ("90%", p50 * 2), ("99.9%", p50 * 5)];
            map([("quantiles", map(quantiles.map(|(q, ms)| (q, text(format!("{ms}ms"))))))])
        }
        2 => map([("mean", duration(rng, 1, 50)), ("stddev", duration(rng, 1, 9))]),
        _ => map([("p50", text(format!("{p50}ms"))), ("p99", text(format!("{}ms", p50 * 4)))]),
    }
}

fn retry(rng: &mut Rng) -> Y {
    let mut retry = grow();
    retry.add("num_retries", raw(0));
    retry.maybe(rng, 60, "per_try_timeout", |r| duration(r, 50, 400));
    retry.maybe(rng, 50, "retry_on", |_| list(["5xx", "connect-failure", "timeout"].map(text)));
    retry.maybe(rng, 50, "backoff", |r| {
        map([("base", duration(r, 5, 25)), ("max", duration(r, 100, 250)), ("jitter", text("equal"))])
    });
    retry.maybe(rng, 40, "budget", |r| map([("percent", share(r, 1)), ("min_concurrency", raw(3))]));
    retry.done(rng)
}

fn breaker(rng: &mut Rng) -> Y {
    let mut breaker = grow();
    if rng.chance(50) {
        breaker.add("failure_threshold", count(rng, 9));
    } else {
        breaker.add("failure_rate_threshold", share(rng, 10));
        let by_calls = rng.chance(50);
        let window =
            if by_calls { ("calls", count(rng, 90)) } else { ("duration", duration(rng, 1000, 9000)) };
        breaker.add("window", map([window]));
    }
    breaker.maybe(rng, 60, "open_duration", |r| duration(r, 1000, 60_000));
    breaker.maybe(rng, 30, "half_open", |r| map([("permitted_calls", count(r, 5))]));
    breaker.maybe(rng, 30, "slow_call", |r| {
        map([("duration", duration(r, 100, 900)), ("rate_threshold", share(r, 40))])
    });
    breaker.done(rng)
}

/// Settings of a call, into the mapping of a call, of defaults or of an upstream.
fn policy(rng: &mut Rng, into: &mut Grow, dense: usize) {
    into.maybe(rng, dense, "timeout", |r| if r.chance(8) { text("none") } else { duration(r, 500, 5000) });
    into.maybe(rng, dense, "retry", retry);
    into.maybe(rng, dense / 2, "circuit_breaker", |r| if r.chance(15) { text("none") } else { breaker(r) });
    into.maybe(rng, dense / 2, "load_balancing", |r| match r.below(3) {
        0 => map([("policy", text("ring_hash")), ("hash_key", text("client_ip"))]),
        1 => map([("policy", text("least_request")), ("choice_count", count(r, 4))]),
        _ => map([("policy", text("round_robin")), ("zone_aware", truth(r))]),
    });
    into.maybe(rng, dense / 3, "outlier_detection", |r| {
        map([("consecutive_5xx", count(r, 9)), ("interval", duration(r, 500, 5000))])
    });
    into.maybe(rng, dense / 3, "limits", |r| {
        map([("max_connections", count(r, 99)), ("max_retries", raw(3))])
    });
    into.maybe(rng, dense / 4, "hedging", |r| {
        map([("delay", duration(r, 10, 90)), ("max_attempts", raw(2))])
    });
    into.maybe(rng, dense / 3, "protocol", |r| text(*r.pick(&["http", "grpc"])));
    into.maybe(rng, dense / 4, "propagate_deadline", truth);
    into.maybe(rng, dense / 4, "cancellation", |r| text(*r.pick(&["none", "queued", "all"])));
    into.maybe(rng, dense / 4, "tls", truth);
}

impl Names {
    fn new(rng: &mut Rng) -> Self {
        let mut ids: Vec<String> = Vec::new();
        for first in FIRST {
            // Two names never share their first half: a misspelling has one nearest name.
            ids.push(format!("{first}-{}", rng.pick(&SECOND)));
        }
        rng.shuffle(&mut ids);
        let mut take = |n: usize| -> Vec<String> { ids.split_off(ids.len() - n.min(ids.len())) };
        let datastores = take(rng.within(0, 3)).into_iter().map(|id| format!("{id}-db")).collect();
        let queues = take(rng.within(0, 2));
        let topics = take(rng.within(0, 2));
        let most = ids.len();
        ids.truncate(rng.within(3, most.min(25)));
        let last = ids.len() - 1;
        let services = ids.into_iter().enumerate().map(|(at, id)| Service {
            endpoints: endpoints(rng),
            listed: rng.chance(25),
            external: at == last && rng.chance(50),
            id,
        });
        Self { services: services.collect(), datastores, queues, topics }
    }

    /// A service behind `after` with an endpoint, as a call names it. Calls only go on: there are no loops.
    fn target(&self, rng: &mut Rng, after: usize) -> Option<String> {
        let behind = self.services.get(after + 1..)?;
        if behind.is_empty() {
            return None;
        }
        let service = rng.pick(behind);
        let single = service.endpoints.len() < 2;
        Some(if single && rng.chance(25) || service.endpoints.is_empty() {
            service.id.clone()
        } else {
            format!("{} {}", service.id, rng.pick(&service.endpoints))
        })
    }

    fn channel(&self, rng: &mut Rng) -> Option<String> {
        let all: Vec<&String> = self.queues.iter().chain(&self.topics).collect();
        (!all.is_empty()).then(|| (*rng.pick(&all)).clone())
    }

    fn step(&self, rng: &mut Rng, at: usize, deep: bool) -> Option<Y> {
        let mut step = grow();
        match rng.below(10) {
            0 if !deep => {
                let steps: Vec<Y> = (0..rng.within(2, 3)).filter_map(|_| self.step(rng, at, true)).collect();
                return (!steps.is_empty()).then(|| map([("parallel", list(steps))]));
            }
            1 => step.add("work", duration(rng, 1, 30)),
            2 => {
                step.add("publish", text(self.channel(rng)?));
                step.maybe(rng, 60, "type", |_| text("order.created"));
                step.maybe(rng, 40, "via", |_| text("outbox"));
                step.maybe(rng, 30, "probability", |r| share(r, 1));
            }
            3 | 4 if !self.datastores.is_empty() => {
                let key = if rng.chance(50) { "read" } else { "write" };
                step.add(key, text(rng.pick(&self.datastores)));
                step.maybe(rng, 30, "times", |r| count(r, 4));
            }
            _ => {
                step.add("call", text(self.target(rng, at)?));
                step.maybe(rng, 25, "probability", |r| share(r, 1));
                step.maybe(rng, 20, "times", |r| count(r, 3));
                step.maybe(rng, 15, "optional", truth);
                let fallback = if deep { None } else { self.target(rng, at) };
                step.maybe(rng, 15, "fallback", |r| match fallback.filter(|_| r.chance(50)) {
                    Some(other) => map([("call", text(other)), ("timeout", duration(r, 100, 400))]),
                    None => text(*r.pick(&["static", "cached", "none"])),
                });
                step.maybe(rng, 10, "idempotency_key", truth);
                policy(rng, &mut step, 30);
            }
        }
        Some(step.done(rng))
    }

    fn steps(&self, rng: &mut Rng, at: usize) -> Y {
        let wanted = rng.within(0, 4);
        list((0..wanted).filter_map(|_| self.step(rng, at, false)).collect::<Vec<_>>())
    }

    fn service(&self, rng: &mut Rng, at: usize) -> Y {
        let known = &self.services[at];
        let mut s = grow();
        s.maybe(rng, 30, "title", |r| text(*r.pick(&["The Shop", "Größe: alles", "x # y"])));
        s.maybe(rng, 25, "kind", |r| text(*r.pick(&["service", "gateway", "job", "cron"])));
        s.maybe(rng, 25, "version", |_| text("1.10"));
        s.maybe(rng, 50, "owner", |r| text(*r.pick(&TEAMS)));
        s.maybe(rng, 30, "layer", |_| text("domain"));
        s.maybe(rng, 30, "tier", |r| raw(r.below(4)));
        s.maybe(rng, 30, "technology", words);
        s.maybe(rng, 20, "tags", words);
        s.maybe(rng, 20, "exposure", |r| text(*r.pick(&["internal", "public"])));
        s.maybe(rng, 15, "auth", |_| text("oidc"));
        s.maybe(rng, 15, "status", |_| text("healthy"));
        s.maybe(rng, 15, "startup", |r| duration(r, 1000, 9000));
        if rng.chance(20) {
            let zones = ["a", "b"];
            let one = |r: &mut Rng, i: usize| {
                map([("id", text(i.to_string())), ("port", raw(8080 + i)), ("zone", text(*r.pick(&zones)))])
            };
            let copies = rng.within(1, 3);
            s.add("instances", list((0..copies).map(|i| one(rng, i)).collect::<Vec<_>>()));
            s.maybe(rng, 50, "replicas", |_| raw(copies));
        } else {
            s.maybe(rng, 50, "replicas", |r| count(r, 9));
        }
        s.maybe(rng, 30, "workers", |r| count(r, 8));
        s.maybe(rng, 20, "concurrency", |r| count(r, 64));
        s.maybe(rng, 20, "queue", |r| map([("max_length", raw(r.below(200))), ("discipline", text("lifo"))]));
        s.maybe(rng, 25, "health_check", |r| {
            if r.chance(15) {
                text("none")
            } else {
                map([
                    ("path", text("/healthz")),
                    ("interval", duration(r, 1000, 9000)),
                    ("unhealthy_threshold", count(r, 4)),
                ])
            }
        });
        s.maybe(rng, 15, "autoscaling", |r| {
            map([("min", raw(1)), ("max", count(r, 12)), ("target_utilization", share(r, 50))])
        });
        s.maybe(rng, 20, "slo", |r| map([("availability", share(r, 90)), ("p99", duration(r, 400, 900))]));
        s.maybe(rng, 15, "availability", |r| share(r, 90));
        s.maybe(rng, 30, "latency", latency);
        s.maybe(rng, 20, "error_rate", |r| share(r, 0));
        s.maybe(rng, 20, "metadata", |_| map([("repository", text("git/shop")), ("cost-centre", raw(4711))]));
        s.maybe(rng, 15, "defaults", |r| {
            let mut call = grow();
            policy(r, &mut call, 60);
            map([("call", call.done(r))])
        });
        s.maybe(rng, 8, "x-note", |_| map([("anything", list([raw(1), text("goes: here")]))]));
        if known.external {
            s.add("external", raw(true));
        }
        if let Some(target) = self.target(rng, at).filter(|_| rng.chance(15)) {
            s.add("dependencies", list([text(target)]));
        }
        self.interface(rng, at, &mut s);
        s.done(rng)
    }

    fn interface(&self, rng: &mut Rng, at: usize, s: &mut Grow) {
        let known = &self.services[at];
        if known.listed {
            s.add("endpoints", list(known.endpoints.iter().map(text)));
        } else if !known.endpoints.is_empty() {
            let endpoints: Vec<_> =
                known.endpoints.iter().map(|e| (e.clone(), self.endpoint(rng, at))).collect();
            s.add("endpoints", map(endpoints));
        }
        if let Some(channel) = self.channel(rng).filter(|_| rng.chance(20)) {
            let mut consume = grow();
            consume.maybe(rng, 60, "types", |_| list(["order.created", "order.paid"].map(text)));
            consume.maybe(rng, 40, "concurrency", |r| count(r, 8));
            consume.maybe(rng, 40, "prefetch", |r| raw(r.below(20)));
            consume.maybe(rng, 40, "latency", latency);
            let calls = self.steps(rng, at);
            consume.maybe(rng, 60, "calls", |_| calls);
            let consume = consume.done(rng);
            s.add("consumes", map([(channel, consume)]));
        }
    }

    fn endpoint(&self, rng: &mut Rng, at: usize) -> Y {
        let mut e = grow();
        e.maybe(rng, 20, "description", |_| text("what it is: good"));
        e.maybe(rng, 20, "version", |_| text("v2"));
        e.maybe(rng, 15, "protocol", |_| text("http"));
        e.maybe(rng, 40, "latency", latency);
        e.maybe(rng, 30, "error_rate", |r| share(r, 0));
        e.maybe(rng, 20, "slo", |r| map([("p99", duration(r, 200, 900)), ("availability", share(r, 90))]));
        e.maybe(rng, 25, "idempotent", truth);
        e.maybe(rng, 10, "deprecated", |_| raw(false));
        e.maybe(rng, 10, "sunset", |_| text("2027-03-31"));
        let calls = self.steps(rng, at);
        e.maybe(rng, 75, "calls", |_| calls);
        e.done(rng)
    }
}

fn endpoints(rng: &mut Rng) -> Vec<String> {
    let mut all = Vec::new();
    for noun in NOUNS {
        match rng.below(12) {
            0 => all.push(format!("GET /{noun}/{{id}}")),
            1 => all.push(format!("POST /{noun}")),
            2 => all.push(format!("/{noun}/all")),
            _ => {}
        }
    }
    if all.is_empty() || rng.chance(20) {
        all.push((*rng.pick(&VERBS)).to_owned());
    }
    all
}

fn traffic(rng: &mut Rng, names: &Names) -> Y {
    let mut t = grow();
    t.add("to", text(names.target(rng, 0).unwrap_or_default()));
    match rng.below(3) {
        0 => {
            t.add("users", count(rng, 900));
            t.maybe(rng, 60, "think_time", |r| duration(r, 500, 5000));
        }
        1 => {
            let point = |at: usize, value: usize| {
                map([("at", text(format!("{at}s"))), ("value", text(format!("{value}/s")))])
            };
            t.add("rate", list([point(0, 100), point(60, 700), point(90, 50)]));
            t.maybe(rng, 40, "interpolate", |_| text("linear"));
        }
        _ => t.add("rate", text(format!("{}/s", rng.within(1, 900)))),
    }
    t.maybe(rng, 30, "arrivals", |r| text(*r.pick(&["poisson", "constant"])));
    t.maybe(rng, 20, "clients", |r| count(r, 5));
    t.maybe(rng, 20, "peak", |_| text("90000/m"));
    t.done(rng)
}

fn scenario(rng: &mut Rng, names: &Names) -> Y {
    let service = |r: &mut Rng| text(r.pick(&names.services).id.clone());
    let mut s = grow();
    s.maybe(rng, 40, "description", |_| text("many come at once"));
    s.add("duration", text("5m"));
    s.maybe(rng, 60, "warm_up", |_| text("30s"));
    s.maybe(rng, 30, "seed", |r| raw(r.below(1000)));
    s.maybe(rng, 30, "replications", |r| count(r, 20));
    s.maybe(rng, 50, "traffic", |r| list([traffic(r, names)]));
    s.maybe(rng, 70, "events", |r| {
        let slow = map([("target", service(r)), ("factor", raw(2.5))]);
        let errors = map([("target", service(r)), ("rate", share(r, 1))]);
        let kill = map([("target", service(r))]);
        list([
            map([("at", text("10s")), ("for", text("30s")), ("slow", slow)]),
            map([("at", text("1m")), ("errors", errors)]),
            map([("at", text("120s")), ("kill", kill)]),
        ])
    });
    s.maybe(rng, 70, "expect", |r| {
        let target = names.target(r, 0).unwrap_or_default();
        let mut all = vec![text("availability >= 99.9%"), text("recovery < 20s")];
        all.push(text(format!("{target} p99 < 400ms")));
        all.push(text(format!("{target}  goodput > 80/s")));
        list(all)
    });
    s.done(rng)
}

fn lint(rng: &mut Rng) -> Y {
    let mut l = grow();
    l.maybe(rng, 80, "rules", |r| {
        let level = text(*r.pick(&["allow", "info", "warning"]));
        map([
            ("high-fan-out", map([("level", text("warning")), ("max", raw(r.within(3, 9)))])),
            ("missing-timeout", level),
            ("orphan-service", map([("level", text("allow"))])),
        ])
    });
    l.maybe(rng, 60, "layers", |_| list(["edge", "domain", "data"].map(text)));
    l.maybe(rng, 60, "contracts", |_| {
        let forbid = map([("from", text("*-frontend")), ("to", text("*-db"))]);
        list([map([("forbid", forbid), ("reason", text("go through the owning service"))])])
    });
    l.done(rng)
}

impl System {
    /// A system without mistakes, in one to three files.
    pub fn random(rng: &mut Rng) -> Self {
        let names = Names::new(rng);
        let parts = if rng.chance(40) { rng.within(2, 3) } else { 1 };
        let mut services: Vec<Vec<(String, Y)>> = vec![Vec::new(); parts];
        for (at, service) in names.services.iter().enumerate() {
            let part = if at == 0 { 0 } else { rng.below(parts) };
            services[part].push((service.id.clone(), names.service(rng, at)));
        }
        let mut files = Vec::new();
        for (part, services) in services.into_iter().enumerate() {
            let mut d = grow();
            if part == 0 {
                d.add("name", text("shop — Größenwahn"));
                let pattern =
                    if rng.chance(50) { text("teams/*.yaml") } else { list([text("teams/*.yaml")]) };
                if parts > 1 {
                    d.add("include", pattern);
                }
                d.maybe(rng, 70, "lint", lint);
                shared(rng, &names, &mut d);
            }
            d.maybe(rng, 50, "defaults", |r| {
                let mut call = grow();
                policy(r, &mut call, 40);
                let service = map([("replicas", count(r, 4)), ("owner", text(*r.pick(&TEAMS)))]);
                map([("service", service), ("call", call.done(r))])
            });
            d.add("services", map(services));
            if rng.chance(60) {
                d.add(
                    "traffic",
                    list((0..rng.within(1, 2)).map(|_| traffic(rng, &names)).collect::<Vec<_>>()),
                );
            }
            d.maybe(rng, 50, "scenarios", |r| map([(format!("try-{part}"), scenario(r, &names))]));
            d.maybe(rng, 15, "x-anchor", |_| list([text("free"), raw(7)]));
            let path = if part == 0 { "loadpath.yaml".to_owned() } else { format!("teams/team-{part}.yaml") };
            files.push((path, d.done(rng)));
        }
        Self { files }
    }
}

/// Sections of the root file.
fn shared(rng: &mut Rng, names: &Names, d: &mut Grow) {
    if !names.datastores.is_empty() {
        let store = |r: &mut Rng| {
            let mut s = grow();
            s.add("kind", text(*r.pick(&["postgres", "redis", "mongodb"])));
            s.maybe(r, 50, "owner", |r| text(*r.pick(&TEAMS)));
            s.maybe(r, 40, "replicas", |r| count(r, 3));
            s.maybe(r, 40, "availability", |r| share(r, 90));
            s.maybe(r, 30, "managed", truth);
            s.maybe(r, 30, "latency", latency);
            s.done(r)
        };
        d.add(
            "datastores",
            map(names.datastores.iter().map(|id| (id.clone(), store(rng))).collect::<Vec<_>>()),
        );
    }
    if !names.queues.is_empty() {
        let dead = names.queues[0].clone();
        let queue = |r: &mut Rng, id: &String| {
            let mut q = grow();
            q.maybe(r, 50, "max_deliveries", |r| count(r, 9));
            q.maybe(r, 50, "visibility_timeout", |r| duration(r, 1000, 9000));
            q.maybe(r, 50, "max_length", |r| count(r, 9999));
            if *id != dead {
                q.add("dead_letter", text(dead.clone()));
            }
            q.done(r)
        };
        d.add("queues", map(names.queues.iter().map(|id| (id.clone(), queue(rng, id))).collect::<Vec<_>>()));
    }
    if !names.topics.is_empty() {
        let topic = |r: &mut Rng| {
            let mut t = grow();
            t.maybe(r, 50, "partitions", |r| count(r, 12));
            t.maybe(r, 50, "retention", |_| text("7d"));
            t.maybe(r, 50, "external_producers", truth);
            t.done(r)
        };
        d.add("topics", map(names.topics.iter().map(|id| (id.clone(), topic(rng))).collect::<Vec<_>>()));
    }
    let mut edges = Vec::new();
    for _ in 0..rng.within(0, 3) {
        let at = rng.below(names.services.len() - 1);
        let Some(to) = names.target(rng, at) else { continue };
        let mut edge = grow();
        edge.add("from", text(names.services[at].id.clone()));
        edge.add("to", text(to));
        edge.maybe(rng, 40, "timeout", |r| duration(r, 500, 5000));
        edge.maybe(rng, 30, "retry_count", |_| raw(0));
        edge.maybe(rng, 30, "protocol", |_| text("grpc"));
        edges.push(edge.done(rng));
    }
    if !edges.is_empty() {
        d.add("communications", list(edges));
    }
    d.maybe(rng, 30, "upstreams", |r| {
        let mut upstream = grow();
        upstream.maybe(r, 50, "preset", |_| text("envoy"));
        policy(r, &mut upstream, 60);
        let id = r.pick(&names.services).id.clone();
        map([(id, upstream.done(r))])
    });
    d.maybe(rng, 20, "aliases", |_| map([("nginx-thrift", text(names.services[0].id.clone()))]));
    d.maybe(rng, 30, "mesh", |r| map([("retry", text("none")), ("mtls", truth(r))]));
    d.maybe(rng, 30, "discovery", |r| map([("heartbeat", duration(r, 1000, 9000)), ("lease", text("90s"))]));
    d.maybe(rng, 30, "monitoring", |r| {
        map([("interval", text("1s")), ("history", count(r, 1000)), ("sample_traces", share(r, 1))])
    });
    d.maybe(rng, 40, "network", |_| map([("latency", text("0.2ms")), ("loss", text("0%"))]));
}
