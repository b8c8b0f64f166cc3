//! What is simulated: an architecture and a scenario, flattened into dense arrays.
//!
//! Owns the shapes; `build` puts them together, `check` holds them to their word ([`Plan::validate`]). Everything is in document order and
//! refers by place; names are kept only because random streams are named after them and the outcome
//! speaks of them. Must not know YAML or the graph it came from.

mod build;
mod check;
mod load;
mod policies;

use std::ops::Range;

use super::ids::{BreakerId, EdgeId, EndpointId, InstanceId, QueueId, ServiceId, SourceId, UpstreamId};
use crate::kernel::{Distribution, Span, Time};
use crate::policy::balancer::{self, BalancerInfo};
use crate::policy::discovery::{CacheSettings, ProbeSettings, RegistrySettings};
use crate::policy::queue::QueueInfo;

pub use load::{Action, Arrivals, BurstState, RatePoint, STALL, ScenarioEvent, Source};
pub use policies::{
    Adaptive, BreakerPlan, Budget, Cancellation, Connections, Fallback, Guards, Hedge, Limits, RateLimit,
    Retry,
};

/// A whole simulation, but for the seed and the number of replications.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Services, datastores and external systems.
    pub services: Vec<Service>,
    /// Their instances; those of one service stand together.
    pub instances: Vec<Instance>,
    /// Their endpoints; those of one service stand together.
    pub endpoints: Vec<Endpoint>,
    /// The scripts of all endpoints, one after the other; each ends with [`Step::Done`].
    pub steps: Vec<Step>,
    /// The members of all [`Step::Calls`], one group after the other.
    pub groups: Vec<EdgeId>,
    /// Calls with their policies.
    pub edges: Vec<Edge>,
    /// Who balances over whom.
    pub upstreams: Vec<Upstream>,
    /// Circuit breakers.
    pub breakers: Vec<BreakerPlan>,
    /// Queues and topics.
    pub queues: Vec<Queue>,
    /// Traffic.
    pub sources: Vec<Source>,
    /// What happens to instances, and when.
    pub events: Vec<ScenarioEvent>,
    /// How callers learn where instances are; `None`: of all that are up, at once.
    pub discovery: Option<Discovery>,
    /// Requests that arrive earlier are simulated and not measured.
    pub warm_up: Span,
    /// Traffic ends here; counted from 0, warm-up included.
    pub duration: Span,
    /// How long after `duration` a run waits for what is under way. Default 30 s.
    pub drain: Span,
    /// The width of the windows of [`super::Window`]. Default 1 s.
    pub window: Span,
}

/// A registry that instances register with, and what callers keep of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discovery {
    /// Leases and sweeps.
    pub registry: RegistrySettings,
    /// An instance says so often that it lives.
    pub heartbeat: Span,
    /// How long a caller instance believes what it knows.
    pub cache: CacheSettings,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id in the document.
    pub name: String,
    /// Its instances in [`Plan::instances`].
    pub instances: Range<u32>,
    /// Own work done at once per instance; `None`: unlimited.
    pub workers: Option<u32>,
    /// Requests started and not answered at once per instance; `None`: unlimited.
    pub concurrency: Option<u32>,
    /// Requests that may wait in front of an instance, for a worker or for `concurrency`; `None`:
    /// unlimited. Those that wait for a worker in the middle of their script are not counted.
    pub queue_max_length: Option<u32>,
    /// The order in which they wait.
    pub discipline: &'static QueueInfo,
    /// How many instances there are under load: those that are down at the start are its reserve. Needs workers.
    pub scaling: Option<Scaling>,
    /// How slow an instance is that has just started.
    pub warm_up: Option<WarmUp>,
    /// How its instances are asked whether they are well; callers hear what comes of it.
    pub health_check: Option<ProbeSettings>,
    /// What an instance turns away beside; none of it waits here.
    pub limits: Limits,
}

/// An autoscaler.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// At least so many instances.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// The utilization it aims at, above 0.
    pub target: f64,
    /// From the need to the instance.
    pub delay: Span,
}

/// An instance that has just started is slow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUp {
    /// From when callers may pick it until it is as fast as the others.
    pub duration: Span,
    /// Its work takes so many times as long at first; that falls evenly to 1.
    pub factor: f64,
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its id in the document.
    pub name: String,
    /// Whose it is.
    pub service: ServiceId,
    /// Its weight for load balancing.
    pub weight: u32,
    /// The zone it stands in; clients of a source stand in none, and are near to all.
    pub zone: Option<u32>,
    /// How fast it works: own work takes `1/speed` of what the endpoint says.
    pub speed: f64,
    /// Whether it answers at all; one that does not refuses at once. `false` for `status: stopped`.
    pub up: bool,
    /// Whether callers may pick it. `false` for `status: unhealthy` and `starting`.
    pub listed: bool,
    /// When it becomes listed: `startup` for `status: starting`. `None`: never by itself.
    pub listed_at: Option<Time>,
    /// How long after a [`Action::Restart`] callers may pick it again.
    pub startup: Span,
}

/// An endpoint, or a handler of messages.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `"<service> <endpoint>"`: unique, names the random streams.
    pub name: String,
    /// Whose it is.
    pub service: ServiceId,
    /// Its own work, drawn once per request and spent by the [`Step::Work`] steps; `None`: none.
    pub work: Option<Distribution>,
    /// The probability that [`Step::Check`] fails.
    pub error_rate: f64,
    /// The first step of its script.
    pub script: u32,
    /// A handler of messages: its own work holds no worker and it does not pass the instance's
    /// queue; the consumer's concurrency bounds it instead.
    pub handler: bool,
}

/// A step of a script. A usual endpoint is `Work{share: 1} Check Calls… Publish… Done`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Spends this share of the request's own work, holding a worker.
    Work {
        /// 0 to 1; the shares of a script sum to 1.
        share: f64,
    },
    /// Draws the endpoint's error: when it comes, the request ends here.
    Check,
    /// Makes the calls `Plan::groups[first..first + count]` at once and waits for all of them. A
    /// sequential call is a group of one.
    Calls {
        /// The first member.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Sends messages and goes on.
    Publish {
        /// Where to.
        queue: QueueId,
        /// Drawn once, before the repetitions.
        probability: f64,
        /// How many, one after another.
        times: u32,
    },
    /// Replies.
    Done,
}

/// Which endpoint a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// This one.
    One(EndpointId),
    /// One of several, drawn evenly: a call that names only the service.
    Spread {
        /// The first in [`Plan::endpoints`].
        first: EndpointId,
        /// How many.
        count: u32,
    },
}

/// A call site.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Its id: unique, names the random streams.
    pub name: String,
    /// Which endpoint; all of the upstream's service.
    pub target: Target,
    /// The balancer it goes through.
    pub upstream: UpstreamId,
    /// The breaker it goes through.
    pub breaker: Option<BreakerId>,
    /// What is one call for the breaker: a call with all of its attempts, instead of each attempt.
    pub breaker_counts_calls: bool,
    /// Network time of a request.
    pub latency_out: Span,
    /// Network time of a reply.
    pub latency_back: Span,
    /// Either, where caller and instance stand in different zones; `None`: the same.
    pub latency_across: Option<Span>,
    /// The probability that a message is lost, each way.
    pub loss: f64,
    /// Drawn once, before the repetitions. Default 1.
    pub probability: f64,
    /// Repetitions, one after another. Default 1.
    pub times: u32,
    /// For all attempts and back-off (T). `None`: waits forever.
    pub timeout: Option<Span>,
    /// For one attempt (p). `None`: an attempt may take all of T, and when it does is not retried.
    pub per_try_timeout: Option<Span>,
    /// Retries.
    pub retry: Retry,
    /// Another attempt while the first is under way. Retries take no part then.
    pub hedging: Option<Hedge>,
    /// Whether the caller's request survives the failure of this call.
    pub optional: bool,
    /// What is done instead when it fails.
    pub fallback: Fallback,
    /// What becomes of the work at the callee when the caller gives up.
    pub cancellation: Cancellation,
    /// Passes the absolute deadline on: below, no attempt starts after it.
    pub propagate_deadline: bool,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Each instance of a service.
    Service(ServiceId),
    /// Each client of a source.
    Source(SourceId),
}

/// The balancing of one caller over one service. Every caller instance has a state of its own:
/// balancer, outstanding requests, retries under way.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its id: unique, names the random streams.
    pub name: String,
    /// Who calls.
    pub caller: Caller,
    /// Who is called.
    pub service: ServiceId,
    /// How an instance is picked.
    pub balancer: &'static BalancerInfo,
    /// Its settings.
    pub settings: balancer::Settings,
    /// What stands around the balancer.
    pub guards: Guards,
}

/// The balancers that look at who asks.
const HASHING: [&str; 6] = ["ip_hash", "hash", "consistent_hash", "bounded_load", "ring_hash", "maglev"];

impl Upstream {
    /// Whether its balancer looks at who asks.
    pub(super) fn hashes(&self) -> bool {
        HASHING.contains(&self.balancer.about.name)
    }
}

/// A queue or a topic.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its id in the document.
    pub name: String,
    /// Every consumer gets every message (a topic); otherwise each message goes to one of them.
    pub fan_out: bool,
    /// Of a topic; `None`: as many as there are readers.
    pub partitions: Option<u32>,
    /// Messages that may wait in a queue; more are refused. `None`: unlimited.
    pub max_length: Option<u32>,
    /// A message that failed so often goes to `dead_letter`, or is lost. `None`: tried for ever.
    pub max_deliveries: Option<u32>,
    /// A delivery of a queue that is not acknowledged by then is repeated. `None`: never.
    pub ack_timeout: Option<Span>,
    /// Where it goes.
    pub dead_letter: Option<QueueId>,
    /// Who consumes.
    pub consumers: Vec<Consumer>,
}

/// A group of instances that consume a queue.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// The handler; its `handler` is true.
    pub endpoint: EndpointId,
    /// Messages handled at once per instance; of a topic, readers per instance.
    pub concurrency: u32,
    /// Messages of a queue that each of these may hold unacknowledged: `None`: the one it handles; 0: any number.
    pub prefetch: Option<u32>,
}

/// Why a plan cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError(String);

impl PlanError {
    pub(super) fn new(sentence: String) -> Self {
        Self(sentence)
    }
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}
