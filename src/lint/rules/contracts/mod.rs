//! What the user's own contracts say of who may depend on whom.

mod forbidden_dependency;
mod independence_violation;
mod layer_violation;
mod protected_service;
mod unmatched_pattern;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &forbidden_dependency::RULE,
    &layer_violation::RULE,
    &protected_service::RULE,
    &independence_violation::RULE,
    &unmatched_pattern::RULE,
];
