//! Balancers: Envoy's, Finagle's.

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::{
    Balancer, Curve, Edf, Hosts, LeastRequest, PeakEwma, Request, Settings, SlowStart,
};

use super::{at, ms};

fn draws() -> Stream {
    Stream::new(1, 0, "test", "products")
}

/// Envoy `edf_scheduler_test.cc`, *Empty*, *Unweighted*, *Weighted*.
#[test]
fn envoy_edf_scheduler() {
    assert_eq!(Edf::ahead(std::iter::empty(), 0).pick(|_| 1.0), None);
    let mut even = Edf::ahead((0..128).map(|host| (host, 1.0)), 0);
    for _ in 0..128 {
        assert!((0..128).all(|host| even.pick(|_| 1.0) == Some(host)));
    }
    let weight = |host: usize| host as f64 + 1.0;
    let mut weighted = Edf::ahead((0..128).map(|host| (host, weight(host))), 0);
    let mut counts = [0; 128];
    for _ in 0..128 * 129 / 2 {
        counts[weighted.pick(weight).expect("a host")] += 1;
    }
    assert!(counts.iter().enumerate().all(|(host, count)| *count == host + 1), "{counts:?}");
}

fn active(hosts: &mut Hosts, counts: &[u32]) {
    for (host, count) in counts.iter().enumerate() {
        while hosts.list()[host].active < *count {
            hosts.begin(host);
        }
        while hosts.list()[host].active > *count {
            hosts.end(host);
        }
    }
}

/// Envoy `least_request_lb_test.cc`, *`SingleHost`* and *PNC*: how many are drawn, and who is taken.
#[test]
fn envoy_choice_count() {
    let mut hosts = Hosts::new([1; 4]);
    active(&mut hosts, &[4, 3, 2, 1]);
    // Five draws may all fall on the same host of four: no more than Envoy does are they a look at all.
    for (choices, numbers, expected) in
        [(2, &[0, 0][..], 0), (5, &[0, 0, 0, 0, 0], 0), (5, &[3, 0, 3, 2, 1], 3)]
    {
        let mut numbers = numbers.iter().copied();
        let picked = LeastRequest::of(choices).choose(&hosts, |n| numbers.next().expect("no more draws") % n);
        assert_eq!((picked, numbers.next()), (Some(expected), None), "{choices}");
    }
    let one = Hosts::new([1]);
    assert_eq!(LeastRequest::of(2).choose(&one, |n| 3 % n), Some(0));
}

/// A schedule as the tests of the same file drive it: requests outstanding, then picks.
#[track_caller]
fn schedule(bias: Option<f64>, steps: &[(&[u32], &[usize])]) {
    let hosts = &mut Hosts::new([1, 2]);
    let mut lb = LeastRequest::with(&Settings { active_request_bias: bias, ..Settings::default() });
    for (counts, expected) in steps {
        active(hosts, counts);
        let picks: Vec<usize> =
            expected.iter().filter_map(|_| lb.pick(hosts, Request::default(), &mut draws())).collect();
        assert_eq!(picks, *expected, "{bias:?} {counts:?}");
    }
}

/// *`WeightImbalance`*, *`WeightImbalanceWithInvalidActiveRequestBias`*, *`…WithCustomActiveRequestBias`*.
#[test]
fn envoy_weighted_least_request() {
    let usual: &[(&[u32], &[usize])] = &[
        (&[0, 0], &[1, 0, 1, 1, 0, 1]),
        (&[0, 1], &[1, 0, 1, 0, 1]),
        (&[1, 0], &[0, 1, 1, 1, 0, 1, 1, 1, 1, 0]),
    ];
    schedule(None, usual);
    schedule(Some(-1.0), usual);
    schedule(Some(0.0), &[(&[0, 1], &[1, 0, 1, 1, 0, 1])]);
}

/// *`WeightImbalanceCallbacks`*: a host goes.
#[test]
fn envoy_weighted_least_request_callbacks() {
    let (mut hosts, mut lb) = (Hosts::new([1, 2]), LeastRequest::of(2));
    let mut pick = |hosts: &Hosts| lb.pick(hosts, Request::default(), &mut draws());
    assert_eq!([pick(&hosts), pick(&hosts)], [Some(1), Some(0)]);
    hosts.set_eligible(1, false);
    assert_eq!(pick(&hosts), Some(0));
}

/// *`SlowStartWithActiveHC`*, its first, second and last rounds of picks.
#[test]
fn envoy_slow_start_with_active_health_checks() {
    let lb = |aggression, bias| {
        let curve = Curve::Power { aggression, minimum: 0.1 };
        let slow_start = Some(SlowStart { window: Span::from_secs(10), curve });
        LeastRequest::with(&Settings { slow_start, active_request_bias: Some(bias), ..Settings::default() })
    };
    let seconds = |s: u64| at(s * 1_000);
    let picks = |lb: &mut LeastRequest, hosts: &Hosts, now, count: usize| -> Vec<usize> {
        let request = Request { now, ..Request::default() };
        (0..count).filter_map(|_| lb.pick(hosts, request, &mut draws())).collect()
    };
    let mut hosts = Hosts::new([1, 1]);
    // Host 0 passed its health check at 8 s, host 1 was added at 7 s.
    hosts.set_since(0, Some(seconds(8)));
    hosts.set_since(1, Some(seconds(7)));
    active(&mut hosts, &[1, 0]);
    let mut slow = lb(0.9, 0.9);
    let expected = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1];
    assert_eq!(picks(&mut slow, &hosts, seconds(15), 13), expected);
    // Host 1 is no longer in its slow start; the schedule is built before its requests come.
    hosts.set_since(1, None);
    slow.refresh(&hosts, seconds(16));
    active(&mut hosts, &[1, 2]);
    assert_eq!(picks(&mut slow, &hosts, seconds(16), 11), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0]);
    // Host 1 passed its check at 36 s.
    hosts.set_since(1, Some(seconds(36)));
    active(&mut hosts, &[0, 0]);
    assert_eq!(picks(&mut lb(1.0, 1.0), &hosts, seconds(41), 6), [0, 1, 0, 0, 1, 0]);
}

/// Finagle `PeakEwma.scala`: cost = ewma · (pending + 1); 2⁴⁷ + pending without history; looking decays.
#[test]
fn finagle_peak_ewma() {
    let (mut hosts, mut lb) = (Hosts::new([1]), PeakEwma::new(1, Span::ZERO, Span::from_secs(10)));
    assert_eq!(lb.cost(&hosts, 0, Time::ZERO).to_bits(), 0f64.to_bits());
    hosts.begin(0);
    let penalty = (i64::MAX >> 16) as f64;
    assert_eq!(lb.cost(&hosts, 0, Time::ZERO).to_bits(), (penalty + 1.0).to_bits());
    lb.observe(0, ms(100), at(0));
    assert_eq!(lb.cost(&hosts, 0, at(0)).to_bits(), (2.0 * 100e6f64).to_bits());
    // After one time constant, seen in two looks, a factor of e is left; a peak takes over at once.
    lb.cost(&hosts, 0, at(5_000));
    let cost = lb.cost(&hosts, 0, at(10_000));
    assert!((cost - 200e6 / std::f64::consts::E).abs() < 1.0, "{cost}");
    lb.observe(0, ms(40), at(10_000));
    assert_eq!(lb.cost(&hosts, 0, at(10_000)).to_bits(), (2.0 * 40e6f64).to_bits());
}
