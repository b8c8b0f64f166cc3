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
mod jitter;
mod quota;
mod throttle;

use super::PolicyInfo;

pub use backoff::Backoff;
pub use budget::RetryBudget;
pub use deadline::Deadline;
pub use finagle::{FinagleBudget, FinagleBudgetSettings};
pub use grpc::{GrpcRetry, GrpcRetryPolicy, Pushback};
pub use hedging::{Answer, Hedging, HedgingPolicy};
pub use jitter::Jitter;
pub use quota::{AwsQuota, AwsQuotaSettings};
pub use throttle::GrpcThrottle;

/// All kinds of jitter, the default (Envoy's) first.
pub static JITTERS: &[(PolicyInfo, Jitter)] = jitter::ALL;

/// What limits retries, beside their number.
pub static BUDGETS: &[PolicyInfo] =
    &[budget::INFO, throttle::INFO, finagle::INFO, quota::INFO, hedging::INFO];
