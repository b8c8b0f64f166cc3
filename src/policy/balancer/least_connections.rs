//! Least connections, as nginx does it.

use std::cmp::Ordering;

use super::{
    BalancerInfo, Host, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Settings, Stream, Tier, Time,
    WeightedRoundRobin,
};

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "least_connections",
        summary: "the fewest outstanding requests for its weight (nginx)",
        page: include_str!("least_connections.md"),
    },
    build: |hosts, settings| Box::new(LeastConnections::with(hosts, settings)),
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
        Self::with(hosts, &Settings::default())
    }

    /// Reads `max_fails` and `fail_timeout`.
    pub fn with(hosts: usize, settings: &Settings) -> Self {
        Self { turns: WeightedRoundRobin::with(hosts, settings) }
    }

    /// The choice of a request that has been at `tried`: among the primaries, then the backups.
    pub fn choose(&mut self, hosts: &Hosts, now: Time, tried: &[usize]) -> Option<(usize, Tier)> {
        [Tier::Primary, Tier::Backup]
            .into_iter()
            .find_map(|tier| Some((self.among(hosts, tier, now, tried)?, tier)))
    }

    fn among(&mut self, hosts: &Hosts, tier: Tier, now: Time, tried: &[usize]) -> Option<usize> {
        let peers = self.turns.peers_mut();
        let (index, least, equals) = peers.least(hosts, tier, now, tried, load)?;
        if equals {
            return peers.turn(hosts, tier, now, tried, |host| load(host, least).is_eq());
        }
        peers.chosen(hosts.list(), index, now);
        Some(index)
    }
}

/// active/weight, compared without division.
fn load(host: &Host, other: &Host) -> Ordering {
    let mine = u64::from(host.active) * u64::from(other.weight);
    mine.cmp(&(u64::from(other.active) * u64::from(host.weight)))
}

/// The key by which HAProxy `leastconn` orders its servers, the least first: (served + queued + 1) over
/// the weight, rounded down; an idle server's is 0 whatever its weight (`fwlc_srv_reposition`, 2.6).
///
/// ```
/// use loadpath::policy::balancer::haproxy_leastconn_key;
/// assert_eq!(haproxy_leastconn_key(0, 0, 1), 0);
/// assert!(haproxy_leastconn_key(2, 1, 3) < haproxy_leastconn_key(1, 0, 1));
/// ```
pub fn haproxy_leastconn_key(served: u32, queued: u32, weight: u32) -> u64 {
    /// The greatest weight; weights are counted in sixteenths on both sides, which cancels.
    const MAX_WEIGHT: u64 = 256;
    match u64::from(served) + u64::from(queued) {
        0 => 0,
        in_flight => ((in_flight + 1) * MAX_WEIGHT).checked_div(u64::from(weight)).unwrap_or(0),
    }
}

impl NginxBalancer for LeastConnections {
    fn place(&mut self, hosts: &Hosts, request: Request, tried: &[usize], _: &mut Stream) -> Option<usize> {
        self.choose(hosts, request.now, tried).map(|(host, _)| host)
    }

    fn memory(&mut self) -> &mut Peers {
        self.turns.peers_mut()
    }
}
