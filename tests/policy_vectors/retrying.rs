//! Retries: back-off and budgets.

use loadpath::kernel::Span;
use loadpath::policy::retry::{Backoff, Jitter, RetryBudget};
use serde_json::Value;

use super::{Check, numbers, small};

pub const CHECKS: &[(&str, Check)] =
    &[("rt-envoy-backoff", envoy_backoff), ("rt-envoy-retry-budget", envoy_retry_budget)];

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
