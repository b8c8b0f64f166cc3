//! Queues and topics.

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[];
