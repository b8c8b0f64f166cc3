//! The records of a running replication.

use std::collections::VecDeque;

use super::super::event::{Agenda, LaneId, LaneKind};
use super::super::ids::{EdgeId, EndpointId, SourceId};
use super::super::plan::{Edge, Endpoint, Instance, Plan, Step};
use super::super::probe::Ending;
use super::NONE;
use crate::kernel::{Span, Stream, Time};
use crate::policy::breaker::{self, Breaker, Permit};
use crate::policy::queue::Queue;

/// Where a request at an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    /// The slot is not in use.
    Free,
    /// On the network.
    Transit,
    /// Waiting to start.
    Queued,
    /// Started, waiting for a worker in the middle of its script.
    Resuming,
    /// Doing its own work.
    Working,
    /// Waiting for calls.
    Calling,
    /// Answered; the slot waits for the reply to arrive, for abandoned calls or stale events.
    Done,
}

/// A request on its way to an instance, and then in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    /// The call that waits for it; `NONE` when nobody does.
    pub(super) call: u32,
    /// What it is handled as; a message's slot in `handlings` for handlers, `NONE` else.
    pub(super) handling: u32,
    pub(super) endpoint: EndpointId,
    pub(super) instance: u32,
    /// The edge it came over; meaningless for handlers.
    pub(super) edge: EdgeId,
    pub(super) state: JobState,
    pub(super) measured: bool,
    /// Neither it nor anything above it is a retry.
    pub(super) first_line: bool,
    /// Dropped when it arrives.
    pub(super) cancelled: bool,
    pub(super) end: Ending,
    /// Next step, in `Plan::steps`.
    pub(super) step: u32,
    /// Calls of the current group under way.
    pub(super) pending: u32,
    /// The first of its live calls, abandoned ones included; they are linked.
    pub(super) first_call: u32,
    /// What keeps the slot: its life, each live call, each event of its work on the agenda.
    pub(super) holds: u32,
    /// Who the end user is.
    pub(super) address: u32,
    pub(super) arrived: Time,
    pub(super) waiting_since: Time,
    /// Own work, all of it.
    pub(super) work: Span,
    /// When the piece under way is done.
    pub(super) work_ends: Time,
    /// No attempt below starts after this.
    pub(super) deadline: Time,
}

/// A caller waiting for one of its calls, through all attempts and repetitions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// The caller's job, `NONE` for a source's call.
    pub(super) job: u32,
    /// The source, where there is no job.
    pub(super) source: SourceId,
    /// The closed-loop user, or `NONE`.
    pub(super) user: u32,
    /// Which instance of the caller.
    pub(super) caller: u32,
    /// The edge whose policies hold now, and the one in the script; they differ during a fallback.
    pub(super) edge: EdgeId,
    pub(super) site: EdgeId,
    /// Neighbours in the list of the caller's job.
    pub(super) next: u32,
    pub(super) before: u32,
    pub(super) measured: bool,
    pub(super) first_line: bool,
    /// It counts among the caller's retries under way.
    pub(super) retrying: bool,
    /// An event with its number is on the agenda.
    pub(super) awaited: bool,
    /// Given up; the slot is freed by the event.
    pub(super) dead: bool,
    /// How it ended.
    pub(super) end: Ending,
    /// Repetitions to come.
    pub(super) repeats: u32,
    /// Attempts so far.
    pub(super) attempts: u32,
    /// The attempt under way: its job and host; `NONE` between attempts.
    pub(super) callee: u32,
    pub(super) host: u32,
    pub(super) permit: Permit,
    /// The timers that count carry these.
    pub(super) stamp: u32,
    pub(super) attempt_stamp: u32,
    pub(super) address: u32,
    /// The back-off before the attempt under way.
    pub(super) delay: Span,
    /// When it arrived at its source.
    pub(super) begun: Time,
    pub(super) sent: Time,
    /// Of this call, and the one handed down from above.
    pub(super) deadline: Time,
    pub(super) inherited: Time,
}

/// An instance.
pub(super) struct InstanceState {
    pub(super) up: bool,
    /// Why it is not: scenario events that last, or `NONE` for one that was never started.
    pub(super) down_for: Vec<u32>,
    /// When callers learn that it is up, and that it is down.
    pub(super) listed_from: Time,
    pub(super) unlisted_from: Time,
    /// Workers at work.
    pub(super) busy: u32,
    /// Requests started and not answered.
    pub(super) inside: u32,
    pub(super) workers: u32,
    pub(super) concurrency: u32,
    /// Who waits to start.
    pub(super) entry: Box<dyn Queue>,
    /// Who waits for a worker in the middle of a script.
    pub(super) resume: VecDeque<u32>,
    /// How many are in either line.
    pub(super) waiting: u32,
    /// Own work takes so many times as long as the endpoint says.
    pub(super) pace: f64,
    /// The same without the scenario.
    pub(super) usual_pace: f64,
    /// Scenario events that last and their factors, which multiply.
    pub(super) slowed_by: Vec<(u32, f64)>,
    /// Scenario events that last and their error rates; the last one counts.
    pub(super) failing_at: Vec<(u32, f64)>,
    /// Somebody is letting the waiting in: others need not.
    pub(super) pumping: bool,
}

impl InstanceState {
    pub(super) fn new(plan: &Plan, instance: &Instance) -> Self {
        let service = &plan.services[instance.service.index()];
        Self {
            up: instance.up,
            down_for: if instance.up { Vec::new() } else { vec![NONE] },
            listed_from: Time::ZERO,
            unlisted_from: Time::MAX,
            busy: 0,
            inside: 0,
            workers: service.workers.unwrap_or(u32::MAX),
            concurrency: service.concurrency.unwrap_or(u32::MAX),
            entry: (service.discipline.build)(service.queue_max_length),
            resume: VecDeque::new(),
            waiting: 0,
            pace: 1.0 / instance.speed,
            usual_pace: 1.0 / instance.speed,
            slowed_by: Vec::new(),
            failing_at: Vec::new(),
            pumping: false,
        }
    }
}

/// An endpoint's streams.
pub(super) struct EndpointState {
    pub(super) work: Stream,
    pub(super) errors: Stream,
    /// Whether a message is sent.
    pub(super) messages: Stream,
    /// Whether a request begins with own work.
    pub(super) works_first: bool,
}

impl EndpointState {
    pub(super) fn new(plan: &Plan, endpoint: &Endpoint, seed: u64, replication: u32) -> Self {
        let first = plan.steps.get(endpoint.script as usize);
        Self {
            work: Stream::new(seed, replication, "work", &endpoint.name),
            errors: Stream::new(seed, replication, "errors", &endpoint.name),
            messages: Stream::new(seed, replication, "messages", &endpoint.name),
            works_first: matches!(first, Some(Step::Work { share }) if *share > 0.0),
        }
    }
}

/// An edge's streams and lanes.
pub(super) struct EdgeState {
    pub(super) chance: Stream,
    pub(super) jitter: Stream,
    pub(super) spread: Stream,
    pub(super) out: LaneId,
    pub(super) back: LaneId,
    pub(super) attempt_limit: LaneId,
    pub(super) call_limit: LaneId,
}

impl EdgeState {
    pub(super) fn new(edge: &Edge, agenda: &mut Agenda, seed: u64, replication: u32) -> Self {
        let mut lane =
            |kind, delay: Option<Span>| delay.map_or(LaneId::NONE, |delay| agenda.lane(kind, delay));
        let latency = |span: Span| (!span.is_zero()).then_some(span);
        let stream = |purpose| Stream::new(seed, replication, purpose, &edge.name);
        Self {
            chance: stream("probability"),
            jitter: stream("jitter"),
            spread: stream("spread"),
            out: lane(LaneKind::Arrive, latency(edge.latency_out)),
            back: lane(LaneKind::Reply, latency(edge.latency_back)),
            attempt_limit: lane(LaneKind::Attempt, edge.per_try_timeout),
            call_limit: lane(LaneKind::Call, edge.timeout),
        }
    }
}

/// One caller instance's breaker.
pub(super) struct BreakerState {
    pub(super) breaker: Box<dyn Breaker>,
    /// What the probe was told last.
    pub(super) known: breaker::State,
}

impl BreakerState {
    pub(super) fn new(settings: &breaker::Settings) -> Self {
        Self { breaker: settings.build(), known: breaker::State::Closed }
    }
}

impl Call {
    /// A call over this edge, not begun; the caller sets the rest.
    pub(super) fn over(edge: EdgeId) -> Self {
        Self {
            job: NONE,
            source: SourceId(NONE),
            user: NONE,
            caller: 0,
            edge,
            site: edge,
            next: NONE,
            before: NONE,
            measured: false,
            first_line: true,
            retrying: false,
            awaited: false,
            dead: false,
            end: None,
            repeats: 0,
            attempts: 0,
            callee: NONE,
            host: NONE,
            permit: Permit::NONE,
            stamp: 0,
            attempt_stamp: 0,
            address: 0,
            delay: Span::ZERO,
            begun: Time::ZERO,
            sent: Time::ZERO,
            deadline: Time::MAX,
            inherited: Time::MAX,
        }
    }
}
