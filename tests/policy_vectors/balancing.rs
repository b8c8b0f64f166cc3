//! Load balancers.

use loadpath::kernel::{Span, Time};
use loadpath::policy::balancer;
use loadpath::policy::balancer::tiers::{
    Cluster, Health, Level, Panic, Priorities, Rules, Selection, Source,
};
use loadpath::policy::balancer::{
    Balancer, Curve, Finished, Hosts, IpHash, LeastConnections, LeastRequest, Request, RoundRobin, Settings,
    SlowStart, Tier, WeightedEdf, WeightedRoundRobin,
};
use serde_json::Value;

use super::{Check, draws, numbers, small};

pub const CHECKS: &[(&str, Check)] = &[
    ("lb-swrr-511", smooth_weighted_round_robin),
    ("lb-nginx-maxfails", nginx_max_fails),
    ("lb-nginx-maxconns-backup", nginx_max_conns_and_backup),
    ("lb-nginx-leastconn", nginx_least_connections),
    ("lb-nginx-iphash", nginx_ip_hash),
    ("lb-envoy-rr-seed", envoy_round_robin_seed),
    ("lb-envoy-p2c", envoy_least_request),
    ("lb-envoy-edf-1-2", envoy_weighted),
    ("lb-envoy-wlr", envoy_weighted_least_request),
    ("lb-envoy-slowstart", envoy_slow_start),
    ("lb-envoy-panic", envoy_panic),
    ("lb-envoy-priority", envoy_priority),
];

fn from(client: [u8; 4]) -> Request {
    Request { client, ..Request::default() }
}

fn smooth_weighted_round_robin(vector: &Value) {
    let weights: Vec<u32> = vector["config"]["weights"]
        .as_object()
        .expect("weights by name")
        .values()
        .map(|weight| weight.as_u64().expect("a weight") as u32)
        .collect();
    let names = ["a", "b", "c"];
    let hosts = Hosts::new(weights.iter().copied());
    let mut turns = WeightedRoundRobin::new(weights.len());
    let steps = &vector["expected"]["current_weight_before_and_after_each_pick"];
    for (turn, expected) in vector["expected"]["sequence"].as_array().expect("a list").iter().enumerate() {
        let before: Vec<i64> =
            turns.current_weights().zip(&weights).map(|(c, w)| c + i64::from(*w)).collect();
        assert_eq!(serde_json::json!(before), steps[turn][0]);
        let picked = turns.pick(&hosts, from([10, 0, 0, 1]), &mut draws()).expect("a host");
        assert_eq!(names[picked], expected.as_str().expect("a name"));
        assert_eq!(serde_json::json!(turns.current_weights().collect::<Vec<_>>()), steps[turn][1]);
    }
}

fn seconds(value: &Value) -> Span {
    let text = value.as_str().and_then(|text| text.strip_suffix('s')).expect("seconds");
    Span::from_secs(text.parse().expect("a number"))
}

fn nginx_max_fails(vector: &Value) {
    let (config, input) = (&vector["config"], &vector["input"]);
    let n = config["servers"].as_array().expect("names").len();
    let settings = Settings {
        max_fails: config["max_fails"].as_u64().expect("a number") as u32,
        fail_timeout: seconds(&config["fail_timeout"]),
        ..Settings::default()
    };
    let (hosts, mut lb) = (Hosts::new(vec![1; n]), WeightedRoundRobin::with(n, &settings));
    let every = input["p1_fails_every"].as_u64().expect("a number");
    let (mut at_p1, mut successes) = (0, vec![0u64; n]);
    for _ in 0..input["requests"].as_u64().expect("a number") {
        let mut tried = Vec::new();
        while let Some(host) = lb.pick_again(&hosts, from([10, 0, 0, 1]), &tried, &mut draws()) {
            at_p1 += u64::from(host == 0);
            let success = host != 0 || at_p1 % every != 0;
            if !success {
                lb.failed(Time::ZERO, host);
            }
            lb.finished(Finished { now: Time::ZERO, host, latency: Span::ZERO, success });
            if success {
                successes[host] += 1;
                break;
            }
            tried.push(host);
        }
    }
    assert_eq!(serde_json::json!({"p1": successes[0], "p2": successes[1]}), vector["expected"]["successes"]);
}

fn nginx_max_conns_and_backup(vector: &Value) {
    let servers = vector["config"].as_object().expect("servers by name");
    let names: Vec<&String> = servers.keys().collect();
    let mut hosts = Hosts::new(names.iter().map(|_| 1));
    for (index, server) in servers.values().enumerate() {
        hosts.set_max_conns(index, server["max_conns"].as_u64().expect("a number") as u32);
        hosts.set_backup(index, server["backup"] == true);
    }
    let mut lb = WeightedRoundRobin::new(names.len());
    let requests = vector["input"]["concurrent_requests"].as_u64().expect("a number");
    let targets: Vec<Option<&String>> = (0..requests)
        .map(|_| {
            let (host, tier) = lb.turn(&hosts, Time::ZERO, &[])?;
            assert_eq!(tier == Tier::Backup, hosts.list()[host].backup);
            hosts.begin(host);
            Some(names[host])
        })
        .collect();
    assert_eq!(serde_json::json!(targets), vector["expected"]["targets"]);
}

fn nginx_least_connections(vector: &Value) {
    let mut hosts = Hosts::new(small(&vector["config"]["weights"]));
    let mut lb = LeastConnections::new(2);
    let mut ten = |hosts: &mut Hosts| {
        let mut counts = [0u64; 2];
        for _ in 0..10 {
            let host = lb.pick(hosts, from([10, 0, 0, 1]), &mut draws()).expect("a host");
            hosts.begin(host);
            counts[host] += 1;
            hosts.end(host);
        }
        serde_json::json!({"p1": counts[0], "p2": counts[1]})
    };
    assert_eq!(ten(&mut hosts), vector["expected"]["step1"]);
    hosts.begin(0);
    assert_eq!(ten(&mut hosts), vector["expected"]["step3"]);
}

fn nginx_ip_hash(vector: &Value) {
    let targets = |weights: Vec<u32>| -> Vec<usize> {
        let (n, hosts) = (weights.len(), Hosts::new(weights));
        let mut lb = IpHash::new(n);
        (1..=30).filter_map(|i| lb.pick(&hosts, from([127, 0, i, 2]), &mut draws())).collect()
    };
    let counts = |targets: &[usize], n: usize| -> Vec<u64> {
        (0..n).map(|host| targets.iter().filter(|target| **target == host).count() as u64).collect()
    };
    let three = targets(small(&vector["config"]["weights"]));
    assert_eq!(counts(&three, 3), numbers(&vector["expected"]["counts"]));
    assert_eq!(serde_json::json!(three[..6]), vector["expected"]["first_six_targets"]);
    let two = targets(vec![1, 1]);
    assert_eq!(counts(&two, 2), numbers(&vector["expected"]["counts_with_2_peers"]));
}

fn envoy_round_robin_seed(vector: &Value) {
    let n = vector["config"]["hosts"].as_u64().expect("a number");
    let hosts = Hosts::new((0..n).map(|_| 1));
    let mut lb = RoundRobin::starting_at(vector["config"]["initial_random"].as_u64().expect("a seed"));
    let picks: Vec<usize> = (0..vector["input"]["picks"].as_u64().expect("a number"))
        .filter_map(|_| lb.pick(&hosts, from([10, 0, 0, 1]), &mut draws()))
        .collect();
    assert_eq!(serde_json::json!(picks), vector["expected"]["sequence"]);
}

fn envoy_least_request(vector: &Value) {
    let active = numbers(&vector["input"]["active"]);
    let mut hosts = Hosts::new(active.iter().map(|_| 1));
    for (host, count) in active.iter().enumerate() {
        (0..*count).for_each(|_| hosts.begin(host));
    }
    let mut draws = numbers(&vector["input"]["random_draws_for_candidates"]).into_iter();
    let choices = vector["config"]["choice_count"].as_u64().expect("a number") as u32;
    let picked = LeastRequest::of(choices).choose(&hosts, |n| draws.next().expect("a draw") % n);
    assert_eq!(serde_json::json!(picked), vector["expected"]["pick"]);
}

fn picks(lb: &mut dyn Balancer, hosts: &Hosts, now: Time, count: &Value) -> Value {
    let request = Request { now, ..Request::default() };
    let count = count.as_u64().expect("a number");
    let picks: Vec<usize> = (0..count).filter_map(|_| lb.pick(hosts, request, &mut draws())).collect();
    serde_json::json!(picks)
}

fn envoy_weighted(vector: &Value) {
    let mut hosts = Hosts::new(small(&vector["config"]["weights"]));
    let start = vector["config"]["initial_random"].as_u64().expect("a number");
    let mut lb = WeightedEdf::with(&Settings { start, ..Settings::default() });
    for (index, step) in vector["input"]["steps"].as_array().expect("steps").iter().enumerate() {
        if step["set_weights"].is_array() {
            let weights = small(&step["set_weights"]);
            weights.iter().enumerate().for_each(|(host, weight)| hosts.set_weight(host, *weight));
        } else {
            let expected = &vector["expected"][format!("step{}", index + 1)];
            assert_eq!(picks(&mut lb, &hosts, Time::ZERO, &step["picks"]), *expected, "step {index}");
        }
    }
}

fn envoy_weighted_least_request(vector: &Value) {
    let mut hosts = Hosts::new(small(&vector["config"]["weights"]));
    let bias = vector["config"]["active_request_bias"].as_f64();
    let mut lb = LeastRequest::with(&Settings { active_request_bias: bias, ..Settings::default() });
    for (index, step) in vector["input"]["steps"].as_array().expect("steps").iter().enumerate() {
        for (host, active) in small(&step["active"]).into_iter().enumerate() {
            while hosts.list()[host].active < active {
                hosts.begin(host);
            }
            while hosts.list()[host].active > active {
                hosts.end(host);
            }
        }
        let expected = &vector["expected"][format!("step{}", index + 1)];
        assert_eq!(picks(&mut lb, &hosts, Time::ZERO, &step["picks"]), *expected, "step {index}");
    }
}

fn envoy_slow_start(vector: &Value) {
    let config = &vector["config"];
    let slow_start = SlowStart {
        window: seconds(&config["slow_start_window"]),
        curve: Curve::Power {
            aggression: config["aggression"].as_f64().expect("a number"),
            minimum: config["min_weight_percent"].as_f64().expect("a number") / 100.0,
        },
    };
    let mut hosts = Hosts::new(small(&config["weights"]));
    assert_eq!(config["h1_age"], "out of window");
    let joined = Time::ZERO + slow_start.window + slow_start.window;
    hosts.set_since(0, Some(Time::ZERO));
    hosts.set_since(1, Some(joined));
    let mut lb = WeightedEdf::with(&Settings { slow_start: Some(slow_start), ..Settings::default() });
    for age in vector["input"]["h2_age_at_rebuild"].as_array().expect("ages") {
        let now = joined + seconds(age);
        lb.refresh(&hosts, now);
        let expected = &vector["expected"][age.as_str().expect("an age")];
        let count = serde_json::json!(expected.as_array().expect("picks").len());
        assert_eq!(picks(&mut lb, &hosts, now, &count), *expected, "{age}");
    }
}

fn envoy_panic(vector: &Value) {
    let threshold = vector["config"]["healthy_panic_threshold"].as_u64().expect("percent");
    let rules = Rules { healthy_panic_threshold: threshold, ..Rules::default() };
    let round_robin = balancer::find("round_robin").expect("known");
    let build = |hosts: &Value, rules| {
        let weights = vec![1; hosts.as_u64().expect("a number") as usize];
        Cluster::new(&[&weights], round_robin, &Settings::default(), rules)
    };
    let set_health = |cluster: &mut Cluster, step: &Value| {
        let healthy = numbers(&step["healthy"]);
        for host in 0..step["hosts"].as_u64().expect("a number") {
            let health = if healthy.contains(&host) { Health::Healthy } else { Health::Unhealthy };
            cluster.set_health(host as usize, health);
        }
    };
    let steps = vector["input"]["steps"].as_array().expect("steps");
    let mut cluster = build(&steps[0]["hosts"], rules);
    for (index, step) in steps.iter().enumerate() {
        set_health(&mut cluster, step);
        let expected = &vector["expected"][format!("step{}", index + 1)];
        let panic = cluster.priorities().list()[0].panic;
        assert_eq!(serde_json::json!(panic), expected["in_panic"]);
        let wanted = if panic { Source::Panic } else { Source::Healthy };
        let picks: Vec<usize> = (0..step["picks"].as_u64().expect("a number"))
            .map(|_| match cluster.pick(Request::default(), &mut draws()) {
                Selection::Host { host, target } if target.source == wanted => host,
                other => panic!("{other:?}"),
            })
            .collect();
        let over = if panic { "sequence_over_all_hosts" } else { "sequence_over_healthy" };
        assert_eq!(serde_json::json!(picks), expected[over]);
    }
    let host = |cluster: &mut Cluster| match cluster.pick(Request::default(), &mut draws()) {
        Selection::Host { host, .. } => Some(host),
        Selection::NoHost | Selection::FailedOnPanic => None,
    };
    let mut fails = build(&steps[0]["hosts"], Rules { panic: Panic::Fail, ..rules });
    set_health(&mut fails, &steps[0]);
    assert_eq!(serde_json::json!(host(&mut fails)), vector["expected"]["fail_traffic_on_panic_step1"]);
    let mut disabled = build(&steps[0]["hosts"], Rules { healthy_panic_threshold: 0, ..rules });
    let nobody = serde_json::json!({"hosts": steps[0]["hosts"], "healthy": []});
    set_health(&mut disabled, &nobody);
    assert_eq!(serde_json::json!(host(&mut disabled)), vector["expected"]["threshold_0_no_healthy"]);
}

fn envoy_priority(vector: &Value) {
    let config = &vector["config"];
    let factor = config["overprovisioning_factor"].as_f64().expect("a number");
    let rules = Rules {
        overprovisioning_factor: (factor * 100.0).round() as u64,
        healthy_panic_threshold: config["healthy_panic_threshold"].as_u64().expect("percent"),
        panic: Panic::UseAll,
    };
    let cases = vector["input"]["p0_p1_hosts_healthy"].as_array().expect("cases");
    for (index, case) in cases.iter().enumerate() {
        let levels: Vec<Level> = case
            .as_array()
            .expect("levels")
            .iter()
            .map(|level| Level::of(level[0].as_u64().expect("hosts"), level[1].as_u64().expect("healthy")))
            .collect();
        let shares = Priorities::of(&levels, rules);
        let loads: Vec<u64> = shares.list().iter().map(|share| share.healthy).collect();
        let panic: Vec<bool> = shares.list().iter().map(|share| share.panic).collect();
        assert_eq!(serde_json::json!(loads), vector["expected"]["load_percent"][index]);
        assert_eq!(serde_json::json!(panic), vector["expected"]["panic"][index]);
    }
}
