//! Smooth weighted round robin: nginx's default.

use super::{Balancer, BalancerInfo, Host, Hosts, PolicyInfo, Request, Stream};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "weighted_round_robin",
        summary: "turns in proportion to weight, spread smoothly (nginx)",
        page: include_str!("weighted_round_robin.md"),
    },
    build: |hosts, _| Box::new(WeightedRoundRobin::new(hosts)),
};

/// A running credit per host.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Request, WeightedRoundRobin};
/// let (hosts, mut random) = (Hosts::new([5, 1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let (mut lb, request) = (WeightedRoundRobin::new(3), Request::default());
/// let picks: Vec<_> = (0..7).filter_map(|_| lb.pick(&hosts, request, &mut random)).collect();
/// assert_eq!(picks, [0, 0, 1, 0, 2, 0, 0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedRoundRobin {
    current: Vec<i64>,
}

impl WeightedRoundRobin {
    /// All credits at zero.
    pub fn new(hosts: usize) -> Self {
        Self { current: vec![0; hosts] }
    }

    /// The credits, in configuration order.
    pub fn current_weights(&self) -> &[i64] {
        &self.current
    }

    /// The next turn among the hosts that `among` lets through: every one of them gains its weight,
    /// the strictly greatest wins (the first configured of equals) and pays the total.
    pub fn turn(&mut self, hosts: &[Host], among: impl Fn(&Host) -> bool) -> Option<usize> {
        let mut total = 0;
        let mut best: Option<(usize, i64)> = None;
        for (index, (host, current)) in hosts.iter().zip(&mut self.current).enumerate() {
            if !among(host) {
                continue;
            }
            *current += i64::from(host.weight);
            total += i64::from(host.weight);
            if best.is_none_or(|(_, most)| *current > most) {
                best = Some((index, *current));
            }
        }
        let (index, _) = best?;
        self.current[index] -= total;
        Some(index)
    }
}

impl Balancer for WeightedRoundRobin {
    fn pick(&mut self, hosts: &Hosts, _: Request, _: &mut Stream) -> Option<usize> {
        self.turn(hosts.list(), |host| host.eligible)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cycle_gives_each_its_weight(weights in prop::collection::vec(1u32..20, 1..10)) {
            let hosts = Hosts::new(weights.iter().copied());
            let mut turns = WeightedRoundRobin::new(weights.len());
            for _ in 0..3 {
                let mut counts = vec![0; weights.len()];
                for _ in 0..weights.iter().sum::<u32>() {
                    counts[turns.turn(hosts.list(), |_| true).expect("all are eligible")] += 1;
                }
                prop_assert_eq!(&counts, &weights);
                prop_assert!(turns.current_weights().iter().all(|credit| *credit == 0));
            }
        }
    }
}
