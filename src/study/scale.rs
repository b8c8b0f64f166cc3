//! More or less load than the document says.

use crate::kernel::Time;
use crate::sim::{Arrivals, Plan, refuse};
use std::sync::Arc;

/// Multiplies all traffic of a plan: rates, and numbers of users.
///
/// # Errors
/// When that is more than can be simulated; the sentence says what is.
pub fn scale(plan: &mut Plan, factor: f64) -> Result<(), String> {
    for source in &mut plan.sources {
        match &mut source.arrivals {
            Arrivals::Poisson(points) | Arrivals::Constant(points) => {
                for point in points {
                    point.rate *= factor;
                }
            }
            Arrivals::Closed { users, .. } => *users = (f64::from(*users) * factor).round().max(1.0) as u32,
            Arrivals::Bursts(states) => states.iter_mut().for_each(|state| state.rate *= factor),
            Arrivals::Replay(times) => *times = repeated(times, factor)?,
            Arrivals::Shared(_) => {}
        }
    }
    refuse(plan)
}

/// Each time as often as makes `factor` times as many, spread evenly: of every third one more at 4/3.
fn repeated(times: &[Time], factor: f64) -> Result<Arc<[Time]>, String> {
    if times.len() as f64 * factor > MOST_TIMES {
        return Err(format!("{factor} times the {} recorded times is more than {MOST_TIMES:e}", times.len()));
    }
    let until = |n: usize| (n as f64 * factor + 1e-9).floor() as usize;
    let each = times.iter().enumerate().map(|(n, at)| (*at, until(n + 1) - until(n)));
    Ok(each.flat_map(|(at, often)| std::iter::repeat_n(at, often)).collect())
}

/// Times of a replay, at the most: they are held in memory.
const MOST_TIMES: f64 = 1e7;

/// The largest of `most`, `most`/2, `most`/4, … times the load that can be simulated; 1 at the least.
pub fn most(plan: &Plan, most: f64) -> f64 {
    let mut factor = most;
    while factor > 1.0 && scale(&mut plan.clone(), factor).is_err() {
        factor /= 2.0;
    }
    factor.max(1.0)
}

/// The highest rate of a plan in requests per second, all open loops together, and the users of its closed loops.
pub fn load(plan: &Plan) -> (f64, u32) {
    let mut all = (0.0, 0_u32);
    for source in &plan.sources {
        match &source.arrivals {
            Arrivals::Closed { users, .. } => all.1 = all.1.saturating_add(*users),
            open => all.0 += open.rates().map_or(0.0, |(_, top)| top),
        }
    }
    all
}

/// The mean own work of a typical endpoint (the median of those that have any), in seconds.
pub fn typical_work_s(plan: &Plan) -> Option<f64> {
    let mut known: Vec<f64> =
        plan.endpoints.iter().filter_map(|e| e.work.as_ref()).map(|work| work.mean().seconds()).collect();
    known.sort_by(f64::total_cmp);
    known.get(known.len() / 2).copied()
}
