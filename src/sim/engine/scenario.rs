//! What happens to instances: killed, restarted, slowed down, made to fail.

use super::super::event::Event;
use super::super::ids::{BreakerId, InstanceId, ServiceId};
use super::super::plan::{Action, Caller};
use super::super::probe::{Cause, Probe, Traced};
use super::network::Trouble;
use super::state::{BreakerState, JobState};
use super::{Engine, NONE};
use crate::kernel::{Span, Time};

impl<P: Probe> Engine<'_, P> {
    /// Puts the scenario's events on the agenda.
    pub(super) fn schedule_scenario(&mut self) {
        for (index, event) in self.plan.events.iter().enumerate() {
            self.agenda.at(event.at, Event::Begin(index as u32));
            if let Some(lasts) = event.lasts {
                self.agenda.at(event.at + lasts, Event::End(index as u32));
            }
        }
        for (index, instance) in self.plan.instances.iter().enumerate() {
            let id = InstanceId(index as u32);
            if let Some(at) = instance.listed_at
                && self.instances[index].checked.is_none()
            {
                self.agenda.at(at, Event::Listed(id));
            }
            if !instance.up {
                self.probe.up(self.now, id, false);
            }
        }
    }

    pub(super) fn begin_event(&mut self, number: u32) {
        let event = &self.plan.events[number as usize];
        self.trace(|| Traced::Happening { event: number, begins: true });
        for instance in &event.instances {
            let state = &mut self.instances[instance.index()];
            match event.action {
                Action::Kill { unlisted_after } => {
                    if let Some(delay) = unlisted_after {
                        let at = self.now + delay;
                        // Callers notice as the first of several kills says.
                        state.unlisted_from = if state.up { at } else { state.unlisted_from.min(at) };
                        self.agenda.at(at, Event::Unlisted(*instance));
                    }
                    state.down_for.push(number);
                    self.kill(*instance);
                }
                Action::Drain => {
                    state.draining = true;
                    self.deregister(*instance);
                }
                Action::Restart => {
                    state.down_for.clear();
                    self.restart(*instance);
                }
                Action::Slow(factor) => {
                    state.slowed_by.push((number, factor));
                    self.change_pace(*instance);
                }
                Action::ErrorRate(rate) => state.failing_at.push((number, rate)),
                Action::Network { lag, loss } => {
                    self.trouble(*instance, Trouble { event: number, lag, loss });
                }
            }
        }
    }

    /// Takes this event back, and no other that still lasts.
    pub(super) fn end_event(&mut self, number: u32) {
        let event = &self.plan.events[number as usize];
        self.trace(|| Traced::Happening { event: number, begins: false });
        for instance in &event.instances {
            let state = &mut self.instances[instance.index()];
            match event.action {
                Action::Kill { .. } => {
                    state.down_for.retain(|reason| *reason != number);
                    if state.down_for.is_empty() {
                        self.restart(*instance);
                    }
                }
                Action::Restart | Action::Drain => {}
                Action::Slow(_) => {
                    state.slowed_by.retain(|(event, _)| *event != number);
                    self.change_pace(*instance);
                }
                Action::ErrorRate(_) => state.failing_at.retain(|(event, _)| *event != number),
                Action::Network { .. } => self.untrouble(*instance, number),
            }
        }
    }

    /// The process is gone: everything in it is reset, its own calls are abandoned.
    pub(super) fn kill(&mut self, instance: InstanceId) {
        let state = &mut self.instances[instance.index()];
        if !state.up {
            return;
        }
        state.up = false;
        state.resume.clear();
        while state.entry.take(self.now).is_some() {}
        state.waiting = 0;
        let inside: Vec<u32> = self
            .jobs
            .slots()
            .filter(|(_, job)| job.instance == instance.0)
            .filter(|(_, job)| !matches!(job.state, JobState::Free | JobState::Held | JobState::Transit))
            .map(|(id, _)| id)
            .collect();
        for job in inside {
            // What has been answered is held by calls that it left behind: they go with the process.
            let answered = self.jobs[job].state == JobState::Done;
            self.jobs[job].holds += 1;
            self.abort(job);
            self.release(job);
            if answered {
                continue;
            }
            let handling = self.jobs[job].handling;
            self.answer(job, Some(Cause::Reset));
            if handling != NONE {
                self.handled(handling, Some(Cause::Reset));
            }
        }
        self.consumers_gone(instance.0);
        let state = &mut self.instances[instance.index()];
        state.busy = 0;
        state.inside = 0;
        self.tell_occupancy(instance.0);
        self.probe.up(self.now, instance, false);
    }

    /// A new process: empty, with fresh balancers and breakers.
    pub(super) fn restart(&mut self, instance: InstanceId) {
        let state = &mut self.instances[instance.index()];
        if state.up {
            return;
        }
        let startup = self.plan.instances[instance.index()].startup;
        let warm_up = self.plan.services[self.plan.instances[instance.index()].service.index()].warm_up;
        state.up = true;
        state.draining = false;
        state.warm_from = warm_up.map_or(Time::ZERO, |warm_up| self.now + startup + warm_up.duration);
        state.listed_from = self.now + startup;
        state.unlisted_from = Time::MAX;
        match &mut state.checked {
            // Its checker will find out.
            Some(checked) => checked.ready_from = state.listed_from,
            None => self.agenda.at(state.listed_from, Event::Listed(instance)),
        }
        self.probe.up(self.now, instance, true);
        let service = self.plan.instances[instance.index()].service;
        let caller = instance.0 - self.plan.services[service.index()].instances.start;
        self.forget(service, caller);
        self.deliver_everywhere();
    }

    fn forget(&mut self, service: ServiceId, caller: u32) {
        for (index, upstream) in self.plan.upstreams.iter().enumerate() {
            if upstream.caller == Caller::Service(service) {
                let state = &mut self.callers[(self.first_caller[index] + caller) as usize];
                state.forget(self.plan, upstream, caller, self.now);
            }
        }
        for (index, breaker) in self.plan.breakers.iter().enumerate() {
            if breaker.caller == Caller::Service(service) {
                let state = &mut self.breakers[(self.first_breaker[index] + caller) as usize];
                let from = state.known;
                *state = BreakerState::new(&breaker.settings);
                if from != state.known {
                    let id = BreakerId(index as u32);
                    self.probe.breaker_changed(self.now, id, caller, from, state.known);
                }
            }
        }
    }

    /// Own work takes as long as the events that last say from now on, work under way included.
    fn change_pace(&mut self, instance: InstanceId) {
        let state = &mut self.instances[instance.index()];
        let before = state.pace;
        state.pace = state.slowed_by.iter().fold(state.usual_pace, |pace, (_, factor)| pace * factor);
        let factor = state.pace / before;
        let working: Vec<u32> = self
            .jobs
            .slots()
            .filter(|(_, job)| job.instance == instance.0 && job.state == JobState::Working)
            .map(|(id, _)| id)
            .collect();
        for id in working {
            let job = &mut self.jobs[id];
            let left: Span = job.work_ends.since(self.now);
            job.work_ends = self.now + left.scaled(factor);
            job.holds += 1;
            self.agenda.at(job.work_ends, Event::WorkDone(id));
        }
    }

    /// Callers learn that it is up, unless it died or was restarted again in the meantime.
    pub(super) fn list(&mut self, instance: InstanceId) {
        let state = &self.instances[instance.index()];
        if state.up && state.listed_from <= self.now {
            self.say(instance, true);
        }
    }

    /// Callers learn that it is down, unless that was another time.
    pub(super) fn unlist(&mut self, instance: InstanceId) {
        let state = &self.instances[instance.index()];
        if !state.up && state.unlisted_from <= self.now {
            self.deregister(instance);
        }
    }

    pub(super) fn set_listed(&mut self, instance: InstanceId, listed: bool) {
        let service = self.plan.instances[instance.index()].service;
        let host = instance.0 - self.plan.services[service.index()].instances.start;
        for (index, upstream) in self.plan.upstreams.iter().enumerate() {
            if upstream.service == service {
                let first = self.first_caller[index] as usize;
                let count = self.plan.callers(upstream.caller) as usize;
                for state in &mut self.callers[first..first + count] {
                    state.set_healthy(host as usize, listed, self.now);
                }
            }
        }
    }
}
