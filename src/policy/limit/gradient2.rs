//! Netflix's second gradient limit.

use super::{Limit, PolicyInfo};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "gradient2",
    summary: "shrinks as latency leaves its long average: Netflix",
    page: include_str!("gradient2.md"),
};

/// Samples of which the plain mean is taken at first.
const WARM_UP: u32 = 10;

/// Parameters of Netflix's `Gradient2Limit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gradient2Settings {
    /// Default 20.
    pub initial: u32,
    /// Default 20.
    pub min: u32,
    /// Default 200.
    pub max: u32,
    /// Added each time. Default 4.
    pub queue_size: u32,
    /// How much of the new limit counts. Default 0.2.
    pub smoothing: f64,
    /// Latencies up to so many times the average are no queue. Default 1.5.
    pub tolerance: f64,
    /// Samples of the long average. Default 600.
    pub long_window: u32,
}

impl Default for Gradient2Settings {
    fn default() -> Self {
        Self {
            initial: 20,
            min: 20,
            max: 200,
            queue_size: 4,
            smoothing: 0.2,
            tolerance: 1.5,
            long_window: 600,
        }
    }
}

/// The limit.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::limit::{Gradient2, Gradient2Settings, Limit};
/// let mut limit = Gradient2::new(Gradient2Settings { initial: 50, ..Default::default() });
/// let steady = Span::from_millis(10);
/// (0..5).for_each(|_| _ = limit.sample(steady, 50, false, 0.0));
/// assert_eq!(limit.limit(), 54, "0.2 × 4 each");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gradient2 {
    settings: Gradient2Settings,
    estimate: f64,
    count: u32,
    sum: f64,
    long: f64,
}

impl Gradient2 {
    /// At its initial limit.
    pub fn new(settings: Gradient2Settings) -> Self {
        Self { settings, estimate: f64::from(settings.initial), count: 0, sum: 0.0, long: 0.0 }
    }

    /// The long average.
    pub fn long_rtt(&self) -> Span {
        Span::from_nanos_f64(self.long)
    }
}

impl Limit for Gradient2 {
    fn sample(&mut self, rtt: Span, in_flight: u32, _: bool, _: f64) -> u32 {
        let short = rtt.nanos().max(1) as f64;
        if self.count < WARM_UP {
            self.count += 1;
            self.sum += short;
            self.long = self.sum / f64::from(self.count);
        } else {
            let factor = 2.0 / (f64::from(self.settings.long_window) + 1.0);
            self.long = self.long * (1.0 - factor) + short * factor;
        }
        let long = self.long;
        if long / short > 2.0 {
            self.long *= 0.95;
        }
        if f64::from(in_flight) >= self.estimate / 2.0 {
            let gradient = (self.settings.tolerance * long / short).clamp(0.5, 1.0);
            let next = self.estimate * gradient + f64::from(self.settings.queue_size);
            let next = self.estimate * (1.0 - self.settings.smoothing) + next * self.settings.smoothing;
            self.estimate = next.min(f64::from(self.settings.max)).max(f64::from(self.settings.min));
        }
        self.limit()
    }

    fn limit(&self) -> u32 {
        // `as` saturates.
        self.estimate as u32
    }
}
