//! Smooth weighted round robin: nginx's default.

use super::{BalancerInfo, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Settings, Stream, Tier, Time};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "weighted_round_robin",
        summary: "turns in proportion to weight, spread smoothly (nginx)",
        page: include_str!("weighted_round_robin.md"),
    },
    build: |hosts, settings| Box::new(WeightedRoundRobin::with(hosts, settings)),
};

/// A running credit per host, and what nginx remembers of its failures.
///
/// ```
/// use loadpath::kernel::{Stream, Time};
/// use loadpath::policy::balancer::{Balancer, Hosts, Request, WeightedRoundRobin};
/// let (hosts, mut random) = (Hosts::new([5, 1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let (mut lb, request) = (WeightedRoundRobin::new(3), Request::default());
/// let picks: Vec<_> = (0..7).filter_map(|_| lb.pick(&hosts, request, &mut random)).collect();
/// assert_eq!(picks, [0, 0, 1, 0, 2, 0, 0]);
/// lb.failed(Time::ZERO, 0);
/// assert_eq!(lb.pick(&hosts, request, &mut random), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedRoundRobin {
    peers: Peers,
}

impl WeightedRoundRobin {
    /// All credits at zero, `max_fails` and `fail_timeout` as nginx has them.
    pub fn new(hosts: usize) -> Self {
        Self::with(hosts, &Settings::default())
    }

    /// Reads `max_fails` and `fail_timeout`.
    pub fn with(hosts: usize, settings: &Settings) -> Self {
        Self { peers: Peers::new(hosts, settings.max_fails, settings.fail_timeout) }
    }

    /// What is remembered of each host: credit, effective weight, failures.
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// To give single hosts their own limits, and for balancers that fall back on turns.
    pub fn peers_mut(&mut self) -> &mut Peers {
        &mut self.peers
    }

    /// The credits, in configuration order.
    pub fn current_weights(&self) -> impl Iterator<Item = i64> {
        self.peers.list().iter().map(|peer| peer.current_weight)
    }

    /// The next turn of a request that has been at `tried`: among the primaries, then the backups.
    pub fn turn(&mut self, hosts: &Hosts, now: Time, tried: &[usize]) -> Option<(usize, Tier)> {
        [Tier::Primary, Tier::Backup]
            .into_iter()
            .find_map(|tier| Some((self.peers.turn(hosts, tier, now, tried, |_| true)?, tier)))
    }
}

impl NginxBalancer for WeightedRoundRobin {
    fn place(&mut self, hosts: &Hosts, request: Request, tried: &[usize], _: &mut Stream) -> Option<usize> {
        self.turn(hosts, request.now, tried).map(|(host, _)| host)
    }

    fn memory(&mut self) -> &mut Peers {
        &mut self.peers
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Span;
    use crate::policy::balancer::Balancer;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    fn turn(lb: &mut WeightedRoundRobin, hosts: &Hosts, now: Time) -> Option<usize> {
        lb.turn(hosts, now, &[]).map(|(host, _)| host)
    }

    #[test]
    fn a_failed_server_gets_one_trial_after_the_whole_timeout_and_a_pass_clears_it() {
        let (hosts, mut lb) = (Hosts::new([1, 1]), WeightedRoundRobin::new(2));
        assert_eq!(turn(&mut lb, &hosts, at(1)), Some(0));
        lb.failed(at(1), 0);
        assert_eq!(lb.peers().list()[0].effective_weight(), 0);
        // Strictly more than ten seconds, counted whole: 11.9 s is ten after 1 s.
        assert!((0..20).all(|_| turn(&mut lb, &hosts, at(11) + Span::from_millis(900)) == Some(1)));
        let trials: Vec<_> = (0..6).filter_map(|_| turn(&mut lb, &hosts, at(12))).collect();
        assert_eq!(trials.iter().filter(|host| **host == 0).count(), 1, "{trials:?}");
        lb.peers_mut().passed(0);
        assert_eq!(lb.peers().list()[0].fails, 0);
        let after: Vec<_> = (0..6).filter_map(|_| turn(&mut lb, &hosts, at(12))).collect();
        assert_eq!(after.iter().filter(|host| **host == 0).count(), 3, "{after:?}");
    }

    #[test]
    fn a_lone_server_is_never_disabled_and_a_tried_one_is_skipped() {
        let (hosts, mut lb) = (Hosts::new([1]), WeightedRoundRobin::new(1));
        (0..5).for_each(|_| lb.failed(at(1), 0));
        assert_eq!(turn(&mut lb, &hosts, at(1)), Some(0));
        let (hosts, mut lb) = (Hosts::new([5, 1]), WeightedRoundRobin::new(2));
        assert_eq!(lb.turn(&hosts, at(1), &[0]), Some((1, Tier::Primary)));
        assert_eq!(lb.turn(&hosts, at(1), &[0, 1]), None);
    }

    #[test]
    fn each_failure_takes_its_part_of_the_weight_and_each_turn_gives_one_back() {
        let (hosts, mut lb) = (Hosts::new([10, 10]), WeightedRoundRobin::new(2));
        (0..2).for_each(|host| lb.peers_mut().limit(host, 3, Span::from_secs(10)));
        turn(&mut lb, &hosts, at(1));
        let effective = |lb: &WeightedRoundRobin| lb.peers().list()[0].effective_weight();
        lb.failed(at(1), 0);
        assert_eq!(effective(&lb), 7);
        turn(&mut lb, &hosts, at(1));
        assert_eq!(effective(&lb), 8);
        (0..4).for_each(|_| lb.failed(at(1), 0));
        assert_eq!(effective(&lb), 0);
    }

    proptest! {
        #[test]
        fn a_cycle_gives_each_its_weight_again_once_failures_have_recovered(
            weights in prop::collection::vec(1u32..20, 2..10),
            failing in prop::collection::vec(0usize..10, 0..6),
        ) {
            let hosts = Hosts::new(weights.iter().copied());
            let settings = Settings { max_fails: 0, ..Settings::default() };
            let mut lb = WeightedRoundRobin::with(weights.len(), &settings);
            let cycle: u32 = weights.iter().sum();
            for host in 0..weights.len() {
                // Never disabled, but each failure costs weight.
                lb.peers_mut().limit(host, 8, Span::from_secs(10));
            }
            turn(&mut lb, &hosts, at(1));
            for host in &failing {
                lb.failed(at(1), *host);
            }
            // Each turn gives one back, so no weight is short after twenty.
            (0..20).for_each(|_| { turn(&mut lb, &hosts, at(1)); });
            for (peer, weight) in lb.peers().list().iter().zip(&weights) {
                prop_assert_eq!(peer.effective_weight(), *weight);
            }
            let before: Vec<i64> = lb.current_weights().collect();
            let mut counts = vec![0; weights.len()];
            for _ in 0..5 * cycle {
                counts[turn(&mut lb, &hosts, at(1)).expect("all are eligible")] += 1;
            }
            // The credits are bounded, so over cycles the shares are right but for what was owed.
            let owed: i64 = before.iter().map(|credit| credit.abs()).sum();
            for (count, weight) in counts.iter().zip(&weights) {
                let off = i64::from(*count) - 5 * i64::from(*weight);
                prop_assert!(off.abs() * i64::from(cycle) <= owed + i64::from(cycle), "{counts:?}");
            }
        }

        #[test]
        fn a_cycle_gives_each_its_weight(weights in prop::collection::vec(1u32..20, 1..10)) {
            let hosts = Hosts::new(weights.iter().copied());
            let mut lb = WeightedRoundRobin::new(weights.len());
            for _ in 0..3 {
                let mut counts = vec![0; weights.len()];
                for _ in 0..weights.iter().sum::<u32>() {
                    counts[turn(&mut lb, &hosts, at(0)).expect("all are eligible")] += 1;
                }
                prop_assert_eq!(&counts, &weights);
                prop_assert!(lb.current_weights().all(|credit| credit == 0));
            }
        }
    }
}
