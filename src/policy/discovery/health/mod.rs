//! Active health checks: what a row of check results makes of an instance.
//!
//! Each is a state machine of one checker for one instance. It must not know how a check is sent.

mod consul;
mod envoy;
mod haproxy;
mod kubernetes;

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub use consul::{ConsulHealth, ConsulSettings, ConsulStatus, TtlCheck};
pub use envoy::{EnvoyHealth, EnvoySettings, Transition};
pub use haproxy::{HaproxyHealth, HaproxySettings};
pub use kubernetes::{Probe, ProbeKind, ProbeResult, ProbeSettings};

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// A good answer in time.
    Ok,
    /// No answer in time.
    Timeout,
    /// The connection was refused or broke.
    Network,
    /// An answer, and a bad one: HTTP 500.
    Error,
    /// A bad answer whose status is configured as retriable.
    Retriable,
    /// Passing with a warning: Consul's HTTP 429. Elsewhere as good as [`CheckResult::Ok`].
    Warning,
}

impl CheckResult {
    /// Whether the instance did well.
    pub const fn passed(self) -> bool {
        matches!(self, Self::Ok | Self::Warning)
    }
}

/// What a caller asks of a checker.
pub trait HealthCheck {
    /// Takes the next result; whether [`HealthCheck::healthy`] changed.
    fn record(&mut self, result: CheckResult) -> bool;

    /// Whether requests may be sent there.
    fn healthy(&self) -> bool;
}

/// Every kind of check.
pub(super) const ALL: &[&PolicyInfo] = &[&envoy::INFO, &kubernetes::INFO, &consul::INFO, &haproxy::INFO];
