//! Calls, on the caller's side: deadline(breaker(retry(breaker(limits(attempt))))).
//!
//! A breaker stands outside the retry or inside, where each attempt is one call for it; a rejection takes no
//! time, is not retried and is no failure to it. A time limit frees the caller at once. Of hedged attempts
//! the first reply decides.

use super::super::event::Event;
use super::super::ids::EdgeId;
use super::super::plan::Edge;
use super::super::probe::{Cause, Ending, Probe};
use super::{Call, Engine, NONE};
use crate::kernel::{Span, Time};
use crate::policy::breaker::{Outcome, Permit, Verdict};
use crate::policy::retry::{Answer, Hedging, Pushback};

impl<'p, P: Probe> Engine<'p, P> {
    #[inline]
    pub(super) fn edge_of(&self, call: u32) -> &'p Edge {
        &self.plan.edges[self.calls[call].edge.index()]
    }

    #[inline]
    pub(super) fn caller_of(&self, call: u32) -> usize {
        self.calls[call].knows as usize
    }

    /// Makes the call of a job's script, with its probability and repetitions. `false` when it is not
    /// made this time.
    pub(super) fn make_call(&mut self, job: u32, edge: EdgeId) -> bool {
        let plan = &self.plan.edges[edge.index()];
        let skipped = plan.probability < 1.0 && !self.edges[edge.index()].chance.chance(plan.probability);
        if skipped || plan.times == 0 {
            return false;
        }
        let caller = &mut self.jobs[job];
        let service = self.plan.endpoints[caller.endpoint.index()].service;
        let next = caller.first_call;
        caller.holds += 1;
        caller.pending += 1;
        let call = self.calls.insert(Call {
            job,
            caller: caller.instance - self.plan.services[service.index()].instances.start,
            next,
            measured: caller.measured,
            first_line: caller.first_line,
            address: caller.address,
            request: caller.request,
            inherited: caller.deadline,
            repeats: plan.times - 1,
            ..Call::over(edge)
        });
        caller.first_call = call;
        if next != NONE {
            self.calls[next].before = call;
        }
        self.begin_call(call);
        true
    }

    /// Begins one repetition: the clock of its time limit starts, then the first attempt.
    pub(super) fn begin_call(&mut self, call: u32) {
        let stamp = self.next_stamp();
        let now = self.now;
        let record = &mut self.calls[call];
        let edge = &self.plan.edges[record.edge.index()];
        record.knows = self.first_caller[edge.upstream.index()] + record.caller;
        record.attempts = 0;
        record.delay = Span::ZERO;
        record.stamp = stamp;
        record.started = now;
        record.deadline = Time::MAX;
        if let Some(timeout) = edge.timeout {
            record.deadline = now + timeout;
            self.agenda.ahead(self.edges[record.edge.index()].call_limit, now, call, stamp);
        }
        self.probe.call_started(record.edge, record.first_line, record.measured);
        let caller = self.caller_of(call);
        if let Some(budget) = &mut self.callers[caller].budget {
            budget.begun(now);
        }
        if edge.breaker_counts_calls && edge.breaker.is_some() {
            match self.ask_breaker(call) {
                Some(permit) => self.calls[call].permit = permit,
                None => return self.fail_soon(call, Cause::BreakerOpen),
            }
        }
        if let Some(hedge) = edge.hedging {
            self.calls[call].hedge = self.hedges.insert(Hedging::new(hedge.policy, now));
            return self.hedge(call);
        }
        if let Err(cause) = self.attempt(call) {
            self.fail_soon(call, cause);
        }
    }

    /// What fails at once fails by an event of its own: the caller is still busy making its calls.
    fn fail_soon(&mut self, call: u32, cause: Cause) {
        let record = &mut self.calls[call];
        record.awaited = true;
        record.end = Some(cause);
        self.agenda.soon(Event::Failed(call));
    }

    pub(super) fn failed_at_once(&mut self, call: u32) {
        let record = &mut self.calls[call];
        record.awaited = false;
        if record.dead {
            return self.calls.remove(call);
        }
        match record.end {
            // The attempt was made: it may be retried.
            Some(Cause::NoInstance) => {
                self.leave_retries(call);
                self.attempt_ended(call, Some(Cause::NoInstance));
            }
            Some(cause) => self.failed(call, cause),
            None => {}
        }
    }

    /// Asks the call's breaker, which it must have.
    pub(super) fn ask_breaker(&mut self, call: u32) -> Option<Permit> {
        let breaker = self.edge_of(call).breaker?;
        let index = (self.first_breaker[breaker.index()] + self.calls[call].caller) as usize;
        let permit = self.breakers[index].breaker.admit(self.now);
        self.tell_breaker(call, index);
        permit
    }

    /// Hands a permit back.
    #[inline]
    pub(super) fn tell(&mut self, call: u32, permit: Permit, verdict: Verdict, since: Time) {
        if permit != Permit::NONE {
            self.hand_back(call, permit, verdict, since);
        }
    }

    fn hand_back(&mut self, call: u32, permit: Permit, verdict: Verdict, since: Time) {
        let record = &self.calls[call];
        let Some(breaker) = self.plan.edges[record.edge.index()].breaker else { return };
        let index = (self.first_breaker[breaker.index()] + record.caller) as usize;
        let duration = self.now.since(since);
        self.breakers[index].breaker.record(self.now, permit, Outcome { verdict, duration });
        self.tell_breaker(call, index);
    }

    fn tell_breaker(&mut self, call: u32, index: usize) {
        let state = &mut self.breakers[index];
        let (from, to) = (state.known, state.breaker.state());
        if from != to {
            state.known = to;
            let call = &self.calls[call];
            if let Some(breaker) = self.plan.edges[call.edge.index()].breaker {
                self.probe.breaker_changed(self.now, breaker, call.caller, from, to);
            }
        }
    }

    /// An attempt has its outcome: the call ends with it, waits for others, or is retried.
    pub(super) fn attempt_ended(&mut self, call: u32, end: Ending) {
        let caller = self.caller_of(call);
        let edge = self.edge_of(call);
        let record = &self.calls[call];
        self.probe.attempt_ended(record.edge, end, record.measured);
        let (paid, hedged) = (record.paid, record.hedge != NONE);
        let worth = end.is_some_and(|cause| {
            edge.retry.on.contains(cause) && (cause != Cause::Timeout || edge.per_try_timeout.is_some())
        });
        if let Some(budget) = &mut self.callers[caller].budget {
            match end {
                None => budget.succeeded(paid),
                Some(_) if worth => budget.failed(),
                Some(_) => {}
            }
        }
        match end {
            _ if hedged => self.hedge_ended(call, end, worth),
            None => self.succeeded(call, None),
            Some(cause) if worth && self.may_retry(call, cause) => self.back_off(call),
            Some(cause) => self.failed(call, cause),
        }
    }

    fn may_retry(&mut self, call: u32, cause: Cause) -> bool {
        let edge = self.edge_of(call);
        let caller = self.caller_of(call);
        if self.calls[call].attempts > edge.retry.num_retries {
            return false;
        }
        let price = self.callers[caller].take_retry(self.now, Some(cause));
        self.calls[call].paid = price.unwrap_or(self.calls[call].paid);
        price.is_some()
    }

    fn back_off(&mut self, call: u32) {
        let caller = self.caller_of(call);
        let record = &mut self.calls[call];
        let draw = self.edges[record.edge.index()].jitter.bits();
        let backoff = &self.plan.edges[record.edge.index()].retry.backoff;
        record.delay = backoff.delay(record.attempts, record.delay, draw);
        let over = self.now + record.delay;
        self.callers[caller].retrying += 1;
        record.retrying = true;
        // Beyond the deadline nothing is left to wait for but the deadline itself, whose timer runs.
        if over < record.deadline {
            record.awaited = true;
            self.agenda.at(over, Event::Backoff(call));
        }
    }

    pub(super) fn backoff_over(&mut self, call: u32) {
        self.calls[call].awaited = false;
        if self.calls[call].dead {
            self.calls.remove(call);
        } else if let Err(cause) = self.attempt(call) {
            self.fail_soon(call, cause);
        }
    }

    /// Starts the attempt of a hedged call that is due.
    pub(super) fn hedge(&mut self, call: u32) {
        let (slot, stamp) = (self.calls[call].hedge, self.calls[call].stamp);
        let first = self.hedges[slot].started() == 0;
        let caller = self.caller_of(call);
        // A further attempt costs what a retry does.
        let due = self.hedges[slot].next().is_some_and(|due| due <= self.now);
        let allowed = first || (due && self.callers[caller].take_retry(self.now, None).is_some());
        if !self.hedges[slot].start(self.now, allowed) {
            return;
        }
        let sent = self.attempt(call);
        if self.hedges[slot].next().is_some() {
            let lane = self.edges[self.calls[call].edge.index()].hedge;
            self.agenda.ahead(lane, self.now, call, stamp);
        }
        match sent {
            Err(cause) if first => self.fail_soon(call, cause),
            // The others may still answer: nothing was sent, nothing is lost.
            Err(_) => {
                self.hedges[slot].ended(self.now, Answer::NonFatal, Pushback::Never, true);
            }
            Ok(()) => {}
        }
    }

    /// As in gRPC a failure that may be retried makes the next attempt due at once, and any other answer is
    /// the call's.
    fn hedge_ended(&mut self, call: u32, end: Ending, worth: bool) {
        let again = worth && self.edge_of(call).retry.num_retries > 0;
        let answer = if again { Answer::NonFatal } else { Answer::Final };
        let slot = self.calls[call].hedge;
        if self.hedges[slot].ended(self.now, answer, Pushback::Silent, true) {
            self.drop_attempts(call, Verdict::Ignored);
            match end {
                None => self.succeeded(call, None),
                Some(cause) => self.failed(call, cause),
            }
        } else {
            self.hedge(call);
            // Nothing is under way, and nothing more may be sent.
            if self.calls[call].hedge == slot && self.hedges[slot].is_over() {
                self.failed(call, end.unwrap_or(Cause::Error));
            }
        }
    }

    pub(super) fn call_timeout(&mut self, call: u32, stamp: u32) {
        if self.calls[call].stamp == stamp {
            self.drop_attempts(call, Verdict::Failure);
            self.failed(call, Cause::Timeout);
        }
    }
}
