//! The delays of Polly v8.

use super::PolicyInfo;
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "polly_backoff",
    summary: "constant, linear or exponential; with jitter a decorrelated formula of its own (Polly v8)",
    page: include_str!("polly.md"),
};

/// What .NET counts time in.
const TICK: u64 = 100;

/// Polly's `DelayBackoffType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PollyDelay {
    /// The same before each retry.
    #[default]
    Constant,
    /// n times the base before the nth.
    Linear,
    /// base·2ⁿ⁻¹ before the nth.
    Exponential,
}

/// The delays of one call under Polly's `RetryStrategyOptions`.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::retry::{PollyBackoff, PollyDelay};
/// let mut delays = PollyBackoff { kind: PollyDelay::Linear, ..PollyBackoff::default() };
/// assert_eq!(delays.delay(3, 0.5), Span::from_secs(6), "3 × 2 s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollyBackoff {
    /// How the delays grow. Default constant.
    pub kind: PollyDelay,
    /// The delay before the first retry. Default 2 s.
    pub base: Span,
    /// No delay is longer. Default no limit.
    pub max: Option<Span>,
    /// Whether a draw is laid over it. Default no.
    pub jitter: bool,
    /// How far the curve of the decorrelated delays has come in this call; 0 before its first.
    pub reached: f64,
}

impl Default for PollyBackoff {
    fn default() -> Self {
        Self { kind: PollyDelay::Constant, base: Span::from_secs(2), max: None, jitter: false, reached: 0.0 }
    }
}

impl PollyBackoff {
    /// The delay before the `retry`th retry, from 1; `unit` is uniform in [0, 1). With exponential jitter a call
    /// asks for its retries in their order: each delay goes on where the last one ended.
    pub fn delay(&mut self, retry: u32, unit: f64) -> Span {
        let delay = match self.kind {
            PollyDelay::Exponential if self.jitter => self.decorrelated(retry, unit),
            kind => {
                let delay = match kind {
                    PollyDelay::Constant => self.base,
                    PollyDelay::Linear => self.base.times(u64::from(retry.max(1))),
                    PollyDelay::Exponential => {
                        self.base.scaled(libm::pow(2.0, f64::from(retry.saturating_sub(1))))
                    }
                };
                // A quarter to either side.
                if self.jitter { delay.scaled(0.75 + 0.5 * unit) } else { delay }
            }
        };
        self.max.map_or(delay, |max| delay.min(max))
    }

    /// `DecorrelatedJitterBackoffV2`: the distance between two points of a smooth curve, one drawn within each
    /// attempt. Where the curve leaves the numbers the delay is as long as can be.
    fn decorrelated(&mut self, retry: u32, unit: f64) -> Span {
        if self.base.is_zero() {
            return Span::ZERO;
        }
        let t = f64::from(retry.saturating_sub(1)) + unit;
        let next = libm::pow(2.0, t) * libm::tanh(libm::sqrt(4.0 * t));
        let step = next - self.reached;
        self.reached = next;
        if !next.is_finite() {
            return Span::MAX;
        }
        let ticks = (step / 1.4 * (self.base.nanos() / TICK) as f64) as u64;
        Span::from_nanos(ticks.saturating_mul(TICK))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `DecorrelatedJitterBackoffV2_Meets_Specification` of Polly's `RetryHelperTests`.
        #[test]
        fn a_decorrelated_delay_is_below_four_times_the_bound(
            base in 1u64..3_600_000, retry in 1u32..2048, unit in 0.0f64..1.0,
        ) {
            let base = Span::from_millis(base);
            let mut delays =
                PollyBackoff { kind: PollyDelay::Exponential, base, jitter: true, ..Default::default() };
            let bound = base.scaled(4.0 * libm::pow(2.0, f64::from(retry)));
            prop_assert!(delays.delay(retry, unit) <= bound);
        }
    }
}
