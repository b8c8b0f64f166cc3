//! Least connections, as nginx does it.

use super::{Balancer, BalancerInfo, Host, Hosts, PolicyInfo, Request, Stream, WeightedRoundRobin};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "least_connections",
        summary: "the fewest outstanding requests for its weight (nginx)",
        page: include_str!("least_connections.md"),
    },
    build: |hosts, _| Box::new(LeastConnections::new(hosts)),
};

/// The host with the least active/weight; ties go to smooth weighted round robin among the tied.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, LeastConnections, Request};
/// let (mut hosts, mut random) = (Hosts::new([1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let (mut lb, request) = (LeastConnections::new(2), Request::default());
/// hosts.begin(0);
/// assert_eq!(lb.pick(&hosts, request, &mut random), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeastConnections {
    turns: WeightedRoundRobin,
}

impl LeastConnections {
    /// No turn taken yet.
    pub fn new(hosts: usize) -> Self {
        Self { turns: WeightedRoundRobin::new(hosts) }
    }
}

/// active/weight, compared without division.
fn load(host: &Host, other: &Host) -> (u64, u64) {
    (u64::from(host.active) * u64::from(other.weight), u64::from(other.active) * u64::from(host.weight))
}

impl Balancer for LeastConnections {
    fn pick(&mut self, hosts: &Hosts, _: Request, _: &mut Stream) -> Option<usize> {
        let mut best: Option<(usize, &Host)> = None;
        let mut tied = false;
        for (index, host) in hosts.list().iter().enumerate().filter(|(_, host)| host.eligible) {
            let Some((_, least)) = best else {
                best = Some((index, host));
                continue;
            };
            let (mine, its) = load(host, least);
            if mine < its {
                best = Some((index, host));
                tied = false;
            } else if mine == its {
                tied = true;
            }
        }
        let (index, least) = best?;
        if !tied {
            return Some(index);
        }
        let among = |host: &Host| {
            let (mine, its) = load(host, least);
            host.eligible && mine == its
        };
        self.turns.turn(hosts.list(), among)
    }
}
