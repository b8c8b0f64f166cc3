//! The client's network decides, as in nginx.

use super::{
    BalancerInfo, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Stream, Tier, WeightedRoundRobin,
};

/// After so many slots without an eligible host nginx falls back to round robin.
const MAX_REHASHES: u32 = 20;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "ip_hash",
        summary: "the client's /24 network decides (nginx)",
        page: include_str!("ip_hash.md"),
    },
    build: |hosts, settings| Box::new(IpHash { fallback: WeightedRoundRobin::with(hosts, settings) }),
};

/// nginx `ip_hash`: stable across runs and machines.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, IpHash, Request};
/// let (hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "web"));
/// let mut lb = IpHash::new(3);
/// let from = |third| Request { client: [127, 0, third, 2], ..Request::default() };
/// assert_eq!(lb.pick(&hosts, from(1), &mut random), lb.pick(&hosts, from(1), &mut random));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpHash {
    fallback: WeightedRoundRobin,
}

impl IpHash {
    /// For so many hosts.
    pub fn new(hosts: usize) -> Self {
        Self { fallback: WeightedRoundRobin::new(hosts) }
    }
}

impl NginxBalancer for IpHash {
    fn place(&mut self, hosts: &Hosts, request: Request, tried: &[usize], _: &mut Stream) -> Option<usize> {
        // Slots are cut by the weights of all hosts, so that one that is down moves nobody else's.
        let total = hosts.total_weight();
        if total == 0 || hosts.eligible() == 0 {
            return None;
        }
        let mut hash: u64 = 89;
        for _ in 0..=MAX_REHASHES {
            for octet in &request.client[..3] {
                hash = (hash * 113 + u64::from(*octet)) % 6271;
            }
            let index = hosts.at_weight(hash % total)?;
            if self.fallback.peers().takes(hosts, index, Tier::Primary, request.now, tried) {
                self.fallback.peers_mut().chosen(hosts.list(), index, request.now);
                return Some(index);
            }
        }
        self.fallback.turn(hosts, request.now, tried).map(|(host, _)| host)
    }

    fn memory(&mut self) -> &mut Peers {
        self.fallback.peers_mut()
    }
}
