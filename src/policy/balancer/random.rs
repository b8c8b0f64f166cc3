//! A host drawn at random, weights ignored.

use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Stream};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "random",
        summary: "an eligible host drawn evenly, weights ignored",
        page: include_str!("random.md"),
    },
    build: |_, _| Box::new(Random),
};

/// Draws evenly among the eligible hosts; has no state.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Random, Request};
/// let (hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let request = Request::default();
/// assert!(Random.pick(&hosts, request, &mut random).is_some_and(|host| host < 3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random;

impl Balancer for Random {
    fn pick(&mut self, hosts: &Hosts, _: Request, random: &mut Stream) -> Option<usize> {
        hosts.nth_eligible(random.below(hosts.eligible() as u64) as usize)
    }
}
