//! A queue that delivers each message at least once.

mod settings;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::{PolicyInfo, Time};

pub use settings::{Overflow, Requeue, WorkQueueSettings};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "work_queue",
    summary: "at least once: prefetch, ack, timeout, delivery limit, dead letters",
    page: include_str!("work_queue.md"),
};

/// A consumer of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerId(usize);

/// A message in somebody's hands; what is acknowledged. Good for this delivery only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delivery {
    slot: usize,
    number: u64,
}

/// Why a message is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeadReason {
    /// Delivered too often.
    DeliveryLimit,
    /// A consumer refused it for good.
    Rejected,
    /// Waited too long.
    Expired,
    /// Pushed out of a full queue, or never let in.
    MaxLength,
}

/// A message for the dead letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dead<T> {
    /// The message.
    pub item: T,
    /// Why.
    pub reason: DeadReason,
    /// How often it was delivered.
    pub deliveries: u32,
}

#[derive(Debug, Clone)]
struct Message<T> {
    item: T,
    /// Its place, as published.
    place: u64,
    published: Time,
    deliveries: u32,
    /// Deliveries that failed and count.
    failures: u32,
}

#[derive(Debug, Clone)]
struct Held<T> {
    message: Message<T>,
    consumer: ConsumerId,
    number: u64,
    deadline: Time,
}

#[derive(Debug, Clone, Copy)]
struct Consumer {
    alive: bool,
    held: u32,
}

/// The queue. A message is always in exactly one place: waiting, held by one consumer, or dead.
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::messaging::{WorkQueue, WorkQueueSettings};
/// let mut queue = WorkQueue::new(WorkQueueSettings { prefetch: 1, ..Default::default() });
/// let worker = queue.subscribe();
/// queue.publish("a", Time::ZERO);
/// queue.publish("b", Time::ZERO);
/// let (delivery, item) = queue.deliver(worker, Time::ZERO).expect("waiting");
/// assert!(item == "a" && queue.deliver(worker, Time::ZERO).is_none(), "prefetch 1");
/// assert!(queue.ack(delivery) && !queue.ack(delivery));
/// ```
#[derive(Debug, Clone)]
pub struct WorkQueue<T> {
    settings: WorkQueueSettings,
    ready: VecDeque<Message<T>>,
    held: Vec<Option<Held<T>>>,
    free: Vec<usize>,
    deadlines: BinaryHeap<Reverse<(Time, Delivery)>>,
    consumers: Vec<Consumer>,
    /// Whose turn it is.
    turn: usize,
    dead: VecDeque<Dead<T>>,
    places: u64,
    deliveries: u64,
}

impl<T: Clone> WorkQueue<T> {
    /// Empty, without consumers.
    pub fn new(settings: WorkQueueSettings) -> Self {
        Self {
            settings,
            ready: VecDeque::new(),
            held: Vec::new(),
            free: Vec::new(),
            deadlines: BinaryHeap::new(),
            consumers: Vec::new(),
            turn: 0,
            dead: VecDeque::new(),
            places: 0,
            deliveries: 0,
        }
    }

    /// A consumer more.
    pub fn subscribe(&mut self) -> ConsumerId {
        self.consumers.push(Consumer { alive: true, held: 0 });
        ConsumerId(self.consumers.len() - 1)
    }

    /// A consumer leaves, or dies: all it holds comes back, in its order, and counts as failed.
    pub fn unsubscribe(&mut self, consumer: ConsumerId) {
        if let Some(found) = self.consumers.get_mut(consumer.0) {
            found.alive = false;
        }
        let theirs = |held: &Held<T>| held.consumer == consumer;
        let mut back: Vec<Delivery> =
            self.held().filter(|(_, held)| theirs(held)).map(|(delivery, _)| delivery).collect();
        // Behind one another at the back as they were, and in any order to their old places.
        back.sort_by_key(|d| d.number);
        for delivery in back {
            self.give_back(delivery, true);
        }
    }

    /// Takes a message in; `false` when the queue is full and refuses it.
    pub fn publish(&mut self, item: T, now: Time) -> bool {
        self.expire(now);
        let most = self.settings.max_length.map_or(usize::MAX, |n| n as usize);
        if self.ready.len() >= most && self.settings.overflow != Overflow::DropHead {
            if self.settings.overflow == Overflow::RejectPublishDlx {
                self.dead.push_back(Dead { item, reason: DeadReason::MaxLength, deliveries: 0 });
            }
            return false;
        }
        let place = self.next_place();
        self.ready.push_back(Message { item, place, published: now, deliveries: 0, failures: 0 });
        self.cut();
        true
    }

    /// The next message for this consumer; `None` when nothing waits or it holds as many as it may.
    pub fn deliver(&mut self, consumer: ConsumerId, now: Time) -> Option<(Delivery, T)> {
        self.expire(now);
        if !self.may_take(consumer) {
            return None;
        }
        let mut message = self.ready.pop_front()?;
        message.deliveries += 1;
        self.deliveries += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            self.held.len() - 1
        });
        let delivery = Delivery { slot, number: self.deliveries };
        let deadline = self.settings.timeout(message.deliveries).map_or(Time::MAX, |timeout| now + timeout);
        if deadline < Time::MAX {
            self.forget_old_deadlines();
            self.deadlines.push(Reverse((deadline, delivery)));
        }
        let item = message.item.clone();
        if let Some(place) = self.held.get_mut(slot) {
            *place = Some(Held { message, consumer, number: self.deliveries, deadline });
        }
        if let Some(found) = self.consumers.get_mut(consumer.0) {
            found.held += 1;
        }
        Some((delivery, item))
    }

    /// The next message for whoever is next in turn and may take it: the broker pushes.
    pub fn dispatch(&mut self, now: Time) -> Option<(ConsumerId, Delivery, T)> {
        self.expire(now);
        if self.ready.is_empty() {
            return None;
        }
        let n = self.consumers.len();
        let next = (0..n).map(|i| ConsumerId((self.turn + i) % n)).find(|c| self.may_take(*c))?;
        self.turn = (next.0 + 1) % n;
        self.deliver(next, now).map(|(delivery, item)| (next, delivery, item))
    }

    /// Done; `false` for a delivery that is over already: its message may be with somebody else.
    pub fn ack(&mut self, delivery: Delivery) -> bool {
        self.release(delivery).is_some()
    }

    /// Not done: it comes back, or with `requeue` false is dead. `false` when the delivery is over already.
    pub fn nack(&mut self, delivery: Delivery, requeue: bool) -> bool {
        if requeue {
            return self.give_back(delivery, self.settings.nack_counts);
        }
        let message = self.release(delivery);
        let found = message.is_some();
        if let Some(message) = message {
            self.bury(message, DeadReason::Rejected);
        }
        found
    }

    /// The consumer asks for more time: SQS `ChangeMessageVisibility`, NATS `InProgress`. A time of zero is a
    /// return.
    pub fn extend(&mut self, delivery: Delivery, until: Time) -> bool {
        let Some(held) = self.find(delivery) else { return false };
        held.deadline = until;
        self.deadlines.push(Reverse((until, delivery)));
        true
    }

    /// Takes back what was held for too long, and drops what waited for too long. Publishing and delivering
    /// do so on their own.
    pub fn expire(&mut self, now: Time) {
        while let Some(Reverse((at, delivery))) = self.deadlines.peek().copied()
            && at <= now
        {
            self.deadlines.pop();
            // Acknowledged meanwhile, or extended.
            if self.find(delivery).is_some_and(|held| held.deadline == at) {
                self.give_back(delivery, true);
            }
        }
        let Some(ttl) = self.settings.ttl else { return };
        while self.ready.front().is_some_and(|message| now.since(message.published) >= ttl) {
            if let Some(message) = self.ready.pop_front() {
                self.bury(message, DeadReason::Expired);
            }
        }
    }

    /// When [`WorkQueue::expire`] has something to take back, at the earliest.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.peek().map(|Reverse((at, _))| *at)
    }

    /// The next dead letter, in the order of death.
    pub fn take_dead(&mut self) -> Option<Dead<T>> {
        self.dead.pop_front()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// How many are delivered and not acknowledged.
    pub fn unacked(&self) -> usize {
        self.held.len() - self.free.len()
    }

    /// How many of those this consumer holds.
    pub fn held_by(&self, consumer: ConsumerId) -> u32 {
        self.consumers.get(consumer.0).map_or(0, |found| found.held)
    }

    /// How often the message of this delivery was delivered: SQS `ApproximateReceiveCount`.
    pub fn receive_count(&self, delivery: Delivery) -> Option<u32> {
        let held = self.held.get(delivery.slot)?.as_ref()?;
        (held.number == delivery.number).then_some(held.message.deliveries)
    }

    fn may_take(&self, consumer: ConsumerId) -> bool {
        let room = self.settings.max_ack_pending.is_none_or(|most| self.unacked() < most as usize);
        let credit =
            |c: &Consumer| c.alive && (self.settings.prefetch == 0 || c.held < self.settings.prefetch);
        room && self.consumers.get(consumer.0).is_some_and(credit)
    }

    fn held(&self) -> impl Iterator<Item = (Delivery, &Held<T>)> {
        let slots = self.held.iter().enumerate();
        slots.filter_map(|(slot, held)| {
            Some((Delivery { slot, number: held.as_ref()?.number }, held.as_ref()?))
        })
    }

    fn find(&mut self, delivery: Delivery) -> Option<&mut Held<T>> {
        self.held.get_mut(delivery.slot)?.as_mut().filter(|held| held.number == delivery.number)
    }

    /// Takes a message out of its consumer's hands.
    fn release(&mut self, delivery: Delivery) -> Option<Message<T>> {
        self.find(delivery)?;
        let held = self.held.get_mut(delivery.slot)?.take()?;
        self.free.push(delivery.slot);
        if let Some(consumer) = self.consumers.get_mut(held.consumer.0) {
            consumer.held -= 1;
        }
        Some(held.message)
    }

    fn give_back(&mut self, delivery: Delivery, counts: bool) -> bool {
        let Some(mut message) = self.release(delivery) else { return false };
        if counts {
            message.failures += 1;
        }
        if self.settings.delivery_limit.is_some_and(|limit| message.failures > limit) {
            self.bury(message, DeadReason::DeliveryLimit);
            return true;
        }
        if self.settings.requeue == Requeue::Back {
            message.place = self.next_place();
            self.ready.push_back(message);
        } else {
            // What comes back is old, so its place is near the front.
            let place = self.ready.iter().position(|other| other.place > message.place);
            self.ready.insert(place.unwrap_or(self.ready.len()), message);
        }
        if self.settings.overflow == Overflow::DropHead {
            self.cut();
        }
        true
    }

    /// Deadlines of what was acknowledged stay in the heap. When most of them are such they are thrown out, so
    /// that there are never many more than messages held.
    fn forget_old_deadlines(&mut self) {
        if self.deadlines.len() < 2 * self.held.len() + 64 {
            return;
        }
        let held = &self.held;
        let stands = |at: Time, delivery: Delivery| {
            let found = held.get(delivery.slot).and_then(Option::as_ref);
            found.is_some_and(|held| held.number == delivery.number && held.deadline == at)
        };
        self.deadlines.retain(|Reverse((at, delivery))| stands(*at, *delivery));
    }

    /// Drops from the head what is too much.
    fn cut(&mut self) {
        let most = self.settings.max_length.map_or(usize::MAX, |n| n as usize);
        while self.ready.len() > most {
            if let Some(message) = self.ready.pop_front() {
                self.bury(message, DeadReason::MaxLength);
            }
        }
    }

    fn bury(&mut self, message: Message<T>, reason: DeadReason) {
        self.dead.push_back(Dead { item: message.item, reason, deliveries: message.deliveries });
    }

    fn next_place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }
}

#[cfg(test)]
mod tests;
