//! Which host takes a request.

use loadpath::policy::balancer::hashing::xxhash64;
use loadpath::policy::balancer::{
    Balancer, Bounded, Hosts, LeastRequest, Maglev, Random, Request, RingFunction, RingHash, Settings,
    WeightedEdf,
};
use serde_json::{Value, json};

use super::super::backends::Backends;
use super::super::{distribution, draws, drive, idle, same};
use super::{ask, cluster, envoy, from_some_start, sequence, weighted};

#[test]
fn round_robin() {
    let all = [vec![1, 1, 1, 1], vec![5, 1, 1], vec![1, 2], vec![3, 2, 7, 1]];
    let backends = Backends::start(4);
    let clusters: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(number, weights)| {
            cluster(
                &backends,
                &format!("c{number}"),
                &weighted(weights),
                &json!({ "lb_policy": "ROUND_ROBIN" }),
            )
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
    let least = |count: u32| {
        json!({
            "lb_policy": "LEAST_REQUEST", "least_request_lb_config": { "choice_count": count },
        })
    };
    let scan = json!({ "load_balancing_policy": { "policies": [{ "typed_extension_config": {
        "name": "scan",
        "typed_config": {
            "@type":
                "type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
            "selection_method": "FULL_SCAN",
        },
    } }] } });
    let random = json!({ "lb_policy": "RANDOM" });
    let backends = Backends::start(4);
    let clusters = [
        cluster(&backends, "least2", &weighted(&[1; 4]), &least(2)),
        cluster(&backends, "least3", &weighted(&[1; 4]), &least(3)),
        cluster(&backends, "pair", &weighted(&[1; 2]), &least(2)),
        cluster(&backends, "scan", &weighted(&[1; 4]), &scan),
        cluster(&backends, "schedule", &weighted(&[3, 1, 2]), &least(2)),
        cluster(&backends, "random", &weighted(&[5, 1, 1, 1]), &random),
    ];
    let Some(proxy) = envoy(&clusters, &json!({})) else { return };
    for (name, hosts, count, held) in
        [("least2", 4, 2, 0), ("least2", 4, 2, 3), ("least3", 4, 3, 2), ("pair", 2, 2, 1), ("scan", 4, 0, 2)]
    {
        let mut view = Hosts::new(vec![1; hosts]);
        let open: Vec<_> =
            (0..held).map(|_| backends.hold(proxy.port, "/", &[("x-cluster", name)])).collect();
        for (host, _) in &open {
            view.begin(*host);
        }
        let theirs = sequence(&proxy, name, 1500);
        let settings = Settings { choice_count: count, full_scan: name == "scan", ..Settings::default() };
        let ours = drive(&mut LeastRequest::with(&settings), &mut view, idle(200_000));
        let policy = format!("least_request of {hosts}, {name}, {held} held");
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
    let ring = |function: &str, size: u64| {
        json!({
            "lb_policy": "RING_HASH",
            "ring_hash_lb_config": { "hash_function": function, "minimum_ring_size": size },
        })
    };
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
    let Some(proxy) = envoy(&[cluster(&backends, "web", &weighted(&weights), &bounded)], &route) else {
        return;
    };
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
