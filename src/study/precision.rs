//! Replications until the numbers are known well enough.

use super::compare::Metric;
use crate::sim::{Outcome, PlanError, Replications, Watch};

/// What is judged: everything people read first.
const METRICS: [Metric; 4] = [Metric::Goodput, Metric::Availability, Metric::Mean, Metric::P99];

/// How well the numbers of a run are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Half of the 95% interval as a share of the value that was asked for.
    pub asked: f64,
    /// The same for the number that is known least.
    pub worst: f64,
    /// Which entry and metric that is.
    pub of: String,
    /// Entries and metrics of which a replication has too few samples: more replications do not help.
    pub unknown: Vec<String>,
}

impl Reached {
    /// Whether all numbers are known well enough.
    pub fn enough(&self) -> bool {
        self.worst <= self.asked && self.unknown.is_empty()
    }

    /// How well an outcome is known: goodput, availability, mean and 99th percentile of each entry.
    pub fn of(outcome: &Outcome, asked: f64) -> Self {
        let mut this = Self { asked, worst: 0.0, of: String::new(), unknown: Vec::new() };
        for source in &outcome.sources {
            for metric in METRICS {
                let Some(estimate) = metric.seen(&source.requests) else { continue };
                let half = match estimate.ci95 {
                    Some((low, high)) => (high - low) / 2.0,
                    None if outcome.replications < 2 => f64::INFINITY,
                    None => {
                        this.unknown.push(format!("{} {}", source.name, metric.name()));
                        continue;
                    }
                };
                let share = if half <= 0.0 { 0.0 } else { half / estimate.value.abs() };
                if share > this.worst {
                    this.worst = share;
                    this.of = format!("{} {}", source.name, metric.name());
                }
            }
        }
        this
    }
}

/// Adds replications to `runs` until every number is known to the share `asked`, at the most `most` and until it is to
/// `stop`; `tell` hears how far it is.
///
/// # Errors
/// Those of the engine.
pub fn refine(
    runs: &mut Replications<'_>,
    asked: f64,
    most: u32,
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
    tell: &mut dyn FnMut(u32, &Reached),
) -> Result<(Outcome, Reached), PlanError> {
    loop {
        let outcome = runs.outcome();
        let reached = Reached::of(&outcome, asked);
        tell(runs.count(), &reached);
        let done = runs.count();
        if done >= most || (done >= 2 && reached.worst <= asked) || stop() {
            return Ok((outcome, reached));
        }
        // The half-width falls with the root of the number: aim a little short, so as not to overshoot.
        let times = if reached.worst.is_finite() { (reached.worst / asked).powi(2) } else { 2.0 };
        let wanted = (f64::from(done) * times.clamp(1.1, 4.0) * 0.95).ceil() as u32;
        let watch = Watch { stop, ..Watch::NONE };
        runs.add_watched(wanted.clamp(done + 1, most) - done, threads, &watch)?;
    }
}
