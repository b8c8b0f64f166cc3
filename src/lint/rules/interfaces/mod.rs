//! Endpoints and how they are called.

mod calls_deprecated;
mod hard_coded_address;
mod missing_gateway;
mod protocol_mismatch;
mod unversioned_public_endpoint;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &protocol_mismatch::RULE,
    &calls_deprecated::RULE,
    &unversioned_public_endpoint::RULE,
    &hard_coded_address::RULE,
    &missing_gateway::RULE,
];
