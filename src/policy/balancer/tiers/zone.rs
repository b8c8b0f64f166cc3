//! Zone-aware routing: near hosts first, as far as that is fair to the other zones.

use super::super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "zone_aware",
    summary: "requests stay in their zone as far as its share of hosts allows (Envoy)",
    page: include_str!("zone_aware.md"),
};

/// Shares are counted in ten thousandths.
const WHOLE: u64 = 10_000;

/// Hosts in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Which zone, by any number of the caller's.
    pub zone: u32,
    /// Healthy hosts there.
    pub hosts: u64,
}

/// How zones are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneAware {
    /// Healthy upstream hosts below which zones are ignored. Default 6.
    pub min_cluster_size: u64,
    /// Percent of requests that heed zones. Default 100.
    pub routing_enabled: u64,
    /// Whether everything stays in the zone whatever its share. Default false.
    pub force_locality_direct_routing: bool,
}

impl Default for ZoneAware {
    fn default() -> Self {
        Self { min_cluster_size: 6, routing_enabled: 100, force_locality_direct_routing: false }
    }
}

/// Why zones are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// The callee is in fewer than two zones.
    OneUpstreamZone,
    /// The callers are in fewer than two zones.
    OneLocalZone,
    /// No caller is known in this caller's own zone.
    NotAmongCallers,
    /// Fewer healthy hosts than `min_cluster_size`.
    ClusterTooSmall,
}

/// How requests go, worked out when hosts change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneRouting {
    /// Zones are ignored.
    Off(Off),
    /// Everything to the own zone.
    Direct,
    /// A share to the own zone, the rest to zones with capacity to spare.
    Residual {
        /// Of ten thousand requests so many stay.
        stay: u64,
        /// What the zones have to spare, summed up to and with each.
        capacity: Vec<u64>,
    },
}

/// The share of each upstream zone in callers and callees.
fn shares(local: &[Zone], upstream: &[Zone]) -> impl Iterator<Item = (u64, u64)> {
    let total = |zones: &[Zone]| zones.iter().map(|zone| zone.hosts).sum::<u64>();
    let (asking, serving) = (total(local), total(upstream));
    upstream.iter().map(move |zone| {
        if zone.hosts == 0 {
            return (0, 0);
        }
        let here = local.iter().find(|other| other.zone == zone.zone).map_or(0, |zone| zone.hosts);
        let share = |hosts: u64, total: u64| (WHOLE * hosts).checked_div(total).unwrap_or(0);
        (share(here, asking), share(zone.hosts, serving))
    })
}

impl ZoneAware {
    /// From where the callers are (`local`, of which the one in zone `own` asks) and where the callee's
    /// healthy hosts are. If the callee is in the own zone, that must be the first of `upstream`.
    ///
    /// ```
    /// use loadpath::policy::balancer::tiers::{Zone, ZoneAware, ZoneRouting};
    /// let zone = |zone, hosts| Zone { zone, hosts };
    /// // 40% of the callers but 25% of the callees are here: 62.5% may stay.
    /// let asking = [zone(0, 4), zone(1, 4), zone(2, 2)];
    /// let serving = [zone(0, 2), zone(1, 4), zone(2, 2)];
    /// let routing = ZoneAware::default().plan(0, &asking, &serving);
    /// assert_eq!(routing, ZoneRouting::Residual { stay: 6_250, capacity: vec![0, 1_000, 1_500] });
    /// ```
    pub fn plan(&self, own: u32, local: &[Zone], upstream: &[Zone]) -> ZoneRouting {
        if let Some(off) = self.off(own, local, upstream) {
            return ZoneRouting::Off(off);
        }
        let here = upstream.first().is_some_and(|zone| zone.zone == own);
        let (mine, theirs) = shares(local, upstream).next().unwrap_or((0, 0));
        if here && ((theirs > 0 && theirs >= mine) || self.force_locality_direct_routing) {
            return ZoneRouting::Direct;
        }
        let stay = if here { (theirs * WHOLE).checked_div(mine).unwrap_or(0) } else { 0 };
        let mut sum = 0;
        let capacity = shares(local, upstream)
            .enumerate()
            .map(|(index, (mine, theirs))| {
                if !(here && index == 0) {
                    sum += theirs.saturating_sub(mine);
                }
                sum
            })
            .collect();
        ZoneRouting::Residual { stay, capacity }
    }

    fn off(&self, own: u32, local: &[Zone], upstream: &[Zone]) -> Option<Off> {
        let healthy: u64 = upstream.iter().map(|zone| zone.hosts).sum();
        let known = local.iter().any(|zone| zone.zone == own && zone.hosts > 0);
        if upstream.len() < 2 {
            Some(Off::OneUpstreamZone)
        } else if local.len() < 2 && !self.force_locality_direct_routing {
            Some(Off::OneLocalZone)
        } else if !known {
            Some(Off::NotAmongCallers)
        } else {
            (healthy < self.min_cluster_size).then_some(Off::ClusterTooSmall)
        }
    }

    /// Whether this request heeds zones; `draw(n)` is a number below n. It must not while the callers'
    /// own level panics.
    pub fn heeds(&self, draw: impl FnOnce(u64) -> u64) -> bool {
        self.routing_enabled >= 100 || draw(100) < self.routing_enabled
    }
}

impl ZoneRouting {
    /// The place in `upstream` of the zone a request goes to; `None`: zones are ignored. `draw(n)` is a
    /// number below n.
    pub fn choose(&self, mut draw: impl FnMut(u64) -> u64) -> Option<usize> {
        let (stay, capacity) = match self {
            Self::Off(_) => return None,
            Self::Direct => return Some(0),
            Self::Residual { stay, capacity } => (*stay, capacity),
        };
        if draw(WHOLE) < stay {
            return Some(0);
        }
        match capacity.last().copied().unwrap_or(0) {
            // Only by rounding: any zone.
            0 => Some(draw(capacity.len() as u64) as usize),
            spare => {
                let mark = draw(spare);
                Some(capacity.partition_point(|end| *end <= mark))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(hosts: &[(u32, u64)]) -> Vec<Zone> {
        hosts.iter().map(|(zone, hosts)| Zone { zone: *zone, hosts: *hosts }).collect()
    }

    fn chosen(routing: &ZoneRouting, draws: &[u64]) -> Option<usize> {
        let mut draws = draws.iter();
        routing.choose(|n| draws.next().expect("a draw") % n)
    }

    /// `round_robin_lb_test.cc`, *`ZoneAwareResidualsMismatched`*.
    #[test]
    fn zones_with_callers_but_no_callees_do_not_shift_the_others() {
        let local = zones(&[(0, 2), (1, 2), (2, 1), (3, 1)]);
        let upstream = zones(&[(0, 1), (2, 3), (3, 3), (4, 1)]);
        let routing = ZoneAware::default().plan(0, &local, &upstream);
        for (draws, zone) in [
            (vec![0], 0),
            (vec![3749], 0),
            (vec![3750, 0], 1),
            (vec![3750, 2083], 1),
            (vec![9999, 2084], 2),
            (vec![9999, 4167], 2),
            (vec![9999, 4168], 3),
            (vec![9999, 5417], 3),
            (vec![9999, 5418], 1),
        ] {
            assert_eq!(chosen(&routing, &draws), Some(zone), "{draws:?}");
        }
    }

    /// The same file, *`ZoneAwareZonesMismatched`*, *`ZoneAwareSmallCluster`*.
    #[test]
    fn a_zone_without_callees_sends_where_there_is_room() {
        let small = ZoneAware { min_cluster_size: 2, ..ZoneAware::default() };
        let upstream = zones(&[(0, 1), (2, 1)]);
        assert_eq!(small.plan(0, &zones(&[(0, 1), (1, 1)]), &upstream), ZoneRouting::Direct);
        let elsewhere = small.plan(1, &zones(&[(1, 1), (0, 1)]), &upstream);
        assert_eq!(chosen(&elsewhere, &[0, 0]), Some(1));
        assert_eq!(chosen(&elsewhere, &[0, 4999]), Some(1));
        let off = |own, local: &[(u32, u64)], upstream: &[(u32, u64)]| {
            ZoneAware::default().plan(own, &zones(local), &zones(upstream))
        };
        let wide = [(0, 4), (1, 4)];
        assert_eq!(off(0, &wide, &[(0, 1), (1, 1)]), ZoneRouting::Off(Off::ClusterTooSmall));
        assert_eq!(off(0, &wide, &[(0, 8)]), ZoneRouting::Off(Off::OneUpstreamZone));
        assert_eq!(off(0, &[(0, 2)], &wide), ZoneRouting::Off(Off::OneLocalZone));
        assert_eq!(off(3, &wide, &wide), ZoneRouting::Off(Off::NotAmongCallers));
        assert_eq!(off(3, &wide, &wide).choose(|_| 0), None);
    }

    #[test]
    fn forced_everything_stays() {
        let forced = ZoneAware { force_locality_direct_routing: true, ..ZoneAware::default() };
        let routing = forced.plan(0, &zones(&[(0, 9)]), &zones(&[(0, 1), (1, 9)]));
        assert_eq!(routing, ZoneRouting::Direct);
        assert!(!ZoneAware { routing_enabled: 98, ..ZoneAware::default() }.heeds(|_| 98));
    }
}
