//! Every rule against its own page, and the guards of the rules on the architecture, a file per family.
//!
//! What the guards expect follows from the definitions on the pages and from arithmetic.

#![expect(clippy::unwrap_used, reason = "a page that cannot be taken apart has failed")]

mod availability;
mod capacity;
mod contracts;
mod data;
mod durations;
mod fields;
mod interfaces;
mod messaging;
mod ownership;
mod pages;
mod resilience;
mod retries;
mod security;
mod structure;
mod support;
