//! Calls, on the caller's side: deadline(retry(breaker(attempt))).
//!
//! Each attempt is one call for the breaker; a rejection takes no time, is not retried and is no
//! failure to it. A time limit frees the caller at once.

use super::super::event::Event;
use super::super::ids::{EdgeId, EndpointId};
use super::super::plan::{Edge, Target};
use super::super::probe::{Cause, Ending, Probe};
use super::state::{Job, JobState};
use super::{Call, Engine, NONE};
use crate::kernel::{Span, Time};
use crate::policy::balancer::hashing::xxhash64;
use crate::policy::balancer::{Finished, Request};
use crate::policy::breaker::{Outcome, Permit, Verdict};

/// The address of the nth end user: each in a /24 network of its own, so that hashes of networks
/// tell them apart.
fn address(n: u32) -> [u8; 4] {
    let [_, high, middle, low] = n.to_be_bytes();
    [10u8.wrapping_add(high), middle, low, 1]
}

impl<'p, P: Probe> Engine<'p, P> {
    #[inline]
    pub(super) fn edge_of(&self, call: u32) -> &'p Edge {
        &self.plan.edges[self.calls[call].edge.index()]
    }

    #[inline]
    pub(super) fn caller_of(&self, call: u32) -> usize {
        let upstream = self.edge_of(call).upstream;
        (self.first_caller[upstream.index()] + self.calls[call].caller) as usize
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
        record.attempts = 0;
        record.delay = Span::ZERO;
        record.stamp = stamp;
        record.deadline = Time::MAX;
        if let Some(timeout) = edge.timeout {
            record.deadline = now + timeout;
            self.agenda.ahead(self.edges[record.edge.index()].call_limit, now, call, stamp);
        }
        self.probe.call_started(record.edge, record.first_line, record.measured);
        self.attempt(call);
    }

    fn attempt(&mut self, call: u32) {
        let edge = self.edge_of(call);
        if self.now >= self.calls[call].inherited {
            return self.fail_soon(call, Cause::Timeout);
        }
        let caller = self.caller_of(call);
        if self.callers[caller].is_full() {
            return self.fail_soon(call, Cause::Capped);
        }
        if let Some(breaker) = edge.breaker {
            let index = (self.first_breaker[breaker.index()] + self.calls[call].caller) as usize;
            let permit = self.breakers[index].breaker.admit(self.now);
            self.tell_breaker(call, index);
            let Some(permit) = permit else {
                return self.fail_soon(call, Cause::BreakerOpen);
            };
            self.calls[call].permit = permit;
        }
        let record = &mut self.calls[call];
        record.attempts += 1;
        record.sent = self.now;
        self.probe.attempt_started(record.edge, record.attempts > 1, record.measured);
        let client = address(record.address);
        // Whatever a hash policy looks at, it is the end user's.
        let request = Request { now: self.now, client, key: Some(xxhash64(&client, 0)) };
        let state = &mut self.callers[caller];
        state.sweep(self.now);
        let Some(host) = state.balancer.pick(&state.hosts, request, &mut state.stream) else {
            return self.fail_soon(call, Cause::NoInstance);
        };
        state.hosts.begin(host);
        record.host = host as u32;
        self.send(call, edge);
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
            // The attempt was made: it counts for the breaker and may be retried.
            Some(Cause::NoInstance) => self.attempt_ended(call, Some(Cause::NoInstance)),
            Some(cause) => self.failed(call, cause),
            None => {}
        }
    }

    /// Puts the request on the network.
    fn send(&mut self, call: u32, edge: &'p Edge) {
        let endpoint = self.target(call, edge);
        let record = &self.calls[call];
        let (id, attempts, host) = (record.edge, record.attempts, record.host);
        let deadline =
            if edge.propagate_deadline { record.deadline.min(record.inherited) } else { Time::MAX };
        let service = self.plan.upstreams[edge.upstream.index()].service;
        let job = self.jobs.insert(Job {
            call,
            edge: id,
            measured: record.measured,
            first_line: record.first_line && attempts == 1,
            address: record.address,
            deadline,
            ..Job::at(endpoint, self.plan.services[service.index()].instances.start + host)
        });
        self.calls[call].callee = job;
        if edge.per_try_timeout.is_some() {
            let stamp = self.next_stamp();
            self.calls[call].attempt_stamp = stamp;
            self.agenda.ahead(self.edges[id.index()].attempt_limit, self.now, call, stamp);
        }
        if edge.latency_out.is_zero() {
            self.agenda.soon(Event::Arrive(job));
        } else {
            self.agenda.ahead(self.edges[id.index()].out, self.now, job, 0);
        }
    }

    #[inline]
    fn target(&mut self, call: u32, edge: &Edge) -> EndpointId {
        match edge.target {
            Target::One(endpoint) => endpoint,
            Target::Spread { first, count } => {
                let stream = &mut self.edges[self.calls[call].edge.index()].spread;
                EndpointId(first.0 + stream.below(u64::from(count)) as u32)
            }
        }
    }

    /// The callee's reply arrives.
    #[inline]
    pub(super) fn reply(&mut self, job: u32) {
        let Job { call, end, .. } = self.jobs[job];
        self.release(job);
        if call != NONE {
            self.attempt_ended(call, end);
        }
    }

    /// Settles an attempt with balancer, breaker and budget.
    pub(super) fn settle(&mut self, call: u32, verdict: Verdict, cause: Ending) {
        let caller = self.caller_of(call);
        let record = &mut self.calls[call];
        record.callee = NONE;
        record.attempt_stamp = 0;
        let state = &mut self.callers[caller];
        let host = std::mem::replace(&mut record.host, NONE);
        if host != NONE {
            state.hosts.end(host as usize);
            if verdict != Verdict::Ignored {
                state.report(host as usize, cause, self.now);
            }
            // What a proxy holds against the host: no connection, no answer (nginx `proxy_next_upstream`).
            if matches!(cause, Some(Cause::Refused | Cause::Reset | Cause::Timeout)) {
                state.balancer.failed(self.now, host as usize);
            }
            state.balancer.finished(Finished {
                now: self.now,
                host: host as usize,
                latency: self.now.since(record.sent),
                success: verdict == Verdict::Success,
            });
        }
        if std::mem::take(&mut record.retrying) {
            state.retrying -= 1;
        }
        let permit = std::mem::replace(&mut record.permit, Permit::NONE);
        let duration = self.now.since(record.sent);
        if let Some(breaker) = self.plan.edges[record.edge.index()].breaker
            && permit != Permit::NONE
        {
            let index = (self.first_breaker[breaker.index()] + record.caller) as usize;
            self.breakers[index].breaker.record(self.now, permit, Outcome { verdict, duration });
            self.tell_breaker(call, index);
        }
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

    /// An attempt has its outcome: the call ends with it, or is retried.
    fn attempt_ended(&mut self, call: u32, end: Ending) {
        self.settle(call, if end.is_none() { Verdict::Success } else { Verdict::Failure }, end);
        let record = &self.calls[call];
        self.probe.attempt_ended(record.edge, end, record.measured);
        match end {
            None => self.succeeded(call, None),
            Some(cause) if self.retries(call, cause) => self.back_off(call),
            Some(cause) => self.failed(call, cause),
        }
    }

    fn retries(&self, call: u32, cause: Cause) -> bool {
        let record = &self.calls[call];
        let edge = self.edge_of(call);
        let state = &self.callers[self.caller_of(call)];
        record.attempts <= edge.retry.num_retries
            && edge.retry.on.contains(cause)
            && (cause != Cause::Timeout || edge.per_try_timeout.is_some())
            && state.may_retry(edge.retry.budget)
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
        } else {
            self.attempt(call);
        }
    }

    pub(super) fn attempt_timeout(&mut self, call: u32, stamp: u32) {
        if self.calls[call].attempt_stamp == stamp {
            self.give_up(call);
            self.attempt_ended(call, Some(Cause::Timeout));
        }
    }

    pub(super) fn call_timeout(&mut self, call: u32, stamp: u32) {
        let record = &self.calls[call];
        if record.stamp != stamp {
            return;
        }
        let (edge, measured) = (record.edge, record.measured);
        if record.callee == NONE {
            self.settle(call, Verdict::Ignored, None);
        } else {
            self.give_up(call);
            self.settle(call, Verdict::Failure, Some(Cause::Timeout));
            self.probe.attempt_ended(edge, Some(Cause::Timeout), measured);
        }
        self.failed(call, Cause::Timeout);
    }

    /// Stops waiting for the attempt under way; the callee may or may not hear of it.
    pub(super) fn give_up(&mut self, call: u32) {
        let job = self.calls[call].callee;
        if job == NONE {
            return;
        }
        self.jobs[job].call = NONE;
        self.cancel(job, self.edge_of(call).cancellation);
    }
}

impl Job {
    /// On its way to this instance, for nobody yet.
    pub(super) fn at(endpoint: EndpointId, instance: u32) -> Self {
        Self {
            call: NONE,
            handling: NONE,
            endpoint,
            instance,
            edge: EdgeId(NONE),
            state: JobState::Transit,
            measured: false,
            first_line: true,
            cancelled: false,
            end: None,
            step: 0,
            pending: 0,
            first_call: NONE,
            holds: 1,
            address: 0,
            arrived: Time::ZERO,
            waiting_since: Time::ZERO,
            work: Span::ZERO,
            work_ends: Time::ZERO,
            deadline: Time::MAX,
        }
    }
}
