//! nginx `random two least_conn`: two different servers drawn by weight.

use super::{
    BalancerInfo, Hosts, NginxBalancer, Peers, PolicyInfo, Request, Settings, Stream, Tier, Time,
    WeightedRoundRobin,
};

/// Draws in vain per request after which nginx falls back on round robin.
const MAX_TRIES: u32 = 20;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "random_two",
        summary: "the less loaded of two different hosts drawn by weight (nginx)",
        page: include_str!("random_two.md"),
    },
    build: |hosts, settings| Box::new(RandomTwo::with(hosts, settings)),
};

/// Two draws, failures and backups as in [`WeightedRoundRobin`].
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::balancer::{Hosts, RandomTwo, Settings};
/// let (hosts, mut lb) = (Hosts::new([5, 1]), RandomTwo::with(2, &Settings::default()));
/// // Draws 0..5 are host 0, draw 5 is host 1; both are idle, and the second stays.
/// let mut draws = [0, 4, 5].into_iter();
/// let picked = lb.choose(&hosts, Time::ZERO, &[], |_| draws.next().unwrap_or(0));
/// assert_eq!(picked.map(|(host, _)| host), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomTwo {
    turns: WeightedRoundRobin,
    /// Where the share of each host ends.
    ends: Vec<u64>,
    seen: Option<u64>,
}

impl RandomTwo {
    /// Reads `max_fails` and `fail_timeout`.
    pub fn with(hosts: usize, settings: &Settings) -> Self {
        Self { turns: WeightedRoundRobin::with(hosts, settings), ends: Vec::with_capacity(hosts), seen: None }
    }

    /// The choice of a request that has been at `tried`; `draw(n)` is a number below n.
    pub fn choose(
        &mut self,
        hosts: &Hosts,
        now: Time,
        tried: &[usize],
        mut draw: impl FnMut(u64) -> u64,
    ) -> Option<(usize, Tier)> {
        let total = self.shares(hosts);
        let mut first: Option<usize> = None;
        let mut in_vain = 0;
        while total > 0 && hosts.list().len() > 1 && in_vain <= MAX_TRIES {
            let drawn = draw(total);
            let index = self.ends.partition_point(|end| *end <= drawn);
            let peers = self.turns.peers_mut();
            if first == Some(index) || !peers.takes(hosts, index, Tier::Primary, now, tried) {
                in_vain += 1;
                continue;
            }
            let Some(other) = first else {
                first = Some(index);
                continue;
            };
            let chosen = if busier(hosts, index, other) { other } else { index };
            peers.chosen(hosts.list(), chosen, now);
            return Some((chosen, Tier::Primary));
        }
        self.turns.turn(hosts, now, tried)
    }

    /// Cuts 0..total by the weights of the primaries, down or not.
    fn shares(&mut self, hosts: &Hosts) -> u64 {
        if self.seen != Some(hosts.revision()) {
            self.seen = Some(hosts.revision());
            self.ends.clear();
            let mut end = 0;
            self.ends.extend(hosts.list().iter().map(|host| {
                end += if host.backup { 0 } else { u64::from(host.weight) };
                end
            }));
        }
        self.ends.last().copied().unwrap_or(0)
    }
}

/// Whether the one has more requests for its weight than the other.
fn busier(hosts: &Hosts, one: usize, other: usize) -> bool {
    let (Some(one), Some(other)) = (hosts.list().get(one), hosts.list().get(other)) else {
        return false;
    };
    u64::from(one.active) * u64::from(other.weight) > u64::from(other.active) * u64::from(one.weight)
}

impl NginxBalancer for RandomTwo {
    fn place(
        &mut self,
        hosts: &Hosts,
        request: Request,
        tried: &[usize],
        random: &mut Stream,
    ) -> Option<usize> {
        self.choose(hosts, request.now, tried, |n| random.below(n)).map(|(host, _)| host)
    }

    fn memory(&mut self) -> &mut Peers {
        self.turns.peers_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::balancer::Balancer;

    #[test]
    fn the_less_loaded_for_its_weight_and_never_the_same_twice() {
        let (mut hosts, mut lb) = (Hosts::new([1, 1]), RandomTwo::with(2, &Settings::default()));
        let mut random = Stream::new(1, 0, "test", "two");
        hosts.begin(1);
        // With two hosts both are always drawn: the idle one wins every time, in Envoy 3 of 4 times.
        let mut pick = |hosts: &Hosts| lb.pick(hosts, Request::default(), &mut random);
        assert!((0..200).all(|_| pick(&hosts) == Some(0)));
        hosts.set_weight(1, 3);
        hosts.begin(0);
        assert!((0..200).all(|_| pick(&hosts) == Some(1)));
        hosts.set_eligible(1, false);
        assert_eq!(pick(&hosts), Some(0));
    }

    /// As seen on nginx 1.22: the second of two idle hosts stays, so a heavy one gets the least.
    #[test]
    fn idle_heavy_hosts_get_less() {
        let (hosts, mut lb) = (Hosts::new([5, 1, 1]), RandomTwo::with(3, &Settings::default()));
        let mut random = Stream::new(1, 0, "test", "heavy");
        let mut counts = [0u32; 3];
        for _ in 0..70_000 {
            counts[lb.pick(&hosts, Request::default(), &mut random).expect("a host")] += 1;
        }
        // P(second is 0) = 2 · 1/7 · 5/6 = 5/21, but for the rare fall-back on round robin.
        assert!((f64::from(counts[0]) / 70_000.0 - 5.0 / 21.0).abs() < 0.01, "{counts:?}");
        assert!(counts[0] < counts[1]);
    }
}
