//! TCP Vegas for requests.

use super::{Limit, PolicyInfo};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "vegas",
    summary: "keeps the queue that the latency tells between two bounds: Netflix",
    page: include_str!("vegas.md"),
};

/// Parameters of Netflix's `VegasLimit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VegasSettings {
    /// Default 20.
    pub initial: u32,
    /// Default 1000.
    pub max: u32,
    /// A shorter queue lets the limit grow. Default (`None`) 3·log10(limit).
    pub alpha: Option<u32>,
    /// A longer one makes it shrink. Default (`None`) 6·log10(limit).
    pub beta: Option<u32>,
    /// How much of the new limit counts. Default 1.
    pub smoothing: f64,
    /// The base latency is measured anew every `probe_multiplier` × limit × U(0.5, 1) samples. Default 30.
    pub probe_multiplier: u32,
}

impl Default for VegasSettings {
    fn default() -> Self {
        Self { initial: 20, max: 1_000, alpha: None, beta: None, smoothing: 1.0, probe_multiplier: 30 }
    }
}

/// The limit.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::limit::{Limit, Vegas, VegasSettings};
/// let mut limit = Vegas::new(VegasSettings { initial: 10, ..Default::default() }, 0.5);
/// assert_eq!(limit.sample(Span::from_millis(10), 10, false, 0.5), 10, "the base latency");
/// assert_eq!(limit.sample(Span::from_millis(10), 10, false, 0.5), 16, "no queue");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vegas {
    settings: VegasSettings,
    estimate: f64,
    base: Option<Span>,
    probes: u64,
    jitter: f64,
}

impl Vegas {
    /// At its initial limit; `unit`, uniform in [0, 1), jitters the first probe.
    pub fn new(settings: VegasSettings, unit: f64) -> Self {
        let estimate = f64::from(settings.initial);
        Self { settings, estimate, base: None, probes: 0, jitter: jitter(unit) }
    }

    /// The latency without a queue, as far as it is known.
    pub fn base(&self) -> Option<Span> {
        self.base
    }

    fn next(&self, queue: f64, dropped: bool) -> f64 {
        let step = log10(self.estimate);
        let alpha = self.settings.alpha.map_or(3.0 * step, f64::from);
        let beta = self.settings.beta.map_or(6.0 * step, f64::from);
        if dropped {
            self.estimate - step
        } else if queue <= step {
            self.estimate + beta
        } else if queue < alpha {
            self.estimate + step
        } else if queue > beta {
            self.estimate - step
        } else {
            self.estimate
        }
    }
}

impl Limit for Vegas {
    fn sample(&mut self, rtt: Span, in_flight: u32, dropped: bool, unit: f64) -> u32 {
        self.probes += 1;
        let probe = self.jitter * f64::from(self.settings.probe_multiplier) * self.estimate;
        let due = probe <= self.probes as f64;
        if due {
            (self.probes, self.jitter) = (0, jitter(unit));
        }
        let base = self.base.filter(|base| !due && rtt >= *base);
        let Some(base) = base else {
            self.base = Some(rtt);
            return self.limit();
        };
        if dropped || f64::from(in_flight) * 2.0 >= self.estimate {
            let share = if rtt.is_zero() { 1.0 } else { base.nanos() as f64 / rtt.nanos() as f64 };
            let next = self.next((self.estimate * (1.0 - share)).ceil(), dropped);
            // Where nothing changes, the original returns before it clamps.
            if next.to_bits() != self.estimate.to_bits() {
                let next = next.min(f64::from(self.settings.max)).max(1.0);
                self.estimate =
                    (1.0 - self.settings.smoothing) * self.estimate + self.settings.smoothing * next;
            }
        }
        self.limit()
    }

    fn limit(&self) -> u32 {
        // `as` saturates.
        self.estimate as u32
    }
}

fn jitter(unit: f64) -> f64 {
    0.5 + 0.5 * unit
}

/// max(1, ⌊log10 n⌋), counted rather than computed: the same everywhere.
fn log10(limit: f64) -> f64 {
    f64::from((limit as u32).checked_ilog10().unwrap_or(0).max(1))
}
