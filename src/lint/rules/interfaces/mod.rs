//! Endpoints and how they are called.

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[];
