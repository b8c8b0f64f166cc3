//! Discovery and health checks.

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[];
