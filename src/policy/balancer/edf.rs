//! Earliest deadline first: Envoy's weighted schedule, and when Envoy builds it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::{Host, Hosts, SlowStart, Time};

/// Envoy adds it to every weight when a schedule begins ahead, so that rounding does not reorder hosts
/// whose weights are multiples of each other. A schedule that begins at the beginning needs none: ties
/// are as Envoy had them before it began ahead (2024).
const NUDGE: f64 = 1e-13;
/// A schedule is begun at most so many picks ahead (Envoy: a tenth of 2³²).
const MOST_PICKS: u64 = 429_496_729;

/// A schedule: each pick has the earliest deadline, and its next one is 1/weight later.
///
/// Weights are read when a host is put back, and need not be whole. Equal deadlines are served in the
/// order in which they were set. O(log n) per pick.
///
/// ```
/// use loadpath::policy::balancer::Edf;
/// let weights = [1.0, 2.0];
/// let mut schedule = Edf::ahead(weights.into_iter().enumerate(), 0);
/// let picks: Vec<_> = (0..6).filter_map(|_| schedule.pick(|host| weights[host])).collect();
/// assert_eq!(picks, [1, 0, 1, 1, 0, 1]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Edf {
    now: f64,
    order: u64,
    queue: BinaryHeap<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    deadline: f64,
    order: u64,
    host: usize,
    weight: f64,
}

impl Ord for Entry {
    /// The earliest deadline is the greatest, then the one set first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.deadline.total_cmp(&self.deadline).then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl Edf {
    /// A schedule of these hosts (with weights above zero) from which so many picks have been made.
    pub fn ahead(weights: impl Iterator<Item = (usize, f64)>, picks: u64) -> Self {
        let mut schedule = Self::default();
        schedule.restart(weights, picks);
        schedule
    }

    /// Begins anew; keeps its memory.
    pub fn restart(&mut self, weights: impl Iterator<Item = (usize, f64)>, picks: u64) {
        // Envoy keeps the low 32 bits of the number it draws.
        let picks = (picks & u64::from(u32::MAX)) % MOST_PICKS;
        let mut entries = std::mem::take(&mut self.queue).into_vec();
        entries.clear();
        let entry = |(order, (host, weight)): (usize, (usize, f64))| Entry {
            deadline: 0.0,
            order: order as u64,
            host,
            weight,
        };
        entries.extend(weights.enumerate().map(entry));
        self.now = 0.0;
        self.order = entries.len() as u64;
        // Each host has had at least its share of the picks, rounded down; the few that are left over are
        // made one after the other.
        let nudge = if picks == 0 { 0.0 } else { NUDGE };
        let total: f64 = entries.iter().map(|entry| entry.weight + nudge).sum();
        let mut made = 0;
        for entry in &mut entries {
            let weight = entry.weight + nudge;
            let mut share = (weight * picks as f64 / total) as u64;
            if share > 0 && share as f64 / weight >= picks as f64 / total {
                share -= 1;
            }
            entry.deadline = (share + 1) as f64 / weight;
            self.now = self.now.max(share as f64 / weight);
            made += share;
        }
        self.queue = BinaryHeap::from(entries);
        for _ in made..picks {
            if self.again(|entry| entry.weight).is_none() {
                break;
            }
        }
    }

    /// The host whose turn it is; `weight(host)` is what it weighs now.
    pub fn pick(&mut self, weight: impl FnOnce(usize) -> f64) -> Option<usize> {
        self.again(|entry| weight(entry.host))
    }

    fn again(&mut self, weight: impl FnOnce(&Entry) -> f64) -> Option<usize> {
        let mut top = self.queue.peek_mut()?;
        self.now = top.deadline;
        top.weight = weight(&top);
        top.deadline = self.now + 1.0 / top.weight;
        top.order = self.order;
        self.order += 1;
        let host = top.host;
        // Sinks to its new place.
        drop::<PeekMut<Entry>>(top);
        Some(host)
    }

    /// How many hosts take turns.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nobody does.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// When Envoy uses a schedule: with two hosts or more whose weights differ, or of which one is in its
/// slow start, or where it is forced; judged when membership changes, not at each pick.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    edf: Edf,
    seed: u64,
    seen: Option<u64>,
    /// The revision up to which weights are known to be equal.
    equal_at: Option<u64>,
}

impl Schedule {
    pub(super) fn starting_at(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Builds it, or finds that it is not needed.
    pub(super) fn refresh(&mut self, hosts: &Hosts, needed: bool, weight: impl Fn(&Host) -> f64) {
        self.seen = Some(hosts.membership());
        self.equal_at = None;
        let mut members = hosts.list().iter().enumerate().filter(|(_, host)| host.eligible);
        let first = members.next().map(|(_, host)| host.weight);
        let differ = members.any(|(_, host)| Some(host.weight) != first);
        if hosts.eligible() > 1 && (needed || differ) {
            let members = hosts.list().iter().enumerate().filter(|(_, host)| host.eligible);
            self.edf.restart(members.map(|(index, host)| (index, weight(host))), self.seed);
        } else {
            self.edf.restart(std::iter::empty(), 0);
            self.equal_at = Some(hosts.revision());
        }
    }

    /// Whether it is out of date. A weight alone makes it so only where there was no schedule.
    pub(super) fn is_stale(&self, hosts: &Hosts) -> bool {
        self.seen != Some(hosts.membership()) || self.equal_at.is_some_and(|at| at != hosts.revision())
    }

    /// The next turn; `None` where there is no schedule.
    pub(super) fn pick(&mut self, hosts: &Hosts, weight: impl Fn(&Host) -> f64) -> Option<usize> {
        self.edf.pick(|index| hosts.list().get(index).map_or(1.0, weight))
    }
}

/// Whether a host is in its slow start.
pub(super) fn any_young(slow_start: Option<SlowStart>, hosts: &Hosts, now: Time) -> bool {
    let young = |slow: SlowStart| hosts.list().iter().any(|host| host.eligible && slow.is_young(host, now));
    slow_start.is_some_and(young)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_schedule_begun_ahead_goes_on_as_if_it_had_made_those_picks() {
        // Weights whose deadlines never fall together, so that no tie is left to rounding.
        let weights = [1.4137, 2.7191, 3.1443, 0.5772];
        for ahead in 0..200 {
            let mut slow = Edf::ahead(weights.into_iter().enumerate(), 0);
            (0..ahead).for_each(|_| {
                slow.pick(|host| weights[host]);
            });
            let mut fast = Edf::ahead(weights.into_iter().enumerate(), ahead);
            for _ in 0..50 {
                assert_eq!(slow.pick(|host| weights[host]), fast.pick(|host| weights[host]), "{ahead}");
            }
        }
        assert_eq!(Edf::ahead(std::iter::empty(), 7).pick(|_| 1.0), None);
    }

    proptest! {
        #[test]
        fn over_cycles_each_gets_its_weight(
            weights in prop::collection::vec(1u32..20, 1..10),
            ahead in any::<u64>(),
        ) {
            let weight = |host: usize| f64::from(weights[host]);
            let mut schedule = Edf::ahead((0..weights.len()).map(|host| (host, weight(host))), ahead);
            let cycles = 10;
            let mut counts = vec![0i64; weights.len()];
            for _ in 0..cycles * weights.iter().sum::<u32>() {
                counts[schedule.pick(weight).expect("somebody")] += 1;
            }
            for (count, weight) in counts.iter().zip(&weights) {
                let share = i64::from(cycles * weight);
                // At most one turn early or late: rounding may swap equal deadlines.
                prop_assert!((count - share).abs() <= 1, "{counts:?} for {weights:?}");
            }
        }
    }
}
