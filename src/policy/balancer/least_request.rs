//! Least request of a few random choices, as Envoy does it.

use super::edf::{Schedule, any_young};
use super::{Balancer, BalancerInfo, Host, Hosts, PolicyInfo, Request, Settings, SlowStart, Stream, Time};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "least_request",
        summary: "the least loaded of a few hosts drawn at random, or a schedule by weight (Envoy)",
        page: include_str!("least_request.md"),
    },
    build: |_, settings| Box::new(LeastRequest::with(settings)),
};

/// With more draws than this for each host, all hosts are looked at once instead: a host is missed with
/// a probability of e^−32.
const DRAWS_PER_HOST: u64 = 32;

/// Power of `choice_count` choices, drawn with replacement; a schedule by weight/(active + 1)^bias where
/// weights differ.
///
/// ```
/// use loadpath::kernel::{Stream, Time};
/// use loadpath::policy::balancer::{Hosts, LeastRequest};
/// let mut hosts = Hosts::new([1, 1]);
/// hosts.begin(0);
/// // Envoy's own test: draws 2 and 3 are hosts 0 and 1, and 1 has fewer requests.
/// let mut draws = [2, 3].into_iter();
/// assert_eq!(LeastRequest::of(2).choose(&hosts, |n| draws.next().unwrap_or(0) % n), Some(1));
/// ```
#[derive(Debug, Clone)]
pub struct LeastRequest {
    choice_count: u32,
    full_scan: bool,
    bias: Option<f64>,
    slow_start: Option<SlowStart>,
    schedule: Schedule,
}

/// What a host weighs: less with every request it has.
fn weight(bias: f64, slow_start: Option<SlowStart>, now: Time) -> impl Fn(&Host) -> f64 {
    move |host| {
        let active = f64::from(host.active) + 1.0;
        let full = slow_start.map_or(1.0, |slow| slow.share(host, now));
        // As Envoy does, so that equal deadlines stay equal: bias 1 divides, others raise.
        let divisor = if bias.to_bits() == 1f64.to_bits() { active } else { libm::pow(active, bias) };
        f64::from(host.weight) / divisor * full
    }
}

impl LeastRequest {
    /// Compares so many draws, at least one.
    pub fn of(choice_count: u32) -> Self {
        Self::with(&Settings { choice_count, ..Settings::default() })
    }

    /// Reads `choice_count`, `full_scan`, `active_request_bias`, `slow_start` and `start`.
    pub fn with(settings: &Settings) -> Self {
        Self {
            choice_count: settings.choice_count.max(1),
            full_scan: settings.full_scan,
            bias: settings.active_request_bias,
            slow_start: settings.slow_start,
            schedule: Schedule::starting_at(settings.start),
        }
    }

    /// The choice among equal weights, with the draws handed in: `draw(n)` is a number below n.
    pub fn choose(&self, hosts: &Hosts, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
        if self.full_scan {
            return scan(hosts, draw);
        }
        let n = hosts.eligible() as u64;
        // So many draws leave nobody out but once in 10^13: as good as a look at each, and no slower.
        if u64::from(self.choice_count) > n.saturating_mul(DRAWS_PER_HOST) {
            return scan(hosts, draw);
        }
        let mut best: Option<(usize, u32)> = None;
        for _ in 0..self.choice_count {
            let index = hosts.nth_eligible(draw(n.max(1)) as usize)?;
            let active = hosts.list().get(index)?.active;
            if best.is_none_or(|(_, least)| active < least) {
                best = Some((index, active));
            }
        }
        best.map(|(index, _)| index)
    }

    /// Builds the schedule anew, as Envoy does at each update of its hosts. A pick does it by itself
    /// after a change of membership.
    pub fn refresh(&mut self, hosts: &Hosts, now: Time) {
        let needed = self.bias.is_some() || any_young(self.slow_start, hosts, now);
        self.schedule.refresh(hosts, needed, weight(self.bias(), self.slow_start, now));
    }

    /// Below zero, or not a number: 1, as in Envoy.
    fn bias(&self) -> f64 {
        self.bias.filter(|bias| *bias >= 0.0).unwrap_or(1.0)
    }
}

/// The least loaded of all; each of several has the same chance.
fn scan(hosts: &Hosts, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
    let mut best: Option<(usize, u32)> = None;
    let mut tied = 0;
    for (index, host) in hosts.list().iter().enumerate().filter(|(_, host)| host.eligible) {
        match best {
            Some((_, least)) if host.active > least => {}
            Some((_, least)) if host.active == least => {
                tied += 1;
                if draw(tied) == 0 {
                    best = Some((index, least));
                }
            }
            _ => {
                tied = 1;
                best = Some((index, host.active));
            }
        }
    }
    best.map(|(index, _)| index)
}

impl Balancer for LeastRequest {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        if self.schedule.is_stale(hosts) {
            self.refresh(hosts, request.now);
        }
        let weight = weight(self.bias(), self.slow_start, request.now);
        self.schedule.pick(hosts, weight).or_else(|| self.choose(hosts, |n| random.below(n)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loaded(weights: &[u32], active: &[u32]) -> Hosts {
        let mut hosts = Hosts::new(weights.iter().copied());
        for (host, count) in active.iter().enumerate() {
            (0..*count).for_each(|_| hosts.begin(host));
        }
        hosts
    }

    /// `least_request_lb_test.cc`, *PNC* and *`FullScan`*.
    #[test]
    fn more_choices_and_a_full_scan_find_the_least() {
        let hosts = loaded(&[1; 4], &[4, 3, 2, 1]);
        let mut draws = [0, 3, 0, 3, 2, 1].into_iter().skip(1);
        assert_eq!(LeastRequest::of(5).choose(&hosts, |n| draws.next().expect("five") % n), Some(3));
        let scan = LeastRequest::with(&Settings { full_scan: true, ..Settings::default() });
        assert_eq!(scan.choose(&hosts, |_| 0), Some(3));
        let hosts = loaded(&[1; 5], &[3, 3, 1, 1, 1]);
        let mut random = Stream::new(1, 0, "test", "scan");
        let mut counts = [0u32; 5];
        for _ in 0..30_000 {
            counts[scan.choose(&hosts, |n| random.below(n)).expect("a host")] += 1;
        }
        assert!(counts[2..].iter().all(|n| (9_700..10_300).contains(n)), "{counts:?}");
    }

    /// The same file, *`EqualWeightsWithActiveRequestBias`* and *`WeightImbalanceWithCustomActiveRequestBias`*.
    #[test]
    fn a_bias_that_is_set_makes_a_schedule_of_equal_weights_too() {
        let mut random = Stream::new(1, 0, "test", "bias");
        let of =
            |bias| LeastRequest::with(&Settings { active_request_bias: Some(bias), ..Settings::default() });
        let (hosts, mut lb) = (loaded(&[1, 1], &[1, 0]), of(1.0));
        let ones = (0..300).filter(|_| lb.pick(&hosts, Request::default(), &mut random) == Some(1)).count();
        assert!((198..=202).contains(&ones), "{ones}");
        let (hosts, mut lb) = (loaded(&[1, 2], &[0, 1]), of(0.0));
        let picks: Vec<_> = (0..6).filter_map(|_| lb.pick(&hosts, Request::default(), &mut random)).collect();
        assert_eq!(picks, [1, 0, 1, 1, 0, 1]);
    }

    /// The same file, *`SlowStartNoWait`*: weights are read when the schedule is built.
    #[test]
    fn a_host_in_slow_start_shares_with_a_busy_one() {
        let mut random = Stream::new(1, 0, "test", "slow");
        let at = |seconds| Time::ZERO + crate::kernel::Span::from_secs(seconds);
        let slow_start = Some(SlowStart::envoy(crate::kernel::Span::from_secs(60)));
        let settings = Settings { slow_start, active_request_bias: Some(1.0), ..Settings::default() };
        let (mut hosts, mut lb) = (Hosts::new([1, 1]), LeastRequest::with(&settings));
        hosts.set_since(0, Some(at(1)));
        hosts.set_since(1, Some(at(62)));
        let mut picks = |lb: &mut LeastRequest, hosts: &Hosts, now, n: usize| -> Vec<usize> {
            let request = Request { now, ..Request::default() };
            (0..n).filter_map(|_| lb.pick(hosts, request, &mut random)).collect()
        };
        lb.refresh(&hosts, at(72));
        hosts.begin(0);
        assert_eq!(picks(&mut lb, &hosts, at(72), 4), [0, 0, 0, 1]);
        lb.refresh(&hosts, at(102));
        assert_eq!(picks(&mut lb, &hosts, at(102), 7), [1, 0, 1, 0, 1, 0, 1]);
    }

    proptest! {
        #[test]
        fn never_an_ineligible_host(
            weights in prop::collection::vec(1u32..4, 1..8),
            steps in prop::collection::vec((0usize..8, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let mut hosts = Hosts::new(weights.iter().copied());
            let mut lb = LeastRequest::of(2);
            let mut random = Stream::new(1, 0, "test", "eligible");
            for (host, eligible, ends) in steps {
                hosts.set_eligible(host, eligible);
                let picked = lb.pick(&hosts, Request::default(), &mut random);
                prop_assert_eq!(picked.is_none(), hosts.eligible() == 0);
                if let Some(host) = picked {
                    prop_assert!(hosts.list()[host].eligible);
                    hosts.begin(host);
                    if ends { hosts.end(host); }
                }
            }
        }
    }
}
