//! Who gets in, and what is said in the open.

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[];
