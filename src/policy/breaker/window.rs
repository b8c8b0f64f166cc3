//! What a rate is taken over: the last calls, or the last seconds.

use crate::kernel::{Span, Time};

/// The kind of window, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// So many calls, the latest.
    Calls(u32),
    /// So many seconds, the current one among them: buckets of whole seconds of the clock.
    Seconds(u32),
}

/// Sums over a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that counted.
    pub calls: u32,
    /// Failures among them.
    pub failed: u32,
    /// Slow ones among them, failed or not.
    pub slow: u32,
    /// Those both slow and failed.
    pub slow_failed: u32,
}

impl Tally {
    /// One call.
    pub(super) fn one(failed: bool, slow: bool) -> Self {
        Self { calls: 1, failed: failed.into(), slow: slow.into(), slow_failed: (failed && slow).into() }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            slow: self.slow.saturating_add(other.slow),
            slow_failed: self.slow_failed.saturating_add(other.slow_failed),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            failed: self.failed.saturating_sub(other.failed),
            slow: self.slow.saturating_sub(other.slow),
            slow_failed: self.slow_failed.saturating_sub(other.slow_failed),
        }
    }
}

/// A ring with its sum; nothing is allocated after it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    by_time: bool,
    ring: Vec<Tally>,
    /// Where the next call goes (calls), the bucket of the second `latest` (seconds).
    at: usize,
    latest: u64,
    sum: Tally,
}

impl Window {
    pub(super) fn new(kind: WindowKind) -> Self {
        let (by_time, size) = match kind {
            WindowKind::Calls(size) => (false, size),
            WindowKind::Seconds(size) => (true, size),
        };
        let ring = vec![Tally::default(); size.max(1) as usize];
        Self { by_time, ring, at: 0, latest: 0, sum: Tally::default() }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.ring.fill(Tally::default());
        self.at = 0;
        self.sum = Tally::default();
    }

    pub(super) fn add(&mut self, now: Time, one: Tally) {
        self.advance(now);
        let size = self.ring.len();
        if let Some(slot) = self.ring.get_mut(self.at) {
            if self.by_time {
                *slot = slot.plus(one);
            } else {
                self.sum = self.sum.minus(*slot);
                *slot = one;
                self.at = (self.at + 1) % size;
            }
            self.sum = self.sum.plus(one);
        }
    }

    /// The sums as of now.
    pub(super) fn sum(&mut self, now: Time) -> Tally {
        self.advance(now);
        self.sum
    }

    /// Seconds that went by take their buckets with them.
    fn advance(&mut self, now: Time) {
        let second = now.nanos() / Span::from_secs(1).nanos();
        if !self.by_time || second <= self.latest {
            return;
        }
        let size = self.ring.len();
        let passed = usize::try_from(second - self.latest).unwrap_or(size).min(size);
        self.latest = second;
        for _ in 0..passed {
            self.at = (self.at + 1) % size;
            if let Some(slot) = self.ring.get_mut(self.at) {
                self.sum = self.sum.minus(std::mem::take(slot));
            }
        }
    }
}
