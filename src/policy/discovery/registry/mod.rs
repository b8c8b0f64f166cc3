//! The registry: leases, a sweep, protection against mass expiry, and watchers.

mod lease;
mod watch;

use std::collections::BTreeMap;

use super::{PolicyInfo, Span, Time};
use crate::kernel::Stream;

pub use lease::{Lease, SelfPreservation};
pub use watch::{Change, Event, WatcherId};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "registry",
    summary: "leases that heartbeats renew, swept now and then; Eureka's rules or plain ones",
    page: include_str!("registry.md"),
};

/// What an instance says of itself. Only [`Status::Up`] is discovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Takes requests.
    Up,
    /// Not yet.
    Starting,
    /// Says it is not well.
    Down,
    /// Taken out by an operator.
    OutOfService,
}

/// Leases and sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegistrySettings {
    /// Silence that ends a lease. Default 90 s.
    pub lease: Span,
    /// Whether a renewal counts from one lease in the future, as in Eureka: a renewed lease lives twice as
    /// long. Default yes.
    pub doubled: bool,
    /// Between sweeps. Default 60 s.
    pub sweep: Span,
    /// Eureka's protection; `None`: every expired lease goes. Default on.
    pub preservation: Option<SelfPreservation>,
}

impl Default for RegistrySettings {
    /// Eureka's.
    fn default() -> Self {
        Self {
            lease: Span::from_secs(90),
            doubled: true,
            sweep: Span::from_secs(60),
            preservation: Some(SelfPreservation::default()),
        }
    }
}

impl RegistrySettings {
    /// A registry without Eureka's peculiarities: a lease is as long as it says, all that expired goes.
    pub fn plain(lease: Span, sweep: Span) -> Self {
        Self { lease, doubled: false, sweep, preservation: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    service: u32,
    status: Status,
    lease: Lease,
}

/// The instances of all services, as one registry server holds them.
///
/// ```
/// use loadpath::kernel::{Span, Stream, Time};
/// use loadpath::policy::discovery::{Registry, RegistrySettings};
/// let settings = RegistrySettings::plain(Span::from_secs(30), Span::from_secs(10));
/// let mut registry = Registry::new(settings);
/// registry.register(7, 0, Time::ZERO);
/// assert!(registry.heartbeat(7, Time::ZERO + Span::from_secs(20)) && registry.is_up(7));
/// registry.sweep(Time::ZERO + Span::from_secs(51), &mut Stream::new(1, 0, "doc", "sweep"));
/// assert!(!registry.heartbeat(7, Time::ZERO + Span::from_secs(52)), "gone: it must register again");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    settings: RegistrySettings,
    entries: BTreeMap<u32, Entry>,
    log: watch::Log,
    meter: lease::Meter,
    /// Clients expected to send renewals.
    expected: usize,
    last_sweep: Option<Time>,
    expired: Vec<u32>,
}

impl Registry {
    /// Empty.
    pub fn new(settings: RegistrySettings) -> Self {
        Self {
            settings,
            entries: BTreeMap::new(),
            log: watch::Log::default(),
            meter: lease::Meter::default(),
            expected: 0,
            last_sweep: None,
            expired: Vec::new(),
        }
    }

    /// Adds an instance that is up, or starts its lease anew; `true` when it was not there.
    pub fn register(&mut self, instance: u32, service: u32, now: Time) -> bool {
        let lease = Lease::new(self.settings.lease, self.settings.doubled, now);
        let before = self.entries.insert(instance, Entry { service, status: Status::Up, lease });
        if before.is_none() {
            self.expected += 1;
        }
        if before.is_none_or(|old| old.service != service || old.status != Status::Up) {
            self.tell(now, instance, service, Change::Registered);
        }
        before.is_none()
    }

    /// The instance takes itself out; `false` when it was not there.
    pub fn deregister(&mut self, instance: u32, now: Time) -> bool {
        self.remove(instance, now, Change::Deregistered)
    }

    /// Renews a lease; `false` when there is none, upon which a client registers again. An expired lease
    /// that no sweep has met yet is renewed like any other.
    pub fn heartbeat(&mut self, instance: u32, now: Time) -> bool {
        let Some(entry) = self.entries.get_mut(&instance) else { return false };
        entry.lease.renew(now);
        // Only what renewed something speaks against the protection.
        self.meter.count(now);
        true
    }

    /// Changes what an instance says of itself; `false` when it is not there. Does not renew.
    pub fn set_status(&mut self, instance: u32, status: Status, now: Time) -> bool {
        let Some(entry) = self.entries.get_mut(&instance) else { return false };
        if entry.status != status {
            entry.status = status;
            let service = entry.service;
            self.tell(now, instance, service, Change::Status(status));
        }
        true
    }

    /// Ends what has expired, as far as the protection lets it; gives how many went. Due every
    /// [`RegistrySettings::sweep`]; a sweep that comes late grants every lease the delay.
    pub fn sweep(&mut self, now: Time, draws: &mut Stream) -> usize {
        let late = self.last_sweep.map_or(Span::ZERO, |last| now.since(last) - self.settings.sweep);
        self.last_sweep = Some(now);
        if self.preserving(now) {
            return 0;
        }
        let mut expired = std::mem::take(&mut self.expired);
        expired.clear();
        expired
            .extend(self.entries.iter().filter(|(_, e)| now > e.lease.expires() + late).map(|(id, _)| *id));
        let most = self.settings.preservation.map_or(usize::MAX, |p| p.eviction_limit(self.entries.len()));
        let goes = expired.len().min(most);
        for at in 0..goes {
            // Any of them, so that not one service loses all.
            if goes < expired.len() {
                let other = at + draws.below((expired.len() - at) as u64) as usize;
                expired.swap(at, other);
            }
            if let Some(instance) = expired.get(at) {
                self.remove(*instance, now, Change::Expired);
            }
        }
        self.expired = expired;
        goes
    }

    /// Whether so few renewals came in the last whole minute that nothing expires.
    pub fn preserving(&mut self, now: Time) -> bool {
        let renewals = self.meter.last_minute(now);
        self.settings.preservation.is_some_and(|p| {
            let threshold = p.threshold(self.expected);
            threshold == 0 || renewals <= threshold
        })
    }

    /// Renewals in the last whole minute, and the number they must exceed for anything to expire.
    pub fn renewals(&mut self, now: Time) -> (u64, u64) {
        let threshold = self.settings.preservation.map_or(0, |p| p.threshold(self.expected));
        (self.meter.last_minute(now), threshold)
    }

    /// Eureka's task that runs every 15 minutes: expects as many clients as there are instances up, unless
    /// that is so few that the loss may be the network's.
    pub fn reset_expectation(&mut self) {
        let up = self.entries.values().filter(|entry| entry.status == Status::Up).count();
        let few = |p: SelfPreservation| up as f64 <= p.renewal_percent * self.expected as f64;
        if !self.settings.preservation.is_some_and(few) {
            self.expected = up;
        }
    }

    /// Who is discovered: the instances of a service that are up and were not swept, by number.
    pub fn instances(&self, service: u32) -> impl Iterator<Item = u32> + '_ {
        let up = move |e: &Entry| e.service == service && e.status == Status::Up;
        self.entries.iter().filter(move |(_, entry)| up(entry)).map(|(id, _)| *id)
    }

    /// All instances, whatever their status.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is registered and up.
    pub fn is_up(&self, instance: u32) -> bool {
        self.status(instance) == Some(Status::Up)
    }

    /// What it says of itself.
    pub fn status(&self, instance: u32) -> Option<Status> {
        self.entries.get(&instance).map(|entry| entry.status)
    }

    /// Its lease.
    pub fn lease(&self, instance: u32) -> Option<Lease> {
        self.entries.get(&instance).map(|entry| entry.lease)
    }

    /// From now on, everything that happens is kept until this watcher has read it.
    pub fn watch(&mut self) -> WatcherId {
        self.log.watch()
    }

    /// Forgets a watcher.
    pub fn unwatch(&mut self, watcher: WatcherId) {
        self.log.unwatch(watcher);
    }

    /// The next thing that happened, as this watcher sees it: each event once, in order, whatever the
    /// others read.
    pub fn next_event(&mut self, watcher: WatcherId) -> Option<Event> {
        self.log.next(watcher)
    }

    fn remove(&mut self, instance: u32, now: Time, change: Change) -> bool {
        let Some(entry) = self.entries.remove(&instance) else { return false };
        self.expected = self.expected.saturating_sub(1);
        self.tell(now, instance, entry.service, change);
        true
    }

    fn tell(&mut self, at: Time, instance: u32, service: u32, change: Change) {
        self.log.push(Event { at, instance, service, change });
    }
}

#[cfg(test)]
mod tests;
