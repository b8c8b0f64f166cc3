//! Balancers that hash a key, and those that learn from latency.

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[];
