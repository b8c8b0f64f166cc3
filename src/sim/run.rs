//! Replications of a plan, side by side.

use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

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

/// Who is told how many replications are done, and may stop.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// Whether no more are wanted.
    pub stop: &'w (dyn Fn() -> bool + Sync),
    /// So many are done, those of before included.
    pub done: &'w (dyn Fn(u32) + Sync),
}

impl Watch<'_> {
    /// Nobody.
    pub const NONE: Watch<'static> = Watch { stop: &|| false, done: &|_| () };
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
        self.add_watched(more, threads, &Watch::NONE)
    }

    /// The same, told of what is done, until it is stopped: what was begun is finished, no more are begun.
    ///
    /// # Errors
    /// Those of [`Self::add`].
    pub fn add_watched(&mut self, more: u32, threads: usize, watch: &Watch<'_>) -> Result<(), PlanError> {
        let (plan, seed) = (self.plan, self.seed);
        let one = |replication: u32| {
            let probe = (Metrics::new(plan), Timeline::new(plan));
            let (metrics, timeline) = Engine::new(plan, seed, replication, probe).run()?;
            Ok((metrics.pack(), timeline))
        };
        let until = self.count().saturating_add(more);
        let (next, done) = (AtomicU32::new(self.count()), AtomicU32::new(self.count()));
        // Each takes the next number, so that those done are the first ones whenever it stops.
        let worker = || {
            let mut all = Vec::new();
            while !(watch.stop)() {
                let replication = next.fetch_add(1, Ordering::Relaxed);
                if replication >= until {
                    break;
                }
                all.push((replication, one(replication)));
                (watch.done)(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
            all
        };
        let threads = threads.min(more as usize);
        let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
        // Without threads to be had, one after the other gives the same.
        let mut all: Vec<_> = if let Some(Ok(pool)) = pool {
            pool.install(|| (0..threads).into_par_iter().flat_map_iter(|_| worker()).collect())
        } else {
            worker()
        };
        all.sort_by_key(|(replication, _)| *replication);
        // In order, so that the error does not depend on threads either.
        for (_, done) in all {
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
