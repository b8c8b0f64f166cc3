//! Timeouts, retries, breakers, fallbacks, health checks.

mod breaker_never_opens;
mod breaker_opens_on_one_request;
mod fallback_shares_fate;
mod missing_circuit_breaker;
mod missing_fallback;
mod missing_health_check;
mod missing_timeout;
mod readiness_checks_dependency;
mod retries_capped_twice;
mod retry_amplification;
mod retry_at_every_layer;
mod retry_never_fits;
mod retry_non_idempotent;
mod retry_without_backoff;
mod retry_without_jitter;
mod timeout_below_latency;
mod timeout_budget_exceeded;
mod timeout_inversion;

use crate::lint::Rule;
use crate::model::words::Switch;
use crate::source::Spanned;
use std::sync::Arc;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &missing_timeout::RULE,
    &timeout_inversion::RULE,
    &timeout_budget_exceeded::RULE,
    &timeout_below_latency::RULE,
    &retry_never_fits::RULE,
    &retry_amplification::RULE,
    &retry_non_idempotent::RULE,
    &retry_without_backoff::RULE,
    &retry_without_jitter::RULE,
    &retry_at_every_layer::RULE,
    &retries_capped_twice::RULE,
    &breaker_never_opens::RULE,
    &missing_circuit_breaker::RULE,
    &missing_health_check::RULE,
    &missing_fallback::RULE,
    &breaker_opens_on_one_request::RULE,
    &fallback_shares_fate::RULE,
    &readiness_checks_dependency::RULE,
];

/// Whether something was said and not switched off.
fn is_on<T>(setting: Option<&Spanned<Arc<Switch<T>>>>) -> bool {
    setting.is_some_and(|s| s.value.on().is_some())
}
