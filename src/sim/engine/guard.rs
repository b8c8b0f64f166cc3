//! When a run is given up: simulated time stands still, or more is alive than memory should hold.
//!
//! Owns the limits. They are far from anything that ends by itself; without them such a run would hang
//! or be killed, and nobody would be told why.

use super::super::plan::{Arrivals, Plan, PlanError};
use super::super::probe::Probe;
use super::Engine;

/// Events at one instant, and so many more for each closed-loop user: they may all ask at once.
const EVENTS: u64 = 10_000_000;
const EVENTS_PER_USER: u64 = 100;
/// Calls, jobs and messages alive at once: about 2 GB.
const RECORDS: u64 = 10_000_000;

/// So many events from one look to the next.
const LOOKS_EVERY: u64 = 1024;

/// Counts events.
pub(super) struct Guard {
    events: u64,
    /// How many there were when time moved last.
    moved_at: u64,
    most: u64,
}

impl Guard {
    pub(super) fn new(plan: &Plan) -> Self {
        let users = plan.sources.iter().map(|source| match source.arrivals {
            Arrivals::Closed { users, .. } => u64::from(users),
            _ => 0,
        });
        Self { events: 0, moved_at: 0, most: EVENTS + EVENTS_PER_USER * users.sum::<u64>() }
    }

    /// Time goes on.
    #[inline]
    pub(super) fn moved(&mut self) {
        self.moved_at = self.events;
    }

    /// One more event; whether it is time to look.
    #[inline]
    pub(super) fn counts(&mut self) -> bool {
        self.events += 1;
        self.events.is_multiple_of(LOOKS_EVERY)
    }
}

impl<P: Probe> Engine<'_, P> {
    /// Is there an end in sight?
    pub(super) fn check_limits(&self) -> Result<(), PlanError> {
        if self.guard.events - self.guard.moved_at > self.guard.most {
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
