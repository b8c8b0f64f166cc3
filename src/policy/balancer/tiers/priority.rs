//! Priority levels and the panic threshold.

use super::super::PolicyInfo;

pub(super) const PRIORITIES: PolicyInfo = PolicyInfo {
    name: "priority_levels",
    summary: "lower levels take over what higher ones are too unhealthy for (Envoy)",
    page: include_str!("priority_levels.md"),
};

pub(super) const PANIC: PolicyInfo = PolicyInfo {
    name: "panic_threshold",
    summary: "with too few healthy hosts all are used (Envoy)",
    page: include_str!("panic_threshold.md"),
};

/// The hosts of one priority level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    /// All.
    pub hosts: u64,
    /// Healthy ones.
    pub healthy: u64,
    /// Degraded ones: used when healthy ones do not suffice.
    pub degraded: u64,
    /// Ones that do not count, because they have not been checked yet.
    pub excluded: u64,
    /// Their weights, where health counts by weight (Envoy `weighted_priority_health`).
    pub weights: Option<Weights>,
}

/// Sums of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weights {
    /// Of all hosts.
    pub hosts: u64,
    /// Of the healthy.
    pub healthy: u64,
    /// Of the degraded.
    pub degraded: u64,
    /// Of those that do not count.
    pub excluded: u64,
}

impl Level {
    /// So many hosts of which so many are healthy, none degraded.
    pub const fn of(hosts: u64, healthy: u64) -> Self {
        Self { hosts, healthy, degraded: 0, excluded: 0, weights: None }
    }

    /// Healthy and degraded availability, each 0..=100.
    fn availability(&self, factor: u64) -> (u64, u64) {
        let counted = Weights {
            hosts: self.hosts,
            healthy: self.healthy,
            degraded: self.degraded,
            excluded: self.excluded,
        };
        let by = self.weights.unwrap_or(counted);
        let total = by.hosts.saturating_sub(by.excluded);
        if self.hosts <= self.excluded {
            return (0, 0);
        }
        let share = |part: u64| (factor * part).checked_div(total).unwrap_or(0).min(100);
        (share(by.healthy), share(by.degraded))
    }

    /// Whether fewer than `threshold` percent of its hosts are healthy or degraded.
    pub fn is_below(&self, threshold: u64) -> bool {
        let counted = self.hosts.saturating_sub(self.excluded);
        if counted == 0 { threshold > 0 } else { 100 * (self.healthy + self.degraded) < threshold * counted }
    }
}

/// What is done on panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Panic {
    /// All hosts of the level are used, whatever their health.
    #[default]
    UseAll,
    /// No host is picked (Envoy `fail_traffic_on_panic`).
    Fail,
}

/// How levels share the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// What a level's healthy share is multiplied by, in percent. Default 140.
    pub overprovisioning_factor: u64,
    /// Percent of healthy or degraded hosts below which a level panics; 0: never. Default 50.
    pub healthy_panic_threshold: u64,
    /// What is done then. Default: all hosts.
    pub panic: Panic,
}

impl Default for Rules {
    fn default() -> Self {
        Self { overprovisioning_factor: 140, healthy_panic_threshold: 50, panic: Panic::UseAll }
    }
}

/// What one level gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Percent of the load that goes to its healthy hosts.
    pub healthy: u64,
    /// Percent that goes to its degraded hosts.
    pub degraded: u64,
    /// Whether it panics.
    pub panic: bool,
}

/// Which hosts of a level are picked among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Its healthy ones.
    Healthy,
    /// Its degraded ones.
    Degraded,
    /// All, because it panics.
    Panic,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The level, 0 the first.
    pub priority: usize,
    /// The hosts of it.
    pub source: Source,
}

/// The shares of all levels; healthy and degraded ones together are always 100.
///
/// ```
/// use loadpath::policy::balancer::tiers::{Level, Priorities, Rules};
/// // Half of each level is healthy: 1.4 · 50% = 70% stays in the first.
/// let levels = [Level::of(4, 2), Level::of(4, 2)];
/// let shares = Priorities::of(&levels, Rules::default());
/// assert_eq!(shares.list().iter().map(|share| share.healthy).collect::<Vec<_>>(), [70, 30]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Priorities {
    list: Vec<Share>,
    rules: Rules,
}

impl Priorities {
    /// Worked out for these levels, the first the most preferred.
    pub fn of(levels: &[Level], rules: Rules) -> Self {
        let mut shares = Self { list: Vec::with_capacity(levels.len()), rules };
        shares.update(levels);
        shares
    }

    /// Worked out anew after a change of health.
    pub fn update(&mut self, levels: &[Level]) {
        self.list.clear();
        self.list.resize(levels.len(), Share::default());
        let factor = self.rules.overprovisioning_factor;
        let sum = |of: fn((u64, u64)) -> u64| levels.iter().map(|l| of(l.availability(factor))).sum::<u64>();
        let (healthy, degraded) = (sum(|a| a.0), sum(|a| a.1));
        let available = (healthy + degraded).min(100);
        if available > 0 {
            self.share_out(levels, available);
        }
        let threshold = self.rules.healthy_panic_threshold.min(100);
        if threshold == 0 && available == 0 {
            // There is nobody, and no panic: the first level gets what cannot be served.
            self.give_first(100, |_| true);
            return;
        }
        for (share, level) in self.list.iter_mut().zip(levels) {
            share.panic = available < 100 && level.is_below(threshold);
        }
        if self.list.iter().all(|share| share.panic) {
            self.by_hosts(levels);
        }
    }

    /// As much as it can take to each level in turn, healthy hosts before degraded ones; what rounding
    /// leaves over to the first level that has any.
    fn share_out(&mut self, levels: &[Level], available: u64) {
        let factor = self.rules.overprovisioning_factor;
        let mut left = 100;
        for (share, level) in self.list.iter_mut().zip(levels) {
            share.healthy = (level.availability(factor).0 * 100 / available).min(left);
            left -= share.healthy;
        }
        for (share, level) in self.list.iter_mut().zip(levels) {
            share.degraded = (level.availability(factor).1 * 100 / available).min(left);
            left -= share.degraded;
        }
        let mut pairs = self.list.iter_mut().zip(levels);
        if let Some((share, _)) = pairs.find(|(_, level)| level.availability(factor).0 > 0) {
            share.healthy += left;
            return;
        }
        let mut pairs = self.list.iter_mut().zip(levels);
        if let Some((share, _)) = pairs.find(|(_, level)| level.availability(factor).1 > 0) {
            share.degraded += left;
        }
    }

    /// All levels panic: the load goes by their numbers of hosts.
    fn by_hosts(&mut self, levels: &[Level]) {
        let total: u64 = levels.iter().map(|level| level.hosts).sum();
        let mut left = 100;
        for (share, level) in self.list.iter_mut().zip(levels) {
            share.healthy = (100 * level.hosts).checked_div(total).unwrap_or(0);
            share.degraded = 0;
            left -= share.healthy;
        }
        self.give_first(left, |index| total == 0 || levels.get(index).is_some_and(|level| level.hosts > 0));
    }

    fn give_first(&mut self, load: u64, to: impl Fn(usize) -> bool) {
        if let Some((_, share)) = self.list.iter_mut().enumerate().find(|(index, _)| to(*index)) {
            share.healthy += load;
        }
    }

    /// The shares, level by level.
    pub fn list(&self) -> &[Share] {
        &self.list
    }

    /// Where a request goes; `draw` is any number, drawn per request. `None`: there is no level, or its
    /// panic means failure.
    pub fn choose(&self, draw: u64) -> Option<Target> {
        let mark = draw % 100;
        let mut end = 0;
        let healthy = self.list.iter().map(|share| (share.healthy, Source::Healthy)).enumerate();
        let degraded = self.list.iter().map(|share| (share.degraded, Source::Degraded)).enumerate();
        let (priority, source) = healthy.chain(degraded).find_map(|(priority, (load, source))| {
            end += load;
            (mark < end).then_some((priority, source))
        })?;
        let panic = self.list.get(priority).is_some_and(|share| share.panic);
        match (panic, self.rules.panic) {
            (true, Panic::Fail) => None,
            (true, Panic::UseAll) => Some(Target { priority, source: Source::Panic }),
            (false, _) => Some(Target { priority, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hosts, healthy, degraded, excluded.
    type Counts = (u64, u64, u64, u64);

    fn level((hosts, healthy, degraded, excluded): Counts) -> Level {
        Level { hosts, healthy, degraded, excluded, weights: None }
    }

    fn check(rules: Rules, levels: &[Counts], healthy: &[u64], degraded: &[u64], panic: bool) {
        let list: Vec<Level> = levels.iter().copied().map(level).collect();
        let shares = Priorities::of(&list, rules);
        assert_eq!(shares.list().iter().map(|s| s.healthy).collect::<Vec<_>>(), healthy, "{levels:?}");
        assert_eq!(shares.list().iter().map(|s| s.degraded).collect::<Vec<_>>(), degraded, "{levels:?}");
        assert!(shares.list().iter().all(|share| share.panic == panic), "{levels:?}");
    }

    /// `load_balancer_impl_base_test.cc`, *`GentleFailover`*, *`GentleFailoverWithExtraLevels`*, *`PrioritySelection`*.
    #[test]
    fn as_in_envoys_own_tests() {
        let (usual, calm) = (Rules::default(), Rules { healthy_panic_threshold: 0, ..Rules::default() });
        let expect = |levels: &[Counts], healthy: &[u64], degraded: &[u64], panic| {
            check(usual, levels, healthy, degraded, panic);
        };
        expect(&[(4, 1, 0, 3), (5, 1, 0, 0)], &[100, 0], &[0, 0], false);
        expect(&[(4, 0, 0, 4), (4, 1, 0, 0)], &[50, 50], &[0, 0], true);
        expect(&[(4, 0, 0, 1), (6, 1, 0, 2)], &[40, 60], &[0, 0], true);
        expect(&[(1, 0, 0, 0), (2, 0, 0, 0)], &[34, 66], &[0, 0], true);
        expect(&[(2, 1, 0, 0), (2, 1, 0, 0), (2, 1, 0, 0)], &[70, 30, 0], &[0; 3], false);
        expect(&[(4, 1, 0, 0), (4, 1, 0, 0), (4, 1, 0, 0)], &[35, 35, 30], &[0; 3], false);
        expect(&[(5, 1, 0, 0), (5, 1, 0, 0), (5, 1, 0, 0)], &[34, 33, 33], &[0; 3], true);
        expect(&[(5, 0, 0, 0), (5, 0, 0, 0), (5, 4, 0, 0)], &[0, 0, 100], &[0; 3], false);
        expect(&[(5, 0, 0, 0), (5, 0, 0, 0), (5, 2, 0, 0)], &[34, 33, 33], &[0; 3], true);
        expect(&[(5, 0, 5, 0), (5, 2, 2, 0), (5, 2, 0, 0)], &[0, 56, 44], &[0; 3], false);
        expect(&[(5, 0, 0, 0), (3, 0, 0, 0), (2, 0, 0, 0)], &[50, 30, 20], &[0; 3], true);
        expect(&[(5, 0, 0, 0), (6, 2, 0, 0), (3, 1, 0, 0)], &[37, 42, 21], &[0; 3], true);
        expect(&[(5, 0, 1, 0), (5, 0, 5, 0), (5, 1, 0, 0)], &[0, 0, 28], &[28, 44, 0], false);
        expect(&[(5, 0, 0, 0), (5, 0, 2, 0), (5, 0, 1, 0)], &[34, 33, 33], &[0; 3], true);
        expect(&[(0, 0, 0, 0), (6, 0, 0, 0), (3, 0, 0, 0)], &[0, 67, 33], &[0; 3], true);
        check(calm, &[(5, 0, 0, 0), (5, 0, 2, 0), (5, 0, 1, 0)], &[0; 3], &[0, 67, 33], false);
    }

    /// The same file, *`WeightedPriorityHealth`*, *…`Excluded`*, *…`Degraded`*.
    #[test]
    fn health_may_count_by_weight() {
        let rules = Rules { overprovisioning_factor: 100, ..Rules::default() };
        let weighted = |counts: Counts, (hosts, healthy, degraded, excluded): Counts| Level {
            weights: Some(Weights { hosts, healthy, degraded, excluded }),
            ..level(counts)
        };
        let first = Priorities::of(&[weighted((4, 2, 0, 0), (10, 6, 0, 0)), Level::of(1, 1)], rules);
        assert_eq!(first.list().iter().map(|s| s.healthy).collect::<Vec<_>>(), [60, 40]);
        let excluded = Priorities::of(&[weighted((3, 1, 0, 1), (20, 4, 0, 10)), Level::of(1, 1)], rules);
        assert_eq!(excluded.list().iter().map(|s| s.healthy).collect::<Vec<_>>(), [40, 60]);
        let levels = [weighted((4, 1, 1, 0), (10, 4, 3, 0)), weighted((2, 1, 1, 0), (10, 1, 9, 0))];
        let degraded = Priorities::of(&levels, rules);
        assert_eq!(degraded.list().iter().map(|s| s.healthy).collect::<Vec<_>>(), [40, 10]);
        assert_eq!(degraded.list().iter().map(|s| s.degraded).collect::<Vec<_>>(), [30, 20]);
    }

    proptest! {
        #[test]
        fn shares_sum_to_a_hundred_and_every_draw_has_its_place(
            counts in prop::collection::vec((0u64..50, 0u64..50, 0u64..50, 0u64..50), 1..10),
            threshold in 0u64..=100,
        ) {
            let levels: Vec<Level> = counts
                .into_iter()
                .map(|(healthy, degraded, excluded, rest)| {
                    level((healthy + degraded + excluded + rest, healthy, degraded, excluded))
                })
                .collect();
            let shares =
                Priorities::of(&levels, Rules { healthy_panic_threshold: threshold, ..Rules::default() });
            let sum: u64 = shares.list().iter().map(|share| share.healthy + share.degraded).sum();
            prop_assert_eq!(sum, 100);
            let mut counted = vec![Share::default(); levels.len()];
            for draw in 0..100 {
                let target = shares.choose(draw).expect("a level");
                let to = &mut counted[target.priority];
                match target.source {
                    Source::Degraded => to.degraded += 1,
                    Source::Healthy | Source::Panic => to.healthy += 1,
                }
            }
            for (share, counted) in shares.list().iter().zip(counted) {
                prop_assert_eq!(share.healthy + share.degraded, counted.healthy + counted.degraded);
            }
        }
    }
}
