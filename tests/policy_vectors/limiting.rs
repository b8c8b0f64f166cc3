//! Limits on concurrency.

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[];
