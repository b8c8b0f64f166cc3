//! What some rows look at and no outcome shows.

use crate::kernel::Time;
use crate::policy::breaker::State;
use crate::sim::{BreakerId, EndpointId, InstanceId, MessageStep, Plan, Probe, QueueId};

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// The share of measured arrivals that find every worker of their instance busy.
    Waits,
    /// Seconds from a moment until a queue is empty for the first time.
    Drain,
    /// How many breakers opened, per breaker.
    Opened,
}

/// One replication seen.
pub(super) struct Watcher {
    busy: Vec<u32>,
    workers: Vec<u32>,
    arrived: u64,
    waited: u64,
    from: Time,
    empty: Option<Time>,
    opened: u64,
}

impl Watcher {
    /// `from` is when a drain begins.
    pub fn new(plan: &Plan, from: Time) -> Self {
        let workers = plan.instances.iter().map(|i| {
            let service = plan.services.get(i.service.index());
            service.and_then(|s| s.workers).unwrap_or(u32::MAX)
        });
        Self {
            busy: vec![0; plan.instances.len()],
            workers: workers.collect(),
            arrived: 0,
            waited: 0,
            from,
            empty: None,
            opened: 0,
        }
    }

    /// What was seen; nothing where it did not come.
    pub fn value(&self, watch: Watch, breakers: u32) -> Option<f64> {
        match watch {
            Watch::Waits => (self.arrived > 0).then(|| self.waited as f64 / self.arrived as f64),
            Watch::Drain => self.empty.map(|at| at.since(self.from).seconds()),
            Watch::Opened => Some(self.opened as f64 / f64::from(breakers.max(1))),
        }
    }
}

impl Probe for Watcher {
    fn job_arrived(&mut self, _: Time, _: EndpointId, at: InstanceId, measured: bool) {
        let (Some(busy), Some(workers)) = (self.busy.get(at.index()), self.workers.get(at.index())) else {
            return;
        };
        self.arrived += u64::from(measured);
        self.waited += u64::from(measured && busy >= workers);
    }

    fn occupancy(&mut self, _: Time, instance: InstanceId, busy: u32, _: u32) {
        if let Some(known) = self.busy.get_mut(instance.index()) {
            *known = busy;
        }
    }

    fn breaker_changed(&mut self, _: Time, _: BreakerId, _: u32, _: State, to: State) {
        self.opened += u64::from(to == State::Open);
    }

    fn message(&mut self, now: Time, _: QueueId, _: MessageStep, waiting: u32, _: bool) {
        if self.empty.is_none() && now > self.from && waiting == 0 {
            self.empty = Some(now);
        }
    }
}
