//! One folder per family, one file per rule, one page beside it.

mod availability;
mod resilience;
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
    Family { name: "resilience", rules: resilience::RULES },
    Family { name: "availability", rules: availability::RULES },
];

/// The rules on the architecture, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules.iter().copied())
}
