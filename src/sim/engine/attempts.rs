//! Attempts of a call: picked, held back, sent, answered, given up.
//!
//! An attempt is a job from the start: what the caller must remember of it stands there too. Everything an
//! attempt takes (a permit, a place in the bulkhead, a connection, its count at the host) it gives back in
//! [`Engine::settle`], at whatever end.

use super::super::event::Event;
use super::super::ids::InstanceId;
use super::super::plan::{Caller, Cancellation};
use super::super::probe::{Cause, Ending, Probe, Traced};
use super::pool::Door;
use super::state::{Job, JobState, Stage};
use super::{Engine, NONE};
use crate::kernel::Time;
use crate::policy::balancer::Finished;
use crate::policy::breaker::{Permit, Verdict};

impl<P: Probe> Engine<'_, P> {
    /// Makes the next attempt of a call, or says why it cannot be.
    pub(super) fn attempt(&mut self, call: u32) -> Result<(), Cause> {
        let edge = self.edge_of(call);
        if self.now >= self.calls[call].inherited {
            return Err(Cause::Timeout);
        }
        let caller = self.caller_of(call);
        let crowd = self.callers[caller].let_in(self.now)?;
        let mut permit = Permit::NONE;
        if edge.breaker.is_some() && !edge.breaker_counts_calls {
            let Some(given) = self.ask_breaker(call) else {
                self.leave_crowd(caller, crowd, self.now, None, true);
                return Err(Cause::BreakerOpen);
            };
            permit = given;
        }
        let service = self.plan.upstreams[edge.upstream.index()].service;
        let first = self.plan.services[service.index()].instances.start;
        if self.registry.is_some() {
            self.look_up(caller, first, service.0);
        }
        let record = &mut self.calls[call];
        record.attempts += 1;
        let retry = record.attempts > 1;
        self.probe.attempt_started(record.edge, retry, record.measured);
        let Some(host) = self.pick(call, caller, edge) else {
            self.leave_crowd(caller, crowd, self.now, None, true);
            self.tell(call, permit, Verdict::Failure, self.now);
            return Err(Cause::NoInstance);
        };
        if self.callers[caller].probes {
            self.send_probes(caller, edge);
        }
        let endpoint = self.target(call, edge);
        let instance = first + host as u32;
        let record = &mut self.calls[call];
        let deadline =
            if edge.propagate_deadline { record.deadline.min(record.inherited) } else { Time::MAX };
        // The place in the budget that its back-off had is the attempt's now; a hedge takes one of its own.
        let waited = std::mem::take(&mut record.retrying);
        self.callers[caller].retrying += u32::from(retry && !waited);
        let job = self.jobs.insert(Job {
            call,
            next_attempt: record.first_attempt,
            edge: record.edge,
            host: host as u32,
            permit,
            retrying: retry,
            stage: Stage::Sent,
            crowd: [crowd, 0],
            begun: self.now,
            sent: self.now,
            measured: record.measured,
            first_line: record.first_line && !retry,
            address: record.address,
            request: record.request,
            deadline,
            ..Job::at(endpoint, instance)
        });
        self.calls[call].first_attempt = job;
        self.trace_sent(job, retry);
        if !self.callers[caller].holds_back {
            self.send(job, call);
            return Ok(());
        }
        self.jobs[job].stage = Stage::Rate;
        self.proceed(job).inspect_err(|_| {
            self.detach(job, Verdict::Ignored, None);
            self.abandon(job, Cancellation::None);
        })
    }

    /// Tells those who trace of an attempt that was made.
    fn trace_sent(&mut self, job: u32, retry: bool) {
        if P::TRACES {
            let Job { call, edge, endpoint, instance, request, .. } = self.jobs[job];
            let (parent, edge, instance) = (self.calls[call].job, Some(edge), InstanceId(instance));
            self.trace(|| Traced::Sent { request, job, parent, edge, endpoint, instance, retry });
        }
    }

    /// Goes on to where an attempt has to wait, or sends it.
    fn proceed(&mut self, job: u32) -> Result<(), Cause> {
        let record = &self.jobs[job];
        let (call, host) = (record.call, record.host as usize);
        let caller = self.caller_of(call);
        let state = &mut self.callers[caller];
        while self.jobs[job].stage != Stage::Sent {
            let at = self.jobs[job].stage;
            let (next, door) = match at {
                Stage::Rate => {
                    let rate = state.turnstile.as_mut().and_then(|turnstile| turnstile.rate.as_mut());
                    let wait = rate.map(|rate| rate.take(self.now).ok_or(Cause::RateLimited)).transpose()?;
                    let wait = wait.filter(|wait| !wait.is_zero());
                    if let Some(wait) = wait {
                        self.jobs[job].holds += 1;
                        self.agenda.at(self.now + wait, Event::Permitted(job));
                    }
                    (Stage::Bulkhead, if wait.is_some() { Door::Wait } else { Door::Open })
                }
                Stage::Bulkhead => {
                    let door = state.compartment.as_mut().map(|compartment| compartment.enter(job));
                    (Stage::Connection, door.unwrap_or(Door::Open))
                }
                _ => (Stage::Sent, state.pool.as_mut().map_or(Door::Open, |pool| pool.enter(job, host))),
            };
            match door {
                Door::Open => self.jobs[job].stage = next,
                Door::Shut => return Err(Cause::Capped),
                Door::Wait => {
                    self.jobs[job].state = JobState::Held;
                    if at == Stage::Bulkhead {
                        self.stamp = self.stamp.wrapping_add(1).max(1);
                        let stamp = self.stamp;
                        self.jobs[job].stamp = stamp;
                        let lane = self.edges[self.jobs[job].edge.index()].wait_limit;
                        self.agenda.ahead(lane, self.now, job, stamp);
                    }
                    return Ok(());
                }
            }
        }
        self.send(job, call);
        Ok(())
    }

    /// It waited for a permit and has it, if it is still there.
    pub(super) fn permitted(&mut self, job: u32) {
        if self.jobs[job].call != NONE {
            self.jobs[job].stage = Stage::Bulkhead;
            self.go_on(job);
        }
        self.release(job);
    }

    /// One that waited goes on; when it is turned away further on, its call fails.
    fn go_on(&mut self, job: u32) {
        let call = self.jobs[job].call;
        if let Err(cause) = self.proceed(job) {
            self.detach(job, Verdict::Ignored, None);
            self.abandon(job, Cancellation::None);
            self.drop_attempts(call, Verdict::Ignored);
            self.failed(call, cause);
        }
    }

    /// Puts the request on the network.
    #[inline]
    fn send(&mut self, job: u32, call: u32) {
        let now = self.now;
        let record = &mut self.jobs[job];
        record.state = JobState::Transit;
        record.stamp = 0;
        record.sent = now;
        let edge = &self.plan.edges[record.edge.index()];
        if edge.per_try_timeout.is_some() {
            let stamp = self.next_stamp();
            let record = &mut self.jobs[job];
            record.stamp = stamp;
            self.agenda.ahead(self.edges[record.edge.index()].attempt_limit, now, job, stamp);
        }
        if edge.latency_across.is_some()
            && let Caller::Service(service) = self.plan.upstreams[edge.upstream.index()].caller
        {
            let zone = |instance: u32| self.plan.instances[instance as usize].zone;
            let from = zone(self.plan.services[service.index()].instances.start + self.calls[call].caller);
            let to = zone(self.jobs[job].instance);
            self.jobs[job].across = from.is_some() && to.is_some() && from != to;
        }
        self.travel(job, false);
    }

    /// The callee's reply arrives.
    #[inline]
    pub(super) fn reply(&mut self, job: u32) {
        let Job { call, end, .. } = self.jobs[job];
        if call != NONE {
            let verdict = if end.is_none() { Verdict::Success } else { Verdict::Failure };
            self.detach(job, verdict, end);
        }
        self.release(job);
        if call != NONE {
            self.attempt_ended(call, end);
        }
    }

    /// An attempt waited for too long: for the bulkhead, or for its reply.
    pub(super) fn attempt_timeout(&mut self, job: u32, stamp: u32) {
        let Job { call, stage, .. } = self.jobs[job];
        if self.jobs[job].stamp != stamp || call == NONE {
            return;
        }
        let how = self.edge_of(call).cancellation;
        if stage == Stage::Sent {
            self.detach(job, Verdict::Failure, Some(Cause::Timeout));
            self.abandon(job, how);
            self.attempt_ended(call, Some(Cause::Timeout));
        } else {
            self.detach(job, Verdict::Ignored, None);
            self.abandon(job, how);
            self.drop_attempts(call, Verdict::Ignored);
            self.failed(call, Cause::Capped);
        }
    }

    /// Takes an attempt off its call, which has its outcome or no longer waits for it.
    fn detach(&mut self, job: u32, verdict: Verdict, cause: Ending) {
        self.settle(job, verdict, cause);
        let Job { call, next_attempt, .. } = self.jobs[job];
        let mut at = self.calls[call].first_attempt;
        if at == job {
            self.calls[call].first_attempt = next_attempt;
        } else {
            while at != NONE && self.jobs[at].next_attempt != job {
                at = self.jobs[at].next_attempt;
            }
            if at != NONE {
                self.jobs[at].next_attempt = next_attempt;
            }
        }
        self.jobs[job].call = NONE;
    }

    /// Gives back what an attempt took of its caller: limits, balancer, breaker, budget.
    fn settle(&mut self, job: u32, verdict: Verdict, cause: Ending) {
        let Job { call, host, permit, retrying, begun, sent, stage, crowd, .. } = self.jobs[job];
        let where_it_is = self.jobs[job].state;
        let caller = self.caller_of(call);
        self.jobs[job].stamp = 0;
        let now = self.now;
        let ignored = verdict == Verdict::Ignored;
        if crowd[0] > 0 {
            self.leave_crowd(caller, crowd[0], begun, cause, ignored);
        }
        let state = &mut self.callers[caller];
        let host = host as usize;
        state.ended(host);
        state.retrying -= u32::from(retrying);
        if stage == Stage::Sent && where_it_is != JobState::Held {
            if !ignored {
                state.report(host, cause, now);
            }
            if P::TRACES {
                self.tell_ejections(call);
            }
            let state = &mut self.callers[caller];
            // What a proxy holds against the host: no connection, no answer (nginx `proxy_next_upstream`).
            let failed = matches!(cause, Some(Cause::Refused | Cause::Reset | Cause::Timeout));
            let (latency, success) = (now.since(sent), verdict == Verdict::Success);
            state.finished(Finished { now, host, latency, success }, failed);
        }
        self.tell(call, permit, verdict, begun);
        if self.callers[caller].holds_back {
            self.leave_stage(job, caller, verdict, cause);
        }
    }

    #[cold]
    fn leave_crowd(&mut self, caller: usize, crowd: u32, since: Time, cause: Ending, cancelled: bool) {
        let turnstile = self.callers[caller].turnstile.as_mut();
        if let Some(found) = turnstile.and_then(|turnstile| turnstile.crowd.as_mut())
            && crowd > 0
        {
            found.leave(crowd, since, self.now, cause, cancelled);
        }
    }

    /// Tells whom the caller's outlier detection took out, or back, since it was told last.
    #[cold]
    fn tell_ejections(&mut self, call: u32) {
        let (caller, upstream) = (self.calls[call].caller, self.edge_of(call).upstream);
        let service = self.plan.upstreams[upstream.index()].service;
        let first = self.plan.services[service.index()].instances.start;
        let at = self.caller_of(call);
        for host in 0..self.callers[at].hosts_known() {
            if let Some(out) = self.callers[at].ejection_changed(host) {
                let instance = InstanceId(first + host as u32);
                self.trace(|| Traced::Ejected { upstream, caller, instance, out });
            }
        }
    }

    /// Leaves the bulkhead and the connection, or the line for them; who waits there goes on.
    fn leave_stage(&mut self, job: u32, caller: usize, verdict: Verdict, cause: Ending) {
        let Job { stage, host, state, .. } = self.jobs[job];
        let (held, host) = (state == JobState::Held, host as usize);
        let callers = &mut self.callers[caller];
        let mut next = [None, None];
        if let Some(pool) = &mut callers.pool {
            match stage {
                Stage::Sent => {
                    let broken = matches!(cause, Some(Cause::Timeout | Cause::Reset | Cause::Refused));
                    next[0] = pool.leave(host, broken || verdict == Verdict::Ignored);
                }
                Stage::Connection if held => pool.give_up(job, host),
                _ => {}
            }
        }
        if let Some(compartment) = &mut callers.compartment {
            match stage {
                Stage::Connection | Stage::Sent => next[1] = compartment.leave(),
                Stage::Bulkhead if held => compartment.give_up(job),
                _ => {}
            }
        }
        for (waiting, stage) in next.into_iter().zip([Stage::Sent, Stage::Connection]) {
            if let Some(waiting) = waiting {
                self.jobs[waiting].stage = stage;
                self.jobs[waiting].stamp = 0;
                self.jobs[waiting].holds += 1;
                // By an event of its own: whoever makes room is still busy.
                self.agenda.soon(Event::Admitted(waiting));
            }
        }
    }

    /// It waited for a place or a connection and has it, if it is still there.
    pub(super) fn admitted(&mut self, job: u32) {
        if self.jobs[job].call != NONE {
            self.go_on(job);
        }
        self.release(job);
    }

    /// Nobody waits for this attempt any more; the callee may or may not hear of it.
    fn abandon(&mut self, job: u32, how: Cancellation) {
        let record = &self.jobs[job];
        if record.state == JobState::Held || record.stage != Stage::Sent || record.lost {
            self.jobs[job].state = JobState::Done;
            return self.release(job);
        }
        self.cancel(job, how);
    }

    /// Takes all attempts off a call: for each a timeout, or nothing that counts.
    pub(super) fn drop_attempts(&mut self, call: u32, verdict: Verdict) {
        let edge = self.edge_of(call);
        let losers = edge.hedging.is_some_and(|hedge| hedge.cancel) && verdict == Verdict::Ignored;
        let how = if losers { Cancellation::All } else { edge.cancellation };
        let timed_out = (verdict == Verdict::Failure).then_some(Cause::Timeout);
        while self.calls[call].first_attempt != NONE {
            let job = self.calls[call].first_attempt;
            self.detach(job, verdict, timed_out);
            self.abandon(job, how);
            if verdict == Verdict::Failure {
                let record = &self.calls[call];
                self.probe.attempt_ended(record.edge, timed_out, record.measured);
            }
        }
    }
}
