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

/// Replications of one plan, to which more can be added. What they found does not depend on the number of
/// threads, nor on how many were added at a time.
#[derive(Debug)]
pub struct Replications<'a> {
    plan: &'a Plan,
    seed: u64,
    metrics: Vec<Metrics>,
    timelines: Vec<Timeline>,
}

impl<'a> Replications<'a> {
    /// None yet.
    ///
    /// # Errors
    /// When the plan does not hold together.
    pub fn new(plan: &'a Plan, seed: u64) -> Result<Self, PlanError> {
        plan.validate()?;
        Ok(Self { plan, seed, metrics: Vec::new(), timelines: Vec::new() })
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.metrics.len() as u32
    }

    /// Runs so many more on so many threads.
    ///
    /// # Errors
    /// Those of [`replicate`]; the first replication's, where several fail.
    pub fn add(&mut self, more: u32, threads: usize) -> Result<(), PlanError> {
        let (plan, seed) = (self.plan, self.seed);
        let one = |replication: u32| {
            let probe = (Metrics::new(plan), Timeline::new(plan));
            let (metrics, timeline) = Engine::new(plan, seed, replication, probe).run()?;
            Ok((metrics.pack(), timeline))
        };
        let from = self.count();
        let which = from..from.saturating_add(more);
        let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
        // Without threads to be had, one after the other gives the same.
        let all: Vec<_> = if let Some(Ok(pool)) = pool {
            pool.install(|| which.into_par_iter().map(one).collect())
        } else {
            which.map(one).collect()
        };
        // In order, so that the error does not depend on threads either.
        for done in all {
            let (metrics, timeline) = done?;
            self.metrics.push(metrics);
            self.timelines.push(timeline);
        }
        Ok(())
    }

    /// All of them together.
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.plan, self.seed, &self.metrics, &self.timelines)
    }
}

/// Runs so many replications on so many threads and merges what they measured. The outcome does not
/// depend on the number of threads. Zero replications or threads are taken as one.
///
/// # Errors
/// Those of [`replicate`]; the first replication's, where several fail.
pub fn simulate(plan: &Plan, seed: u64, replications: u32, threads: usize) -> Result<Outcome, PlanError> {
    let mut all = Replications::new(plan, seed)?;
    all.add(replications.max(1), threads)?;
    Ok(all.outcome())
}
