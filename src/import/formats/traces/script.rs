//! In which order an endpoint calls, and what at the same time.

use super::tally::{Callee, Endpoint, Slot};

/// Calls that an endpoint makes at one time: one, or several in parallel.
#[derive(Debug, PartialEq)]
pub struct Group {
    /// Which of its calls.
    pub slots: Vec<usize>,
    /// How often one after another.
    pub times: u64,
}

/// The calls of an endpoint, in order.
pub fn groups(endpoint: &Endpoint) -> Vec<Group> {
    let slot = |at: usize| endpoint.slots.get(at);
    let start = |at: usize| slot(at).map_or(0.0, |s| s.start_ns as f64 / s.visits.max(1) as f64);
    let mut order: Vec<usize> = (0..endpoint.slots.len()).collect();
    order.sort_by(|a, b| start(*a).total_cmp(&start(*b)));
    let (waited, left): (Vec<_>, Vec<_>) = order.into_iter().partition(|at| slot(*at).is_some_and(waited));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for at in waited {
        match groups.last_mut().filter(|group| joins(endpoint, group, at)) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups.extend(left.into_iter().map(|at| vec![at]));
    let first = |group: &Vec<usize>| group.first().map_or(0.0, |at| start(*at));
    groups.sort_by(|a, b| first(a).total_cmp(&first(b)));
    repeated(endpoint, groups)
}

/// Whether the endpoint goes on after a call, more often than not.
pub const fn waited(slot: &Slot) -> bool {
    slot.left * 2 <= slot.visits && !matches!(slot.callee, Callee::Channel(_))
}

/// Whether a call belongs to those before it: it runs at the same time as one of them. If not as all (one of two
/// lines of work has two calls), what comes nearer to the time it all takes.
fn joins(endpoint: &Endpoint, group: &[usize], at: usize) -> bool {
    let with = group.iter().filter(|other| endpoint.parallel(**other, at)).count();
    if with == 0 || with == group.len() {
        return with > 0;
    }
    let mean = |at: usize| {
        let slot = endpoint.slots.get(at)?;
        let visits = slot.visits.max(1) as f64;
        Some((slot.start_ns as f64 / visits, slot.length_ns as f64 / visits))
    };
    let (mut from, mut to, mut longest) = (f64::INFINITY, 0.0_f64, 0.0_f64);
    for (start, length) in group.iter().filter_map(|at| mean(*at)) {
        (from, to, longest) = (from.min(start), to.max(start + length), longest.max(length));
    }
    let Some((start, length)) = mean(at) else { return false };
    let all = to.max(start + length) - from.min(start);
    (longest.max(length) - all).abs() <= (longest + length - all).abs()
}

/// The same call several times in a row, as often as each other, is one that is repeated.
fn repeated(endpoint: &Endpoint, groups: Vec<Vec<usize>>) -> Vec<Group> {
    let mut all: Vec<Group> = Vec::new();
    for slots in groups {
        if let ([at], Some(Group { slots: last, times })) = (slots.as_slice(), all.last_mut())
            && let [before] = last.as_slice()
            && same(endpoint, *before, *at)
        {
            *times += 1;
        } else {
            all.push(Group { slots, times: 1 });
        }
    }
    all
}

/// Whether two calls are of the same, in as good as the same number of visits.
fn same(endpoint: &Endpoint, a: usize, b: usize) -> bool {
    let (Some(a), Some(b)) = (endpoint.slots.get(a), endpoint.slots.get(b)) else { return false };
    let more = |slot: &Slot| slot.further > 0;
    a.callee == b.callee
        && a.visits.abs_diff(b.visits) * 50 <= a.visits
        && !more(a)
        && !more(b)
        && waited(a) == waited(b)
}
