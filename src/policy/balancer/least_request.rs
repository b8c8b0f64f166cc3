//! Least request of a few random choices, as Envoy does it with equal weights.

use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Stream};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "least_request",
        summary: "the least loaded of a few hosts drawn at random (Envoy)",
        page: include_str!("least_request.md"),
    },
    build: |_, settings| Box::new(LeastRequest::of(settings.choice_count)),
};

/// Power of `choice_count` choices, drawn with replacement.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastRequest {
    choice_count: u32,
}

impl LeastRequest {
    /// Compares so many draws, at least one.
    pub fn of(choice_count: u32) -> Self {
        Self { choice_count: choice_count.max(1) }
    }

    /// The choice, with the draws handed in: `draw(n)` is a number below n.
    pub fn choose(self, hosts: &Hosts, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
        let n = hosts.eligible() as u64;
        let mut best: Option<(usize, u32)> = None;
        for _ in 0..self.choice_count {
            let index = hosts.nth_eligible(draw(n.max(1)) as usize)?;
            let active = hosts.list()[index].active;
            if best.is_none_or(|(_, least)| active < least) {
                best = Some((index, active));
            }
        }
        best.map(|(index, _)| index)
    }
}

impl Balancer for LeastRequest {
    fn pick(&mut self, hosts: &Hosts, _: Request, random: &mut Stream) -> Option<usize> {
        self.choose(hosts, |n| random.below(n))
    }
}
