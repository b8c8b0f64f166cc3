//! Queues in front of an instance: who waits, who is served next, who is refused.
//!
//! Owns order and bound. Must not know what an item is (a number) or what it waits for.

mod codel;
mod fifo;
mod lifo;

use super::PolicyInfo;
use crate::kernel::Time;

pub use codel::{Codel, CodelQueue, CodelSettings};
pub use fifo::Fifo;
pub use lifo::Lifo;

/// What becomes of an item whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is served.
    Serve(u32),
    /// It waited in vain: refused.
    Drop(u32),
}

/// A queue of numbered items.
pub trait Queue: Send {
    /// Lets an item wait; `false` when the queue is full and refuses it.
    fn offer(&mut self, item: u32, now: Time) -> bool;

    /// Whose turn is next.
    fn front(&self) -> Option<u32>;

    /// Takes out whose turn it is, to be served or not.
    fn take(&mut self, now: Time) -> Option<Taken>;

    /// Takes an item out of wherever it waits; `false` when it does not.
    fn remove(&mut self, item: u32) -> bool;

    /// How many wait.
    fn len(&self) -> usize;

    /// Whether nobody waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A member of the family.
#[derive(Debug)]
pub struct QueueInfo {
    /// Its name, summary and page.
    pub about: PolicyInfo,
    /// Makes an empty one that refuses beyond `max_length` waiting items (`None`: never).
    pub build: fn(max_length: Option<u32>) -> Box<dyn Queue>,
}

/// All disciplines, the default first.
pub static QUEUES: &[QueueInfo] = &[fifo::INFO, lifo::INFO, codel::INFO];

/// The discipline of this name.
pub fn find(name: &str) -> Option<&'static QueueInfo> {
    QUEUES.iter().find(|info| info.about.name == name)
}
