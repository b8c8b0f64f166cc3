//! Two distinct choices over latency that remembers its peaks: Finagle, Linkerd.

use super::{Balancer, BalancerInfo, Finished, Hosts, PolicyInfo, Request, Span, Stream, Time};

/// Linkerd's `default_rtt`.
pub(super) const DEFAULT_RTT: Span = Span::from_millis(30);
/// Finagle's `decayTime`, Linkerd's `decay`.
pub(super) const DECAY: Span = Span::from_secs(10);

/// Finagle's cost of a host with a request outstanding and no answer yet: 2^47, some 39 hours.
const PENALTY: f64 = (i64::MAX >> 16) as f64;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "peak_ewma",
        summary: "the lesser latency times load of two hosts drawn at random (Finagle, Linkerd)",
        page: include_str!("peak_ewma.md"),
    },
    build: |hosts, settings| Box::new(PeakEwma::new(hosts, settings.default_rtt, settings.decay)),
};

/// What is known of one host's latency.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    nanos: f64,
    at: Time,
}

impl Estimate {
    /// A latency above the estimate replaces it; one below pulls it down, the more the longer ago
    /// the last look at it was.
    fn observe(&mut self, nanos: f64, now: Time, decay: Span) {
        if nanos > self.nanos {
            self.nanos = nanos;
        } else {
            let kept = now.since(self.at).decay(decay);
            self.nanos = self.nanos * kept + nanos * (1.0 - kept);
        }
        self.at = self.at.max(now);
    }
}

/// The estimates of one caller.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::balancer::{Hosts, PeakEwma};
/// let (hosts, ms) = (Hosts::new([1, 1]), Span::from_millis);
/// let mut lb = PeakEwma::new(2, ms(30), Span::from_secs(10));
/// lb.observe(1, ms(200), Time::ZERO); // a peak replaces the default
/// assert_eq!(lb.cost(&hosts, 1, Time::ZERO), 200e6);
/// assert_eq!(lb.choose(&hosts, Time::ZERO, |_| 0), Some(0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PeakEwma {
    estimates: Vec<Estimate>,
    decay: Span,
    penalty: bool,
}

impl PeakEwma {
    /// With the default latency of Linkerd, or, where that is zero, the penalty of Finagle.
    pub fn new(hosts: usize, default_rtt: Span, decay: Span) -> Self {
        let unknown = Estimate { nanos: default_rtt.nanos() as f64, at: Time::ZERO };
        Self { estimates: vec![unknown; hosts], decay, penalty: default_rtt.is_zero() }
    }

    /// A request to this host took so long.
    pub fn observe(&mut self, host: usize, latency: Span, now: Time) {
        if let Some(estimate) = self.estimates.get_mut(host) {
            estimate.observe(latency.nanos() as f64, now, self.decay);
        }
    }

    /// The cost of one more request there, in nanoseconds: estimate · (outstanding + 1). To look is
    /// to let the estimate decay, as in the products; it matters to what counts as a peak.
    pub fn cost(&mut self, hosts: &Hosts, host: usize, now: Time) -> f64 {
        let pending = hosts.list().get(host).map_or(0, |host| host.active);
        let Some(estimate) = self.estimates.get_mut(host) else {
            return 0.0;
        };
        estimate.observe(0.0, now, self.decay);
        if self.penalty && estimate.nanos == 0.0 && pending > 0 {
            return PENALTY + f64::from(pending);
        }
        estimate.nanos * (f64::from(pending) + 1.0)
    }

    /// The choice, with the draws handed in: `draw(n)` is a number below n. Two different hosts are
    /// drawn; of equals the first.
    pub fn choose(&mut self, hosts: &Hosts, now: Time, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
        let n = hosts.eligible() as u64;
        if n < 2 {
            return hosts.nth_eligible(0);
        }
        let first = draw(n);
        let second = draw(n - 1);
        let second = if second >= first { second + 1 } else { second };
        let (a, b) = (hosts.nth_eligible(first as usize)?, hosts.nth_eligible(second as usize)?);
        Some(if self.cost(hosts, a, now) <= self.cost(hosts, b, now) { a } else { b })
    }
}

impl Balancer for PeakEwma {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.choose(hosts, request.now, |n| random.below(n))
    }

    fn finished(&mut self, end: Finished) {
        self.observe(end.host, end.latency, end.now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn the_default_decays_so_that_new_hosts_are_tried() {
        // tower's default_decay: 10 ms with a decay of a second.
        let (hosts, mut lb) = (Hosts::new([1]), PeakEwma::new(1, Span::from_millis(10), Span::from_secs(1)));
        assert!((lb.cost(&hosts, 0, at(0)) - 10e6).abs() < 1e-9);
        assert!((9e6..10e6).contains(&lb.cost(&hosts, 0, at(100))));
        assert!((8e6..9e6).contains(&lb.cost(&hosts, 0, at(200))));
    }

    #[test]
    fn finagle_sends_one_to_a_host_it_does_not_know_and_then_waits() {
        let (mut hosts, mut lb) = (Hosts::new([1, 1]), PeakEwma::new(2, Span::ZERO, DECAY));
        lb.observe(1, Span::from_secs(3600), at(0));
        assert_eq!(lb.choose(&hosts, at(0), |_| 0), Some(0));
        hosts.begin(0);
        assert_eq!(lb.choose(&hosts, at(0), |_| 0), Some(1));
    }

    #[test]
    fn a_tie_goes_to_the_first_drawn_and_the_two_differ() {
        let (hosts, mut lb) = (Hosts::new([1; 3]), PeakEwma::new(3, DEFAULT_RTT, DECAY));
        let mut drawn = |first, second| {
            let mut draws = [first, second].into_iter();
            lb.choose(&hosts, at(0), |_| draws.next().unwrap_or(0))
        };
        assert_eq!([drawn(2, 1), drawn(0, 0), drawn(1, 0)], [Some(2), Some(0), Some(1)]);
    }

    proptest! {
        #[test]
        fn the_estimate_stays_between_zero_and_the_greatest_latency_and_never_misses_a_peak(
            steps in prop::collection::vec((0u64..3000, 0u64..500, any::<bool>()), 1..60),
        ) {
            let (hosts, mut lb) = (Hosts::new([1]), PeakEwma::new(1, DEFAULT_RTT, DECAY));
            let (mut now, mut greatest) = (0, 30);
            for (pause, latency, look) in steps {
                now += pause;
                if look {
                    let before = lb.estimates[0].nanos;
                    prop_assert!(lb.cost(&hosts, 0, at(now)) <= before);
                } else {
                    lb.observe(0, Span::from_millis(latency), at(now));
                    greatest = greatest.max(latency);
                    prop_assert!(lb.estimates[0].nanos >= latency as f64 * 1e6 * (1.0 - 1e-12));
                }
                prop_assert!(lb.estimates[0].nanos <= greatest as f64 * 1e6);
            }
        }
    }
}
