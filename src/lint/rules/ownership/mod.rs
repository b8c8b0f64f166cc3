//! Teams.

mod missing_owner;
mod team_coupling;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[&missing_owner::RULE, &team_coupling::RULE];
