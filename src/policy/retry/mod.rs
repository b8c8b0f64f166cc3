//! Retries: whether a failed attempt is tried again, and how long after.
//!
//! Owns back-off, jitter, deadlines, hedging and the budgets of retries. Must not know what an attempt
//! is or what it costs.

mod backoff;
mod budget;
mod deadline;
mod finagle;
mod grpc;
mod hedging;
mod interval;
mod jitter;
mod polly;
mod quota;
mod throttle;

use super::PolicyInfo;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub use deadline::Deadline;
pub use finagle::{FinagleBudget, FinagleBudgetSettings};
pub use grpc::{GrpcRetry, GrpcRetryPolicy, Pushback};
pub use hedging::{Answer, Hedging, HedgingPolicy};
pub use interval::IntervalFunction;
pub use jitter::Jitter;
pub use polly::{PollyBackoff, PollyDelay};
pub use quota::{AwsQuota, AwsQuotaSettings};
pub use throttle::GrpcThrottle;

/// All kinds of jitter, the default (Envoy's) first.
pub static JITTERS: &[(PolicyInfo, Jitter)] = jitter::ALL;

/// Back-offs that are no jitter over base and max, but a product's own.
pub static BACKOFFS: &[PolicyInfo] = &[interval::INFO, polly::INFO];

/// What limits retries, beside their number.
pub static BUDGETS: &[PolicyInfo] =
    &[budget::INFO, throttle::INFO, finagle::INFO, quota::INFO, hedging::INFO];
