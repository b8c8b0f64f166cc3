//! What becomes of requests when hosts fail or limits are reached.

use std::time::Duration;

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::tiers::{Cluster, Health, Rules, Selection};
use loadpath::policy::balancer::{
    Balancer, Finished, Hosts, Random, Request, RoundRobin, Settings, WeightedEdf, find,
};
use loadpath::policy::limit::{CapKind, CapSettings, Caps};
use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Outcome};
use loadpath::policy::retry::RetryBudget;
use serde_json::{Value, json};

use super::super::backends::{Backends, answer, get, send};
use super::super::{distribution, draws, same};
use super::{Endpoint, ask, cluster, envoy, from_some_start, sequence, weighted};

/// Panic, priorities, degraded hosts: shares of hosts under forced health.
#[test]
fn health_of_levels() {
    use Health::{Degraded as D, Healthy as H, Unhealthy as U};
    type Case<'a> = (&'a str, &'a [&'a [Health]], Option<u64>);
    let cases: [Case; 9] = [
        ("2 of 4", &[&[H, H, U, U]], None),
        ("1 of 4: panic", &[&[H, U, U, U]], None),
        ("1 of 4, threshold 0", &[&[H, U, U, U]], Some(0)),
        ("1 of 4 and degraded", &[&[H, D, U, U]], None),
        ("levels 2/4 4/4", &[&[H, H, U, U], &[H, H, H, H]], None),
        ("levels 3/4 2/4", &[&[H, H, H, U], &[H, H, U, U]], None),
        ("levels 1/4 1/4", &[&[H, U, U, U], &[U, H, U, U]], None),
        ("levels 0/2 0/4: all panic", &[&[U, U], &[U, U, U, U]], None),
        ("levels 1/4 and degraded, 1/4", &[&[H, D, U, U], &[H, U, U, U]], None),
    ];
    let backends = Backends::start(8);
    let state = |health| match health {
        H => "HEALTHY",
        D => "DEGRADED",
        _ => "UNHEALTHY",
    };
    let clusters: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(number, (_, levels, threshold))| {
            let hosts =
                (0..).zip(*levels).flat_map(|(level, hosts)| hosts.iter().map(move |host| (level, *host)));
            let endpoints: Vec<Endpoint> =
                hosts.enumerate().map(|(index, (level, health))| (index, level, 1, state(health))).collect();
            let mut more = json!({ "lb_policy": "RANDOM" });
            if let Some(threshold) = threshold {
                more["common_lb_config"] = json!({ "healthy_panic_threshold": { "value": threshold } });
            }
            cluster(&backends, &format!("c{number}"), &endpoints, &more)
        })
        .collect();
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (number, (name, levels, threshold)) in cases.iter().enumerate() {
        let weights: Vec<Vec<u32>> = levels.iter().map(|hosts| vec![1; hosts.len()]).collect();
        let weights: Vec<&[u32]> = weights.iter().map(Vec::as_slice).collect();
        let usual = Rules::default();
        let rules =
            Rules { healthy_panic_threshold: threshold.unwrap_or(usual.healthy_panic_threshold), ..usual };
        let random = find("random").expect("it is there");
        let mut cluster = Cluster::new(&weights, random, &Settings::default(), rules);
        for (host, health) in levels.iter().flat_map(|hosts| hosts.iter()).enumerate() {
            cluster.set_health(host, *health);
        }
        let mut random = draws();
        let ours: Vec<usize> = (0..100_000)
            .map(|_| match cluster.pick(Request::default(), &mut random) {
                Selection::Host { host, .. } => host,
                other => unreachable!("{other:?}"),
            })
            .collect();
        let theirs = sequence(&proxy, &format!("c{number}"), 600);
        let hosts = levels.iter().map(|hosts| hosts.len()).sum();
        distribution("Envoy", &format!("panic, priorities: {name}"), &ours, &theirs, hosts);
    }
}

/// What the requests of the comparison with outlier detection meet: one host fails, with a success
/// between, then for good; then all do.
fn failing(step: usize) -> &'static str {
    match step {
        8..12 => "/",
        0..32 => "/?fail=1",
        _ => "/?fail=all",
    }
}

/// Our hosts for those requests; 9 where one failed.
fn ejecting(weights: [u32; 4], percent: u32, start: u64) -> Vec<usize> {
    let settings =
        EnvoyOutlierSettings { consecutive_5xx: 3, max_ejection_percent: percent, ..Default::default() };
    let mut detector = EnvoyOutlier::new(settings, 4);
    let (mut all, mut hosts, mut random) = (Hosts::new(weights), Hosts::new(weights), draws());
    let settings = Settings { start, ..Settings::default() };
    let (mut healthy, mut panicking) = (WeightedEdf::with(&settings), WeightedEdf::with(&settings));
    (0..72)
        .map(|step| {
            // Below half of them.
            let panic = hosts.eligible() < 2;
            let (lb, view) = if panic { (&mut panicking, &mut all) } else { (&mut healthy, &mut hosts) };
            let host = lb.pick(view, Request::default(), &mut random).expect("a host");
            let path = failing(step);
            let fails = path.ends_with("all") || path.ends_with(&format!("={host}"));
            detector.report(host, Outcome::Code(if fails { 503 } else { 200 }), Time::ZERO, || 0);
            hosts.set_eligible(host, !detector.is_ejected(host));
            if fails { 9 } else { host }
        })
        .collect()
}

#[test]
fn outlier_detection() {
    let backends = Backends::start(4);
    let cases =
        [10, 25, 50, 100].into_iter().flat_map(|percent| [([1; 4], percent), ([3, 1, 2, 1], percent)]);
    let cases: Vec<([u32; 4], u32)> = cases.collect();
    let clusters: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(number, (weights, percent))| {
            let more = json!({
                "lb_policy": "ROUND_ROBIN",
                "outlier_detection": {
                    "consecutive_5xx": 3, "max_ejection_percent": percent, "interval": "60s",
                },
            });
            cluster(&backends, &format!("c{number}"), &weighted(weights), &more)
        })
        .collect();
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (number, (weights, percent)) in cases.into_iter().enumerate() {
        let request = |step: usize| {
            let answer = ask(&proxy, &format!("c{number}"), failing(step), "a");
            if answer.backend.is_none() {
                // An ejection reaches the worker by way of the main thread.
                std::thread::sleep(Duration::from_millis(20));
            }
            answer.backend.unwrap_or(9)
        };
        let theirs: Vec<usize> = (0..72).map(request).collect();
        let name = format!("outliers {weights:?}, consecutive_5xx 3, max_ejection_percent {percent}");
        // Three and four hosts, and weights of 4, 6 and 7: all starts that differ, and some more.
        from_some_start(&name, 1000, &theirs, |start| ejecting(weights, percent, start));
    }
}

/// A host comes back at a tick, once its time is over.
#[test]
fn ejections_end() {
    let backends = Backends::start(2);
    let more = json!({
        "lb_policy": "ROUND_ROBIN",
        "outlier_detection": {
            "consecutive_5xx": 3, "max_ejection_percent": 50, "interval": "1s", "base_ejection_time": "1s",
        },
    });
    let Some(proxy) = envoy(&[cluster(&backends, "web", &weighted(&[1; 2]), &more)], &json!({})) else {
        return;
    };
    let second = Span::from_secs(1);
    let settings = EnvoyOutlierSettings {
        consecutive_5xx: 3,
        max_ejection_percent: 50,
        interval: second,
        base_ejection_time: second,
        ..Default::default()
    };
    let mut detector = EnvoyOutlier::new(settings, 2);
    (0..3).for_each(|_| _ = detector.report(1, Outcome::Code(503), Time::ZERO, || 0));
    let fails = (0..6).filter(|_| ask(&proxy, "web", "/?fail=1", "a").backend.is_none()).count();
    assert_eq!(fails, 3, "every second one");
    // Between half a second and the second tick, and after it. Ticks come each second from when Envoy began.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for wait in [500, 2000] {
        std::thread::sleep(Duration::from_millis(wait));
        theirs.push(sequence(&proxy, "web", 8).iter().filter(|host| **host == 1).count());
    }
    ours.push(if detector.is_ejected(1) { 0 } else { 4 });
    for tick in 1..=2 {
        detector.tick(Time::ZERO + second.times(tick), || 0);
    }
    ours.push(if detector.is_ejected(1) { 0 } else { 4 });
    same("Envoy", "outliers, picks of 8 after half a second and two ticks", &ours, &theirs);
}

/// Attempts and the last host, with one that refuses: a retry takes a turn, and may meet it again.
#[test]
fn retries() {
    let dead = 1;
    let backends = Backends::with_dead(4, Some(dead));
    let clusters = [
        cluster(&backends, "turns", &weighted(&[1; 4]), &json!({ "lb_policy": "ROUND_ROBIN" })),
        cluster(&backends, "random", &weighted(&[1; 4]), &json!({ "lb_policy": "RANDOM" })),
    ];
    for avoid in [false, true] {
        let mut policy = json!({
            "retry_on": "connect-failure", "num_retries": 2,
            "retry_back_off": { "base_interval": "0.001s", "max_interval": "0.002s" },
        });
        if avoid {
            let kind =
                "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
            policy["retry_host_predicate"] = json!([{
                "name": "envoy.retry_host_predicates.previous_hosts", "typed_config": { "@type": kind },
            }]);
            policy["host_selection_retry_max_attempts"] = json!(5);
        }
        let Some(proxy) = envoy(&clusters, &json!({ "retry_policy": policy })) else { return };
        // Attempts; 0 where the last one failed too.
        let outcome = |name: &str| {
            let answer = ask(&proxy, name, "/", "a");
            let attempts = answer.header("x-envoy-attempt-count").and_then(|count| count.parse().ok());
            (answer.backend.and(attempts).unwrap_or(0), answer.backend.unwrap_or(dead))
        };
        let model = |lb: &mut dyn Balancer, random: &mut Stream| -> (usize, usize) {
            let hosts = Hosts::new([1; 4]);
            let mut tried = Vec::new();
            for attempt in 1..=3 {
                let tried_before = if avoid { tried.as_slice() } else { &[] };
                let host = lb.pick_again(&hosts, Request::default(), tried_before, random).expect("a host");
                lb.finished(Finished { now: Time::ZERO, host, latency: Span::ZERO, success: host != dead });
                if host != dead {
                    return (attempt, host);
                }
                tried.push(host);
            }
            (0, dead)
        };
        let flat = |(attempts, host): (usize, usize)| 10 * attempts + host;
        let theirs: Vec<usize> = (0..24).map(|_| flat(outcome("turns"))).collect();
        let ours = |start| {
            let (mut lb, mut random) = (RoundRobin::starting_at(start), draws());
            (0..24).map(|_| flat(model(&mut lb, &mut random))).collect()
        };
        let name = format!("round_robin, one refuses, previous_hosts {avoid}: attempts and host");
        from_some_start(&name, 4, &theirs, ours);
        let theirs: Vec<usize> = (0..600).map(|_| outcome("random").0).collect();
        let mut random = draws();
        let ours: Vec<usize> = (0..100_000).map(|_| model(&mut Random, &mut random).0).collect();
        let name = format!("random, one refuses, previous_hosts {avoid}: failed, or attempts");
        distribution("Envoy", &name, &ours, &theirs, 4);
    }
}

/// Who is turned away, request by request.
#[test]
fn caps() {
    let backends = Backends::start(2);
    let caps = |thresholds: Value| {
        json!({
            "lb_policy": "ROUND_ROBIN", "circuit_breakers": { "thresholds": [thresholds] },
        })
    };
    let one = weighted(&[1]);
    let clusters = [
        cluster(&backends, "requests", &one, &caps(json!({ "max_requests": 3 }))),
        cluster(
            &backends,
            "pending",
            &one,
            &caps(json!({ "max_connections": 1, "max_pending_requests": 2 })),
        ),
    ];
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (name, held, settings) in [
        ("requests", 3, CapSettings { max_requests: 3, ..Default::default() }),
        ("pending", 1, CapSettings { max_connections: 1, max_pending_requests: 2, ..Default::default() }),
    ] {
        let mut caps = Caps::new(settings);
        // The first ones are under way; each further one needs a connection, or waits, or is turned away.
        let open: Vec<_> =
            (0..held).map(|_| backends.hold(proxy.port, "/", &[("x-cluster", name)])).collect();
        (0..held).for_each(|_| assert!(caps.begin(CapKind::Requests) && caps.begin(CapKind::Connections)));
        let (mut ours, mut theirs, mut waiting) = (vec![1; held], vec![1; held], Vec::new());
        for _ in 0..5 {
            let admitted = if name == "requests" {
                caps.begin(CapKind::Requests)
            } else {
                caps.begin(CapKind::Connections) || caps.begin(CapKind::Pending)
            };
            ours.push(usize::from(admitted));
            let stream = send(proxy.port, "/", &[("x-cluster", name)]);
            stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
            let answered = stream.peek(&mut [0]).is_ok();
            theirs.push(usize::from(!answered));
            if answered {
                stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
                let answer = answer(stream);
                let overflow = answer.head.contains(" 503 ") && answer.header("x-envoy-overloaded").is_some();
                assert!(overflow, "{answer:?}");
            } else {
                waiting.push(stream);
            }
        }
        same("Envoy", &format!("caps {name}: admitted"), &ours, &theirs);
        drop(open);
    }
}

/// How many retries a limit admits while more and more goes on: after an answer, and after a timeout.
#[test]
fn limits_of_retries() {
    let backends = Backends::start(2);
    let caps = |thresholds: Value| {
        json!({
            "lb_policy": "ROUND_ROBIN", "circuit_breakers": { "thresholds": [thresholds] },
        })
    };
    let budget = |percent: f64, least: u32| {
        caps(
            json!({ "retry_budget": { "budget_percent": { "value": percent }, "min_retry_concurrency": least } }),
        )
    };
    let number = |most| RetryBudget { percent: 0.0, min_concurrency: most };
    let all: [(&str, Value, RetryBudget); 4] = [
        ("max_retries, default", json!({ "lb_policy": "ROUND_ROBIN" }), number(3)),
        ("max_retries 2", caps(json!({ "max_retries": 2 })), number(2)),
        ("budget 20%, 2", budget(20.0, 2), RetryBudget { percent: 20.0, min_concurrency: 2 }),
        ("budget 50%, 1", budget(50.0, 1), RetryBudget { percent: 50.0, min_concurrency: 1 }),
    ];
    let clusters: Vec<Value> = (0..)
        .zip(&all)
        .map(|(number, (_, more, _))| cluster(&backends, &format!("c{number}"), &weighted(&[1, 1]), more))
        .collect();
    let policy = json!({ "retry_on": "5xx", "num_retries": 1 });
    let Some(proxy) = envoy(&clusters, &json!({ "retry_policy": policy })) else { return };
    for (number, (name, _, budget)) in all.iter().enumerate() {
        let cluster = format!("c{number}");
        // Envoy takes a timeout from the inside only, which this address is.
        let inside = [
            ("x-cluster", cluster.as_str()),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-envoy-upstream-rq-per-try-timeout-ms", "100"),
        ];
        // Host 1 answers, so that the next turn is that of host 0, who fails.
        let align = || while ask(&proxy, &cluster, "/", "a").backend != Some(1) {};
        let (mut ours, mut theirs, mut open) = (Vec::new(), Vec::new(), Vec::new());
        let (mut outstanding, mut retrying) = (0, 0);
        for _ in 0..8 {
            let allowed = budget.allows(outstanding + 1, retrying);
            for path in ["/?fail=0", "/?hold=0"] {
                align();
                let answer = get(proxy.port, path, if path == "/?hold=0" { &inside } else { &inside[..1] });
                theirs.push(usize::from(answer.backend.is_some()));
                ours.push(usize::from(allowed));
            }
            if allowed {
                // One that stays: its retry is held.
                align();
                let (host, stream) = backends.hold(proxy.port, "/?fail=0&hold=1", &inside[..1]);
                assert_eq!(host, 1, "a retry");
                open.push(stream);
                retrying += 1;
            } else {
                open.push(backends.hold(proxy.port, "/", &inside[..1]).1);
            }
            outstanding += 1;
        }
        same("Envoy", &format!("{name}: retries admitted after answer, timeout"), &ours, &theirs);
    }
}
