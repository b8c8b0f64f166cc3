//! Envoy's round robin with weights: earliest deadline first.

use super::edf::{Schedule, any_young};
use super::{
    Balancer, BalancerInfo, Host, Hosts, PolicyInfo, Request, RoundRobin, Settings, SlowStart, Stream, Time,
};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "weighted_edf",
        summary: "turns in proportion to weight, by earliest deadline, with slow start (Envoy)",
        page: include_str!("weighted_edf.md"),
    },
    build: |_, settings| Box::new(WeightedEdf::with(settings)),
};

/// A schedule where weights differ or a host starts slowly; plain round robin where not.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Request, Settings, WeightedEdf};
/// let (hosts, mut random) = (Hosts::new([1, 2]), Stream::new(1, 0, "balancer", "web"));
/// let (mut lb, request) = (WeightedEdf::with(&Settings::default()), Request::default());
/// let picks: Vec<_> = (0..6).filter_map(|_| lb.pick(&hosts, request, &mut random)).collect();
/// assert_eq!(picks, [1, 0, 1, 1, 0, 1]);
/// ```
#[derive(Debug, Clone)]
pub struct WeightedEdf {
    schedule: Schedule,
    turns: RoundRobin,
    slow_start: Option<SlowStart>,
}

fn weight(slow_start: Option<SlowStart>, now: Time) -> impl Fn(&Host) -> f64 {
    move |host| slow_start.map_or(f64::from(host.weight), |slow| slow.weight(host, now))
}

impl WeightedEdf {
    /// Reads `start` and `slow_start`.
    pub fn with(settings: &Settings) -> Self {
        Self {
            schedule: Schedule::starting_at(settings.start),
            turns: RoundRobin::starting_at(settings.start),
            slow_start: settings.slow_start,
        }
    }

    /// Builds the schedule anew, as Envoy does at each update of its hosts. A pick does it by itself
    /// after a change of membership.
    pub fn refresh(&mut self, hosts: &Hosts, now: Time) {
        let young = any_young(self.slow_start, hosts, now);
        self.schedule.refresh(hosts, young, weight(self.slow_start, now));
    }
}

impl Balancer for WeightedEdf {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        if self.schedule.is_stale(hosts) {
            self.refresh(hosts, request.now);
        }
        self.schedule
            .pick(hosts, weight(self.slow_start, request.now))
            .or_else(|| self.turns.pick(hosts, request, random))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(weights: &[u32], start: u64, picks: usize) -> Vec<usize> {
        let hosts = Hosts::new(weights.iter().copied());
        let mut lb = WeightedEdf::with(&Settings { start, ..Settings::default() });
        let mut random = Stream::new(1, 0, "test", "edf");
        (0..picks).filter_map(|_| lb.pick(&hosts, Request::default(), &mut random)).collect()
    }

    /// `round_robin_lb_test.cc`, *`WeightedSeed`* and *`WeightedInitializationPicksAllHosts`*.
    #[test]
    fn the_start_says_how_far_the_schedule_is() {
        assert_eq!(first(&[1, 2], 1, 6), [0, 1, 1, 0, 1, 1]);
        let mut counts = [0; 3];
        (0..10).for_each(|start| counts[first(&[6, 3, 1], start, 1)[0]] += 1);
        assert_eq!(counts, [6, 3, 1]);
    }

    /// The same file, *Weighted*: hosts added and replaced.
    #[test]
    fn a_new_member_begins_a_new_schedule() {
        assert_eq!(first(&[2, 1, 3], 0, 6), [2, 0, 2, 1, 0, 2]);
        assert_eq!(first(&[1, 4], 0, 10), [1, 1, 1, 0, 1, 1, 1, 1, 0, 1]);
        let mut hosts = Hosts::new([1, 2, 5]);
        let mut lb = WeightedEdf::with(&Settings::default());
        let mut random = Stream::new(1, 0, "test", "edf");
        hosts.set_eligible(2, false);
        assert_eq!(lb.pick(&hosts, Request::default(), &mut random), Some(1));
        hosts.set_eligible(1, false);
        assert_eq!(lb.pick(&hosts, Request::default(), &mut random), Some(0));
        hosts.set_eligible(0, false);
        assert_eq!(lb.pick(&hosts, Request::default(), &mut random), None);
    }
}
