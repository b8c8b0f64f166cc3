//! Requests at an instance: waiting, own work, calls, reply.
//!
//! One bounded queue in front of each instance holds those that have not started: a request starts
//! when it is inside the concurrency limit *and*, where it begins with own work, has a worker. A worker
//! is held during own work only. Requests that need a worker again in the middle of their script wait
//! in a second, unbounded line; a free worker goes to whoever has waited longest.

use super::super::event::Event;
use super::super::ids::InstanceId;
use super::super::plan::{Cancellation, Step};
use super::super::probe::{Cause, Ending, Probe, Traced};
use super::state::JobState;
use super::{Engine, NONE};
use crate::kernel::Span;
use crate::policy::queue::Taken;

impl<P: Probe> Engine<'_, P> {
    /// A request reaches its instance.
    #[inline]
    pub(super) fn arrive(&mut self, job: u32) {
        let record = &mut self.jobs[job];
        if record.cancelled {
            record.state = JobState::Done;
            return self.release(job);
        }
        let (endpoint, instance) = (record.endpoint, record.instance);
        record.arrived = self.now;
        self.probe.job_arrived(self.now, endpoint, InstanceId(instance), record.measured);
        if P::TRACES {
            let (request, instance) = (record.request, InstanceId(instance));
            self.probe.traced(self.now, Traced::Received { request, job, endpoint, instance });
        }
        let plan = &self.plan.endpoints[endpoint.index()];
        let streams = &mut self.endpoints[endpoint.index()];
        record.step = plan.script;
        // Drawn on arrival, so that the draws do not depend on who starts first.
        if let Some(work) = &plan.work {
            record.work = work.sample(&mut streams.work);
        }
        let needs_worker = streams.works_first && !record.work.is_zero();
        let state = &mut self.instances[instance as usize];
        if !state.up {
            return self.turn_away(job, Cause::Refused);
        }
        if let Some(turnstile) = &mut state.turnstile {
            if turnstile.rate.as_mut().is_some_and(|rate| rate.take(self.now) != Some(Span::ZERO)) {
                return self.turn_away(job, Cause::RateLimited);
            }
            if let Some(crowd) = &mut turnstile.crowd {
                record.crowd[1] = crowd.enter(self.now);
                if record.crowd[1] == 0 {
                    return self.turn_away(job, Cause::Overflow);
                }
            }
        }
        if state.inside < state.concurrency && (!needs_worker || state.busy < state.workers) {
            state.inside += 1;
            return self.advance(job);
        }
        record.state = JobState::Queued;
        record.waiting_since = self.now;
        if state.entry.offer(job, self.now) {
            state.waiting += 1;
            self.tell_occupancy(instance);
        } else {
            self.turn_away(job, Cause::Overflow);
        }
    }

    /// Goes through the script until something has to be waited for.
    pub(super) fn advance(&mut self, job: u32) {
        loop {
            let record = &self.jobs[job];
            match self.plan.steps[record.step as usize] {
                Step::Work { share } => {
                    if self.start_work(job, share) {
                        return;
                    }
                }
                Step::Check => {
                    if self.draws_error(job) {
                        return self.finish(job, Some(Cause::Error));
                    }
                }
                Step::Calls { first, count } => {
                    self.jobs[job].state = JobState::Calling;
                    for member in first..first + count {
                        self.make_call(job, self.plan.groups[member as usize]);
                    }
                    if self.jobs[job].pending > 0 {
                        return;
                    }
                }
                Step::Publish { queue, probability, times } => {
                    let endpoint = self.jobs[job].endpoint.index();
                    if probability >= 1.0 || self.endpoints[endpoint].messages.chance(probability) {
                        for _ in 0..times {
                            self.publish_from(job, queue);
                        }
                    }
                }
                Step::Done => return self.finish(job, None),
            }
            self.jobs[job].step += 1;
        }
    }

    fn draws_error(&mut self, job: u32) -> bool {
        let record = &self.jobs[job];
        let own = self.plan.endpoints[record.endpoint.index()].error_rate;
        let failing = self.instances[record.instance as usize].failing_at.last();
        let rate = failing.map_or(own, |(_, rate)| *rate);
        rate > 0.0 && self.endpoints[record.endpoint.index()].errors.chance(rate)
    }

    /// Begins a piece of own work, or waits for a worker; `false` when there is nothing to do.
    fn start_work(&mut self, job: u32, share: f64) -> bool {
        let record = &self.jobs[job];
        let (instance, handler) = (record.instance, record.handling != NONE);
        let work = if share < 1.0 { record.work.scaled(share) } else { record.work };
        let work = self.stretched(instance, work);
        if work.is_zero() {
            return false;
        }
        let state = &mut self.instances[instance as usize];
        if !handler {
            if state.busy >= state.workers {
                let record = &mut self.jobs[job];
                record.state = JobState::Resuming;
                record.waiting_since = self.now;
                state.resume.push_back(job);
                state.waiting += 1;
                self.tell_occupancy(instance);
                return true;
            }
            state.busy += 1;
            state.worked = state.worked + work;
            self.tell_occupancy(instance);
        }
        let record = &mut self.jobs[job];
        record.state = JobState::Working;
        record.work_ends = self.now + work;
        record.holds += 1;
        self.agenda.at(record.work_ends, Event::WorkDone(job));
        true
    }

    /// A piece of own work is done, unless the event is stale: the job went away, or the instance
    /// changed its pace.
    #[inline]
    pub(super) fn work_done(&mut self, job: u32) {
        let record = &mut self.jobs[job];
        // Released first: a job at work is held by its life too.
        record.holds -= 1;
        if record.state != JobState::Working || record.work_ends != self.now {
            if record.holds == 0 {
                record.state = JobState::Free;
                self.jobs.remove(job);
            }
            return;
        }
        record.step += 1;
        let (instance, handler) = (record.instance, record.handling != NONE);
        if !handler {
            // Calling: it no longer works, and those that look at it now must not think so.
            record.state = JobState::Calling;
            self.instances[instance as usize].busy -= 1;
            self.let_in(instance);
        }
        self.advance(job);
        if !handler {
            self.tell_occupancy(instance);
        }
    }

    /// One of the job's calls returned.
    pub(super) fn call_returned(&mut self, job: u32, end: Ending) {
        let record = &mut self.jobs[job];
        record.pending -= 1;
        if record.state == JobState::Calling {
            if end.is_some() {
                self.finish(job, Some(Cause::Dependency));
            } else if record.pending == 0 {
                record.step += 1;
                self.advance(job);
            }
        }
        self.release(job);
    }

    /// The request ends at its instance, which takes in the next.
    pub(super) fn finish(&mut self, job: u32, end: Ending) {
        let record = &self.jobs[job];
        let (instance, handling) = (record.instance, record.handling);
        if handling == NONE {
            self.instances[instance as usize].inside -= 1;
            self.answer(job, end);
            self.let_in(instance);
        } else {
            self.answer(job, end);
            self.handled(handling, end);
        }
    }

    /// A request that was never let in.
    fn turn_away(&mut self, job: u32, cause: Cause) {
        self.answer(job, Some(cause));
    }

    /// Sends the reply, where somebody waits for it.
    pub(super) fn answer(&mut self, job: u32, end: Ending) {
        let record = &mut self.jobs[job];
        record.state = JobState::Done;
        record.end = end;
        let took = self.now.since(record.arrived);
        self.probe.job_ended(self.now, record.endpoint, took, end, record.measured);
        if P::TRACES {
            let (request, endpoint, instance) =
                (record.request, record.endpoint, InstanceId(record.instance));
            self.probe.traced(self.now, Traced::Replied { request, job, endpoint, instance, end });
        }
        if self.probed && end.is_none() {
            let state = &mut self.instances[record.instance as usize];
            state.latency = state.latency.scaled(0.875) + took.scaled(0.125);
        }
        let (call, arrived, crowd) = (record.call, record.arrived, std::mem::take(&mut record.crowd[1]));
        if crowd > 0
            && let Some(turnstile) = &mut self.instances[record.instance as usize].turnstile
            && let Some(found) = &mut turnstile.crowd
        {
            found.leave(crowd, arrived, self.now, end, end == Some(Cause::Cancelled));
        }
        if call == NONE {
            return self.release(job);
        }
        self.travel(job, true);
    }

    /// Starts whoever waits and can start.
    pub(super) fn let_in(&mut self, instance: u32) {
        let state = &mut self.instances[instance as usize];
        if state.pumping || state.waiting == 0 {
            return;
        }
        state.pumping = true;
        while self.instances[instance as usize].waiting > 0 && self.let_one_in(instance) {}
        self.instances[instance as usize].pumping = false;
        self.tell_occupancy(instance);
    }

    fn let_one_in(&mut self, instance: u32) -> bool {
        let state = &mut self.instances[instance as usize];
        if !state.up {
            return false;
        }
        let free = state.busy < state.workers;
        if !free && state.inside >= state.concurrency {
            return false;
        }
        let resuming = state.resume.front().copied().filter(|_| free);
        let starting = state.entry.front().filter(|job| {
            let record = &self.jobs[*job];
            let works = self.endpoints[record.endpoint.index()].works_first && !record.work.is_zero();
            state.inside < state.concurrency && (free || !works)
        });
        let longer = |a: u32, b: u32| self.jobs[a].waiting_since <= self.jobs[b].waiting_since;
        match (resuming, starting) {
            (Some(a), b) if b.is_none_or(|b| longer(a, b)) => {
                state.resume.pop_front();
                state.waiting -= 1;
                self.advance(a);
            }
            (_, Some(_)) => {
                let Some(taken) = state.entry.take(self.now) else { return false };
                state.waiting -= 1;
                match taken {
                    Taken::Serve(job) => {
                        state.inside += 1;
                        self.advance(job);
                    }
                    Taken::Drop(job) => self.turn_away(job, Cause::Overflow),
                }
            }
            _ => return false,
        }
        true
    }

    /// The caller gave up on this job.
    pub(super) fn cancel(&mut self, job: u32, how: Cancellation) {
        let record = &mut self.jobs[job];
        let instance = record.instance;
        match (how, record.state) {
            (Cancellation::None, _) | (_, JobState::Done | JobState::Free) => return,
            (_, JobState::Transit) => {
                record.cancelled = true;
                return;
            }
            (_, JobState::Queued) => {
                let state = &mut self.instances[instance as usize];
                state.waiting -= u32::from(state.entry.remove(job));
            }
            (Cancellation::Queued, _) => return,
            (Cancellation::All, _) => {
                self.abort(job);
                self.instances[instance as usize].inside -= 1;
            }
        }
        self.answer(job, Some(Cause::Cancelled));
        self.tell_occupancy(instance);
        self.let_in(instance);
    }

    /// Takes a started job away from its worker, its line and its calls.
    pub(super) fn abort(&mut self, job: u32) {
        let record = &self.jobs[job];
        let (instance, handler) = (record.instance, record.handling != NONE);
        match record.state {
            JobState::Working if !handler => self.instances[instance as usize].busy -= 1,
            JobState::Resuming => {
                let state = &mut self.instances[instance as usize];
                if let Some(index) = state.resume.iter().position(|waiting| *waiting == job) {
                    state.resume.remove(index);
                    state.waiting -= 1;
                }
            }
            _ => {}
        }
        // No longer at work: the event of it is stale from here on.
        self.jobs[job].state = JobState::Done;
        while self.jobs[job].first_call != NONE {
            self.drop_call(self.jobs[job].first_call);
        }
        self.jobs[job].pending = 0;
    }
}
