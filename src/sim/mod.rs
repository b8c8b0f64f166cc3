//! The forecast: a discrete-event simulation of requests on their way through an architecture.
//!
//! [`Plan`] says what is simulated, in dense arrays; [`simulate`] runs replications of it and merges
//! them into an [`Outcome`]. The engine holds no clock, environment, file or text: same plan and seed,
//! same outcome, on every machine and for every number of threads.

mod compile;
mod engine;
mod estimate;
mod event;
mod expect;
mod heap;
mod histogram;
mod ids;
mod log;
mod metrics;
mod outcome;
mod plan;
mod probe;
mod run;
mod slab;
mod timeline;
mod trace;

pub use compile::{Compiled, compile, refuse};
pub use estimate::{Estimate, HistogramView, Latency};
pub use expect::{Judged, Verdict, judge};
pub use histogram::Histogram;
pub use ids::{BreakerId, EdgeId, EndpointId, InstanceId, QueueId, ServiceId, SourceId, UpstreamId};
pub use log::{About, Entry, EventKind, EventLog, Filter};
pub use outcome::{
    BreakerOutcome, EdgeOutcome, EndpointOutcome, InstanceOutcome, Outcome, QueueOutcome, SourceOutcome,
    Transition, Window,
};
pub use plan::{
    Action, Adaptive, Arrivals, BreakerPlan, Budget, BurstState, Caller, Cancellation, Connections, Consumer,
    Discovery, Edge, Endpoint, Fallback, Guards, Hedge, Instance, Limits, Plan, PlanError, Queue, RateLimit,
    RatePoint, Retry, STALL, Scaling, ScenarioEvent, Service, Source, Step, Target, Upstream, WarmUp,
};
pub use probe::{Cause, CauseSet, Ending, Knowledge, MessageStep, Probe, Traced};
pub use run::{Replications, Watch, replicate, simulate};
pub use trace::{Trace, TraceSpan, Tracer};
