//! Exponential back-off.

use super::jitter::{Jitter, below};
use crate::kernel::Span;

/// How long to wait before a retry. The default is Envoy's: 25 ms doubling up to 250 ms, full jitter.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::retry::{Backoff, Jitter};
/// let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
/// let delays: Vec<_> = (1..=5).map(|retry| backoff.delay(retry, Span::ZERO, 0).millis()).collect();
/// assert_eq!(delays, [25.0, 50.0, 100.0, 200.0, 250.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The bound before the first retry.
    pub base: Span,
    /// No bound is longer.
    pub max: Span,
    /// What is drawn below the bound.
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Span::from_millis(25), max: Span::from_millis(250), jitter: Jitter::Full }
    }
}

impl Backoff {
    /// The AWS SDKs' standard mode: a draw below one second, doubled each time up to 20 s.
    pub fn aws() -> Self {
        Self { base: Span::from_secs(1), max: Span::from_secs(20), jitter: Jitter::Full }
    }

    /// min(base·2ⁿ⁻¹, max) for the nth retry, counted from 1.
    pub fn bound(&self, retry: u32) -> Span {
        self.uncapped(retry).min(self.max)
    }

    fn uncapped(&self, retry: u32) -> Span {
        self.base.times(1u64.checked_shl(retry.saturating_sub(1)).unwrap_or(u64::MAX))
    }

    /// The delay before the nth retry, from 64 random bits; `previous` is the delay before the last
    /// one (zero at the first).
    pub fn delay(&self, retry: u32, previous: Span, draw: u64) -> Span {
        let bound = self.bound(retry);
        match self.jitter {
            Jitter::None => bound,
            Jitter::Full => below(draw, bound),
            Jitter::Equal => {
                let half = bound.scaled(0.5);
                (bound - half) + below(draw, half)
            }
            Jitter::Decorrelated => {
                let top = previous.max(self.base).times(3);
                (self.base + below(draw, top - self.base)).min(self.max)
            }
            Jitter::Proportional => bound.scaled(0.8) + below(draw, bound.scaled(0.4)),
            Jitter::Truncated => below(draw, self.uncapped(retry)).min(self.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_delay_leaves_its_bounds(retry in 1u32..80, draw in any::<u64>(), previous in 0u64..1_000_000_000) {
            for jitter in [
                Jitter::None,
                Jitter::Full,
                Jitter::Equal,
                Jitter::Decorrelated,
                Jitter::Proportional,
                Jitter::Truncated,
            ] {
                let backoff = Backoff { jitter, ..Backoff::default() };
                let delay = backoff.delay(retry, Span::from_nanos(previous), draw);
                let bound = match jitter {
                    Jitter::Decorrelated | Jitter::Truncated => backoff.max,
                    Jitter::Proportional => backoff.bound(retry).scaled(1.2),
                    _ => backoff.bound(retry),
                };
                let least = match jitter {
                    Jitter::None => bound,
                    Jitter::Equal => bound.scaled(0.5),
                    Jitter::Decorrelated => backoff.base,
                    Jitter::Proportional => bound.scaled(0.8 / 1.2),
                    Jitter::Full | Jitter::Truncated => Span::ZERO,
                };
                prop_assert!(least <= delay && delay <= bound, "{jitter:?} {delay}");
            }
        }
    }
}
