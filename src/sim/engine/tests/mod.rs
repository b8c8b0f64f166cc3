//! What a scenario does, in small systems whose numbers can be counted by hand or are known from theory.

mod discovery;
mod limits;
mod messages;
mod network;
mod scaling;
mod trying;

use crate::kernel::{Distribution, Span, Time};
use crate::policy::{balancer, breaker};
use crate::sim::{
    Action, Arrivals, BreakerId, BreakerPlan, Caller, Cancellation, Cause, Consumer, Fallback, Outcome, Plan,
    Queue, QueueId, RatePoint, ScenarioEvent, SourceId, Step, simulate,
};

/// A client that calls `front` ten times a second for 10 s; `front` calls `back`, which works `millis`.
fn two(millis: u64) -> Plan {
    let mut plan = Plan::new(Span::ZERO, Span::from_secs(10));
    let round_robin = &balancer::BALANCERS[0];
    let back = plan.add_service("back", 2);
    let work = Some(Distribution::Constant(Span::from_millis(millis)));
    let answer = plan.add_endpoint("back", back, work, 0.0, &[]);
    let front = plan.add_service("front", 1);
    let upstream = plan.add_upstream("front", Caller::Service(front), back, round_robin);
    let edge = plan.add_edge("front → back", answer, upstream);
    let group = plan.add_group(&[edge]);
    let ask = plan.add_endpoint("front", front, None, 0.0, &[group]);
    let upstream = plan.add_upstream("clients", Caller::Source(SourceId(0)), front, round_robin);
    let entry = plan.add_edge("clients → front", ask, upstream);
    plan.add_source("clients", entry, Arrivals::Constant(vec![RatePoint::from(10.0)]));
    plan
}

fn event(at: u64, lasts: Option<u64>, action: Action, instances: &[u32]) -> ScenarioEvent {
    ScenarioEvent {
        at: Time::ZERO + Span::from_millis(at),
        lasts: lasts.map(Span::from_millis),
        action,
        instances: instances.iter().map(|instance| crate::sim::InstanceId(*instance)).collect(),
    }
}

/// Runs it once: requests answered well, and failures by cause.
fn check(plan: &Plan, succeeded: u64, causes: &[(Cause, u64)]) -> Outcome {
    let outcome = simulate(plan, 1, 1, 1).expect("a valid plan");
    let requests = &outcome.sources[0].requests;
    assert_eq!((requests.succeeded, requests.errors_by_cause.as_slice()), (succeeded, causes));
    assert_eq!(requests.in_flight, 0);
    outcome
}

// 99 requests: at 0.1 s, 0.2 s, … 9.9 s; the one at 10 s is no longer traffic.

#[test]
fn a_killed_instance_refuses_until_it_is_restarted() {
    let mut plan = two(50);
    check(&plan, 99, &[]);
    // 20 requests from 5.05 s to 7.05 s, every other to the dead instance.
    plan.events = vec![event(5_050, Some(2_000), Action::Kill { unlisted_after: None }, &[0])];
    let outcome = check(&plan, 89, &[(Cause::Dependency, 10)]);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Refused, 10)]);
    // Callers learn of it after half a second: of 5.1 … 5.5 s every other one, the first included.
    plan.events[0].action = Action::Kill { unlisted_after: Some(Span::from_millis(500)) };
    check(&plan, 96, &[(Cause::Dependency, 3)]);
    // What is at work when it dies is reset: the request at 5 s is at one of the two.
    plan.events = vec![event(5_020, Some(30), Action::Kill { unlisted_after: None }, &[0, 1])];
    let outcome = check(&plan, 98, &[(Cause::Dependency, 1)]);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Reset, 1)]);
}

#[test]
fn slow_and_failing_instances() {
    let mut plan = two(50);
    plan.events = vec![event(5_050, Some(1_000), Action::ErrorRate(1.0), &[0, 1])];
    check(&plan, 89, &[(Cause::Dependency, 10)]);
    // Three times as slow for one request, at 5 s: 20 ms at pace, 25 ms at a third of it, 21.67 ms left.
    plan.events = vec![event(5_020, Some(25), Action::Slow(3.0), &[0, 1])];
    let outcome = check(&plan, 99, &[]);
    let longest = outcome.sources[0].requests.latency.max.expect("answers");
    assert!((longest - 0.066_667).abs() < 1e-5, "{longest}");
}

#[test]
fn time_limits_free_the_caller_and_not_the_callee() {
    let mut plan = two(80);
    plan.edges[0].timeout = Some(Span::from_millis(20));
    let busy = |outcome: &Outcome| outcome.instances[0].busy_mean.value;
    let goes_on = busy(&check(&plan, 0, &[(Cause::Dependency, 99)]));
    plan.edges[0].cancellation = Cancellation::All;
    let stops = busy(&check(&plan, 0, &[(Cause::Dependency, 99)]));
    assert!((goes_on - 0.4).abs() < 0.01 && (stops - 0.1).abs() < 0.01, "{goes_on} {stops}");
    // A timed-out attempt is retried only where one attempt has a limit of its own.
    plan.edges[0].retry.num_retries = 1;
    assert_eq!(check(&plan, 0, &[(Cause::Dependency, 99)]).edges[0].attempts, 99);
    plan.edges[0].per_try_timeout = Some(Span::from_millis(5));
    plan.edges[0].retry.backoff.base = Span::from_millis(1);
    assert_eq!(check(&plan, 0, &[(Cause::Dependency, 99)]).edges[0].attempts, 198);
}

#[test]
fn optional_calls_and_fallbacks_are_survived() {
    let mut plan = two(50);
    plan.endpoints[0].error_rate = 1.0;
    check(&plan, 0, &[(Cause::Dependency, 99)]);
    plan.edges[0].optional = true;
    assert_eq!(check(&plan, 99, &[]).edges[0].recovered, 99);
    plan.edges[0].optional = false;
    plan.edges[0].fallback = Fallback::Answer;
    check(&plan, 99, &[]);
    let other = plan.add_edge("front → back again", crate::sim::EndpointId(0), plan.edges[0].upstream);
    plan.edges[0].fallback = Fallback::Call(other);
    assert_eq!(check(&plan, 0, &[(Cause::Dependency, 99)]).edges[2].requests, 99);
}

#[test]
fn a_fallback_may_have_a_fallback() {
    let mut plan = two(50);
    let broken = plan.add_endpoint("broken", plan.endpoints[0].service, None, 1.0, &[]);
    let upstream = plan.edges[0].upstream;
    plan.edges[0].target = crate::sim::Target::One(broken);
    let second = plan.add_edge("second", broken, upstream);
    let third = plan.add_edge("third", crate::sim::EndpointId(0), upstream);
    plan.edges[0].fallback = Fallback::Call(second);
    plan.edges[second.index()].fallback = Fallback::Call(third);
    let edges = check(&plan, 99, &[]).edges;
    let counts = |edge: usize| (edges[edge].requests, edges[edge].succeeded, edges[edge].recovered);
    assert_eq!([counts(0), counts(2), counts(3)], [(99, 0, 99), (99, 0, 99), (99, 99, 0)]);
    plan.edges[third.index()].fallback = Fallback::Call(second);
    assert_eq!(fails(&plan), "a circle of fallbacks in `front → back`");
}

#[test]
fn events_that_overlap_end_by_themselves() {
    let kill = Action::Kill { unlisted_after: None };
    let refused = |events: Vec<ScenarioEvent>, stopped: bool| {
        let mut plan = two(50);
        plan.instances[0].up = !stopped;
        plan.events = events;
        let outcome = simulate(&plan, 1, 1, 1).expect("a valid plan");
        outcome.sources[0].requests.failed
    };
    // Requests go in turn to back/0 (0.1 s, 0.3 s, …) and back/1 (0.2 s, 0.4 s, …).
    let (long, short) = ((3_070, Some(4_000)), (2_070, Some(2_000)));
    let one = |(at, lasts), action, on: &[u32]| event(at, lasts, action, on);
    // back/0 is down from 2.07 s to 7.07 s (25), back/1 from 3.07 s to 7.07 s (20).
    assert_eq!(refused(vec![one(long, kill, &[0, 1]), one(short, kill, &[0])], false), 25 + 20);
    // A stopped instance stays down (50), the other goes from 3.07 s to 7.07 s (20).
    assert_eq!(refused(vec![one(long, kill, &[0, 1])], true), 50 + 20);
    // A restart ends every reason: back/0 is down until 5.07 s (25).
    let restart = event(5_070, None, Action::Restart, &[0]);
    assert_eq!(refused(vec![event(8, Some(9_000), kill, &[0]), restart], true), 25);
    // All fail from 2.07 s to 7.07 s (50), but for 3.07 s to 4.07 s (10).
    let (all, none) = (Action::ErrorRate(1.0), Action::ErrorRate(0.0));
    let inner = event(3_070, Some(1_000), none, &[0, 1]);
    assert_eq!(refused(vec![event(2_070, Some(5_000), all, &[0, 1]), inner], false), 40);
    // The one that began first ends first: the other's errors go on until 5.07 s.
    let later = event(3_070, Some(2_000), all, &[0, 1]);
    assert_eq!(refused(vec![event(2_070, Some(2_000), all, &[0, 1]), later], false), 30);
}

#[test]
fn slow_downs_multiply() {
    let mut plan = two(50);
    let slow = |at, lasts, factor| event(at, Some(lasts), Action::Slow(factor), &[0, 1]);
    // 59 take 50 ms; 9 from 2.1 s and 9 from 5.1 s on 100 ms; 19 from 3.1 s on 150 ms. The pace changes in
    // the middle of three: at 3 s (50 + 75 ms), 5 s (50 + 66.67 ms) and 6 s (50 + 25 ms).
    plan.events = vec![slow(2_050, 4_000, 2.0), slow(3_050, 2_000, 1.5)];
    let latency = check(&plan, 99, &[]).sources[0].requests.latency.clone();
    let mean = latency.mean.expect("answers").value;
    assert!((mean * 99.0 - 7.916_667).abs() < 1e-5, "{mean}");
    assert!((latency.max.expect("answers") - 0.15).abs() < 1e-9);
}

#[test]
fn a_breaker_opens_probes_and_closes() {
    let mut plan = two(10);
    let settings = breaker::ConsecutiveSettings { open_duration: Span::from_secs(1), ..Default::default() };
    plan.breakers.push(BreakerPlan {
        name: "front → back".into(),
        caller: plan.upstreams[0].caller,
        settings: breaker::Settings::Consecutive(settings),
    });
    plan.edges[0].breaker = Some(BreakerId(0));
    plan.events = vec![event(2_050, Some(2_000), Action::ErrorRate(1.0), &[0, 1])];
    // Fails at 2.1 … 2.5 s and opens until 3.51 s; the probe at 3.6 s fails; that at 4.7 s closes it.
    let outcome = check(&plan, 99 - 5 - 21, &[(Cause::Dependency, 26)]);
    assert_eq!(outcome.edges[0].rejected, 20);
    let at: Vec<f64> =
        outcome.breakers[0].transitions.iter().map(|t| (t.at_s * 100.0).round() / 100.0).collect();
    assert_eq!(at, [2.51, 3.6, 3.61, 4.7, 4.71]);
}

#[test]
fn messages_are_handled_tried_again_and_given_up() {
    let mut plan = two(10);
    let mailer = plan.add_service("mailer", 1);
    let work = Some(Distribution::Constant(Span::from_millis(150)));
    let handler = plan.add_endpoint("mailer", mailer, work, 0.0, &[]);
    plan.endpoints[handler.index()].handler = true;
    let queue = |name: &str, consumers| Queue {
        max_deliveries: Some(3),
        dead_letter: (name == "mails").then_some(QueueId(1)),
        consumers,
        ..Queue::new(name)
    };
    plan.queues = vec![queue("mails", vec![Consumer::new(handler, 2)]), queue("dead", vec![])];
    let group = Step::Calls { first: 0, count: 1 };
    let front = plan.endpoints[1].service;
    let publishing = plan.add_endpoint(
        "front 2",
        front,
        None,
        0.0,
        &[group, Step::Publish { queue: QueueId(0), probability: 1.0, times: 1 }],
    );
    plan.edges[1].target = crate::sim::Target::One(publishing);
    let outcome = check(&plan, 99, &[]);
    let mails = &outcome.queues[0];
    assert_eq!((mails.published, mails.acknowledged, mails.left), (99, 99, 0));
    plan.endpoints[handler.index()].error_rate = 1.0;
    let outcome = check(&plan, 99, &[]);
    let mails = &outcome.queues[0];
    assert_eq!((mails.delivered, mails.redelivered, mails.dead_lettered), (297, 198, 99));
    assert_eq!((outcome.queues[1].published, outcome.queues[1].left), (99, 99));
}

#[test]
fn concurrency_holds_requests_until_the_reply() {
    let mut plan = two(250);
    plan.services[0].workers = None;
    plan.services[1].concurrency = Some(1);
    plan.services[1].queue_max_length = Some(0);
    // One in three gets in: 0.1 s, 0.4 s, … 9.7 s.
    check(&plan, 33, &[(Cause::Overflow, 66)]);
    plan.edges[1].probability = 1.0;
    plan.edges[0].times = 2;
    // Twice 250 ms one after another.
    let outcome = simulate(&plan, 1, 1, 1).expect("a valid plan");
    assert!(
        (0.49..0.51).contains(&outcome.sources[0].requests.latency.mean.as_ref().expect("answers").value)
    );
}

#[test]
fn messages_are_drawn_once_and_sent_so_often() {
    let mut plan = two(10);
    plan.queues = vec![Queue::new("log")];
    let front = plan.endpoints[1].service;
    let publish = Step::Publish { queue: QueueId(0), probability: 0.5, times: 7 };
    let publishing = plan.add_endpoint("front 2", front, None, 0.0, &[publish]);
    plan.edges[1].target = crate::sim::Target::One(publishing);
    let published = check(&plan, 99, &[]).queues[0].published;
    // All seven or none: about half of the 99 times.
    assert!(published.is_multiple_of(7) && (30 * 7..70 * 7).contains(&published), "{published}");
}

/// Runs it once, in vain: what the error says.
fn fails(plan: &Plan) -> String {
    simulate(plan, 1, 1, 1).expect_err("no end").to_string()
}

#[test]
fn time_that_stands_still_is_an_error() {
    let mut plan = two(50);
    plan.endpoints[0].work = None;
    check(&plan, 99, &[]);
    let think = |millis| Distribution::Constant(Span::from_millis(millis));
    plan.sources[0].arrivals = Arrivals::Closed { users: 3, think: think(100) };
    check(&plan, 3 * 99, &[]);
    plan.sources[0].arrivals = Arrivals::Closed { users: 3, think: think(0) };
    assert!(fails(&plan).starts_with("the simulation stands still at 0"), "{}", fails(&plan));
    // More requests than there are nanoseconds.
    plan.sources[0].arrivals = Arrivals::Constant(vec![RatePoint::from(1e12)]);
    assert!(fails(&plan).starts_with("the simulation stands still at 0"), "{}", fails(&plan));
}

/// `two` with a queue whose handler takes no time and fails; `front` publishes to it.
fn failing_handler(max_deliveries: Option<u32>, dead_letter: Option<QueueId>) -> Plan {
    let mut plan = two(10);
    let handlers = plan.add_service("handlers", 1);
    let publish = Step::Publish { queue: QueueId(0), probability: 1.0, times: 1 };
    let handler = plan.add_endpoint("handlers", handlers, None, 1.0, &[publish]);
    plan.endpoints[handler.index()].handler = true;
    plan.queues = vec![Queue {
        max_deliveries,
        dead_letter,
        consumers: vec![Consumer::new(handler, 2)],
        ..Queue::new("mails")
    }];
    let publishing = plan.add_endpoint("front 2", plan.endpoints[1].service, None, 0.0, &[publish]);
    plan.edges[1].target = crate::sim::Target::One(publishing);
    plan
}

#[test]
fn handlers_that_take_no_time_let_time_pass() {
    // To the end of the draining at 40 s, every millisecond: one from 0.1 s on, two at once from 0.2 s on.
    let mut plan = failing_handler(None, None);
    let forever = 100 + 2 * 39_801;
    let mails = check(&plan, 99, &[]).queues[0].clone();
    assert_eq!((mails.published, mails.delivered, mails.left), (99, forever, 99));
    plan.queues[0].max_deliveries = Some(5);
    let mails = check(&plan, 99, &[]).queues[0].clone();
    assert_eq!((mails.delivered, mails.redelivered, mails.dead_lettered), (495, 396, 99));
    // A queue that is its own dead-letter queue.
    let mails = check(&failing_handler(Some(1), Some(QueueId(0))), 99, &[]).queues[0].clone();
    assert_eq!((mails.delivered, mails.published - mails.dead_lettered), (forever, 99));
    // A handler that succeeds and publishes to its own queue.
    plan.endpoints[2].error_rate = 0.0;
    assert!(fails(&plan).starts_with("the simulation stands still at 0.1"), "{}", fails(&plan));
}
