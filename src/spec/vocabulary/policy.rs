//! How a call is made: timeouts, retries, breakers, balancing, with the names of Envoy, Istio and
//! resilience4j. Everything in [`Policy`] may stand on a call, in `defaults.call` and under `upstreams`.

use super::balancing::Balancing;
use super::fits;
use super::limits::{ConnectionLimits, RetryBudget};
use crate::source::Spanned;
use crate::spec::decode::{Switch, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::schema::not_both;
use crate::spec::units::{Duration, Share};
use serde_json::Value;
use std::sync::Arc;

choice! {
    /// How a call travels.
    Protocol {
        /// HTTP, any version.
        #[default] Http = "http",
        /// gRPC.
        Grpc = "grpc",
        /// A message queue: the caller does not wait.
        MessageQueue = "message_queue",
        /// A log or topic: the caller does not wait.
        EventStream = "event_stream",
    }
}

choice! {
    /// A product whose defaults fill what is not said.
    Preset {
        /// Envoy.
        #[default] Envoy = "envoy",
        /// Istio.
        Istio = "istio",
        /// nginx.
        Nginx = "nginx",
        /// HAProxy.
        Haproxy = "haproxy",
        /// Linkerd.
        Linkerd = "linkerd",
        /// Finagle.
        Finagle = "finagle",
        /// gRPC.
        Grpc = "grpc",
        /// resilience4j.
        Resilience4j = "resilience4j",
        /// Polly.
        Polly = "polly",
        /// Hystrix.
        Hystrix = "hystrix",
        /// Sentinel.
        Sentinel = "sentinel",
        /// gobreaker.
        Gobreaker = "gobreaker",
        /// Eureka.
        Eureka = "eureka",
        /// Kubernetes.
        Kubernetes = "kubernetes",
    }
}

choice! {
    /// What is spread around a back-off.
    Jitter {
        /// Uniform from nothing to the back-off.
        #[default] Full = "full",
        /// Half fixed, half uniform.
        Equal = "equal",
        /// Uniform from the base to three times the one before.
        Decorrelated = "decorrelated",
        /// The back-off times something between 0.8 and 1.2 (gRPC).
        Proportional = "proportional",
        /// Uniform up to the back-off without its cap, then cut at the cap.
        Truncated = "truncated",
        /// The back-off itself.
        None = "none",
    }
}

choice! {
    /// What is worth another attempt.
    RetryCondition {
        /// An answer that says the server failed.
        #[default] ServerError = "5xx",
        /// No connection: refused, no healthy instance, a full queue.
        ConnectFailure = "connect-failure",
        /// No answer in time.
        Timeout = "timeout",
        /// The connection broke.
        Reset = "reset",
        /// The answer says so.
        Retriable = "retriable-4xx",
        /// gRPC UNAVAILABLE.
        Unavailable = "unavailable",
        /// Too many requests.
        RateLimited = "rate-limited",
    }
}

choice! {
    /// What a timeout does to the work at the callee.
    Cancellation {
        /// Nothing: it burns on.
        #[default] None = "none",
        /// Work that has not started is dropped.
        Queued = "queued",
        /// All of it stops.
        All = "all",
    }
}

choice! {
    /// Which waiting request is next.
    QueueDiscipline {
        /// The oldest.
        #[default] Fifo = "fifo",
        /// The newest.
        Lifo = "lifo",
        /// The oldest, dropping when the delay stays above target.
        Codel = "codel",
    }
}

record! {
    /// What waits when all workers are busy.
    QueueSettings {
        /// Requests that may wait; more are refused at once.
        max_length: u32,
        /// Which waiting request is next.
        discipline: QueueDiscipline,
    }
}

record! {
    /// The pause before another attempt.
    Backoff {
        /// Before the first retry; doubles from there.
        base: Duration,
        /// At most.
        max: Duration,
        /// What is spread around it.
        jitter: Jitter,
    }
    validate: fits::backoff;
}

choice! {
    /// Where another attempt goes.
    RetryHosts {
        /// To an instance that the attempts before were not at, where there is one.
        #[default] PreviousHosts = "previous_hosts",
        /// Wherever the balancer says.
        None = "none",
    }
}

record! {
    /// Another attempt after a failure.
    Retry {
        /// Attempts beside the first.
        num_retries: u32,
        /// Bounds one attempt.
        per_try_timeout: Duration,
        /// What is worth another attempt.
        retry_on: Vec<Spanned<RetryCondition>>,
        /// The pause before.
        backoff: Switch<Backoff>,
        /// Which instances are avoided.
        retry_host_predicate: RetryHosts,
        /// How many may run.
        budget: Switch<RetryBudget>,
    }
}

choice! {
    /// What a breaker counts.
    BreakerCounts {
        /// Each attempt: the breaker is inside the retry (the order of resilience4j).
        #[default] Attempts = "attempts",
        /// Each call with all of its attempts: the breaker is outside the retry.
        Calls = "calls",
    }
}

record! {
    /// How a breaker tries again.
    HalfOpen {
        /// Probes admitted at once, and consecutive successes that close it.
        permitted_calls: Positive,
    }
}

record! {
    /// When calls count as slow.
    SlowCall {
        /// Longer than this.
        duration: Duration,
        /// Opens at this share of slow calls.
        rate_threshold: Share,
    }
    validate: fits::slow_call;
}

record! {
    /// What a rate is taken over.
    Window {
        /// The last so many calls.
        calls: Positive,
        /// The calls of the last so long.
        duration: Duration,
    }
    validate: fits::window;
    schema: window_schema;
}

fn window_schema(schema: Value) -> Value {
    not_both(schema, ["calls", "duration"])
}

record! {
    /// Stops calling what keeps failing: closed, open, half-open.
    CircuitBreaker {
        /// Consecutive failures that open it.
        failure_threshold: Positive,
        /// What a failure is: of each attempt, or of a call with all of its attempts.
        counts: BreakerCounts,
        /// Stays open so long.
        open_duration: Duration,
        /// How it tries again.
        half_open: HalfOpen,
        /// Opens at this share of failures in the window.
        failure_rate_threshold: Share,
        /// Decides nothing below so many calls.
        minimum_calls: Positive,
        /// What the rate is taken over.
        window: Window,
        /// When calls count as slow.
        slow_call: SlowCall,
    }
    validate: fits::breaker;
    schema: fits::breaker_schema;
}

record! {
    /// Takes instances that fail out of the balancing.
    OutlierDetection {
        /// Consecutive server errors that eject.
        consecutive_5xx: Positive,
        /// Between two sweeps.
        interval: Duration,
        /// The first ejection lasts so long; each further one longer by as much.
        base_ejection_time: Duration,
        /// At most.
        max_ejection_time: Duration,
        /// At most this share of the instances.
        max_ejection_percent: Share,
    }
    validate: fits::outliers;
}

record! {
    /// Whether an instance is asked if it lives.
    HealthCheck {
        /// Defaults of a product under its name: `kubernetes`.
        preset: Preset,
        /// The path that is asked.
        path: String,
        /// Between two checks.
        interval: Duration,
        /// No answer by then is a failure.
        timeout: Duration,
        /// Failures until it is unhealthy.
        unhealthy_threshold: Positive,
        /// Successes until it is healthy.
        healthy_threshold: Positive,
        /// Other services the check itself calls.
        checks: Vec<Spanned<String>>,
    }
    validate: fits::health_check;
}

record! {
    /// Another attempt while the first still runs.
    Hedging {
        /// After so long without an answer.
        delay: Duration,
        /// Attempts at the most, the first included.
        max_attempts: Positive,
        /// Whether the losers are cancelled.
        cancel: bool,
    }
    validate: fits::hedging;
    schema: fits::hedging_schema;
}

// There is one on every edge: what is large and seldom said lies behind an `Arc`, which all edges that inherit
// it share.
record! {
    /// How a call is made.
    Policy {
        /// Defaults of a product under its name: `envoy`, `resilience4j`, …
        preset: Preset,
        /// How it travels.
        protocol: Protocol,
        /// The HTTP method, where the endpoint does not say it.
        method: String,
        /// For all attempts and back-off together.
        timeout: Switch<Duration>,
        /// Another attempt after a failure.
        retry: Arc<Switch<Retry>>,
        /// Stops calling what keeps failing.
        circuit_breaker: Arc<Switch<CircuitBreaker>>,
        /// How an instance is chosen.
        load_balancing: Arc<Balancing>,
        /// Takes instances that fail out of the balancing.
        outlier_detection: Arc<Switch<OutlierDetection>>,
        /// Caps on what a caller has open.
        limits: Arc<Switch<ConnectionLimits>>,
        /// Another attempt while the first still runs.
        hedging: Arc<Switch<Hedging>>,
        /// Carries the caller's deadline on.
        propagate_deadline: bool,
        /// What a timeout does to the work at the callee.
        cancellation: Cancellation,
        /// Safe to repeat although the method is not.
        idempotency_key: bool,
        /// Encrypted.
        tls: bool,
    }
}
