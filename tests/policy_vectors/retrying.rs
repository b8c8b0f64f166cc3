//! Retries: back-off and budgets.

use loadpath::kernel::{Span, Time};
use loadpath::policy::retry::{
    Backoff, FinagleBudget, FinagleBudgetSettings, GrpcRetry, GrpcRetryPolicy, GrpcThrottle, Jitter,
    Pushback, RetryBudget,
};
use serde_json::Value;

use super::{Check, numbers, small};

/// A whole number of seconds or milliseconds with its unit.
pub fn span(value: &Value) -> Span {
    let text = value.as_str().expect("a text");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').expect("seconds"), 1_000),
    };
    Span::from_millis(unit * number.parse::<u64>().expect("a number"))
}

pub const CHECKS: &[(&str, Check)] = &[
    ("rt-envoy-backoff", envoy_backoff),
    ("rt-envoy-retry-budget", envoy_retry_budget),
    ("rt-grpc-throttling", grpc_throttling),
    ("rt-finagle-budget", finagle_budget),
];

fn grpc_throttling(vector: &Value) {
    let config = &vector["config"];
    let policy = GrpcRetryPolicy {
        max_attempts: config["maxAttempts"].as_u64().expect("a number") as u32,
        initial_backoff: Span::from_millis(10),
        max_backoff: Span::from_millis(10),
        multiplier: 1.0,
    };
    let mut throttle = GrpcThrottle::new(
        config["maxTokens"].as_u64().expect("a number") as u32,
        config["tokenRatio"].as_f64().expect("a number"),
    );
    let good = numbers(&vector["input"]["server_ok_on_call_index"]);
    let failure = &vector["input"]["all_other_calls"];
    let retryable = config["retryable"].as_array().expect("a list").contains(failure);
    let mut served = 0..;
    let results: Vec<Value> = (0..vector["input"]["rpcs"].as_u64().expect("a number"))
        .map(|_| {
            let mut call = GrpcRetry::default();
            loop {
                let index = served.next().expect("endless");
                if good.contains(&index) {
                    throttle.success();
                    return serde_json::json!(["OK", index]);
                }
                if call.failed(&policy, Some(&mut throttle), retryable, Pushback::Silent, 0.5).is_none() {
                    return serde_json::json!([failure, index]);
                }
            }
        })
        .collect();
    assert_eq!(Value::from(results), vector["expected"]["result_and_last_server_call"]);
}

fn finagle_budget(vector: &Value) {
    let config = &vector["config"];
    let settings = FinagleBudgetSettings {
        ttl: span(&config["ttl"]),
        min_retries_per_sec: config["min_retries_per_sec"].as_u64().expect("a number") as u32,
        percent_can_retry: config["percent_can_retry"].as_f64().expect("a number"),
    };
    let mut budget = FinagleBudget::new(settings, Time::ZERO);
    assert_eq!(serde_json::json!(budget.balance(Time::ZERO)), vector["expected"]["balance_at_start"]);
    let mut retries = 0;
    for _ in 0..vector["input"]["requests"].as_u64().expect("a number") {
        budget.deposit(Time::ZERO);
        retries += i64::from(budget.try_withdraw(Time::ZERO));
    }
    let expected = vector["expected"]["retries"].as_str().expect("a text");
    let (middle, slack) = expected.split_once(" +/- ").expect("a tolerance");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    assert!((retries - number(middle)).abs() <= number(slack), "{retries}");
}

fn envoy_backoff(vector: &Value) {
    let cases = vector["config"]["cases"].as_array().expect("a list");
    for (index, case) in cases.iter().enumerate() {
        // Envoy counts milliseconds; the unit of the draw is the unit of the bound.
        let span = |key: &str| Span::from_nanos(case[key].as_u64().expect("a number"));
        let backoff = Backoff { base: span("base"), max: span("max"), jitter: Jitter::Full };
        let delays: Vec<u64> = numbers(&vector["input"]["random"][index])
            .into_iter()
            .zip(1..)
            .map(|(draw, retry)| backoff.delay(retry, Span::ZERO, draw).nanos())
            .collect();
        assert_eq!(serde_json::json!(delays), vector["expected"]["delay_ms"][index]);
    }
}

fn envoy_retry_budget(vector: &Value) {
    let budget = RetryBudget {
        percent: vector["config"]["budget_percent"].as_f64().expect("a number"),
        min_concurrency: vector["config"]["min_retry_concurrency"].as_u64().expect("a number") as u32,
    };
    let allowed: Vec<u32> =
        small(&vector["input"]["active_plus_pending"]).into_iter().map(|n| budget.max_retries(n)).collect();
    assert_eq!(serde_json::json!(allowed), vector["expected"]["max_concurrent_retries"]);
}
