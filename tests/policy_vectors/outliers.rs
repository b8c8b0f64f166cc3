//! Outlier detection.

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[];
