//! Queues and topics.

mod ack_shorter_than_work;

use crate::lint::Rule;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[&ack_shorter_than_work::RULE];
