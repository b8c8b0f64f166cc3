//! gobreaker, Polly, Hystrix and Sentinel; resilience4j is in `rate_breaker`.

use loadpath::kernel::{Span, Time};
use loadpath::policy::breaker::{
    Breaker, Consecutive, ConsecutiveSettings, Counts, Health, Hystrix, HystrixSettings, Outcome, Permit,
    Polly, PollySettings, Sentinel, SentinelGrade, SentinelSettings, State, TripRatio, Verdict,
};

use super::{millis, secs};

/// A call that is admitted and ends at once.
fn call(breaker: &mut dyn Breaker, at: Time, verdict: Verdict) -> bool {
    took(breaker, at, at, verdict)
}

fn took(breaker: &mut dyn Breaker, from: Time, to: Time, verdict: Verdict) -> bool {
    let permit = breaker.admit(from);
    let duration = to.since(from);
    permit.map(|permit| breaker.record(to, permit, Outcome { verdict, duration })).is_some()
}

// sony/gobreaker, v2/gobreaker_test.go.

/// gobreaker's `Counts{requests, successes, failures, in a row …}`.
fn counts(requests: u32, successes: u32, failures: u32, rows: (u32, u32)) -> Counts {
    let (successes_in_a_row, failures_in_a_row) = rows;
    Counts { requests, successes, failures, ignored: 0, successes_in_a_row, failures_in_a_row }
}

/// `newCustom` and `newRollingWindow`.
fn custom(bucket_period: Option<Span>) -> Consecutive {
    Consecutive::new(ConsecutiveSettings {
        ratio: Some(TripRatio { minimum_calls: 3, ratio: 0.6 }),
        permitted_calls: 3,
        interval: Some(Span::from_secs(30)),
        bucket_period,
        open_duration: Span::from_secs(90),
        ..Default::default()
    })
}

/// The test's `pseudoSleep` leaves the nanoseconds of its own run on the clock; here one is enough.
fn after(seconds: u64) -> Time {
    secs(seconds) + Span::from_nanos(1)
}

/// `TestRollingWindowCircuitBreaker`, all of its counts.
#[test]
fn gobreaker_rolls_ten_buckets_of_three_seconds() {
    use Verdict::{Failure, Success};
    let mut breaker = custom(Some(Span::from_secs(3)));
    for _ in 0..5 {
        call(&mut breaker, Time::ZERO, Success);
        call(&mut breaker, Time::ZERO, Failure);
    }
    assert_eq!(breaker.counts(), counts(10, 5, 5, (0, 1)));
    for (second, verdict, expected) in [
        (3, Success, counts(11, 6, 5, (1, 0))),
        (5, Success, counts(12, 7, 5, (2, 0))),
        (7, Success, counts(13, 8, 5, (3, 0))),
        (9, Failure, counts(14, 8, 6, (0, 1))),
    ] {
        call(&mut breaker, after(second), verdict);
        assert_eq!((breaker.state(), breaker.counts()), (State::Closed, expected), "at {second} s");
    }
    for i in 0..6 {
        let at = after(12 + 3 * u64::from(i));
        call(&mut breaker, at, Success);
        call(&mut breaker, at, Failure);
        assert_eq!(breaker.counts(), counts(16 + 2 * i, 9 + i, 7 + i, (0, 1)));
    }
    call(&mut breaker, after(30), Failure);
    assert_eq!(breaker.counts(), counts(17, 9, 8, (0, 2)), "the first bucket is gone");
    for i in 0..5 {
        call(&mut breaker, after(30), Failure);
        assert_eq!(breaker.counts(), counts(18 + i, 9, 9 + i, (0, 3 + i)));
    }
    assert_eq!(breaker.state(), State::Closed);
    call(&mut breaker, after(30), Failure);
    assert_eq!(breaker.state(), State::Open, "14 of 23");
    gobreaker_closes(&mut breaker, after(120));
}

/// The end of `TestCustomCircuitBreaker` and of `TestRollingWindowCircuitBreaker`.
fn gobreaker_closes(breaker: &mut Consecutive, at: Time) {
    let at = at + Span::from_nanos(1);
    assert_eq!(breaker.look(at), State::HalfOpen);
    assert!(call(breaker, at, Verdict::Success) && call(breaker, at, Verdict::Success));
    assert_eq!((breaker.state(), breaker.counts()), (State::HalfOpen, counts(2, 2, 0, (2, 0))));
    let flying = breaker.admit(at).expect("the third");
    assert_eq!(breaker.counts(), counts(3, 2, 0, (2, 0)));
    assert!(!call(breaker, at, Verdict::Success), "over MaxRequests");
    breaker.record(at, flying, Verdict::Success.into());
    assert_eq!((breaker.state(), breaker.counts()), (State::Closed, Counts::default()));
}

/// `TestCustomCircuitBreaker`, all of its counts.
#[test]
fn gobreaker_counts_anew_each_interval() {
    let mut breaker = custom(None);
    for _ in 0..5 {
        call(&mut breaker, Time::ZERO, Verdict::Success);
        call(&mut breaker, Time::ZERO, Verdict::Failure);
    }
    assert_eq!((breaker.state(), breaker.counts()), (State::Closed, counts(10, 5, 5, (0, 1))));
    call(&mut breaker, secs(29), Verdict::Success);
    assert_eq!((breaker.state(), breaker.counts()), (State::Closed, counts(11, 6, 5, (1, 0))));
    call(&mut breaker, after(30), Verdict::Failure);
    assert_eq!((breaker.state(), breaker.counts()), (State::Closed, counts(1, 0, 1, (0, 1))));
    call(&mut breaker, after(30), Verdict::Success);
    call(&mut breaker, after(30), Verdict::Failure);
    assert_eq!((breaker.state(), breaker.counts()), (State::Open, Counts::default()), "2 of 3");
    gobreaker_closes(&mut breaker, after(120));
}

/// `TestTwoStepCircuitBreaker`: the counts of `TestDefaultCircuitBreaker` again, permit and result apart.
#[test]
fn gobreaker_trips_on_the_sixth_failure_in_a_row() {
    let settings = ConsecutiveSettings { failure_threshold: 6, ..Default::default() };
    let mut breaker = Consecutive::new(settings);
    let mut step = |verdict, n: u32, expected: Counts| {
        let ok = (0..n).all(|_| call(&mut breaker, Time::ZERO, verdict));
        assert_eq!((ok, breaker.counts()), (true, expected));
    };
    step(Verdict::Failure, 5, counts(5, 0, 5, (0, 5)));
    step(Verdict::Success, 1, counts(6, 1, 5, (1, 0)));
    step(Verdict::Failure, 1, counts(7, 1, 6, (0, 1)));
    step(Verdict::Failure, 5, Counts::default());
    assert_eq!(breaker.state(), State::Open);
    assert!(
        !call(&mut breaker, Time::ZERO, Verdict::Success)
            && !call(&mut breaker, Time::ZERO, Verdict::Failure)
    );
    assert_eq!((breaker.look(secs(59)), breaker.look(after(60))), (State::Open, State::HalfOpen));
    assert!(call(&mut breaker, after(60), Verdict::Failure));
    assert_eq!((breaker.state(), breaker.counts()), (State::Open, Counts::default()));
    assert!(call(&mut breaker, after(121), Verdict::Success));
    assert_eq!((breaker.state(), breaker.counts()), (State::Closed, Counts::default()));
}

/// `TestGeneration`: a result from before the interval's end changes no count.
#[test]
fn gobreaker_ignores_an_older_generation() {
    let mut breaker = custom(None);
    call(&mut breaker, secs(29), Verdict::Success);
    let flying = breaker.admit(secs(29)).expect("closed");
    assert_eq!(breaker.counts(), counts(2, 1, 0, (1, 0)));
    assert_eq!((breaker.look(after(30)), breaker.counts()), (State::Closed, Counts::default()));
    breaker.record(secs(31), flying, Verdict::Success.into());
    assert_eq!(breaker.counts(), Counts::default());
}

// App-vNext/Polly, test/Polly.Core.Tests/CircuitBreaker.

/// `Health/RollingHealthMetricsTests.cs`: a sampling time of 10 s in 10 windows.
fn sampled(minimum: u32, ratio: f64) -> Polly {
    Polly::new(PollySettings {
        minimum_throughput: minimum,
        failure_ratio: ratio,
        sampling_duration: Span::from_secs(10),
        ..Default::default()
    })
}

/// `GetHealthInfo_EnsureWindowRespected`: calls and failures, two calls every two seconds.
#[test]
fn polly_forgets_window_by_window() {
    let mut breaker = sampled(u32::MAX, 1.0);
    let mut health = Vec::new();
    for i in 0..5u64 {
        let first = if i < 2 { Verdict::Failure } else { Verdict::Success };
        call(&mut breaker, secs(2 * i), first);
        call(&mut breaker, secs(2 * i), Verdict::Success);
        health.push(breaker.throughput(secs(2 * i + 2)));
    }
    health.push(breaker.throughput(secs(12)));
    assert_eq!(health, [(2, 1), (4, 2), (6, 2), (8, 2), (8, 1), (6, 0)]);
}

/// `GetHealthInfo_EnsureWindowCapacityRespected`, `GetHealthInfo_SamplingDurationRespected`, `Increment_Ok`.
#[test]
fn polly_samples_no_longer_than_the_sampling_time() {
    let mut breaker = sampled(u32::MAX, 1.0);
    (0..10).for_each(|second| assert!(call(&mut breaker, secs(second), Verdict::Success)));
    assert_eq!((breaker.throughput(secs(10)), breaker.throughput(secs(11))), ((9, 0), (8, 0)));
    for end in [10_000, 10_001] {
        let mut breaker = sampled(u32::MAX, 1.0);
        (0..2).for_each(|_| assert!(call(&mut breaker, Time::ZERO, Verdict::Success)));
        assert_eq!(breaker.throughput(millis(end)), (0, 0));
    }
    let mut breaker = sampled(u32::MAX, 1.0);
    for verdict in [Verdict::Failure, Verdict::Success, Verdict::Success, Verdict::Success, Verdict::Success]
    {
        call(&mut breaker, Time::ZERO, verdict);
    }
    assert_eq!(breaker.throughput(Time::ZERO), (5, 1), "a failure rate of 0.2");
    breaker.close();
    assert_eq!(breaker.throughput(Time::ZERO), (0, 0), "Reset_Ok");
}

/// `Controller/AdvancedCircuitBehaviorTests.cs`, `OnActionFailure_WhenClosed_EnsureCorrectBehavior`: throughput and
/// failure rate with the failure just counted, against a minimum of 10 and a threshold of 0.1.
#[test]
fn polly_breaks_at_the_ratio_and_the_throughput() {
    for (throughput, failures, breaks) in [(10, 1, true), (10, 2, true), (11, 2, true), (9, 1, false)] {
        let mut breaker = sampled(10, 0.1);
        // Failures first: below the throughput they break nothing, and a success never does.
        (1..failures).for_each(|_| assert!(call(&mut breaker, Time::ZERO, Verdict::Failure)));
        (failures..throughput).for_each(|_| assert!(call(&mut breaker, Time::ZERO, Verdict::Success)));
        assert_eq!(breaker.state(), State::Closed);
        call(&mut breaker, Time::ZERO, Verdict::Failure);
        assert_eq!(breaker.state() == State::Open, breaks, "{failures} of {throughput}");
    }
    let mut breaker = sampled(10, 0.1);
    (0..10).for_each(|_| assert!(call(&mut breaker, Time::ZERO, Verdict::Success)));
    assert_eq!(breaker.state(), State::Closed, "10, 0.0");
}

/// One failure breaks it, for 5 s.
fn brittle() -> Polly {
    Polly::new(PollySettings { minimum_throughput: 1, ..Default::default() })
}

/// `Controller/CircuitStateControllerTests.cs`: `OnActionPreExecute_CircuitOpenedByValue`, `HalfOpen_EnsureBreakDuration`,
/// `Flow_Closed_HalfOpen_Open_HalfOpen_Closed`.
#[test]
fn polly_opens_half_opens_and_closes() {
    let mut breaker = brittle();
    call(&mut breaker, Time::ZERO, Verdict::Failure);
    assert_eq!((breaker.state(), breaker.retry_after(Time::ZERO)), (State::Open, Some(Span::from_secs(5))));
    let probe = breaker.admit(secs(5)).expect("a probe at the end of the break");
    assert_eq!((breaker.state(), breaker.retry_after(secs(5))), (State::HalfOpen, Some(Span::from_secs(5))));
    breaker.record(secs(5), probe, Verdict::Failure.into());
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.admit(millis(5_001)).is_none());
    let probe = breaker.admit(millis(15_001)).expect("a probe");
    assert_eq!(breaker.state(), State::HalfOpen);
    breaker.record(millis(15_001), probe, Verdict::Success.into());
    assert_eq!(breaker.state(), State::Closed);
}

/// `OnActionSuccess_EnsureCorrectBehavior` and `OnActionFailureAsync_EnsureCorrectBehavior`: what a late result does in
/// each state.
#[test]
fn polly_takes_late_results_as_they_come() {
    for (state, verdict, after) in [
        (State::HalfOpen, Verdict::Success, State::Closed),
        (State::ForcedOpen, Verdict::Success, State::ForcedOpen),
        (State::Closed, Verdict::Success, State::Closed),
        (State::HalfOpen, Verdict::Failure, State::Open),
        (State::Closed, Verdict::Failure, State::Open),
        (State::Open, Verdict::Failure, State::Open),
        (State::ForcedOpen, Verdict::Failure, State::ForcedOpen),
    ] {
        let mut breaker = brittle();
        if matches!(state, State::Open | State::HalfOpen) {
            call(&mut breaker, Time::ZERO, Verdict::Failure);
        }
        match state {
            State::HalfOpen => assert!(breaker.admit(secs(5)).is_some()),
            State::ForcedOpen => breaker.isolate(),
            _ => {}
        }
        assert_eq!(breaker.state(), state);
        breaker.record(secs(5), Permit::NONE, verdict.into());
        assert_eq!(breaker.state(), after, "{verdict:?} while {state:?}");
    }
}

/// `BreakDurationGenerator_EnsureHalfOpenAttempts`: what the generator of break durations is told, break by break.
#[test]
fn polly_counts_half_open_attempts() {
    let mut breaker = brittle();
    let mut told = Vec::new();
    for run in [5, 3] {
        let mut now = Time::ZERO;
        for _ in 0..run {
            told.push(breaker.half_open_attempts());
            breaker.record(now, Permit::NONE, Verdict::Failure.into());
            now = now + Span::from_secs(5);
            assert!(breaker.admit(now).is_some());
        }
        breaker.close();
    }
    assert_eq!(told, [0, 1, 2, 3, 4, 0, 1, 2]);
}

// Netflix/Hystrix, hystrix-core/src/test/java/com/netflix/hystrix.

/// `HystrixCommandPropertiesTest.getUnitTestPropertiesSetter`, and what the commands of
/// `HystrixCircuitBreakerTest` set beside it.
fn unit_test_properties(request_volume_threshold: u32, sleep_window: u64) -> Hystrix {
    Hystrix::new(HystrixSettings {
        request_volume_threshold,
        error_threshold_percentage: 40,
        sleep_window: Span::from_millis(sleep_window),
        rolling: Span::from_secs(5),
        snapshot_interval: Span::from_millis(100),
    })
}

/// `testTripCircuit`, `…OnFailuresAboveThreshold`, `testCircuitDoesNotTripOnFailuresBelowThreshold`,
/// `testTripCircuitOnTimeouts`, `…AboveThreshold`, `testLowVolumeDoesNotTripCircuit`: letters are successes and
/// failures, looked at a snapshot later.
#[test]
fn hystrix_trips_on_forty_percent() {
    for (calls, volume, open) in [
        ("SSSSFFFF", 1, true),
        ("SSFSFSFF", 1, true),
        ("SSFSFSSF", 1, false),
        ("FFFF", 1, true),
        ("SSFSFFSFF", 1, true),
        ("FFFF", 5, false),
    ] {
        let mut breaker = unit_test_properties(volume, 200);
        for letter in calls.chars() {
            let verdict = if letter == 'S' { Verdict::Success } else { Verdict::Failure };
            assert!(call(&mut breaker, millis(50), verdict), "nothing is decided before the snapshot");
        }
        assert_eq!(breaker.look(millis(150)) == State::Open, open, "{calls}");
        assert_eq!(breaker.admit(millis(150)).is_none(), open);
    }
}

/// `testSingleTestOnOpenCircuitAfterTimeWindow` and `testMultipleTimeWindowRetriesBeforeClosingCircuit`: one test
/// for each window of 200 ms, the third succeeds.
#[test]
fn hystrix_tests_once_a_window() {
    let mut breaker = unit_test_properties(1, 200);
    (0..4).for_each(|_| assert!(call(&mut breaker, millis(50), Verdict::Failure)));
    assert!(breaker.admit(millis(150)).is_none());
    for (from, verdict) in [(400, Verdict::Failure), (710, Verdict::Failure), (1_020, Verdict::Success)] {
        let test = breaker.admit(millis(from)).expect("the window is over");
        assert!(breaker.admit(millis(from)).is_none(), "while it is in flight");
        breaker.record(millis(from + 60), test, verdict.into());
        let passes: Vec<bool> = (0..3).map(|_| breaker.admit(millis(from + 60)).is_some()).collect();
        assert_eq!(passes, [verdict == Verdict::Success; 3]);
    }
    assert_eq!(breaker.look(millis(1_080)), State::Closed);
}

/// `testCircuitClosedAfterSuccess`: a sleep window shorter than the rolling time; the failures must not come back.
#[test]
fn hystrix_forgets_when_it_closes() {
    let mut breaker = unit_test_properties(1, 20);
    (0..4).for_each(|_| assert!(call(&mut breaker, millis(50), Verdict::Failure)));
    assert!(breaker.admit(millis(110)).is_none());
    assert!(took(&mut breaker, millis(170), millis(230), Verdict::Success));
    assert_eq!(breaker.look(millis(400)), State::Closed);
    assert_eq!(
        breaker.health(millis(400)),
        Health { calls: 1, errors: 0 },
        "the test itself, told after the reset"
    );
}

// alibaba/Sentinel, sentinel-core/src/test/java/com/alibaba/csp/sentinel/slots/block/degrade.

struct Entries {
    breaker: Sentinel,
    now: u64,
}

impl Entries {
    fn new(grade: SentinelGrade, interval: u64, time_window: u64, minimum_calls: u32) -> Self {
        let breaker = Sentinel::new(SentinelSettings {
            grade,
            minimum_calls,
            interval: Span::from_millis(interval),
            open_duration: Span::from_secs(time_window),
        });
        Self { breaker, now: 0 }
    }

    fn entry_and_sleep_for(&mut self, took_millis: u64) -> bool {
        let from = millis(self.now);
        let passes = took(&mut self.breaker, from, millis(self.now + took_millis), Verdict::Success);
        self.now += if passes { took_millis } else { 0 };
        passes
    }

    fn entry(&mut self, verdict: Verdict) -> bool {
        call(&mut self.breaker, millis(self.now), verdict)
    }
}

/// `circuitbreaker/ResponseTimeCircuitBreakerTest.java`, `testMaxSlowRatioThreshold`.
#[test]
fn sentinel_reaches_a_slow_ratio_of_one() {
    let grade = SentinelGrade::SlowRatio { limit: Span::from_millis(10), ratio: 1.0 };
    let mut entries = Entries::new(grade, 5_000, 5, 3);
    assert!((0..3).all(|_| entries.entry_and_sleep_for(20)));
    assert!(!entries.entry_and_sleep_for(20));
    entries.now += 1_000;
    assert!(!entries.entry_and_sleep_for(20));
    entries.now += 4_000;
    assert!(entries.entry_and_sleep_for(20));
}

/// `CircuitBreakingIntegrationTest.java`, `testSlowRequestMode`: 0.8 of a 20 s bucket slower than 50 ms, from 10 on.
#[test]
fn sentinel_exceeds_a_slow_ratio() {
    let grade = SentinelGrade::SlowRatio { limit: Span::from_millis(50), ratio: 0.8 };
    let mut entries = Entries::new(grade, 20_000, 5, 10);
    for slow in [7, 3, 6] {
        let took = if slow == 3 { 35 } else { 65 };
        assert!((0..slow).all(|_| entries.entry_and_sleep_for(took)));
    }
    assert_eq!(entries.breaker.state(), State::Open, "13 of 16 are 81%");
    assert!(!entries.entry_and_sleep_for(1));
    entries.now += 1_000;
    assert!(!entries.entry_and_sleep_for(1));
    entries.now += 5_000;
    assert!(entries.entry_and_sleep_for(65));
    assert_eq!(entries.breaker.state(), State::Open, "half-open, and open again");
    entries.now += 6_000;
    assert!(entries.entry_and_sleep_for(35));
    assert_eq!(entries.breaker.state(), State::Closed);
    assert!(entries.entry_and_sleep_for(65));
}

/// `testExceptionRatioMode`: 0.5 of a 25 s bucket, from 10 on.
#[test]
fn sentinel_exceeds_an_error_ratio() {
    let mut entries = Entries::new(SentinelGrade::ErrorRatio(0.5), 25_000, 5, 10);
    assert!(
        (0..6).all(|_| entries.entry(Verdict::Failure)) && (0..3).all(|_| entries.entry(Verdict::Success))
    );
    assert!(entries.entry(Verdict::Failure));
    assert_eq!(entries.breaker.state(), State::Open);
    assert!(!entries.entry(Verdict::Success));
    entries.now += 2_000;
    assert!(!entries.entry(Verdict::Success));
    entries.now += 5_000;
    assert!(entries.entry(Verdict::Failure));
    assert_eq!(entries.breaker.state(), State::Open);
    entries.now += 6_000;
    assert!(entries.entry(Verdict::Success));
    assert_eq!(entries.breaker.state(), State::Closed);
    assert!(entries.entry(Verdict::Failure));
}

/// `testMultipleHalfOpenedBreakers`: of two rules on one resource, the one that blocks takes the other's probe back.
#[test]
fn sentinel_takes_back_a_probe_that_another_rule_blocks() {
    let grade = SentinelGrade::SlowRatio { limit: Span::from_millis(50), ratio: 0.8 };
    let mut rules = [2, 4].map(|window| Entries::new(grade, 20_000, window, 1).breaker);
    let mut entry = |from: u64, took: u64| {
        let permits: Vec<Option<Permit>> = rules.iter_mut().map(|rule| rule.admit(millis(from))).collect();
        let passes = permits.iter().all(Option::is_some);
        for (rule, permit) in rules.iter_mut().zip(&permits) {
            let verdict = if passes { Verdict::Success } else { Verdict::Ignored };
            let duration = Span::from_millis(took);
            if let Some(permit) = permit {
                rule.record(millis(from + took), *permit, Outcome { verdict, duration });
            }
        }
        (passes, [rules[0].state(), rules[1].state()])
    };
    assert_eq!(entry(0, 100), (true, [State::Open; 2]));
    for _ in 0..10 {
        assert_eq!(entry(3_100, 100), (false, [State::Open; 2]));
    }
    for n in 0..10 {
        assert_eq!(entry(6_100 + n, 1), (true, [State::Closed; 2]));
    }
}
