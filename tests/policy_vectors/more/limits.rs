//! Limits: Envoy, Netflix, resilience4j.

use loadpath::kernel::{Span, Time};
use loadpath::policy::limit::{
    Adaptive, AdaptiveSettings, Admission, AdmissionSettings, Aimd, AimdSettings, Bulkhead, BulkheadSettings,
    Fill, Gradient2, Gradient2Settings, Limit, RateLimiter, RateLimiterSettings, TokenBucket,
    TokenBucketSettings, Vegas, VegasSettings,
};

use super::{at, ms};

/// Envoy `local_ratelimit_test.cc`. Steps: `y` a request is let through, `n` it is not, a number waits so many
/// milliseconds, `=n` so many whole tokens are there.
#[track_caller]
fn bucket(max_tokens: u32, tokens_per_fill: u32, interval: u64, steps: &str) {
    let fill = Fill::Continuous;
    let settings = TokenBucketSettings { max_tokens, tokens_per_fill, fill_interval: ms(interval), fill };
    let (mut bucket, mut now) = (TokenBucket::new(settings, at(0)), 0);
    for (index, step) in steps.split(' ').enumerate() {
        match step.strip_prefix('=') {
            Some(tokens) => assert_eq!(bucket.available(at(now)).to_string(), tokens, "step {index}"),
            None if step == "y" || step == "n" => {
                assert_eq!(bucket.try_take(1, at(now)), step == "y", "step {index}");
            }
            None => now += step.parse::<u64>().expect("milliseconds"),
        }
    }
}

#[test]
fn envoy_atomic_token_bucket() {
    // AtomicTokenBucket, …Descriptor
    bucket(1, 1, 200, "y n n 200 y n 200 200 y n");
    bucket(1, 1, 100, "y n 100 y n 100 100 y n");
    // AtomicTokenBucketMultipleTokensPerFill, …Descriptor: half an interval brings half of the tokens
    bucket(2, 2, 200, "y y n 200 y 200 y y n");
    bucket(2, 2, 100, "y y n 100 y 50 y y n");
    // AtomicTokenBucketMaxTokensGreaterThanTokensPerFill
    bucket(2, 1, 200, "y y n 200 y n");
    // AtomicTokenBucketStatus, AtomicTokenBucketDescriptorStatus
    bucket(2, 2, 3_000, "y =1 y 1500 =1 y n =0 3000 =2");
    bucket(2, 2, 3_000, "y =1 500 y =0 1000 y =0 3000 =2");
}

/// *`…DifferentDescriptorDifferentRateLimitsDifferentStep`*: several tokens at once, and none where they lack.
#[test]
fn envoy_atomic_token_bucket_takes_all_or_nothing() {
    let settings = |tokens, seconds| TokenBucketSettings {
        max_tokens: tokens,
        tokens_per_fill: tokens,
        fill_interval: Span::from_secs(seconds),
        fill: Fill::Continuous,
    };
    let (mut slow, mut fast) =
        (TokenBucket::new(settings(5, 2), at(0)), TokenBucket::new(settings(4, 1), at(0)));
    assert!(slow.try_take(2, at(0)) && fast.try_take(3, at(0)));
    assert!(slow.try_take(2, at(0)) && !fast.try_take(3, at(0)));
    assert!(!slow.try_take(2, at(0)));
    assert_eq!((slow.available(at(0)), fast.available(at(0))), (1, 1));
    // 3.5 and 4 of them.
    assert_eq!((slow.available(at(1_000)), fast.available(at(1_000))), (3, 4));
}

/// Envoy `admission_control_filter_test.cc`, *`RejectionProbability`* and *`MaxRejectionProbability`*: of 100
/// requests so many succeeded; the share of draws 0 to 9,999 that is refused, within 0.01.
#[test]
fn envoy_rejection_probability() {
    let check = |aggression, sr_threshold, most, table: &[(u32, f64)]| {
        for (successes, expected) in table {
            let settings = AdmissionSettings {
                sampling_window: Span::from_secs(10),
                aggression,
                sr_threshold,
                max_rejection_probability: most,
                ..AdmissionSettings::default()
            };
            let mut control = Admission::new(settings);
            (0..100).for_each(|request| control.ended(request < *successes, at(0)));
            let refused = (0..10_000).filter(|draw| !control.admits(at(0), *draw)).count();
            let share = refused as f64 / 10_000.0;
            assert!((share - expected).abs() <= 0.01, "{successes} of 100: {share}");
        }
    };
    check(1.0, 100.0, 80.0, &[(100, 0.0), (95, 0.05), (75, 0.25)]);
    check(2.0, 100.0, 80.0, &[(100, 0.0), (95, 0.22), (75, 0.5)]);
    check(1.0, 95.0, 80.0, &[(100, 0.0), (98, 0.0), (95, 0.0), (90, 0.05), (75, 0.20), (50, 0.46)]);
    check(1.0, 100.0, 10.0, &[(100, 0.0), (95, 0.05), (80, 0.1), (0, 0.1)]);
}

/// The same file, *`RpsThreshold`* (10 a second) and *`HttpFailureBehavior`*.
#[test]
fn envoy_rps_threshold() {
    let settings = AdmissionSettings {
        sampling_window: Span::from_secs(10),
        rps_threshold: 10,
        max_rejection_probability: 100.0,
        ..AdmissionSettings::default()
    };
    let mut control = Admission::new(settings);
    (0..10).for_each(|_| control.ended(false, at(0)));
    assert!(control.admits(at(0), 0), "one a second");
    (0..990).for_each(|_| control.ended(false, at(0)));
    assert!(!control.admits(at(0), 0), "a hundred");
}

/// Envoy `controller_test.cc` with its window of 5 s: *`BasicRecord`*, *`RemoveStaleSamples`* and *…2*,
/// *`VerifyMemoryUsage`*, *`AverageRps`*.
#[test]
fn envoy_admission_counts() {
    let new = || {
        let sampling_window = Span::from_secs(5);
        Admission::new(AdmissionSettings { sampling_window, ..AdmissionSettings::default() })
    };
    let mut control = new();
    assert_eq!(control.counts(at(0)), (0, 0));
    control.ended(false, at(0));
    control.ended(true, at(0));
    assert_eq!(control.counts(at(0)), (2, 1));

    let fill = |control: &mut Admission, from: u64, success| {
        (0..=5).for_each(|tick| control.ended(success, at(from + tick * 1_000)));
    };
    let mut control = new();
    fill(&mut control, 0, true);
    assert_eq!(control.counts(at(5_000)), (5, 5));
    fill(&mut control, 6_000, false);
    assert_eq!(control.counts(at(11_000)), (5, 0));
    assert_eq!(control.counts(at(12_000)), (4, 0));
    assert_eq!(control.counts(at(86_412_000)), (0, 0));

    let mut control = new();
    for now in [0, 1_000, 4_000] {
        control.ended(true, at(now));
    }
    assert_eq!(control.counts(at(4_000)), (3, 3));

    let mut control = new();
    assert_eq!(control.average_rps(), 0);
    for success in [true, false] {
        control.ended(success, at(0));
    }
    assert_eq!(control.average_rps(), 0);
    for success in [true, false, true] {
        control.ended(success, at(0));
    }
    assert_eq!(control.average_rps(), 1);
    assert_eq!((control.counts(at(5_000)), control.average_rps()), ((0, 0), 0));
}

/// What the tests of `gradient_controller_test.cc` do: send, answer after so long, let the timers run.
struct Gradient {
    limit: Adaptive,
    now: Time,
}

impl Gradient {
    fn new(settings: AdaptiveSettings) -> Self {
        // "Advance time so that the latency sample calculations don't underflow".
        let now = Time::ZERO + Span::from_secs(42 * 3_600);
        Self {
            limit: Adaptive::new(AdaptiveSettings { jitter: 0.0, ..settings }, now),
            now: now + ms(60_000),
        }
    }

    /// A request that was sent so long ago is answered now.
    fn sample(&mut self, latency: Span) {
        let since = Time::from_nanos(self.now.nanos() - latency.nanos());
        self.limit.ended(since, self.now, 0);
    }

    fn request(&mut self, latency: Span) {
        assert!(self.limit.try_acquire());
        self.sample(latency);
    }

    fn measured(settings: AdaptiveSettings, latency: Span) -> Self {
        let mut gradient = Self::new(settings);
        (0..settings.min_rtt_requests).for_each(|_| gradient.request(latency));
        assert!(!gradient.limit.is_measuring());
        gradient
    }

    /// One window of five requests.
    fn window(&mut self, latency: Span) -> u32 {
        (0..5).for_each(|_| self.request(latency));
        self.pass(ms(101))
    }

    fn pass(&mut self, span: Span) -> u32 {
        self.now = self.now + span;
        self.limit.poll(self.now);
        self.limit.limit()
    }
}

const FIVE: AdaptiveSettings = AdaptiveSettings {
    sample_aggregate_percentile: 50.0,
    max_concurrency_limit: 1_000,
    concurrency_update_interval: ms(100),
    min_rtt_interval: Span::from_secs(30),
    min_rtt_requests: 5,
    jitter: 0.0,
    min_concurrency: 3,
    buffer: 25.0,
};

#[test]
fn envoy_gradient_defaults() {
    // DefaultValuesTest
    let defaults = AdaptiveSettings::default();
    assert_eq!((defaults.max_concurrency_limit, defaults.min_rtt_requests), (1000, 50));
    assert_eq!((defaults.min_concurrency, defaults.sample_aggregate_percentile), (3, 50.0));
    assert_eq!((defaults.jitter, defaults.buffer), (15.0, 25.0));
}

#[test]
fn envoy_gradient_min_rtt() {
    // MinRTTLogicTest
    let mut gradient = Gradient::new(AdaptiveSettings { min_rtt_requests: 50, min_concurrency: 7, ..FIVE });
    assert!(gradient.limit.is_measuring());
    let tries = [(); 9].map(|()| gradient.limit.try_acquire());
    assert_eq!(tries, [true, true, true, true, true, true, true, false, false]);
    (0..7).for_each(|_| gradient.sample(ms(13)));
    for _ in 0..43 {
        assert_eq!(gradient.limit.limit(), 7);
        gradient.request(ms(13));
    }
    assert!(!gradient.limit.is_measuring());
    assert_eq!(gradient.limit.min_rtt().nanos() / 1_000_000, 13);
    // CancelLatencySample: of 1 to 5 ms the median
    let mut gradient = Gradient::new(FIVE);
    (1..=5).for_each(|latency| gradient.request(ms(latency)));
    assert_eq!(gradient.limit.min_rtt().nanos() / 1_000_000, 3);
    // SamplePercentileProcessTest
    let mut gradient = Gradient::new(FIVE);
    assert_eq!([(); 4].map(|()| gradient.limit.try_acquire()), [true, true, true, false]);
    gradient.limit.cancelled();
    assert_eq!([(); 2].map(|()| gradient.limit.try_acquire()), [true, false]);
}

#[test]
fn envoy_gradient_grows_and_shrinks() {
    // MinRTTBufferTest: 6 ms are no more than 5 ms and half of it
    let mut gradient = Gradient::measured(AdaptiveSettings { buffer: 50.0, ..FIVE }, ms(5));
    for _ in 0..10 {
        let last = gradient.limit.limit();
        assert!(gradient.window(ms(6)) > last);
    }
    // ConcurrencyLimitBehaviorTestBasic
    let settings = AdaptiveSettings { buffer: 10.0, min_concurrency: 7, ..FIVE };
    let mut gradient = Gradient::measured(settings, ms(5));
    assert!((7..=14).contains(&gradient.pass(ms(101))));
    for _ in 0..10 {
        let last = gradient.limit.limit();
        let limit = gradient.window(ms(4));
        assert!(last <= limit && f64::from(last) / f64::from(limit) >= 0.5);
    }
    for _ in 0..10 {
        let last = gradient.limit.limit();
        let limit = gradient.window(ms(6));
        assert!(limit < last && limit >= 7);
    }
}

#[test]
fn envoy_gradient_measures_again() {
    // MinRTTReturnToPreviousLimit, MinRTTRescheduleTest, NoSamplesTest
    let mut gradient = Gradient::measured(FIVE, ms(5));
    gradient.pass(ms(1_000));
    for _ in 0..5 {
        let last = gradient.limit.limit();
        assert!(gradient.window(ms(4)) > last);
    }
    let limit = gradient.limit.limit();
    (0..5).for_each(|_| assert_eq!(gradient.pass(ms(101)), limit, "nothing was sampled"));
    assert_eq!(gradient.pass(ms(31_000)), 3);
    assert_eq!(gradient.pass(ms(101)), 3, "no window ends during a measurement");
    gradient.pass(ms(1_000));
    for _ in 0..5 {
        assert_eq!(gradient.limit.limit(), 3);
        gradient.request(ms(13));
    }
    assert_eq!(gradient.limit.limit(), limit);
}

#[test]
fn envoy_gradient_epochs() {
    // MinRTTEpoch: what was sent before a measurement does not count in it
    let settings = AdaptiveSettings { min_rtt_requests: 25, min_concurrency: 2, buffer: 0.0, ..FIVE };
    let mut gradient = Gradient::measured(settings, ms(1_350));
    assert_eq!(gradient.limit.min_rtt().nanos() / 1_000_000, 1_350);
    for _ in 0..29 {
        let last = gradient.limit.limit();
        assert!(gradient.limit.try_acquire());
        gradient.now = gradient.now + ms(1_000);
        gradient.sample(ms(1_350));
        assert!(gradient.pass(ms(0)) > last);
    }
    let active = gradient.limit.limit();
    assert!(active > 25);
    (0..active).for_each(|_| assert!(gradient.limit.try_acquire()));
    assert_eq!(gradient.pass(ms(5_000)), 2);
    (0..active).for_each(|_| gradient.sample(ms(300_000)));
    assert!(gradient.limit.is_measuring());
}

#[test]
fn envoy_gradient_five_windows_at_the_minimum() {
    // ConsecutiveMinConcurrencyReset
    let settings = AdaptiveSettings {
        buffer: 0.0,
        min_concurrency: 7,
        min_rtt_interval: Span::from_secs(3_600),
        ..FIVE
    };
    let mut gradient = Gradient::measured(settings, ms(5));
    (0..5).for_each(|_| _ = gradient.window(ms(10)));
    for _ in 0..10 {
        let last = gradient.limit.limit();
        assert!(gradient.window(ms(10)) >= last);
    }
    assert_eq!(gradient.limit.min_rtt().nanos() / 1_000_000, 10, "measured anew");
}

#[test]
fn envoy_gradient_timers() {
    // TimerAccuracyTest (draw 15,000 of 10% of 100 s) and TimerAccuracyTestNoJitter
    for (interval, jitter, due) in [(100_000, 10.0, 105_000), (45_000, 0.0, 45_000)] {
        let settings = AdaptiveSettings {
            concurrency_update_interval: ms(123),
            min_rtt_interval: ms(interval),
            jitter,
            ..FIVE
        };
        let mut limit = Adaptive::new(settings, at(0));
        assert_eq!(limit.next_event(), Some(at(123)));
        let mut now = 0;
        for _ in 0..5 {
            assert!(limit.try_acquire());
            now += 5;
            limit.ended(at(now - 5), at(now), 15_000);
        }
        assert_eq!(limit.next_event(), Some(at(now + 123)));
        // The windows go on; the next measurement is the first event that lowers the limit.
        limit.poll(at(now + due - 1));
        assert!(!limit.is_measuring());
        limit.poll(at(now + due));
        assert!(limit.is_measuring());
    }
}

/// Netflix `AIMDLimitTest.java`; its version had no lower bound.
#[test]
fn netflix_aimd() {
    let limit = || Aimd::new(AimdSettings { initial: 10, min: 1, ..AimdSettings::default() });
    assert_eq!(limit().limit(), 10);
    assert_eq!(limit().sample(ms(1), 10, false, 0.0), 11);
    assert_eq!(limit().sample(ms(1), 1, true, 0.0), 9);
}

/// Netflix `ExpAvgMeasurementTest.java`, *`testWarmup`*: the long average of gradient2.
#[test]
fn netflix_exponential_average() {
    let mut limit = Gradient2::new(Gradient2Settings { long_window: 100, ..Gradient2Settings::default() });
    for (sample, expected) in (10..20).zip([10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 13.0, 13.5, 14.0, 14.5]) {
        limit.sample(ms(sample), 1, false, 0.0);
        assert!((limit.long_rtt().millis() - expected).abs() < 0.01);
    }
    limit.sample(ms(100), 1, false, 0.0);
    assert!((limit.long_rtt().millis() - 16.2).abs() < 0.1);
}

/// Netflix `VegasLimitTest.java`, *`initialLimit`*; the others are the vector `cl-vegas`.
#[test]
fn netflix_vegas() {
    assert_eq!(Vegas::new(VegasSettings { initial: 10, ..VegasSettings::default() }, 0.5).limit(), 10);
}

/// resilience4j `AtomicRateLimiterTest.java`, with its cycle of 250 ms and one permit.
#[test]
fn resilience4j_rate_limiter() {
    const CYCLE: u64 = 250_000_000;
    let nanos = Time::from_nanos;
    let limiter = |timeout| {
        let limit_refresh_period = Span::from_nanos(CYCLE);
        let timeout = Span::from_nanos(timeout);
        RateLimiter::new(
            RateLimiterSettings { limit_for_period: 1, limit_refresh_period, timeout },
            Time::ZERO,
        )
    };
    // permissionsInFirstCycle
    assert_eq!(limiter(0).available(nanos(CYCLE - 10)), 1);
    // acquireAndRefreshWithEventPublishing, rejectedByTimeoutNonBlocking
    let mut refused = limiter(0);
    for cycle in 1..=2 {
        let now = nanos(CYCLE * cycle);
        assert_eq!(refused.reserve(1, now), Some(Span::ZERO));
        assert_eq!(refused.available(now), 0);
        assert_eq!((refused.reserve(1, now), refused.available(now)), (None, 0));
    }
    assert_eq!(refused.available(nanos(CYCLE * 3 - 1)), 0);
    // reserveAndRefresh
    let mut waits = limiter(CYCLE);
    assert_eq!(waits.reserve(1, nanos(CYCLE)), Some(Span::ZERO));
    assert_eq!(waits.reserve(1, nanos(CYCLE)), Some(Span::from_nanos(CYCLE)));
    assert_eq!(waits.available(nanos(CYCLE)), -1);
    assert_eq!(waits.available(nanos(CYCLE * 2 + 10)), 0);
    // reserveFewThenSkipCyclesBeforeRefreshNonBlocking
    assert_eq!(waits.reserve(1, nanos(CYCLE)), None);
    assert_eq!(waits.available(nanos(CYCLE)), -1);
    assert_eq!(waits.available(nanos(CYCLE * 6 + 10)), 1);
    // reserveManyCyclesIfWegithgreaterThenLimitPerPeriod
    let wait = limiter(CYCLE * 5).reserve(3, nanos(CYCLE));
    assert_eq!(wait, Some(Span::from_nanos(CYCLE * 2)));
}

/// The same file, *`reservePermissionsUpfront`*.
#[test]
fn resilience4j_rate_limiter_upfront() {
    let settings = RateLimiterSettings { limit_for_period: 3, limit_refresh_period: ms(10), timeout: ms(12) };
    let (mut limiter, cycle) = (RateLimiter::new(settings, at(0)), ms(10).nanos());
    let waits: Vec<Option<u64>> =
        (1..=9).map(|i| limiter.reserve(1, Time::from_nanos(cycle + i)).map(Span::nanos)).collect();
    let later = [4, 5, 6].map(|less| Some(cycle - less));
    let expected: Vec<Option<u64>> = [Some(0); 3].into_iter().chain(later).chain([None; 3]).collect();
    assert_eq!(waits, expected);
}

/// resilience4j `SemaphoreBulkheadTest.java`, *`testBulkhead`*, *`testZeroMaxConcurrentCalls`*,
/// *`changePermissionsCountWhileOneThreadIsRunningWithThisPermission`*.
#[test]
fn resilience4j_bulkhead() {
    let settings = |max| BulkheadSettings { max_concurrent_calls: max, max_wait: Span::ZERO };
    let mut bulkhead = Bulkhead::new(settings(2));
    assert_eq!([(); 3].map(|()| bulkhead.try_acquire()), [true, true, false]);
    bulkhead.release();
    assert_eq!(bulkhead.available(), 1);
    bulkhead.release();
    assert_eq!(bulkhead.available(), 2);
    assert!(!Bulkhead::new(settings(0)).try_acquire());

    let mut bulkhead = Bulkhead::new(settings(1));
    assert!(bulkhead.try_acquire() && !bulkhead.try_acquire());
    bulkhead.change(settings(2));
    assert_eq!(bulkhead.available(), 1);
    assert!(bulkhead.try_acquire() && !bulkhead.try_acquire());
    bulkhead.change(settings(1));
    bulkhead.release();
    assert_eq!(bulkhead.available(), 0);
    bulkhead.release();
    assert_eq!(bulkhead.available(), 1);
}
