//! The course of one replication: windows of goodput and latency, changes of breakers.

use super::histogram::Histogram;
use super::ids::{BreakerId, SourceId};
use super::outcome::{Transition, Window};
use super::plan::Plan;
use super::probe::{Ending, Probe};
use crate::kernel::{Span, Time};
use crate::policy::breaker::State;

/// What a window of one source has seen so far.
#[derive(Debug, Clone, Default)]
struct Current {
    arrived: u64,
    succeeded: u64,
    failed: u64,
    latency: Histogram,
}

/// Watches one replication, warm-up included, until its traffic ends.
#[derive(Debug)]
pub(super) struct Timeline {
    width: Span,
    /// When the current window ends.
    until: Time,
    ends: Time,
    current: Vec<Current>,
    pub(super) windows: Vec<Vec<Window>>,
    pub(super) transitions: Vec<Vec<Transition>>,
}

impl Timeline {
    pub(super) fn new(plan: &Plan) -> Self {
        let width = plan.window.max(Span::from_millis(1));
        Self {
            width,
            until: Time::ZERO + width,
            ends: Time::ZERO + plan.duration,
            current: vec![Current::default(); plan.sources.len()],
            windows: vec![Vec::new(); plan.sources.len()],
            transitions: vec![Vec::new(); plan.breakers.len()],
        }
    }

    /// Closes the windows that are over.
    #[inline]
    fn catch_up(&mut self, now: Time) {
        while now >= self.until && self.until <= self.ends {
            self.close();
        }
    }

    fn close(&mut self) {
        let width = self.width.seconds();
        let at_s = self.until.seconds() - width;
        for (current, windows) in self.current.iter_mut().zip(&mut self.windows) {
            windows.push(Window {
                at_s,
                offered_per_s: current.arrived as f64 / width,
                goodput_per_s: current.succeeded as f64 / width,
                failures_per_s: current.failed as f64 / width,
                p99_s: current.latency.quantile(0.99),
            });
            (current.arrived, current.succeeded, current.failed) = (0, 0, 0);
            current.latency.clear();
        }
        self.until = self.until + self.width;
    }
}

impl Probe for Timeline {
    fn traffic_ended(&mut self, now: Time) {
        self.catch_up(now);
    }

    #[inline]
    fn request_arrived(&mut self, now: Time, source: SourceId, _: bool) {
        self.catch_up(now);
        self.current[source.index()].arrived += 1;
    }

    #[inline]
    fn request_ended(&mut self, now: Time, source: SourceId, took: Span, end: Ending, _: bool) {
        self.catch_up(now);
        let current = &mut self.current[source.index()];
        if end.is_none() {
            current.succeeded += 1;
            current.latency.record(took);
        } else {
            current.failed += 1;
        }
    }

    fn breaker_changed(&mut self, now: Time, breaker: BreakerId, caller: u32, from: State, to: State) {
        let transition = Transition { at_s: now.seconds(), caller_instance: caller, from, to };
        self.transitions[breaker.index()].push(transition);
    }
}
