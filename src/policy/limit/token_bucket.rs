//! A token bucket.

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "token_bucket",
    summary: "so many requests per interval, a burst at most: Envoy local rate limit",
    page: include_str!("token_bucket.md"),
};

/// Size and filling. Envoy has no defaults but `tokens_per_fill` 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucketSettings {
    /// The most it holds; it starts full.
    pub max_tokens: u32,
    /// Added at each fill. Default 1.
    pub tokens_per_fill: u32,
    /// Between fills; at least 50 ms in Envoy.
    pub fill_interval: Span,
}

/// Tokens of one limiter. Whole fills at whole intervals.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::limit::{TokenBucket, TokenBucketSettings};
/// let second = Span::from_secs(1);
/// let settings = TokenBucketSettings { max_tokens: 2, tokens_per_fill: 1, fill_interval: second };
/// let mut bucket = TokenBucket::new(settings, Time::ZERO);
/// assert_eq!((0..3).filter(|_| bucket.try_take(1, Time::ZERO)).count(), 2);
/// assert!(bucket.try_take(1, Time::ZERO + second));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    settings: TokenBucketSettings,
    tokens: u32,
    filled: Time,
}

impl TokenBucket {
    /// Full.
    pub fn new(settings: TokenBucketSettings, now: Time) -> Self {
        Self { settings, tokens: settings.max_tokens, filled: now }
    }

    /// Takes that many, or none.
    pub fn try_take(&mut self, count: u32, now: Time) -> bool {
        let enough = self.available(now) >= count;
        if enough {
            self.tokens -= count;
        }
        enough
    }

    /// Tokens in it.
    pub fn available(&mut self, now: Time) -> u32 {
        let interval = self.settings.fill_interval;
        let fills = now.since(self.filled).nanos().checked_div(interval.nanos()).unwrap_or(0);
        self.filled = self.filled + interval.times(fills);
        let added = fills.saturating_mul(u64::from(self.settings.tokens_per_fill));
        // At most `max_tokens`, which is a `u32`.
        self.tokens =
            u64::from(self.tokens).saturating_add(added).min(u64::from(self.settings.max_tokens)) as u32;
        self.tokens
    }

    /// When the next fill is due.
    pub fn next_fill(&self) -> Time {
        self.filled + self.settings.fill_interval
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_more_than_burst_and_rate(max in 1u32..20, fill in 1u32..5, takes in prop::collection::vec((0u64..400, 1u32..4), 1..200)) {
            let settings = TokenBucketSettings { max_tokens: max, tokens_per_fill: fill, fill_interval: Span::from_millis(100) };
            let mut bucket = TokenBucket::new(settings, Time::ZERO);
            let (mut now, mut taken) = (Time::ZERO, 0u64);
            for (wait, count) in takes {
                now = now + Span::from_millis(wait);
                if bucket.try_take(count, now) { taken += u64::from(count); }
                prop_assert!(bucket.available(now) <= max);
                let fills = now.nanos() / 100_000_000;
                prop_assert!(taken <= u64::from(max) + fills * u64::from(fill));
            }
        }
    }
}
