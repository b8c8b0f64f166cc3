//! A cap on the retries under way at once.

use super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "retry_budget",
    summary: "retries under way are a share of the requests under way, and a few: Envoy",
    page: include_str!("budget.md"),
};

/// Envoy's retry budget: at most max(⌊percent·(active + pending)⌋, `min_concurrency`) retries at once
/// (`RetryBudget` in `circuit_breaker.proto`, `resource_manager_impl.h`). The attempt that failed is still
/// active while its retry is decided on, after an answer as after a timeout (seen on Envoy 1.40).
///
/// ```
/// use loadpath::policy::retry::RetryBudget;
/// let budget = RetryBudget { percent: 25.0, ..RetryBudget::default() };
/// assert_eq!(budget.max_retries(100), 25);
/// assert!(budget.allows(0, 2), "three are always allowed");
/// assert!(!budget.allows(0, 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    /// Share of the requests outstanding that may be retries, in percent. Default 20.
    pub percent: f64,
    /// So many retries are allowed whatever is outstanding. Default 3.
    pub min_concurrency: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { percent: 20.0, min_concurrency: 3 }
    }
}

impl RetryBudget {
    /// How many retries may be under way when so many requests are active or pending.
    pub fn max_retries(&self, outstanding: u32) -> u32 {
        // `as` saturates; a negative or absurd percentage leaves the minimum.
        ((self.percent / 100.0 * f64::from(outstanding)) as u32).max(self.min_concurrency)
    }

    /// Whether one more retry may start beside `retrying`.
    pub fn allows(&self, outstanding: u32, retrying: u32) -> bool {
        retrying < self.max_retries(outstanding)
    }
}
