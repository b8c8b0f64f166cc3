//! What can be watched.
//!
//! The engine tells a [`Probe`] what happens, and knows nothing of what is made of it: metrics,
//! timelines, traces and tests are probes. All methods do nothing unless written, and the engine is
//! compiled for its probe, so that what nobody watches costs nothing.

use super::ids::{BreakerId, EdgeId, EndpointId, InstanceId, QueueId, SourceId, UpstreamId};
use crate::kernel::{Span, Time};
use crate::policy::breaker::State;

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The endpoint's own error rate.
    Error,
    /// A time limit passed.
    Timeout,
    /// The instance was down.
    Refused,
    /// The instance went down with the request in it.
    Reset,
    /// The instance's queue was full, or dropped it (`codel`).
    Overflow,
    /// A circuit breaker rejected the call.
    BreakerOpen,
    /// The caller had as many requests under way as it may (`limits`).
    Capped,
    /// A rate limit turned the request away, at the caller or at the instance.
    RateLimited,
    /// The balancer had no instance to pick.
    NoInstance,
    /// A call that the endpoint made failed, and nothing recovered it.
    Dependency,
    /// The caller gave up and said so.
    Cancelled,
}

impl Cause {
    /// How many there are.
    pub const COUNT: usize = 11;

    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Error,
        Self::Timeout,
        Self::Refused,
        Self::Reset,
        Self::Overflow,
        Self::BreakerOpen,
        Self::Capped,
        Self::RateLimited,
        Self::NoInstance,
        Self::Dependency,
        Self::Cancelled,
    ];

    /// As the outcome prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Overflow => "overflow",
            Self::BreakerOpen => "breaker_open",
            Self::Capped => "capped",
            Self::RateLimited => "rate_limited",
            Self::NoInstance => "no_instance",
            Self::Dependency => "dependency",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A set of causes: what is retried. A rejection by a breaker is never retried, whatever is in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CauseSet(u16);

impl CauseSet {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self(u16::MAX);
    /// `5xx`: any answer of the server's fault, or no answer from it (Envoy's meaning, which takes in
    /// connect failures and resets).
    pub const SERVER_ERRORS: Self = Self::NONE
        .with(Cause::Error)
        .with(Cause::Dependency)
        .with(Cause::Overflow)
        .with(Cause::Refused)
        .with(Cause::Reset)
        .with(Cause::NoInstance);
    /// `connect-failure`: nobody took the request.
    pub const CONNECT_FAILURE: Self = Self::NONE.with(Cause::Refused).with(Cause::NoInstance);
    /// `reset`: no answer, because the server went away.
    pub const RESET: Self = Self::NONE.with(Cause::Reset).with(Cause::Refused);
    /// `rate-limited`: too many requests, says a rate limit.
    pub const RATE_LIMITED: Self = Self::NONE.with(Cause::RateLimited);
    /// `timeout`: an attempt took longer than `per_try_timeout`.
    pub const TIMEOUT: Self = Self::NONE.with(Cause::Timeout);

    /// With this one in it.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause as u16)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is in there.
    #[inline]
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u16) != 0
    }
}

/// How something ended: `None` is success.
pub type Ending = Option<Cause>;

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageStep {
    /// It was put into the queue.
    Published,
    /// The queue was full.
    Dropped,
    /// A handler got it, so long after it was published.
    Delivered(Span),
    /// A handler finished it, so long after it was published.
    Acknowledged(Span),
    /// It goes back to wait.
    Redelivered,
    /// It failed too often.
    DeadLettered,
}

/// What somebody learns of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Knowledge {
    /// The registry has it.
    Registered,
    /// It took itself out of the registry.
    Deregistered,
    /// It said nothing when it should have.
    HeartbeatMissed,
    /// Its lease was over, and a sweep took it out.
    Expired,
    /// It passed as many health checks as it takes.
    Healthy,
    /// It failed as many.
    Unhealthy,
}

impl Knowledge {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Registered,
        Self::Deregistered,
        Self::HeartbeatMissed,
        Self::Expired,
        Self::Healthy,
        Self::Unhealthy,
    ];

    /// As an outcome prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Deregistered => "deregistered",
            Self::HeartbeatMissed => "heartbeat_missed",
            Self::Expired => "expired",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What is told with the request it is a part of, to those who trace. Requests and messages have numbers, counted from
/// 0 in the order of their arrival; a job is an attempt or the handling of a message, whose number is given anew when it
/// is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traced {
    /// A request arrives at its source.
    Arrived {
        /// The source.
        source: SourceId,
        /// The request.
        request: u32,
        /// Whether it is measured.
        measured: bool,
    },
    /// It has its final outcome.
    Ended {
        /// The source.
        source: SourceId,
        /// The request.
        request: u32,
        /// Since its arrival.
        took: Span,
        /// How.
        end: Ending,
    },
    /// An attempt is made, or a message handed to a handler.
    Sent {
        /// The request.
        request: u32,
        /// The job.
        job: u32,
        /// The job that makes it; no job's number where a client makes it.
        parent: u32,
        /// The call; `None` for a message.
        edge: Option<EdgeId>,
        /// What is asked.
        endpoint: EndpointId,
        /// Where.
        instance: InstanceId,
        /// Whether it was tried before.
        retry: bool,
    },
    /// It reaches its instance.
    Received {
        /// The request.
        request: u32,
        /// The job.
        job: u32,
        /// What is asked.
        endpoint: EndpointId,
        /// Where.
        instance: InstanceId,
    },
    /// The instance is done with it.
    Replied {
        /// The request.
        request: u32,
        /// The job.
        job: u32,
        /// What was asked.
        endpoint: EndpointId,
        /// Where.
        instance: InstanceId,
        /// How it ended.
        end: Ending,
    },
    /// Something happens to a message.
    Message {
        /// The queue or topic.
        queue: QueueId,
        /// What.
        step: MessageStep,
        /// The request whose work published it.
        request: u32,
        /// The message.
        message: u32,
    },
    /// A caller instance's outlier detection takes an instance out, or back.
    Ejected {
        /// Who balances.
        upstream: UpstreamId,
        /// Which instance of the caller.
        caller: u32,
        /// Whom.
        instance: InstanceId,
        /// Out, else back.
        out: bool,
    },
    /// The autoscaler starts an instance, or takes one away.
    Scaled {
        /// Which.
        instance: InstanceId,
        /// Starts it.
        up: bool,
    },
    /// Something of the scenario begins or ends.
    Happening {
        /// A place in [`super::Plan::events`].
        event: u32,
        /// Whether it begins.
        begins: bool,
    },
}

/// Watches a run. `measured` is true for requests that arrived at their source in
/// `[warm_up, duration)`, and for all that they cause.
pub trait Probe {
    /// Whether it wants to be told what is [`Traced`].
    const TRACES: bool = false;
    /// Something of a request happens; told where `TRACES` is true.
    fn traced(&mut self, _now: Time, _what: Traced) {}
    /// Measuring begins.
    fn warmed_up(&mut self, _now: Time) {}
    /// Traffic ends.
    fn traffic_ended(&mut self, _now: Time) {}
    /// A request arrives at a source.
    fn request_arrived(&mut self, _now: Time, _source: SourceId, _measured: bool) {}
    /// It has its final outcome, so long after its arrival.
    fn request_ended(&mut self, _now: Time, _source: SourceId, _took: Span, _end: Ending, _measured: bool) {}
    /// A request arrives at an instance.
    fn job_arrived(&mut self, _now: Time, _endpoint: EndpointId, _at: InstanceId, _measured: bool) {}
    /// The instance replies, so long after the arrival.
    fn job_ended(&mut self, _now: Time, _endpoint: EndpointId, _took: Span, _end: Ending, _measured: bool) {}
    /// An instance has so many workers busy and so many requests waiting, from now on.
    fn occupancy(&mut self, _now: Time, _instance: InstanceId, _busy: u32, _waiting: u32) {}
    /// An instance goes up or down.
    fn up(&mut self, _now: Time, _instance: InstanceId, _up: bool) {}
    /// Somebody learns something of an instance.
    fn known(&mut self, _now: Time, _instance: InstanceId, _what: Knowledge) {}
    /// A call begins. `first_line`: nothing above it is a retry.
    fn call_started(&mut self, _edge: EdgeId, _first_line: bool, _measured: bool) {}
    /// An attempt is sent.
    fn attempt_started(&mut self, _edge: EdgeId, _retry: bool, _measured: bool) {}
    /// An attempt ends, for the caller.
    fn attempt_ended(&mut self, _edge: EdgeId, _end: Ending, _measured: bool) {}
    /// A call ends; `recovered` when a fallback or `optional` made up for its failure.
    fn call_ended(&mut self, _edge: EdgeId, _end: Ending, _recovered: bool, _measured: bool) {}
    /// A breaker of one caller instance changes its state.
    fn breaker_changed(&mut self, _now: Time, _breaker: BreakerId, _caller: u32, _from: State, _to: State) {}
    /// Something happens to a message; `waiting` are in the queue afterwards.
    fn message(&mut self, _now: Time, _queue: QueueId, _step: MessageStep, _waiting: u32, _measured: bool) {}
}

/// Nobody watches.
impl Probe for () {}

/// Tells both.
impl<A: Probe, B: Probe> Probe for (A, B) {
    const TRACES: bool = A::TRACES || B::TRACES;
    fn traced(&mut self, now: Time, what: Traced) {
        self.0.traced(now, what);
        self.1.traced(now, what);
    }
    fn warmed_up(&mut self, now: Time) {
        self.0.warmed_up(now);
        self.1.warmed_up(now);
    }
    fn traffic_ended(&mut self, now: Time) {
        self.0.traffic_ended(now);
        self.1.traffic_ended(now);
    }
    fn request_arrived(&mut self, now: Time, source: SourceId, measured: bool) {
        self.0.request_arrived(now, source, measured);
        self.1.request_arrived(now, source, measured);
    }
    fn request_ended(&mut self, now: Time, source: SourceId, took: Span, end: Ending, measured: bool) {
        self.0.request_ended(now, source, took, end, measured);
        self.1.request_ended(now, source, took, end, measured);
    }
    fn job_arrived(&mut self, now: Time, endpoint: EndpointId, at: InstanceId, measured: bool) {
        self.0.job_arrived(now, endpoint, at, measured);
        self.1.job_arrived(now, endpoint, at, measured);
    }
    fn job_ended(&mut self, now: Time, endpoint: EndpointId, took: Span, end: Ending, measured: bool) {
        self.0.job_ended(now, endpoint, took, end, measured);
        self.1.job_ended(now, endpoint, took, end, measured);
    }
    fn occupancy(&mut self, now: Time, instance: InstanceId, busy: u32, waiting: u32) {
        self.0.occupancy(now, instance, busy, waiting);
        self.1.occupancy(now, instance, busy, waiting);
    }
    fn up(&mut self, now: Time, instance: InstanceId, up: bool) {
        self.0.up(now, instance, up);
        self.1.up(now, instance, up);
    }
    fn known(&mut self, now: Time, instance: InstanceId, what: Knowledge) {
        self.0.known(now, instance, what);
        self.1.known(now, instance, what);
    }
    fn call_started(&mut self, edge: EdgeId, first_line: bool, measured: bool) {
        self.0.call_started(edge, first_line, measured);
        self.1.call_started(edge, first_line, measured);
    }
    fn attempt_started(&mut self, edge: EdgeId, retry: bool, measured: bool) {
        self.0.attempt_started(edge, retry, measured);
        self.1.attempt_started(edge, retry, measured);
    }
    fn attempt_ended(&mut self, edge: EdgeId, end: Ending, measured: bool) {
        self.0.attempt_ended(edge, end, measured);
        self.1.attempt_ended(edge, end, measured);
    }
    fn call_ended(&mut self, edge: EdgeId, end: Ending, recovered: bool, measured: bool) {
        self.0.call_ended(edge, end, recovered, measured);
        self.1.call_ended(edge, end, recovered, measured);
    }
    fn breaker_changed(&mut self, now: Time, breaker: BreakerId, caller: u32, from: State, to: State) {
        self.0.breaker_changed(now, breaker, caller, from, to);
        self.1.breaker_changed(now, breaker, caller, from, to);
    }
    fn message(&mut self, now: Time, queue: QueueId, step: MessageStep, waiting: u32, measured: bool) {
        self.0.message(now, queue, step, waiting, measured);
        self.1.message(now, queue, step, waiting, measured);
    }
}
