//! What counts when nothing is said: the built-in defaults, listed by `loadpath explain defaults`.

use crate::spec::units::Duration;

/// Copies of a service.
pub const REPLICAS: u32 = 1;
/// Own work done at once per instance.
pub const WORKERS: u32 = 1;
/// Length of a simulation.
pub const DURATION: Duration = Duration(60_000_000_000);
/// What is not measured of it.
pub const WARM_UP: Duration = Duration(10_000_000_000);
/// Of the random numbers.
pub const SEED: u64 = 1;
/// Repetitions with other random numbers.
pub const REPLICATIONS: u32 = 10;
/// Consecutive failures that open a breaker.
pub const FAILURE_THRESHOLD: u32 = 5;
/// A breaker stays open so long.
pub const OPEN_DURATION: Duration = Duration(60_000_000_000);
/// Probes of a half-open breaker.
pub const PERMITTED_CALLS: u32 = 1;
/// The pause before the first retry (Envoy).
pub const BACKOFF_BASE: Duration = Duration(25_000_000);
/// `startup` of a service that is starting.
pub const STARTUP: Duration = Duration(30_000_000_000);

/// One built-in default, for people.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The key.
    pub key: &'static str,
    /// What counts.
    pub value: &'static str,
    /// What that means.
    pub about: &'static str,
}

/// All of them, by key.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        key: "services.*.replicas",
        value: "1",
        about: "not \"declared as one\": single-point rules stay silent",
    },
    Builtin { key: "services.*.workers", value: "1", about: "own work done at once per instance" },
    Builtin {
        key: "services.*.concurrency",
        value: "unlimited",
        about: "requests inside an instance at once",
    },
    Builtin {
        key: "services.*.queue.max_length",
        value: "unlimited",
        about: "requests that wait for a worker",
    },
    Builtin { key: "services.*.queue.discipline", value: "fifo", about: "the oldest request is next" },
    Builtin { key: "services.*.status", value: "healthy", about: "" },
    Builtin { key: "services.*.startup", value: "30s", about: "of a service with `status: starting`" },
    Builtin {
        key: "endpoints.*.latency",
        value: "none",
        about: "no own work; a simulation names such endpoints",
    },
    Builtin { key: "endpoints.*.error_rate", value: "0%", about: "" },
    Builtin { key: "calls.*.timeout", value: "none", about: "a call waits forever" },
    Builtin { key: "calls.*.retry.num_retries", value: "0", about: "one attempt" },
    Builtin {
        key: "calls.*.retry.per_try_timeout",
        value: "the timeout",
        about: "and a timed-out attempt is not retried",
    },
    Builtin {
        key: "calls.*.retry.retry_on",
        value: "everything",
        about: "timeouts only with a `per_try_timeout`",
    },
    Builtin { key: "calls.*.retry.backoff.base", value: "25ms", about: "doubles with each retry (Envoy)" },
    Builtin { key: "calls.*.retry.backoff.max", value: "10 × base", about: "(Envoy)" },
    Builtin { key: "calls.*.retry.backoff.jitter", value: "full", about: "uniform from 0 to the back-off" },
    Builtin { key: "calls.*.circuit_breaker", value: "none", about: "" },
    Builtin {
        key: "calls.*.circuit_breaker.failure_threshold",
        value: "5",
        about: "where a breaker is declared",
    },
    Builtin {
        key: "calls.*.circuit_breaker.counts",
        value: "attempts",
        about: "the breaker is inside the retry",
    },
    Builtin {
        key: "calls.*.circuit_breaker.open_duration",
        value: "60s",
        about: "where a breaker is declared",
    },
    Builtin {
        key: "calls.*.circuit_breaker.half_open.permitted_calls",
        value: "1",
        about: "where a breaker is declared",
    },
    Builtin { key: "calls.*.load_balancing.policy", value: "round_robin", about: "per caller instance" },
    Builtin { key: "calls.*.load_balancing.choice_count", value: "2", about: "of least_request" },
    Builtin { key: "calls.*.probability", value: "100%", about: "" },
    Builtin { key: "calls.*.times", value: "1", about: "" },
    Builtin { key: "calls.*.fallback", value: "none", about: "a failed call fails the request" },
    Builtin { key: "calls.*.cancellation", value: "none", about: "work whose caller gave up burns on" },
    Builtin {
        key: "services.*.health_check.interval",
        value: "10s",
        about: "where a check is declared; without one a dead instance goes on being called",
    },
    Builtin {
        key: "services.*.health_check.unhealthy_threshold",
        value: "3",
        about: "where a check is declared",
    },
    Builtin { key: "network.latency", value: "0s", about: "one way" },
    Builtin { key: "traffic.*.arrivals", value: "poisson", about: "" },
    Builtin {
        key: "traffic.*.clients",
        value: "1",
        about: "client instances, each with its own policy state",
    },
    Builtin { key: "scenarios.*.duration", value: "1m", about: "warm-up included" },
    Builtin { key: "scenarios.*.warm_up", value: "10s", about: "not measured" },
    Builtin { key: "scenarios.*.seed", value: "1", about: "" },
    Builtin { key: "scenarios.*.replications", value: "10", about: "" },
];
