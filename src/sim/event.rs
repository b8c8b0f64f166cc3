//! What happens next: the event queue.
//!
//! Owns order in time. A heap of 16-byte keys (time, sequence, packed event) for what lies at a random
//! distance, and first-in first-out lanes for what always lies equally far ahead (timeouts, network):
//! a lane is in time order by itself, only its head is in the heap, and timers that were cancelled
//! leave it without ever having been there. What happens now waits in a list of its own. Must not know
//! what an event does.

use std::collections::VecDeque;

use super::heap::Heap;
use super::ids::{InstanceId, QueueId, ServiceId, SourceId};
use crate::kernel::{Span, Time};

/// Everything that can happen. Numbers are slots of jobs and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The next request of an open-loop source.
    Arrival(SourceId),
    /// A user has thought enough.
    User(u32),
    /// A request reaches its instance.
    Arrive(u32),
    /// A piece of own work is done.
    WorkDone(u32),
    /// A reply reaches the caller.
    Reply(u32),
    /// A back-off is over.
    Backoff(u32),
    /// A call fails that could not be sent.
    Failed(u32),
    /// A handler gets its message.
    Handle(u32),
    /// A queue looks for free handlers.
    Deliver(QueueId),
    /// A request that waited at its caller for a permit has it.
    Permitted(u32),
    /// The same, for a place in the bulkhead or a connection.
    Admitted(u32),
    /// The head of a lane is due.
    Lane(u32),
    /// A scenario event begins.
    Begin(u32),
    /// A scenario event ends.
    End(u32),
    /// An instance becomes known to callers.
    Listed(InstanceId),
    /// An instance becomes unknown to callers.
    Unlisted(InstanceId),
    /// An instance tells the registry that it lives.
    Heartbeat(InstanceId),
    /// The registry looks for leases that are over.
    Sweep,
    /// An instance's health is checked.
    Check(InstanceId),
    /// Nobody answered a check.
    CheckTimedOut(InstanceId),
    /// An autoscaler looks.
    Scale(ServiceId),
    /// An instance that it ordered is there.
    Boot(ServiceId),
    /// One that it does not need has had time to finish.
    Retire(InstanceId),
    /// Measuring begins.
    WarmedUp,
    /// Traffic ends.
    TrafficEnds,
}

/// The bits of a packed event that hold its number.
const NUMBER_BITS: u32 = 27;
const NUMBER_MASK: u32 = (1 << NUMBER_BITS) - 1;

impl Event {
    /// Into 32 bits: 5 for the kind, 27 for the number. More than 2²⁷ records alive would take more
    /// than 16 GB.
    #[inline]
    fn pack(self) -> u32 {
        let (kind, number) = match self {
            Self::Arrival(source) => (0, source.0),
            Self::User(user) => (1, user),
            Self::Arrive(job) => (2, job),
            Self::WorkDone(job) => (3, job),
            Self::Reply(job) => (4, job),
            Self::Backoff(call) => (5, call),
            Self::Lane(lane) => (6, lane),
            Self::Begin(event) => (7, event),
            Self::End(event) => (8, event),
            Self::Listed(instance) => (9, instance.0),
            Self::Unlisted(instance) => (10, instance.0),
            Self::WarmedUp => (11, 0),
            Self::TrafficEnds => (12, 0),
            Self::Failed(call) => (13, call),
            Self::Handle(job) => (14, job),
            Self::Deliver(queue) => (15, queue.0),
            Self::Permitted(job) => (16, job),
            Self::Admitted(job) => (17, job),
            Self::Heartbeat(instance) => (18, instance.0),
            Self::Sweep => (19, 0),
            Self::Check(instance) => (20, instance.0),
            Self::CheckTimedOut(instance) => (21, instance.0),
            Self::Scale(service) => (22, service.0),
            Self::Boot(service) => (23, service.0),
            Self::Retire(instance) => (24, instance.0),
        };
        debug_assert!(number <= NUMBER_MASK);
        (kind << NUMBER_BITS) | number
    }

    #[inline]
    fn unpack(packed: u32) -> Self {
        let number = packed & NUMBER_MASK;
        match packed >> NUMBER_BITS {
            0 => Self::Arrival(SourceId(number)),
            1 => Self::User(number),
            2 => Self::Arrive(number),
            3 => Self::WorkDone(number),
            4 => Self::Reply(number),
            5 => Self::Backoff(number),
            6 => Self::Lane(number),
            7 => Self::Begin(number),
            8 => Self::End(number),
            9 => Self::Listed(InstanceId(number)),
            10 => Self::Unlisted(InstanceId(number)),
            11 => Self::WarmedUp,
            13 => Self::Failed(number),
            14 => Self::Handle(number),
            15 => Self::Deliver(QueueId(number)),
            16 => Self::Permitted(number),
            17 => Self::Admitted(number),
            18 => Self::Heartbeat(InstanceId(number)),
            19 => Self::Sweep,
            20 => Self::Check(InstanceId(number)),
            21 => Self::CheckTimedOut(InstanceId(number)),
            22 => Self::Scale(ServiceId(number)),
            23 => Self::Boot(ServiceId(number)),
            24 => Self::Retire(InstanceId(number)),
            _ => Self::TrafficEnds,
        }
    }
}

/// What the entries of a lane are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneKind {
    /// Requests on their way; the entry is a job.
    Arrive,
    /// Replies on their way; the entry is a job.
    Reply,
    /// Time limits of one attempt, of its wait or of its life; the entry is a job.
    Attempt,
    /// Time limits of a whole call; the entry is a call.
    Call,
    /// Another attempt beside those under way; the entry is a call.
    Hedge,
}

/// An entry of a lane. `check` tells a timer of an earlier life of the slot from one that counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timer {
    pub(super) at: Time,
    sequence: u32,
    pub(super) id: u32,
    pub(super) check: u32,
}

/// A lane: entries that were all `delay` ahead when they were made.
#[derive(Debug)]
pub(super) struct Lane {
    delay: Span,
    pub(super) kind: LaneKind,
    timers: VecDeque<Timer>,
    /// Whether its head is in the heap.
    armed: bool,
}

/// A place in the list of lanes; `NONE` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneId(u32);

impl LaneId {
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// All that is going to happen.
#[derive(Debug)]
pub(super) struct Agenda {
    heap: Heap,
    lanes: Vec<Lane>,
    now: VecDeque<Event>,
    sequence: u32,
}

impl Agenda {
    pub(super) fn new() -> Self {
        Self { heap: Heap::default(), lanes: Vec::new(), now: VecDeque::new(), sequence: 0 }
    }

    /// The lane of this kind and delay, made when it is asked for first.
    pub(super) fn lane(&mut self, kind: LaneKind, delay: Span) -> LaneId {
        let found = self.lanes.iter().position(|lane| lane.kind == kind && lane.delay == delay);
        LaneId(found.unwrap_or_else(|| {
            self.lanes.push(Lane { delay, kind, timers: VecDeque::new(), armed: false });
            self.lanes.len() - 1
        }) as u32)
    }

    /// How far ahead a lane reaches; no time for none.
    pub(super) fn delay(&self, lane: LaneId) -> Span {
        self.lanes.get(lane.0 as usize).map_or(Span::ZERO, |lane| lane.delay)
    }

    #[inline]
    fn key(at: Time, sequence: u32, event: Event) -> u128 {
        // After 2³² events the sequence starts anew. Ties across that border come out in another
        // order, the same one in every run.
        (u128::from(at.nanos()) << 64) | (u128::from(sequence) << 32) | u128::from(event.pack())
    }

    #[inline]
    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Something happens at a time.
    #[inline]
    pub(super) fn at(&mut self, at: Time, event: Event) {
        let sequence = self.next_sequence();
        self.heap.push(Self::key(at, sequence, event));
    }

    /// Something happens now, after what already waits to happen now.
    #[inline]
    pub(super) fn soon(&mut self, event: Event) {
        self.now.push_back(event);
    }

    /// Something happens as far ahead as this lane reaches.
    #[inline]
    pub(super) fn ahead(&mut self, lane: LaneId, now: Time, id: u32, check: u32) {
        let sequence = self.next_sequence();
        let found = &mut self.lanes[lane.0 as usize];
        let at = now + found.delay;
        found.timers.push_back(Timer { at, sequence, id, check });
        if !found.armed {
            found.armed = true;
            self.heap.push(Self::key(at, sequence, Event::Lane(lane.0)));
        }
    }

    /// What happens now, if anything does.
    #[inline]
    pub(super) fn pop_now(&mut self) -> Option<Event> {
        self.now.pop_front()
    }

    /// What happens next, and when.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(Time, Event)> {
        let key = self.heap.pop()?;
        Some((Time::from_nanos((key >> 64) as u64), Event::unpack(key as u32)))
    }

    /// Takes the head of a lane that is due and arms the lane with the next timer that counts.
    #[inline]
    pub(super) fn take(
        &mut self,
        lane: u32,
        counts: impl Fn(LaneKind, &Timer) -> bool,
    ) -> Option<(LaneKind, Timer)> {
        let found = &mut self.lanes[lane as usize];
        let due = found.timers.pop_front();
        while found.timers.front().is_some_and(|timer| !counts(found.kind, timer)) {
            found.timers.pop_front();
        }
        let kind = found.kind;
        let next = found.timers.front().copied();
        found.armed = next.is_some();
        if let Some(next) = next {
            self.heap.push(Self::key(next.at, next.sequence, Event::Lane(lane)));
        }
        due.map(|timer| (kind, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_come_out_in_the_order_they_went_in() {
        let mut agenda = Agenda::new();
        let lane = agenda.lane(LaneKind::Attempt, Span::from_nanos(5));
        agenda.at(Time::from_nanos(5), Event::WorkDone(1));
        agenda.ahead(lane, Time::ZERO, 2, 0);
        agenda.ahead(lane, Time::ZERO, 3, 9);
        agenda.ahead(lane, Time::ZERO, 4, 0);
        agenda.at(Time::from_nanos(5), Event::WorkDone(5));
        agenda.at(Time::from_nanos(4), Event::WorkDone(0));
        let mut order = Vec::new();
        while let Some((_, event)) = agenda.pop() {
            match event {
                Event::WorkDone(id) => order.push(id),
                Event::Lane(lane) => {
                    order.extend(agenda.take(lane, |_, timer| timer.check == 0).map(|(_, timer)| timer.id));
                }
                other => unreachable!("{other:?}"),
            }
        }
        assert_eq!(order, [0, 1, 2, 4, 5], "3 was cancelled");
    }

    #[test]
    fn events_survive_packing() {
        for event in [
            Event::Arrival(SourceId(3)),
            Event::User(NUMBER_MASK),
            Event::Arrive(1),
            Event::WorkDone(2),
            Event::Reply(3),
            Event::Backoff(4),
            Event::Failed(4),
            Event::Handle(4),
            Event::Deliver(QueueId(4)),
            Event::Permitted(4),
            Event::Admitted(4),
            Event::Heartbeat(InstanceId(4)),
            Event::Sweep,
            Event::Check(InstanceId(4)),
            Event::CheckTimedOut(InstanceId(4)),
            Event::Scale(ServiceId(4)),
            Event::Boot(ServiceId(4)),
            Event::Retire(InstanceId(4)),
            Event::Lane(5),
            Event::Begin(6),
            Event::End(7),
            Event::Listed(InstanceId(8)),
            Event::Unlisted(InstanceId(9)),
            Event::WarmedUp,
            Event::TrafficEnds,
        ] {
            assert_eq!(Event::unpack(event.pack()), event);
        }
    }
}
