//! When a run is given up: simulated time stands still, or more is alive than memory should hold.
//!
//! Owns the limits. They are far from anything that ends by itself; without them such a run would hang
//! or be killed, and nobody would be told why.

use super::super::plan::{Arrivals, Plan, PlanError};
use super::super::probe::Probe;
use super::Engine;
use crate::kernel::Time;

/// Events at one instant, and so many more for each closed-loop user: they may all ask at once.
const EVENTS: u64 = 10_000_000;
const EVENTS_PER_USER: u64 = 100;
/// Calls, jobs and messages alive at once: about 2 GB.
const RECORDS: u64 = 10_000_000;

/// Counts the events of the instant.
pub(super) struct Guard {
    instant: Time,
    events: u64,
    most: u64,
}

impl Guard {
    pub(super) fn new(plan: &Plan) -> Self {
        let users = plan.sources.iter().map(|source| match source.arrivals {
            Arrivals::Closed { users, .. } => u64::from(users),
            _ => 0,
        });
        Self { instant: Time::ZERO, events: 0, most: EVENTS + EVENTS_PER_USER * users.sum::<u64>() }
    }

    /// One more event; `false` when there have been too many.
    #[inline]
    fn goes_on(&mut self, now: Time) -> bool {
        if self.instant != now {
            self.instant = now;
            self.events = 0;
        }
        self.events += 1;
        self.events <= self.most
    }
}

impl<P: Probe> Engine<'_, P> {
    /// An event was handled: is there an end in sight?
    #[inline]
    pub(super) fn check_limits(&mut self) -> Result<(), PlanError> {
        if !self.guard.goes_on(self.now) {
            return Err(self.stands_still());
        }
        // Slots are not given back, so that this is what was alive at worst.
        let slots = self.jobs.slots().size_hint().0 + self.calls.slots().size_hint().0;
        if slots as u64 + self.messages > RECORDS {
            return Err(self.too_many());
        }
        Ok(())
    }

    #[cold]
    fn stands_still(&self) -> PlanError {
        PlanError::new(format!(
            "the simulation stands still at {}: {} million things happened there and none of them took \
             any time. Give users a think time, endpoints and message handlers work, or lower the rate",
            self.now,
            self.guard.most / 1_000_000,
        ))
    }

    #[cold]
    fn too_many(&self) -> PlanError {
        PlanError::new(format!(
            "the simulation is full at {}: {} million requests, calls and messages are under way or \
             waiting. Shorten the run, lower the rate, or bound queues, time limits and retries",
            self.now,
            RECORDS / 1_000_000,
        ))
    }
}
