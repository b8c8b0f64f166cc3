//! The delays between attempts: Polly, resilience4j, Envoy, botocore.

use loadpath::kernel::Span;
use loadpath::policy::retry::{Backoff, IntervalFunction, Jitter, PollyBackoff, PollyDelay};

// App-vNext/Polly, test/Polly.Core.Tests/Retry/RetryHelperTests.cs.

fn polly(kind: PollyDelay, jitter: bool, base: Span) -> PollyBackoff {
    PollyBackoff { kind, jitter, base, ..PollyBackoff::default() }
}

/// `Constant_Ok`, `Constant_Jitter_Ok`, `Linear_Ok`, `Linear_Jitter_Ok`, `Exponential_Ok`: type, jitter, attempt (from
/// 0), draw, milliseconds from a base of one second.
#[test]
fn polly_delays() {
    use PollyDelay::{Constant, Exponential, Linear};
    for (kind, jitter, attempt, draw, millis) in [
        (Constant, false, 0, 0.0, 1_000),
        (Constant, false, 1, 0.0, 1_000),
        (Constant, false, 2, 0.0, 1_000),
        (Constant, true, 0, 0.0, 750),
        (Constant, true, 0, 0.4, 950),
        (Constant, true, 1, 0.6, 1_050),
        (Constant, true, 0, 1.0, 1_250),
        (Linear, false, 0, 0.0, 1_000),
        (Linear, false, 1, 0.0, 2_000),
        (Linear, false, 2, 0.0, 3_000),
        (Linear, true, 2, 0.0, 2_250),
        (Linear, true, 2, 0.4, 2_850),
        (Linear, true, 2, 0.5, 3_000),
        (Linear, true, 2, 0.6, 3_150),
        (Linear, true, 2, 1.0, 3_750),
        (Exponential, false, 0, 0.0, 1_000),
        (Exponential, false, 1, 0.0, 2_000),
        (Exponential, false, 2, 0.0, 4_000),
    ] {
        let delay = polly(kind, jitter, Span::from_secs(1)).delay(attempt + 1, draw);
        assert_eq!(delay, Span::from_millis(millis), "{kind:?} {jitter} {attempt} {draw}");
        assert!(polly(kind, jitter, Span::ZERO).delay(attempt + 1, draw).is_zero());
    }
}

/// `MaxDelay_Ok`, `MaxDelay_DelayLessThanMaxDelay_Respected`, `GetRetryDelay_Overflow_ReturnsMaxTimeSpan`,
/// `GetRetryDelay_OverflowWithMaxDelay_ReturnsMaxDelay`.
#[test]
fn polly_cuts_delays() {
    let second = Span::from_secs(1);
    for kind in [PollyDelay::Constant, PollyDelay::Linear, PollyDelay::Exponential] {
        for jitter in [false, true] {
            let mut delays = PollyBackoff { max: Some(second), ..polly(kind, jitter, Span::from_secs(10)) };
            assert_eq!(delays.delay(3, 0.5), second);
        }
    }
    let mut delays =
        PollyBackoff { max: Some(Span::from_secs(2)), ..polly(PollyDelay::Constant, false, second) };
    assert_eq!(delays.delay(3, 0.5), second);
    let day = Span::from_secs(86_400);
    assert_eq!(polly(PollyDelay::Exponential, false, day).delay(1001, 0.5), Span::MAX);
    let two = Span::from_secs(2 * 86_400);
    assert_eq!(
        PollyBackoff { max: Some(two), ..polly(PollyDelay::Exponential, false, day) }.delay(1001, 0.5),
        two
    );
}

/// `ExponentialWithJitter_Ok` compares with Polly.Contrib.WaitAndRetry, which writes the formula out for a whole
/// row of retries; so does this, for the base of 7.8 s that the test has.
#[test]
fn polly_decorrelates() {
    let base = Span::from_millis(7_800);
    for draws in [[0.5; 10], [0.726, 0.817, 0.768, 0.558, 0.206, 0.906, 0.442, 0.977, 0.273, 0.061]] {
        let mut delays = polly(PollyDelay::Exponential, true, base);
        let mut previous = 0.0;
        for (i, draw) in (0u32..).zip(draws) {
            let t = f64::from(i) + draw;
            let next = 2f64.powf(t) * (4.0 * t).sqrt().tanh();
            let ticks = ((next - previous) / 1.4 * 78_000_000.0) as i64;
            previous = next;
            let delay = delays.delay(i + 1, draw);
            let off = (delay.nanos().cast_signed() / 100 - ticks).abs();
            assert!(off <= 1 && !delay.is_zero(), "{i}: {delay:?}");
        }
    }
}

/// `GetRetryDelay_Exponential_Is_Positive_When_No_Maximum_Delay` and `…_Does_Not_Exceed_MaxDelay`: twice for
/// each attempt.
#[test]
fn polly_delays_are_positive_to_the_end_of_numbers() {
    for attempt in [1, 2, 3, 4, 10, 100, 1_000, 1_024, 1_025] {
        let two = Span::from_secs(2);
        let mut free = polly(PollyDelay::Exponential, true, two);
        let mut cut = PollyBackoff { max: Some(Span::from_secs(30)), ..free };
        for draw in [0.726, 0.817] {
            assert!(!free.delay(attempt + 1, draw).is_zero(), "{attempt}");
            let delay = cut.delay(attempt + 1, draw);
            assert!(!delay.is_zero() && delay <= Span::from_secs(30), "{attempt}");
        }
    }
}

// resilience4j/resilience4j, resilience4j-core/src/test/java/io/github/resilience4j/core/IntervalFunctionTest.java.

fn interval(millis: u64, multiplier: f64, randomization: f64, max: Option<u64>) -> IntervalFunction {
    IntervalFunction {
        initial: Span::from_millis(millis),
        multiplier,
        randomization,
        max: max.map(Span::from_millis),
    }
}

/// `generatesRandomizedIntervals`, `generatesExponentialIntervals`, `generatesCappedExponentialIntervals`.
#[test]
fn resilience4j_intervals() {
    let randomized = interval(100, 1.0, 0.5, None);
    for unit in [0.0, 0.25, 0.5, 0.999_999] {
        let delay = randomized.delay(7, unit);
        assert!(Span::from_millis(50) <= delay && delay <= Span::from_millis(150));
    }
    let growing = interval(100, 1.5, 0.0, None);
    assert!((1..49).all(|attempt| growing.delay(attempt, 0.5) < growing.delay(attempt + 1, 0.5)));
    let capped = interval(100, 2.0, 0.0, Some(100_000));
    assert!((1..11).all(|attempt| capped.delay(attempt, 0.5) < capped.delay(attempt + 1, 0.5)));
    assert_eq!([12, 13].map(|attempt| capped.delay(attempt, 0.5)), [Span::from_millis(100_000); 2]);
}

/// `generatesExponentialRandomIntervals` and `generatesCappedExponentialRandomIntervals`: bounds of the draw around an
/// interval that is cut to whole milliseconds at each step.
#[test]
fn resilience4j_random_intervals() {
    for max in [None, Some(100_000)] {
        let function = interval(100, 1.5, 0.5, max);
        let mut expected = 100u64;
        for attempt in 1..50 {
            for unit in [0.0, 0.5, 0.999_999] {
                let millis = function.delay(attempt, unit).nanos() / 1_000_000;
                let low = (expected as f64 * 0.5) as u64 - 1;
                let high = (expected as f64 * 1.5) as u64 + 1;
                assert!((low..=high).contains(&millis) || max == Some(millis), "{attempt}: {millis}");
            }
            expected = (expected as f64 * 1.5) as u64;
        }
    }
}

// envoyproxy/envoy, test/common/common/backoff_strategy_test.cc.

/// `JitteredBackOffBasicFlow`, `…BasicReset`, `…WithMaxInterval`, `…WithMaxIntervalReset`: base, max, the draw, delays.
#[test]
fn envoy_jitters_below_the_bound() {
    for (base, max, draw, delays) in [
        (25, 30, 27, &[2, 27][..]),
        (26, 30, 27, &[1]),
        (5, 100, 9999, &[4, 9, 19, 39, 79, 99, 99]),
        (4, 100, 9999, &[3]),
    ] {
        let backoff =
            Backoff { base: Span::from_nanos(base), max: Span::from_nanos(max), jitter: Jitter::Full };
        for (retry, delay) in (1..).zip(delays) {
            assert_eq!(backoff.delay(retry, Span::ZERO, draw).nanos(), *delay);
        }
    }
}

/// `JitteredBackOffDoesntOverflow`: after a hundred retries the bound is the largest number.
#[test]
fn envoy_does_not_overflow() {
    let backoff = Backoff { base: Span::from_nanos(1), max: Span::MAX, jitter: Jitter::Full };
    assert_eq!(backoff.delay(101, Span::ZERO, u64::MAX - 1).nanos(), u64::MAX - 1);
}

/// `FixedBackOffBasicReset`.
#[test]
fn envoy_waits_a_fixed_time() {
    for millis in [30, 20] {
        let fixed = Span::from_millis(millis);
        let backoff = Backoff { base: fixed, max: fixed, jitter: Jitter::None };
        assert!((1..4).all(|retry| backoff.delay(retry, Span::ZERO, 9999) == fixed));
    }
}

// boto/botocore, tests/unit/retries/test_standard.py.

/// `TestExponentialBackoff.test_range_of_exponential_backoff`: the random number is 1, and the cap is met. Since
/// 2026 the scale is 50 ms; before it was 1 s, with 1, 2, 4, 8, 16, 20.
#[test]
fn botocore_doubles_up_to_twenty_seconds() {
    for (base, seconds) in [
        (50, &[0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20.0, 20.0][..]),
        (1_000, &[1.0, 2.0, 4.0, 8.0, 16.0, 20.0]),
    ] {
        let backoff = Backoff { base: Span::from_millis(base), ..Backoff::aws() };
        for (retry, seconds) in (1..).zip(seconds) {
            // The largest draw: one nanosecond below the doubled base, or the cap.
            let doubled = Span::from_millis(base).times(1 << (retry - 1)).min(Span::from_secs(20));
            let delay = backoff.delay(retry, Span::ZERO, doubled.nanos() - 1);
            assert!((delay.seconds() - seconds).abs() < 1e-8, "{retry}: {delay:?}");
        }
    }
}
