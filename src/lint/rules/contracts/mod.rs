//! The user's own rules: layers, and who may depend on whom.

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[];
