//! Who knows of whom: the registry with its leases, what callers cached of it, and health checks.
//!
//! An instance that is up says so to the registry every heartbeat; a lease without one ends, and the next
//! sweep takes the instance out. Each caller instance asks the registry when its copy is too old. Where there is
//! no registry, callers hear of what a health check found at once.

use super::super::event::Event;
use super::super::ids::InstanceId;
use super::super::plan::{Plan, STALL};
use super::super::probe::{Knowledge, Probe as Watch};
use super::Engine;
use crate::kernel::{Span, Stream, Time};
use crate::policy::discovery::{
    Change, CheckResult, HealthCheck, Lookup, Probe, ProbeKind, Registry, Status, WatcherId,
};

/// The registry of a run.
pub(super) struct RegistryState {
    registry: Registry,
    watcher: WatcherId,
    draws: Stream,
}

impl RegistryState {
    pub(super) fn new(plan: &Plan, seed: u64, replication: u32) -> Option<Self> {
        let discovery = plan.discovery?;
        let mut registry = Registry::new(discovery.registry);
        let watcher = registry.watch();
        Some(Self { registry, watcher, draws: Stream::new(seed, replication, "sweep", "registry") })
    }
}

/// One instance's health, as its checker sees it.
pub(super) struct Checked {
    probe: Probe,
    /// Before this it answers no check: it is starting.
    pub(super) ready_from: Time,
}

impl<P: Watch> Engine<'_, P> {
    /// Everybody registers; heartbeats, sweeps and checks begin, each instance's at a time of its own.
    pub(super) fn start_discovery(&mut self, seed: u64, replication: u32) {
        for (index, instance) in self.plan.instances.iter().enumerate() {
            let id = InstanceId(index as u32);
            let phase = |purpose: &str, interval: Span| {
                let unit = Stream::new(seed, replication, purpose, &instance.name).unit();
                Time::ZERO + interval.scaled(unit)
            };
            if let Some(discovery) = self.plan.discovery {
                if instance.up && instance.listed {
                    self.register(id);
                }
                self.agenda.at(phase("heartbeat", discovery.heartbeat), Event::Heartbeat(id));
            }
            if let Some(settings) = self.plan.services[instance.service.index()].health_check {
                let mut probe = Probe::new(ProbeKind::Readiness, settings);
                if instance.up && instance.listed {
                    for _ in 0..settings.success_threshold.max(1) {
                        probe.record(CheckResult::Ok);
                    }
                }
                // What is not well at the start does not get well by itself.
                let ready_from =
                    if instance.listed { Time::ZERO } else { instance.listed_at.unwrap_or(Time::MAX) };
                self.instances[index].checked = Some(Box::new(Checked { probe, ready_from }));
                self.agenda.at(phase("health check", settings.period), Event::Check(id));
            }
        }
        if let Some(discovery) = self.plan.discovery {
            self.agenda.at(Time::ZERO + discovery.registry.sweep, Event::Sweep);
        }
    }

    /// Whether an instance can say and answer something now: `None` when it is silent.
    fn answers(&mut self, instance: InstanceId) -> Option<bool> {
        let state = &self.instances[instance.index()];
        if !state.up {
            return Some(false);
        }
        let stalled = state.slowed_by.iter().any(|(_, factor)| *factor >= STALL);
        let loss = 1.0 - state.troubles.iter().map(|trouble| 1.0 - trouble.loss).product::<f64>();
        let missed = loss > 0.0 && self.doubts.chance(loss);
        (!stalled && !missed).then_some(true)
    }

    /// An instance tells the registry that it lives, or does not.
    pub(super) fn heartbeat(&mut self, instance: InstanceId) {
        let Some(discovery) = self.plan.discovery else { return };
        if self.now < self.traffic_ends {
            self.agenda.at(self.now + discovery.heartbeat, Event::Heartbeat(instance));
        }
        let told = self.answers(instance) == Some(true);
        let ready = self.instances[instance.index()].listed_from <= self.now;
        let Some(found) = &mut self.registry else { return };
        if !told {
            if found.registry.status(instance.0).is_some() {
                self.probe.known(self.now, instance, Knowledge::HeartbeatMissed);
            }
        } else if !found.registry.heartbeat(instance.0, self.now) && ready && !self.draining(instance) {
            self.register(instance);
        }
    }

    fn draining(&self, instance: InstanceId) -> bool {
        self.instances[instance.index()].draining
    }

    pub(super) fn sweep(&mut self) {
        let (Some(discovery), Some(found)) = (self.plan.discovery, &mut self.registry) else { return };
        if self.now < self.traffic_ends {
            self.agenda.at(self.now + discovery.registry.sweep, Event::Sweep);
        }
        found.registry.sweep(self.now, &mut found.draws);
        self.tell_watcher();
    }

    fn register(&mut self, instance: InstanceId) {
        let service = self.plan.instances[instance.index()].service;
        if let Some(found) = &mut self.registry {
            found.registry.register(instance.0, service.0, self.now);
        }
        self.tell_watcher();
    }

    /// Whether somebody may call an instance changed, and it (or its checker) says so: to the registry, or to
    /// all callers where there is none.
    pub(super) fn say(&mut self, instance: InstanceId, callable: bool) {
        let Some(found) = &mut self.registry else { return self.set_listed(instance, callable) };
        if callable && found.registry.status(instance.0).is_none() {
            return self.register(instance);
        }
        let status = if callable { Status::Up } else { Status::Down };
        found.registry.set_status(instance.0, status, self.now);
        self.tell_watcher();
    }

    /// It takes itself out.
    pub(super) fn deregister(&mut self, instance: InstanceId) {
        match &mut self.registry {
            None => self.set_listed(instance, false),
            Some(found) => {
                found.registry.deregister(instance.0, self.now);
                self.tell_watcher();
            }
        }
    }

    fn tell_watcher(&mut self) {
        let Some(found) = &mut self.registry else { return };
        while let Some(event) = found.registry.next_event(found.watcher) {
            let what = match event.change {
                Change::Registered => Knowledge::Registered,
                Change::Deregistered => Knowledge::Deregistered,
                Change::Expired => Knowledge::Expired,
                Change::Status(_) => continue,
            };
            self.probe.known(self.now, InstanceId(event.instance), what);
        }
    }

    /// A caller whose copy is too old asks the registry.
    #[inline]
    pub(super) fn look_up(&mut self, caller: usize, first: u32, service: u32) {
        let state = &mut self.callers[caller];
        let (Some(cache), Some(found)) = (&mut state.cache, &self.registry) else { return };
        if cache.get(self.now) != Lookup::Miss {
            return;
        }
        cache.fill(found.registry.instances(service), self.now);
        state.learn(first, self.now);
    }

    /// A health check is sent: it is answered, refused, or waited for in vain.
    pub(super) fn check(&mut self, instance: InstanceId) {
        let service = self.plan.instances[instance.index()].service;
        let Some(settings) = self.plan.services[service.index()].health_check else { return };
        if self.now < self.traffic_ends {
            self.agenda.at(self.now + settings.period, Event::Check(instance));
        }
        match self.answers(instance) {
            Some(true) => self.checked(instance, CheckResult::Ok),
            Some(false) => self.checked(instance, CheckResult::Network),
            None => self.agenda.at(self.now + settings.timeout, Event::CheckTimedOut(instance)),
        }
    }

    pub(super) fn checked(&mut self, instance: InstanceId, result: CheckResult) {
        let now = self.now;
        let Some(checked) = &mut self.instances[instance.index()].checked else { return };
        let result = if checked.ready_from > now { CheckResult::Network } else { result };
        if checked.probe.record(result) {
            let healthy = checked.probe.healthy();
            let what = if healthy { Knowledge::Healthy } else { Knowledge::Unhealthy };
            self.probe.known(now, instance, what);
            if !healthy || !self.draining(instance) {
                self.say(instance, healthy);
            }
        }
    }
}
