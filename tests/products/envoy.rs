//! Envoy, with one worker.

use std::time::Duration;

use loadpath::kernel::{Span, Time};
use loadpath::policy::balancer::hashing::xxhash64;
use loadpath::policy::balancer::tiers::{Cluster, Health, Rules, Selection};
use loadpath::policy::balancer::{
    Balancer, Bounded, Finished, Hosts, LeastRequest, Maglev, Random, Request, RingFunction, RingHash,
    RoundRobin, Settings, WeightedEdf, find,
};
use loadpath::policy::breaker::{CapKind, CapSettings, Caps};
use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Outcome};
use loadpath::policy::retry::RetryBudget;
use serde_json::{Map, Value, json};

use super::backends::{Answer, Backends, Proxy, answer, free_port, get, program, send};
use super::{distribution, draws, drive, idle, report, same};

/// A host: its place among the back ends, its priority, its weight, its health.
type Endpoint = (usize, u32, u32, &'static str);

/// So many hosts of one priority and these weights.
fn weighted(weights: &[u32]) -> Vec<Endpoint> {
    weights.iter().enumerate().map(|(index, weight)| (index, 0, *weight, "HEALTHY")).collect()
}

/// A cluster of these hosts, with these fields.
fn cluster(backends: &Backends, name: &str, endpoints: &[Endpoint], more: &Value) -> Value {
    let address =
        |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let most = endpoints.iter().map(|endpoint| endpoint.1).max().unwrap_or(0);
    let levels: Vec<Value> = (0..=most)
        .map(|priority| {
            let inside = endpoints.iter().filter(|endpoint| endpoint.1 == priority);
            let hosts: Vec<Value> = inside
                .map(|(index, _, weight, health)| {
                    let place = address(backends.addresses[*index].port());
                    json!({
                        "endpoint": { "address": place },
                        "load_balancing_weight": weight,
                        "health_status": health,
                    })
                })
                .collect();
            json!({ "priority": priority, "lb_endpoints": hosts })
        })
        .collect();
    let mut fields = Map::new();
    fields.insert("name".into(), name.into());
    fields.insert("type".into(), "STATIC".into());
    fields.insert("connect_timeout".into(), "1s".into());
    fields.insert("load_assignment".into(), json!({ "cluster_name": name, "endpoints": levels }));
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

/// These clusters, chosen by the header `x-cluster`; the route has these fields.
fn envoy(clusters: &[Value], route: &Value) -> Option<Proxy> {
    const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters";
    let (program, port) = (program("envoy")?, free_port());
    let mut action = route.as_object().cloned().unwrap_or_default();
    action.insert("cluster_header".into(), "x-cluster".into());
    let manager = json!({
        "@type": format!("{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "front",
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "include_attempt_count_in_response": true,
            "routes": [{ "match": { "prefix": "/" }, "route": action }],
        }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": format!("{FILTERS}.http.router.v3.Router") },
        }],
    });
    let config = json!({
        "static_resources": {
            "listeners": [{
                "address": { "socket_address": { "address": "127.0.0.1", "port_value": port } },
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }] }],
            }],
            "clusters": clusters,
        },
    });
    let config = config.to_string();
    let args = ["--concurrency", "1", "--disable-hot-restart", "-l", "error", "--config-yaml", &config];
    Some(Proxy::start(&program, &args, "", port))
}

/// A request to a cluster, with a key.
fn ask(proxy: &Proxy, cluster: &str, path: &str, key: &str) -> Answer {
    get(proxy.port, path, &[("x-cluster", cluster), ("x-key", key)])
}

fn sequence(proxy: &Proxy, cluster: &str, requests: usize) -> Vec<usize> {
    let host = || ask(proxy, cluster, "/", "a").backend.expect("an answer of a back end");
    (0..requests).map(|_| host()).collect()
}

/// Our picks from each start until they are theirs; Envoy draws its start.
fn from_some_start(name: &str, starts: u64, theirs: &[usize], ours: impl Fn(u64) -> Vec<usize>) {
    let found = (0..starts).find(|start| ours(*start) == theirs);
    let name = found.map_or_else(|| name.to_owned(), |start| format!("{name}, start {start}"));
    same("Envoy", &name, &ours(found.unwrap_or(0)), theirs);
}

#[test]
fn round_robin() {
    let all = [vec![1, 1, 1, 1], vec![5, 1, 1], vec![1, 2], vec![3, 2, 7, 1]];
    let backends = Backends::start(4);
    let clusters: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(number, weights)| {
            cluster(&backends, &format!("c{number}"), &weighted(weights), &json!({ "lb_policy": "ROUND_ROBIN" }))
        })
        .collect();
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (number, weights) in all.iter().enumerate() {
        let theirs = sequence(&proxy, &format!("c{number}"), 60);
        let hosts = || Hosts::new(weights.iter().copied());
        let ours = |start| {
            let settings = Settings { start, ..Settings::default() };
            drive(&mut WeightedEdf::with(&settings), &mut hosts(), idle(60))
        };
        from_some_start(&format!("weighted_edf {weights:?}"), 1000, &theirs, ours);
    }
}

/// Held requests make hosts unequal; weights make a schedule of `least_request`, nothing of `random`.
#[test]
fn least_request_and_random() {
    let least = |count: u32| json!({
        "lb_policy": "LEAST_REQUEST", "least_request_lb_config": { "choice_count": count },
    });
    let full = json!({
        "lb_policy": "LEAST_REQUEST",
        "least_request_lb_config": { "choice_count": 2 },
    });
    let random = json!({ "lb_policy": "RANDOM" });
    let backends = Backends::start(4);
    let clusters = [
        cluster(&backends, "least2", &weighted(&[1; 4]), &least(2)),
        cluster(&backends, "least3", &weighted(&[1; 4]), &least(3)),
        cluster(&backends, "pair", &weighted(&[1; 2]), &full),
        cluster(&backends, "schedule", &weighted(&[3, 1, 2]), &least(2)),
        cluster(&backends, "random", &weighted(&[5, 1, 1, 1]), &random),
    ];
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (name, hosts, count, held) in [("least2", 4, 2, 0), ("least2", 4, 2, 3), ("least3", 4, 3, 2), ("pair", 2, 2, 1)] {
        let mut view = Hosts::new(vec![1; hosts]);
        let open: Vec<_> =
            (0..held).map(|_| backends.hold(proxy.port, "/", &[("x-cluster", name)])).collect();
        for (host, _) in &open {
            view.begin(*host);
        }
        let theirs = sequence(&proxy, name, 1500);
        let ours = drive(&mut LeastRequest::of(count), &mut view, idle(200_000));
        let policy = format!("least_request of {hosts}, choice_count {count}, {held} held");
        distribution("Envoy", &policy, &ours, &theirs, hosts);
    }
    let theirs = sequence(&proxy, "random", 1500);
    let ours = drive(&mut Random, &mut Hosts::new([5, 1, 1, 1]), idle(200_000));
    distribution("Envoy", "random [5, 1, 1, 1]", &ours, &theirs, 4);
    let weights = [3, 1, 2];
    let (mut theirs, mut open) = (Vec::new(), Vec::new());
    let holds = |step: usize| step % 5 == 2;
    for step in 0..60 {
        if holds(step) {
            let (host, stream) = backends.hold(proxy.port, "/", &[("x-cluster", "schedule")]);
            theirs.push(host);
            open.push(stream);
        } else {
            theirs.extend(sequence(&proxy, "schedule", 1));
        }
    }
    from_some_start("least_request [3, 1, 2], every 5th held", 1000, &theirs, |start| {
        let mut lb = LeastRequest::with(&Settings { start, ..Settings::default() });
        let (mut hosts, mut random) = (Hosts::new(weights), draws());
        let pick = |step| {
            let host = lb.pick(&hosts, Request::default(), &mut random).expect("a host");
            hosts.begin(host);
            if !holds(step) {
                hosts.end(host);
            }
            host
        };
        (0..60).map(pick).collect()
    });
}

/// Key by key; with a host down, and with bounded loads and held requests.
#[test]
fn hashes_of_a_key() {
    let weights = [1, 3, 1, 2];
    let backends = Backends::start(4);
    let ring = |function: &str, size: u64| json!({
        "lb_policy": "RING_HASH",
        "ring_hash_lb_config": { "hash_function": function, "minimum_ring_size": size },
    });
    let maglev = |size: u64| json!({ "lb_policy": "MAGLEV", "maglev_lb_config": { "table_size": size } });
    let mut down = weighted(&weights);
    down[1].3 = "UNHEALTHY";
    // One of four down: no panic.
    let clusters = [
        cluster(&backends, "xx", &weighted(&weights), &ring("XX_HASH", 1024)),
        cluster(&backends, "xx-small", &weighted(&weights), &ring("XX_HASH", 40)),
        cluster(&backends, "murmur", &weighted(&weights), &ring("MURMUR_HASH_2", 1024)),
        cluster(&backends, "xx-down", &down, &ring("XX_HASH", 1024)),
        cluster(&backends, "maglev", &weighted(&weights), &maglev(65_537)),
        cluster(&backends, "maglev-small", &weighted(&weights), &maglev(101)),
        cluster(&backends, "maglev-down", &down, &maglev(65_537)),
    ];
    let route = json!({ "hash_policy": [{ "header": { "header_name": "x-key" } }] });
    let Some(proxy) = envoy(&clusters, &route) else { return };
    let names = backends.names();
    let rings = || RingHash::new(&names);
    let all: [(&str, Box<dyn Balancer>); 7] = [
        ("xx", Box::new(rings())),
        ("xx-small", Box::new(rings().sized(40, 8 << 20))),
        ("murmur", Box::new(rings().hashed_with(RingFunction::MurmurHash2))),
        ("xx-down", Box::new(rings())),
        ("maglev", Box::new(Maglev::new(&names))),
        ("maglev-small", Box::new(Maglev::sized(&names, 101).expect("a prime"))),
        ("maglev-down", Box::new(Maglev::new(&names))),
    ];
    let keys: Vec<String> = (0..200).map(|number| format!("user-{number}")).collect();
    for (name, mut lb) in all {
        let mut hosts = Hosts::new(weights);
        hosts.set_eligible(1, !name.ends_with("down"));
        let key = |key: &String| Request { key: Some(xxhash64(key.as_bytes(), 0)), ..Request::default() };
        let ours = drive(lb.as_mut(), &mut hosts, keys.iter().map(key));
        let theirs: Vec<usize> =
            keys.iter().map(|key| ask(&proxy, name, "/", key).backend.expect("an answer")).collect();
        same("Envoy", &format!("ring_hash, maglev: {name} {weights:?}"), &ours, &theirs);
    }
}

#[test]
fn bounded_loads() {
    let weights = [1, 2, 1, 1];
    let backends = Backends::start(4);
    let bounded = json!({
        "lb_policy": "MAGLEV",
        "common_lb_config": { "consistent_hashing_lb_config": { "hash_balance_factor": 125 } },
    });
    let route = json!({ "hash_policy": [{ "header": { "header_name": "x-key" } }] });
    let Some(proxy) = envoy(&[cluster(&backends, "web", &weighted(&weights), &bounded)], &route) else { return };
    let (mut lb, mut hosts) = (Bounded::new(Maglev::new(&backends.names()), 125), Hosts::new(weights));
    let (mut ours, mut theirs, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..90 {
        let key = format!("item-{}", number % 4);
        let host = lb.choose(&hosts, xxhash64(key.as_bytes(), 0), 0).expect("a host");
        ours.push(host);
        if number % 3 == 0 {
            hosts.begin(host);
            let (host, stream) = backends.hold(proxy.port, "/", &[("x-cluster", "web"), ("x-key", &key)]);
            theirs.push(host);
            open.push(stream);
        } else {
            theirs.extend(ask(&proxy, "web", "/", &key).backend);
        }
    }
    same("Envoy", "maglev [1, 2, 1, 1], hash_balance_factor 125", &ours, &theirs);
}

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
            let hosts = (0..).zip(*levels).flat_map(|(level, hosts)| hosts.iter().map(move |host| (level, *host)));
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
        let theirs = sequence(&proxy, &format!("c{number}"), 800);
        let hosts = levels.iter().map(|hosts| hosts.len()).sum();
        distribution("Envoy", &format!("panic, priorities: {name}"), &ours, &theirs, hosts);
    }
}

/// Every request whose host is `failing` is answered 503.
#[test]
fn outlier_detection() {
    let backends = Backends::start(4);
    let detection = |percent: u32| json!({
        "lb_policy": "ROUND_ROBIN",
        "outlier_detection": {
            "consecutive_5xx": 3, "max_ejection_percent": percent, "interval": "60s",
            "enforcing_success_rate": 0,
        },
    });
    let percents = [10, 25, 50, 100];
    let clusters: Vec<Value> = percents
        .iter()
        .map(|percent| cluster(&backends, &format!("p{percent}"), &weighted(&[1; 4]), &detection(*percent)))
        .collect();
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    // One host fails with a success between, then for good; then all do.
    let path = |step: usize| match step {
        8..12 => "/",
        0..32 => "/?fail=1",
        _ => "/?fail=all",
    };
    for percent in percents {
        let name = format!("p{percent}");
        let theirs: Vec<(usize, bool)> = (0..72)
            .map(|step| {
                let answer = ask(&proxy, &name, path(step), "a");
                if answer.backend.is_none() {
                    // An ejection reaches the worker by way of the main thread.
                    std::thread::sleep(Duration::from_millis(20));
                }
                (answer.backend.unwrap_or(9), answer.backend.is_some())
            })
            .collect();
        let ours = |start| {
            let settings = EnvoyOutlierSettings {
                consecutive_5xx: 3,
                max_ejection_percent: percent,
                ..Default::default()
            };
            let mut detector = EnvoyOutlier::new(settings, 4);
            let (mut all, mut hosts, mut random) = (Hosts::new([1; 4]), Hosts::new([1; 4]), draws());
            let (mut healthy, mut panicking) = (RoundRobin::starting_at(start), RoundRobin::starting_at(start));
            (0..72)
                .map(|step| {
                    let panic = hosts.eligible() * 2 < 4;
                    let (lb, view) =
                        if panic { (&mut panicking, &mut all) } else { (&mut healthy, &mut hosts) };
                    let host = lb.pick(view, Request::default(), &mut random).expect("a host");
                    let fails = path(step).ends_with("all") || path(step).ends_with(&format!("={host}"));
                    let code = if fails { 503 } else { 200 };
                    detector.report(host, Outcome::Code(code), Time::ZERO, || 0);
                    hosts.set_eligible(host, !detector.is_ejected(host));
                    if fails { 9 } else { host }
                })
                .collect()
        };
        let theirs: Vec<usize> = theirs.into_iter().map(|(host, _)| host).collect();
        from_some_start(&format!("consecutive_5xx 3, max_ejection_percent {percent}"), 12, &theirs, ours);
    }
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
            let kind = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
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
        let model = |lb: &mut dyn Balancer, random: &mut loadpath::kernel::Stream| -> (usize, usize) {
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
        let theirs: Vec<usize> = (0..1000).map(|_| outcome("random").0).collect();
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
    let caps = |thresholds: Value| json!({
        "lb_policy": "ROUND_ROBIN", "circuit_breakers": { "thresholds": [thresholds] },
    });
    let one = weighted(&[1]);
    let clusters = [
        cluster(&backends, "requests", &one, &caps(json!({ "max_requests": 3 }))),
        cluster(&backends, "pending", &one, &caps(json!({ "max_connections": 1, "max_pending_requests": 2 }))),
    ];
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (name, held, settings) in [
        ("requests", 3, CapSettings { max_requests: 3, ..Default::default() }),
        ("pending", 1, CapSettings { max_connections: 1, max_pending_requests: 2, ..Default::default() }),
    ] {
        let mut caps = Caps::new(settings);
        // The first ones are under way; each further one needs a connection, or waits, or is turned away.
        let open: Vec<_> = (0..held).map(|_| backends.hold(proxy.port, "/", &[("x-cluster", name)])).collect();
        (0..held).for_each(|_| assert!(caps.begin(CapKind::Requests) && caps.begin(CapKind::Connections)));
        let mut waiting = Vec::new();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
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

/// Retries are held at a host while more come; beyond the limit the first failure is the answer.
#[test]
fn limits_of_retries() {
    let backends = Backends::start(2);
    let caps = |thresholds: Value| json!({
        "lb_policy": "ROUND_ROBIN", "circuit_breakers": { "thresholds": [thresholds] },
    });
    let budget = |percent: f64, least: u32| {
        caps(json!({ "retry_budget": { "budget_percent": { "value": percent }, "min_retry_concurrency": least } }))
    };
    let all: [(&str, Value, RetryBudget); 4] = [
        ("max_retries 3", json!({ "lb_policy": "ROUND_ROBIN" }), RetryBudget { percent: 0.0, min_concurrency: 3 }),
        ("max_retries 5", caps(json!({ "max_retries": 5 })), RetryBudget { percent: 0.0, min_concurrency: 5 }),
        ("budget 20%, 3", budget(20.0, 3), RetryBudget::default()),
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
        let headers = [("x-cluster", cluster.as_str())];
        // Before each retry there are requests that just stay, so that a budget has something to grow on.
        let (mut ours, mut theirs, mut open) = (Vec::new(), Vec::new(), Vec::new());
        let (mut outstanding, mut retrying) = (0, 0);
        for _ in 0..8 {
            // The turn of host 0, who fails; the retry has the turn of host 1, who stays silent.
            while ask(&proxy, &cluster, "/", "a").backend == Some(0) {}
            let stream = send(proxy.port, "/?fail=0&hold=1", &headers);
            stream.set_read_timeout(Some(Duration::from_millis(400))).expect("a timeout");
            let refused = stream.peek(&mut [0]).is_ok();
            theirs.push(usize::from(!refused));
            let allowed = budget.allows(outstanding, retrying);
            ours.push(usize::from(allowed));
            if allowed {
                outstanding += 1;
                retrying += 1;
            }
            if refused {
                // As many again that are no retries.
                for _ in 0..2 {
                    open.push(backends.hold(proxy.port, "/", &headers).1);
                    outstanding += 1;
                }
            } else {
                open.push(stream);
            }
        }
        same("Envoy", &format!("{name}: retries admitted"), &ours, &theirs);
    }
}
