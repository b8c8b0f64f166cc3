//! Retries: whether a failed attempt is tried again, and how long after.
//!
//! Owns back-off, jitter and the retry budget. Must not know what an attempt is or what it costs.

mod backoff;
mod budget;
mod jitter;

use super::PolicyInfo;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub use jitter::Jitter;

/// All kinds of jitter, the default (Envoy's) first.
pub static JITTERS: &[(PolicyInfo, Jitter)] = jitter::ALL;
