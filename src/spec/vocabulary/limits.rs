//! What limits requests and retries, at callers and in front of instances.

use crate::spec::decode::{Ctx, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::tree::Node;
use crate::spec::units::{Duration, Rate, Share};

record! {
    /// What limits retries beside their number. Envoy's and Finagle's are a share of the requests, gRPC's and
    /// those of the AWS SDKs tokens that failures or retries take and successes give back.
    RetryBudget {
        /// Envoy: of the requests that are active. Finagle: of those of the last `ttl`.
        percent: Share,
        /// Envoy: always allowed.
        min_concurrency: u32,
        /// Finagle: a request allows retries for so long.
        ttl: Duration,
        /// Finagle: always allowed.
        min_retries_per_sec: u32,
        /// gRPC: tokens; a failure takes one, and there are retries while more than half are left.
        max_tokens: Positive,
        /// gRPC: a success gives so many back.
        token_ratio: f64,
        /// AWS: tokens.
        capacity: Positive,
        /// AWS: a retry takes so many.
        retry_cost: u32,
        /// AWS: a retry after a timeout takes so many.
        timeout_cost: u32,
    }
    validate: one_budget;
}

/// The keys of each product's budget, the shared one left out.
const BUDGETS: [&[&str]; 4] = [
    &["min_concurrency"],
    &["ttl", "min_retries_per_sec"],
    &["max_tokens", "token_ratio"],
    &["capacity", "retry_cost", "timeout_cost"],
];

fn one_budget<'n>(budget: &RetryBudget, node: &'n Node, ctx: &mut Ctx<'n>) {
    let said = BUDGETS.iter().filter_map(|keys| keys.iter().find(|key| ctx.given(node, key)));
    let mut said: Vec<&str> = said.copied().collect();
    let tokens = budget.max_tokens.is_some() || budget.capacity.is_some();
    if tokens && budget.percent.is_some() {
        said.insert(0, "percent");
    }
    if let [first, second, ..] = said.as_slice() {
        let message = format!("`{first}` and `{second}` belong to the budgets of different products");
        ctx.reject(node.span, message);
    }
}

record! {
    /// So many calls at once (resilience4j).
    Bulkhead {
        /// At once.
        max_concurrent_calls: Positive,
        /// The others wait so long at most.
        max_wait: Duration,
    }
}

record! {
    /// So many requests in a time.
    RateLimit {
        /// On average.
        rate: Rate = required,
        /// At once, after a pause.
        burst: Positive,
        /// What is too much waits so long at most, at a caller; without, it is turned away.
        max_wait: Duration,
    }
}

choice! {
    /// What a concurrency limit follows.
    LimitAlgorithm {
        /// One more while it is used, a tenth less on a drop (Netflix).
        #[default] Aimd = "aimd",
        /// The queue that latency tells (Netflix).
        Vegas = "vegas",
        /// Latency against its long average (Netflix).
        Gradient2 = "gradient2",
        /// Latency against that when idle (Envoy's adaptive concurrency).
        AdaptiveConcurrency = "adaptive_concurrency",
    }
}

record! {
    /// A limit on requests at once that finds itself.
    AdaptiveLimit {
        /// What it follows.
        algorithm: LimitAlgorithm,
        /// At the start.
        initial: Positive,
        /// At least.
        min: Positive,
        /// At most.
        max: Positive,
    }
}

record! {
    /// What an instance turns away.
    ServiceLimits {
        /// So many requests in a time, per instance.
        rate_limit: RateLimit,
        /// So many at once, per instance.
        adaptive: AdaptiveLimit,
    }
}

record! {
    /// Caps on what a caller has open (Envoy's `circuit_breakers`).
    ConnectionLimits {
        /// Connections.
        max_connections: Positive,
        /// Requests at once on one connection (HTTP/2, asynchronous clients).
        max_concurrent_streams: Positive,
        /// Requests that wait for a connection.
        max_pending_requests: u32,
        /// Requests at once.
        max_requests: Positive,
        /// Retries at once.
        max_retries: u32,
        /// So many calls at once, the others wait.
        bulkhead: Bulkhead,
        /// So many requests in a time.
        rate_limit: RateLimit,
        /// So many requests at once as latency tells.
        adaptive: AdaptiveLimit,
    }
}
