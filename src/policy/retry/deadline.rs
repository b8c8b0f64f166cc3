//! What is left of a deadline.

use crate::kernel::{Span, Time};

/// The instant by which a call, all its attempts and delays included, must be over. It is passed on
/// as it is: whoever is called gets the same instant, not a fresh timeout.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::retry::Deadline;
/// let deadline = Deadline::after(Time::ZERO, Span::from_secs(1));
/// let late = Time::ZERO + Span::from_millis(900);
/// assert_eq!(deadline.attempt(late, Some(Span::from_millis(250))), Some(Span::from_millis(100)));
/// assert!(!deadline.allows(late, Span::from_millis(100)), "no attempt starts at the deadline");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Time);

impl Deadline {
    /// None at all.
    pub const NEVER: Self = Self(Time::MAX);

    /// At this instant.
    pub fn at(time: Time) -> Self {
        Self(time)
    }

    /// So long after `now`.
    pub fn after(now: Time, timeout: Span) -> Self {
        Self(now + timeout)
    }

    /// The instant.
    pub fn time(self) -> Time {
        self.0
    }

    /// The earlier one: what a callee with a timeout of its own has.
    #[must_use]
    pub fn tighten(self, now: Time, timeout: Span) -> Self {
        self.min(Self::after(now, timeout))
    }

    /// What is left.
    pub fn remaining(self, now: Time) -> Span {
        self.0.since(now)
    }

    /// How long an attempt that starts now may take: `per_try` or what is left, if that is less.
    /// `None` from the deadline on: no attempt starts.
    pub fn attempt(self, now: Time, per_try: Option<Span>) -> Option<Span> {
        let left = self.remaining(now);
        (!left.is_zero()).then(|| per_try.map_or(left, |limit| limit.min(left)))
    }

    /// Whether an attempt after this delay would still start before the deadline.
    pub fn allows(self, now: Time, delay: Span) -> bool {
        now + delay < self.0
    }
}
