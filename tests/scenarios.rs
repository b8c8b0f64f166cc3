//! The examples in `examples/scenarios` show what is known of their scenario: every expectation they state holds, and
//! what no expectation can say is looked at here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test, or what is built beside one: it stops where it cannot go on"
)]

use loadpath::model::{Architecture, from_text};
use loadpath::sim::{Compiled, Outcome, Verdict, compile, judge, simulate};

/// What a file's scenario showed.
struct Shown {
    compiled: Compiled,
    outcome: Outcome,
}

impl Shown {
    /// The amplification of the calls to a service.
    fn amplification(&self, service: &str) -> f64 {
        let plan = &self.compiled.plan;
        let there = |edge: &loadpath::sim::Edge| {
            plan.services[plan.upstreams[edge.upstream.index()].service.index()].name == service
        };
        let at = plan.edges.iter().position(there).expect("a call");
        self.outcome.edges[at].amplification.as_ref().expect("calls").value
    }

    fn goodput(&self, entry: &str) -> f64 {
        let source = self.outcome.sources.iter().find(|s| s.name == entry).expect("an entry");
        source.requests.goodput_per_s.value
    }
}

fn read(file: &str) -> Architecture {
    let path = format!("{}/examples/scenarios/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    from_text(file, &text).unwrap_or_else(|e| panic!("{e}"))
}

/// Simulates a scenario of a file; everything it expects must be met.
fn check(file: &str, scenario: &str, replications: u32) -> Shown {
    let arch = read(file);
    let scenario = arch.scenarios.iter().find(|s| s.name.value == scenario).expect("the scenario");
    let compiled = compile(&arch, Some(scenario)).unwrap_or_else(|e| panic!("{file}: {e}"));
    assert_eq!(compiled.left_out, Vec::<String>::new(), "{file}: all of it is simulated");
    let outcome = simulate(&compiled.plan, 1, replications, 2).unwrap_or_else(|e| panic!("{file}: {e}"));
    let judged = judge(&arch, scenario, &compiled, &outcome);
    assert!(!judged.is_empty(), "{file} expects nothing");
    for one in judged {
        assert_eq!(
            one.verdict,
            Verdict::Met,
            "{file}: {} observed {:?} {:?}",
            one.text,
            one.observed,
            one.ci95
        );
    }
    Shown { compiled, outcome }
}

#[test]
fn a_retry_storm_multiplies_per_hop() {
    let shown = check("retry-storm", "outage", 3);
    assert!(
        (shown.amplification("storage") - 64.0).abs() < 1e-9,
        "(r + 1)^depth with three hops of four tries"
    );
    // And so says the arithmetic: the clients' own tries count.
    let arch = read("retry-storm");
    let calls = loadpath::analysis::EndpointGraph::of(&arch);
    let paths = loadpath::analysis::worst_paths(&arch, &calls);
    let worst = paths.iter().map(|path| path.product).fold(0.0, f64::max);
    assert!((worst - 64.0).abs() < 1e-9, "{worst}");
}

/// The reference experiment: its rows with late goodput and offered load per second, and the seconds after which the
/// system is what it was (`None`: never within 600 s).
const METASTABILITY: [(&str, f64, f64, Option<f64>); 11] = [
    ("load-200-retries-3", 200.0, 200.0, Some(24.0)),
    ("load-400-retries-3", 0.0, 1594.0, None),
    ("load-600-retries-3", 0.0, 2371.0, None),
    ("load-800-retries-3", 0.0, 3230.0, None),
    ("load-400-retries-1", 398.0, 398.0, Some(32.0)),
    ("load-600-retries-1", 0.0, 1187.0, None),
    ("load-800-retries-0", 808.0, 807.0, Some(36.0)),
    ("load-800-lifo", 808.0, 807.0, Some(0.0)),
    ("load-800-bounded", 808.0, 807.0, Some(0.0)),
    ("load-800-breaker", 807.0, 807.0, Some(2.0)),
    ("load-800-bucket", 807.0, 807.0, Some(36.0)),
];

/// Offered load within 5%; goodput within 5% of it, or at most a hundredth where nothing comes back.
#[test]
fn metastable_failures_outlive_their_cause() {
    let shown = check("metastability", "late", 5);
    for (row, goodput, offered, _) in METASTABILITY {
        let entry = format!("{row} GET /");
        let source = shown.outcome.sources.iter().find(|s| s.name == entry).expect("an entry");
        let arrived = source.requests.rate_per_s.value;
        let sent = arrived * shown.amplification(row);
        assert!((sent / offered - 1.0).abs() < 0.05, "{row}: {sent}/s are sent, not {offered}/s");
        let seen = shown.goodput(&entry);
        let near = if goodput == 0.0 { seen <= 0.01 * arrived } else { (seen / goodput - 1.0).abs() < 0.05 };
        assert!(near, "{row}: {seen}/s are answered, not {goodput}/s");
    }
}

/// Seconds from the standstill's end to the first five in which nine in ten of the usual requests are answered;
/// infinity where that is not within the run. (The metric `recovery` also waits for the 99th percentile.)
fn answers_again(windows: &[loadpath::sim::Window], rate: f64) -> f64 {
    let answered = |chunk: &[loadpath::sim::Window]| chunk.iter().map(|w| w.goodput_per_s).sum::<f64>() / 5.0;
    let after = windows.windows(5).filter(|chunk| chunk[0].at_s >= 70.0);
    let mut well = after.filter(|chunk| answered(chunk) >= 0.9 * rate);
    well.next().map_or(f64::INFINITY, |chunk| chunk[0].at_s - 70.0)
}

/// Seed by seed: the median within 3 s, "never" in all seeds but one of twenty. It takes two minutes, and so is run
/// when it is asked for:
/// `METASTABILITY_SEEDS=20 cargo test --release --test scenarios seed_by_seed -- --nocapture`
#[test]
fn recovery_from_metastability_seed_by_seed() {
    let said = std::env::var("METASTABILITY_SEEDS").ok();
    let Some(seeds) = said.and_then(|n| n.parse::<usize>().ok()) else { return };
    let arch = read("metastability");
    let scenario = arch.scenarios.iter().find(|s| s.name.value == "recovery").expect("the scenario");
    let compiled = compile(&arch, Some(scenario)).expect("compiles");
    let mut all = vec![Vec::new(); METASTABILITY.len()];
    for seed in 1..=seeds {
        let outcome = simulate(&compiled.plan, seed as u64, 1, 1).expect("simulates");
        for (source, seen) in outcome.sources.iter().zip(&mut all) {
            let rate = source.requests.rate_per_s.value;
            seen.push(answers_again(&source.windows, rate));
        }
    }
    for ((row, _, _, expected), mut seen) in METASTABILITY.into_iter().zip(all) {
        seen.sort_by(f64::total_cmp);
        let (median, never) = (seen[seeds / 2], seen.iter().filter(|s| s.is_infinite()).count());
        println!("{row:20} median {median} s, never {never} of {seeds}, published {expected:?}");
        match expected {
            None => assert!(never * 20 >= seeds * 19, "{row}: {seen:?}"),
            Some(after) => assert!((median - after).abs() <= 3.0, "{row}: {seen:?}"),
        }
    }
}

#[test]
fn one_slow_replica_is_steered_around() {
    let shown = check("one-slow-replica", "slow", 4);
    let requests = |service: &str, instance: &str| {
        let name = format!("{service}/{instance}");
        shown.outcome.instances.iter().find(|i| i.name == name).expect("an instance").requests as f64
    };
    assert!((requests("in-turns", "slow") / requests("in-turns", "a") - 1.0).abs() < 0.01);
    assert!(requests("least", "slow") < 0.6 * requests("least", "a"));
}

#[test]
fn a_breaker_flaps_under_partial_failure() {
    let shown = check("breaker-flapping", "half-broken", 4);
    let breaker = shown.outcome.breakers.first().expect("a breaker");
    // A minute of failure, pauses of 2 s, three callers: several rounds each, in every replication.
    assert!(breaker.opened >= 3 * 4 * 5, "{} times", breaker.opened);
    let closed = breaker.transitions.iter().filter(|t| t.to.name() == "closed").count();
    assert!(closed >= 3, "it closes again in between: {closed}");
}

#[test]
fn a_backlog_drains_at_the_spare_rate() {
    let shown = check("queue-backlog", "consumer-gone", 2);
    let queue = &shown.outcome.queues[0];
    assert!((f64::from(queue.depth_max) / 60_000.0 - 1.0).abs() < 0.03, "{}", queue.depth_max);
    assert_eq!(queue.left, 0, "all is worked off");
    // The first message waited 85.7 s for the consumer, and the last of the backlog for what was before it.
    let oldest = queue.age.max.expect("messages");
    assert!((oldest - 85.714).abs() < 1.0, "{oldest}");
}

#[test]
fn events_that_answer_one_another_multiply_and_die_out() {
    let shown = check("event-cycle", "busy-hour", 3);
    let published = |name: &str| {
        let queue = shown.outcome.queues.iter().find(|q| q.name == name).expect("a topic");
        queue.published as f64
    };
    let asked = shown.outcome.sources[0].requests.arrived as f64;
    // Each round goes on with probability p: 1/(1 − p) rounds for one request.
    for (topic, p) in [("order-events", 0.5), ("loud-events", 0.9)] {
        let rounds = published(topic) / asked;
        assert!((rounds * (1.0 - p) - 1.0).abs() < 0.06, "{topic}: {rounds} rounds");
    }
}

#[test]
fn hedging_cuts_the_tail_for_little_load() {
    let shown = check("hedging", "day", 5);
    assert!((shown.amplification("hedged") - 1.05).abs() < 0.01, "5% more load");
}

#[test]
fn a_stale_view_costs_errors_until_it_is_told() {
    check("stale-discovery", "instance-gone", 4);
}

#[test]
fn a_lost_zone_saturates_whoever_has_no_spare() {
    check("zone-loss", "zone-b-gone", 4);
}

#[test]
fn slow_start_hides_a_cold_instance() {
    check("cold-start", "restart", 4);
}

#[test]
fn autoscaling_comes_after_the_gap() {
    check("autoscaling-lag", "surge", 4);
}

#[test]
fn a_slow_group_of_a_topic_falls_behind() {
    let shown = check("topic-fan-out", "busy-hour", 2);
    let topic = &shown.outcome.queues[0];
    // 50 a second for 130 s.
    assert!((f64::from(topic.depth_max) / 6_500.0 - 1.0).abs() < 0.15, "{}", topic.depth_max);
}
