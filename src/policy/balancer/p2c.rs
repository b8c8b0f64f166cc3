//! Finagle's power of two choices: two different hosts, drawn evenly.

use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Stream};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "p2c",
        summary: "the less loaded of two different hosts drawn evenly (Finagle)",
        page: include_str!("p2c.md"),
    },
    build: |_, _| Box::new(P2c),
};

/// Has no state.
///
/// ```
/// use loadpath::policy::balancer::{Hosts, P2c};
/// let mut hosts = Hosts::new([1, 1]);
/// hosts.begin(0);
/// // The second draw is among the others: 0 of those besides host 0 is host 1.
/// assert_eq!(P2c.choose(&hosts, |_| 0), Some(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct P2c;

impl P2c {
    /// The choice, with the draws handed in: `draw(n)` is a number below n.
    pub fn choose(self, hosts: &Hosts, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
        let n = hosts.eligible() as u64;
        if n < 2 {
            return hosts.nth_eligible(0);
        }
        let one = draw(n);
        let other = draw(n - 1);
        let other = if other >= one { other + 1 } else { other };
        let (one, other) = (hosts.nth_eligible(one as usize)?, hosts.nth_eligible(other as usize)?);
        let active = |host: usize| hosts.list().get(host).map_or(0, |host| host.active);
        Some(if active(one) < active(other) { one } else { other })
    }
}

impl Balancer for P2c {
    fn pick(&mut self, hosts: &Hosts, _: Request, random: &mut Stream) -> Option<usize> {
        self.choose(hosts, |n| random.below(n))
    }
}
