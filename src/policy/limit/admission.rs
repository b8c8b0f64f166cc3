//! Adaptive throttling by the caller: what the callee lately refused is not even sent.

use std::collections::VecDeque;

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "admission_control",
    summary: "refuses the more, the fewer requests lately succeeded: Google SRE, Envoy",
    page: include_str!("admission.md"),
};

/// Requests are counted by the second.
const SLICE: Span = Span::from_secs(1);
/// A probability has four digits.
const DIGITS: u64 = 10_000;

/// `envoy.extensions.filters.http.admission_control.v3.AdmissionControl`, field by field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdmissionSettings {
    /// What is counted, in whole seconds. Default 30 s.
    pub sampling_window: Span,
    /// The success rate, in percent, below which requests are refused. Default 95.
    pub sr_threshold: f64,
    /// 1 refuses in proportion to what is missing, more refuses more; below 1 counts as 1. Default 1.
    pub aggression: f64,
    /// Below so many requests a second, over the whole window, nothing is refused. Default 0.
    pub rps_threshold: u32,
    /// No more is refused, in percent. Default 80.
    pub max_rejection_probability: f64,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            sampling_window: Span::from_secs(30),
            sr_threshold: 95.0,
            aggression: 1.0,
            rps_threshold: 0,
            max_rejection_probability: 80.0,
        }
    }
}

impl AdmissionSettings {
    /// The throttling of the SRE book: (requests − K·accepts) / (requests + 1) over two minutes, without a
    /// cap. Its K is 2.
    pub fn sre(k: f64) -> Self {
        Self {
            sampling_window: Span::from_secs(120),
            sr_threshold: 100.0 / k,
            max_rejection_probability: 100.0,
            ..Self::default()
        }
    }

    /// The probability that the next one is refused, after so many requests of which so many succeeded.
    ///
    /// ```
    /// use loadpath::policy::limit::AdmissionSettings;
    /// let sre = AdmissionSettings::sre(2.0);
    /// assert_eq!(sre.rejection(100, 50), 0.0, "two requests for each that is accepted");
    /// assert!((sre.rejection(99, 25) - 0.49).abs() < 1e-12);
    /// ```
    pub fn rejection(&self, requests: u64, successes: u64) -> f64 {
        let enough = successes as f64 / (self.sr_threshold / 100.0);
        let missing = ((requests as f64 - enough) / (requests as f64 + 1.0)).max(0.0);
        let plain = self.aggression.partial_cmp(&1.0).is_none_or(std::cmp::Ordering::is_le);
        let grown = if plain { missing } else { libm::pow(missing, 1.0 / self.aggression) };
        grown.min(self.max_rejection_probability / 100.0)
    }
}

/// What ended in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    since: Time,
    requests: u64,
    successes: u64,
}

/// The counts of one caller.
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::limit::{Admission, AdmissionSettings};
/// let mut control = Admission::new(AdmissionSettings::default());
/// assert!(control.admits(Time::ZERO, 0), "nothing is known");
/// (0..100).for_each(|_| control.ended(false, Time::ZERO));
/// assert!(!control.admits(Time::ZERO, 7_999) && control.admits(Time::ZERO, 8_000), "at most 80%");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    settings: AdmissionSettings,
    slices: VecDeque<Slice>,
    requests: u64,
    successes: u64,
}

impl Admission {
    /// Nothing counted.
    pub fn new(settings: AdmissionSettings) -> Self {
        let slices = VecDeque::with_capacity((settings.sampling_window.seconds() as usize).clamp(1, 3_600));
        Self { settings, slices, requests: 0, successes: 0 }
    }

    /// Whether a request is sent; `draw` is 64 random bits. One that is not sent is not counted.
    pub fn admits(&mut self, now: Time, draw: u64) -> bool {
        if self.average_rps() < u64::from(self.settings.rps_threshold) {
            return true;
        }
        let (requests, successes) = self.counts(now);
        let refused = self.settings.rejection(requests, successes) * DIGITS as f64;
        refused <= (draw % DIGITS) as f64
    }

    /// A request that was sent ended.
    pub fn ended(&mut self, success: bool, now: Time) {
        self.roll(now);
        if let Some(slice) = self.slices.back_mut() {
            slice.requests += 1;
            slice.successes += u64::from(success);
            self.requests += 1;
            self.successes += u64::from(success);
        }
    }

    /// Requests in the window, and how many of them succeeded.
    pub fn counts(&mut self, now: Time) -> (u64, u64) {
        self.roll(now);
        (self.requests, self.successes)
    }

    /// Whole requests a second over the whole window, as of the last look at it.
    pub fn average_rps(&self) -> u64 {
        self.requests.checked_div(self.settings.sampling_window.nanos() / SLICE.nanos()).unwrap_or(0)
    }

    /// Drops what has left the window. A slice begins with its first use, as in the original.
    fn roll(&mut self, now: Time) {
        let window = self.settings.sampling_window;
        while let Some(oldest) = self.slices.front().copied().filter(|s| now.since(s.since) >= window) {
            self.requests -= oldest.requests;
            self.successes -= oldest.successes;
            self.slices.pop_front();
        }
        if self.slices.back().is_none_or(|newest| now.since(newest.since) >= SLICE) {
            self.slices.push_back(Slice { since: now, requests: 0, successes: 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_counts_are_those_of_the_window(ends in prop::collection::vec((0u64..3_000, any::<bool>()), 1..200)) {
            let mut control = Admission::new(AdmissionSettings { sampling_window: Span::from_secs(5), ..Default::default() });
            let (mut now, mut all) = (Time::ZERO, Vec::new());
            for (wait, success) in ends {
                now = now + Span::from_millis(wait);
                control.ended(success, now);
                all.push((now, success));
                let (requests, successes) = control.counts(now);
                prop_assert!(successes <= requests);
                // A slice leaves as a whole: what ended up to a second after its start goes with it.
                let within = |seconds| all.iter().filter(|(at, _)| now.since(*at) < Span::from_secs(seconds)).count() as u64;
                prop_assert!(within(4) <= requests && requests <= within(5));
                prop_assert!(control.slices.len() <= 6);
            }
        }

        #[test]
        fn fewer_successes_are_never_refused_less(requests in 0u64..1_000, aggression in 0.0f64..5.0) {
            let settings = AdmissionSettings { aggression, ..Default::default() };
            let odds: Vec<f64> = (0..=requests).map(|successes| settings.rejection(requests, successes)).collect();
            prop_assert!(odds.windows(2).all(|pair| pair[0] >= pair[1]));
            prop_assert!(odds.iter().all(|p| (0.0..=0.8).contains(p)));
        }
    }
}
