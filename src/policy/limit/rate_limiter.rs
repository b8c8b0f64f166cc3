//! resilience4j's rate limiter: permits per cycle, taken ahead of time by those who wait.

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "rate_limiter",
    summary: "so many calls per cycle, the others wait for a later one: resilience4j",
    page: include_str!("rate_limiter.md"),
};

/// Cycles and patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimiterSettings {
    /// Permits of a cycle. Default 50.
    pub limit_for_period: u32,
    /// How long a cycle is. Default 500 ns.
    pub limit_refresh_period: Span,
    /// How long a call waits at most. Default 5 s.
    pub timeout: Span,
}

impl Default for RateLimiterSettings {
    fn default() -> Self {
        let (limit_refresh_period, timeout) = (Span::from_nanos(500), Span::from_secs(5));
        Self { limit_for_period: 50, limit_refresh_period, timeout }
    }
}

/// Permits of one call site (`AtomicRateLimiter`).
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::limit::{RateLimiter, RateLimiterSettings};
/// let second = Span::from_secs(1);
/// let settings = RateLimiterSettings { limit_for_period: 1, limit_refresh_period: second, timeout: second };
/// let mut limiter = RateLimiter::new(settings, Time::ZERO);
/// assert_eq!(limiter.reserve(1, Time::ZERO), Some(Span::ZERO));
/// assert_eq!(limiter.reserve(1, Time::ZERO), Some(second), "the permit of the next cycle");
/// assert_eq!(limiter.reserve(1, Time::ZERO), None, "two seconds are too long");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimiter {
    settings: RateLimiterSettings,
    start: Time,
    cycle: u64,
    /// Below zero: permits of later cycles are taken.
    permits: i64,
}

impl RateLimiter {
    /// The first cycle begins.
    pub fn new(settings: RateLimiterSettings, now: Time) -> Self {
        Self { settings, start: now, cycle: 0, permits: i64::from(settings.limit_for_period) }
    }

    /// Reserves permits: how long to wait until they are there; `None`, and nothing reserved, when
    /// that is longer than the timeout.
    pub fn reserve(&mut self, count: u32, now: Time) -> Option<Span> {
        self.permits = self.available(now);
        self.cycle = self.cycle_at(now);
        let wait = self.wait(i64::from(count), now);
        if wait > self.settings.timeout {
            return None;
        }
        self.permits -= i64::from(count);
        Some(wait)
    }

    /// Permits of this cycle that are left; below zero, those owed to later cycles.
    pub fn available(&self, now: Time) -> i64 {
        let limit = i64::from(self.settings.limit_for_period);
        let passed = i64::try_from(self.cycle_at(now).saturating_sub(self.cycle)).unwrap_or(i64::MAX);
        self.permits.saturating_add(passed.saturating_mul(limit)).min(limit)
    }

    fn cycle_at(&self, now: Time) -> u64 {
        now.since(self.start).nanos() / self.period()
    }

    fn period(&self) -> u64 {
        self.settings.limit_refresh_period.nanos().max(1)
    }

    fn wait(&self, count: i64, now: Time) -> Span {
        let missing = count - self.permits;
        if missing <= 0 {
            return Span::ZERO;
        }
        let limit = i64::from(self.settings.limit_for_period.max(1));
        let whole = ((missing - 1) / limit) as u64;
        let period = self.period();
        let next = period - now.since(self.start).nanos() % period;
        Span::from_nanos(period).times(whole) + Span::from_nanos(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cycle_serves_more_than_its_permits(limit in 1u32..6, calls in prop::collection::vec((0u64..60, 1u32..3), 1..200)) {
            let settings = RateLimiterSettings { limit_for_period: limit, limit_refresh_period: Span::from_nanos(100), timeout: Span::from_nanos(500) };
            let mut limiter = RateLimiter::new(settings, Time::ZERO);
            let (mut now, mut served) = (Time::ZERO, 0u64);
            let mut last = 0;
            for (gap, count) in calls {
                now = now + Span::from_nanos(gap);
                if let Some(wait) = limiter.reserve(count, now) {
                    prop_assert!(wait <= settings.timeout);
                    served += u64::from(count);
                    last = last.max((now + wait).nanos() / 100);
                    prop_assert!(served <= (last + 1) * u64::from(limit));
                }
                prop_assert!(limiter.available(now) <= i64::from(limit));
            }
        }
    }
}
