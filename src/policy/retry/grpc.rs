//! The retries of one gRPC call.

use super::throttle::GrpcThrottle;
use crate::kernel::Span;

/// No gRPC client makes more attempts, whatever the service config says.
const MOST_ATTEMPTS: u32 = 5;

/// `retryPolicy` of a gRPC service config. gRPC has no defaults: all four are required there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrpcRetryPolicy {
    /// Attempts, the first included; at most 5 count.
    pub max_attempts: u32,
    /// The delay before the first retry, before its jitter.
    pub initial_backoff: Span,
    /// No delay is longer, before its jitter.
    pub max_backoff: Span,
    /// What each further delay is multiplied by.
    pub multiplier: f64,
}

/// What the server says of retries (`grpc-retry-pushback-ms`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pushback {
    /// Nothing.
    #[default]
    Silent,
    /// Again after exactly this.
    After(Span),
    /// Not again: negative, or not a number.
    Never,
}

/// Attempts made for one call.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::retry::{GrpcRetry, GrpcRetryPolicy, GrpcThrottle, Pushback};
/// let second = Span::from_secs(1);
/// let policy = GrpcRetryPolicy { max_attempts: 2, initial_backoff: second, max_backoff: second, multiplier: 2.0 };
/// let (mut call, mut throttle) = (GrpcRetry::default(), GrpcThrottle::new(10, 0.5));
/// assert_eq!(call.failed(&policy, Some(&mut throttle), true, Pushback::Silent, 0.5), Some(second));
/// assert_eq!(call.failed(&policy, Some(&mut throttle), true, Pushback::Silent, 0.5), None, "two attempts");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GrpcRetry {
    retries: u32,
    since_pushback: u32,
}

impl GrpcRetry {
    /// Retries granted so far.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// An attempt failed, `retryable` by its status or not: the delay before the next one, if there
    /// is one. `unit` is uniform in [0, 1).
    pub fn failed(
        &mut self,
        policy: &GrpcRetryPolicy,
        throttle: Option<&mut GrpcThrottle>,
        retryable: bool,
        pushback: Pushback,
        unit: f64,
    ) -> Option<Span> {
        if !retryable && pushback != Pushback::Never {
            return None;
        }
        // The failure counts also where attempts, or the server, forbid another one.
        let allowed = throttle.is_none_or(GrpcThrottle::failure);
        let more = self.retries.saturating_add(1) < policy.max_attempts.min(MOST_ATTEMPTS);
        if pushback == Pushback::Never || !allowed || !more {
            return None;
        }
        self.retries += 1;
        if let Pushback::After(delay) = pushback {
            self.since_pushback = 0;
            return Some(delay);
        }
        let mut bound = policy.initial_backoff.seconds();
        for _ in 0..self.since_pushback {
            bound *= policy.multiplier;
        }
        self.since_pushback += 1;
        Some(Span::from_seconds(bound.min(policy.max_backoff.seconds()) * (0.8 + 0.4 * unit)))
    }
}
