//! Timeouts, retries, breakers, fallbacks, health checks.

mod missing_health_check;
mod missing_timeout;
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
    &missing_health_check::RULE,
];
