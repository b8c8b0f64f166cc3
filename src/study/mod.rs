//! Many simulations: what theory says beside one, what a change does, how far a system goes, and whether the
//! simulator itself can be trusted.
//!
//! Owns replications, paired comparison, search and judgement over outcomes. Must not know files, arguments or how
//! any of it is printed.

pub mod capacity;
pub mod compare;
pub mod precision;
pub mod scale;
pub mod selftest;
pub mod twin;

#[cfg(test)]
mod tests;
