//! Last in, first out.

use super::{Fifo, PolicyInfo, Queue, QueueInfo, Taken, Time};

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
    line: Fifo,
    fifo_up_to: usize,
}

impl Lifo {
    /// Empty, always the newest first; `None` never refuses.
    pub fn new(max_length: Option<u32>) -> Self {
        Self::adaptive(max_length, 0)
    }

    /// Oldest first while no more than `fifo_up_to` wait.
    pub fn adaptive(max_length: Option<u32>, fifo_up_to: u32) -> Self {
        Self { line: Fifo::new(max_length), fifo_up_to: fifo_up_to as usize }
    }

    fn serves_newest(&self) -> bool {
        self.line.len() > self.fifo_up_to
    }
}

impl Queue for Lifo {
    fn offer(&mut self, item: u32, now: Time) -> bool {
        self.line.offer(item, now)
    }

    fn front(&self) -> Option<u32> {
        if self.serves_newest() { self.line.newest() } else { self.line.front() }
    }

    fn take(&mut self, now: Time) -> Option<Taken> {
        if self.serves_newest() { self.line.take_newest().map(Taken::Serve) } else { self.line.take(now) }
    }

    fn remove(&mut self, item: u32) -> bool {
        self.line.remove(item)
    }

    fn len(&self) -> usize {
        self.line.len()
    }
}
