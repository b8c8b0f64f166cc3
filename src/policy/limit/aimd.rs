//! Additive increase, multiplicative decrease.

use super::{Limit, PolicyInfo};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "aimd",
    summary: "one more while it is used, a tenth less on a drop: Netflix",
    page: include_str!("aimd.md"),
};

/// Parameters of Netflix's `AIMDLimit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AimdSettings {
    /// Default 20.
    pub initial: u32,
    /// Default 20.
    pub min: u32,
    /// Default 200.
    pub max: u32,
    /// A drop multiplies by this. 0.5 to 1. Default 0.9.
    pub backoff_ratio: f64,
    /// What takes longer counts as dropped. Default 5 s.
    pub timeout: Span,
}

impl Default for AimdSettings {
    fn default() -> Self {
        Self { initial: 20, min: 20, max: 200, backoff_ratio: 0.9, timeout: Span::from_secs(5) }
    }
}

/// The limit.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::limit::{Aimd, AimdSettings, Limit};
/// let mut limit = Aimd::new(AimdSettings { initial: 30, ..Default::default() });
/// assert_eq!(limit.sample(Span::from_millis(1), 15, false, 0.0), 31);
/// assert_eq!(limit.sample(Span::from_millis(1), 15, true, 0.0), 27);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aimd {
    settings: AimdSettings,
    limit: u32,
}

impl Aimd {
    /// At its initial limit.
    pub fn new(settings: AimdSettings) -> Self {
        Self { settings, limit: settings.initial }
    }
}

impl Limit for Aimd {
    fn sample(&mut self, rtt: Span, in_flight: u32, dropped: bool, _: f64) -> u32 {
        if dropped || rtt > self.settings.timeout {
            self.limit = (f64::from(self.limit) * self.settings.backoff_ratio) as u32;
        } else if in_flight.saturating_mul(2) >= self.limit {
            self.limit = self.limit.saturating_add(1);
        }
        self.limit = self.limit.max(self.settings.min).min(self.settings.max);
        self.limit
    }

    fn limit(&self) -> u32 {
        self.limit
    }
}
