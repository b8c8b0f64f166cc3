//! Consistent hashing with bounded loads, as HAProxy has it.

use super::hashing::full_hash;
use super::ring::Ring;
use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Stream};

/// Points of a server of weight 1 (`BE_WEIGHT_SCALE`).
const POINTS_PER_WEIGHT: u32 = 16;
/// The greatest weight HAProxy takes; more counts as this.
const MAX_WEIGHT: u32 = 256;
/// Ids of points kept free for each server (`SRV_EWGHT_RANGE`).
const IDS_PER_SERVER: u32 = 256 * POINTS_PER_WEIGHT;
/// HAProxy's default is no bound; who asks for this policy wants one. Its manual advises 125 to 200.
const FACTOR: u32 = 125;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "bounded_load",
        summary: "the nearest point on a ring whose host is not above its share (HAProxy)",
        page: include_str!("bounded_load.md"),
    },
    build: |hosts, settings| {
        let factor = settings.hash_balance_factor;
        Box::new(BoundedLoad::new(hosts, if factor == 0 { FACTOR } else { factor }))
    },
};

/// HAProxy `hash-type consistent` with `hash-balance-factor`.
///
/// ```
/// use loadpath::policy::balancer::{BoundedLoad, Hosts};
/// let mut hosts = Hosts::new([1, 1, 1]);
/// let mut lb = BoundedLoad::new(3, 150);
/// let home = lb.choose(&hosts, 12345, None).unwrap();
/// hosts.begin(home); // of 2 outstanding, ceil(2 · 1.5) = 3 slots: one each
/// assert_ne!(lb.choose(&hosts, 12345, None), Some(home));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundedLoad {
    ids: u32,
    factor: u32,
    ring: Ring,
    /// Of each host, the points of the eligible hosts before it, and its own; the last is the total.
    before: Vec<u64>,
    built_for: Option<u64>,
    last: Option<u64>,
}

impl BoundedLoad {
    /// For so many hosts, with the ids 1, 2, …; at most `factor` percent of the average, 0 for no bound.
    /// HAProxy takes 0 and what is above 100.
    pub fn new(hosts: usize, factor: u32) -> Self {
        Self {
            ids: hosts as u32,
            factor,
            ring: Ring::default(),
            before: Vec::new(),
            built_for: None,
            last: None,
        }
    }

    /// How many requests a host may have outstanding, were one more sent now: whole slots per point,
    /// and of the rest a part in proportion to its place, so that the sum comes out exact.
    pub fn slots(&self, hosts: &Hosts, host: usize) -> u64 {
        let total = ((u64::from(hosts.active()) + 1) * u64::from(self.factor)).div_ceil(100);
        let at = |index: usize| self.before.get(index).copied().unwrap_or(0);
        let points = self.before.last().copied().unwrap_or(0).max(1);
        let (whole, rest) = (total / points, total % points);
        let own = at(host + 1).saturating_sub(at(host));
        (own * whole + at(host + 1) * rest / points - at(host) * rest / points).max(1)
    }

    /// The host of a hashed key, not `avoid` where that can be helped (HAProxy's redispatch).
    pub fn choose(&mut self, hosts: &Hosts, key: u32, avoid: Option<usize>) -> Option<usize> {
        self.refresh(hosts);
        let after = self.ring.at_or_after(u64::from(key));
        let before = if after == 0 { self.ring.len().checked_sub(1)? } else { after - 1 };
        let point = |index: usize| self.ring.point(index).map(|(hash, host)| (hash as u32, host));
        let back = key.wrapping_sub(point(before)?.0);
        let ahead = point(after)?.0.wrapping_sub(key);
        let start = if back <= ahead { before } else { after };
        let fits = |host: usize| {
            let active = hosts.list().get(host).map_or(0, |host| u64::from(host.active));
            avoid != Some(host) && (self.factor == 0 || active < self.slots(hosts, host))
        };
        let circle = (start..start + self.ring.len()).filter_map(point).map(|(_, host)| host);
        // Somebody is below its slots; but it may be the one to avoid.
        circle
            .into_iter()
            .find(|host| fits(*host))
            .or_else(|| self.ring.points().last().map(|(_, host)| host))
    }

    /// Without a key the points are taken in turn.
    fn turn(&mut self) -> Option<usize> {
        let next = self.last.map_or(0, |hash| self.ring.at_or_after(hash + 1));
        let (hash, host) = self.ring.point(next)?;
        self.last = Some(hash);
        Some(host)
    }

    fn refresh(&mut self, hosts: &Hosts) {
        if self.built_for == Some(hosts.revision()) {
            return;
        }
        self.built_for = Some(hosts.revision());
        self.ring.clear();
        self.before.clear();
        self.before.push(0);
        let mut sum = 0;
        for (id, (index, host)) in (1..=self.ids).zip(hosts.list().iter().enumerate()) {
            let points = if host.eligible { host.weight.min(MAX_WEIGHT) * POINTS_PER_WEIGHT } else { 0 };
            for point in 0..points {
                let key = id.wrapping_mul(IDS_PER_SERVER).wrapping_add(point);
                self.ring.add(u64::from(full_hash(key)), index);
            }
            sum += u64::from(points);
            self.before.push(sum);
        }
        self.ring.sort();
    }
}

impl Balancer for BoundedLoad {
    fn pick(&mut self, hosts: &Hosts, request: Request, _: &mut Stream) -> Option<usize> {
        if let Some(key) = request.key {
            return self.choose(hosts, key as u32, None);
        }
        self.refresh(hosts);
        self.turn()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_nearest_point_wins_and_the_earlier_of_two_as_near() {
        let (hosts, mut lb) = (Hosts::new([1; 4]), BoundedLoad::new(4, 0));
        lb.refresh(&hosts);
        let points: Vec<(u32, usize)> = lb.ring.points().map(|(hash, host)| (hash as u32, host)).collect();
        assert_eq!(points.len(), 64);
        for ((left, a), (right, b)) in points.iter().zip(&points[1..]) {
            let half = left + (right - left) / 2;
            assert_eq!(lb.choose(&hosts, half, None), Some(*a), "{left} {half} {right}");
            // One further is nearer to the right, or, at odd distances, nearer still.
            assert_eq!(lb.choose(&hosts, half + 1, None), Some(*b));
        }
    }

    #[test]
    fn without_a_key_the_points_are_taken_in_turn() {
        let (hosts, mut lb) = (Hosts::new([1, 3]), BoundedLoad::new(2, 125));
        let mut random = Stream::new(1, 0, "test", "turns");
        let picks = (0..64).filter_map(|_| lb.pick(&hosts, Request::default(), &mut random));
        assert_eq!(picks.filter(|host| *host == 0).count(), 16);
    }

    #[test]
    fn a_lone_host_cannot_be_avoided() {
        assert_eq!(BoundedLoad::new(1, 125).choose(&Hosts::new([1]), 7, Some(0)), Some(0));
        assert_ne!(BoundedLoad::new(2, 125).choose(&Hosts::new([1, 1]), 7, Some(0)), Some(0));
    }

    proptest! {
        #[test]
        fn the_bound_is_never_exceeded_and_the_slots_add_up(
            keys in prop::collection::vec(0u32..4, 1..200),
            weights in prop::collection::vec(1u32..5, 1..8),
            factor in 101u32..200,
            ends in prop::collection::vec(0usize..8, 1..100),
        ) {
            let mut hosts = Hosts::new(weights.iter().copied());
            let mut lb = BoundedLoad::new(weights.len(), factor);
            let mut ends = ends.iter().cycle();
            for (turn, key) in keys.iter().enumerate() {
                let host = lb.choose(&hosts, key << 30, None).expect("there are hosts");
                prop_assert!(u64::from(hosts.list()[host].active) < lb.slots(&hosts, host));
                let sum: u64 = (0..weights.len()).map(|host| lb.slots(&hosts, host)).sum();
                let total = ((u64::from(hosts.active()) + 1) * u64::from(factor)).div_ceil(100);
                // Exact, but for those that get one where they have none.
                prop_assert!(sum >= total && sum < total + weights.len() as u64);
                hosts.begin(host);
                if turn % 3 == 2 {
                    ends.next().into_iter().for_each(|host| hosts.end(*host));
                }
            }
        }
    }
}
