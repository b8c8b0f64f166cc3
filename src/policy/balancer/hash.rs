//! A key's checksum modulo the weights, as in nginx.

use super::hashing::Crc32;
use super::{
    BalancerInfo, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Stream, Tier, WeightedRoundRobin,
};

/// After so many slots without a host nginx falls back to round robin.
pub(super) const MAX_REHASHES: u32 = 20;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "hash",
        summary: "the key's checksum modulo the weights (nginx)",
        page: include_str!("hash.md"),
    },
    build: |hosts, settings| Box::new(Hash { fallback: WeightedRoundRobin::with(hosts, settings) }),
};

/// nginx `hash KEY`: compatible with `Cache::Memcached`.
///
/// ```
/// use loadpath::policy::balancer::{Hash, Hosts};
/// let hosts = Hosts::new([1, 1, 1]);
/// // crc32("a") is e8b7be43: its bits 16 to 30 are 26,807, and 26,807 modulo 3 is 2.
/// assert_eq!(Hash::slot(&hosts, b"a", &[]), Some(2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hash {
    fallback: WeightedRoundRobin,
}

impl Hash {
    /// For so many hosts.
    pub fn new(hosts: usize) -> Self {
        Self { fallback: WeightedRoundRobin::new(hosts) }
    }

    /// The host of a key for a request that has been at `tried`; `None` for an empty key, a lone
    /// host, and after 20 rehashes: then round robin decides.
    pub fn slot(hosts: &Hosts, key: &[u8], tried: &[usize]) -> Option<usize> {
        let eligible = |host: usize| hosts.list().get(host).is_some_and(|host| host.eligible);
        Self::slot_among(hosts, key, |host| eligible(host) && !tried.contains(&host))
    }

    fn slot_among(hosts: &Hosts, key: &[u8], may: impl Fn(usize) -> bool) -> Option<usize> {
        if key.is_empty() || hosts.list().len() < 2 {
            return None;
        }
        // Slots are cut by the weights of all hosts, so that one that is down moves nobody else's.
        let total = hosts.total_weight();
        let mut sum: u32 = 0;
        for rehash in 0..=MAX_REHASHES {
            let mut crc = Crc32::default();
            if rehash > 0 {
                let (digits, from) = decimal(u64::from(rehash));
                crc = crc.with(digits.get(from..).unwrap_or_default());
            }
            sum = sum.wrapping_add((crc.with(key).value() >> 16) & 0x7fff);
            if let Some(host) = hosts.at_weight(u64::from(sum) % total).filter(|host| may(*host)) {
                return Some(host);
            }
        }
        None
    }
}

/// A number as its decimal digits, right-aligned, and where they begin.
pub(super) fn decimal(number: u64) -> ([u8; 20], usize) {
    // Twenty digits hold every u64.
    let (mut digits, mut from, mut rest) = ([b'0'; 20], 20, number);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        (from, rest) = (from - 1, rest / 10);
        if rest == 0 {
            break;
        }
    }
    (digits, from)
}

impl NginxBalancer for Hash {
    fn place(&mut self, hosts: &Hosts, request: Request, tried: &[usize], _: &mut Stream) -> Option<usize> {
        let peers = self.fallback.peers();
        let keyed = request.key.and_then(|key| {
            let (digits, from) = decimal(key);
            let may = |host| peers.takes(hosts, host, Tier::Primary, request.now, tried);
            Self::slot_among(hosts, digits.get(from..)?, may)
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

    fn slots(hosts: &Hosts) -> Vec<Option<usize>> {
        (1..=20).map(|key| Hash::slot(hosts, key.to_string().as_bytes(), &[])).collect()
    }

    #[test]
    fn digits_are_those_of_print() {
        for number in [0, 7, 10, 99, 1_000, u64::MAX] {
            let (digits, from) = decimal(number);
            assert_eq!(&digits[from..], number.to_string().as_bytes());
        }
    }

    #[test]
    fn the_keys_of_nginxs_own_test_as_zlib_has_them() {
        // `?a=1` to `?a=20`, worked out with the crc32 of zlib in a script of its own.
        let expected = [1, 2, 1, 0, 1, 0, 0, 2, 2, 0, 2, 0, 2, 2, 1, 2, 0, 1, 1, 2];
        assert_eq!(slots(&Hosts::new([1; 3])), expected.map(Some));
        // Two of three down, the weights 1, 2 and 3: most keys are hashed again, one of them in vain 20 times.
        let mut hosts = Hosts::new([1, 2, 3]);
        hosts.set_eligible(1, false);
        hosts.set_eligible(2, false);
        let found = [
            true, true, true, true, true, true, true, true, true, true, false, true, true, true, true, true,
            true, true, true, true,
        ];
        let expected = found.map(|found| found.then_some(0));
        assert_eq!(slots(&hosts), expected);
    }
}
