//! How calls end: what stands in for a failure, what the caller is told, what becomes of the record.

use super::super::plan::Fallback;
use super::super::probe::{Cause, Ending, Probe};
use super::{Call, Engine, NONE};
use crate::policy::breaker::{Permit, Verdict};

impl<P: Probe> Engine<'_, P> {
    /// The call failed for good, unless something else takes its place.
    pub(super) fn failed(&mut self, call: u32, cause: Cause) {
        let edge = self.edge_of(call);
        // What never reached the callee says nothing of it.
        let unsent = matches!(cause, Cause::BreakerOpen | Cause::Capped);
        self.clear(call, if unsent { Verdict::Ignored } else { Verdict::Failure });
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

    /// What one repetition took is given back: it has no timer, no place in a budget, no permit any more.
    #[inline]
    fn clear(&mut self, call: u32, verdict: Verdict) {
        self.leave_retries(call);
        let record = &mut self.calls[call];
        record.stamp = 0;
        record.paid = 0;
        record.last_host = NONE;
        let (tried, hedge) =
            (std::mem::replace(&mut record.tried, NONE), std::mem::replace(&mut record.hedge, NONE));
        let (permit, started) = (std::mem::replace(&mut record.permit, Permit::NONE), record.started);
        if tried != NONE {
            self.tried.remove(tried);
        }
        if hedge != NONE {
            self.hedges.remove(hedge);
        }
        self.tell(call, permit, verdict, started);
    }

    /// A retry that was never sent gives its place back.
    #[inline]
    pub(super) fn leave_retries(&mut self, call: u32) {
        if std::mem::take(&mut self.calls[call].retrying) {
            let caller = self.caller_of(call);
            self.callers[caller].retrying -= 1;
        }
    }

    /// The call succeeded, or its failure was made up for.
    pub(super) fn succeeded(&mut self, call: u32, recovered_from: Ending) {
        if recovered_from.is_none() {
            self.clear(call, Verdict::Success);
        }
        let record = &mut self.calls[call];
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
        self.drop_attempts(call, Verdict::Ignored);
        self.clear(call, Verdict::Ignored);
        self.unlink(call);
        let record = &mut self.calls[call];
        record.dead = true;
        let job = record.job;
        if !record.awaited {
            self.calls.remove(call);
        }
        self.release(job);
    }
}
