//! Balancers that hash a key, and those that learn from latency.

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::{
    Balancer, Bounded, ConsistentHash, Hash, Hosts, KeyTable, Maglev, PeakEwma, Request, RingHash,
    overload_order, populate,
};
use serde_json::{Value, json};

use super::{Check, draws, numbers};

pub const CHECKS: &[(&str, Check)] = &[
    ("lb-nginx-hash-emptykey", nginx_empty_key),
    ("lb-envoy-ringhash", envoy_ring_hash),
    ("lb-envoy-maglev-7", envoy_maglev),
    ("lb-maglev-permutations", maglev_permutations),
    ("lb-bounded-load", envoy_bounded_load),
    ("lb-peak-ewma", peak_ewma),
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

/// `20ms`, perhaps with words after it.
fn span(text: &str) -> Span {
    let first = text.split(' ').next().unwrap_or_default();
    let (digits, factor) = match first.strip_suffix("ms") {
        Some(digits) => (digits, 1e6),
        None => (first.strip_suffix('s').expect("a unit"), 1e9),
    };
    Span::from_nanos_f64(digits.parse::<f64>().expect("a number") * factor)
}

fn peak_ewma(vector: &Value) {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut hosts = Hosts::new([1]);
    let (config, expected) = (&vector["config"], &vector["expected"]);
    let mut lb = PeakEwma::new(1, span(&text(&config["default_rtt"])), span(&text(&config["decay"])));
    let at = |lb: &mut PeakEwma, hosts: &Hosts, now: Time, want: &str| {
        let cost = lb.cost(hosts, 0, now);
        match want.strip_prefix("< ") {
            Some(most) => assert!(cost < span(most).nanos() as f64, "{cost} at {now:?}, not {want}"),
            // exp and the product round: a nanosecond.
            None => assert!((cost - span(want).nanos() as f64).abs() < 1.0, "{cost} at {now:?}, not {want}"),
        }
    };
    at(&mut lb, &hosts, Time::ZERO, &text(&expected["cost_before_any_request"]));
    for step in texts(&vector["input"]["timeline"]) {
        let words: Vec<&str> = step.split(' ').collect();
        let now = Time::ZERO + span(words[0].strip_prefix("t=").expect("an instant"));
        if words[1] == "start" {
            lb.cost(&hosts, 0, now); // tower's test looks here too
            hosts.begin(0);
            continue;
        }
        let took = words[4].strip_suffix(')').expect("a latency");
        hosts.end(0);
        lb.observe(0, span(took), now);
        let name = format!("after_{}", words[0].replace('=', "").replace("ms", ""));
        at(&mut lb, &hosts, now, &text(&expected[name]));
    }
    for later in ["after_t1400", "after_t11400"] {
        let millis = later.trim_start_matches("after_t").parse().expect("milliseconds");
        at(&mut lb, &hosts, Time::ZERO + Span::from_millis(millis), &text(&expected[later]));
    }
}
