//! What is promised against what it stands on.

mod stopped_dependency;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[&stopped_dependency::RULE];
