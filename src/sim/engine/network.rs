//! What lies between callers and instances: time, zones, loss, and the events that make it worse.

use super::super::event::Event;
use super::super::event::LaneId;
use super::super::ids::InstanceId;
use super::super::plan::Caller;
use super::super::probe::Probe;
use super::{Engine, NONE};
use crate::kernel::Span;

/// What a network event does to the messages of an instance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    pub(super) event: u32,
    pub(super) lag: Span,
    pub(super) loss: f64,
}

/// What all of them together do.
fn together(troubles: &[Trouble]) -> (Span, f64) {
    let lag = troubles.iter().fold(Span::ZERO, |sum, trouble| sum + trouble.lag);
    let passes: f64 = troubles.iter().map(|trouble| 1.0 - trouble.loss).product();
    (lag, 1.0 - passes)
}

impl<P: Probe> Engine<'_, P> {
    /// Lets a request (or its reply) go: it arrives after the network's time, or never.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "one jump less for each message of every run")]
    pub(super) fn travel(&mut self, job: u32, reply: bool) {
        let record = &self.jobs[job];
        let edge = record.edge.index();
        let lane = self.edges[edge].lanes[usize::from(reply)][usize::from(record.across)];
        if self.troubles > 0 || self.plan.edges[edge].loss > 0.0 {
            return self.travel_badly(job, reply, lane);
        }
        if lane == LaneId::NONE {
            self.agenda.soon(if reply { Event::Reply(job) } else { Event::Arrive(job) });
        } else {
            self.agenda.ahead(lane, self.now, job, 0);
        }
    }

    #[cold]
    fn travel_badly(&mut self, job: u32, reply: bool, lane: LaneId) {
        let record = &self.jobs[job];
        let edge = &self.plan.edges[record.edge.index()];
        let (to_lag, to_loss) = together(&self.instances[record.instance as usize].troubles);
        let (mut from_lag, mut from_loss) = (Span::ZERO, 0.0);
        if let Caller::Service(service) = self.plan.upstreams[edge.upstream.index()].caller
            && record.call != NONE
        {
            let from = self.plan.services[service.index()].instances.start + self.calls[record.call].caller;
            (from_lag, from_loss) = together(&self.instances[from as usize].troubles);
        }
        let loss = 1.0 - (1.0 - edge.loss) * (1.0 - to_loss) * (1.0 - from_loss);
        if loss > 0.0 && self.edges[record.edge.index()].loss.chance(loss) {
            // Nobody learns of it: whoever waits does so until a time limit.
            self.jobs[job].lost = true;
            return;
        }
        let event = if reply { Event::Reply(job) } else { Event::Arrive(job) };
        let delay = self.agenda.delay(lane) + to_lag + from_lag;
        if delay.is_zero() {
            self.agenda.soon(event);
        } else {
            self.agenda.at(self.now + delay, event);
        }
    }

    /// A network event begins at an instance.
    pub(super) fn trouble(&mut self, instance: InstanceId, trouble: Trouble) {
        self.instances[instance.index()].troubles.push(trouble);
        self.troubles += 1;
    }

    /// This one ends there.
    pub(super) fn untrouble(&mut self, instance: InstanceId, event: u32) {
        let troubles = &mut self.instances[instance.index()].troubles;
        let before = troubles.len();
        troubles.retain(|trouble| trouble.event != event);
        self.troubles -= (before - troubles.len()) as u32;
    }
}
