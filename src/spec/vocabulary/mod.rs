//! What a user may write, key by key. Each sentence here is the schema's description and the manual's.

mod arrivals;
mod balancing;
mod baseline;
mod call;
mod data;
mod document;
mod fits;
mod latency;
mod limits;
mod lint;
mod policy;
mod scenario;
mod service;
mod target;
mod traffic;

pub use arrivals::{Replay, ThinkTime, TrafficClass, TrafficState};
pub use balancing::{Balancing, BalancingPolicy};
pub use baseline::{Baseline, BaselineEntry};
pub use call::{
    Call, CallDefaults, Communication, DataStep, Fallback, ParallelStep, Publish, Step, WorkStep,
};
pub use data::{Consume, Datastore, DatastoreKind, Queue, Topic};
pub use document::{Defaults, Discovery, Document, Import, Mesh, Monitoring, Network, ServiceDefaults};
pub use latency::{Latency, LatencyDistribution};
pub use limits::{
    AdaptiveLimit, Bulkhead, ConnectionLimits, LimitAlgorithm, RateLimit, RetryBudget, ServiceLimits,
};
pub use lint::{AllowOnly, Contract, Independent, Level, LintSettings, Protect, Relation, RuleSettings};
pub use policy::{
    Backoff, BreakerCounts, Cancellation, CircuitBreaker, HalfOpen, HealthCheck, Hedging, Jitter,
    OutlierDetection, Policy, Preset, Protocol, QueueDiscipline, QueueSettings, Retry, RetryCondition,
    RetryHosts, SlowCall, Window,
};
pub use scenario::{
    ErrorsEvent, Event, Expectation, FactorEvent, LatencyEvent, Metric, Operator, Scenario, TargetEvent,
};
pub use service::{
    Autoscaling, CallsDefaults, Endpoint, Endpoints, Exposure, Instance, Service, ServiceKind, Slo, Status,
    Texts, WarmUp,
};
pub use target::Target;
pub use traffic::{Arrivals, Interpolate, RatePoint, RateProfile, Traffic};
