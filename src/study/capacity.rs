//! How far a system goes: the highest load, or the fewest of something, at which everything that is expected holds.
//!
//! Expectations are judged with confidence, so there are two answers: how far they are shown to hold, and from
//! where on they are shown not to. What lies between is the uncertainty.

use crate::sim::{Compiled, Outcome, Verdict};

/// Which way it is looked for. What is looked for is taken to fail from some point on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// The highest value at which all holds.
    Highest,
    /// The lowest.
    Lowest,
}

/// A value that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The value: a factor, a rate, a number.
    pub value: f64,
    /// The worst verdict over all expectations.
    pub verdict: Verdict,
    /// The expectation that has it, as written, and what was observed.
    pub decisive: String,
    /// What was busiest.
    pub bottleneck: Option<Bottleneck>,
}

/// What keeps a system from going further.
#[derive(Debug, Clone, PartialEq)]
pub struct Bottleneck {
    /// A service or datastore.
    pub station: String,
    /// Busy share of its workers.
    pub utilization: f64,
    /// Requests waiting at all its instances.
    pub queue: f64,
}

/// How far it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The farthest value at which all is shown to hold; `None`: nowhere that was tried.
    pub holds: Option<Tried>,
    /// The nearest one beyond at which something is shown not to hold; `None`: nowhere that was tried.
    pub fails: Option<Tried>,
    /// Everything that was tried, by value.
    pub tried: Vec<Tried>,
}

/// Looks between `from` and `to`, to a step of one (`whole`) or to within a share of the value; what was `tried`
/// before counts.
///
/// # Errors
/// Those of `attempt`.
pub fn search<E>(
    search: Search,
    (from, to): (f64, f64),
    whole: bool,
    within: f64,
    tried: Vec<Tried>,
    attempt: &mut dyn FnMut(f64) -> Result<Tried, E>,
) -> Result<Found, E> {
    let mut tried = tried;
    // The good end is where all should hold.
    let (good, bad) = if search == Search::Highest { (from, to) } else { (to, from) };
    let mut look = |value: f64, tried: &mut Vec<Tried>| -> Result<Verdict, E> {
        if let Some(known) = tried.iter().find(|t| t.value.total_cmp(&value).is_eq()) {
            return Ok(known.verdict);
        }
        let found = attempt(value)?;
        let verdict = found.verdict;
        tried.push(found);
        Ok(verdict)
    };
    look(good, &mut tried)?;
    look(bad, &mut tried)?;
    let far = |a: &&Tried, b: &&Tried| {
        let order = a.value.total_cmp(&b.value);
        if search == Search::Highest { order } else { order.reverse() }
    };
    // First to where something surely fails, then to where all surely holds.
    for passes in [[Verdict::Met, Verdict::Undecided].as_slice(), &[Verdict::Met]] {
        let Some(well) = tried.iter().filter(|t| passes.contains(&t.verdict)).max_by(far) else { continue };
        let beyond = |t: &&Tried| !passes.contains(&t.verdict) && far(t, &well).is_gt();
        let Some(ill) = tried.iter().filter(beyond).min_by(far) else { continue };
        let (mut well, mut ill) = (well.value, ill.value);
        while !close(well, ill, whole, within) {
            let middle = between(well, ill, whole);
            if middle.total_cmp(&well).is_eq() || middle.total_cmp(&ill).is_eq() {
                break;
            }
            if passes.contains(&look(middle, &mut tried)?) {
                well = middle;
            } else {
                ill = middle;
            }
        }
    }
    Ok(conclude(search, tried))
}

/// What values that were tried say together.
pub fn conclude(search: Search, mut tried: Vec<Tried>) -> Found {
    let far = |a: &&Tried, b: &&Tried| {
        let order = a.value.total_cmp(&b.value);
        if search == Search::Highest { order } else { order.reverse() }
    };
    tried.sort_by(|a, b| a.value.total_cmp(&b.value));
    let holds = tried.iter().filter(|t| t.verdict == Verdict::Met).max_by(far).cloned();
    let beyond =
        |t: &&Tried| t.verdict == Verdict::NotMet && holds.as_ref().is_none_or(|h| far(t, &h).is_gt());
    let fails = tried.iter().filter(beyond).min_by(far).cloned();
    Found { holds, fails, tried }
}

/// The load is not looked for below the so-manieth part of what the document says.
const MOST_LESS: f64 = 1024.0;

/// From 1 doubles (up to `most`) or halves until what holds at the one does not at the other: where to look for the edge, and what was
/// tried on the way.
///
/// # Errors
/// Those of `attempt`.
pub fn bracket<E>(
    most: f64,
    attempt: &mut dyn FnMut(f64) -> Result<Tried, E>,
) -> Result<((f64, f64), Vec<Tried>), E> {
    let first = attempt(1.0)?;
    let verdict = first.verdict;
    let mut tried = vec![first];
    // Upwards to where it surely fails, downwards to where it surely holds; from what is undecided both ways.
    for (factor, ends) in [(2.0, Verdict::NotMet), (0.5, Verdict::Met)] {
        let (mut value, mut seen) = (factor, verdict);
        while seen != ends && (1.0 / MOST_LESS..=most).contains(&value) {
            let found = attempt(value)?;
            seen = found.verdict;
            tried.push(found);
            value *= factor;
        }
    }
    let met = tried.iter().filter(|t| t.verdict == Verdict::Met).map(|t| t.value).fold(f64::NAN, f64::max);
    let failed =
        tried.iter().filter(|t| t.verdict == Verdict::NotMet).map(|t| t.value).fold(f64::NAN, f64::min);
    let lowest = tried.iter().map(|t| t.value).fold(f64::INFINITY, f64::min);
    let highest = tried.iter().map(|t| t.value).fold(0.0, f64::max);
    let range = (if met.is_nan() { lowest } else { met }, if failed.is_nan() { highest } else { failed });
    Ok((range, tried))
}

/// Below this a value is as good as none: near 0 no share of it is small enough.
const NOTHING: f64 = 1e-6;

fn close(a: f64, b: f64, whole: bool, within: f64) -> bool {
    let (low, high) = (a.min(b), a.max(b));
    if whole { high - low <= 1.0 } else { high <= low * (1.0 + within) || high <= NOTHING }
}

fn between(a: f64, b: f64, whole: bool) -> f64 {
    if whole {
        f64::midpoint(a, b).floor()
    } else if a > 0.0 && b > 0.0 {
        // Shares count: the middle of the logarithms.
        (a * b).sqrt()
    } else {
        f64::midpoint(a, b)
    }
}

/// The service whose workers are busiest, on average over its instances.
pub fn bottleneck(compiled: &Compiled, outcome: &Outcome) -> Option<Bottleneck> {
    let of = |service: &crate::sim::Service| {
        let range = service.instances.start as usize..service.instances.end as usize;
        let all = outcome.instances.get(range)?;
        let used: Vec<f64> = all.iter().filter_map(|i| i.utilization.as_ref().map(|u| u.value)).collect();
        let utilization = (!used.is_empty()).then(|| used.iter().sum::<f64>() / used.len() as f64)?;
        let queue = all.iter().map(|i| i.queue_mean.value).sum();
        Some(Bottleneck { station: service.name.clone(), utilization, queue })
    };
    let all = compiled.plan.services.iter().filter_map(of);
    all.reduce(|a, b| if b.utilization > a.utilization { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where all is met up to `met` and nothing decided up to `undecided`.
    fn check(
        way: Search,
        range: (f64, f64),
        whole: bool,
        met: f64,
        undecided: f64,
    ) -> (Option<f64>, Option<f64>, usize) {
        let mut attempt = |value: f64| {
            let (near, far) = match way {
                Search::Highest => (value <= met, value <= undecided),
                Search::Lowest => (value >= met, value >= undecided),
            };
            let verdict = if near {
                Verdict::Met
            } else if far {
                Verdict::Undecided
            } else {
                Verdict::NotMet
            };
            Ok::<_, ()>(Tried { value, verdict, decisive: String::new(), bottleneck: None })
        };
        let found = search(way, range, whole, 0.01, Vec::new(), &mut attempt).expect("no error");
        (found.holds.map(|t| t.value), found.fails.map(|t| t.value), found.tried.len())
    }

    /// Met up to 1/4, not met from `fails` on.
    fn attempt(fails: f64) -> impl FnMut(f64) -> Result<Tried, ()> {
        move |value: f64| {
            let verdict = match value {
                v if v <= 0.25 => Verdict::Met,
                v if v < fails => Verdict::Undecided,
                _ => Verdict::NotMet,
            };
            Ok(Tried { value, verdict, decisive: String::new(), bottleneck: None })
        }
    }

    #[test]
    fn what_is_undecided_at_the_load_itself_is_looked_at_from_both_sides() {
        let range = |fails, most| bracket(most, &mut attempt(fails)).map(|(range, _)| range);
        assert_eq!(range(3.0, 1024.0), Ok((0.25, 4.0)));
        assert_eq!(range(0.5, 1024.0), Ok((0.25, 0.5)));
        assert_eq!(range(3.0, 2.0), Ok((0.25, 2.0)), "no farther than can be simulated");
    }

    #[test]
    fn every_search_ends() {
        for (from, within, holds) in [(0.0, 0.02, true), (0.0, 0.0, true), (0.1, 0.0, true)] {
            let found = search(Search::Highest, (from, 100.0), false, within, Vec::new(), &mut attempt(3.0))
                .expect("ends");
            assert_eq!(found.holds.is_some(), holds);
            assert!(found.tried.len() < 200, "{}", found.tried.len());
        }
        // Nothing but 0 holds.
        let mut none = |value: f64| {
            let verdict = if value > 0.0 { Verdict::NotMet } else { Verdict::Met };
            Ok::<_, ()>(Tried { value, verdict, decisive: String::new(), bottleneck: None })
        };
        let found = search(Search::Highest, (0.0, 100.0), false, 0.02, Vec::new(), &mut none).expect("ends");
        assert!(found.tried.len() < 40, "{}", found.tried.len());
    }

    #[test]
    fn the_edge_is_found_from_both_sides() {
        let (holds, fails, tries) = check(Search::Highest, (1.0, 1024.0), false, 100.0, 110.0);
        let (holds, fails) = (holds.expect("holds"), fails.expect("fails"));
        assert!(holds <= 100.0 && holds > 98.9 && fails > 110.0 && fails < 111.2, "{holds} {fails}");
        assert!(tries <= 26, "{tries}");
        assert_eq!(check(Search::Lowest, (1.0, 64.0), true, 7.0, 6.0), (Some(7.0), Some(5.0), 9));
        assert_eq!(check(Search::Lowest, (1.0, 64.0), true, 7.0, 7.0).0, Some(7.0));
        assert_eq!(
            check(Search::Highest, (1.0, 8.0), true, 100.0, 100.0),
            (Some(8.0), None, 2),
            "all of it holds"
        );
        assert_eq!(
            check(Search::Highest, (1.0, 8.0), true, 0.0, 0.0),
            (None, Some(1.0), 2),
            "none of it does"
        );
    }
}
