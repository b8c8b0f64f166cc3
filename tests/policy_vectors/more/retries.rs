//! Back-off, budgets, throttles.

use loadpath::policy::limit::{CapKind, CapSettings, Caps};
use loadpath::policy::retry::{
    AwsQuota, AwsQuotaSettings, Backoff, FinagleBudget, FinagleBudgetSettings, GrpcThrottle, Jitter,
    RetryBudget,
};

use super::{at, ms};

fn finagle(seconds: u64, per_second: u32, share: f64) -> FinagleBudget {
    let settings = FinagleBudgetSettings {
        ttl: ms(seconds * 1000),
        min_retries_per_sec: per_second,
        percent_can_retry: share,
    };
    FinagleBudget::new(settings, at(0))
}

/// Finagle `RetryBudgetTest.scala`, *apply minRetriesPerSec=0*, *apply with minRetries and maxPercentOver=0*,
/// *apply with minRetries and maxPercentOver*: 10,000 requests with a retry after each, the clock frozen.
#[test]
fn finagle_budget_test() {
    let shares = [0.1, 0.5, 0.25, 0.75, 0.99, 0.999, 0.9999, 0.01, 0.001, 0.0001];
    let cases = shares.map(|share| (60, 0, share));
    for (ttl, per_second, share) in
        cases.into_iter().chain([(1, 10, 0.0), (2, 5, 0.0), (1, 10, 0.1), (2, 5, 0.5)])
    {
        let mut budget = finagle(ttl, per_second, share);
        let reserve = (ttl * u64::from(per_second)).cast_signed();
        assert_eq!(budget.balance(at(0)), reserve, "{share}");
        let mut retried = 0;
        for _ in 0..10_000 {
            budget.deposit(at(0));
            if budget.try_withdraw(at(0)) {
                retried += 1;
            } else {
                assert_eq!(budget.balance(at(0)), 0, "{share}");
            }
        }
        let expected = (10_000.0 * share) as i64 + reserve;
        assert!((expected - retried).abs() <= 1, "{share}: {retried} of {expected}");
    }
}

/// The same file, *apply minRetries=0 maxPercentOver greater than 1.0* and *Empty*.
#[test]
fn finagle_budget_above_one_and_empty() {
    let mut budget = finagle(60, 0, 2.0);
    assert!(!budget.try_withdraw(at(0)));
    (0..10_000).for_each(|_| budget.deposit(at(0)));
    assert_eq!(budget.balance(at(0)), 20_000);
    let mut empty = finagle(10, 0, 0.0);
    empty.deposit(at(0));
    assert!(empty.balance(at(0)) == 0 && !empty.try_withdraw(at(0)));
}

/// Twitter util `TokenBucketTest.scala`, *provisions reserves* and *a leaky bucket is leaky*. Its reserve of 100
/// over 3 s is no whole number a second: 99 here, and its 50 + 50 are 49 + 50.
#[test]
fn twitter_token_bucket_test() {
    let mut bucket = finagle(3, 33, 1.0);
    let mut take = |count, now| (0..count).filter(|_| bucket.try_withdraw(at(now))).count();
    assert_eq!((take(49, 0), take(50, 0), take(1, 0)), (49, 50, 0));
    bucket.deposit(at(0));
    let mut take = |count, now| (0..count).filter(|_| bucket.try_withdraw(at(now))).count();
    assert_eq!(take(2, 0), 1);
    assert_eq!([1_000, 2_000, 3_000].map(|now| take(1, now)), [0, 0, 0]);
    // What was taken at 0 is forgotten, then what was taken at 4 s.
    assert_eq!(take(50, 4_000), 50);
    assert_eq!(take(100, 7_000), 99);
    let mut leaky = finagle(3, 0, 1.0);
    (0..100).for_each(|_| leaky.deposit(at(0)));
    assert!(leaky.try_withdraw(at(0)) && !leaky.try_withdraw(at(3_000)));
}

/// gRPC core `retry_throttle_test.cc`, *Basic*: a failure or a success, whether a retry may follow.
#[test]
fn grpc_retry_throttle_test() {
    const STEPS: &str = "F+ S F+ F- F- F- F- S S F+ F- S F- S F+";
    let mut throttle = GrpcThrottle::new(4, 1.6);
    for (step, what) in STEPS.split(' ').enumerate() {
        match what {
            "S" => throttle.success(),
            _ => assert_eq!(throttle.failure(), what == "F+", "step {step}"),
        }
    }
}

/// The same file, *Replacement*: as full as the one before.
#[test]
fn grpc_retry_throttle_replacement() {
    let mut old = GrpcThrottle::new(4, 1.0);
    assert!(old.failure());
    let mut new = old.replaced(10, 3.0);
    assert_eq!(new.milli_tokens(), 7_500);
    assert_eq!([(); 4].map(|()| new.failure()), [true, true, false, false]);
    new.success();
    assert_eq!([(); 2].map(|()| new.failure()), [true, false]);
}

/// botocore `tests/unit/retries/test_quota.py`, all of it: its amounts are single costs.
#[test]
fn botocore_retry_quota() {
    let quota = |retry_cost| {
        AwsQuota::new(AwsQuotaSettings { capacity: 50, retry_cost, ..AwsQuotaSettings::default() })
    };
    let mut five = quota(5);
    assert_eq!((five.acquire(false), five.available()), (Some(5), 45));
    five.success(Some(5));
    assert_eq!(five.available(), 50);
    five.acquire(false);
    five.success(Some(10));
    assert_eq!(five.available(), 50);
    five.success(Some(10));
    assert_eq!(five.available(), 50);
    let mut nearly_all = quota(49);
    assert_eq!((nearly_all.acquire(false), nearly_all.available()), (Some(49), 1));
    // A timeout costs 10.
    assert_eq!((nearly_all.acquire(true), nearly_all.available()), (None, 1));
}

/// botocore `tests/unit/retries/test_standard.py`, `TestRetryQuotaChecker`, with the costs of its mode 2.1.
#[test]
fn botocore_retry_quota_checker() {
    let costs = AwsQuotaSettings { retry_cost: 14, timeout_cost: 14, ..AwsQuotaSettings::default() };
    let mut quota = AwsQuota::new(costs);
    let cost = quota.acquire(false);
    assert_eq!((cost, quota.available()), (Some(14), 486));
    // A failure gives nothing back, a success without a retry one, a success after one what that took.
    quota.success(None);
    assert_eq!(quota.available(), 487);
    quota.success(cost);
    assert_eq!(quota.available(), 500);
    let mut small = AwsQuota::new(AwsQuotaSettings { capacity: 14, ..costs });
    assert_eq!([(); 2].map(|()| small.acquire(false)), [Some(14), None]);
    // test_dynamodb_base_backoff_and_increased_retries
    let mut quota = AwsQuota::new(costs);
    let left = [(); 3].map(|()| quota.acquire(false).map(|_| quota.available()));
    assert_eq!(left, [Some(486), Some(472), Some(458)]);
}

/// The same file, *`test_range_of_exponential_backoff`*, with a draw of (nearly) one; base 50 ms in mode 2.1.
#[test]
fn botocore_exponential_backoff() {
    let newer = Backoff { base: ms(50), ..Backoff::aws() };
    for (retry, expected) in (1..).zip([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000])
    {
        assert_eq!(newer.bound(retry), ms(expected));
        let most = newer.delay(retry, ms(0), newer.bound(retry).nanos() - 1);
        assert_eq!(most.nanos(), ms(expected).nanos() - 1);
    }
    // Without it `rand(0, 1) * min(2 ** (attempt - 1), 20)` seconds.
    let bounds: Vec<f64> = (1..7).map(|retry| Backoff::aws().bound(retry).seconds()).collect();
    assert_eq!(bounds, [1.0, 2.0, 4.0, 8.0, 16.0, 20.0]);
    assert_eq!(Backoff::aws().jitter, Jitter::Full);
}

/// Envoy `resource_manager_impl_test.cc`, *`RetryBudgetOverrideGauge`* and *`RuntimeResourceManager`*.
#[test]
fn envoy_retry_budget() {
    let budget = RetryBudget { percent: 20.0, min_concurrency: 5 };
    assert_eq!((budget.max_retries(0), budget.allows(0, 4), budget.allows(0, 5)), (5, true, false));
    let none = RetryBudget { percent: 0.0, min_concurrency: 0 };
    assert!(!none.allows(1_000, 0));
}

/// The same file, *`RemainingResourceGauges`*.
#[test]
fn envoy_remaining_resources() {
    let settings =
        CapSettings { max_connections: 1, max_pending_requests: 2, max_requests: 1, max_retries: 0 };
    let mut caps = Caps::new(settings);
    for (kind, begun, remaining) in [
        (CapKind::Connections, 1, [1, 0]),
        (CapKind::Pending, 2, [2, 0]),
        (CapKind::Requests, 1, [1, 0]),
        (CapKind::Retries, 0, [0, 0]),
    ] {
        assert_eq!(caps.remaining(kind), remaining[0], "{kind:?}");
        (0..begun).for_each(|_| assert!(caps.begin(kind)));
        assert_eq!((caps.remaining(kind), caps.begin(kind)), (remaining[1], false), "{kind:?}");
        (0..begun).for_each(|_| caps.end(kind));
        assert_eq!(caps.remaining(kind), remaining[0], "{kind:?}");
    }
}
