//! The retry quota of the AWS SDKs.

use super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "aws_quota",
    summary: "500 tokens, a retry takes 5 or 10, success gives back: AWS SDKs",
    page: include_str!("quota.md"),
};

/// What things cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsQuotaSettings {
    /// Tokens at the start, and at most. Default 500.
    pub capacity: u32,
    /// A retry after an error. Default 5.
    pub retry_cost: u32,
    /// A retry after a timeout. Default 10.
    pub timeout_cost: u32,
    /// Given back by a call that succeeds at once. Default 1.
    pub refund: u32,
}

impl Default for AwsQuotaSettings {
    fn default() -> Self {
        Self { capacity: 500, retry_cost: 5, timeout_cost: 10, refund: 1 }
    }
}

/// Tokens of one client, shared by its calls (`standard` retry mode).
///
/// ```
/// use loadpath::policy::retry::{AwsQuota, AwsQuotaSettings};
/// let mut quota = AwsQuota::new(AwsQuotaSettings::default());
/// let cost = quota.acquire(true);
/// assert_eq!((cost, quota.available()), (Some(10), 490));
/// quota.success(cost);
/// assert_eq!(quota.available(), 500);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsQuota {
    settings: AwsQuotaSettings,
    available: u32,
}

impl AwsQuota {
    /// Full.
    pub fn new(settings: AwsQuotaSettings) -> Self {
        Self { settings, available: settings.capacity }
    }

    /// Pays for a retry: what it cost, `None` when there is too little and nothing is retried.
    pub fn acquire(&mut self, after_timeout: bool) -> Option<u32> {
        let cost = if after_timeout { self.settings.timeout_cost } else { self.settings.retry_cost };
        self.available = self.available.checked_sub(cost)?;
        Some(cost)
    }

    /// A call succeeded; `cost` is what its last retry paid, `None` when there was none. Failed calls
    /// give nothing back.
    pub fn success(&mut self, cost: Option<u32>) {
        let back = cost.unwrap_or(self.settings.refund);
        self.available = self.available.saturating_add(back).min(self.settings.capacity);
    }

    /// Tokens left.
    pub fn available(&self) -> u32 {
        self.available
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_retries_in_an_outage() {
        let mut quota = AwsQuota::new(AwsQuotaSettings::default());
        assert_eq!((0..1_000).filter(|_| quota.acquire(false).is_some()).count(), 100);
        quota.success(None);
        assert_eq!(quota.available(), 1);
        assert_eq!(quota.acquire(false), None);
        (0..1_000).for_each(|_| quota.success(Some(10)));
        assert_eq!(quota.available(), 500);
    }
}
