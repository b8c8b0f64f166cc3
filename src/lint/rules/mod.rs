//! One file per rule, one page beside it.

mod cyclic_dependency;
mod high_fan_in;
mod high_fan_out;
mod missing_health_check;
mod missing_timeout;
mod orphan_service;
mod request_loop;
mod retry_amplification;
mod stopped_dependency;
mod timeout_inversion;

use super::Rule;

/// The rules on the architecture, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &orphan_service::RULE,
    &request_loop::RULE,
    &cyclic_dependency::RULE,
    &high_fan_out::RULE,
    &high_fan_in::RULE,
    &missing_timeout::RULE,
    &timeout_inversion::RULE,
    &retry_amplification::RULE,
    &stopped_dependency::RULE,
    &missing_health_check::RULE,
];
