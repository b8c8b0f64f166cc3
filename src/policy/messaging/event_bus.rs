//! An event bus: everybody who subscribed to a type of event gets each of them.

use std::collections::VecDeque;

use super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "event_bus",
    summary: "each event to all who subscribed to its type; the last 1000 are remembered",
    page: include_str!("event_bus.md"),
};

/// A subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(u32);

/// A bus of events `E`, told apart by a number: their type.
///
/// ```
/// use loadpath::policy::messaging::EventBus;
/// let mut bus = EventBus::new(1000);
/// let (first, second) = (bus.subscribe(1), bus.subscribe(1));
/// let mut served = Vec::new();
/// let failed = bus.publish(1, "order placed", |who, _| { served.push(who); who != first });
/// assert_eq!((served, failed), (vec![first, second], 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBus<E> {
    subscriptions: Vec<(SubscriptionId, u32)>,
    history: VecDeque<(u32, E)>,
    remembered: usize,
    ids: u32,
}

impl<E> EventBus<E> {
    /// What the project's origin remembers.
    pub const HISTORY: usize = 1000;

    /// Remembers the last `history` events.
    pub fn new(history: usize) -> Self {
        Self { subscriptions: Vec::new(), history: VecDeque::new(), remembered: history, ids: 0 }
    }

    /// From now on gets all events of this type.
    pub fn subscribe(&mut self, kind: u32) -> SubscriptionId {
        let id = SubscriptionId(self.ids);
        self.ids += 1;
        self.subscriptions.push((id, kind));
        id
    }

    /// `false` when it was not subscribed.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|(id, _)| *id != subscription);
        before > self.subscriptions.len()
    }

    /// Hands an event to all who subscribed to its type, in the order in which they did. `handle` says whether
    /// a subscriber did well; one that did not keeps nobody else from it. Gives how many did not.
    pub fn publish(
        &mut self,
        kind: u32,
        event: E,
        mut handle: impl FnMut(SubscriptionId, &E) -> bool,
    ) -> usize {
        let to = self.subscriptions.iter().filter(|(_, wanted)| *wanted == kind);
        let failed = to.filter(|(id, _)| !handle(*id, &event)).count();
        self.history.push_back((kind, event));
        while self.history.len() > self.remembered {
            self.history.pop_front();
        }
        failed
    }

    /// What is remembered, the oldest first, with its type.
    pub fn history(&self) -> impl Iterator<Item = (u32, &E)> {
        self.history.iter().map(|(kind, event)| (*kind, event))
    }

    /// How many get events of this type.
    pub fn subscribers(&self, kind: u32) -> usize {
        self.subscriptions.iter().filter(|(_, wanted)| *wanted == kind).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_bounded_and_leaving_is_final() {
        let mut bus = EventBus::new(EventBus::<u32>::HISTORY);
        let gone = bus.subscribe(0);
        assert!(bus.unsubscribe(gone) && !bus.unsubscribe(gone));
        let stays = bus.subscribe(0);
        let mut seen = 0;
        for n in 0..1_500 {
            bus.publish(n % 2, n, |who, _| {
                seen += 1;
                who == stays
            });
        }
        assert_eq!((seen, bus.subscribers(0)), (750, 1));
        assert!(bus.history().map(|(_, n)| *n).eq(500..1_500));
    }
}
