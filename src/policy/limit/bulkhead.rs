//! A bound on the calls under way.

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "bulkhead",
    summary: "so many calls at once, the others wait or are refused: resilience4j",
    page: include_str!("bulkhead.md"),
};

/// How many, and how long the others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadSettings {
    /// Calls at once. Default 25.
    pub max_concurrent_calls: u32,
    /// How long a call waits for a permit. Default zero: refused at once.
    pub max_wait: Span,
}

impl Default for BulkheadSettings {
    fn default() -> Self {
        Self { max_concurrent_calls: 25, max_wait: Span::ZERO }
    }
}

/// Permits of one call site.
///
/// ```
/// use loadpath::policy::limit::{Bulkhead, BulkheadSettings};
/// let mut bulkhead = Bulkhead::new(BulkheadSettings { max_concurrent_calls: 1, ..Default::default() });
/// assert!(bulkhead.try_acquire() && !bulkhead.try_acquire());
/// bulkhead.release();
/// assert_eq!(bulkhead.available(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulkhead {
    settings: BulkheadSettings,
    taken: u32,
}

impl Bulkhead {
    /// All permits there.
    pub fn new(settings: BulkheadSettings) -> Self {
        Self { settings, taken: 0 }
    }

    /// Takes a permit, if there is one.
    pub fn try_acquire(&mut self) -> bool {
        let free = self.taken < self.settings.max_concurrent_calls;
        self.taken += u32::from(free);
        free
    }

    /// Until when a call that found no permit may wait for one; it tries again when one comes back.
    /// `None`: refused at once.
    pub fn waits_until(&self, now: Time) -> Option<Time> {
        (!self.settings.max_wait.is_zero()).then(|| now + self.settings.max_wait)
    }

    /// A call is over, however it ended.
    pub fn release(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// Permits left (`availableConcurrentCalls`).
    pub fn available(&self) -> u32 {
        self.settings.max_concurrent_calls.saturating_sub(self.taken)
    }

    /// The settings change while calls are under way: theirs stay valid.
    pub fn change(&mut self, settings: BulkheadSettings) {
        self.settings = settings;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn permits_never_leak(max in 0u32..10, ops in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut bulkhead = Bulkhead::new(BulkheadSettings { max_concurrent_calls: max, ..Default::default() });
            let mut out = 0;
            for acquire in ops {
                if acquire { out += u32::from(bulkhead.try_acquire()); } else if out > 0 { bulkhead.release(); out -= 1; }
                prop_assert_eq!(bulkhead.available() + out, max);
            }
        }
    }
}
