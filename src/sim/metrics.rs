//! The probe behind the numbers of an outcome: counts, latencies, and areas under levels.
//!
//! Owns what one replication measured. Must not know intervals or other replications.

use super::histogram::Histogram;
use super::ids::{BreakerId, EdgeId, EndpointId, InstanceId, QueueId, SourceId};
use super::plan::Plan;
use super::probe::{Cause, Ending, Knowledge, MessageStep, Probe};
use crate::kernel::{Span, Time};
use crate::policy::breaker::State;

/// Arrivals and endings at a source or an endpoint.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) arrived: u64,
    pub(super) succeeded: u64,
    pub(super) failed: [u64; Cause::COUNT],
    /// Of the successes.
    pub(super) latency: Histogram,
}

impl Tally {
    #[inline]
    fn end(&mut self, took: Span, end: Ending) {
        match end {
            None => {
                self.succeeded += 1;
                self.latency.record(took);
            }
            Some(cause) => self.failed[cause as usize] += 1,
        }
    }

    pub(super) fn failures(&self) -> u64 {
        self.failed.iter().sum()
    }
}

/// Calls over an edge.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    pub(super) started: u64,
    /// Those that would be there without any retry above.
    pub(super) first_line: u64,
    pub(super) attempts: u64,
    pub(super) retries: u64,
    /// Attempts that timed out.
    pub(super) timeouts: u64,
    /// Calls that ended because the breaker rejected them.
    pub(super) rejected: u64,
    pub(super) succeeded: u64,
    pub(super) recovered: u64,
    pub(super) failed: [u64; Cause::COUNT],
}

/// Areas under the levels of an instance while it was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Levels {
    pub(super) requests: u64,
    busy: u32,
    waiting: u32,
    down: bool,
    last: u64,
    /// Nanoseconds times workers, times requests, times one.
    pub(super) busy_area: u128,
    pub(super) waiting_area: u128,
    pub(super) up_nanos: u64,
}

impl Levels {
    #[inline]
    fn advance(&mut self, now: u64) {
        let passed = now.saturating_sub(self.last);
        if passed > 0 {
            self.busy_area += u128::from(passed) * u128::from(self.busy);
            self.waiting_area += u128::from(passed) * u128::from(self.waiting);
            self.up_nanos += if self.down { 0 } else { passed };
            self.last = now;
        }
    }
}

/// A breaker, its caller instances together.
#[derive(Debug, Clone, Default)]
pub(super) struct Breakers {
    /// Since when each caller instance's is not closed.
    open_since: Vec<Option<u64>>,
    pub(super) open_nanos: u64,
    pub(super) opened: u64,
}

/// A queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Messages {
    pub(super) published: u64,
    pub(super) dropped: u64,
    pub(super) delivered: u64,
    pub(super) acknowledged: u64,
    pub(super) redelivered: u64,
    pub(super) dead_lettered: u64,
    /// The most that ever waited in one group, and how many waited last.
    pub(super) depth_max: u32,
    pub(super) age: Histogram,
}

/// All of a replication.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) sources: Vec<Tally>,
    pub(super) endpoints: Vec<Tally>,
    pub(super) edges: Vec<Calls>,
    pub(super) instances: Vec<Levels>,
    pub(super) breakers: Vec<Breakers>,
    pub(super) queues: Vec<Messages>,
    /// From t = 0.
    pub(super) known: [u64; Knowledge::COUNT],
    measuring: bool,
    over: bool,
}

impl Metrics {
    pub(super) fn new(plan: &Plan) -> Self {
        let breaker = |caller| Breakers {
            open_since: vec![None; plan.callers(caller) as usize],
            ..Breakers::default()
        };
        Self {
            sources: vec![Tally::default(); plan.sources.len()],
            endpoints: vec![Tally::default(); plan.endpoints.len()],
            edges: vec![Calls::default(); plan.edges.len()],
            instances: vec![Levels::default(); plan.instances.len()],
            breakers: plan.breakers.iter().map(|found| breaker(found.caller)).collect(),
            queues: vec![Messages::default(); plan.queues.len()],
            known: [0; Knowledge::COUNT],
            measuring: false,
            over: false,
        }
    }
}

impl Metrics {
    /// Gives back what is needed only while something is measured: all replications are kept until the
    /// last is done.
    pub(super) fn pack(mut self) -> Self {
        let tallies = self.sources.iter_mut().chain(&mut self.endpoints);
        tallies.for_each(|tally| tally.latency.pack());
        self.queues.iter_mut().for_each(|queue| queue.age.pack());
        self
    }
}

impl Probe for Metrics {
    fn warmed_up(&mut self, now: Time) {
        self.measuring = true;
        for levels in &mut self.instances {
            let Levels { busy, waiting, down, requests, .. } = *levels;
            *levels = Levels { busy, waiting, down, requests, last: now.nanos(), ..Levels::default() };
        }
        for breaker in &mut self.breakers {
            (breaker.open_nanos, breaker.opened) = (0, 0);
            breaker.open_since.iter_mut().flatten().for_each(|since| *since = now.nanos());
        }
    }

    fn traffic_ended(&mut self, now: Time) {
        self.over = true;
        for levels in &mut self.instances {
            levels.advance(now.nanos());
        }
        for breaker in &mut self.breakers {
            let open = breaker.open_since.iter().flatten();
            breaker.open_nanos += open.map(|since| now.nanos() - since).sum::<u64>();
        }
    }

    #[inline]
    fn request_arrived(&mut self, _: Time, source: SourceId, measured: bool) {
        self.sources[source.index()].arrived += u64::from(measured);
    }

    #[inline]
    fn request_ended(&mut self, _: Time, source: SourceId, took: Span, end: Ending, measured: bool) {
        if measured {
            self.sources[source.index()].end(took, end);
        }
    }

    #[inline]
    fn job_arrived(&mut self, _: Time, endpoint: EndpointId, at: InstanceId, measured: bool) {
        self.endpoints[endpoint.index()].arrived += u64::from(measured);
        self.instances[at.index()].requests += u64::from(measured);
    }

    #[inline]
    fn job_ended(&mut self, _: Time, endpoint: EndpointId, took: Span, end: Ending, measured: bool) {
        if measured {
            self.endpoints[endpoint.index()].end(took, end);
        }
    }

    #[inline]
    fn occupancy(&mut self, now: Time, instance: InstanceId, busy: u32, waiting: u32) {
        let levels = &mut self.instances[instance.index()];
        if !self.over {
            levels.advance(now.nanos());
        }
        levels.busy = busy;
        levels.waiting = waiting;
    }

    fn up(&mut self, now: Time, instance: InstanceId, up: bool) {
        let levels = &mut self.instances[instance.index()];
        if !self.over {
            levels.advance(now.nanos());
        }
        levels.down = !up;
    }

    fn known(&mut self, _: Time, _: InstanceId, what: Knowledge) {
        if !self.over {
            self.known[what as usize] += 1;
        }
    }

    #[inline]
    fn call_started(&mut self, edge: EdgeId, first_line: bool, measured: bool) {
        let calls = &mut self.edges[edge.index()];
        calls.started += u64::from(measured);
        calls.first_line += u64::from(measured && first_line);
    }

    #[inline]
    fn attempt_started(&mut self, edge: EdgeId, retry: bool, measured: bool) {
        let calls = &mut self.edges[edge.index()];
        calls.attempts += u64::from(measured);
        calls.retries += u64::from(measured && retry);
    }

    #[inline]
    fn attempt_ended(&mut self, edge: EdgeId, end: Ending, measured: bool) {
        let timed_out = measured && end == Some(Cause::Timeout);
        self.edges[edge.index()].timeouts += u64::from(timed_out);
    }

    #[inline]
    fn call_ended(&mut self, edge: EdgeId, end: Ending, recovered: bool, measured: bool) {
        if !measured {
            return;
        }
        let calls = &mut self.edges[edge.index()];
        calls.recovered += u64::from(recovered);
        match end {
            None => calls.succeeded += 1,
            Some(cause) => {
                calls.failed[cause as usize] += 1;
                calls.rejected += u64::from(cause == Cause::BreakerOpen);
            }
        }
    }

    fn breaker_changed(&mut self, now: Time, breaker: BreakerId, caller: u32, _: State, to: State) {
        if self.over {
            return;
        }
        let found = &mut self.breakers[breaker.index()];
        let since = &mut found.open_since[caller as usize];
        if let Some(since) = since.take() {
            found.open_nanos += now.nanos() - since;
        }
        if to == State::Open {
            *since = Some(now.nanos());
            found.opened += 1;
        }
    }

    fn message(&mut self, _: Time, queue: QueueId, step: MessageStep, waiting: u32, measured: bool) {
        let found = &mut self.queues[queue.index()];
        if !self.over {
            found.depth_max = found.depth_max.max(waiting);
        }
        if !measured {
            return;
        }
        match step {
            MessageStep::Published => found.published += 1,
            MessageStep::Dropped => found.dropped += 1,
            MessageStep::Delivered(_) => found.delivered += 1,
            MessageStep::Acknowledged(age) => {
                found.acknowledged += 1;
                found.age.record(age);
            }
            MessageStep::Redelivered => found.redelivered += 1,
            MessageStep::DeadLettered => found.dead_lettered += 1,
        }
    }
}
