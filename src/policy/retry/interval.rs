//! The delays of resilience4j.

use super::PolicyInfo;
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "interval_function",
    summary: "an interval that may grow by a factor, with or without a random share (resilience4j)",
    page: include_str!("interval.md"),
};

/// resilience4j's `IntervalFunction`, of a retry or of a breaker's open state. Counts whole milliseconds.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::retry::IntervalFunction;
/// let growing = IntervalFunction { multiplier: 1.5, ..IntervalFunction::default() };
/// assert_eq!(growing.delay(3, 0.5), Span::from_millis(1125), "500 ms · 1.5²");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalFunction {
    /// The first interval. Default 500 ms.
    pub initial: Span,
    /// Each is so many times the one before. Default 1; 1.5 in `ofExponentialBackoff`.
    pub multiplier: f64,
    /// The share, 0 to 1, by which an interval may be shorter or longer. Default 0; 0.5 in `ofRandomized`.
    pub randomization: f64,
    /// No interval is longer, its random share included. Default no limit.
    pub max: Option<Span>,
}

impl Default for IntervalFunction {
    fn default() -> Self {
        Self { initial: Span::from_millis(500), multiplier: 1.0, randomization: 0.0, max: None }
    }
}

impl IntervalFunction {
    /// The interval after the `attempt`th attempt, from 1; `unit` is uniform in [0, 1).
    pub fn delay(&self, attempt: u32, unit: f64) -> Span {
        let mut millis = whole(self.initial.millis());
        for _ in 1..attempt {
            let next = whole(millis * self.multiplier);
            // It has come to rest, at the largest number or at one that the factor does not move.
            if next.to_bits() == millis.to_bits() {
                break;
            }
            millis = next;
        }
        if self.randomization > 0.0 {
            let delta = self.randomization * millis;
            millis = whole(millis - delta + unit * (2.0 * delta));
        }
        let delay = Span::from_nanos_f64(millis * 1e6);
        self.max.map_or(delay, |max| delay.min(max))
    }
}

/// What is left of a number in a `long`.
fn whole(millis: f64) -> f64 {
    (millis as i64) as f64
}
