//! What the graph looks like: loops, circles, too many neighbours, none at all, services of the wrong size.

mod chatty_call;
mod cyclic_dependency;
mod deep_call_chain;
mod distributed_monolith;
mod event_cycle;
mod high_fan_in;
mod high_fan_out;
mod hub_service;
mod mega_service;
mod nano_service;
mod orphan_service;
mod request_loop;
mod technology_lock_in;
mod unstable_dependency;
mod unused_endpoint;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &orphan_service::RULE,
    &unused_endpoint::RULE,
    &request_loop::RULE,
    &cyclic_dependency::RULE,
    &event_cycle::RULE,
    &high_fan_out::RULE,
    &high_fan_in::RULE,
    &deep_call_chain::RULE,
    &hub_service::RULE,
    &mega_service::RULE,
    &nano_service::RULE,
    &chatty_call::RULE,
    &unstable_dependency::RULE,
    &distributed_monolith::RULE,
    &technology_lock_in::RULE,
];
