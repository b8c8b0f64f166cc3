//! A token bucket.

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "token_bucket",
    summary: "so many requests per interval, a burst at most: Envoy local rate limit",
    page: include_str!("token_bucket.md"),
};

/// How tokens come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fill {
    /// Evenly: half an interval brings half of `tokens_per_fill`, fractions add up. Envoy since 1.31.
    #[default]
    Continuous,
    /// All of an interval's at its end. Envoy before 1.31, with a timer.
    Interval,
}

/// Size and filling. Envoy has no defaults but `tokens_per_fill` 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucketSettings {
    /// The most it holds; it starts full.
    pub max_tokens: u32,
    /// Added at each fill. Default 1.
    pub tokens_per_fill: u32,
    /// Between fills; at least 50 ms in Envoy. Zero: nothing is ever added.
    pub fill_interval: Span,
    /// How they come. Default [`Fill::Continuous`].
    pub fill: Fill,
}

/// Tokens of one limiter.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::limit::{Fill, TokenBucket, TokenBucketSettings};
/// let fill_interval = Span::from_secs(1);
/// let settings = TokenBucketSettings { max_tokens: 2, tokens_per_fill: 2, fill_interval, fill: Fill::Continuous };
/// let mut bucket = TokenBucket::new(settings, Time::ZERO);
/// assert_eq!((0..3).filter(|_| bucket.try_take(1, Time::ZERO)).count(), 2);
/// assert!(bucket.try_take(1, Time::ZERO + Span::from_millis(500)), "half an interval, one of two");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    settings: TokenBucketSettings,
    /// In parts of a token of which an interval's nanoseconds make one: nothing is lost in a rounding.
    parts: u128,
    filled: Time,
}

impl TokenBucket {
    /// Full.
    pub fn new(settings: TokenBucketSettings, now: Time) -> Self {
        Self { settings, parts: Self::full(settings), filled: now }
    }

    fn full(settings: TokenBucketSettings) -> u128 {
        u128::from(settings.max_tokens) * Self::token(settings)
    }

    fn token(settings: TokenBucketSettings) -> u128 {
        u128::from(settings.fill_interval.nanos().max(1))
    }

    /// Takes that many, or none.
    pub fn try_take(&mut self, count: u32, now: Time) -> bool {
        self.refill(now);
        let cost = u128::from(count) * Self::token(self.settings);
        let left = self.parts.checked_sub(cost);
        self.parts = left.unwrap_or(self.parts);
        left.is_some()
    }

    /// Whole tokens in it.
    pub fn available(&mut self, now: Time) -> u32 {
        self.refill(now);
        // At most `max_tokens`, which is a `u32`.
        (self.parts / Self::token(self.settings)) as u32
    }

    fn refill(&mut self, now: Time) {
        let interval = self.settings.fill_interval.nanos();
        if interval == 0 {
            return;
        }
        let passed = now.since(self.filled).nanos();
        let counted = match self.settings.fill {
            Fill::Continuous => passed,
            Fill::Interval => passed - passed % interval,
        };
        self.filled = self.filled + Span::from_nanos(counted);
        let added = u128::from(counted) * u128::from(self.settings.tokens_per_fill);
        self.parts = (self.parts + added).min(Self::full(self.settings));
    }

    /// When the next token is there, at the earliest; never, where nothing is added.
    pub fn next_fill(&self) -> Time {
        let interval = self.settings.fill_interval;
        let missing = Self::token(self.settings) - self.parts % Self::token(self.settings);
        match (self.settings.fill, u128::from(self.settings.tokens_per_fill)) {
            _ if interval.is_zero() => Time::MAX,
            (_, 0) => Time::MAX,
            (Fill::Interval, _) => self.filled + interval,
            (Fill::Continuous, rate) => self.filled + Span::from_nanos(missing.div_ceil(rate) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_more_than_burst_and_rate(
            max_tokens in 1u32..20,
            tokens_per_fill in 1u32..5,
            continuous in any::<bool>(),
            takes in prop::collection::vec((0u64..400, 1u32..4), 1..200),
        ) {
            let fill_interval = Span::from_millis(100);
            let fill = if continuous { Fill::Continuous } else { Fill::Interval };
            let settings = TokenBucketSettings { max_tokens, tokens_per_fill, fill_interval, fill };
            let mut bucket = TokenBucket::new(settings, Time::ZERO);
            let (mut now, mut taken) = (Time::ZERO, 0u64);
            for (wait, count) in takes {
                now = now + Span::from_millis(wait);
                if bucket.try_take(count, now) { taken += u64::from(count); }
                prop_assert!(bucket.available(now) <= max_tokens);
                let (rate, interval) = (u64::from(tokens_per_fill), fill_interval.nanos());
                let whole = now.nanos() / interval * rate;
                let come = if continuous { now.nanos() * rate / interval } else { whole };
                prop_assert!(taken <= u64::from(max_tokens) + come);
                // One more is there when it says, and not a moment before.
                let before = bucket.available(now);
                let (next, mut probe) = (bucket.next_fill(), bucket);
                prop_assert_eq!(probe.available(Time::from_nanos(next.nanos() - 1)), before);
                prop_assert!(probe.available(next) > before || before == max_tokens);
            }
        }
    }
}
