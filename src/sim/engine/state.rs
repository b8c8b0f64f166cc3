//! The records of a running replication.

use std::collections::VecDeque;

use super::super::event::{Agenda, LaneId, LaneKind};
use super::super::ids::{EdgeId, EndpointId, SourceId};
use super::super::plan::{Edge, Endpoint, Instance, Plan, Step};
use super::super::probe::Ending;
use super::NONE;
use super::discovery::Checked;
use super::limits::Turnstile;
use super::network::Trouble;
use crate::kernel::{Span, Stream, Time};
use crate::policy::breaker::{self, Breaker, Permit};
use crate::policy::queue::Queue;

/// Where a request at an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    /// The slot is not in use.
    Free,
    /// At its caller, waiting for what has to be passed before it is sent.
    Held,
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

/// What an attempt passes before it is sent, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The rate limit.
    Rate,
    /// The bulkhead.
    Bulkhead,
    /// The connections.
    Connection,
    /// All of it: it is on its way.
    Sent,
}

/// An attempt: a request on its way to an instance, and then in it; with what its caller must remember of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    /// The call that waits for it; `NONE` when nobody does.
    pub(super) call: u32,
    /// The next of that call's attempts under way.
    pub(super) next_attempt: u32,
    /// The instance, as the caller counts.
    pub(super) host: u32,
    pub(super) permit: Permit,
    /// The time limit that counts carries this.
    pub(super) stamp: u32,
    /// It counts among the caller's retries under way.
    pub(super) retrying: bool,
    /// How far it came at its caller.
    pub(super) stage: Stage,
    /// How many the adaptive limits of the caller and of the instance counted when it came; 0: they did not.
    pub(super) crowd: [u32; 2],
    /// Caller and instance stand in different zones.
    pub(super) across: bool,
    /// It will never arrive, or its reply will not.
    pub(super) lost: bool,
    /// When the attempt began, and when it was sent.
    pub(super) begun: Time,
    pub(super) sent: Time,
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
    /// Who the end user is, and which request it is a part of.
    pub(super) address: u32,
    pub(super) request: u32,
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
    /// Which instance of the caller, and where what it knows of the upstream stands.
    pub(super) caller: u32,
    pub(super) knows: u32,
    /// The edge whose policies hold now, and the one in the script; they differ during a fallback.
    pub(super) edge: EdgeId,
    pub(super) site: EdgeId,
    /// Neighbours in the list of the caller's job.
    pub(super) next: u32,
    pub(super) before: u32,
    pub(super) measured: bool,
    pub(super) first_line: bool,
    /// Its back-off counts among the caller's retries under way.
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
    /// The attempts under way, linked; `NONE` between attempts.
    pub(super) first_attempt: u32,
    /// Slots of the hosts that it was at, and of its hedging, or `NONE`.
    pub(super) tried: u32,
    pub(super) hedge: u32,
    /// The host of the last attempt, where retries avoid it.
    pub(super) last_host: u32,
    /// Of a breaker that counts calls.
    pub(super) permit: Permit,
    /// What its last retry cost (AWS), 0 where nothing.
    pub(super) paid: u32,
    /// The timers that count carry this.
    pub(super) stamp: u32,
    pub(super) address: u32,
    pub(super) request: u32,
    /// The back-off before the attempt under way.
    pub(super) delay: Span,
    /// When it arrived at its source, and when this repetition began.
    pub(super) begun: Time,
    pub(super) started: Time,
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
    /// It finishes what it has and is called no more.
    pub(super) draining: bool,
    /// What its health check makes of it.
    pub(super) checked: Option<Box<Checked>>,
    /// As fast as ever from here on.
    pub(super) warm_from: Time,
    /// Own work begun since the autoscaler looked last.
    pub(super) worked: Span,
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
    /// What network events that last do to its messages.
    pub(super) troubles: Vec<Trouble>,
    /// How long its last successes took: a moving average over about eight, for who asks.
    pub(super) latency: Span,
    /// Whom it turns away.
    pub(super) turnstile: Option<Box<Turnstile>>,
    /// Scenario events that last and their error rates; the last one counts.
    pub(super) failing_at: Vec<(u32, f64)>,
    /// Somebody is letting the waiting in: others need not.
    pub(super) pumping: bool,
}

impl InstanceState {
    pub(super) fn new(plan: &Plan, instance: &Instance, seed: u64, replication: u32) -> Self {
        let service = &plan.services[instance.service.index()];
        Self {
            up: instance.up,
            down_for: if instance.up { Vec::new() } else { vec![NONE] },
            listed_from: Time::ZERO,
            unlisted_from: Time::MAX,
            draining: false,
            warm_from: Time::ZERO,
            worked: Span::ZERO,
            checked: None,
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
            troubles: Vec::new(),
            latency: Span::ZERO,
            turnstile: Turnstile::new(
                &service.limits.impatient(),
                Stream::new(seed, replication, "limits", &instance.name),
                Time::ZERO,
            ),
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
    pub(super) loss: Stream,
    /// Requests and replies, within a zone and across.
    pub(super) lanes: [[LaneId; 2]; 2],
    pub(super) wait_limit: LaneId,
    pub(super) attempt_limit: LaneId,
    pub(super) call_limit: LaneId,
    pub(super) hedge: LaneId,
}

impl EdgeState {
    pub(super) fn new(plan: &Plan, edge: &Edge, agenda: &mut Agenda, seed: u64, replication: u32) -> Self {
        let mut lane =
            |kind, delay: Option<Span>| delay.map_or(LaneId::NONE, |delay| agenda.lane(kind, delay));
        let latency = |span: Span| (!span.is_zero()).then_some(span);
        let stream = |purpose| Stream::new(seed, replication, purpose, &edge.name);
        let across = |span| edge.latency_across.unwrap_or(span);
        let limits = &plan.upstreams[edge.upstream.index()].guards.limits;
        let mut ways = |kind, span: Span| [span, across(span)].map(|span| lane(kind, latency(span)));
        let lanes = [ways(LaneKind::Arrive, edge.latency_out), ways(LaneKind::Reply, edge.latency_back)];
        Self {
            chance: stream("probability"),
            jitter: stream("jitter"),
            spread: stream("spread"),
            loss: stream("loss"),
            lanes,
            wait_limit: lane(LaneKind::Attempt, limits.bulkhead.map(|bulkhead| bulkhead.max_wait)),
            attempt_limit: lane(LaneKind::Attempt, edge.per_try_timeout),
            call_limit: lane(LaneKind::Call, edge.timeout),
            hedge: lane(LaneKind::Hedge, edge.hedging.map(|hedge| hedge.policy.delay)),
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
            knows: 0,
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
            first_attempt: NONE,
            tried: NONE,
            hedge: NONE,
            last_host: NONE,
            permit: Permit::NONE,
            paid: 0,
            stamp: 0,
            address: 0,
            request: 0,
            delay: Span::ZERO,
            begun: Time::ZERO,
            started: Time::ZERO,
            deadline: Time::MAX,
            inherited: Time::MAX,
        }
    }
}

impl Job {
    /// On its way to this instance, for nobody yet.
    pub(super) fn at(endpoint: EndpointId, instance: u32) -> Self {
        Self {
            call: NONE,
            next_attempt: NONE,
            host: NONE,
            permit: Permit::NONE,
            stamp: 0,
            retrying: false,
            stage: Stage::Rate,
            crowd: [0, 0],
            across: false,
            lost: false,
            begun: Time::ZERO,
            sent: Time::ZERO,
            handling: NONE,
            endpoint,
            instance,
            edge: EdgeId(NONE),
            state: JobState::Transit,
            measured: false,
            first_line: true,
            cancelled: false,
            end: None,
            step: 0,
            pending: 0,
            first_call: NONE,
            holds: 1,
            address: 0,
            request: 0,
            arrived: Time::ZERO,
            waiting_since: Time::ZERO,
            work: Span::ZERO,
            work_ends: Time::ZERO,
            deadline: Time::MAX,
        }
    }
}
