//! A ring of hashed points, as Envoy builds it.

use std::io::Write;

use super::hashing::{STD_HASH_SEED, addresses, murmur_hash2, xxhash64};
use super::ring::Ring;
use super::{Balancer, BalancerInfo, Bounded, Hosts, KeyTable, PolicyInfo, Request, Stream};

/// Envoy's `minimum_ring_size`.
pub const MINIMUM_RING_SIZE: u64 = 1024;
/// Envoy's `maximum_ring_size`.
pub const MAXIMUM_RING_SIZE: u64 = 8 * 1024 * 1024;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "ring_hash",
        summary: "a key goes to the first point after it on a ring of hosts (Envoy)",
        page: include_str!("ring_hash.md"),
    },
    build: |hosts, settings| {
        let ring =
            RingHash::new(&addresses(hosts)).sized(settings.minimum_ring_size, settings.maximum_ring_size);
        Bounded::boxed(ring, settings.hash_balance_factor)
    },
};

/// What the points of the ring are hashed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RingFunction {
    /// Envoy's `XX_HASH`, the default.
    #[default]
    XxHash,
    /// Envoy's `MURMUR_HASH_2`.
    MurmurHash2,
}

/// The ring over the eligible hosts; rebuilt when they change.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Request, RingHash};
/// let (hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "cache"));
/// let mut lb = RingHash::new(&["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
/// let of = |user| Request { key: Some(user), ..Request::default() };
/// assert_eq!(lb.pick(&hosts, of(7), &mut random), lb.pick(&hosts, of(7), &mut random));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingHash {
    addresses: Vec<String>,
    minimum: u64,
    maximum: u64,
    function: RingFunction,
    ring: Ring,
    built_for: Option<u64>,
}

impl RingHash {
    /// For hosts of these addresses (Envoy: `ip:port`, or the host name where that is hashed).
    pub fn new(addresses: &[impl AsRef<str>]) -> Self {
        Self {
            addresses: addresses.iter().map(|address| address.as_ref().to_owned()).collect(),
            minimum: MINIMUM_RING_SIZE,
            maximum: MAXIMUM_RING_SIZE,
            function: RingFunction::default(),
            ring: Ring::default(),
            built_for: None,
        }
    }

    /// At least and at most so many points. Envoy refuses a minimum above the maximum or a maximum
    /// above 8 Mi; here both are brought down to what it allows.
    #[must_use]
    pub fn sized(mut self, minimum: u64, maximum: u64) -> Self {
        self.maximum = maximum.clamp(1, MAXIMUM_RING_SIZE);
        self.minimum = minimum.clamp(1, self.maximum);
        self.built_for = None;
        self
    }

    /// Hashed with this.
    #[must_use]
    pub fn hashed_with(mut self, function: RingFunction) -> Self {
        self.function = function;
        self.built_for = None;
        self
    }

    /// The points, in ring order: hash and index of the host. Empty before the first pick or
    /// [`KeyTable::refresh`].
    pub fn points(&self) -> impl Iterator<Item = (u64, usize)> {
        self.ring.points()
    }

    fn rebuild(&mut self, hosts: &Hosts) {
        self.ring.clear();
        let among = || self.addresses.iter().zip(hosts.list()).enumerate().filter(|(_, (_, h))| h.eligible);
        let sum: u64 = among().map(|(_, (_, host))| u64::from(host.weight)).sum();
        let share = |weight: u32| f64::from(weight) / sum as f64;
        let Some(least) = among().map(|(_, (_, host))| host.weight).min().map(share) else {
            return;
        };
        // The least host gets a whole number of points; of the others, the sums come out right.
        let scale = ((least * self.minimum as f64).ceil() / least).min(self.maximum as f64);
        let (mut current, mut target) = (0.0, 0.0);
        let mut key = Vec::new();
        for (index, (address, host)) in among() {
            target += scale * share(host.weight);
            key.clear();
            key.extend_from_slice(address.as_bytes());
            key.push(b'_');
            let mut point = 0_u64;
            while current < target {
                key.truncate(address.len() + 1);
                // A vector takes everything.
                let _ = write!(key, "{point}");
                let hash = match self.function {
                    RingFunction::XxHash => xxhash64(&key, 0),
                    RingFunction::MurmurHash2 => murmur_hash2(&key, STD_HASH_SEED),
                };
                self.ring.add(hash, index);
                point += 1;
                current += 1.0;
            }
        }
        self.ring.sort();
    }
}

impl KeyTable for RingHash {
    fn refresh(&mut self, hosts: &Hosts) {
        if self.built_for != Some(hosts.revision()) {
            self.rebuild(hosts);
            self.built_for = Some(hosts.revision());
        }
    }

    /// Further attempts go on to the next points.
    fn lookup(&self, key: u64, attempt: u32) -> Option<usize> {
        self.ring.point(self.ring.at_or_after(key) + attempt as usize).map(|(_, host)| host)
    }
}

impl Balancer for RingHash {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.refresh(hosts);
        self.lookup(request.key.unwrap_or_else(|| random.bits()), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(ports: std::ops::Range<u32>) -> RingHash {
        RingHash::new(&ports.map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>())
    }

    fn hosts_of(ring: &RingHash, keys: &[u64]) -> Vec<usize> {
        keys.iter().filter_map(|key| ring.lookup(*key, 0)).collect()
    }

    // What follows is Envoy's ring_hash_lb_test.cc.

    #[test]
    fn basic_with_murmur2() {
        let mut lb = ring(80..86).sized(12, MAXIMUM_RING_SIZE).hashed_with(RingFunction::MurmurHash2);
        lb.refresh(&Hosts::new([1; 6]));
        let keys =
            [0, u64::MAX, 1_358_027_074_129_602_068, 1_358_027_074_129_602_069, 10_150_910_876_324_007_730];
        assert_eq!(hosts_of(&lb, &keys), [5, 5, 5, 3, 2]);
        assert_eq!(lb.points().count(), 12);
        assert_eq!(lb.points().last(), Some((17_613_279_263_364_193_813, 0)));
    }

    #[test]
    fn basic_with_hostname() {
        let mut lb = RingHash::new(&["90", "91", "92", "93", "94", "95"]).sized(12, MAXIMUM_RING_SIZE);
        lb.refresh(&Hosts::new([1; 6]));
        let keys = [0, u64::MAX, 7_225_015_537_174_310_577, 6_803_900_775_736_438_537];
        assert_eq!(hosts_of(&lb, &keys), [5, 5, 2, 3]);
    }

    #[test]
    fn basic_with_retry_host_predicate() {
        let mut lb = ring(90..96).sized(12, MAXIMUM_RING_SIZE);
        lb.refresh(&Hosts::new([1; 6]));
        let attempts = [0, 1, 2, 13].map(|attempt| lb.lookup(0, attempt));
        assert_eq!(attempts, [Some(4), Some(2), Some(0), Some(2)]);
    }

    #[test]
    fn uneven_hosts_get_two_points_each_from_a_minimum_of_three() {
        let mut lb = ring(80..82).sized(3, MAXIMUM_RING_SIZE);
        lb.refresh(&Hosts::new([1; 2]));
        let points = [
            (5_454_692_015_285_649_509, 0),
            (7_859_399_908_942_313_493, 1),
            (13_838_424_394_637_650_569, 0),
            (16_064_866_803_292_627_174, 1),
        ];
        assert!(lb.points().eq(points));
    }

    #[test]
    fn host_weighted_tiny_ring() {
        let mut lb = ring(90..93).sized(6, 6);
        lb.refresh(&Hosts::new([1, 2, 3]));
        let keys = [
            928_266_305_478_181_108,
            4_443_673_547_860_492_590,
            5_583_722_120_771_150_861,
            6_311_230_543_546_372_928,
            13_444_792_449_719_432_967,
            16_117_243_373_044_804_889,
        ];
        assert_eq!(hosts_of(&lb, &keys), [2, 2, 1, 1, 2, 0]);
        assert_eq!(lb.points().count(), 6);
    }
}
