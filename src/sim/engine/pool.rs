//! Where requests wait at their caller: for a permit of the bulkhead, for a connection.

use std::collections::VecDeque;

use super::super::plan::Connections;
use crate::policy::limit::{Bulkhead, BulkheadSettings};

/// The bulkhead of one caller instance and who waits in front of it.
pub(super) struct Compartment {
    permits: Bulkhead,
    patient: bool,
    waiting: VecDeque<u32>,
}

/// What a request finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Wait,
    Shut,
}

impl Compartment {
    pub(super) fn new(settings: BulkheadSettings) -> Self {
        let patient = !settings.max_wait.is_zero();
        Self { permits: Bulkhead::new(settings), patient, waiting: VecDeque::new() }
    }

    pub(super) fn enter(&mut self, job: u32) -> Door {
        if self.permits.try_acquire() {
            return Door::Open;
        }
        if !self.patient {
            return Door::Shut;
        }
        self.waiting.push_back(job);
        Door::Wait
    }

    /// One that was inside is over: who goes in for it.
    pub(super) fn leave(&mut self) -> Option<u32> {
        self.permits.release();
        let next = self.waiting.pop_front();
        if next.is_some() {
            self.permits.try_acquire();
        }
        next
    }

    /// One that waits goes away.
    pub(super) fn give_up(&mut self, job: u32) {
        forget(&mut self.waiting, job);
    }
}

#[derive(Default)]
struct PerHost {
    open: u32,
    busy: u32,
    waiting: VecDeque<u32>,
}

/// The connections of one caller instance to an upstream.
pub(super) struct Pool {
    settings: Connections,
    hosts: Vec<PerHost>,
    open: u32,
    waiting: u32,
}

impl Pool {
    pub(super) fn new(settings: Connections, hosts: usize) -> Self {
        Self { settings, hosts: (0..hosts).map(|_| PerHost::default()).collect(), open: 0, waiting: 0 }
    }

    /// A stream to this host, on a connection that is there or may be opened.
    fn take(&mut self, host: usize) -> bool {
        let (most, streams) = (self.settings.max_connections, self.settings.max_concurrent_streams);
        let Some(found) = self.hosts.get_mut(host) else { return true };
        if u64::from(found.busy) == u64::from(found.open) * u64::from(streams) {
            // A host without any may always have one (Envoy).
            if self.open >= most && found.open > 0 {
                return false;
            }
            found.open += 1;
            self.open += 1;
        }
        found.busy += 1;
        true
    }

    pub(super) fn enter(&mut self, job: u32, host: usize) -> Door {
        if self.take(host) {
            return Door::Open;
        }
        if self.waiting >= self.settings.max_pending_requests {
            return Door::Shut;
        }
        self.waiting += 1;
        if let Some(found) = self.hosts.get_mut(host) {
            found.waiting.push_back(job);
        }
        Door::Wait
    }

    /// A request to this host is over: who is sent for it. `broken`: it took its connection with it, where
    /// that carries one request at a time.
    pub(super) fn leave(&mut self, host: usize, broken: bool) -> Option<u32> {
        let closes = broken && self.settings.max_concurrent_streams == 1;
        let found = self.hosts.get_mut(host)?;
        found.busy = found.busy.saturating_sub(1);
        if closes {
            found.open = found.open.saturating_sub(1);
            self.open = self.open.saturating_sub(1);
        }
        if self.waiting == 0 {
            return None;
        }
        // Whoever waits for this host first; where a connection was closed, for any.
        let own = self.hosts.get(host).is_some_and(|found| !found.waiting.is_empty()).then_some(host);
        let next = own.or_else(|| self.hosts.iter().position(|found| closes && !found.waiting.is_empty()))?;
        if !self.take(next) {
            return None;
        }
        self.waiting -= 1;
        self.hosts.get_mut(next)?.waiting.pop_front()
    }

    pub(super) fn give_up(&mut self, job: u32, host: usize) {
        if let Some(found) = self.hosts.get_mut(host) {
            self.waiting -= u32::from(forget(&mut found.waiting, job));
        }
    }
}

fn forget(waiting: &mut VecDeque<u32>, job: u32) -> bool {
    let found = waiting.iter().position(|other| *other == job);
    found.and_then(|at| waiting.remove(at)).is_some()
}
