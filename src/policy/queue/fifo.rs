//! First in, first out.

use std::collections::VecDeque;

use super::{PolicyInfo, Queue, QueueInfo, Taken, Time};

pub(super) const INFO: QueueInfo = QueueInfo {
    about: PolicyInfo {
        name: "fifo",
        summary: "first in, first out; refuses when full",
        page: include_str!("fifo.md"),
    },
    build: |max_length| Box::new(Fifo::new(max_length)),
};

/// A bounded first-in first-out queue.
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::queue::{Fifo, Queue, Taken};
/// let mut queue = Fifo::new(Some(2));
/// assert!(queue.offer(7, Time::ZERO) && queue.offer(8, Time::ZERO));
/// assert!(!queue.offer(9, Time::ZERO), "a full queue refuses at once");
/// assert_eq!(queue.take(Time::ZERO), Some(Taken::Serve(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fifo {
    items: VecDeque<u32>,
    max_length: usize,
}

impl Fifo {
    /// Empty; `None` never refuses.
    pub fn new(max_length: Option<u32>) -> Self {
        Self { items: VecDeque::new(), max_length: max_length.map_or(usize::MAX, |n| n as usize) }
    }

    pub(super) fn newest(&self) -> Option<u32> {
        self.items.back().copied()
    }

    pub(super) fn take_newest(&mut self) -> Option<u32> {
        self.items.pop_back()
    }
}

impl Queue for Fifo {
    fn offer(&mut self, item: u32, _: Time) -> bool {
        let fits = self.items.len() < self.max_length;
        if fits {
            self.items.push_back(item);
        }
        fits
    }

    fn front(&self) -> Option<u32> {
        self.items.front().copied()
    }

    fn take(&mut self, _: Time) -> Option<Taken> {
        self.items.pop_front().map(Taken::Serve)
    }

    fn remove(&mut self, item: u32) -> bool {
        // Who is cancelled has mostly waited longest, so the search ends near the front.
        let found = self.items.iter().position(|waiting| *waiting == item);
        found.and_then(|index| self.items.remove(index)).is_some()
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}
