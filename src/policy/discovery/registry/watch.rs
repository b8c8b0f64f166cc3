//! What happened, for those who watch: one list, and where each of them is in it.

use std::collections::VecDeque;

use super::{Status, Time};

/// What happened to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It came, or came back up by registering again.
    Registered,
    /// It took itself out.
    Deregistered,
    /// Its lease was swept.
    Expired,
    /// It says something else of itself.
    Status(Status),
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event {
    /// When.
    pub at: Time,
    /// To whom.
    pub instance: u32,
    /// Whose instance it is.
    pub service: u32,
    /// What.
    pub change: Change,
}

/// A watcher of one registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatcherId(u32);

/// Events that somebody has not read yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Log {
    events: VecDeque<Event>,
    /// How many were dropped from the front because all had read them.
    dropped: u64,
    /// The next one each watcher reads, counted from the beginning of time.
    cursors: Vec<(WatcherId, u64)>,
    watchers: u32,
}

impl Log {
    pub fn watch(&mut self) -> WatcherId {
        let id = WatcherId(self.watchers);
        self.watchers += 1;
        self.cursors.push((id, self.end()));
        id
    }

    pub fn unwatch(&mut self, watcher: WatcherId) {
        self.cursors.retain(|(id, _)| *id != watcher);
        self.trim();
    }

    pub fn push(&mut self, event: Event) {
        if self.cursors.is_empty() {
            self.dropped += 1;
        } else {
            self.events.push_back(event);
        }
    }

    pub fn next(&mut self, watcher: WatcherId) -> Option<Event> {
        let (_, cursor) = self.cursors.iter_mut().find(|(id, _)| *id == watcher)?;
        let event = self.events.get((*cursor - self.dropped) as usize).copied()?;
        *cursor += 1;
        self.trim();
        Some(event)
    }

    fn end(&self) -> u64 {
        self.dropped + self.events.len() as u64
    }

    fn trim(&mut self) {
        let read = self.cursors.iter().map(|(_, at)| *at).min().unwrap_or_else(|| self.end());
        while self.dropped < read && self.events.pop_front().is_some() {
            self.dropped += 1;
        }
    }
}
