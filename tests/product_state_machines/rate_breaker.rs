//! resilience4j/resilience4j: `resilience4j-circuitbreaker/src/test/java/…/internal` and
//! `resilience4j-core/src/test/java/…/core/metrics`.

use loadpath::kernel::{Span, Time};
use loadpath::policy::breaker::{Breaker, Outcome, Permit, Rate, RateSettings, State, Verdict, WindowKind};

use super::{millis, secs};

/// The breaker of `CircuitBreakerStateMachineTest.setUp`.
fn set_up() -> Rate {
    Rate::new(RateSettings {
        failure_rate_threshold: 50.0,
        permitted_calls: 4,
        slow_call_duration: Span::from_secs(4),
        slow_call_rate_threshold: 50.0,
        window: WindowKind::Seconds(5),
        minimum_calls: 5,
        open_duration: Span::from_secs(5),
        ..Default::default()
    })
}

fn half_open() -> Rate {
    let mut breaker = set_up();
    breaker.transition(Time::ZERO, State::Open);
    breaker.transition(Time::ZERO, State::HalfOpen);
    breaker
}

fn ends(breaker: &mut Rate, at: Time, verdict: Verdict, took: Span) {
    breaker.record(at, Permit::NONE, Outcome { verdict, duration: took });
}

/// Failure rate, successes, buffered, failed, not permitted: `assertCircuitBreakerMetricsEqualTo`.
fn metrics(breaker: &mut Rate, at: Time) -> (f64, u32, u32, u32, u64) {
    let tally = breaker.tally(at);
    let rate = breaker.failure_rate(at).unwrap_or(-1.0);
    (rate, tally.calls - tally.failed, tally.calls, tally.failed, breaker.not_permitted_calls())
}

const RESET: (f64, u32, u32, u32, u64) = (-1.0, 0, 0, 0, 0);

/// `shouldThrowCallNotPermittedExceptionWhenStateIsOpen`, `…IsForcedOpen`, `shouldForceOpenCircuitBreaker`.
#[test]
fn a_rejected_call_is_counted_as_such() {
    for state in [State::Open, State::ForcedOpen] {
        let mut breaker = set_up();
        breaker.transition(Time::ZERO, state);
        assert!(breaker.admit(Time::ZERO).is_none());
        assert_eq!(breaker.not_permitted_calls(), 1);
    }
    let mut breaker = set_up();
    breaker.transition(Time::ZERO, State::ForcedOpen);
    assert!(breaker.admit(Time::ZERO).is_none() && breaker.admit(secs(6)).is_none());
    assert_eq!(
        (breaker.look(secs(6)), metrics(&mut breaker, secs(6))),
        (State::ForcedOpen, (-1.0, 0, 0, 0, 2))
    );
}

/// `shouldOnlyPermitFourCallsInHalfOpenState`.
#[test]
fn each_stay_half_open_has_its_own_permits() {
    let mut breaker = half_open();
    for _ in 0..2 {
        let permitted: Vec<bool> = (0..6).map(|_| breaker.admit(Time::ZERO).is_some()).collect();
        assert_eq!(permitted, [true, true, true, true, false, false]);
        breaker.transition(Time::ZERO, State::Open);
        breaker.transition(Time::ZERO, State::HalfOpen);
    }
}

/// `shouldOpenAfterSlowCallRateThresholdExceeded`: 5 s, 5 s, 0.1 s, 0.1 s, 5 s, two of them failed.
#[test]
fn slow_calls_open_it() {
    let mut breaker = set_up();
    let fast = Span::from_millis(100);
    let slow = Span::from_secs(5);
    for (verdict, took, state) in [
        (Verdict::Failure, slow, State::Closed),
        (Verdict::Success, slow, State::Closed),
        (Verdict::Failure, fast, State::Closed),
        (Verdict::Success, fast, State::Closed),
        (Verdict::Success, slow, State::Open),
    ] {
        ends(&mut breaker, Time::ZERO, verdict, took);
        assert_eq!(breaker.state(), state);
    }
    let tally = breaker.tally(Time::ZERO);
    assert_eq!((tally.calls, tally.slow, breaker.slow_call_rate(Time::ZERO)), (5, 3, Some(60.0)));
}

/// `shouldTransitionToHalfOpenAfterWaitInterval`: 5 s times 1.5 for each opening.
#[test]
fn the_pause_may_grow() {
    let mut breaker = Rate::new(RateSettings {
        window: WindowKind::Calls(5),
        minimum_calls: 5,
        permitted_calls: 4,
        open_duration: Span::from_secs(5),
        open_multiplier: 1.5,
        ..Default::default()
    });
    breaker.transition(Time::ZERO, State::Open);
    assert!(breaker.admit(Time::ZERO).is_none() && breaker.admit(secs(3)).is_none());
    assert_eq!(metrics(&mut breaker, secs(3)), (-1.0, 0, 0, 0, 2));
    assert!(breaker.admit(secs(6)).is_some());
    assert_eq!((breaker.state(), metrics(&mut breaker, secs(6))), (State::HalfOpen, RESET));
    breaker.transition(secs(6), State::Open);
    assert!(breaker.admit(secs(12)).is_none(), "7.5 s are not over");
    assert!(breaker.admit(secs(17)).is_some());
    assert_eq!((breaker.state(), metrics(&mut breaker, secs(17))), (State::HalfOpen, RESET));
}

/// `shouldTransitionBackToOpenStateWhenSlowCallRateIsAboveThreshold`.
#[test]
fn slow_probes_open_it_again() {
    let mut breaker = half_open();
    for took in [5, 5, 5, 1] {
        assert_eq!(breaker.state(), State::HalfOpen);
        assert!(breaker.admit(Time::ZERO).is_some());
        ends(&mut breaker, Time::ZERO, Verdict::Success, Span::from_secs(took));
    }
    assert_eq!((breaker.state(), breaker.tally(Time::ZERO).slow), (State::Open, 3));
    assert_eq!(breaker.slow_call_rate(Time::ZERO), Some(75.0));
    assert_eq!(breaker.failure_rate(Time::ZERO), Some(0.0));
}

/// `shouldTransitionBackToClosedStateWhenFailureIsBelowThreshold`, to its end.
#[test]
fn after_closing_it_counts_from_nothing() {
    let mut breaker = half_open();
    for verdict in [Verdict::Failure, Verdict::Success, Verdict::Success, Verdict::Success] {
        assert!(breaker.admit(Time::ZERO).is_some());
        ends(&mut breaker, Time::ZERO, verdict, Span::ZERO);
    }
    assert!(breaker.admit(Time::ZERO).is_some());
    assert_eq!((breaker.state(), metrics(&mut breaker, Time::ZERO)), (State::Closed, RESET));
    assert!(breaker.admit(Time::ZERO).is_some());
    ends(&mut breaker, Time::ZERO, Verdict::Success, Span::ZERO);
    assert_eq!(metrics(&mut breaker, Time::ZERO), (-1.0, 1, 1, 0, 0));
}

/// `shouldIgnoreExceptionsAndThenTransitionToClosed`: four ignored results cost no permit.
#[test]
fn ignored_results_decide_nothing() {
    let mut breaker = half_open();
    for _ in 0..4 {
        assert!(breaker.admit(Time::ZERO).is_some());
        ends(&mut breaker, Time::ZERO, Verdict::Ignored, Span::ZERO);
        assert_eq!((breaker.state(), metrics(&mut breaker, Time::ZERO)), (State::HalfOpen, RESET));
    }
    for successes in 1..=4 {
        assert!(breaker.admit(Time::ZERO).is_some());
        ends(&mut breaker, Time::ZERO, Verdict::Success, Span::ZERO);
        if successes == 3 {
            assert_eq!(
                (breaker.state(), metrics(&mut breaker, Time::ZERO)),
                (State::HalfOpen, (-1.0, 3, 3, 0, 0))
            );
        }
    }
    assert_eq!((breaker.state(), metrics(&mut breaker, Time::ZERO)), (State::Closed, RESET));
}

/// `shouldResetMetrics`, `shouldResetClosedState`, `shouldResetToClosedState`,
/// `shouldResetMetricsAfterMetricsOnlyStateTransition`.
#[test]
fn a_transition_by_hand_forgets() {
    for to in [State::Closed, State::MetricsOnly] {
        let mut breaker = set_up();
        ends(&mut breaker, Time::ZERO, Verdict::Success, Span::ZERO);
        ends(&mut breaker, Time::ZERO, Verdict::Failure, Span::ZERO);
        assert_eq!(metrics(&mut breaker, Time::ZERO), (-1.0, 1, 2, 1, 0));
        breaker.transition(Time::ZERO, to);
        assert_eq!((breaker.state(), metrics(&mut breaker, Time::ZERO)), (to, RESET));
    }
    let mut breaker = set_up();
    breaker.transition(Time::ZERO, State::Open);
    breaker.transition(Time::ZERO, State::Closed);
    assert_eq!(breaker.state(), State::Closed);
}

/// `shouldDisableCircuitBreaker`.
#[test]
fn disabled_it_counts_nothing() {
    let mut breaker = set_up();
    breaker.transition(Time::ZERO, State::Disabled);
    for verdict in [Verdict::Success, Verdict::Failure, Verdict::Failure, Verdict::Failure, Verdict::Failure]
    {
        assert!(breaker.admit(Time::ZERO).is_some());
        ends(&mut breaker, Time::ZERO, verdict, Span::ZERO);
    }
    assert_eq!((breaker.state(), metrics(&mut breaker, Time::ZERO)), (State::Disabled, RESET));
}

/// `shouldOpenAfterFailureRateThresholdExceeded`, and the same in `shouldRecordMetricsInMetricsOnlyState`, which
/// opens nothing.
#[test]
fn three_failures_of_five_are_sixty_percent() {
    for metrics_only in [false, true] {
        let mut breaker = set_up();
        if metrics_only {
            breaker.transition(Time::ZERO, State::MetricsOnly);
        }
        let start = breaker.state();
        assert_eq!(metrics(&mut breaker, Time::ZERO), RESET);
        for (verdict, expected) in [
            (Verdict::Failure, (-1.0, 0, 1, 1, 0)),
            (Verdict::Failure, (-1.0, 0, 2, 2, 0)),
            (Verdict::Failure, (-1.0, 0, 3, 3, 0)),
            (Verdict::Success, (-1.0, 1, 4, 3, 0)),
            (Verdict::Success, (60.0, 2, 5, 3, 0)),
        ] {
            assert_eq!(breaker.state(), start);
            assert!(breaker.admit(Time::ZERO).is_some());
            ends(&mut breaker, Time::ZERO, verdict, Span::ZERO);
            assert_eq!(metrics(&mut breaker, Time::ZERO), expected);
        }
        assert_eq!(breaker.state(), if metrics_only { State::MetricsOnly } else { State::Open });
        assert_eq!(breaker.admit(Time::ZERO).is_some(), metrics_only);
        let rejected = u64::from(!metrics_only);
        assert_eq!(metrics(&mut breaker, Time::ZERO), (60.0, 2, 5, 3, rejected));
    }
}

/// A window alone: in this state results are counted and nothing opens.
fn window(kind: WindowKind) -> Rate {
    let mut breaker = Rate::new(RateSettings {
        window: kind,
        minimum_calls: 1,
        slow_call_duration: Span::from_secs(1),
        ..Default::default()
    });
    breaker.transition(Time::ZERO, State::MetricsOnly);
    breaker
}

fn counted(breaker: &mut Rate, at: Time) -> (u32, u32) {
    let tally = breaker.tally(at);
    (tally.calls, tally.failed)
}

/// `SlidingTimeWindowMetricsTest.testSlidingTimeWindowMetrics`: milliseconds, outcome, calls and failures after.
#[test]
fn a_window_of_five_seconds_slides() {
    use Verdict::{Failure, Success};
    let mut breaker = window(WindowKind::Seconds(5));
    for (at, verdict, expected) in [
        (0, Failure, (1, 1)),
        (100, Success, (2, 1)),
        (200, Success, (3, 1)),
        (1_200, Success, (4, 1)),
        (2_200, Success, (5, 1)),
        (3_200, Failure, (6, 2)),
        (4_200, Success, (7, 2)),
        (5_200, Success, (5, 1)),
        (6_200, Success, (5, 1)),
        (11_200, Success, (1, 0)),
    ] {
        ends(&mut breaker, millis(at), verdict, Span::from_millis(100));
        assert_eq!(counted(&mut breaker, millis(at)), expected, "at {at} ms");
    }
}

/// `SlidingTimeWindowMetricsTest.shouldClearSlidingTimeWindowMetrics`: the clock alone empties it.
#[test]
fn a_window_of_five_seconds_runs_dry() {
    let mut breaker = window(WindowKind::Seconds(5));
    for (at, verdict, expected) in
        [(0, Verdict::Failure, (1, 1)), (100, Verdict::Success, (2, 1)), (800, Verdict::Success, (3, 1))]
    {
        ends(&mut breaker, millis(at), verdict, Span::from_millis(100));
        assert_eq!(counted(&mut breaker, millis(at)), expected);
    }
    assert_eq!(counted(&mut breaker, millis(4_800)), (3, 1));
    assert_eq!(counted(&mut breaker, millis(5_800)), (0, 0));
    ends(&mut breaker, millis(5_900), Verdict::Success, Span::from_millis(100));
    assert_eq!(counted(&mut breaker, millis(5_900)), (1, 0));
}

/// `testSlowCallsPercentage` of `SlidingTimeWindowMetricsTest` and of `FixedSizeSlidingWindowMetricsTest`.
#[test]
fn two_slow_calls_of_five_are_forty_percent() {
    for kind in [WindowKind::Seconds(5), WindowKind::Calls(5)] {
        let mut breaker = window(kind);
        let slow = Span::from_secs(10);
        ends(&mut breaker, Time::ZERO, Verdict::Success, slow);
        ends(&mut breaker, Time::ZERO, Verdict::Failure, slow);
        (0..3).for_each(|_| ends(&mut breaker, Time::ZERO, Verdict::Success, Span::from_millis(100)));
        let tally = breaker.tally(Time::ZERO);
        assert_eq!((tally.calls, tally.failed, tally.slow, tally.slow_failed), (5, 1, 2, 1));
        assert_eq!(breaker.slow_call_rate(Time::ZERO), Some(40.0));
    }
}

/// `FixedSizeSlidingWindowMetricsTest.testSlidingWindowMetrics`: a window of 4, calls and failure rate after each.
#[test]
fn a_window_of_four_calls_slides() {
    let mut breaker = window(WindowKind::Calls(4));
    for (verdict, calls, rate) in [
        (Verdict::Failure, 1, 100.0),
        (Verdict::Success, 2, 50.0),
        (Verdict::Success, 3, 100.0 / 3.0),
        (Verdict::Success, 4, 25.0),
        (Verdict::Success, 4, 0.0),
    ] {
        ends(&mut breaker, Time::ZERO, verdict, Span::from_millis(100));
        let tally = breaker.tally(Time::ZERO);
        assert_eq!((tally.calls, breaker.failure_rate(Time::ZERO)), (calls, Some(rate)));
    }
}

/// `FixedSizeSlidingWindowMetricsTest.testSlidingWindowMetricsWithSlowCalls`: calls, failed, slow, slow and failed.
#[test]
fn a_window_of_two_calls_forgets_slow_ones() {
    let mut breaker = window(WindowKind::Calls(2));
    let (slow, fast) = (Span::from_secs(2), Span::from_millis(100));
    for (verdict, took, expected) in [
        (Verdict::Failure, slow, (1, 1, 1, 1)),
        (Verdict::Success, slow, (2, 1, 2, 1)),
        (Verdict::Success, fast, (2, 0, 1, 0)),
        (Verdict::Success, fast, (2, 0, 0, 0)),
        (Verdict::Success, fast, (2, 0, 0, 0)),
    ] {
        ends(&mut breaker, Time::ZERO, verdict, took);
        let tally = breaker.tally(Time::ZERO);
        assert_eq!((tally.calls, tally.failed, tally.slow, tally.slow_failed), expected);
    }
}

/// `CircuitBreakerMetricsTest.testCircuitBreakerMetrics`: 2 successes, 6 failures, 4 successes in a window of 10 are
/// 60%, and three successes later 30%.
#[test]
fn ten_of_twelve_calls_are_in_the_window() {
    let settings = RateSettings { window: WindowKind::Calls(10), minimum_calls: 10, ..Default::default() };
    let mut breaker = Rate::new(settings);
    breaker.transition(Time::ZERO, State::MetricsOnly);
    let run = |breaker: &mut Rate, n: u32, verdict| {
        (0..n).for_each(|_| ends(breaker, Time::ZERO, verdict, Span::ZERO));
    };
    run(&mut breaker, 2, Verdict::Success);
    run(&mut breaker, 2, Verdict::Failure);
    assert_eq!(metrics(&mut breaker, Time::ZERO), (-1.0, 2, 4, 2, 0));
    run(&mut breaker, 4, Verdict::Failure);
    run(&mut breaker, 4, Verdict::Success);
    assert_eq!(metrics(&mut breaker, Time::ZERO), (60.0, 4, 10, 6, 0));
    run(&mut breaker, 3, Verdict::Success);
    assert_eq!(breaker.failure_rate(Time::ZERO), Some(30.0));
}
