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

/// An index that goes round the eligible hosts.
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
        // While nothing changes the index stays small: a comparison instead of a division.
        let turn = if self.next < n { self.next } else { self.next % n };
        self.next = turn + 1;
        hosts.nth_eligible(turn as usize)
    }
}
