//! Datastores: who owns them, who writes them.

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[];
