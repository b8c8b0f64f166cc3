//! Last in, first out.

use std::collections::VecDeque;

use super::{PolicyInfo, Queue, QueueInfo, Taken, Time};

pub(super) const INFO: QueueInfo = QueueInfo {
    about: PolicyInfo {
        name: "lifo",
        summary: "the newest first, so that some are served in time; refuses when full",
        page: include_str!("lifo.md"),
    },
    build: |max_length| Box::new(Lifo::new(max_length)),
};

/// A bounded queue that serves the newest, always or only when it has grown (adaptive).
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::queue::{Lifo, Queue, Taken};
/// let mut queue = Lifo::adaptive(None, 2);
/// (1..=3).for_each(|item| assert!(queue.offer(item, Time::ZERO)));
/// assert_eq!(queue.take(Time::ZERO), Some(Taken::Serve(3)), "three wait: the newest");
/// assert_eq!(queue.take(Time::ZERO), Some(Taken::Serve(1)), "no more than two: the oldest");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lifo {
    items: VecDeque<u32>,
    max_length: usize,
    fifo_up_to: usize,
}

impl Lifo {
    /// Empty, always the newest first; `None` never refuses.
    pub fn new(max_length: Option<u32>) -> Self {
        Self::adaptive(max_length, 0)
    }

    /// Oldest first while no more than `fifo_up_to` wait.
    pub fn adaptive(max_length: Option<u32>, fifo_up_to: u32) -> Self {
        let max_length = max_length.map_or(usize::MAX, |n| n as usize);
        Self { items: VecDeque::new(), max_length, fifo_up_to: fifo_up_to as usize }
    }
}

impl Queue for Lifo {
    fn offer(&mut self, item: u32, _: Time) -> bool {
        let fits = self.items.len() < self.max_length;
        if fits {
            self.items.push_back(item);
        }
        fits
    }

    fn front(&self) -> Option<u32> {
        let newest = self.items.len() > self.fifo_up_to;
        if newest { self.items.back() } else { self.items.front() }.copied()
    }

    fn take(&mut self, _: Time) -> Option<Taken> {
        let newest = self.items.len() > self.fifo_up_to;
        if newest { self.items.pop_back() } else { self.items.pop_front() }.map(Taken::Serve)
    }

    fn remove(&mut self, item: u32) -> bool {
        let found = self.items.iter().position(|waiting| *waiting == item);
        found.and_then(|index| self.items.remove(index)).is_some()
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}
