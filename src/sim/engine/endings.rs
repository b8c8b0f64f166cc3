//! How calls end: what stands in for a failure, what the caller is told, what becomes of the record.

use super::super::plan::Fallback;
use super::super::probe::{Cause, Ending, Probe};
use super::{Call, Engine, NONE};
use crate::policy::breaker::Verdict;

impl<P: Probe> Engine<'_, P> {
    /// The call failed for good, unless something else takes its place.
    pub(super) fn failed(&mut self, call: u32, cause: Cause) {
        let edge = self.edge_of(call);
        let record = &mut self.calls[call];
        record.stamp = 0;
        if std::mem::take(&mut record.retrying) {
            // Only a retry that was never sent gets here with its place in the budget.
            let caller = self.caller_of(call);
            self.callers[caller].retrying -= 1;
        }
        let record = &mut self.calls[call];
        let optional = self.plan.edges[record.site.index()].optional;
        match edge.fallback {
            Fallback::Answer => self.succeeded(call, Some(cause)),
            // One after the other: the plan says that they do not go in a circle.
            Fallback::Call(other) => {
                self.probe.call_ended(record.edge, Some(cause), true, record.measured);
                record.edge = other;
                self.begin_call(call);
            }
            Fallback::None if optional => self.succeeded(call, Some(cause)),
            Fallback::None => {
                self.probe.call_ended(record.edge, Some(cause), false, record.measured);
                record.end = Some(cause);
                self.ended(call);
            }
        }
    }

    /// The call succeeded, or its failure was made up for.
    pub(super) fn succeeded(&mut self, call: u32, recovered_from: Ending) {
        let record = &mut self.calls[call];
        record.stamp = 0;
        self.probe.call_ended(record.edge, recovered_from, recovered_from.is_some(), record.measured);
        record.edge = record.site;
        record.end = None;
        self.ended(call);
    }

    /// The call is over: the next repetition, or the caller goes on.
    pub(super) fn ended(&mut self, call: u32) {
        let record = &mut self.calls[call];
        if record.end.is_none() && record.repeats > 0 {
            record.repeats -= 1;
            return self.begin_call(call);
        }
        let (job, end) = (record.job, record.end);
        if job == NONE {
            self.request_ended(call, end);
        } else {
            self.unlink(call);
            self.calls.remove(call);
            self.call_returned(job, end);
        }
    }

    /// Takes a call out of its caller's list.
    fn unlink(&mut self, call: u32) {
        let Call { job, next, before, .. } = self.calls[call];
        if before == NONE {
            self.jobs[job].first_call = next;
        } else {
            self.calls[before].next = next;
        }
        if next != NONE {
            self.calls[next].before = before;
        }
    }

    /// The caller is gone: nobody waits for this call any more.
    pub(super) fn drop_call(&mut self, call: u32) {
        self.give_up(call);
        self.settle(call, Verdict::Ignored, None);
        self.unlink(call);
        let record = &mut self.calls[call];
        record.stamp = 0;
        record.dead = true;
        let job = record.job;
        if !record.awaited {
            self.calls.remove(call);
        }
        self.release(job);
    }
}
