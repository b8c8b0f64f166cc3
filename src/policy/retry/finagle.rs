//! Finagle's retry budget: a share of the recent requests, and a few on top.

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "finagle_budget",
    summary: "retries are a share of the requests of the last seconds, plus so many a second",
    page: include_str!("finagle.md"),
};

/// What a request deposits: tokens are small, so that a share of a retry can be earned.
const DEPOSIT: i64 = 1_000;

/// Slices of the window; the newest is still being written.
const SLICES: u64 = 10;

/// Parts of the window that are closed.
const CLOSED: usize = 9;

/// How much may be retried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinagleBudgetSettings {
    /// How long a deposit lasts. 1 s to 60 s. Default 10 s.
    pub ttl: Span,
    /// Retries a second that need no deposit. Default 10.
    pub min_retries_per_sec: u32,
    /// Retries a request earns: 0.2 is one for five. Default 0.2.
    pub percent_can_retry: f64,
}

impl Default for FinagleBudgetSettings {
    fn default() -> Self {
        Self { ttl: Span::from_secs(10), min_retries_per_sec: 10, percent_can_retry: 0.2 }
    }
}

/// Deposits and withdrawals of one client (`RetryBudget`, Finagle 22).
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::retry::{FinagleBudget, FinagleBudgetSettings};
/// let mut budget = FinagleBudget::new(FinagleBudgetSettings { min_retries_per_sec: 0, ..Default::default() }, Time::ZERO);
/// (0..5).for_each(|_| budget.deposit(Time::ZERO));
/// assert!(budget.try_withdraw(Time::ZERO), "five requests earn one retry");
/// assert!(!budget.try_withdraw(Time::ZERO));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FinagleBudget {
    deposit: i64,
    withdrawal: i64,
    reserve: i64,
    slice: Span,
    /// When the slice being written began.
    began: Time,
    writing: i64,
    closed: [i64; CLOSED],
    next: usize,
}

impl FinagleBudget {
    /// Nothing deposited.
    pub fn new(settings: FinagleBudgetSettings, now: Time) -> Self {
        // Without a share, a retry costs one token and only the reserve pays.
        let (deposit, withdrawal) = if settings.percent_can_retry > 0.0 {
            (DEPOSIT, ((DEPOSIT as f64 / settings.percent_can_retry) as i64).max(1))
        } else {
            (0, 1)
        };
        let seconds = (settings.ttl.nanos() / 1_000_000_000).cast_signed();
        let reserve =
            i64::from(settings.min_retries_per_sec).saturating_mul(seconds).saturating_mul(withdrawal);
        let slice = Span::from_nanos((settings.ttl.nanos() / SLICES).max(1));
        Self { deposit, withdrawal, reserve, slice, began: now, writing: 0, closed: [0; CLOSED], next: 0 }
    }

    /// A request (not a retry) was made.
    pub fn deposit(&mut self, now: Time) {
        self.roll(now);
        self.writing = self.writing.saturating_add(self.deposit);
    }

    /// Takes a retry out; `false` when there is none.
    pub fn try_withdraw(&mut self, now: Time) -> bool {
        let enough = self.tokens(now) >= self.withdrawal;
        if enough {
            self.writing -= self.withdrawal;
        }
        enough
    }

    /// Retries that could be made now.
    pub fn balance(&mut self, now: Time) -> i64 {
        self.tokens(now) / self.withdrawal
    }

    fn tokens(&mut self, now: Time) -> i64 {
        self.roll(now);
        self.closed
            .iter()
            .fold(self.writing, |sum, slice| sum.saturating_add(*slice))
            .saturating_add(self.reserve)
    }

    /// Closes the slice when its time is over, and empties those that nobody wrote.
    fn roll(&mut self, now: Time) {
        let age = now.since(self.began);
        if age < self.slice {
            return;
        }
        let passed = (age.nanos() / self.slice.nanos()).min(CLOSED as u64 + 1);
        let mut value = std::mem::take(&mut self.writing);
        for _ in 0..passed {
            if let Some(slot) = self.closed.get_mut(self.next) {
                *slot = std::mem::take(&mut value);
            }
            self.next = (self.next + 1) % CLOSED;
        }
        // The new slice begins now, not where the old one ended: as the original has it.
        self.began = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_never_overdrawn(ops in prop::collection::vec((0u64..400, any::<bool>()), 1..400), per_second in 0u32..3) {
            let settings = FinagleBudgetSettings { min_retries_per_sec: per_second, ..Default::default() };
            let mut budget = FinagleBudget::new(settings, Time::ZERO);
            let (mut now, mut requests, mut retries) = (Time::ZERO, 0u64, 0u64);
            for (wait, retry) in ops {
                now = now + Span::from_millis(wait);
                if retry { retries += u64::from(budget.try_withdraw(now)); } else { budget.deposit(now); requests += 1; }
                prop_assert!(budget.balance(now) >= 0 || !budget.try_withdraw(now));
                // A debit expires too, so the reserve comes back as the slices pass.
                let reserve = f64::from(per_second) * (now.seconds() + 20.0);
                prop_assert!(retries as f64 <= requests as f64 * 0.2 + reserve + 1.0);
            }
        }
    }

    #[test]
    fn the_reserve_is_per_second() {
        let mut budget = FinagleBudget::new(FinagleBudgetSettings::default(), Time::ZERO);
        assert_eq!(budget.balance(Time::ZERO), 100);
        assert_eq!((0..200).filter(|_| budget.try_withdraw(Time::ZERO)).count(), 100);
        assert_eq!(budget.balance(Time::ZERO + Span::from_secs(10)), 100);
    }

    #[test]
    fn deposits_expire() {
        let mut budget = FinagleBudget::new(
            FinagleBudgetSettings { min_retries_per_sec: 0, ..Default::default() },
            Time::ZERO,
        );
        (0..50).for_each(|_| budget.deposit(Time::ZERO));
        assert_eq!(budget.balance(Time::ZERO + Span::from_millis(9_999)), 10);
        assert_eq!(budget.balance(Time::ZERO + Span::from_secs(20)), 0);
    }
}
