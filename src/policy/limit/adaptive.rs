//! Envoy's adaptive concurrency: the gradient controller.

use super::PolicyInfo;
use super::histogram::Histogram;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "adaptive_concurrency",
    summary: "follows the ratio of the latency when idle to that now: Envoy",
    page: include_str!("adaptive.md"),
};

/// Sample windows at the minimum after which the latency is measured anew.
const STUCK: u32 = 5;

/// `GradientControllerConfig`; the two intervals have no default in Envoy, those of its examples here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveSettings {
    /// Of the latencies of a window, in percent. Default 50.
    pub sample_aggregate_percentile: f64,
    /// Default 1000.
    pub max_concurrency_limit: u32,
    /// Between two limits. Here 100 ms.
    pub concurrency_update_interval: Span,
    /// Between two measurements of the least latency. Here 60 s.
    pub min_rtt_interval: Span,
    /// Requests of a measurement. Default 50.
    pub min_rtt_requests: u32,
    /// Up to this is added to that interval, in percent. Default 15.
    pub jitter: f64,
    /// The limit during a measurement, and the least at all. Default 3.
    pub min_concurrency: u32,
    /// What the least latency may vary, in percent. Default 25.
    pub buffer: f64,
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        Self {
            sample_aggregate_percentile: 50.0,
            max_concurrency_limit: 1_000,
            concurrency_update_interval: Span::from_millis(100),
            min_rtt_interval: Span::from_secs(60),
            min_rtt_requests: 50,
            jitter: 15.0,
            min_concurrency: 3,
            buffer: 25.0,
        }
    }
}

/// The controller. Its timers are the caller's: [`Adaptive::poll`] at [`Adaptive::next_event`].
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::limit::{Adaptive, AdaptiveSettings};
/// let settings = AdaptiveSettings { min_rtt_requests: 1, ..Default::default() };
/// let mut limit = Adaptive::new(settings, Time::ZERO);
/// let later = Time::ZERO + Span::from_millis(5);
/// assert!(limit.try_acquire() && limit.is_measuring());
/// limit.ended(Time::ZERO, later, 0);
/// assert!(!limit.is_measuring());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptive {
    settings: AdaptiveSettings,
    limit: u32,
    /// The limit to return to after a measurement.
    deferred: Option<u32>,
    outstanding: u32,
    samples: Histogram,
    min_rtt: Span,
    measuring_since: Time,
    stuck: u32,
    next_sample: Option<Time>,
    next_measurement: Option<Time>,
}

impl Adaptive {
    /// Begins with a measurement.
    pub fn new(settings: AdaptiveSettings, now: Time) -> Self {
        let mut controller = Self {
            settings,
            limit: settings.min_concurrency,
            deferred: None,
            outstanding: 0,
            samples: Histogram::new(),
            min_rtt: Span::ZERO,
            measuring_since: now,
            stuck: 0,
            next_sample: Some(now + settings.concurrency_update_interval),
            next_measurement: None,
        };
        controller.measure(now);
        controller
    }

    /// How many may be under way.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How many are.
    pub fn outstanding(&self) -> u32 {
        self.outstanding
    }

    /// The least latency, as measured last.
    pub fn min_rtt(&self) -> Span {
        self.min_rtt
    }

    /// Whether the least latency is being measured.
    pub fn is_measuring(&self) -> bool {
        self.deferred.is_some()
    }

    /// When a timer is due.
    pub fn next_event(&self) -> Option<Time> {
        [self.next_sample, self.next_measurement].into_iter().flatten().min()
    }

    /// Lets a request through, or not.
    pub fn try_acquire(&mut self) -> bool {
        let free = self.outstanding < self.limit;
        self.outstanding += u32::from(free);
        free
    }

    /// A request ended without a latency that counts.
    pub fn cancelled(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
    }

    /// A request that began at `since` was answered; `draw` jitters the next measurement.
    pub fn ended(&mut self, since: Time, now: Time, draw: u64) {
        self.cancelled();
        if since < self.measuring_since {
            return;
        }
        self.samples.insert(now.since(since).nanos() / 1_000);
        if self.is_measuring() && self.samples.len() >= u64::from(self.settings.min_rtt_requests) {
            self.min_rtt = self.aggregate();
            let limit = self.deferred.unwrap_or(self.limit);
            self.set(limit, now);
            self.deferred = None;
            let interval = self.settings.min_rtt_interval;
            let millis = interval.nanos() / 1_000_000;
            let range = (millis as f64 * self.settings.jitter / 100.0).ceil() as u64;
            let jitter = Span::from_millis(draw.checked_rem(range).unwrap_or(0));
            self.next_measurement = Some(now + interval + jitter);
            self.next_sample = Some(now + self.settings.concurrency_update_interval);
        }
    }

    /// What the timers do that are due.
    pub fn poll(&mut self, now: Time) {
        if self.next_sample.is_some_and(|due| due <= now) {
            // A measurement stops the samples, and starts them again at its end.
            self.next_sample =
                (!self.is_measuring()).then(|| now + self.settings.concurrency_update_interval);
            if !self.is_measuring() && self.samples.len() > 0 {
                let rtt = self.aggregate();
                let limit = self.next_limit(rtt);
                self.set(limit, now);
            }
        }
        if self.next_measurement.is_some_and(|due| due <= now) {
            self.next_measurement = None;
            self.measure(now);
        }
    }

    fn measure(&mut self, now: Time) {
        if !self.is_measuring() {
            self.deferred = Some(self.limit);
            self.set(self.settings.min_concurrency, now);
            self.samples.clear();
            self.measuring_since = now;
        }
    }

    /// The percentile of the window, in whole microseconds; the window is empty after it.
    fn aggregate(&mut self) -> Span {
        let micros = self.samples.quantile(self.settings.sample_aggregate_percentile / 100.0);
        self.samples.clear();
        Span::from_micros(micros as u64)
    }

    fn next_limit(&self, rtt: Span) -> u32 {
        let micros = |span: Span| (span.nanos() / 1_000) as f64;
        let least = micros(self.min_rtt);
        let allowed = least + least * (self.settings.buffer / 100.0);
        let gradient = (allowed / micros(rtt).max(1.0)).clamp(0.5, 2.0);
        let limit = f64::from(self.limit) * gradient;
        // `as` saturates.
        let limit = (limit + limit.sqrt()) as u32;
        limit.min(self.settings.max_concurrency_limit).max(self.settings.min_concurrency)
    }

    fn set(&mut self, limit: u32, now: Time) {
        let least = self.settings.min_concurrency;
        let stuck = !self.is_measuring() && self.limit == least && limit == least;
        self.stuck = if stuck { self.stuck + 1 } else { 0 };
        self.limit = limit;
        if self.stuck >= STUCK {
            self.next_measurement = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_limit_is_kept_and_no_permit_leaks(ops in prop::collection::vec((0u64..60, 0u8..4, any::<u64>()), 1..600)) {
            let settings = AdaptiveSettings { min_rtt_requests: 3, min_rtt_interval: Span::from_secs(2), max_concurrency_limit: 40, ..Default::default() };
            let mut limit = Adaptive::new(settings, Time::ZERO);
            let (mut now, mut open) = (Time::ZERO, Vec::new());
            for (wait, op, draw) in ops {
                now = now + Span::from_millis(wait);
                limit.poll(now);
                if op > 1 {
                    let free = open.len() < limit.limit() as usize;
                    prop_assert_eq!(limit.try_acquire(), free);
                    if free { open.push(now); }
                } else if !open.is_empty() {
                    limit.ended(open.remove(0), now, draw);
                }
                prop_assert_eq!(limit.outstanding() as usize, open.len());
                prop_assert!((3..=40).contains(&limit.limit()));
            }
        }
    }
}
