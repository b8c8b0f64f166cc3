//! Bounded loads over a hashed table, as Envoy has them (`hash_balance_factor`).

use super::hashing::Mersenne;
use super::{Balancer, Hosts, Request, Stream};

/// What gives a key its host: a ring, a table.
pub trait KeyTable: Balancer {
    /// Builds anew if the eligible hosts or their weights have changed since the last time.
    fn refresh(&mut self, hosts: &Hosts);

    /// The host of this key; further attempts (from 1) for a request that must not go there.
    fn lookup(&self, key: u64, attempt: u32) -> Option<usize>;
}

/// Nobody gets more than `factor` percent of the average: the key's own host unless it is overloaded,
/// then the others in an order that depends on the key only.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Bounded, Hosts, Maglev, Request};
/// let (mut hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "cache"));
/// let mut lb = Bounded::new(Maglev::new(&["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]), 125);
/// let hot = Request { key: Some(7), ..Request::default() };
/// let home = lb.pick(&hosts, hot, &mut random).unwrap();
/// (0..3).for_each(|_| hosts.begin(home)); // 3 of at most max(1, ceil(5 / 3)) = 2
/// assert_ne!(lb.pick(&hosts, hot, &mut random), Some(home));
/// ```
#[derive(Debug, Clone)]
pub struct Bounded<T> {
    table: T,
    factor: u32,
    weights: u64,
    order: Vec<u32>,
    eligible: Vec<u32>,
    built_for: Option<u64>,
}

impl<T: KeyTable> Bounded<T> {
    /// At most `factor` percent of the average; Envoy takes 100 and more.
    pub fn new(table: T, factor: u32) -> Self {
        Self { table, factor, weights: 0, order: Vec::new(), eligible: Vec::new(), built_for: None }
    }

    /// Bounded, or the table as it is where the factor is 0, Envoy's default.
    pub(super) fn boxed(table: T, factor: u32) -> Box<dyn Balancer>
    where
        T: 'static,
    {
        if factor == 0 { Box::new(table) } else { Box::new(Self::new(table, factor)) }
    }

    /// The table underneath.
    pub fn table(&self) -> &T {
        &self.table
    }

    /// How many requests a host may have outstanding before it counts as overloaded, were one more
    /// sent now.
    pub fn slots(&self, hosts: &Hosts, host: usize) -> u64 {
        let total = ((u64::from(hosts.active()) + 1) * u64::from(self.factor)).div_ceil(100);
        let weight = hosts.list().get(host).map_or(0, |host| host.weight);
        let share = f64::from(weight) / self.weights.max(1) as f64;
        ((total as f64 * share).ceil() as u64).max(1)
    }

    /// Outstanding over slots; above 1 is overloaded.
    pub fn overload(&self, hosts: &Hosts, host: usize) -> f64 {
        let active = hosts.list().get(host).map_or(0, |host| host.active);
        f64::from(active) / self.slots(hosts, host) as f64
    }

    /// The host of a key, O(1) or O(log n) while it is not overloaded, O(n) otherwise.
    pub fn choose(&mut self, hosts: &Hosts, key: u64, attempt: u32) -> Option<usize> {
        self.refresh(hosts);
        let home = self.table.lookup(key, attempt)?;
        let mut least = (self.overload(hosts, home), home);
        if least.0 <= 1.0 {
            return Some(home);
        }
        // The order starts from the list's every time, or it would depend on the keys before.
        self.order.clear();
        self.order.extend_from_slice(&self.eligible);
        let mut shuffle = Shuffle::new(key);
        while let Some(other) = shuffle.next(&mut self.order).map(|other| other as usize) {
            if other == home {
                continue;
            }
            let overload = self.overload(hosts, other);
            if overload <= 1.0 {
                return Some(other);
            }
            if overload < least.0 {
                least = (overload, other);
            }
        }
        Some(least.1)
    }

    fn refresh(&mut self, hosts: &Hosts) {
        self.table.refresh(hosts);
        if self.built_for == Some(hosts.revision()) {
            return;
        }
        self.built_for = Some(hosts.revision());
        let among = || (0..).zip(hosts.list()).filter(|(_, host)| host.eligible);
        self.weights = among().map(|(_, host)| u64::from(host.weight)).sum();
        self.eligible.clear();
        self.eligible.extend(among().map(|(index, _)| index));
        self.order.clear();
        self.order.reserve(self.eligible.len());
    }
}

impl<T: KeyTable> Balancer for Bounded<T> {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.choose(hosts, request.key.unwrap_or_else(|| random.bits()), 0)
    }
}

/// A Fisher-Yates shuffle done one element at a time, seeded by a key.
struct Shuffle {
    random: Mersenne,
    at: usize,
}

impl Shuffle {
    fn new(key: u64) -> Self {
        Self { random: Mersenne::new(key), at: 0 }
    }

    fn next(&mut self, list: &mut [u32]) -> Option<u32> {
        let left = list.len().checked_sub(self.at).filter(|left| *left > 0)?;
        list.swap(self.at, self.at + self.random.below(left as u32) as usize);
        self.at += 1;
        list.get(self.at - 1).copied()
    }
}

/// The order in which `hosts` hosts are asked to help out with this key, when all are overloaded.
///
/// ```
/// use loadpath::policy::balancer::overload_order;
/// assert_eq!(overload_order(2, 5), [2, 1, 0, 4, 3]); // Envoy's bounded_load_hlb_test.cc
/// ```
pub fn overload_order(key: u64, hosts: u32) -> Vec<u32> {
    let mut list: Vec<u32> = (0..hosts).collect();
    let mut shuffle = Shuffle::new(key);
    while shuffle.next(&mut list).is_some() {}
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Maglev, RingHash};
    use super::*;
    use crate::policy::balancer::hashing::addresses;

    #[test]
    fn envoys_orders_for_more_seeds() {
        // bounded_load_hlb_test.cc, MultipleHashSameHostOverloaded
        assert_eq!(overload_order(6, 5), [4, 0, 2, 3, 1]);
        assert_eq!(overload_order(7, 5), [0, 1, 4, 3, 2]);
    }

    #[test]
    fn the_least_overloaded_helps_when_all_are() {
        // AllHostsOverloaded; a factor of 1 percent makes one slot of each.
        let mut hosts = Hosts::new([1; 3]);
        for (host, active) in [(0, 3), (1, 2), (2, 4)] {
            (0..active).for_each(|_| hosts.begin(host));
        }
        let mut lb = Bounded::new(Maglev::new(&addresses(3)), 1);
        assert!((0..50).all(|key| lb.choose(&hosts, key, 0) == Some(1)));
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_its_slots_and_the_one_that_envoy_lets_through(
            keys in prop::collection::vec(0u64..4, 1..200),
            weights in prop::collection::vec(1u32..5, 1..8),
            factor in 100u32..200,
            ends in prop::collection::vec(0usize..8, 1..100),
        ) {
            let mut hosts = Hosts::new(weights.iter().copied());
            let mut lb = Bounded::new(RingHash::new(&addresses(weights.len())), factor);
            let mut twin = lb.clone();
            let mut ends = ends.iter().cycle();
            for (turn, key) in keys.iter().enumerate() {
                let host = lb.choose(&hosts, *key, 0).expect("there are hosts");
                prop_assert_eq!(Some(host), twin.choose(&hosts, *key, 0));
                // Admitted while active <= slots: so at most slots + 1 after.
                let active = u64::from(hosts.list()[host].active);
                prop_assert!(active <= lb.slots(&hosts, host), "{active} on {host}");
                hosts.begin(host);
                if turn % 3 == 2 {
                    ends.next().into_iter().for_each(|host| hosts.end(*host));
                }
            }
        }
    }
}
