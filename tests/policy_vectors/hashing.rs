//! Balancers that hash a key, and those that learn from latency.

use loadpath::kernel::Stream;
use loadpath::policy::balancer::{
    Balancer, Bounded, ConsistentHash, Hash, Hosts, KeyTable, Maglev, Request, RingHash, overload_order,
    populate,
};
use serde_json::{Value, json};

use super::{Check, draws, numbers};

pub const CHECKS: &[(&str, Check)] = &[
    ("lb-nginx-hash-emptykey", nginx_empty_key),
    ("lb-envoy-ringhash", envoy_ring_hash),
    ("lb-envoy-maglev-7", envoy_maglev),
    ("lb-maglev-permutations", maglev_permutations),
    ("lb-bounded-load", envoy_bounded_load),
];

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}

/// 64-bit numbers stand as text in the file where JSON's would not hold them.
fn keys(value: &Value) -> Vec<u64> {
    let key = |key: &Value| key.as_str().map_or_else(|| number(key), |text| text.parse().expect("a key"));
    value.as_array().expect("a list").iter().map(key).collect()
}

fn of(key: u64) -> Request {
    Request { key: Some(key), ..Request::default() }
}

fn nginx_empty_key(vector: &Value) {
    assert_eq!(vector["config"]["key"], "", "no key at all");
    let servers = texts(&vector["config"]["servers"]);
    let hosts = Hosts::new(servers.iter().map(|_| 1));
    for consistent in vector["config"]["consistent"].as_array().expect("a list") {
        let mut lb: Box<dyn Balancer> = if consistent == true {
            Box::new(ConsistentHash::new(&servers))
        } else {
            Box::new(Hash::new(servers.len()))
        };
        let mut counts = vec![0; servers.len()];
        for _ in 0..number(&vector["input"]["requests"]) {
            counts[lb.pick(&hosts, Request::default(), &mut draws()).expect("a host")] += 1;
        }
        let named: serde_json::Map<String, Value> =
            servers.iter().zip(counts).map(|(server, count)| ((*server).to_owned(), json!(count))).collect();
        assert_eq!(Value::Object(named), vector["expected"]["counts"]);
    }
}

fn envoy_ring_hash(vector: &Value) {
    let (config, expected) = (&vector["config"], &vector["expected"]);
    let addresses = texts(&config["hosts"]);
    let hosts = Hosts::new(addresses.iter().map(|_| 1));
    let mut lb = RingHash::new(&addresses).sized(number(&config["minimum_ring_size"]), u64::MAX);
    let picks: Vec<Option<usize>> =
        keys(&vector["input"]["hashes"]).iter().map(|key| lb.pick(&hosts, of(*key), &mut draws())).collect();
    assert_eq!(json!(picks), expected["host_index"]);
    assert_eq!(json!(lb.points().count()), expected["ring_size"]);
    let (hash, host) = lb.points().next().expect("a point");
    assert_eq!(vec![hash, host as u64], keys(&expected["first_ring_point"]));
}

fn envoy_maglev(vector: &Value) {
    let addresses = texts(&vector["config"]["hosts"]);
    let hosts = Hosts::new(addresses.iter().map(|_| 1));
    let mut lb = Maglev::sized(&addresses, number(&vector["config"]["table_size"])).expect("a prime");
    let picks: Vec<Option<usize>> =
        keys(&vector["input"]["hashes"]).iter().map(|key| lb.pick(&hosts, of(*key), &mut draws())).collect();
    assert_eq!(json!(picks), vector["expected"]["host_index"]);
}

fn maglev_permutations(vector: &Value) {
    let lists = vector["config"]["permutations"].as_array().expect("a list");
    let preferences: Vec<Vec<usize>> =
        lists.iter().map(|list| numbers(list).into_iter().map(|slot| slot as usize).collect()).collect();
    let steps = vector["input"]["steps"].as_array().expect("a list");
    for (step, expected) in steps.iter().zip(vector["expected"]["table"].as_array().expect("a list")) {
        let words = step.as_str().expect("a sentence").split(' ');
        let dead: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let table = populate(&preferences, &dead);
        assert_eq!(json!(table), *expected, "{step}");
        assert_eq!(json!(table.len()), vector["config"]["table_size"]);
    }
}

/// Envoy's own test double: the key is the index of the host.
struct Direct(usize);

impl Balancer for Direct {
    fn pick(&mut self, _: &Hosts, request: Request, _: &mut Stream) -> Option<usize> {
        self.lookup(request.key?, 0)
    }
}

impl KeyTable for Direct {
    fn refresh(&mut self, _: &Hosts) {}

    fn lookup(&self, key: u64, _: u32) -> Option<usize> {
        Some(key as usize).filter(|host| *host < self.0)
    }
}

fn envoy_bounded_load(vector: &Value) {
    let n = number(&vector["config"]["hosts"]) as usize;
    let cases = vector["input"]["cases"].as_array().expect("a list");
    let picks: Vec<Option<usize>> = cases
        .iter()
        .map(|case| {
            let overloaded = numbers(&case["overloaded"]);
            let mut hosts = Hosts::new((0..n).map(|_| 1));
            // The vector names who is overloaded: make it so, under a factor of 100.
            for host in &overloaded {
                (0..=overloaded.len()).for_each(|_| hosts.begin(*host as usize));
            }
            let mut lb = Bounded::new(Direct(n), 100);
            let picked = lb.pick(&hosts, of(number(&case["hash"])), &mut draws());
            let above: Vec<u64> = (0..n as u64).filter(|h| lb.overload(&hosts, *h as usize) > 1.0).collect();
            assert_eq!(above, overloaded);
            picked
        })
        .collect();
    assert_eq!(json!(picks), vector["expected"]["pick"]);
    let seed = number(&cases[0]["hash"]);
    assert_eq!(json!(overload_order(seed, n as u32)), vector["expected"][format!("shuffle_seed_{seed}")]);
}
