//! Who gets in, and what is said in the open.

mod inline_secret;
mod plaintext_across_boundary;
mod public_without_auth;
mod unstated_auth;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &public_without_auth::RULE,
    &unstated_auth::RULE,
    &plaintext_across_boundary::RULE,
    &inline_secret::RULE,
];
