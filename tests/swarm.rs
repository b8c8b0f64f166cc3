//! Random architectures under random scenarios: whatever they are, requests are neither lost nor made up, time runs
//! forward, an open breaker lets nothing through, nobody takes in more than he may, and the same seed gives the same.
//!
//! `SWARM=5000 cargo test --release --test swarm` tries so many; `SWARM_SEED=17 cargo test --test swarm` replays one.

#![allow(clippy::panic, reason = "a test stops where it cannot go on")]

mod support;

use loadpath::kernel::{Span, Time};
use loadpath::model::from_text;
use loadpath::policy::breaker::State;
use loadpath::sim::{
    BreakerId, Cause, EdgeId, Ending, EndpointId, InstanceId, MessageStep, Outcome, Plan, Probe, QueueId,
    SourceId, compile, replicate, simulate,
};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::rng::Rng;

/// Systems of a usual run.
const USUAL: u64 = 240;

#[test]
fn whatever_the_system_nothing_is_lost_and_nothing_is_made_up() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("SWARM_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("SWARM").unwrap_or(USUAL)).collect(),
    };
    let next = AtomicUsize::new(0);
    let worker = || {
        let taken = std::iter::from_fn(|| seeds.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.filter_map(|seed| wrong(*seed).err().map(|why| (*seed, why))).collect::<Vec<_>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut failed: Vec<(u64, String)> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        all.into_iter().flat_map(|one| one.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    });
    failed.sort();
    let heads: Vec<&str> = failed.iter().filter_map(|(_, f)| f.lines().next()).collect();
    assert!(failed.is_empty(), "{} failed:\n{}\nthe first:\n{}", failed.len(), heads.join("\n"), failed[0].1);
}

/// Simulates the system of a seed and looks at it; the error says how to see it again.
fn wrong(seed: u64) -> Result<(), String> {
    let text = document(&mut Rng::new(seed));
    let told = |what: String| format!("SWARM_SEED={seed}: {what}\n{text}");
    let arch = from_text("swarm", &text).map_err(told)?;
    let compiled = compile(&arch, arch.scenarios.first()).map_err(told)?;
    let plan = &compiled.plan;
    let run = |threads| simulate(plan, seed, 2, threads).map_err(|e| told(e.to_string()));
    let outcome = run(1)?;
    let digest = |outcome: &Outcome| format!("{outcome:?}");
    if digest(&outcome) != digest(&run(2)?) {
        return Err(told("two threads find something else than one".to_owned()));
    }
    let mut all = Vec::new();
    for replication in 0..2 {
        let run = replicate(plan, seed, replication, Seen::new(plan)).map_err(|e| told(e.to_string()))?;
        run.wrong.first().map_or(Ok(()), |wrong| Err(told(wrong.clone())))?;
        all.push(run);
    }
    balance(plan, &outcome, &all).map_err(told)
}

/// Whether what an outcome counts adds up, and is what was seen.
fn balance(plan: &Plan, outcome: &Outcome, seen: &[Seen]) -> Result<(), String> {
    let sum = |of: &dyn Fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>();
    let rows = |all: &[loadpath::sim::EndpointOutcome], of: for<'s> fn(&'s Seen<'_>) -> &'s [Flow]| {
        all.iter().enumerate().try_for_each(|(i, row)| {
            let (arrived, ended) = (sum(&|s| of(s)[i].arrived), sum(&|s| of(s)[i].ended));
            let counted = row.succeeded + row.failed + row.in_flight;
            let causes: u64 = row.errors_by_cause.iter().map(|(_, n)| n).sum();
            if row.arrived != counted
                || row.arrived != arrived
                || row.in_flight != arrived - ended
                || causes != row.failed
            {
                return Err(format!("{}: {row:?} but {arrived} arrived and {ended} ended", row.name));
            }
            Ok(())
        })
    };
    let sources: Vec<_> = outcome.sources.iter().map(|s| s.requests.clone()).collect();
    rows(&sources, |s| &s.sources)?;
    rows(&outcome.endpoints, |s| &s.endpoints)?;
    for (i, edge) in outcome.edges.iter().enumerate() {
        let failed: u64 = edge.errors_by_cause.iter().map(|(_, n)| n).sum();
        let open = sum(&|s| s.edges[i].arrived - s.edges[i].ended);
        let attempts = sum(&|s| s.attempts[i].arrived);
        let fits = edge.requests == edge.succeeded + failed + open && edge.recovered <= failed;
        let tries =
            edge.attempts == attempts && edge.retries <= edge.attempts && edge.timeouts <= edge.attempts;
        if !fits || !tries {
            return Err(format!("{}: {edge:?} with {open} open and {attempts} attempts", edge.name));
        }
    }
    for (i, queue) in outcome.queues.iter().enumerate() {
        let done = queue.acknowledged + queue.dead_lettered;
        let often = if plan.queues[i].fan_out { plan.queues[i].consumers.len().max(1) as u64 } else { 1 };
        if done + queue.left > queue.published.max(done) * often || queue.delivered < queue.acknowledged {
            return Err(format!("{queue:?}"));
        }
    }
    for (instance, seen) in plan.instances.iter().zip(&outcome.instances) {
        let used = seen.utilization.as_ref().map_or(0.0, |u| u.value);
        if !(0.0..=1.0 + 1e-9).contains(&used) {
            return Err(format!("{} is {used} busy", instance.name));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Flow {
    arrived: u64,
    ended: u64,
    /// Those that are not measured as well.
    inside: i64,
}

impl Flow {
    fn enter(&mut self, measured: bool) {
        self.inside += 1;
        self.arrived += u64::from(measured);
    }

    fn leave(&mut self, measured: bool) {
        self.inside -= 1;
        self.ended += u64::from(measured);
    }
}

/// What is seen of a run, and what of it cannot be.
struct Seen<'p> {
    plan: &'p Plan,
    last: Time,
    sources: Vec<Flow>,
    endpoints: Vec<Flow>,
    edges: Vec<Flow>,
    attempts: Vec<Flow>,
    /// Of each queue: published and neither handled nor given up.
    messages: Vec<i64>,
    /// Of each breaker and caller instance.
    breakers: Vec<Vec<State>>,
    wrong: Vec<String>,
}

impl<'p> Seen<'p> {
    fn new(plan: &'p Plan) -> Self {
        let none = |count: usize| vec![Flow::default(); count];
        let breaker = |b: &loadpath::sim::BreakerPlan| vec![State::Closed; plan.callers(b.caller) as usize];
        Self {
            plan,
            last: Time::ZERO,
            sources: none(plan.sources.len()),
            endpoints: none(plan.endpoints.len()),
            edges: none(plan.edges.len()),
            attempts: none(plan.edges.len()),
            messages: vec![0; plan.queues.len()],
            breakers: plan.breakers.iter().map(breaker).collect(),
            wrong: Vec::new(),
        }
    }

    fn check(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if !fine && self.wrong.len() < 3 {
            let at = self.last;
            self.wrong.push(format!("at {at}: {}", what()));
        }
    }

    fn at(&mut self, now: Time) {
        let fine = now >= self.last;
        self.check(fine, || format!("time goes back to {now}"));
        self.last = now;
    }

    /// Requests of a service that are at its instances fit into their places, the one being turned away beside.
    fn fits(&mut self, endpoint: EndpointId) {
        let id = self.plan.endpoints[endpoint.index()].service;
        let service = &self.plan.services[id.index()];
        let (Some(inside), Some(waiting)) = (service.concurrency, service.queue_max_length) else { return };
        let own =
            self.plan.endpoints.iter().zip(&self.endpoints).filter(|(e, _)| e.service == id && !e.handler);
        let there: i64 = own.map(|(_, flow)| flow.inside).sum();
        let most = i64::from(service.instances.end - service.instances.start)
            * (i64::from(inside) + i64::from(waiting))
            + 1;
        self.check(there <= most, || format!("{there} requests in `{}`, which takes {most}", service.name));
    }
}

impl Probe for Seen<'_> {
    fn request_arrived(&mut self, now: Time, source: SourceId, measured: bool) {
        self.at(now);
        self.sources[source.index()].enter(measured);
    }
    fn request_ended(&mut self, now: Time, source: SourceId, took: Span, _: Ending, measured: bool) {
        self.at(now);
        self.sources[source.index()].leave(measured);
        let fine = self.sources[source.index()].inside >= 0 && took <= now.since(Time::ZERO);
        self.check(fine, || "a request ends that never came".to_owned());
    }
    fn job_arrived(&mut self, now: Time, endpoint: EndpointId, _: InstanceId, measured: bool) {
        self.at(now);
        self.endpoints[endpoint.index()].enter(measured);
        self.fits(endpoint);
    }
    fn job_ended(&mut self, now: Time, endpoint: EndpointId, _: Span, _: Ending, measured: bool) {
        self.at(now);
        self.endpoints[endpoint.index()].leave(measured);
        let fine = self.endpoints[endpoint.index()].inside >= 0;
        self.check(fine, || "an answer to nothing".to_owned());
    }
    fn occupancy(&mut self, now: Time, instance: InstanceId, busy: u32, waiting: u32) {
        self.at(now);
        let service = &self.plan.services[self.plan.instances[instance.index()].service.index()];
        let fine = service.workers.is_none_or(|workers| busy <= workers);
        self.check(fine, || format!("{busy} workers of `{}` are busy", service.name));
        // Those in front of it are bounded; those that are inside already wait for a worker beside them.
        let most =
            service.queue_max_length.zip(service.concurrency).map(|(a, b)| u64::from(a) + u64::from(b));
        let fine = most.is_none_or(|most| u64::from(waiting) <= most);
        self.check(fine, || format!("{waiting} requests wait at `{}`", service.name));
    }
    fn call_started(&mut self, edge: EdgeId, _: bool, measured: bool) {
        self.edges[edge.index()].enter(measured);
    }
    fn call_ended(&mut self, edge: EdgeId, _: Ending, _: bool, measured: bool) {
        self.edges[edge.index()].leave(measured);
        let fine = self.edges[edge.index()].inside >= 0;
        self.check(fine, || "a call ends that never began".to_owned());
    }
    fn attempt_started(&mut self, edge: EdgeId, _: bool, measured: bool) {
        self.attempts[edge.index()].enter(measured);
        let plan = &self.plan.edges[edge.index()];
        let Some(breaker) = plan.breaker.filter(|_| !plan.breaker_counts_calls) else { return };
        // Which caller it is of is not said: with all of them open it is of an open one.
        let open = self.breakers[breaker.index()].iter().all(|state| *state == State::Open);
        self.check(!open, || format!("an attempt over `{}` through an open breaker", plan.name));
    }
    fn attempt_ended(&mut self, edge: EdgeId, end: Ending, measured: bool) {
        // A call that the breaker or a limit stops ends without an attempt.
        if end != Some(Cause::BreakerOpen) {
            self.attempts[edge.index()].leave(measured);
        }
    }
    fn breaker_changed(&mut self, now: Time, breaker: BreakerId, caller: u32, from: State, to: State) {
        self.at(now);
        let known = &mut self.breakers[breaker.index()][caller as usize];
        let fine = *known == from && from != to;
        *known = to;
        self.check(fine, || format!("a breaker goes from {from:?} to {to:?}"));
    }
    fn message(&mut self, now: Time, queue: QueueId, step: MessageStep, waiting: u32, _: bool) {
        self.at(now);
        if self.plan.queues[queue.index()].fan_out {
            return;
        }
        let known = &mut self.messages[queue.index()];
        match step {
            MessageStep::Published => *known += 1,
            MessageStep::Acknowledged(_) | MessageStep::DeadLettered => *known -= 1,
            MessageStep::Dropped | MessageStep::Delivered(_) | MessageStep::Redelivered => {}
        }
        let (known, most) = (*known, self.plan.queues[queue.index()].max_length);
        self.check(known >= i64::from(waiting), || format!("{waiting} messages wait, and {known} are there"));
        // What comes back after a failure finds a place beside.
        let full = most.is_some_and(|most| waiting > most) && step == MessageStep::Published;
        self.check(!full, || format!("{waiting} messages wait in {most:?} places"));
    }
}

const BALANCERS: [&str; 16] = [
    "round_robin",
    "random",
    "least_connections",
    "weighted_round_robin",
    "ip_hash, hash_key: client_ip",
    "least_request",
    "weighted_edf",
    "random_two",
    "p2c",
    "peak_ewma",
    "hash, hash_key: user",
    "consistent_hash, hash_key: user",
    "bounded_load, hash_key: user",
    "ring_hash, hash_key: user",
    "maglev, hash_key: user",
    "prequal",
];

/// A system and its scenario.
fn document(rng: &mut Rng) -> String {
    let count = rng.within(1, 6);
    let (queues, channel) = (rng.chance(40), if rng.chance(50) { "queues" } else { "topics" });
    let mut text = "services:\n".to_owned();
    for at in 0..count {
        service(rng, &mut text, at, count, queues);
    }
    if queues {
        let more = match channel {
            "queues" => "max_length: 50, max_deliveries: 3, visibility_timeout: 2s, dead_letter: graves",
            _ => "partitions: 4",
        };
        let settings = format!("prefetch: {}, concurrency: {}", rng.within(1, 4), rng.within(1, 3));
        let settings =
            if channel == "queues" { settings } else { format!("concurrency: {}", rng.within(1, 3)) };
        let errors = rng.below(30);
        let _ = writeln!(
            text,
            "  reader: {{ replicas: {}, consumes: {{ post: {{ latency: {}, error_rate: {errors}%, {settings} }} }} }}\n\
             {channel}: {{ post: {{ {more} }} }}",
            rng.within(1, 3),
            latency(rng),
        );
        if channel == "queues" {
            text = text.replace("queues: { post", "queues: { graves: {}, post");
        }
    }
    if rng.chance(30) {
        let _ = writeln!(text, "network: {{ latency: {}us, loss: {}% }}", rng.below(2000), rng.below(3));
    }
    if rng.chance(25) {
        text += "discovery: { heartbeat: 500ms, lease: 1500ms, sweep: 300ms, client_cache_ttl: 700ms }\n";
    }
    text += "scenarios:\n  swarm:\n    duration: 6s\n    warm_up: 1s\n    traffic:\n";
    for _ in 0..rng.within(1, 2) {
        let _ = writeln!(text, "      - {{ to: s{} E, {} }}", rng.below(count.min(2)), traffic(rng));
    }
    if rng.chance(70) {
        text += "    events:\n";
        for _ in 0..rng.within(1, 3) {
            let (at, lasts, target) = (rng.below(4000), rng.within(100, 3000), rng.below(count));
            let what = match rng.below(8) {
                0 => format!("kill: {{ target: s{target} }}"),
                1 => format!("restart: {{ target: s{target}/0 }}"),
                2 => format!("slow: {{ target: s{target}, factor: {} }}", rng.within(2, 20)),
                3 => format!("errors: {{ target: s{target}/0, rate: {}% }}", rng.within(1, 100)),
                4 => format!("stall: {{ target: s{target} }}"),
                5 => format!("partition: {{ target: s{target}/0 }}"),
                6 => format!("network: {{ target: s{target}, latency: {}ms, loss: 5% }}", rng.within(1, 50)),
                _ => format!("deploy: {{ target: s{target} }}"),
            };
            let lasts = if what.starts_with("deploy") { String::new() } else { format!("for: {lasts}ms, ") };
            let _ = writeln!(text, "      - {{ at: {at}ms, {lasts}{what} }}");
        }
    }
    text
}

fn latency(rng: &mut Rng) -> String {
    let mean = rng.within(1, 20);
    match rng.below(5) {
        0 => format!("{{ distribution: constant, mean: {mean}ms }}"),
        1 => format!("{{ distribution: hyperexponential, mean: {mean}ms }}"),
        2 => format!("{{ p50: {mean}ms, p99: {}ms }}", mean * rng.within(1, 10)),
        _ => format!("{{ distribution: exponential, mean: {mean}ms }}"),
    }
}

fn traffic(rng: &mut Rng) -> String {
    let (rate, clients) = (rng.within(5, 150), rng.within(1, 3));
    let how = match rng.below(6) {
        0 => format!("users: {}, think_time: {}ms", rng.within(1, 30), rng.within(20, 500)),
        1 => format!("rate: {rate}/s, arrivals: constant"),
        2 => format!("states: [{{ rate: {}/s, lasts: 300ms }}, {{ rate: 2/s, lasts: 1s }}]", rate * 3),
        3 => format!(
            "rate: [{{ at: 0s, value: {rate}/s }}, {{ at: 1s, value: 5/s }}], interpolate: linear, repeat: 2s"
        ),
        _ => format!("rate: {rate}/s"),
    };
    format!("{how}, clients: {clients}")
}

fn service(rng: &mut Rng, text: &mut String, at: usize, count: usize, queues: bool) {
    let mut words = vec![format!("replicas: {}", rng.within(1, 4))];
    let workers = rng.within(1, 4);
    if rng.chance(80) {
        words.push(format!("workers: {workers}"));
    }
    if rng.chance(50) {
        words.push(format!("concurrency: {}", rng.within(1, 12)));
    }
    if rng.chance(60) {
        let discipline = rng.pick(&["fifo", "lifo", "codel"]);
        words.push(format!("queue: {{ max_length: {}, discipline: {discipline} }}", rng.below(30)));
    }
    let limit = rng.below(100);
    if limit < 20 {
        words.push("limits: { rate_limit: { rate: 80/s, burst: 5 } }".to_owned());
    } else if limit < 36 {
        let algorithm = rng.pick(&["aimd", "vegas", "gradient2", "adaptive_concurrency"]);
        words.push(format!(
            "limits: {{ adaptive: {{ algorithm: {algorithm}, initial: 4, min: 1, max: 20 }} }}"
        ));
    }
    if rng.chance(20) {
        words.push("health_check: { path: /healthz, interval: 500ms, timeout: 200ms }".to_owned());
    }
    if rng.chance(15) {
        words.push("warm_up: { duration: 1s, factor: 4 }, startup: 300ms".to_owned());
    }
    let mut calls = Vec::new();
    for _ in 0..rng.below(4) {
        if at + 1 < count {
            let to = rng.within(at + 1, count - 1);
            calls.push(call(rng, to));
        }
    }
    if calls.len() > 1 && rng.chance(30) {
        calls = vec![format!("{{ parallel: [{}] }}", calls.join(", "))];
    }
    if queues && rng.chance(60) {
        calls.push("{ publish: post }".to_owned());
    }
    let (errors, latency) = (rng.below(10), latency(rng));
    let _ = writeln!(
        text,
        "  s{at}: {{ {}, endpoints: {{ E: {{ latency: {latency}, error_rate: {errors}%, calls: [{}] }} }} }}",
        words.join(", "),
        calls.join(", ")
    );
}

fn call(rng: &mut Rng, to: usize) -> String {
    let mut words = vec![format!("call: s{to} E")];
    let mut say = |rng: &mut Rng, percent: usize, word: &dyn Fn(&mut Rng) -> String| {
        if rng.chance(percent) {
            words.push(word(rng));
        }
    };
    say(rng, 70, &|rng| format!("timeout: {}ms", rng.within(5, 300)));
    if rng.chance(20) {
        say(rng, 100, &|rng| {
            let cancel = rng.chance(50);
            format!(
                "hedging: {{ delay: {}ms, max_attempts: {}, cancel: {cancel} }}",
                rng.within(1, 30),
                rng.within(2, 4)
            )
        });
    } else {
        say(rng, 60, &|rng| {
            let budget = if rng.chance(30) { ", budget: { percent: 20%, min_concurrency: 1 }" } else { "" };
            let each = if rng.chance(50) {
                format!(", per_try_timeout: {}ms", rng.within(2, 80))
            } else {
                String::new()
            };
            format!(
                "retry: {{ num_retries: {}{each}, backoff: {{ base: {}ms }}{budget} }}",
                rng.below(4),
                rng.within(1, 20)
            )
        });
    }
    say(rng, 50, &|rng| {
        let counts = rng.pick(&["attempts", "calls"]);
        let open = rng.within(50, 1500);
        match rng.below(3) {
            0 => format!(
                "circuit_breaker: {{ failure_threshold: {}, open_duration: {open}ms, counts: {counts} }}",
                rng.within(1, 6)
            ),
            1 => format!(
                "circuit_breaker: {{ failure_rate_threshold: 30%, minimum_calls: 5, window: {{ calls: 10 }}, \
                 open_duration: {open}ms, half_open: {{ permitted_calls: {} }}, counts: {counts} }}",
                rng.within(1, 5)
            ),
            _ => format!(
                "circuit_breaker: {{ failure_rate_threshold: 50%, window: {{ duration: 1s }}, open_duration: {open}ms, counts: {counts} }}"
            ),
        }
    });
    say(rng, 60, &|rng| format!("load_balancing: {{ policy: {} }}", rng.pick(&BALANCERS)));
    say(rng, 25, &|rng| {
        format!(
            "outlier_detection: {{ consecutive_5xx: {}, interval: 300ms, base_ejection_time: 500ms, max_ejection_percent: 60% }}",
            rng.within(1, 5)
        )
    });
    say(rng, 30, &|rng| match rng.below(4) {
        0 => format!("limits: {{ max_requests: {} }}", rng.within(1, 10)),
        1 => format!(
            "limits: {{ max_connections: {}, max_pending_requests: {} }}",
            rng.within(1, 6),
            rng.below(6)
        ),
        2 => format!(
            "limits: {{ bulkhead: {{ max_concurrent_calls: {}, max_wait: 20ms }} }}",
            rng.within(1, 6)
        ),
        _ => format!(
            "limits: {{ rate_limit: {{ rate: {}/s, burst: 4, max_wait: 10ms }} }}",
            rng.within(10, 100)
        ),
    });
    say(rng, 30, &|rng| format!("probability: {}%", rng.within(10, 100)));
    say(rng, 20, &|rng| format!("times: {}", rng.within(1, 3)));
    say(rng, 20, &|_| "optional: true".to_owned());
    say(rng, 30, &|rng| format!("cancellation: {}", rng.pick(&["none", "queued", "all"])));
    format!("{{ {} }}", words.join(", "))
}
