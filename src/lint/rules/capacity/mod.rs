//! Load against what there is to carry it.

mod no_headroom;
mod overload;
mod pool_too_small;
mod retry_storm_capacity;
mod words;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] =
    &[&overload::RULE, &no_headroom::RULE, &pool_too_small::RULE, &retry_storm_capacity::RULE];
