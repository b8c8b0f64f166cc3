//! More or less load than the document says.

use crate::sim::{Arrivals, Plan};

/// Multiplies all traffic of a plan: rates, and numbers of users.
pub fn scale(plan: &mut Plan, factor: f64) {
    for source in &mut plan.sources {
        match &mut source.arrivals {
            Arrivals::Poisson(points) | Arrivals::Constant(points) => {
                for point in points {
                    point.rate *= factor;
                }
            }
            Arrivals::Closed { users, .. } => *users = (f64::from(*users) * factor).round().max(1.0) as u32,
        }
    }
}

/// The requests per second a plan begins with, all open loops together, and the users of its closed loops.
pub fn load(plan: &Plan) -> (f64, u32) {
    let mut all = (0.0, 0_u32);
    for source in &plan.sources {
        match &source.arrivals {
            Arrivals::Poisson(points) | Arrivals::Constant(points) => {
                all.0 += points.iter().map(|p| p.rate).fold(0.0, f64::max);
            }
            Arrivals::Closed { users, .. } => all.1 = all.1.saturating_add(*users),
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
