//! Prequal: hosts are probed for load and latency ahead of the requests.

use super::{Balancer, BalancerInfo, Hosts, PolicyInfo, Request, Span, Stream, Time};

/// How many of the latest loads the quantile is taken over; the paper leaves it open.
const WINDOW: usize = 128;

pub(super) const INFO: BalancerInfo = BalancerInfo {
    about: PolicyInfo {
        name: "prequal",
        summary: "the fastest of the probed hosts that are not overloaded (YouTube, NSDI'24)",
        page: include_str!("prequal.md"),
    },
    build: |hosts, _| Box::new(Prequal::new(hosts, PrequalSettings::default())),
};

/// What a host said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Who answered.
    pub host: usize,
    /// When the answer arrived.
    pub now: Time,
    /// Requests in flight there, of all callers.
    pub in_flight: u32,
    /// The latency it expects at that load.
    pub latency: Span,
}

/// The knobs of the paper, with its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrequalSettings {
    /// Answers kept. Default 16.
    pub pool_size: usize,
    /// Probes sent per request. Default 3.
    pub probe_rate: f64,
    /// Answers removed per request, the oldest and the worst in turn. Default 1.
    pub remove_rate: f64,
    /// An answer older than this is dropped. Default 1 s.
    pub max_age: Span,
    /// Q: hosts above this quantile of requests in flight are hot. Default 2^−0.25, about 0.84.
    pub quantile: f64,
    /// δ: how fast the pool may grow, in answers per request. Default 1.
    pub delta: f64,
}

impl Default for PrequalSettings {
    fn default() -> Self {
        Self {
            pool_size: 16,
            probe_rate: 3.0,
            remove_rate: 1.0,
            max_age: Span::from_secs(1),
            quantile: 0.840_896_415_253_714_6,
            delta: 1.0,
        }
    }
}

/// An answer in the pool; the pool is in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pooled {
    probe: Probe,
    uses: u64,
}

/// The pool of one caller.
///
/// ```
/// use loadpath::kernel::{Span, Stream, Time};
/// use loadpath::policy::balancer::{Balancer, Hosts, Prequal, PrequalSettings, Probe, Request};
/// let (hosts, mut random) = (Hosts::new([1; 3]), Stream::new(1, 0, "balancer", "video"));
/// let mut lb = Prequal::new(3, PrequalSettings { quantile: 0.5, ..PrequalSettings::default() });
/// for (host, in_flight, millis) in [(0, 2, 40), (1, 2, 20), (2, 90, 1)] {
///     lb.probed(Probe { host, now: Time::ZERO, in_flight, latency: Span::from_millis(millis) });
/// }
/// assert_eq!(lb.pick(&hosts, Request::default(), &mut random), Some(1)); // 2 is hot, 0 is slower
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prequal {
    settings: PrequalSettings,
    hosts: usize,
    pool: Vec<Pooled>,
    /// The latest loads, in a circle and in order.
    recent: Vec<u32>,
    oldest: usize,
    sorted: Vec<u32>,
    /// Fractions carried over, so that rates and budgets come out right on average.
    probes_due: f64,
    removals_due: f64,
    uses_due: f64,
    worst_next: bool,
    targets: Vec<u64>,
}

impl Prequal {
    /// An empty pool.
    pub fn new(hosts: usize, settings: PrequalSettings) -> Self {
        Self {
            settings,
            hosts,
            pool: Vec::with_capacity(settings.pool_size + 1),
            recent: Vec::with_capacity(WINDOW),
            oldest: 0,
            sorted: Vec::with_capacity(WINDOW),
            probes_due: 0.0,
            removals_due: 0.0,
            uses_due: 0.0,
            worst_next: false,
            targets: Vec::new(),
        }
    }

    /// The answers in the pool, the oldest first, each with the uses it has left.
    pub fn pool(&self) -> impl Iterator<Item = (Probe, u64)> {
        self.pool.iter().map(|pooled| (pooled.probe, pooled.uses))
    }

    /// Above so many requests in flight a host is hot; `None` before the first answer.
    pub fn threshold(&self) -> Option<u32> {
        let rank = (self.settings.quantile * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1).min(self.sorted.len().saturating_sub(1))).copied()
    }

    /// How often an answer may be used on average: max(1, (1 + δ) / ((1 − m/n)·probes − removals)) with
    /// a pool of m and n hosts. Infinite where probes do not keep the pool filled.
    pub fn reuse(&self) -> f64 {
        let set = &self.settings;
        let fresh = 1.0 - set.pool_size as f64 / self.hosts.max(1) as f64;
        let gain = fresh * set.probe_rate - set.remove_rate;
        if gain > 0.0 { ((1.0 + set.delta) / gain).max(1.0) } else { f64::INFINITY }
    }

    /// Hot-cold lexicographic, from the best: the cold by latency, then the hot by load.
    fn rank(&self, index: usize) -> Option<(bool, u64)> {
        let (threshold, probe) = (self.threshold()?, self.pool.get(index)?.probe);
        let hot = probe.in_flight > threshold;
        Some((hot, if hot { u64::from(probe.in_flight) } else { probe.latency.nanos() }))
    }

    fn best(&self) -> Option<usize> {
        (0..self.pool.len()).min_by_key(|index| self.rank(*index))
    }

    fn worst(&self) -> Option<usize> {
        (0..self.pool.len()).max_by_key(|index| self.rank(*index))
    }

    fn remember(&mut self, load: u32) {
        if self.recent.len() < WINDOW {
            self.recent.push(load);
        } else if let Some(slot) = self.recent.get_mut(self.oldest) {
            let gone = std::mem::replace(slot, load);
            self.oldest = (self.oldest + 1) % WINDOW;
            let at = self.sorted.partition_point(|other| *other < gone);
            self.sorted.remove(at);
        }
        let at = self.sorted.partition_point(|other| *other < load);
        self.sorted.insert(at, load);
    }

    fn remove_due(&mut self) {
        self.removals_due += self.settings.remove_rate;
        while self.removals_due >= 1.0 {
            self.removals_due -= 1.0;
            let index = if self.worst_next { self.worst() } else { Some(0) };
            self.worst_next = !self.worst_next;
            if let Some(index) = index.filter(|index| *index < self.pool.len()) {
                self.pool.remove(index);
            }
        }
    }
}

impl Balancer for Prequal {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.hosts = hosts.eligible();
        let eligible = |host: usize| hosts.list().get(host).is_some_and(|host| host.eligible);
        let max_age = self.settings.max_age;
        self.pool
            .retain(|pooled| request.now.since(pooled.probe.now) <= max_age && eligible(pooled.probe.host));
        let picked = match self.best().filter(|_| self.pool.len() >= 2) {
            None => hosts.nth_eligible(random.below(self.hosts.max(1) as u64) as usize)?,
            Some(best) => {
                let pooled = self.pool.get_mut(best)?;
                // What has just been sent there is on top of what the host knew.
                pooled.probe.in_flight += 1;
                pooled.uses -= 1;
                let (host, used_up) = (pooled.probe.host, pooled.uses == 0);
                if used_up {
                    self.pool.remove(best);
                }
                host
            }
        };
        self.remove_due();
        Some(picked)
    }

    fn probe(&mut self, hosts: &Hosts, random: &mut Stream, send: &mut dyn FnMut(usize)) {
        self.probes_due += self.settings.probe_rate;
        let due = self.probes_due.floor();
        self.probes_due -= due;
        let n = hosts.eligible() as u64;
        // Floyd's sample: different hosts, each as likely.
        self.targets.clear();
        for last in n.saturating_sub(due as u64)..n {
            let drawn = random.below(last + 1);
            self.targets.push(if self.targets.contains(&drawn) { last } else { drawn });
        }
        self.targets.iter().filter_map(|target| hosts.nth_eligible(*target as usize)).for_each(send);
    }

    fn probed(&mut self, probe: Probe) {
        self.remember(probe.in_flight);
        self.pool.retain(|pooled| pooled.probe.host != probe.host);
        if self.settings.pool_size == 0 {
            return;
        }
        if self.pool.len() >= self.settings.pool_size {
            self.pool.remove(0);
        }
        let budget = self.reuse();
        let uses = if budget.is_finite() {
            self.uses_due += budget;
            let whole = self.uses_due.floor();
            self.uses_due -= whole;
            whole as u64
        } else {
            u64::MAX
        };
        self.pool.push(Pooled { probe, uses: uses.max(1) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draws() -> Stream {
        Stream::new(1, 0, "test", "prequal")
    }

    fn probe(host: usize, in_flight: u32, millis: u64) -> Probe {
        Probe { host, now: Time::ZERO, in_flight, latency: Span::from_millis(millis) }
    }

    fn lb(probes: &[Probe], settings: PrequalSettings) -> Prequal {
        let mut lb = Prequal::new(100, settings);
        for probe in probes {
            lb.probed(*probe);
        }
        lb
    }

    fn kept() -> PrequalSettings {
        PrequalSettings { remove_rate: 0.0, ..PrequalSettings::default() }
    }

    #[test]
    fn the_quantile_decides_what_counts() {
        let probes = [probe(0, 1, 50), probe(1, 3, 20), probe(2, 9, 5)];
        let picks = [0.0, 0.5, 1.0].map(|quantile| {
            let mut lb = lb(&probes, PrequalSettings { quantile, ..kept() });
            lb.pick(&Hosts::new([1; 3]), Request::default(), &mut draws())
        });
        // 0 looks at load only, 1 at latency only.
        assert_eq!(picks, [Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn one_answer_is_too_few_and_old_ones_and_lost_hosts_do_not_count() {
        let (mut hosts, old) =
            (Hosts::new([1; 3]), Request { now: Time::ZERO + Span::from_millis(1001), ..Request::default() });
        let mut expired = lb(&[probe(0, 0, 1), probe(1, 0, 2)], kept());
        let picks: Vec<_> = (0..60).filter_map(|_| expired.pick(&hosts, old, &mut draws())).collect();
        assert_eq!((picks.len(), expired.pool().count()), (60, 0));
        hosts.set_eligible(0, false);
        let mut gone = lb(&[probe(0, 0, 1), probe(1, 0, 2), probe(2, 0, 3)], kept());
        assert_eq!(gone.pick(&hosts, Request::default(), &mut draws()), Some(1));
    }

    #[test]
    fn sending_counts_as_load_until_the_next_answer() {
        let mut lb =
            lb(&[probe(0, 1, 5), probe(1, 1, 50)], PrequalSettings { quantile: 0.0, delta: 9.0, ..kept() });
        let hosts = Hosts::new([1; 2]);
        // At load 1 the faster; then it stands at 2 and is hot.
        let picks = [(); 2].map(|()| lb.pick(&hosts, Request::default(), &mut draws()));
        assert_eq!(picks, [Some(0), Some(1)]);
    }

    #[test]
    fn the_oldest_and_the_worst_go_in_turn() {
        let settings = PrequalSettings { probe_rate: 0.0, quantile: 0.5, ..PrequalSettings::default() };
        let mut lb = lb(&[probe(0, 1, 5), probe(1, 1, 9), probe(2, 9, 1), probe(3, 1, 7)], settings);
        let hosts = Hosts::new([1; 4]);
        lb.pick(&hosts, Request::default(), &mut draws());
        assert!(lb.pool().map(|(probe, _)| probe.host).eq([1, 2, 3]));
        // Host 3 takes this one and is hot with 2, but 2 has more.
        assert_eq!(lb.pick(&hosts, Request::default(), &mut draws()), Some(3));
        assert!(lb.pool().map(|(probe, _)| probe.host).eq([1, 3]));
    }

    #[test]
    fn the_papers_reuse_budget() {
        // (1 + 1) / ((1 − 16/100)·3 − 1) = 2 / 1.52
        let lb = lb(&[], PrequalSettings::default());
        assert!((lb.reuse() - 2.0 / 1.52).abs() < 1e-12);
        assert!(Prequal::new(10, PrequalSettings::default()).reuse().is_infinite());
    }

    proptest! {
        #[test]
        fn the_pool_keeps_its_bounds(
            steps in prop::collection::vec((0usize..30, 0u32..20, 0u64..100, 0u8..3), 1..300),
            pool_size in 0usize..6,
        ) {
            let hosts = Hosts::new([1; 30]);
            let mut lb = Prequal::new(30, PrequalSettings { pool_size, ..PrequalSettings::default() });
            let (mut random, mut sent, mut requests) = (draws(), 0, 0);
            let mut loads = Vec::new();
            for (host, load, millis, what) in steps {
                if what == 0 {
                    requests += 1;
                    prop_assert!(lb.pick(&hosts, Request::default(), &mut random).is_some());
                    let mut targets = Vec::new();
                    lb.probe(&hosts, &mut random, &mut |target| targets.push(target));
                    sent += targets.len();
                    targets.sort_unstable();
                    targets.dedup();
                    prop_assert_eq!(targets.len(), 3);
                } else {
                    lb.probed(probe(host, load, millis));
                    loads.push(load);
                }
                let mut members: Vec<usize> = lb.pool().map(|(probe, _)| probe.host).collect();
                members.sort_unstable();
                members.dedup();
                prop_assert!(members.len() == lb.pool().count() && members.len() <= pool_size);
                prop_assert!(lb.pool().all(|(_, uses)| uses > 0));
                let mut window: Vec<u32> = loads.iter().rev().take(WINDOW).copied().collect();
                window.sort_unstable();
                prop_assert_eq!(&lb.sorted, &window);
            }
            prop_assert_eq!(sent, 3 * requests);
        }
    }
}
