//! Breakers, back-offs, health checks, registries and messaging against the products' own tests.
//!
//! Each test here takes its settings, its steps and every expected figure from a test of the product, which
//! its comment names: repository, file, test. `tests/policy_vectors` runs a file of the same kind.

#![allow(clippy::expect_used, reason = "a test stops where it cannot go on")]

mod assignors;
mod backoffs;
mod breakers;
mod health_checks;
mod queues;
mod rate_breaker;
mod registry;

use loadpath::kernel::{Span, Time};

fn secs(n: u64) -> Time {
    Time::ZERO + Span::from_secs(n)
}

fn millis(n: u64) -> Time {
    Time::ZERO + Span::from_millis(n)
}
