//! Round robin over the eligible hosts, weights ignored.

use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Stream};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "round_robin",
        summary: "one after the other, weights ignored",
        page: include_str!("round_robin.md"),
    },
    build: |_, settings| Box::new(RoundRobin::starting_at(settings.start)),
};

/// A count of picks, taken modulo the number of eligible hosts.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Request, RoundRobin};
/// let (hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let (mut lb, request) = (RoundRobin::starting_at(0), Request::default());
/// let picks: Vec<_> = (0..4).filter_map(|_| lb.pick(&hosts, request, &mut random)).collect();
/// assert_eq!(picks, [0, 1, 2, 0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRobin {
    next: u64,
}

impl RoundRobin {
    /// The first pick is `start` modulo the number of eligible hosts.
    pub fn starting_at(start: u64) -> Self {
        Self { next: start }
    }
}

impl Balancer for RoundRobin {
    fn pick(&mut self, hosts: &Hosts, _: Request, _: &mut Stream) -> Option<usize> {
        let n = hosts.eligible() as u64;
        if n == 0 {
            return None;
        }
        // Counts on whatever their number is, as Envoy does: it decides who is next when one leaves.
        let turn = self.next % n;
        self.next = self.next.wrapping_add(1);
        hosts.nth_eligible(turn as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Envoy 1.40 goes on when a host is ejected: `cargo test --test products`.
    #[test]
    fn the_count_goes_on_when_a_host_leaves() {
        let (mut hosts, mut lb) = (Hosts::new([1; 4]), RoundRobin::starting_at(8));
        let mut random = Stream::new(1, 0, "test", "turns");
        let mut picks = |hosts: &Hosts, n: usize| -> Vec<usize> {
            (0..n).filter_map(|_| lb.pick(hosts, Request::default(), &mut random)).collect()
        };
        assert_eq!(picks(&hosts, 6), [0, 1, 2, 3, 0, 1]);
        hosts.set_eligible(1, false);
        // 14 modulo 3 is 2: of hosts 0, 2, 3 the last.
        assert_eq!(picks(&hosts, 3), [3, 0, 2]);
    }
}
