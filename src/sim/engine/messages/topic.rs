//! A topic: a partitioned log of which every consumer group reads everything, one reader per partition, in
//! order. A record that fails is tried again where it stands, and what is behind it waits.

use std::collections::VecDeque;

use super::super::super::event::Event;
use super::super::super::ids::{EndpointId, QueueId};
use super::super::super::plan::{Plan, Queue};
use super::super::super::probe::{Ending, MessageStep, Probe};
use super::super::Engine;
use super::{Handling, Line, Message, Place, REDELIVERY};
use crate::kernel::{Span, Stream, Time};
use crate::policy::messaging::{Assignor, Group, OffsetReset, Partitioner, Record, Topic, TopicSettings};

/// How long a group waits for a member that is silent (Kafka's `session.timeout.ms`).
const SESSION: Span = Span::from_secs(45);

/// A reader: one thread of an instance.
struct Member {
    instance: u32,
    joined: bool,
    /// Since when its instance is gone.
    gone: Option<Time>,
    /// What it is at, and how often that was tried.
    at: Option<Record<Message>>,
    tries: u32,
    /// It waits for another try.
    pausing: bool,
}

struct Readers {
    endpoint: EndpointId,
    group: Group,
    members: Vec<Member>,
    /// Records that nobody has begun to read.
    behind: u32,
}

/// A topic of a run.
pub(in super::super) struct TopicState {
    topic: Topic<Message>,
    groups: Vec<Readers>,
    /// Who tries again, in time order: group, member.
    returning: VecDeque<(Time, u32, u32)>,
    draws: Stream,
}

impl TopicState {
    pub(super) fn new(plan: &Plan, queue: &Queue, draws: Stream) -> Self {
        let instances = |endpoint: EndpointId| {
            plan.services[plan.endpoints[endpoint.index()].service.index()].instances.clone()
        };
        let readers = queue
            .consumers
            .iter()
            .map(|c| (instances(c.endpoint).len() as u32).saturating_mul(c.concurrency));
        // Where nobody says how many there are, there are enough for all.
        let partitions = queue.partitions.unwrap_or_else(|| readers.max().unwrap_or(1));
        let partitioner = Partitioner::RoundRobin;
        let topic =
            Topic::new(TopicSettings { partitions, partitioner, retention: None, retention_records: None });
        let groups = queue.consumers.iter().map(|consumer| {
            let mut group = Group::new(Assignor::Range, OffsetReset::Earliest, topic.partitions());
            let member =
                |instance| Member { instance, joined: true, gone: None, at: None, tries: 0, pausing: false };
            // One thread of every instance before a second of any, so that few partitions are spread out.
            let members: Vec<Member> = (0..consumer.concurrency)
                .flat_map(|_| instances(consumer.endpoint).map(member))
                .take(topic.partitions() as usize)
                .collect();
            (0..members.len()).for_each(|id| group.join(id as u32));
            Readers { endpoint: consumer.endpoint, group, members, behind: 0 }
        });
        let groups = groups.collect();
        Self { topic, groups, returning: VecDeque::new(), draws }
    }

    /// An instance is gone: its group waits for it for a while; until when.
    pub(super) fn gone(&mut self, instance: u32, now: Time) -> Option<Time> {
        let mut any = false;
        for member in self.groups.iter_mut().flat_map(|group| &mut group.members) {
            if member.instance == instance {
                member.gone = Some(now);
                any = true;
            }
        }
        any.then_some(now + SESSION)
    }

    /// What no group needs any more is thrown away.
    fn forget(&mut self, partition: u32) {
        let read = self.groups.iter().map(|readers| readers.group.committed(partition).unwrap_or(0)).min();
        if let Some(read) = read {
            self.topic.forget_before(partition, read);
        }
    }
}

impl<P: Probe> Engine<'_, P> {
    fn topic(&mut self, queue: QueueId) -> Option<&mut TopicState> {
        match &mut self.queues[queue.index()] {
            Line::Topic(state) => Some(state),
            Line::Queue(_) => None,
        }
    }

    pub(super) fn publish_to_topic(&mut self, queue: QueueId, message: Message) {
        let now = self.now;
        let Some(state) = self.topic(queue) else { return };
        if state.groups.is_empty() {
            // Nobody listens: what is sent is sent, and never waited for.
            self.tell_message(queue, MessageStep::Published, 0, message);
            return;
        }
        let (partition, _) = state.topic.publish(None, message, now, &mut state.draws);
        for group in 0..state_groups(&self.queues[queue.index()]) {
            let Some(state) = self.topic(queue) else { return };
            let readers = &mut state.groups[group];
            readers.behind += 1;
            let (waiting, owner) = (readers.behind, readers.group.owner(partition));
            self.messages += 1;
            self.tell_message(queue, MessageStep::Published, waiting, message);
            if let Some(owner) = owner {
                self.read_on(queue, group, owner as usize);
            }
        }
    }

    /// A reader that is free takes its next record.
    fn read_on(&mut self, queue: QueueId, group: usize, member: usize) {
        let now = self.now;
        let (instances, Line::Topic(state)) = (&self.instances, &mut self.queues[queue.index()]) else {
            return;
        };
        let Readers { endpoint, group: offsets, members, behind } = &mut state.groups[group];
        let endpoint = *endpoint;
        let reader = &mut members[member];
        if reader.at.is_some() || !reader.joined || !instances[reader.instance as usize].up {
            return;
        }
        let Some(record) = offsets.poll(member as u32, &state.topic) else { return };
        (reader.at, reader.tries) = (Some(record), 0);
        *behind = behind.saturating_sub(1);
        let waiting = *behind;
        let message = record.item;
        let step = MessageStep::Delivered(now.since(message.published));
        self.tell_message(queue, step, waiting, message);
        self.begin_record(queue, group, member, endpoint);
    }

    fn begin_record(&mut self, queue: QueueId, group: usize, member: usize, endpoint: EndpointId) {
        let Some(state) = self.topic(queue) else { return };
        let reader = &mut state.groups[group].members[member];
        let Some(record) = reader.at else { return };
        reader.tries += 1;
        let instance = reader.instance;
        let place = Place::Topic { group: group as u32, member: member as u32 };
        self.handle_message(endpoint, instance, Handling { queue, place, message: record.item });
    }

    pub(super) fn handled_of_topic(
        &mut self,
        queue: QueueId,
        group: u32,
        member: u32,
        message: Message,
        end: Ending,
    ) {
        let now = self.now;
        let most = self.plan.queues[queue.index()].max_deliveries;
        let (instances, Line::Topic(state)) = (&self.instances, &mut self.queues[queue.index()]) else {
            return;
        };
        let readers = &mut state.groups[group as usize];
        let reader = &mut readers.members[member as usize];
        let Some(record) = reader.at else { return };
        let up = instances[reader.instance as usize].up;
        let given_up = end.is_some() && up && most.is_some_and(|most| reader.tries >= most);
        if !up {
            // Its group reads on from what is committed.
            reader.at = None;
            return;
        }
        if end.is_some() && !given_up {
            reader.pausing = true;
            state.returning.push_back((now + REDELIVERY, group, member));
            self.agenda.at(now + REDELIVERY, Event::Deliver(queue));
            return;
        }
        reader.at = None;
        let generation = readers.group.generation();
        readers.group.commit(member, generation, record.partition, record.offset + 1);
        let waiting = readers.behind;
        state.forget(record.partition);
        self.messages = self.messages.saturating_sub(1);
        let step = if given_up {
            MessageStep::DeadLettered
        } else {
            MessageStep::Acknowledged(now.since(message.published))
        };
        self.tell_message(queue, step, waiting, message);
        self.read_on(queue, group as usize, member as usize);
    }

    /// Records that failed are tried again, members come and go, free readers read on.
    pub(super) fn deliver_topic(&mut self, queue: QueueId) {
        let now = self.now;
        loop {
            let Some(state) = self.topic(queue) else { return };
            let Some((at, group, member)) = state.returning.front().copied() else { break };
            if at > now {
                break;
            }
            state.returning.pop_front();
            let readers = &mut state.groups[group as usize];
            let (endpoint, waiting) = (readers.endpoint, readers.behind);
            let reader = &mut readers.members[member as usize];
            // Its instance may have gone in the meantime, and come back.
            let Some(record) = reader.at.filter(|_| std::mem::take(&mut reader.pausing)) else { continue };
            self.tell_message(queue, MessageStep::Redelivered, waiting, record.item);
            self.begin_record(queue, group as usize, member as usize, endpoint);
        }
        self.meet(queue);
        for group in 0..state_groups(&self.queues[queue.index()]) {
            for member in 0..self.topic(queue).map_or(0, |state| state.groups[group].members.len()) {
                self.read_on(queue, group, member);
            }
        }
    }

    /// Members that were silent for too long leave their groups, those that are back join: a rebalance.
    fn meet(&mut self, queue: QueueId) {
        let now = self.now;
        let (instances, Line::Topic(state)) = (&self.instances, &mut self.queues[queue.index()]) else {
            return;
        };
        for readers in &mut state.groups {
            let before = readers.group.generation();
            for (id, member) in readers.members.iter_mut().enumerate() {
                let Some(since) = member.gone else { continue };
                if instances[member.instance as usize].up {
                    (member.gone, member.at, member.pausing) = (None, None, false);
                    if std::mem::replace(&mut member.joined, true) {
                        // Back before anybody noticed: it takes its place and reads on from what is committed.
                        readers.group.rebalance();
                    } else {
                        readers.group.join(id as u32);
                    }
                } else if member.joined && now >= since + SESSION {
                    (member.joined, member.at, member.pausing) = (false, None, false);
                    readers.group.leave(id as u32);
                }
            }
            if readers.group.generation() != before {
                // What is in somebody's hands is not committed, and read again.
                readers.behind = u32::try_from(readers.group.lag(&state.topic)).unwrap_or(u32::MAX);
            }
        }
    }
}

fn state_groups(line: &Line) -> usize {
    match line {
        Line::Topic(state) => state.groups.len(),
        Line::Queue(_) => 0,
    }
}
