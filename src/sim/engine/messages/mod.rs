//! Queues and topics: publish and forget, handle, try again, give up.
//!
//! Delivery is at least once. What failed comes back after [`REDELIVERY`], so that a handler that takes no time
//! cannot stop the clock. A handler is a job that holds no worker; its consumer's concurrency bounds it.

mod queue;
mod topic;

use super::super::event::Event;
use super::super::ids::{EndpointId, InstanceId, QueueId};
use super::super::plan::{Plan, Queue};
use super::super::probe::{Ending, MessageStep, Probe, Traced};
use super::state::{Job, JobState};
use super::{Engine, NONE};
use crate::kernel::{Span, Stream, Time};
use crate::policy::messaging::Delivery;
use queue::QueueState;
use topic::TopicState;

/// How long after a failure a message is offered again. Products put it back at once, which takes them about
/// as long.
const REDELIVERY: Span = Span::from_millis(1);

/// A message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    published: Time,
    /// The request whose work published it, and its own number.
    request: u32,
    number: u32,
    address: u32,
    measured: bool,
    first_line: bool,
}

/// Whose message a handler has.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// This delivery of a queue to this member.
    Queue { member: u32, delivery: Delivery },
    /// A record of a topic, which the member keeps in mind.
    Topic { group: u32, member: u32 },
}

/// A message in the hands of a handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handling {
    queue: QueueId,
    place: Place,
    message: Message,
}

/// A queue or a topic.
pub(super) enum Line {
    Queue(QueueState),
    Topic(TopicState),
}

impl Line {
    pub(super) fn new(plan: &Plan, queue: &Queue, seed: u64, replication: u32) -> Self {
        if queue.fan_out {
            let draws = Stream::new(seed, replication, "partitions", &queue.name);
            return Self::Topic(TopicState::new(plan, queue, draws));
        }
        Self::Queue(QueueState::new(plan, queue))
    }
}

impl<P: Probe> Engine<'_, P> {
    /// A job's script publishes.
    pub(super) fn publish_from(&mut self, job: u32, queue: QueueId) {
        let Job { address, request, measured, first_line, .. } = self.jobs[job];
        let number = self.published;
        self.published = number.wrapping_add(1);
        self.publish(queue, Message { published: self.now, request, number, address, measured, first_line });
    }

    /// Tells what happens to a message; `waiting` are in the queue afterwards.
    fn tell_message(&mut self, queue: QueueId, step: MessageStep, waiting: u32, message: Message) {
        self.probe.message(self.now, queue, step, waiting, message.measured);
        let (request, message) = (message.request, message.number);
        self.trace(|| Traced::Message { queue, step, request, message });
    }

    fn publish(&mut self, queue: QueueId, message: Message) {
        match &self.queues[queue.index()] {
            Line::Queue(_) => self.publish_to_queue(queue, message),
            Line::Topic(_) => self.publish_to_topic(queue, message),
        }
    }

    fn handle_message(&mut self, endpoint: EndpointId, instance: u32, handling: Handling) {
        let Message { address, request, measured, first_line, .. } = handling.message;
        let handling = self.handlings.insert(handling);
        let plan = &self.plan.endpoints[endpoint.index()];
        let mut job = Job {
            handling,
            address,
            request,
            measured,
            first_line,
            arrived: self.now,
            ..Job::at(endpoint, instance)
        };
        job.step = plan.script;
        job.state = JobState::Calling;
        if let Some(work) = &plan.work {
            job.work = work.sample(&mut self.endpoints[endpoint.index()].work);
        }
        let job = self.jobs.insert(job);
        self.probe.job_arrived(self.now, endpoint, InstanceId(instance), measured);
        let instance = InstanceId(instance);
        self.trace(|| {
            let (parent, edge, retry) = (NONE, None, false);
            Traced::Sent { request, job, parent, edge, endpoint, instance, retry }
        });
        self.trace(|| Traced::Received { request, job, endpoint, instance });
        // Not started here and now: a handler that publishes to its own queue would recurse.
        self.agenda.soon(Event::Handle(job));
    }

    /// A handler starts.
    pub(super) fn handle_start(&mut self, job: u32) {
        // It may have been reset in the meantime.
        if self.jobs[job].state == JobState::Calling {
            self.advance(job);
        }
    }

    /// A handler is done with its message.
    pub(super) fn handled(&mut self, handling: u32, end: Ending) {
        let Handling { queue, place, message } = self.handlings[handling];
        self.handlings.remove(handling);
        match place {
            Place::Queue { member, delivery } => self.handled_of_queue(queue, member, delivery, message, end),
            Place::Topic { group, member } => self.handled_of_topic(queue, group, member, message, end),
        }
        self.agenda.soon(Event::Deliver(queue));
    }

    /// Handlers of this queue became free, or messages came back.
    pub(super) fn deliver_all(&mut self, queue: QueueId) {
        match &self.queues[queue.index()] {
            Line::Queue(_) => self.deliver_queue(queue),
            Line::Topic(_) => self.deliver_topic(queue),
        }
    }

    /// An instance is up again: its handlers are free.
    pub(super) fn deliver_everywhere(&mut self) {
        for queue in 0..self.queues.len() {
            self.deliver_all(QueueId(queue as u32));
        }
    }

    /// An instance is gone, and with it what it had fetched.
    pub(super) fn consumers_gone(&mut self, instance: u32) {
        for queue in 0..self.queues.len() {
            let (now, id) = (self.now, QueueId(queue as u32));
            let back = match &mut self.queues[queue] {
                Line::Queue(state) => state.gone(instance, now),
                Line::Topic(state) => state.gone(instance, now),
            };
            if let Some(back) = back {
                self.agenda.at(back, Event::Deliver(id));
            }
        }
    }
}
