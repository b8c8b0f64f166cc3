//! What lies between: zones, loss, partitions.

use super::{check, event, two};
use crate::kernel::{Span, Time};
use crate::policy::balancer::{self, Request};
use crate::sim::engine::caller::CallerState;
use crate::sim::{Action, Arrivals, Caller, Cause, Plan, RatePoint, SourceId, simulate};

#[test]
fn zones_are_farther_apart() {
    let mut plan = two(0);
    plan.edges[0].latency_out = Span::from_millis(1);
    plan.edges[0].latency_back = Span::from_millis(1);
    plan.edges[0].latency_across = Some(Span::from_millis(10));
    // `front` in one zone, its two callees in that and another: 2 ms and 20 ms in turn.
    for (instance, zone) in [(0, 0), (1, 1), (2, 0)] {
        plan.instances[instance].zone = Some(zone);
    }
    let latency = check(&plan, 99, &[]).sources[0].requests.latency.clone();
    let (mean, max) = (latency.mean.expect("answers").value, latency.max.expect("answers"));
    assert!((mean - 0.011).abs() < 1e-4 && (max - 0.020).abs() < 1e-9, "{mean} {max}");
    plan.instances[1].zone = None;
    let latency = check(&plan, 99, &[]).sources[0].requests.latency.clone();
    assert!((latency.max.expect("answers") - 0.002).abs() < 1e-9, "nobody knows where it is");
}

/// Three callers, one in another zone, ask eight instances of which so many stand in the first zone.
fn zoned(near: usize, aware: bool) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(100));
    let round_robin = &balancer::BALANCERS[0];
    let back = plan.add_service("back", 8);
    let answer = plan.add_endpoint("back", back, None, 0.0, &[]);
    let front = plan.add_service("front", 3);
    let upstream = plan.add_upstream("front", Caller::Service(front), back, round_robin);
    plan.upstreams[0].guards.zone_aware = aware;
    let edge = plan.add_edge("front → back", answer, upstream);
    plan.edges[0].latency_across = Some(Span::from_millis(1));
    let group = plan.add_group(&[edge]);
    let ask = plan.add_endpoint("front", front, None, 0.0, &[group]);
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), front, round_robin);
    let entry = plan.add_edge("clients → front", ask, upstream);
    plan.add_source("clients", entry, Arrivals::Constant(vec![RatePoint::from(300.0)]));
    for (n, instance) in plan.instances.iter_mut().enumerate() {
        instance.zone = Some(u32::from(n >= near && n < 8 || n == 10));
    }
    plan
}

/// Which share of their requests stays in its zone.
fn stays(near: usize, aware: bool) -> f64 {
    // Only what leaves its zone takes time: 2 ms.
    let outcome = simulate(&zoned(near, aware), 1, 1, 1).expect("a valid plan");
    1.0 - outcome.sources[0].requests.latency.mean.as_ref().expect("answers").value / 2e-3
}

#[test]
fn a_new_process_begins_its_turns_anew() {
    let plan = zoned(4, true);
    let mut state = CallerState::new(&plan, &plan.upstreams[0], 2, 1, 0);
    // All of its zone, where nothing is drawn.
    let turns = |state: &mut CallerState| {
        [0; 3].map(|_| {
            let host = state.pick(Request::default(), &[]).expect("all are up");
            state.ended(host);
            host
        })
    };
    let first = turns(&mut state);
    assert_ne!(first, turns(&mut state), "three turns of four");
    state.forget(&plan, &plan.upstreams[0], 2, Time::ZERO);
    assert_eq!(first, turns(&mut state));
}

#[test]
fn near_hosts_first_as_far_as_that_is_fair() {
    let close =
        |found: f64, expected: f64| assert!((found - expected).abs() < 0.01, "{found}, not {expected}");
    // Half of the instances are here: half of two thirds, and half of a third.
    close(stays(4, false), 0.5);
    // Two thirds of the callers are here and half of the callees: of theirs three quarters stay, of the other
    // third all.
    close(stays(4, true), 2.0 / 3.0 * 0.75 + 1.0 / 3.0);
    // Six of eight are here: all of the two thirds stay; of the third there 3/4 of its requests.
    close(stays(6, true), 2.0 / 3.0 + 1.0 / 3.0 * 0.75);
    // Everything is in one zone: zones are ignored.
    close(stays(8, true), 2.0 / 3.0);
}

#[test]
fn messages_get_lost_and_nobody_hears_of_it() {
    let mut plan = two(0);
    plan.edges[0].timeout = Some(Span::from_millis(40));
    // A tenth of requests and of replies.
    plan.edges[0].loss = 0.1;
    let outcome = simulate(&plan, 1, 30, 1).expect("a valid plan");
    let lost = 1.0 - outcome.sources[0].requests.availability.value;
    assert!((lost - 0.19).abs() < 0.02, "{lost}");
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Timeout, outcome.sources[0].requests.failed)]);
    let arrived = outcome.endpoints[0].arrived as f64 / outcome.edges[0].attempts as f64;
    assert!((arrived - 0.9).abs() < 0.02, "{arrived}");
    // Without a time limit who waits waits for ever.
    plan.edges[0].timeout = None;
    let requests = simulate(&plan, 1, 1, 1).expect("a valid plan").sources[0].requests.clone();
    assert!(requests.in_flight > 5 && requests.failed == 0);
}

#[test]
fn a_partition_swallows_what_a_kill_refuses() {
    let mut plan = two(50);
    plan.edges[0].timeout = Some(Span::from_millis(80));
    // From 5.02 s to 7.05 s: the reply of the request at 5 s, and 20 requests, every other of them.
    let cut = Action::Network { lag: Span::ZERO, loss: 1.0 };
    plan.events = vec![event(5_020, Some(2_030), cut, &[0])];
    let outcome = check(&plan, 99 - 10, &[(Cause::Dependency, 10)]);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Timeout, 10)]);
    // The caller cut off: nothing of what its clients send arrives, and nobody times out.
    plan.events = vec![event(5_050, Some(2_000), cut, &[2])];
    let outcome = simulate(&plan, 1, 1, 1).expect("a valid plan");
    assert_eq!((outcome.sources[0].requests.succeeded, outcome.sources[0].requests.in_flight), (78, 21));
    // For a moment, in which one reply is on its way to it.
    plan.events = vec![event(5_020, Some(40), cut, &[2])];
    let outcome = check(&plan, 98, &[(Cause::Dependency, 1)]);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Timeout, 1)]);
    // Messages that take longer: 2·10 ms for 20 of them, from 5.06 s to 7.08 s.
    plan.events =
        vec![event(5_060, Some(2_020), Action::Network { lag: Span::from_millis(10), loss: 0.0 }, &[0, 1])];
    let mean = check(&plan, 99, &[]).sources[0].requests.latency.mean.as_ref().expect("answers").value;
    assert!((mean * 99.0 - (99.0 * 0.05 + 20.0 * 0.02)).abs() < 1e-6, "{mean}");
}
