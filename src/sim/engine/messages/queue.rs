//! A queue: each message to one consumer, until it is acknowledged.

use std::collections::VecDeque;

use super::super::super::event::Event;
use super::super::super::ids::{EndpointId, QueueId};
use super::super::super::plan::{Plan, Queue};
use super::super::super::probe::{Ending, MessageStep, Probe};
use super::super::Engine;
use super::{Handling, Line, Message, Place, REDELIVERY};
use crate::kernel::Time;
use crate::policy::messaging::{ConsumerId, Delivery, Overflow, WorkQueue, WorkQueueSettings};

/// An instance that consumes.
struct Member {
    consumer: ConsumerId,
    endpoint: EndpointId,
    instance: u32,
    concurrency: u32,
    /// Messages it may hold.
    credit: u32,
    in_use: u32,
    /// What it holds and has no handler for.
    fetched: VecDeque<(Delivery, Message)>,
}

/// A queue of a run.
pub(in super::super) struct QueueState {
    work: WorkQueue<Message>,
    members: Vec<Member>,
    /// Whose turn it is.
    turn: usize,
    /// Deliveries that failed, in time order: all come back equally late.
    returning: VecDeque<(Time, Delivery)>,
    /// When it looks for deliveries that nobody acknowledged.
    looks_at: Time,
}

impl QueueState {
    pub(super) fn new(plan: &Plan, queue: &Queue) -> Self {
        let mut work = WorkQueue::new(WorkQueueSettings {
            prefetch: 0,
            ack_timeout: queue.ack_timeout,
            delivery_limit: queue.max_deliveries.map(|most| most.saturating_sub(1)),
            max_length: queue.max_length,
            overflow: Overflow::RejectPublish,
            ..WorkQueueSettings::default()
        });
        let mut members = Vec::new();
        for consumer in &queue.consumers {
            let service = plan.endpoints[consumer.endpoint.index()].service;
            for instance in plan.services[service.index()].instances.clone() {
                members.push(Member {
                    consumer: work.subscribe(),
                    endpoint: consumer.endpoint,
                    instance,
                    concurrency: consumer.concurrency,
                    credit: match consumer.prefetch {
                        None => consumer.concurrency,
                        Some(0) => u32::MAX,
                        Some(each) => consumer.concurrency.saturating_mul(each),
                    },
                    in_use: 0,
                    fetched: VecDeque::new(),
                });
            }
        }
        Self { work, members, turn: 0, returning: VecDeque::new(), looks_at: Time::MAX }
    }

    /// What an instance had fetched goes back; when.
    pub(super) fn gone(&mut self, instance: u32, now: Time) -> Option<Time> {
        let back = now + REDELIVERY;
        let before = self.returning.len();
        for member in self.members.iter_mut().filter(|member| member.instance == instance) {
            self.returning.extend(member.fetched.drain(..).map(|(delivery, _)| (back, delivery)));
        }
        (self.returning.len() > before).then_some(back)
    }

    /// Takes the next message for whoever is next in turn and has room.
    fn next(&mut self, now: Time, up: impl Fn(u32) -> bool) -> Option<(usize, Delivery, Message)> {
        let n = self.members.len();
        let may = |at: &usize| {
            let member = &self.members[*at];
            up(member.instance) && self.work.held_by(member.consumer) < member.credit
        };
        let at = (0..n).map(|i| (self.turn + i) % n).find(may)?;
        let (delivery, message) = self.work.deliver(self.members[at].consumer, now)?;
        self.turn = (at + 1) % n;
        Some((at, delivery, message))
    }
}

impl<P: Probe> Engine<'_, P> {
    fn work_queue(&mut self, queue: QueueId) -> Option<&mut QueueState> {
        match &mut self.queues[queue.index()] {
            Line::Queue(state) => Some(state),
            Line::Topic(_) => None,
        }
    }

    pub(super) fn publish_to_queue(&mut self, queue: QueueId, message: Message) {
        self.put(queue, message);
        self.deliver_queue(queue);
    }

    /// Lets a message wait in a queue, where it has room.
    fn put(&mut self, queue: QueueId, message: Message) {
        let now = self.now;
        let Some(state) = self.work_queue(queue) else { return };
        let kept = state.work.publish(message, now);
        let waiting = state.work.len() as u32;
        let step = if kept { MessageStep::Published } else { MessageStep::Dropped };
        self.messages += u64::from(kept);
        self.tell_message(queue, step, waiting, message);
    }

    /// Hands waiting messages to who has room, and starts free handlers.
    pub(super) fn deliver_queue(&mut self, queue: QueueId) {
        self.take_back(queue);
        self.bury(queue);
        let now = self.now;
        loop {
            let (instances, Line::Queue(state)) = (&self.instances, &mut self.queues[queue.index()]) else {
                return;
            };
            if state.work.is_empty() {
                break;
            }
            let Some((at, delivery, message)) = state.next(now, |i| instances[i as usize].up) else { break };
            let again = state.work.receive_count(delivery).is_some_and(|count| count > 1);
            let waiting = state.work.len() as u32;
            let member = &mut state.members[at];
            let starts = member.in_use < member.concurrency;
            let (endpoint, instance) = (member.endpoint, member.instance);
            if starts {
                member.in_use += 1;
            } else {
                member.fetched.push_back((delivery, message));
            }
            if again {
                self.tell_message(queue, MessageStep::Redelivered, waiting, message);
            }
            let step = MessageStep::Delivered(now.since(message.published));
            self.tell_message(queue, step, waiting, message);
            if starts {
                let place = Place::Queue { member: at as u32, delivery };
                self.handle_message(endpoint, instance, Handling { queue, place, message });
            }
        }
        self.bury(queue);
        let Some(state) = self.work_queue(queue) else { return };
        if state.looks_at <= now {
            state.looks_at = Time::MAX;
        }
        if let Some(next) = state.work.next_deadline().filter(|next| *next < state.looks_at) {
            state.looks_at = next;
            self.agenda.at(next, Event::Deliver(queue));
        }
    }

    pub(super) fn handled_of_queue(
        &mut self,
        queue: QueueId,
        member: u32,
        delivery: Delivery,
        message: Message,
        end: Ending,
    ) {
        let now = self.now;
        let (instances, Line::Queue(state)) = (&self.instances, &mut self.queues[queue.index()]) else {
            return;
        };
        let member_state = &mut state.members[member as usize];
        member_state.in_use -= 1;
        let (endpoint, instance) = (member_state.endpoint, member_state.instance);
        let next = if instances[instance as usize].up { member_state.fetched.pop_front() } else { None };
        member_state.in_use += u32::from(next.is_some());
        let waiting = state.work.len() as u32;
        if end.is_some() {
            state.returning.push_back((now + REDELIVERY, delivery));
            self.agenda.at(now + REDELIVERY, Event::Deliver(queue));
        } else if state.work.ack(delivery) {
            self.messages -= 1;
            let step = MessageStep::Acknowledged(now.since(message.published));
            self.tell_message(queue, step, waiting, message);
        }
        // Whoever fetched it handles it, even where its time is over and somebody else has it again.
        if let Some((delivery, message)) = next {
            let place = Place::Queue { member, delivery };
            self.handle_message(endpoint, instance, Handling { queue, place, message });
        }
    }

    /// Failed deliveries whose time has come are given back.
    fn take_back(&mut self, queue: QueueId) {
        let now = self.now;
        let Some(state) = self.work_queue(queue) else { return };
        while let Some((at, delivery)) = state.returning.front().copied()
            && at <= now
        {
            state.returning.pop_front();
            state.work.nack(delivery, true);
        }
        state.work.expire(now);
    }

    /// What was delivered too often goes to the queue for it, or is lost. That queue looks by an event of its own:
    /// dead letters may go in a circle.
    fn bury(&mut self, queue: QueueId) {
        let now = self.now;
        let dead_letter = self.plan.queues[queue.index()].dead_letter;
        let mut moved = false;
        while let Some(state) = self.work_queue(queue)
            && let Some(dead) = state.work.take_dead()
        {
            let waiting = state.work.len() as u32;
            self.messages -= 1;
            self.tell_message(queue, MessageStep::DeadLettered, waiting, dead.item);
            let Some(dead_letter) = dead_letter else { continue };
            let message = Message { published: now, ..dead.item };
            match &self.queues[dead_letter.index()] {
                Line::Queue(_) => self.put(dead_letter, message),
                Line::Topic(_) => self.publish_to_topic(dead_letter, message),
            }
            moved = true;
        }
        if let Some(dead_letter) = dead_letter.filter(|_| moved) {
            self.agenda.soon(Event::Deliver(dead_letter));
        }
    }
}
