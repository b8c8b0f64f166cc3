//! Queues and topics: publish and forget, handle, try again, give up.
//!
//! Delivery is at least once. A message waits per consumer group until an instance of it that is up has
//! a free handler; instances take turns. What failed comes back after [`REDELIVERY`], so that a handler
//! that takes no time cannot stop the clock.

use std::collections::VecDeque;

use super::super::event::Event;
use super::super::ids::{EndpointId, InstanceId, QueueId};
use super::super::plan::{Plan, Queue};
use super::super::probe::{Ending, MessageStep, Probe};
use super::Engine;
use super::state::{Job, JobState};
use crate::kernel::{Span, Time};

/// How long after a failure a message is offered again, or reaches the dead-letter queue. Products put
/// it back at once, which takes them about as long.
const REDELIVERY: Span = Span::from_millis(1);

/// A message that waits or is handled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    published: Time,
    deliveries: u32,
    address: u32,
    measured: bool,
    first_line: bool,
}

/// A message in the hands of a handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handling {
    queue: QueueId,
    group: u32,
    slot: u32,
    message: Message,
}

/// A consumer group of a queue.
struct Group {
    waiting: VecDeque<Message>,
    /// Handlers in use, per instance.
    in_use: Vec<u32>,
    next: usize,
}

/// A message on its way (back) into a queue.
struct Returning {
    at: Time,
    /// The group that failed on it; `None` for one from a queue that gave it up.
    group: Option<u32>,
    message: Message,
}

/// A queue or topic.
pub(super) struct QueueState {
    groups: Vec<Group>,
    /// In time order: all take equally long.
    returning: VecDeque<Returning>,
    /// Whose turn it is, where consumers share the messages.
    turn: usize,
}

impl QueueState {
    pub(super) fn new(plan: &Plan, queue: &Queue) -> Self {
        let group =
            |instances: usize| Group { waiting: VecDeque::new(), in_use: vec![0; instances], next: 0 };
        let mut groups: Vec<Group> = queue
            .consumers
            .iter()
            .map(|consumer| {
                let service = plan.endpoints[consumer.endpoint.index()].service;
                group(plan.services[service.index()].instances.len())
            })
            .collect();
        if groups.is_empty() {
            // Nobody consumes: messages wait for nobody.
            groups.push(group(0));
        }
        Self { groups, returning: VecDeque::new(), turn: 0 }
    }
}

impl<P: Probe> Engine<'_, P> {
    /// A job's script publishes.
    pub(super) fn publish_from(&mut self, job: u32, queue: QueueId) {
        let Job { address, measured, first_line, .. } = self.jobs[job];
        self.publish(queue, Message { published: self.now, deliveries: 0, address, measured, first_line });
    }

    fn publish(&mut self, queue: QueueId, message: Message) {
        let state = &mut self.queues[queue.index()];
        let groups = state.groups.len();
        if groups == 0 {
            // Nobody listens: what is sent is sent, and never waited for.
            self.probe.message(self.now, queue, MessageStep::Published, 0, message.measured);
            return;
        }
        let chosen = if self.plan.queues[queue.index()].fan_out {
            0..groups
        } else {
            state.turn = (state.turn + 1) % groups;
            state.turn..state.turn + 1
        };
        for group in chosen {
            let waiting = &mut self.queues[queue.index()].groups[group].waiting;
            let full =
                self.plan.queues[queue.index()].max_length.is_some_and(|max| waiting.len() >= max as usize);
            let step = if full { MessageStep::Dropped } else { MessageStep::Published };
            if !full {
                waiting.push_back(message);
                self.messages += 1;
            }
            let waiting = waiting.len() as u32;
            self.probe.message(self.now, queue, step, waiting, message.measured);
            self.deliver(queue, group);
        }
    }

    /// Hands waiting messages to free handlers.
    fn deliver(&mut self, queue: QueueId, group: usize) {
        let Some(consumer) = self.plan.queues[queue.index()].consumers.get(group) else { return };
        let service = self.plan.endpoints[consumer.endpoint.index()].service;
        let first = self.plan.services[service.index()].instances.start;
        loop {
            let state = &mut self.queues[queue.index()].groups[group];
            if state.waiting.is_empty() {
                return;
            }
            let n = state.in_use.len();
            let free = (0..n).map(|i| (state.next + i) % n).find(|slot| {
                state.in_use[*slot] < consumer.concurrency && self.instances[first as usize + slot].up
            });
            let Some(slot) = free else { return };
            let Some(mut message) = state.waiting.pop_front() else { return };
            state.next = slot + 1;
            state.in_use[slot] += 1;
            self.messages -= 1;
            message.deliveries += 1;
            let waited = self.now.since(message.published);
            let waiting = state.waiting.len() as u32;
            self.probe.message(self.now, queue, MessageStep::Delivered(waited), waiting, message.measured);
            let handling = Handling { queue, group: group as u32, slot: slot as u32, message };
            self.handle_message(consumer.endpoint, first + slot as u32, handling);
        }
    }

    fn handle_message(&mut self, endpoint: EndpointId, instance: u32, handling: Handling) {
        let Message { address, measured, first_line, .. } = handling.message;
        let handling = self.handlings.insert(handling);
        let plan = &self.plan.endpoints[endpoint.index()];
        let mut job =
            Job { handling, address, measured, first_line, arrived: self.now, ..Job::at(endpoint, instance) };
        job.step = plan.script;
        job.state = JobState::Calling;
        if let Some(work) = &plan.work {
            job.work = work.sample(&mut self.endpoints[endpoint.index()].work);
        }
        let job = self.jobs.insert(job);
        self.probe.job_arrived(self.now, endpoint, InstanceId(instance), measured);
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
        let Handling { queue, group, slot, message } = self.handlings[handling];
        self.handlings.remove(handling);
        let plan = &self.plan.queues[queue.index()];
        let state = &mut self.queues[queue.index()].groups[group as usize];
        state.in_use[slot as usize] -= 1;
        let waiting = state.waiting.len() as u32;
        let mut tell = |step| self.probe.message(self.now, queue, step, waiting, message.measured);
        if end.is_none() {
            tell(MessageStep::Acknowledged(self.now.since(message.published)));
        } else if plan.max_deliveries.is_some_and(|max| message.deliveries >= max) {
            tell(MessageStep::DeadLettered);
            if let Some(dead_letter) = plan.dead_letter {
                self.send_back(dead_letter, None, Message { deliveries: 0, ..message });
            }
        } else {
            self.send_back(queue, Some(group), message);
        }
        self.agenda.soon(Event::Deliver(queue));
    }

    fn send_back(&mut self, queue: QueueId, group: Option<u32>, message: Message) {
        let at = self.now + REDELIVERY;
        self.queues[queue.index()].returning.push_back(Returning { at, group, message });
        self.messages += 1;
        self.agenda.at(at, Event::Deliver(queue));
    }

    /// Puts what has come back into its line.
    fn take_back(&mut self, queue: QueueId) {
        let now = self.now;
        loop {
            let returning = &mut self.queues[queue.index()].returning;
            if returning.front().is_none_or(|back| back.at > now) {
                return;
            }
            let Some(Returning { group, message, .. }) = returning.pop_front() else { return };
            self.messages -= 1;
            let Some(group) = group else {
                self.publish(queue, Message { published: now, ..message });
                continue;
            };
            let waiting = &mut self.queues[queue.index()].groups[group as usize].waiting;
            waiting.push_back(message);
            self.messages += 1;
            let waiting = waiting.len() as u32;
            self.probe.message(now, queue, MessageStep::Redelivered, waiting, message.measured);
        }
    }

    /// Handlers of this queue became free, or messages came back.
    pub(super) fn deliver_all(&mut self, queue: QueueId) {
        self.take_back(queue);
        for group in 0..self.queues[queue.index()].groups.len() {
            self.deliver(queue, group);
        }
    }

    /// An instance is up again: its handlers are free.
    pub(super) fn deliver_everywhere(&mut self) {
        for queue in 0..self.queues.len() {
            self.deliver_all(QueueId(queue as u32));
        }
    }
}
