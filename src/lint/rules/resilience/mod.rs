//! Timeouts, retries, breakers, fallbacks, health checks.

mod breaker_never_opens;
mod missing_health_check;
mod missing_timeout;
mod retry_amplification;
mod timeout_inversion;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &missing_timeout::RULE,
    &timeout_inversion::RULE,
    &retry_amplification::RULE,
    &breaker_never_opens::RULE,
    &missing_health_check::RULE,
];
