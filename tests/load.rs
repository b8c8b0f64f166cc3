//! The arithmetic of load: against the enumeration of every path, against numbers worked out by hand, and
//! against what a simulation measures.

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a system that cannot be read has failed")]

use loadpath::analysis::{By, Carrier, Flow, Kind, Load, Loss, Place, Station};
use loadpath::kernel::stats::t_interval;
use loadpath::model::{Architecture, EndpointRef, build};
use loadpath::sim::{compile, simulate};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use proptest::prelude::*;
use std::fmt::Write;

fn system(text: &str) -> Architecture {
    let loader = MemoryLoader::new([("loadpath.yaml".to_owned(), text.as_bytes().to_vec())]);
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.root("loadpath.yaml").into_iter().collect();
    let documents = reader.decode(trees);
    let told: Vec<_> = reader.findings.iter().map(|f| &f.message).collect();
    assert!(told.is_empty(), "{told:?}\n{text}");
    let (arch, findings) = build(&documents);
    let told: Vec<_> = findings.iter().map(|f| &f.message).collect();
    assert!(told.is_empty(), "{told:?}\n{text}");
    arch
}

/// `cart GET /`, or a node.
fn place(arch: &Architecture, name: &str) -> Place {
    if let Some(node) = arch.find(name) {
        return Place::Node(node);
    }
    Place::Endpoint(arch.endpoints().find(|at| arch.endpoint_id(*at) == name).unwrap())
}

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

/// Asserts the base rate of each place; `None` is a rate that is not known.
fn check(text: &str, expected: &[(&str, Option<f64>)]) {
    let arch = system(text);
    let load = Load::of(&arch);
    for (name, expected) in expected {
        let found = load.at(place(&arch, name)).base;
        let same = match (found, expected) {
            (Some(found), Some(expected)) => near(found, *expected),
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(same, "{name}: {found:?} and not {expected:?}\n{text}");
    }
}

/// A call of a random system: from the endpoint of a service to a later one, perhaps to no endpoint of it.
#[derive(Debug, Clone)]
struct Call {
    from: (usize, usize),
    to: (usize, Option<usize>),
    percent: u32,
    times: u32,
    retries: u32,
}

#[derive(Debug, Clone)]
struct Random {
    endpoints: Vec<usize>,
    calls: Vec<Call>,
    traffic: Vec<((usize, usize), u32, u32)>,
}

fn random() -> impl Strategy<Value = Random> {
    let endpoints = prop::collection::vec(1_usize..4, 2..7);
    endpoints.prop_flat_map(|endpoints| {
        let n = endpoints.len();
        let call = (0..n - 1, 0_usize..4, 1..n, 0_usize..5, 1_u32..101, 1_u32..4, 0_u32..3);
        let (own, all) = (endpoints.clone(), endpoints.clone());
        let calls = prop::collection::vec(call, 0..12).prop_map(move |list| {
            let one = |(from, at, further, to_at, percent, times, retries): (
                usize,
                usize,
                usize,
                usize,
                u32,
                u32,
                u32,
            )| {
                let to = from + 1 + further % (own.len() - from - 1);
                let to_at = (to_at > 0).then(|| to_at % own[to]);
                Call { from: (from, at % own[from]), to: (to, to_at), percent, times, retries }
            };
            list.into_iter().map(one).collect::<Vec<_>>()
        });
        let source = (0..n, 0_usize..4, 1_u32..500, 1_u32..900);
        let traffic = prop::collection::vec(source, 1..4).prop_map(move |list| {
            list.into_iter().map(|(s, e, rate, peak)| ((s, e % all[s]), rate, peak)).collect::<Vec<_>>()
        });
        (calls, traffic).prop_map(move |(calls, traffic)| Random {
            endpoints: endpoints.clone(),
            calls,
            traffic,
        })
    })
}

impl Random {
    fn yaml(&self) -> String {
        let mut text = "services:\n".to_owned();
        for (s, count) in self.endpoints.iter().enumerate() {
            let _ = writeln!(text, "  s{s}:\n    endpoints:");
            for e in 0..*count {
                let calls = self.calls.iter().filter(|c| c.from == (s, e)).map(|c| {
                    let endpoint = c.to.1.map_or_else(String::new, |e| format!(" E{e}"));
                    let retry = format!("retry: {{ num_retries: {} }}", c.retries);
                    let often = format!("probability: {}%, times: {}", c.percent, c.times);
                    format!("{{ call: s{}{endpoint}, {often}, {retry} }}", c.to.0)
                });
                let _ = writeln!(text, "      E{e}: {{ calls: [{}] }}", calls.collect::<Vec<_>>().join(", "));
            }
        }
        text += "traffic:\n";
        for ((s, e), rate, peak) in &self.traffic {
            let _ = writeln!(text, "  - {{ to: s{s} E{e}, rate: {rate}/s, peak: {peak}/s }}");
        }
        text
    }

    /// Follows every path from one endpoint, adding what arrives with this much of `[base, peak, storm]`.
    fn follow(&self, at: (usize, usize), weight: [f64; 3], sums: &mut Vec<((usize, usize), [f64; 3])>) {
        sums.push((at, weight));
        for call in self.calls.iter().filter(|c| c.from == at) {
            let (to, endpoint) = call.to;
            let targets: Vec<usize> = endpoint.map_or_else(|| (0..self.endpoints[to]).collect(), |e| vec![e]);
            let often = f64::from(call.percent) / 100.0 * f64::from(call.times) / targets.len() as f64;
            let tries = f64::from(call.retries + 1);
            for endpoint in targets {
                let passed = [weight[0] * often, weight[1] * often, weight[2] * often * tries];
                self.follow((to, endpoint), passed, sums);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rates_are_the_sum_over_all_paths(random in random()) {
        let arch = system(&random.yaml());
        let load = Load::of(&arch);
        let mut sums = Vec::new();
        for (at, rate, peak) in &random.traffic {
            let (rate, peak) = (f64::from(*rate), f64::from(*peak));
            random.follow(*at, [rate, peak.max(rate), rate], &mut sums);
        }
        for (s, count) in random.endpoints.iter().enumerate() {
            for e in 0..*count {
                let here = sums.iter().filter(|(at, _)| *at == (s, e));
                let sum = here.fold([0.0; 3], |a, (_, b)| [a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
                let at = place(&arch, &format!("s{s} E{e}"));
                let Flow { base, users, peak, storm, .. } = load.at(at);
                prop_assert!(near(base.unwrap(), sum[0]), "s{s} E{e}: {base:?} {}", sum[0]);
                prop_assert!(near(peak.unwrap(), sum[1]), "s{s} E{e}: {peak:?} {}", sum[1]);
                prop_assert!(near(storm.unwrap(), sum[2]), "s{s} E{e}: {storm:?} {}", sum[2]);
                prop_assert_eq!(users, Some(0.0));
                // The path that proves a rate starts outside.
                let path = load.main_path(at, Kind::Base);
                prop_assert_eq!(path.is_empty(), sum[0] == 0.0);
                prop_assert!(path.first().is_none_or(|t| matches!(t.by, By::Traffic(_))));
                let ends = path.windows(2).filter_map(|pair| match (pair[0].by, pair[1].by) {
                    (By::Edge(a), By::Edge(b)) => Some((arch.ends(a).1, arch.ends(b).0)),
                    _ => None,
                });
                for (to, from) in ends {
                    prop_assert_eq!(to, from);
                }
            }
        }
        // The rates over all edges into a service and its traffic are its own.
        for (node, ..) in arch.services() {
            let over: f64 = arch.incoming(node).into_iter().map(|e| load.edge(e).base.unwrap()).sum();
            let outside: f64 = (0..arch.traffic.len()).filter(|i| arch.traffic[*i].to.node == node).map(|i| f64::from(random.traffic[i].1)).sum();
            prop_assert!(near(load.service(&arch, node).base.unwrap(), over + outside));
        }
    }
}

#[test]
fn what_traffic_counts_as() {
    let web =
        "services: { web: { endpoints: { E: { latency: { distribution: constant, mean: 500ms } } } } }\n";
    let flow = |traffic: &str| {
        let arch = system(&format!("{web}traffic: [{{ to: web E, {traffic} }}]"));
        Load::of(&arch).at(place(&arch, "web E"))
    };
    let rates = |f: Flow| (f.base, f.users, f.peak);
    assert_eq!(rates(flow("rate: 60/m")), (Some(1.0), Some(0.0), Some(1.0)));
    assert_eq!(rates(flow("rate: 2/s, peak: 5/s")), (Some(2.0), Some(0.0), Some(5.0)));
    // A peak below the rate is no peak.
    assert_eq!(rates(flow("rate: 2/s, peak: 1/s")), (Some(2.0), Some(0.0), Some(2.0)));
    // A profile settles at its last point; its highest is a peak.
    let profile = "rate: [{ at: 0s, value: 1/s }, { at: 10s, value: 9/s }, { at: 20s, value: 3/s }]";
    assert_eq!(rates(flow(profile)), (Some(3.0), Some(0.0), Some(9.0)));
    // 10 users who think for 1.5 s and wait 0.5 s ask 5 times a second, at the most.
    assert_eq!(rates(flow("users: 10, think_time: 1500ms")), (Some(0.0), Some(5.0), Some(0.0)));
    assert_eq!(rates(flow("users: 10")), (Some(0.0), None, Some(0.0)));
    assert_eq!(flow("users: 10").most(), None);
    assert_eq!(flow("rate: 2/s, peak: 5/s").most(), Some(5.0));
}

#[test]
fn messages_reach_every_group_and_are_shared_in_it() {
    let text = |kind: &str, a: &str, b: &str| {
        format!(
            "services:\n  web: {{ endpoints: {{ E: {{ calls: [{{ publish: t, times: 3 }}, {{ publish: t, type: x }}] }} }} }}\n  \
             a: {{ consumes: {{ t: {{ {a} }} }} }}\n  b: {{ consumes: {{ t: {{ {b} }} }} }}\n\
             {kind}: {{ t: {{}} }}\ntraffic: [{{ to: web E, rate: 10/s }}]\n"
        )
    };
    let both = |a, b| [("t", Some(40.0)), ("a t", Some(a)), ("b t", Some(b))];
    check(&text("topics", "", ""), &both(40.0, 40.0));
    check(&text("topics", "group: g", "group: g"), &both(20.0, 20.0));
    check(&text("queues", "", ""), &both(20.0, 20.0));
    // Messages without a type may be any; those of type y are none of them.
    check(&text("topics", "types: [x]", "types: [y]"), &both(40.0, 30.0));
    check(&text("topics", "types: [x]", ""), &both(40.0, 40.0));
    check(&text("queues", "types: [x]", "types: [x, y]"), &both(20.0, 20.0));
    // Among members of which one takes everything, types are not told apart.
    check(&text("queues", "types: [x]", ""), &both(20.0, 20.0));
    // Messages go on to what the handler calls.
    let on = text("topics", "calls: [{ call: c E, times: 2 }]", "")
        .replace("  a:", "  c: { endpoints: [E] }\n  a:");
    check(&on, &[("c E", Some(80.0))]);
}

#[test]
fn what_is_not_called_in_the_good_case_or_nobody_knows_how_often() {
    let text = |call: &str, more: &str| {
        format!(
            "services:\n  a: {{ endpoints: {{ E: {{ calls: [{call}] }} }} {more} }}\n  \
             b: {{ endpoints: [E, F] }}\n  c: {{}}\ndatastores: {{ d: {{}} }}\ntraffic: [{{ to: a E, rate: 8/s }}]\n"
        )
    };
    check(&text("{ call: b E, fallback: { call: b F } }", ""), &[("b E", Some(8.0)), ("b F", Some(0.0))]);
    check(&text("{ call: b }", ""), &[("b E", Some(4.0)), ("b F", Some(4.0))]);
    check(
        &text("{ call: c, times: 2 }, { read: d, probability: 50% }", ""),
        &[("c", Some(16.0)), ("d", Some(4.0))],
    );
    check(&text("parallel: [{ call: b E }, { call: b E }]", ""), &[("b E", Some(16.0))]);
    let arch = system(&text("", ", dependencies: [c]"));
    let flow = Load::of(&arch).at(place(&arch, "c"));
    assert_eq!((flow.base, flow.complete), (Some(0.0), false), "a dependency does not say how often");
    let arch = system(&text("{ call: b E }", ""));
    let load = Load::of(&arch);
    assert!(load.at(place(&arch, "b E")).complete);
    assert!(!load.at(place(&arch, "b F")).complete, "an entry that no traffic names");
    assert!(load.at(place(&arch, "c")).complete, "what calls nobody and is called by nobody is no entry");
    let way = |name: &str, kind| load.main_path(place(&arch, name), kind).len();
    assert_eq!(
        ["a E", "b E", "b F"].map(|name| way(name, Kind::Base)),
        [1, 2, 0],
        "traffic, a call, nothing"
    );
    assert_eq!(way("b E", Kind::Users), 0, "no part where nothing comes");
    // Services that name no endpoint call from each of theirs.
    let wide = "services:\n  a: { endpoints: [E, F] }\n  b: { endpoints: [E] }\ncommunications: [{ from: a, to: b }]\n\
                traffic: [{ to: a E, rate: 2/s }, { to: a F, rate: 3/s }]\n";
    check(wide, &[("b E", Some(5.0))]);
}

#[test]
fn circles_die_out_or_are_not_known() {
    let text = |often: &str| {
        format!(
            "services:\n  a: {{ endpoints: {{ E: {{ calls: [{{ call: b E }}] }} }} }}\n  \
             b: {{ endpoints: {{ E: {{ calls: [{{ call: a E, {often} }}, {{ call: c E }}] }} }} }}\n  \
             c: {{ endpoints: [E] }}\n  d: {{ endpoints: [E] }}\n\
             traffic: [{{ to: a E, rate: 10/s }}, {{ to: d E, rate: 1/s }}]\n"
        )
    };
    // 10 / (1 − ½) = 20.
    check(&text("probability: 50%"), &[("a E", Some(20.0)), ("b E", Some(20.0)), ("c E", Some(20.0))]);
    check(&text("probability: 90%"), &[("a E", Some(100.0)), ("c E", Some(100.0))]);
    let unknown = [("a E", None), ("b E", None), ("c E", None), ("d E", Some(1.0))];
    check(&text("probability: 100%"), &unknown);
    check(&text("probability: 60%, times: 2"), &unknown);
    // A storm may go on where calm traffic dies out: ½ · 2 attempts.
    let arch = system(&text("probability: 50%, retry: { num_retries: 1 }"));
    let flow = Load::of(&arch).at(place(&arch, "c E"));
    assert_eq!((flow.base.map(f64::round), flow.storm), (Some(20.0), None));
}

#[test]
fn a_chain_of_many_neither_overflows_nor_takes_long() {
    let n = 20_000;
    let mut text = "services:\n".to_owned();
    for i in 0..n {
        let _ = writeln!(text, "  s{i}: {{ endpoints: {{ E: {{ calls: [{{ call: s{} E }}] }} }} }}", i + 1);
    }
    let _ = writeln!(text, "  s{n}: {{ endpoints: [E] }}\ntraffic: [{{ to: s0 E, rate: 7/s }}]");
    let arch = system(&text);
    let load = Load::of(&arch);
    let last = place(&arch, &format!("s{n} E"));
    assert_eq!(load.at(last).base, Some(7.0));
    assert_eq!(load.main_path(last, Kind::Base).len(), 100);
}

/// The station of a service, handler or datastore.
fn station(arch: &Architecture, name: &str) -> Option<Station> {
    let is = |carrier: Carrier| match carrier {
        Carrier::Handler(at) => arch.endpoint_id(at) == name,
        Carrier::Service(node) | Carrier::Datastore(node) => arch.id(node) == name,
    };
    Load::of(arch).stations().find(|s| is(s.carrier)).cloned()
}

#[test]
fn capacity_is_what_is_said() {
    let of = |about: &str| {
        let latency = "{ E: { latency: { distribution: constant, mean: 10ms } }, F: {} }";
        let text = format!(
            "services: {{ a: {{ endpoints: {latency}, {about} }} }}\ntraffic: [{{ to: a E, rate: 200/s }}]"
        );
        station(&system(&text), "a")
    };
    assert_eq!(of("replicas: 2"), None, "workers are not said");
    assert_eq!(of("workers: 2"), None, "replicas are not said");
    let station = of("replicas: 2, workers: 4").unwrap();
    assert_eq!((station.servers, station.after_loss.clone()), (8.0, Some((Loss::Replica, 4.0))));
    // 200/s × 10ms = 2 of 8.
    assert_eq!((station.busy.base, station.utilization()), (Some(2.0), Some(0.25)));
    assert_eq!(of("replicas: 1, workers: 4").unwrap().after_loss, None);
    let scaled = of("replicas: 2, workers: 4, autoscaling: { min: 2, max: 6 }").unwrap();
    assert_eq!((scaled.servers, scaled.after_loss, scaled.scales), (24.0, None, true));
    assert_eq!(of("replicas: 2, workers: 4, autoscaling: { min: 2 }"), None);
    assert_eq!(of("replicas: 2, workers: 4, status: stopped"), None);
    let listed = |list: &str| of(&format!("workers: 2, instances: [{list}]")).unwrap();
    let speeds = listed("{ speed: 2 }, {}, { status: unhealthy }");
    assert_eq!((speeds.servers, speeds.after_loss), (6.0, Some((Loss::Replica, 2.0))));
    let zones = listed("{ zone: x }, { zone: x }, { zone: y }");
    assert_eq!((zones.servers, zones.after_loss), (6.0, Some((Loss::Zone("x".to_owned()), 2.0))));
    let other = listed("{ zone: x }, { zone: y }, { zone: y }");
    assert_eq!(other.after_loss, Some((Loss::Zone("y".to_owned()), 2.0)), "the zone where most is done");
    let one = listed("{ zone: x }, { zone: x }");
    assert_eq!(one.after_loss, Some((Loss::Replica, 2.0)));
}

#[test]
fn answers_take_own_work_and_what_is_waited_for() {
    let ms = |n: u32| format!("latency: {{ distribution: constant, mean: {n}ms }}");
    let text = format!(
        "network: {{ latency: 1ms }}\nservices:\n  a:\n    endpoints:\n      E:\n        {}\n        calls:\n          \
         - {{ call: b E, times: 2, probability: 50% }}\n          - parallel: [{{ call: b E }}, {{ call: c E }}]\n          \
         - {{ call: c E, timeout: 20ms }}\n          - {{ read: d }}\n          - {{ publish: q }}\n  \
         b: {{ endpoints: {{ E: {{ {} }} }} }}\n  c: {{ endpoints: {{ E: {{ {} }}, F: {{}} }} }}\n\
         datastores: {{ d: {{ {} }} }}\nqueues: {{ q: {{}} }}\ntraffic: [{{ to: a E, rate: 1/s }}]\n",
        ms(5),
        ms(10),
        ms(30),
        ms(3)
    );
    let arch = system(&text);
    let load = Load::of(&arch);
    // 5 + 2·½·(10 + 2) + max(10 + 2, 30 + 2) + min(30 + 2, 20) + 3 = 72 ms.
    let answer = load.answer(place(&arch, "a E"));
    assert!(near(answer.seconds, 0.072), "{answer:?}");
    assert!(answer.complete);
    assert!(!load.answer(place(&arch, "c F")).complete);
    let c = arch.find("c").unwrap();
    assert!(near(load.answer(Place::Node(c)).seconds, 0.015), "evenly over E and F");
    let first = EndpointRef { service: arch.find("a").unwrap(), endpoint: 0 };
    assert_eq!(load.at(Place::Endpoint(first)).base, Some(1.0));
}

/// Simulates a system and holds what is measured against the arithmetic: the 99.9% interval over the
/// replications must contain the rate of every endpoint and the utilization of every instance.
fn measured(text: &str) {
    let arch = system(text);
    let load = Load::of(&arch);
    let compiled = compile(&arch, None).unwrap();
    let outcome = simulate(&compiled.plan, 5, 20, 2).unwrap();
    let mut compared = 0;
    let mut agree = |name: &str, values: &[f64], truth: f64| {
        let (mean, half) = t_interval(values, 0.999).unwrap();
        assert!((mean - truth).abs() <= half.max(1e-9), "{name}: {mean} ± {half}, and not {truth}");
        assert!(half <= 0.05 * truth.max(0.1), "{name}: ± {half} of {truth} says nothing");
        compared += 1;
    };
    for (at, found) in compiled.endpoints.iter().zip(&outcome.endpoints) {
        let place = at.map_or_else(|| place(&arch, &found.name), Place::Endpoint);
        agree(&found.name, &found.rate_per_s.replications, load.at(place).base.unwrap());
    }
    for station in load.stations() {
        let name = match station.carrier {
            Carrier::Handler(_) => continue,
            Carrier::Service(node) | Carrier::Datastore(node) => arch.id(node),
        };
        for instance in outcome.instances.iter().filter(|i| i.name.starts_with(&format!("{name}/"))) {
            let found = instance.utilization.as_ref().unwrap();
            agree(&instance.name, &found.replications, station.utilization().unwrap());
        }
    }
    assert!(compared >= 8, "{compared}");
}

#[test]
fn a_simulation_measures_the_same() {
    measured(
        "defaults: { service: { replicas: 2, workers: 2 } }\nservices:\n  web:\n    latency: { p50: 1ms, p99: 5ms }\n    \
         endpoints:\n      GET /: { calls: [{ call: cart Get, times: 2 }, { call: price, probability: 40% }] }\n      \
         POST /: { calls: [{ parallel: [{ call: cart Get }, { call: price One, times: 3 }] }, { write: db }] }\n  \
         cart:\n    endpoints:\n      Get: { latency: { distribution: exponential, mean: 2ms }, calls: [{ read: db, probability: 70% }] }\n  \
         price: { latency: { distribution: constant, mean: 3ms }, endpoints: [One, Two, Three] }\n\
         datastores: { db: { replicas: 1, workers: 4, latency: { p50: 1ms, p99: 9ms } } }\n\
         traffic: [{ to: web GET /, rate: 120/s }, { to: web POST /, rate: 60/s }]\n",
    );
    measured(
        "defaults: { service: { replicas: 2, workers: 2 } }\nservices:\n  web:\n    latency: { distribution: constant, mean: 1ms }\n    \
         endpoints: { E: { calls: [{ publish: q, probability: 50% }, { publish: t, times: 2 }, { call: b }] } }\n  \
         a: { consumes: { q: { concurrency: 9 }, t: { concurrency: 9, calls: [{ call: c E, probability: 30% }] } } }\n  \
         b: { latency: { distribution: exponential, mean: 1ms }, endpoints: { E: { calls: [{ call: b F, probability: 60% }] }, F: { calls: [{ call: b E, probability: 50% }] } }, consumes: { q: { concurrency: 9 }, t: { concurrency: 9 } } }\n  \
         c: { latency: { distribution: exponential, mean: 1ms }, endpoints: [E] }\n\
         queues: { q: {} }\ntopics: { t: {} }\ntraffic: [{ to: web E, rate: 200/s }]\n",
    );
}
