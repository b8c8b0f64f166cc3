//! Maglev's lookup table, as Envoy fills it.

use super::hashing::{addresses, xxhash64};
use super::{Balancer, BalancerInfo, Bounded, Hosts, KeyTable, PolicyInfo, Request, Stream};

/// Envoy's `table_size`, and the smaller of the two in Google's paper.
pub const TABLE_SIZE: u64 = 65_537;
/// The largest `table_size` Envoy takes.
pub const MAXIMUM_TABLE_SIZE: u64 = 5_000_011;

const EMPTY: u32 = u32::MAX;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "maglev",
        summary: "a key looks its host up in a table shared out evenly (Envoy, Google)",
        page: include_str!("maglev.md"),
    },
    build: |hosts, settings| {
        let names = addresses(hosts);
        let table = Maglev::sized(&names, settings.table_size).unwrap_or_else(|| Maglev::new(&names));
        Bounded::boxed(table, settings.hash_balance_factor)
    },
};

/// Fills a table of `size` slots: host after host takes its next free slot, until none is free.
///
/// `turn(round, entry)` says whether the entry takes part in this round (counted from 1);
/// `slot(entry, step)` is its preference of this rank, `None` after the last.
fn fill(
    table: &mut Vec<u32>,
    size: usize,
    entries: usize,
    mut turn: impl FnMut(u32, usize) -> bool,
    slot: impl Fn(usize, usize) -> Option<usize>,
) {
    table.clear();
    table.resize(size, EMPTY);
    let mut next = vec![0; entries];
    let mut free = size;
    for round in 1.. {
        let mut open = false;
        for (entry, step) in next.iter_mut().enumerate() {
            if free == 0 {
                return;
            }
            if !turn(round, entry) {
                open = true;
                continue;
            }
            while let Some(at) = slot(entry, *step) {
                open = true;
                *step += 1;
                if let Some(place) = table.get_mut(at).filter(|place| **place == EMPTY) {
                    *place = entry as u32;
                    free -= 1;
                    break;
                }
            }
        }
        // All preferences are used up (or there is nobody): the rest stays free.
        if !open {
            return;
        }
    }
}

/// The table for given preferences, each host's slots in its order; the `dead` get none. `None` where
/// nobody wanted the slot. This is listing 1 of the paper.
///
/// ```
/// use loadpath::policy::balancer::populate;
/// let preferences = [vec![3, 0, 4, 1, 5, 2, 6], vec![0, 2, 4, 6, 1, 3, 5], vec![3, 4, 5, 6, 0, 1, 2]];
/// let hosts = |dead: &[usize]| populate(&preferences, dead).into_iter().flatten().collect::<Vec<_>>();
/// assert_eq!(hosts(&[]), [1, 0, 1, 0, 2, 2, 0]); // the paper's table 1, and without B1
/// assert_eq!(hosts(&[1]), [0, 0, 0, 0, 2, 2, 2]);
/// ```
pub fn populate(preferences: &[Vec<usize>], dead: &[usize]) -> Vec<Option<usize>> {
    let size = preferences.iter().map(Vec::len).max().unwrap_or(0);
    let mut table = Vec::new();
    let slot = |host: usize, step: usize| {
        preferences.get(host).filter(|_| !dead.contains(&host))?.get(step).copied()
    };
    fill(&mut table, size, preferences.len(), |_, _| true, slot);
    table.into_iter().map(|host| (host != EMPTY).then_some(host as usize)).collect()
}

/// A host while the table is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Entry {
    host: u32,
    weight: f64,
    target: f64,
    offset: u64,
    skip: u64,
}

/// The table over the eligible hosts; rebuilt when they change.
///
/// ```
/// use loadpath::kernel::Stream;
/// use loadpath::policy::balancer::{Balancer, Hosts, Maglev, Request};
/// let (hosts, mut random) = (Hosts::new([1, 1, 1]), Stream::new(1, 0, "balancer", "cache"));
/// let mut lb = Maglev::new(&["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
/// let of = |user| Request { key: Some(user), ..Request::default() };
/// assert_eq!(lb.pick(&hosts, of(7), &mut random), lb.pick(&hosts, of(7), &mut random));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Maglev {
    addresses: Vec<String>,
    size: u64,
    table: Vec<u32>,
    entries: Vec<Entry>,
    built_for: Option<u64>,
}

impl Maglev {
    /// For hosts of these addresses, with the default table.
    pub fn new(addresses: &[impl AsRef<str>]) -> Self {
        Self {
            addresses: addresses.iter().map(|address| address.as_ref().to_owned()).collect(),
            size: TABLE_SIZE,
            table: Vec::new(),
            entries: Vec::new(),
            built_for: None,
        }
    }

    /// Whether a table may have this size.
    pub fn takes(size: u64) -> bool {
        (2..=MAXIMUM_TABLE_SIZE).contains(&size)
            && (2..size).take_while(|n| n * n <= size).all(|n| !size.is_multiple_of(n))
    }

    /// With a table of this size; `None` unless it is prime and at most 5,000,011 slots, as
    /// Envoy refuses it: with another size a host's preferences would leave slots out.
    pub fn sized(addresses: &[impl AsRef<str>], size: u64) -> Option<Self> {
        Self::takes(size).then(|| Self { size, ..Self::new(addresses) })
    }

    /// The host of each slot. Empty before the first pick or [`KeyTable::refresh`], and when no
    /// host is eligible.
    pub fn table(&self) -> impl Iterator<Item = usize> {
        self.table.iter().map(|host| *host as usize)
    }

    fn rebuild(&mut self, hosts: &Hosts) {
        self.table.clear();
        let named = || self.addresses.iter().zip(hosts.list());
        let sum: u64 = named().filter(|(_, h)| h.eligible).map(|(_, h)| u64::from(h.weight)).sum();
        let size = self.size;
        self.entries.clear();
        self.entries.extend((0..).zip(named()).filter(|(_, (_, host))| host.eligible).map(
            |(index, (address, host))| Entry {
                host: index,
                weight: f64::from(host.weight) / sum as f64,
                target: 0.0,
                offset: xxhash64(address.as_bytes(), 0) % size,
                skip: xxhash64(address.as_bytes(), 1) % (size - 1) + 1,
            },
        ));
        if self.entries.is_empty() {
            return;
        }
        // In the order of addresses, so that the order of configuration changes nothing.
        let address = |entry: &Entry| self.addresses.get(entry.host as usize);
        self.entries.sort_by(|a, b| address(a).cmp(&address(b)));
        let most = self.entries.iter().map(|entry| entry.weight).fold(0.0, f64::max);
        let fixed: Vec<(u64, u64)> = self.entries.iter().map(|entry| (entry.offset, entry.skip)).collect();
        let turn = |round: u32, entry: usize| {
            self.entries.get_mut(entry).is_some_and(|entry| {
                // The heaviest takes part in every round, one of a third of its weight in every third.
                let takes = f64::from(round) * entry.weight >= entry.target;
                entry.target += if takes { most } else { 0.0 };
                takes
            })
        };
        let slot = |entry: usize, step: usize| {
            let (offset, skip) = fixed.get(entry)?;
            Some(((offset + skip * step as u64) % size) as usize)
        };
        fill(&mut self.table, size as usize, fixed.len(), turn, slot);
        for place in &mut self.table {
            *place = self.entries.get(*place as usize).map_or(EMPTY, |entry| entry.host);
        }
    }
}

impl KeyTable for Maglev {
    fn refresh(&mut self, hosts: &Hosts) {
        if self.built_for != Some(hosts.revision()) {
            self.rebuild(hosts);
            self.built_for = Some(hosts.revision());
        }
    }

    /// Further attempts flip the high bits of the key.
    fn lookup(&self, key: u64, attempt: u32) -> Option<usize> {
        let key = key ^ 0_u64.wrapping_sub(u64::from(attempt));
        self.table.get((key % self.size) as usize).map(|host| *host as usize)
    }
}

impl Balancer for Maglev {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.refresh(hosts);
        self.lookup(request.key.unwrap_or_else(|| random.bits()), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(addresses: &[&str], weights: &[u32], size: u64) -> Vec<usize> {
        let mut lb = Maglev::sized(addresses, size).expect("a prime");
        lb.refresh(&Hosts::new(weights.iter().copied()));
        lb.table().collect()
    }

    // What follows is Envoy's maglev_lb_test.cc.

    #[test]
    fn weighted() {
        let expected = [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1];
        assert_eq!(table(&["127.0.0.1:90", "127.0.0.1:91"], &[1, 2], 17), expected);
        assert_eq!(table(&["127.0.0.1:90"], &[7], 17), [0; 17]);
    }

    #[test]
    fn the_order_of_configuration_changes_nothing() {
        let swapped = table(&["127.0.0.1:91", "127.0.0.1:90"], &[2, 1], 17);
        let hosts: Vec<usize> = swapped.iter().map(|host| 1 - host).collect();
        assert_eq!(table(&["127.0.0.1:90", "127.0.0.1:91"], &[1, 2], 17), hosts);
    }

    #[test]
    fn basic_with_host_name() {
        assert_eq!(table(&["90", "91", "92", "93", "94", "95"], &[1; 6], 7), [2, 5, 0, 3, 4, 1, 0]);
    }

    #[test]
    fn basic_with_retry_host_predicate() {
        let addresses: Vec<String> = (90..96).map(|port| format!("127.0.0.1:{port}")).collect();
        let mut lb = Maglev::sized(&addresses, 7).expect("a prime");
        lb.refresh(&Hosts::new([1; 6]));
        assert_eq!([0, 1, 2].map(|attempt| lb.lookup(10, attempt)), [Some(1), Some(0), Some(5)]);
    }

    #[test]
    fn a_size_that_is_not_prime_is_refused() {
        assert!([0, 1, 8, 65_536, 5_000_077].iter().all(|size| Maglev::sized(&["a"], *size).is_none()));
        assert!(
            [2, 7, TABLE_SIZE, MAXIMUM_TABLE_SIZE].iter().all(|size| Maglev::sized(&["a"], *size).is_some())
        );
    }

    #[test]
    fn the_light_get_one_slot_and_the_heavy_the_rest() {
        // LocalityWeightedLopsided: 127/128 for the first, 1/128 shared by 1,023.
        let addresses: Vec<String> = (0..1024).map(|port| format!("127.0.0.1:{port}")).collect();
        let mut lb = Maglev::new(&addresses);
        lb.refresh(&Hosts::new((0..1024).map(|host| if host == 0 { 127 * 1023 } else { 1 })));
        let mut counts = vec![0_u64; 1024];
        lb.table().for_each(|host| counts[host] += 1);
        assert_eq!(counts[0], TABLE_SIZE - 1023);
        assert!(counts[1..].iter().all(|count| *count == 1));
    }

    #[test]
    fn every_slot_is_filled_and_the_shares_are_even() {
        for hosts in [3, 10, 100] {
            let mut lb = Maglev::new(&addresses(hosts));
            lb.refresh(&Hosts::new(vec![1; hosts]));
            let mut counts = vec![0_u64; hosts];
            lb.table().for_each(|host| counts[host] += 1);
            assert_eq!(counts.iter().sum::<u64>(), TABLE_SIZE);
            // One slot per host and round: nobody is more than one ahead.
            let (least, most) = (counts.iter().min(), counts.iter().max());
            assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 1), "{counts:?}");
        }
    }
}
