//! What happened in one replication, one thing after another: a log that can be filtered.
//!
//! Owns the names of the events and what a filter lets through. Must not know how a line is written.

use super::ids::{BreakerId, EndpointId, InstanceId, QueueId, ServiceId, SourceId, UpstreamId};
use super::plan::{Caller, Plan};
use super::probe::{Ending, Knowledge, MessageStep, Probe, Traced};
use crate::kernel::{Span, Time};
use crate::policy::breaker::State;

macro_rules! kinds {
    ($( $(#[doc = $about:literal])+ $kind:ident = $name:literal ; )*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum EventKind { $( $(#[doc = $about])+ $kind, )* }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$kind, )*];

            /// As a line says it.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$kind => $name, )* }
            }
        }
    };
}

kinds! {
    /// A request arrives at its source.
    Arrived = "arrived";
    /// It is answered well.
    Succeeded = "succeeded";
    /// It failed.
    Failed = "failed";
    /// An attempt reaches an instance, or a handler its message.
    Received = "received";
    /// The instance is done with it.
    Replied = "replied";
    /// The registry has an instance.
    Registered = "registered";
    /// An instance took itself out of the registry.
    Deregistered = "deregistered";
    /// An instance said nothing when it should have.
    HeartbeatMissed = "heartbeat_missed";
    /// Its lease was over.
    Expired = "expired";
    /// It passed its health checks.
    Healthy = "healthy";
    /// It failed them.
    Unhealthy = "unhealthy";
    /// A caller takes it out of its balancing.
    Ejected = "ejected";
    /// A caller takes it back.
    Unejected = "unejected";
    /// A breaker lets nothing through.
    BreakerOpened = "breaker_opened";
    /// It tries again.
    BreakerHalfOpened = "breaker_half_opened";
    /// It lets everything through.
    BreakerClosed = "breaker_closed";
    /// A message was put into a queue.
    Published = "published";
    /// The queue was full.
    Dropped = "dropped";
    /// A consumer got it.
    Delivered = "delivered";
    /// A handler finished it.
    Acknowledged = "acknowledged";
    /// It was delivered again.
    Redelivered = "redelivered";
    /// It failed too often.
    DeadLettered = "dead_lettered";
    /// An instance went down.
    Stopped = "stopped";
    /// An instance came up.
    Started = "started";
    /// The autoscaler starts an instance.
    ScaledUp = "scaled_up";
    /// The autoscaler takes one away.
    ScaledDown = "scaled_down";
    /// Something of the scenario begins.
    Began = "began";
    /// Something of the scenario ends.
    Over = "over";
}

impl EventKind {
    /// There are as many of these as requests: they are logged when they are asked for.
    pub const fn is_of_a_request(self) -> bool {
        matches!(self, Self::Arrived | Self::Succeeded | Self::Failed | Self::Received | Self::Replied)
    }
}

/// What it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A source of requests.
    Source(SourceId),
    /// Work at an instance.
    Work(EndpointId, InstanceId),
    /// An instance.
    Instance(InstanceId),
    /// An instance, in the eyes of this instance of a caller.
    Host(UpstreamId, u32, InstanceId),
    /// The breaker of this instance of a caller.
    Breaker(BreakerId, u32),
    /// A queue or topic.
    Queue(QueueId),
    /// Something of the scenario: a place in [`Plan::events`].
    Happening(u32),
}

/// One thing that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// To whom.
    pub about: About,
    /// The request it is a part of.
    pub request: Option<u32>,
    /// The message.
    pub message: Option<u32>,
    /// Why it failed.
    pub end: Ending,
    /// How long it took: a request, or since a message was published.
    pub took: Option<Span>,
}

/// What is asked for of a log; nothing said lets everything through but what there is of every request.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these; what there is of requests as well.
    pub kinds: Vec<EventKind>,
    /// Only what is about these services, queues or topics.
    pub services: Vec<String>,
    /// Only this request.
    pub request: Option<u32>,
    /// Only this message.
    pub message: Option<u32>,
}

impl Filter {
    fn lets(&self, plan: &Plan, entry: &Entry) -> bool {
        let asked = self.request.is_some() || self.message.is_some();
        let kind = if self.kinds.is_empty() {
            asked || !entry.kind.is_of_a_request()
        } else {
            self.kinds.contains(&entry.kind)
        };
        kind && self.request.is_none_or(|wanted| entry.request == Some(wanted))
            && self.message.is_none_or(|wanted| entry.message == Some(wanted))
            && (self.services.is_empty() || self.names(plan, entry.about))
    }

    fn names(&self, plan: &Plan, about: About) -> bool {
        let is = |name: &str| self.services.iter().any(|wanted| wanted == name);
        let service = |id: ServiceId| is(&plan.services[id.index()].name);
        let of = |instance: InstanceId| service(plan.instances[instance.index()].service);
        let caller = |caller: Caller| matches!(caller, Caller::Service(id) if service(id));
        match about {
            About::Source(source) => {
                let edge = &plan.edges[plan.sources[source.index()].edge.index()];
                service(plan.upstreams[edge.upstream.index()].service)
            }
            About::Work(_, instance) | About::Instance(instance) => of(instance),
            About::Host(upstream, _, instance) => {
                of(instance) || caller(plan.upstreams[upstream.index()].caller)
            }
            About::Breaker(breaker, _) => {
                let guarded = plan.edges.iter().filter(|e| e.breaker == Some(breaker));
                caller(plan.breakers[breaker.index()].caller)
                    || guarded.into_iter().any(|e| service(plan.upstreams[e.upstream.index()].service))
            }
            About::Queue(queue) => is(&plan.queues[queue.index()].name),
            About::Happening(event) => plan.events[event as usize].instances.iter().any(|i| of(*i)),
        }
    }
}

/// A probe that hands what happens, and the filter lets through, to `tell`, in the order of time.
pub struct EventLog<'p, F> {
    plan: &'p Plan,
    filter: Filter,
    tell: F,
}

impl<'p, F: FnMut(&Entry)> EventLog<'p, F> {
    /// A log of a run of this plan.
    pub const fn new(plan: &'p Plan, filter: Filter, tell: F) -> Self {
        Self { plan, filter, tell }
    }

    fn say(&mut self, entry: Entry) {
        if self.filter.lets(self.plan, &entry) {
            (self.tell)(&entry);
        }
    }

    fn about(&mut self, at: Time, kind: EventKind, about: About) {
        self.say(Entry { at, kind, about, request: None, message: None, end: None, took: None });
    }
}

impl<F: FnMut(&Entry)> Probe for EventLog<'_, F> {
    const TRACES: bool = true;

    fn up(&mut self, now: Time, instance: InstanceId, up: bool) {
        // What was never started (an autoscaler's reserve) does not stop.
        if now == Time::ZERO && !self.plan.instances[instance.index()].up {
            return;
        }
        let kind = if up { EventKind::Started } else { EventKind::Stopped };
        self.about(now, kind, About::Instance(instance));
    }

    fn known(&mut self, now: Time, instance: InstanceId, what: Knowledge) {
        let kind = match what {
            Knowledge::Registered => EventKind::Registered,
            Knowledge::Deregistered => EventKind::Deregistered,
            Knowledge::HeartbeatMissed => EventKind::HeartbeatMissed,
            Knowledge::Expired => EventKind::Expired,
            Knowledge::Healthy => EventKind::Healthy,
            Knowledge::Unhealthy => EventKind::Unhealthy,
        };
        self.about(now, kind, About::Instance(instance));
    }

    fn breaker_changed(&mut self, now: Time, breaker: BreakerId, caller: u32, _: State, to: State) {
        let kind = match to {
            State::Open => EventKind::BreakerOpened,
            State::HalfOpen => EventKind::BreakerHalfOpened,
            _ => EventKind::BreakerClosed,
        };
        self.about(now, kind, About::Breaker(breaker, caller));
    }

    fn traced(&mut self, now: Time, what: Traced) {
        let entry =
            |kind, about| Entry { at: now, kind, about, request: None, message: None, end: None, took: None };
        let entry = match what {
            Traced::Arrived { source, request, .. } => {
                Entry { request: Some(request), ..entry(EventKind::Arrived, About::Source(source)) }
            }
            Traced::Ended { source, request, took, end } => {
                let kind = if end.is_none() { EventKind::Succeeded } else { EventKind::Failed };
                let (request, took) = (Some(request), Some(took));
                Entry { request, end, took, ..entry(kind, About::Source(source)) }
            }
            Traced::Sent { .. } => return,
            Traced::Received { request, endpoint, instance, .. } => Entry {
                request: Some(request),
                ..entry(EventKind::Received, About::Work(endpoint, instance))
            },
            Traced::Replied { request, endpoint, instance, end, .. } => {
                let replied = entry(EventKind::Replied, About::Work(endpoint, instance));
                Entry { request: Some(request), end, ..replied }
            }
            Traced::Message { queue, step, request, message } => {
                let (kind, took) = match step {
                    MessageStep::Published => (EventKind::Published, None),
                    MessageStep::Dropped => (EventKind::Dropped, None),
                    MessageStep::Delivered(age) => (EventKind::Delivered, Some(age)),
                    MessageStep::Acknowledged(age) => (EventKind::Acknowledged, Some(age)),
                    MessageStep::Redelivered => (EventKind::Redelivered, None),
                    MessageStep::DeadLettered => (EventKind::DeadLettered, None),
                };
                let (request, message) = (Some(request), Some(message));
                Entry { request, message, took, ..entry(kind, About::Queue(queue)) }
            }
            Traced::Ejected { upstream, caller, instance, out } => {
                let kind = if out { EventKind::Ejected } else { EventKind::Unejected };
                entry(kind, About::Host(upstream, caller, instance))
            }
            Traced::Scaled { instance, up } => {
                let kind = if up { EventKind::ScaledUp } else { EventKind::ScaledDown };
                entry(kind, About::Instance(instance))
            }
            Traced::Happening { event, begins } => {
                let kind = if begins { EventKind::Began } else { EventKind::Over };
                entry(kind, About::Happening(event))
            }
        };
        self.say(entry);
    }
}
