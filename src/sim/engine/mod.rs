//! The event loop.
//!
//! Owns the state of one replication: instances, jobs (a request at its instance), calls (a caller
//! waiting for it, through all attempts) and the policies of every caller instance. One loop, one
//! match, a short handler per event. Handlers never call each other in a circle: what would recurse
//! (a request over a network that takes no time, a call that fails at once) is put on the agenda for
//! *now*. Must not know what is made of what it tells the probe.

mod attempts;
mod budget;
mod caller;
mod calls;
mod discovery;
mod endings;
mod guard;
mod jobs;
mod limits;
mod messages;
mod network;
mod picking;
mod pool;
mod scaling;
mod scenario;
mod state;
#[cfg(test)]
mod tests;
mod traffic;
mod zones;

use super::event::{Agenda, Event, LaneKind};
use super::plan::{Plan, PlanError};
use super::probe::{Probe, Traced};
use super::slab::Slab;
use crate::kernel::{Span, Stream, Time};
use crate::policy::discovery::CheckResult;
use crate::policy::retry::Hedging;
use caller::CallerState;
use discovery::RegistryState;
use guard::Guard;
use messages::{Handling, Line};
use scaling::Scaler;
use state::{BreakerState, Call, EdgeState, EndpointState, InstanceState, Job, JobState};
use traffic::SourceState;

/// No job, no call, no host.
const NONE: u32 = u32::MAX;

/// One replication under way.
pub(super) struct Engine<'p, P> {
    plan: &'p Plan,
    probe: P,
    now: Time,
    agenda: Agenda,
    jobs: Slab<Job>,
    calls: Slab<Call>,
    /// Hosts that calls with a retry were at, and the attempts of hedged calls.
    tried: Slab<Vec<usize>>,
    hedges: Slab<Hedging>,
    /// Hosts that a balancer asks.
    asked: Vec<usize>,
    instances: Vec<InstanceState>,
    /// Whether any balancer asks instances for their load.
    probed: bool,
    /// Network events that last.
    troubles: u32,
    endpoints: Vec<EndpointState>,
    edges: Vec<EdgeState>,
    /// All caller instances of upstream 0, then those of upstream 1, …
    callers: Vec<CallerState>,
    /// Where each upstream starts in `callers`.
    first_caller: Vec<u32>,
    breakers: Vec<BreakerState>,
    first_breaker: Vec<u32>,
    sources: Vec<SourceState>,
    /// The source of each closed-loop user.
    users: Vec<u32>,
    queues: Vec<Line>,
    handlings: Slab<Handling>,
    /// Messages in all queues.
    messages: u64,
    /// Requests that came, and messages that were published, so far.
    requests: u32,
    published: u32,
    /// The autoscaler of each service that has one.
    scalers: Vec<Option<Scaler>>,
    registry: Option<RegistryState>,
    /// Whether heartbeats and checks get lost.
    doubts: Stream,
    seeds: (u64, u32),
    guard: Guard,
    stamp: u32,
    traffic_ends: Time,
    warm: Time,
}

impl<'p, P: Probe> Engine<'p, P> {
    /// Ready to run. The plan must be valid ([`Plan::validate`]).
    pub(super) fn new(plan: &'p Plan, seed: u64, replication: u32, probe: P) -> Self {
        let mut agenda = Agenda::new();
        let mut first_caller = Vec::new();
        let mut callers = Vec::new();
        for upstream in &plan.upstreams {
            first_caller.push(callers.len() as u32);
            let states = (0..plan.callers(upstream.caller))
                .map(|caller| CallerState::new(plan, upstream, caller, seed, replication));
            callers.extend(states);
        }
        let mut first_breaker = Vec::new();
        let mut breakers = Vec::new();
        for breaker in &plan.breakers {
            first_breaker.push(breakers.len() as u32);
            breakers.extend((0..plan.callers(breaker.caller)).map(|_| BreakerState::new(&breaker.settings)));
        }
        let edges = plan
            .edges
            .iter()
            .map(|edge| EdgeState::new(plan, edge, &mut agenda, seed, replication))
            .collect();
        let endpoints = plan
            .endpoints
            .iter()
            .map(|endpoint| EndpointState::new(plan, endpoint, seed, replication))
            .collect();
        let instances = plan
            .instances
            .iter()
            .map(|instance| InstanceState::new(plan, instance, seed, replication))
            .collect();
        let mut sources: Vec<SourceState> =
            plan.sources.iter().map(|source| SourceState::new(source, seed, replication)).collect();
        traffic::classes(plan, &mut sources);
        Self {
            probe,
            now: Time::ZERO,
            agenda,
            jobs: Slab::new(),
            calls: Slab::new(),
            tried: Slab::new(),
            hedges: Slab::new(),
            asked: Vec::new(),
            instances,
            troubles: 0,
            probed: plan.upstreams.iter().any(|upstream| upstream.balancer.about.name == "prequal"),
            endpoints,
            edges,
            callers,
            first_caller,
            breakers,
            first_breaker,
            sources,
            users: Vec::new(),
            queues: plan.queues.iter().map(|queue| Line::new(plan, queue, seed, replication)).collect(),
            handlings: Slab::new(),
            messages: 0,
            requests: 0,
            published: 0,
            scalers: (0..plan.services.len()).map(|service| Scaler::new(plan, service)).collect(),
            registry: RegistryState::new(plan, seed, replication),
            doubts: Stream::new(seed, replication, "heartbeats", "network"),
            seeds: (seed, replication),
            guard: Guard::new(plan),
            stamp: 0,
            traffic_ends: Time::ZERO + plan.duration,
            warm: Time::ZERO + plan.warm_up,
            plan,
        }
    }

    /// Runs to the end and hands the probe back.
    ///
    /// # Errors
    /// When simulated time stands still, or more is alive at once than memory should hold.
    pub(super) fn run(mut self) -> Result<P, PlanError> {
        self.agenda.at(self.warm, Event::WarmedUp);
        self.agenda.at(self.traffic_ends, Event::TrafficEnds);
        let (seed, replication) = self.seeds;
        self.start_discovery(seed, replication);
        self.start_scaling();
        self.schedule_scenario();
        self.start_traffic();
        let end = self.traffic_ends + self.plan.drain;
        loop {
            let event = if let Some(event) = self.agenda.pop_now() {
                event
            } else {
                let Some((at, event)) = self.agenda.pop() else { break };
                if at > end {
                    break;
                }
                if at > self.now {
                    self.now = at;
                    self.guard.moved();
                }
                event
            };
            self.handle(event);
            if self.guard.counts() {
                self.check_limits()?;
            }
        }
        Ok(self.probe)
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrival(source) => self.arrival(source),
            Event::User(user) => self.user_asks(user),
            Event::Arrive(job) => self.arrive(job),
            Event::WorkDone(job) => self.work_done(job),
            Event::Reply(job) => self.reply(job),
            Event::Backoff(call) => self.backoff_over(call),
            Event::Failed(call) => self.failed_at_once(call),
            Event::Handle(job) => self.handle_start(job),
            Event::Deliver(queue) => self.deliver_all(queue),
            Event::Heartbeat(instance) => self.heartbeat(instance),
            Event::Sweep => self.sweep(),
            Event::Scale(service) => self.scale(service),
            Event::Boot(service) => self.boot(service),
            Event::Retire(instance) => self.retired(instance),
            Event::Check(instance) => self.check(instance),
            Event::CheckTimedOut(instance) => self.checked(instance, CheckResult::Timeout),
            Event::Permitted(job) => self.permitted(job),
            Event::Admitted(job) => self.admitted(job),
            Event::Lane(lane) => self.lane_due(lane),
            Event::Begin(event) => self.begin_event(event),
            Event::End(event) => self.end_event(event),
            Event::Listed(instance) => self.list(instance),
            Event::Unlisted(instance) => self.unlist(instance),
            Event::WarmedUp => self.probe.warmed_up(self.now),
            Event::TrafficEnds => self.probe.traffic_ended(self.now),
        }
    }

    #[inline]
    fn lane_due(&mut self, lane: u32) {
        let (calls, jobs) = (&self.calls, &self.jobs);
        // Timers that no longer count leave their lane unseen.
        let due = self.agenda.take(lane, |kind, timer| match kind {
            LaneKind::Arrive | LaneKind::Reply => true,
            LaneKind::Attempt => jobs[timer.id].stamp == timer.check,
            LaneKind::Call | LaneKind::Hedge => calls[timer.id].stamp == timer.check,
        });
        let Some((kind, timer)) = due else { return };
        match kind {
            LaneKind::Arrive => self.arrive(timer.id),
            LaneKind::Reply => self.reply(timer.id),
            LaneKind::Attempt => self.attempt_timeout(timer.id, timer.check),
            LaneKind::Call => self.call_timeout(timer.id, timer.check),
            LaneKind::Hedge if self.calls[timer.id].stamp == timer.check => self.hedge(timer.id),
            LaneKind::Hedge => {}
        }
    }

    /// A number that no timer carries yet. Zero is never given out: it marks "no timer counts".
    #[inline]
    fn next_stamp(&mut self) -> u32 {
        self.stamp = self.stamp.wrapping_add(1).max(1);
        self.stamp
    }

    /// Tells who traces.
    #[inline]
    fn trace(&mut self, what: impl FnOnce() -> Traced) {
        if P::TRACES {
            self.probe.traced(self.now, what());
        }
    }

    /// Whether a request that arrives now is measured.
    #[inline]
    fn measures(&self) -> bool {
        self.warm <= self.now && self.now < self.traffic_ends
    }

    /// One thing less holds this job's slot; the last one frees it.
    #[inline]
    fn release(&mut self, job: u32) {
        let record = &mut self.jobs[job];
        record.holds -= 1;
        if record.holds == 0 {
            record.state = JobState::Free;
            self.jobs.remove(job);
        }
    }

    /// Tells the probe how full an instance is.
    #[inline]
    fn tell_occupancy(&mut self, instance: u32) {
        let state = &self.instances[instance as usize];
        self.probe.occupancy(self.now, super::ids::InstanceId(instance), state.busy, state.waiting);
    }

    /// Own work of this length takes so long on this instance.
    #[inline]
    fn stretched(&self, instance: u32, work: Span) -> Span {
        let state = &self.instances[instance as usize];
        if state.warm_from > self.now {
            return self.stretched_cold(instance, work);
        }
        // One is the rule: the product would be the same, only later.
        if (state.pace - 1.0).abs() < f64::EPSILON { work } else { work.scaled(state.pace) }
    }

    /// The same for one that has just started: its factor falls evenly to one.
    fn stretched_cold(&self, instance: u32, work: Span) -> Span {
        let state = &self.instances[instance as usize];
        let service = self.plan.instances[instance as usize].service;
        let Some(warm_up) = self.plan.services[service.index()].warm_up else { return work };
        let left = state.warm_from.since(self.now).seconds() / warm_up.duration.seconds();
        work.scaled(state.pace * (1.0 + (warm_up.factor - 1.0) * left.min(1.0)))
    }
}
