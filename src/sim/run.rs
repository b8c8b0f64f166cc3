//! Replications of a plan, side by side.

use rayon::prelude::*;

use super::engine::Engine;
use super::metrics::Metrics;
use super::outcome::Outcome;
use super::plan::{Plan, PlanError};
use super::probe::Probe;
use super::timeline::Timeline;

/// Runs one replication and hands the probe back.
///
/// # Errors
/// When the plan does not hold together, when simulated time stands still, and when more is under way
/// than memory should hold.
pub fn replicate<P: Probe>(plan: &Plan, seed: u64, replication: u32, probe: P) -> Result<P, PlanError> {
    plan.validate()?;
    Engine::new(plan, seed, replication, probe).run()
}

/// Runs so many replications on so many threads and merges what they measured. The outcome does not
/// depend on the number of threads. Zero replications or threads are taken as one.
///
/// # Errors
/// Those of [`replicate`]; the first replication's, where several fail.
pub fn simulate(plan: &Plan, seed: u64, replications: u32, threads: usize) -> Result<Outcome, PlanError> {
    plan.validate()?;
    let replications = replications.max(1);
    let one = |replication: u32| {
        let probe = (Metrics::new(plan), Timeline::new(plan));
        let (metrics, timeline) = Engine::new(plan, seed, replication, probe).run()?;
        Ok((metrics.pack(), timeline))
    };
    let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
    // Without threads to be had, one after the other gives the same.
    let all: Vec<_> = if let Some(Ok(pool)) = pool {
        pool.install(|| (0..replications).into_par_iter().map(one).collect())
    } else {
        (0..replications).map(one).collect()
    };
    // In order, so that the error does not depend on threads either.
    let all: Result<Vec<_>, PlanError> = all.into_iter().collect();
    let (metrics, timelines): (Vec<Metrics>, Vec<Timeline>) = all?.into_iter().unzip();
    Ok(Outcome::of(plan, seed, &metrics, &timelines))
}
