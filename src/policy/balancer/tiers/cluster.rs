//! Priorities, panic and a balancer, put together.

use super::super::{Balancer, BalancerInfo, Finished, Hosts, Request, Settings, Stream};
use super::{Level, Priorities, Rules, Source, Target};

/// The health of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Gets requests.
    #[default]
    Healthy,
    /// Gets requests when healthy hosts do not suffice.
    Degraded,
    /// Gets requests on panic only.
    Unhealthy,
    /// Not checked yet: gets requests on panic only, and does not count as unhealthy.
    Excluded,
}

/// What became of a pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// A host, and why it: its level, and whether healthy, degraded or picked in panic.
    Host {
        /// Numbered over all levels in order.
        host: usize,
        /// The level and the hosts it was picked among.
        target: Target,
    },
    /// The level in question has no host that may be picked.
    NoHost,
    /// The level panics, and panic means failure.
    FailedOnPanic,
}

/// One caller's balancing over priority levels: a balancer for the healthy, the degraded and all hosts of
/// each, as in Envoy.
pub struct Cluster {
    groups: Vec<Group>,
    levels: Vec<Level>,
    priorities: Priorities,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("levels", &self.levels).finish_non_exhaustive()
    }
}

struct Group {
    first: usize,
    health: Vec<Health>,
    /// Healthy, degraded, all.
    views: [(Hosts, Box<dyn Balancer>); 3],
}

/// The place of a source in a group's views.
const fn place(source: Source) -> usize {
    match source {
        Source::Healthy => 0,
        Source::Degraded => 1,
        Source::Panic => 2,
    }
}

impl Cluster {
    /// Levels of hosts with these weights, all healthy.
    ///
    /// ```
    /// use loadpath::kernel::Stream;
    /// use loadpath::policy::balancer::tiers::{Cluster, Health, Rules, Selection};
    /// use loadpath::policy::balancer::{BALANCERS, Request, Settings};
    /// let round_robin = &BALANCERS[0];
    /// let mut cluster = Cluster::new(&[&[1], &[1]], round_robin, &Settings::default(), Rules::default());
    /// cluster.set_health(0, Health::Unhealthy);
    /// let picked = cluster.pick(Request::default(), &mut Stream::new(1, 0, "balancer", "web"));
    /// assert!(matches!(picked, Selection::Host { host: 1, target } if target.priority == 1));
    /// ```
    pub fn new(levels: &[&[u32]], balancer: &BalancerInfo, settings: &Settings, rules: Rules) -> Self {
        let mut first = 0;
        let groups: Vec<Group> = levels
            .iter()
            .map(|weights| {
                let view =
                    || (Hosts::new(weights.iter().copied()), (balancer.build)(weights.len(), settings));
                let mut views = [view(), view(), view()];
                (0..weights.len()).for_each(|host| views[1].0.set_eligible(host, false));
                let group = Group { first, health: vec![Health::Healthy; weights.len()], views };
                first += weights.len();
                group
            })
            .collect();
        let levels: Vec<Level> =
            levels.iter().map(|weights| Level::of(weights.len() as u64, weights.len() as u64)).collect();
        let priorities = Priorities::of(&levels, rules);
        Self { groups, levels, priorities }
    }

    /// The levels' shares and whether they panic.
    pub fn priorities(&self) -> &Priorities {
        &self.priorities
    }

    fn group(&mut self, host: usize) -> Option<(usize, usize)> {
        let index = self.groups.partition_point(|group| group.first <= host).checked_sub(1)?;
        let within = host - self.groups.get(index)?.first;
        (within < self.groups.get(index)?.health.len()).then_some((index, within))
    }

    /// A host's health changed.
    pub fn set_health(&mut self, host: usize, health: Health) {
        let Some((index, within)) = self.group(host) else { return };
        let (Some(group), Some(level)) = (self.groups.get_mut(index), self.levels.get_mut(index)) else {
            return;
        };
        if let Some(known) = group.health.get_mut(within) {
            *known = health;
        }
        group.views[0].0.set_eligible(within, health == Health::Healthy);
        group.views[1].0.set_eligible(within, health == Health::Degraded);
        let count = |of| group.health.iter().filter(|health| **health == of).count() as u64;
        level.healthy = count(Health::Healthy);
        level.degraded = count(Health::Degraded);
        level.excluded = count(Health::Excluded);
        self.priorities.update(&self.levels);
    }

    /// Draws a level, then picks among its hosts.
    pub fn pick(&mut self, request: Request, random: &mut Stream) -> Selection {
        let draw = random.bits();
        self.pick_at(draw, request, random)
    }

    /// The same with the level's draw handed in.
    pub fn pick_at(&mut self, draw: u64, request: Request, random: &mut Stream) -> Selection {
        if self.groups.is_empty() {
            return Selection::NoHost;
        }
        let Some(target) = self.priorities.choose(draw) else {
            return Selection::FailedOnPanic;
        };
        let Some(group) = self.groups.get_mut(target.priority) else {
            return Selection::NoHost;
        };
        let (hosts, balancer) = &mut group.views[place(target.source)];
        match balancer.pick(hosts, request, random) {
            Some(host) => Selection::Host { host: group.first + host, target },
            None => Selection::NoHost,
        }
    }

    /// A request was sent to this host.
    pub fn begin(&mut self, host: usize) {
        if let Some((index, within)) = self.group(host)
            && let Some(group) = self.groups.get_mut(index)
        {
            group.views.iter_mut().for_each(|(hosts, _)| hosts.begin(within));
        }
    }

    /// A request to a host ended.
    pub fn end(&mut self, end: Finished) {
        if let Some((index, within)) = self.group(end.host)
            && let Some(group) = self.groups.get_mut(index)
        {
            for (hosts, balancer) in &mut group.views {
                hosts.end(within);
                balancer.finished(Finished { host: within, ..end });
            }
        }
    }
}
