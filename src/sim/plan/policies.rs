//! Policies of calls: retries, hedging, limits, breakers, and what becomes of a failure.

use super::{Caller, EdgeId};
use crate::kernel::Span;
use crate::policy::breaker;
use crate::policy::limit::{
    AdaptiveSettings, AimdSettings, BulkheadSettings, Gradient2Settings, RateLimiterSettings,
    TokenBucketSettings, VegasSettings,
};
use crate::policy::outlier::EnvoyOutlierSettings;
use crate::policy::retry::{AwsQuotaSettings, Backoff, FinagleBudgetSettings, HedgingPolicy, RetryBudget};
use crate::sim::CauseSet;

/// Retries of one call site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// Beside the first attempt.
    pub num_retries: u32,
    /// Which failures are retried.
    pub on: CauseSet,
    /// The pause before each.
    pub backoff: Backoff,
    /// Whether a further attempt avoids the instances that the earlier ones were at, as far as the balancer
    /// can (nginx's next upstream, Envoy's `previous_hosts`). Default yes.
    pub avoids_tried: bool,
}

/// What a failed call is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    None,
    /// A static or cached answer, which takes no time.
    Answer,
    /// Another call, under its own policies (its probability and times are not looked at).
    Call(EdgeId),
}

/// What happens at the callee when its caller gives up. It is told at once, without network time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cancellation {
    /// Nothing: the work goes on.
    #[default]
    None,
    /// Work that waits for its start is dropped.
    Queued,
    /// Work under way is dropped too, and the calls it made are cancelled as their own edges say.
    All,
}

/// Another attempt while the first is under way; the first reply decides, as in gRPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hedge {
    /// When, and how many.
    pub policy: HedgingPolicy,
    /// Whether the losers' work is cancelled, whatever the edge's [`Cancellation`] says.
    pub cancel: bool,
}

/// What limits retries beside their number. Its state belongs to one caller instance and upstream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// Envoy: a share of what is outstanding.
    Share(RetryBudget),
    /// gRPC: tokens that failures take and successes give back.
    Throttle {
        /// At the start, and at most.
        max_tokens: u32,
        /// A success gives back.
        token_ratio: f64,
    },
    /// Finagle: a share of the recent requests.
    Deposits(FinagleBudgetSettings),
    /// AWS: tokens that retries take and successes give back.
    Quota(AwsQuotaSettings),
}

/// What requests pass on their way, at a caller instance or at an instance. All of it is off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// How many a second.
    pub rate: Option<RateLimit>,
    /// How many at once, as latencies tell.
    pub adaptive: Option<Adaptive>,
    /// How many at once, others wait (at a caller only).
    pub bulkhead: Option<BulkheadSettings>,
    /// Connections (at a caller only).
    pub connections: Option<Connections>,
}

impl Limits {
    /// The same, but nothing waits.
    pub(in crate::sim) fn impatient(mut self) -> Self {
        if let Some(RateLimit::Cycles(settings)) = &mut self.rate {
            settings.timeout = Span::ZERO;
        }
        self
    }

    /// Whether a request may have to wait.
    pub(in crate::sim) fn holds_back(&self) -> bool {
        self.rate.is_some() || self.bulkhead.is_some() || self.connections.is_some()
    }
}

/// How many requests in a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateLimit {
    /// What finds no token is turned away.
    Bucket(TokenBucketSettings),
    /// What finds no permit takes one of a later cycle and waits, at a caller; elsewhere it is turned away.
    Cycles(RateLimiterSettings),
}

/// A concurrency limit that follows the latencies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adaptive {
    /// Additive increase, multiplicative decrease.
    Aimd(AimdSettings),
    /// As TCP Vegas.
    Vegas(VegasSettings),
    /// By the gradient of latencies.
    Gradient2(Gradient2Settings),
    /// Envoy's controller.
    Envoy(AdaptiveSettings),
}

/// Connections of one caller instance to an upstream, as Envoy pools them: each belongs to one instance, is
/// kept, and every instance may have one even beyond the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// All together.
    pub max_connections: u32,
    /// Requests at once on one of them.
    pub max_concurrent_streams: u32,
    /// Requests that may wait for one; more are turned away.
    pub max_pending_requests: u32,
}

/// What a caller instance does about an upstream beside balancing. All of it is off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Guards {
    /// What its requests pass before they are sent.
    pub limits: Limits,
    /// What limits retries beside their number.
    pub budget: Option<Budget>,
    /// Hosts of the caller's zone first, as far as that is fair. Needs the zones of all callers and hosts.
    pub zone_aware: bool,
    /// Below this share of healthy instances all of them are used.
    pub panic: Option<f64>,
    /// Takes out instances that fail (Envoy's detector).
    pub outliers: Option<EnvoyOutlierSettings>,
    /// Requests outstanding at once; more fail at once and are not retried.
    pub max_requests: Option<u32>,
    /// Retries waiting or under way at once, where no budget counts.
    pub max_retries: Option<u32>,
}

/// A circuit breaker; every caller instance has a state of its own.
#[derive(Debug, Clone)]
pub struct BreakerPlan {
    /// The edge it belongs to, or whatever the outcome shall call it.
    pub name: String,
    /// Who calls.
    pub caller: Caller,
    /// Which member of the family, and how it is set.
    pub settings: breaker::Settings,
}
