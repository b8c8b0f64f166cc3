//! nginx's consistent hash: a fixed number of points per unit of weight.

use super::hash::{MAX_REHASHES, decimal};
use super::hashing::{Crc32, addresses, crc32};
use super::ring::Ring;
use super::{
    BalancerInfo, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Stream, Tier, WeightedRoundRobin,
};

/// Points of a host of weight 1.
pub const POINTS_PER_WEIGHT: u32 = 160;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "consistent_hash",
        summary: "a ring with 160 fixed points per weight (nginx, ketama)",
        page: include_str!("consistent_hash.md"),
    },
    build: |hosts, settings| {
        let fallback = WeightedRoundRobin::with(hosts, settings);
        Box::new(ConsistentHash { fallback, ..ConsistentHash::new(&addresses(hosts)) })
    },
};

/// nginx `hash KEY consistent`: compatible with `Cache::Memcached::Fast`.
///
/// ```
/// use loadpath::policy::balancer::{ConsistentHash, Hosts};
/// let mut hosts = Hosts::new([1, 1, 1]);
/// let mut lb = ConsistentHash::new(&["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
/// let home = lb.host(&hosts, b"user-7", &[]).unwrap();
/// hosts.set_eligible((home + 1) % 3, false); // a host that is down moves nobody else's keys
/// assert_eq!(lb.host(&hosts, b"user-7", &[]), Some(home));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistentHash {
    addresses: Vec<String>,
    ring: Ring,
    weights: Vec<u32>,
    built_for: Option<u64>,
    fallback: WeightedRoundRobin,
}

impl ConsistentHash {
    /// For hosts of these names (as written in `server`: an address, perhaps with a port).
    pub fn new(addresses: &[impl AsRef<str>]) -> Self {
        Self {
            addresses: addresses.iter().map(|address| address.as_ref().to_owned()).collect(),
            ring: Ring::default(),
            weights: Vec::new(),
            built_for: None,
            fallback: WeightedRoundRobin::new(addresses.len()),
        }
    }

    /// The points, in ring order: hash and index of the host. Empty before the first pick.
    pub fn points(&self) -> impl Iterator<Item = (u64, usize)> {
        self.ring.points()
    }

    /// The host of a key for a request that has been at `tried`; `None` for an empty key, a lone
    /// host, and after 20 points without a host: then round robin decides.
    pub fn host(&mut self, hosts: &Hosts, key: &[u8], tried: &[usize]) -> Option<usize> {
        let eligible = |host: usize| hosts.list().get(host).is_some_and(|host| host.eligible);
        self.refresh(hosts);
        self.host_among(hosts, key, |host| eligible(host) && !tried.contains(&host))
    }

    fn host_among(&self, hosts: &Hosts, key: &[u8], may: impl Fn(usize) -> bool) -> Option<usize> {
        if key.is_empty() || hosts.list().len() < 2 {
            return None;
        }
        let start = self.ring.at_or_after(u64::from(crc32(key)));
        (start..=start + MAX_REHASHES as usize).find_map(|index| {
            let (_, host) = self.ring.point(index)?;
            may(host).then_some(host)
        })
    }

    /// The ring holds all hosts, eligible or not: only weights change it.
    fn refresh(&mut self, hosts: &Hosts) {
        if self.built_for == Some(hosts.revision()) {
            return;
        }
        self.built_for = Some(hosts.revision());
        let weights = || hosts.list().iter().map(|host| host.weight);
        if weights().eq(self.weights.iter().copied()) {
            return;
        }
        self.weights.clear();
        self.weights.extend(weights());
        self.ring.clear();
        for (index, (address, weight)) in self.addresses.iter().zip(&self.weights).enumerate() {
            let (host, port) = split(address);
            let base = Crc32::default().with(host.as_bytes()).with(&[0]).with(port.as_bytes());
            let mut hash = 0_u32;
            for _ in 0..weight.saturating_mul(POINTS_PER_WEIGHT) {
                hash = base.with(&hash.to_le_bytes()).value();
                self.ring.add(u64::from(hash), index);
            }
        }
        self.ring.sort();
        self.ring.drop_equals();
    }
}

/// Host and port of what was written in `server`; a path of a socket has no port.
fn split(server: &str) -> (&str, &str) {
    if let Some((scheme, path)) = server.split_at_checked(5)
        && scheme.eq_ignore_ascii_case("unix:")
    {
        return (path, "");
    }
    match server.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => (host, port),
        _ => (server, ""),
    }
}

impl NginxBalancer for ConsistentHash {
    fn place(&mut self, hosts: &Hosts, request: Request, tried: &[usize], _: &mut Stream) -> Option<usize> {
        self.refresh(hosts);
        let keyed = request.key.and_then(|key| {
            let (digits, from) = decimal(key);
            let peers = self.fallback.peers();
            let may = |host| peers.takes(hosts, host, Tier::Primary, request.now, tried);
            self.host_among(hosts, digits.get(from..)?, may)
        });
        if let Some(host) = keyed {
            self.fallback.peers_mut().chosen(hosts.list(), host, request.now);
            return keyed;
        }
        self.fallback.turn(hosts, request.now, tried).map(|(host, _)| host)
    }

    fn memory(&mut self) -> &mut Peers {
        self.fallback.peers_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_nginxs_own_test_as_zlib_has_them() {
        // Upstream `cw` of upstream_hash.t, worked out with the crc32 of zlib in a script of its own.
        let hosts = Hosts::new([1, 1, 10]);
        let mut lb = ConsistentHash::new(&["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"]);
        let picks: Vec<usize> =
            (1..=20).filter_map(|key| lb.host(&hosts, key.to_string().as_bytes(), &[])).collect();
        assert_eq!(picks, [2, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(lb.points().count(), 1920);
    }
}
