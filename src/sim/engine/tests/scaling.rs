//! More instances under load, and how slow those are that have just started.

use super::{event, two};
use crate::kernel::{Distribution, Span, Time};
use crate::sim::{Action, Arrivals, Plan, RatePoint, Scaling, WarmUp, simulate};

/// Ten a second, from 60 s on so many times as many, on `back`: one of four instances is there, each may do ten
/// a second of 80 ms.
fn scaled(times: f64, seconds: u64) -> Plan {
    let mut plan = two(80);
    plan.warm_up = Span::ZERO;
    plan.duration = Span::from_secs(seconds);
    plan.instances[1].up = false;
    plan.instances[1].listed = false;
    plan.services[0].scaling = Some(Scaling { min: 1, max: 2, target: 0.8, delay: Span::from_secs(10) });
    let point = |at, rate| RatePoint { at: Time::ZERO + Span::from_secs(at), rate, ramp: false };
    plan.sources[0].arrivals = Arrivals::Constant(vec![point(0, 10.0), point(60, 10.0 * times)]);
    plan
}

#[test]
fn an_autoscaler_adds_what_is_missing_and_takes_away_what_is_not_needed() {
    // At its target nothing happens: 10/s · 80 ms = 80%.
    let outcome = simulate(&scaled(1.0, 120), 1, 1, 1).expect("a valid plan");
    assert_eq!(outcome.instances[1].requests, 0);
    // Twice as much from 60 s on: seen at 75 s, ordered, there at 85 s. Until then 20/s meet 12.5/s.
    let outcome = simulate(&scaled(2.0, 120), 1, 1, 1).expect("a valid plan");
    let first = outcome.sources[0].windows.iter().position(|window| window.goodput_per_s > 13.0);
    assert!((85..=87).contains(&first.expect("it helps")), "{first:?}");
    let waited = outcome.sources[0].requests.latency.max.expect("answers");
    assert!((waited - 15.0).abs() < 1.0, "25 s · 7.5/s wait for 12.5/s: {waited}");
    // A fifth of it from 60 s on: no look of the last five minutes keeps the second instance.
    let mut plan = scaled(0.2, 600);
    plan.instances[1].up = true;
    plan.instances[1].listed = true;
    let outcome = simulate(&plan, 1, 1, 1).expect("a valid plan");
    assert_eq!(outcome.sources[0].requests.failed, 0, "who leaves finishes what it has");
    let calls = [0, 1].map(|instance| outcome.instances[instance].requests);
    assert!(calls[1] > 500 && calls[0] > calls[1] + 300, "{calls:?}");
}

#[test]
fn an_instance_that_has_just_started_is_slow() {
    // Work of 10 ms takes 50 ms at 3.06 s, and 10 ms from 7.06 s on: on average three times as long.
    let mut plan = two(10);
    plan.services[0].warm_up = Some(WarmUp { duration: Span::from_secs(4), factor: 5.0 });
    let latency = |plan: &Plan| {
        let outcome = simulate(plan, 1, 1, 1).expect("a valid plan");
        assert_eq!(outcome.sources[0].requests.failed, 0);
        let latency = &outcome.sources[0].requests.latency;
        (latency.mean.as_ref().expect("answers").value * 99.0, latency.max.expect("answers"))
    };
    assert!((latency(&plan).0 - 0.99).abs() < 1e-9, "what runs at the start is warm");
    let restart = Action::Kill { unlisted_after: Some(Span::ZERO) };
    plan.events = vec![event(3_050, Some(10), restart, &[0, 1])];
    plan.endpoints[0].work = Some(Distribution::Constant(Span::from_millis(10)));
    let (sum, max) = latency(&plan);
    // 40 requests, at 3.1, 3.2, … 7.0 s: the sum of 40·(7.06 − t)/4 ms more.
    let more: f64 = (31..=70).map(|tenth| 0.04 * (7.06 - f64::from(tenth) / 10.0) / 4.0).sum();
    assert!((sum - 0.99 - more).abs() < 1e-6 && (max - 0.0496).abs() < 1e-6, "{sum} {max}");
}
