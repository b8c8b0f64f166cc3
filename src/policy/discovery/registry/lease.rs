//! A lease, and what keeps many of them from ending at once.

use super::{Span, Time};

const MINUTE: u64 = 60_000_000_000;

/// How long an instance may be silent.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::discovery::Lease;
/// let secs = |n| Time::ZERO + Span::from_secs(n);
/// let mut lease = Lease::new(Span::from_secs(90), true, Time::ZERO);
/// assert!(!lease.expired(secs(90)) && lease.expired(secs(91)), "never renewed");
/// lease.renew(secs(30));
/// assert!(!lease.expired(secs(210)) && lease.expired(secs(211)), "Eureka: 180 s from a renewal");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    length: Span,
    doubled: bool,
    updated: Time,
}

impl Lease {
    /// From a registration. `doubled`: Eureka's renewals, which count from the end of the new lease.
    pub fn new(length: Span, doubled: bool, now: Time) -> Self {
        Self { length, doubled, updated: now }
    }

    /// A heartbeat.
    pub fn renew(&mut self, now: Time) {
        self.updated = if self.doubled { now + self.length } else { now };
    }

    /// The last instant at which it is good.
    pub fn expires(&self) -> Time {
        self.updated + self.length
    }

    /// Whether it is over.
    pub fn expired(&self, now: Time) -> bool {
        now > self.expires()
    }
}

/// Eureka's protection against a network that lost the heartbeats of many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfPreservation {
    /// Share of the expected renewals that must come, and of the instances that outlive a sweep.
    /// Default 0.85.
    pub renewal_percent: f64,
    /// How often a client is expected to renew. Default 30 s.
    pub renewal_interval: Span,
}

impl Default for SelfPreservation {
    fn default() -> Self {
        Self { renewal_percent: 0.85, renewal_interval: Span::from_secs(30) }
    }
}

impl SelfPreservation {
    /// Renewals a minute that must be *exceeded* for anything to expire: ⌊n · 60/interval · percent⌋.
    pub fn threshold(&self, clients: usize) -> u64 {
        let a_minute = 60.0 / self.renewal_interval.seconds();
        (clients as f64 * a_minute * self.renewal_percent) as u64
    }

    /// How many a single sweep may take of so many.
    pub fn eviction_limit(&self, registered: usize) -> usize {
        registered.saturating_sub((registered as f64 * self.renewal_percent) as usize)
    }
}

/// Counts in whole minutes; what is read is the last full one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Meter {
    minute: u64,
    current: u64,
    last: u64,
}

impl Meter {
    pub fn count(&mut self, now: Time) {
        self.roll(now);
        self.current += 1;
    }

    pub fn last_minute(&mut self, now: Time) -> u64 {
        self.roll(now);
        self.last
    }

    fn roll(&mut self, now: Time) {
        let minute = now.nanos() / MINUTE;
        if minute > self.minute {
            self.last = if minute == self.minute + 1 { self.current } else { 0 };
            self.current = 0;
            self.minute = minute;
        }
    }
}
