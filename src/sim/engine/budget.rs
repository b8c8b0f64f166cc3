//! What limits the retries of one caller instance to one upstream, beside their number.

use super::super::plan::Budget;
use crate::kernel::Time;
use crate::policy::retry::{AwsQuota, FinagleBudget, GrpcThrottle, RetryBudget};

/// The state of a budget.
pub(super) enum BudgetState {
    Share(RetryBudget),
    Throttle(GrpcThrottle),
    Deposits(FinagleBudget),
    Quota(AwsQuota),
}

impl BudgetState {
    pub(super) fn new(budget: Budget, now: Time) -> Self {
        match budget {
            Budget::Share(budget) => Self::Share(budget),
            Budget::Throttle { max_tokens, token_ratio } => {
                Self::Throttle(GrpcThrottle::new(max_tokens, token_ratio))
            }
            Budget::Deposits(settings) => Self::Deposits(FinagleBudget::new(settings, now)),
            Budget::Quota(settings) => Self::Quota(AwsQuota::new(settings)),
        }
    }

    /// A call begins.
    pub(super) fn begun(&mut self, now: Time) {
        if let Self::Deposits(budget) = self {
            budget.deposit(now);
        }
    }

    /// An attempt failed in a way that is worth another.
    pub(super) fn failed(&mut self) {
        if let Self::Throttle(throttle) = self {
            throttle.failure();
        }
    }

    /// An attempt succeeded; `paid` is what its call's last retry cost.
    pub(super) fn succeeded(&mut self, paid: u32) {
        match self {
            Self::Throttle(throttle) => throttle.success(),
            Self::Quota(quota) => quota.success((paid > 0).then_some(paid)),
            Self::Share(_) | Self::Deposits(_) => {}
        }
    }

    /// Takes a further attempt out: its price, `None` when there is none. So many requests are outstanding,
    /// so many retries wait or are under way.
    pub(super) fn take(
        &mut self,
        now: Time,
        outstanding: u32,
        retrying: u32,
        timed_out: bool,
    ) -> Option<u32> {
        match self {
            Self::Share(budget) => budget.allows(outstanding, retrying).then_some(0),
            Self::Throttle(throttle) => throttle.allows().then_some(0),
            Self::Deposits(budget) => budget.try_withdraw(now).then_some(0),
            Self::Quota(quota) => quota.acquire(timed_out),
        }
    }
}
