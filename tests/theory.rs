//! The engine against queueing theory.
//!
//! Each row is a system whose truth is known exactly. A row passes when the 99.9% Student-t interval
//! over its replications contains the truth *and* is no wider than ±1% of it: a wrong engine cannot
//! hide behind noise, and a right one does not pass by luck. Seeds are fixed.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use loadpath::kernel::{Distribution, Span, stats};
use loadpath::policy::balancer;
use loadpath::sim::{
    Arrivals, Caller, Cause, CauseSet, EdgeId, EndpointId, EndpointOutcome, Estimate, Outcome, Plan,
    ServiceId, SourceId, simulate,
};

/// The mean service time; theory counts in it.
const UNIT: Span = Span::from_millis(1);
const REPLICATIONS: u32 = 40;
const SEED: u64 = 2;
/// Seconds of warm-up: twenty thousand service times.
const WARM_UP: u64 = 20;

struct Server {
    instances: u32,
    workers: u32,
    work: Distribution,
    queue: Option<u32>,
    balancer: &'static str,
}

fn server() -> Server {
    let work = Distribution::Exponential(UNIT);
    Server { instances: 1, workers: 1, work, queue: None, balancer: "round_robin" }
}

/// One service behind one Poisson source of `rho` per worker and service time, for so many million
/// requests.
fn open(rho: f64, millions: f64, server: Server) -> Plan {
    let rate = rho * f64::from(server.instances * server.workers) / UNIT.seconds();
    let seconds = (millions * 1e6 / rate / f64::from(REPLICATIONS)) as u64;
    let mut plan = Plan::new(Span::from_secs(WARM_UP), Span::from_secs(WARM_UP + seconds.max(10)));
    let service = plan.add_service("server", server.instances);
    plan.services[service.index()].workers = Some(server.workers);
    plan.services[service.index()].queue_max_length = server.queue;
    let endpoint = plan.add_endpoint("server", service, Some(server.work), 0.0, &[]);
    let balancer = balancer::find(server.balancer).expect("a known balancer");
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), service, balancer);
    let edge = plan.add_edge("clients → server", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(rate));
    plan
}

/// A chain of services, each calling the next: own work, then the call. The first edge of the plan is
/// the last hop.
fn chain(works: &[Option<Distribution>], leaf_error: f64, seconds: u64) -> Plan {
    let mut plan = Plan::new(Span::from_secs(WARM_UP), Span::from_secs(WARM_UP + seconds));
    let round_robin = &balancer::BALANCERS[0];
    let mut below: Option<(EndpointId, ServiceId)> = None;
    for (hop, work) in works.iter().enumerate().rev() {
        let name = format!("s{hop}");
        let service = plan.add_service(&name, 1);
        let mut steps = Vec::new();
        if let Some((endpoint, callee)) = below {
            let upstream = plan.add_upstream(&name, Caller::Service(service), callee, round_robin);
            let edge = plan.add_edge(&format!("{name} → s{}", hop + 1), endpoint, upstream);
            steps.push(plan.add_group(&[edge]));
        }
        let error = if below.is_none() { leaf_error } else { 0.0 };
        below = Some((plan.add_endpoint(&name, service, work.clone(), error, &steps), service));
    }
    let (endpoint, service) = below.expect("a chain of something");
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), service, round_robin);
    let edge = plan.add_edge("clients → s0", endpoint, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(700.0));
    plan
}

fn retried(mut plan: Plan, retries: u32) -> Plan {
    for edge in &mut plan.edges {
        edge.retry.num_retries = retries;
        edge.retry.on = CauseSet::SERVER_ERRORS;
        edge.retry.backoff.base = UNIT;
    }
    plan
}

/// One service that does nothing but fail, called with retries.
fn failing(p: f64, retries: u32) -> Plan {
    retried(chain(&[None], p, 200), retries)
}

/// `depth` hops, each with retries, over a leaf that always fails; few requests.
fn outage(retries: u32, depth: usize) -> Plan {
    let mut plan = retried(chain(&vec![None; depth], 1.0, 10), retries);
    plan.sources[0].arrivals = Arrivals::poisson(20.0);
    plan
}

/// `users` who think for 1 s and go through stations of 0.1 s and 0.05 s.
fn closed(users: u32, seconds: u64) -> Plan {
    let work = |millis| Some(Distribution::Exponential(Span::from_millis(millis)));
    let mut plan = chain(&[work(100), work(50)], 0.0, seconds);
    let think = Distribution::Exponential(Span::from_secs(1));
    plan.sources[0].arrivals = Arrivals::Closed { users, think };
    plan
}

/// One request calls a leaf a hundred times at once; each call fails with 1%.
fn fan_out() -> Plan {
    let mut plan = Plan::new(Span::from_secs(1), Span::from_secs(41));
    let round_robin = &balancer::BALANCERS[0];
    let leaf = plan.add_service("leaf", 1);
    let answer = plan.add_endpoint("leaf", leaf, None, 0.01, &[]);
    let root = plan.add_service("root", 1);
    let upstream = plan.add_upstream("root", Caller::Service(root), leaf, round_robin);
    let edges: Vec<EdgeId> =
        (0..100).map(|i| plan.add_edge(&format!("root → leaf {i}"), answer, upstream)).collect();
    let group = plan.add_group(&edges);
    let ask = plan.add_endpoint("root", root, None, 0.0, &[group]);
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), root, round_robin);
    let edge = plan.add_edge("clients → root", ask, upstream);
    plan.add_source("clients", edge, Arrivals::poisson(100.0));
    plan
}

fn timed_out(mut plan: Plan, after: Span) -> Plan {
    plan.edges[0].timeout = Some(after);
    plan
}

/// The quantity to judge, per replication.
type Quantity = fn(&Outcome) -> Vec<f64>;

fn source(outcome: &Outcome) -> &EndpointOutcome {
    &outcome.sources[0].requests
}

fn in_units(estimate: Option<&Estimate>) -> Vec<f64> {
    estimate.map(|found| found.replications.iter().map(|x| x / UNIT.seconds()).collect()).unwrap_or_default()
}

const MEAN: Quantity = |outcome| in_units(source(outcome).latency.mean.as_ref());
const P50: Quantity = |outcome| in_units(source(outcome).latency.p50.as_ref());
const P99: Quantity = |outcome| in_units(source(outcome).latency.p99.as_ref());
const SUCCESS: Quantity = |outcome| source(outcome).availability.replications.clone();
const FAILED: Quantity = |outcome| SUCCESS(outcome).iter().map(|success| 1.0 - success).collect();
const GOODPUT: Quantity = |outcome| source(outcome).goodput_per_s.replications.clone();
const AMPLIFIED: Quantity = |outcome| {
    outcome.edges[0].amplification.as_ref().map(|found| found.replications.clone()).unwrap_or_default()
};
const WAITING: Quantity = |outcome| outcome.instances[0].queue_mean.replications.clone();
const INSIDE: Quantity = |outcome| {
    let instance = &outcome.instances[0];
    let pairs = instance.queue_mean.replications.iter().zip(&instance.busy_mean.replications);
    pairs.map(|(waiting, busy)| waiting + busy).collect()
};
const UTILIZATION: Quantity = |outcome| {
    outcome.instances[0].utilization.as_ref().map(|found| found.replications.clone()).unwrap_or_default()
};

/// A system, and what is known about it.
type Row = (&'static str, Plan, &'static [(&'static str, Quantity, f64)]);

/// Judges a row; the text says how near it came, and whether it failed.
fn check((id, plan, truths): &Row) -> (bool, String) {
    let outcome = simulate(plan, SEED, REPLICATIONS, 2).expect("a valid plan");
    let mut good = true;
    let mut text = String::new();
    for (name, quantity, truth) in *truths {
        let values = quantity(&outcome);
        assert_eq!(values.len(), REPLICATIONS as usize, "{id} {name}: a replication without a value");
        let (mean, half) = stats::t_interval(&values, 0.999).expect("several replications");
        // What is the same in every replication has no interval: then only rounding is forgiven.
        let passed = (mean - truth).abs() <= half.max(1e-6 * truth) && half <= 0.01 * truth;
        good &= passed;
        let verdict = if passed { "ok" } else { "FAILED" };
        let width = 100.0 * half / truth;
        text += &format!("{verdict:6} {id:16} {name:12} {mean:>12.6} ± {width:.2}%  truth {truth:.6}\n");
    }
    (good, text)
}

fn judge(rows: &[Row]) {
    let mut good = true;
    let mut text = String::new();
    for row in rows {
        let start = std::time::Instant::now();
        let (passed, line) = check(row);
        good &= passed;
        text += &line;
        if std::env::var_os("THEORY_TIMES").is_some() {
            text += &format!("       {:.1} s\n", start.elapsed().as_secs_f64());
        }
    }
    println!("{text}");
    assert!(good, "\n{text}");
}

#[test]
fn single_servers() {
    // Pollaczek and Khinchine: W = 1 + rho·(1 + scv)/2/(1 − rho), here with scv = 4. At 0.8 (mg1-ln) it
    // takes 10⁹ requests to come within 1%.
    let sigma = libm::sqrt(libm::log(5.0));
    let mu = libm::log(UNIT.nanos() as f64) - 0.5 * sigma * sigma;
    let lognormal = Server { work: Distribution::LogNormal { mu, sigma }, ..server() };
    let constant = Server { work: Distribution::Constant(UNIT), ..server() };
    judge(&[
        ("mm1-0.5", open(0.5, 4.0, server()), &[("W", MEAN, 2.0), ("rho", UTILIZATION, 0.5)]),
        (
            "mm1-0.8",
            open(0.8, 66.0, server()),
            &[
                ("W", MEAN, 5.0),
                ("p50", P50, 3.465_736),
                ("p99", P99, 23.025_851),
                ("L", INSIDE, 4.0),
                ("Lq", WAITING, 3.2),
            ],
        ),
        ("mm1-0.9", open(0.9, 74.0, server()), &[("W", MEAN, 10.0)]),
        ("md1", open(0.8, 10.0, constant), &[("W", MEAN, 3.0)]),
        ("mg1-ln at 0.3", open(0.3, 24.0, lognormal), &[("W", MEAN, 2.071_429)]),
    ]);
}

#[test]
fn many_workers_and_bounded_queues() {
    let workers = |workers| Server { workers, ..server() };
    let bounded = |workers, queue| Server { workers, queue: Some(queue), ..server() };
    judge(&[
        ("mmc-2-0.8", open(0.8, 12.0, workers(2)), &[("W", MEAN, 2.777_778)]),
        ("mmc-4-0.8", open(0.8, 8.0, workers(4)), &[("W", MEAN, 1.745_541)]),
        ("mmc-16-0.8", open(0.8, 2.0, workers(16)), &[("W", MEAN, 1.095_276), ("rho", UTILIZATION, 0.8)]),
        (
            "mmck-1-10-0.9",
            open(0.9, 27.0, bounded(1, 9)),
            &[("loss", FAILED, 0.050_814), ("W admitted", MEAN, 4.646_60), ("L", INSIDE, 3.969_44)],
        ),
        (
            "mmck-4-20-3.8",
            open(0.95, 5.0, bounded(4, 16)),
            &[("W admitted", MEAN, 2.523_97), ("L", INSIDE, 9.291_14)],
        ),
        (
            "mmck-10-10-8.0",
            open(0.8, 6.0, bounded(10, 0)),
            &[("loss", FAILED, 0.121_661), ("L", INSIDE, 7.026_71)],
        ),
    ]);
}

#[test]
fn balanced_instances() {
    let over = |instances, balancer| Server { instances, balancer, ..server() };
    judge(&[
        ("rr-2-0.8", open(0.8, 13.0, over(2, "round_robin")), &[("W", MEAN, 3.843_980)]),
        ("rr-4-0.8", open(0.8, 9.0, over(4, "round_robin")), &[("W", MEAN, 3.267_384)]),
        ("swrr-4-0.8", open(0.8, 9.0, over(4, "weighted_round_robin")), &[("W", MEAN, 3.267_384)]),
        ("rr-16-0.8", open(0.8, 10.0, over(16, "round_robin")), &[("W", MEAN, 2.836_132)]),
        ("random-4-0.8", open(0.8, 16.0, over(4, "random")), &[("W", MEAN, 5.0)]),
        ("jsq-2-0.8", open(0.8, 10.0, over(2, "least_connections")), &[("W", MEAN, 2.955_737)]),
        ("jsq-4-0.8", open(0.8, 7.0, over(4, "least_connections")), &[("W", MEAN, 1.953_134)]),
    ]);
}

#[test]
fn networks_and_policies() {
    let tandem = vec![Some(Distribution::Exponential(UNIT)); 5];
    judge(&[
        ("jk-tandem5", chain(&tandem, 0.0, 100), &[("W", MEAN, 16.666_667)]),
        ("mva-5", closed(5, 5_000), &[("X", GOODPUT, 4.154_51), ("R", MEAN, 203.51)]),
        ("mva-30", closed(30, 3_000), &[("X", GOODPUT, 9.999_90), ("R", MEAN, 2_000.03)]),
        ("ret-0.02-2", failing(0.02, 2), &[("attempts", AMPLIFIED, 1.0204), ("success", SUCCESS, 0.999_992)]),
        ("ret-0.1-3", failing(0.1, 3), &[("attempts", AMPLIFIED, 1.111), ("success", SUCCESS, 0.9999)]),
        ("ret-1.0-3", failing(1.0, 3), &[("attempts", AMPLIFIED, 4.0), ("failed", FAILED, 1.0)]),
        ("amp", outage(3, 4), &[("leaf calls", AMPLIFIED, 256.0)]),
        ("amp5", outage(2, 5), &[("leaf calls", AMPLIFIED, 243.0)]),
        ("fan", fan_out(), &[("P(failed)", FAILED, 0.633_968)]),
        (
            "tmo at 5",
            timed_out(open(0.8, 12.0, server()), UNIT.times(5)),
            &[("P(timeout)", FAILED, 0.367_879)],
        ),
    ]);
}

#[test]
fn the_outcome_does_not_depend_on_threads_or_the_day() {
    let mut plan = retried(chain(&[Some(Distribution::Exponential(UNIT)), None], 0.3, 20), 2);
    plan.edges[1].timeout = Some(UNIT.times(20));
    plan.edges[1].per_try_timeout = Some(UNIT.times(5));
    plan.sources[0].clients = 3;
    let text = |seed, threads| format!("{:?}", simulate(&plan, seed, 4, threads).expect("a valid plan"));
    let first = text(1, 1);
    assert_eq!(first, text(1, 1), "two runs");
    assert_eq!(first, text(1, 2), "one thread and two");
    assert_eq!(first, text(1, 3), "one thread and three");
    assert_ne!(first, text(2, 1), "the seed counts");
}

#[test]
fn every_request_has_one_ending() {
    let mut plan = retried(chain(&[Some(Distribution::Exponential(UNIT)), None], 0.3, 20), 2);
    plan.edges[1].retry.num_retries = 0;
    plan.edges[1].timeout = Some(UNIT.times(10));
    let outcome = simulate(&plan, 3, 2, 1).expect("a valid plan");
    let requests = source(&outcome);
    let failed: u64 = requests.errors_by_cause.iter().map(|(_, count)| count).sum();
    assert_eq!(requests.failed, failed);
    assert_eq!(requests.in_flight, 0);
    assert_eq!(requests.arrived, requests.succeeded + requests.failed);
    let causes: Vec<Cause> = requests.errors_by_cause.iter().map(|(cause, _)| *cause).collect();
    assert_eq!(causes, [Cause::Timeout, Cause::Dependency]);
}
