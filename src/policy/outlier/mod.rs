//! Outlier detection: an endpoint that does worse than it may is ejected for a while.
//!
//! Owns what is counted per endpoint and when one goes and comes back. Must not know how hosts are
//! picked: whoever balances asks `is_ejected`.

mod envoy;
mod host;
mod settings;

use super::PolicyInfo;

pub use envoy::{EnvoyOutlier, Numbers};
pub use host::{Host, Origin};
pub use settings::EnvoyOutlierSettings;

/// All detectors.
pub static OUTLIERS: &[PolicyInfo] = &[envoy::INFO];

/// How an attempt at a host ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, with this HTTP status.
    Code(u16),
    /// No answer in time.
    LocalTimeout,
    /// No connection, or a reset one.
    LocalConnectFailed,
    /// Connected; the answer is reported for itself.
    LocalConnected,
    /// Connected, and nothing more is to come (TCP).
    LocalDone,
}

/// Why a host was ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ejection {
    /// Statuses 500 to 599 in a row.
    Consecutive5xx,
    /// Statuses 502 to 504 in a row.
    ConsecutiveGatewayFailure,
    /// Timeouts and failed connections in a row.
    ConsecutiveLocalOrigin,
    /// A success rate far below the mean of the hosts.
    SuccessRate(Origin),
    /// A share of failures at or above the threshold.
    FailurePercentage(Origin),
}
