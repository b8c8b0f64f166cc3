//! What the graph looks like: loops, circles, too many neighbours, none at all.

mod cyclic_dependency;
mod deep_call_chain;
mod high_fan_in;
mod high_fan_out;
mod orphan_service;
mod request_loop;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &orphan_service::RULE,
    &request_loop::RULE,
    &cyclic_dependency::RULE,
    &high_fan_out::RULE,
    &high_fan_in::RULE,
    &deep_call_chain::RULE,
];
