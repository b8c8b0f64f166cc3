//! One folder per family, one file per rule, one page beside it.

mod availability;
mod capacity;
mod contracts;
mod data;
mod interfaces;
mod messaging;
mod ownership;
mod resilience;
mod route;
mod security;
mod structure;

use super::Rule;

/// Rules about one thing.
pub struct Family {
    /// The folder they are in.
    pub name: &'static str,
    /// The rules, in the order of the catalogue.
    pub rules: &'static [&'static Rule],
}

/// The families, in the order of the catalogue.
pub static FAMILIES: &[Family] = &[
    Family { name: "structure", rules: structure::RULES },
    Family { name: "contracts", rules: contracts::RULES },
    Family { name: "resilience", rules: resilience::RULES },
    Family { name: "availability", rules: availability::RULES },
    Family { name: "capacity", rules: capacity::RULES },
    Family { name: "data", rules: data::RULES },
    Family { name: "interfaces", rules: interfaces::RULES },
    Family { name: "ownership", rules: ownership::RULES },
    Family { name: "security", rules: security::RULES },
    Family { name: "messaging", rules: messaging::RULES },
];

/// The rules on the architecture, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules.iter().copied())
}
