//! The parameters of Envoy's outlier detection.

use super::{Ejection, Origin};
use crate::kernel::Span;

/// `envoy.config.cluster.v3.OutlierDetection`, field by field. All `enforcing_*` are percentages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvoyOutlierSettings {
    /// Between two sweeps: un-ejection, success rates. Default 10 s.
    pub interval: Span,
    /// An ejection lasts this × the host's multiplier. Default 30 s.
    pub base_ejection_time: Span,
    /// But no longer; never below the base. Default 300 s.
    pub max_ejection_time: Span,
    /// Plus up to this, drawn in whole milliseconds. Default 0.
    pub max_ejection_time_jitter: Span,
    /// No more of the hosts are ejected at once, in percent. Default 10: none of nine.
    pub max_ejection_percent: u32,
    /// The first one goes whatever the percentage says, as before 1.28. Default false.
    pub always_eject_one_host: bool,
    /// Statuses 5xx in a row. Default 5.
    pub consecutive_5xx: u32,
    /// Default 100.
    pub enforcing_consecutive_5xx: u32,
    /// Statuses 502, 503 and 504 in a row. Default 5.
    pub consecutive_gateway_failure: u32,
    /// Default 0: only detected.
    pub enforcing_consecutive_gateway_failure: u32,
    /// Whether local failures are counted apart; else they are statuses 503 and 504. Default false.
    pub split_external_local_origin_errors: bool,
    /// Local failures in a row, where counted apart. Default 5.
    pub consecutive_local_origin_failure: u32,
    /// Default 100.
    pub enforcing_consecutive_local_origin_failure: u32,
    /// Hosts with enough requests that it takes. Default 5.
    pub success_rate_minimum_hosts: u32,
    /// Requests in an interval that it takes. Default 100.
    pub success_rate_request_volume: u32,
    /// Standard deviations below the mean, in thousandths. Default 1900.
    pub success_rate_stdev_factor: u32,
    /// Default 100.
    pub enforcing_success_rate: u32,
    /// Default 100.
    pub enforcing_local_origin_success_rate: u32,
    /// Failures, in percent. Default 85.
    pub failure_percentage_threshold: u32,
    /// Hosts with enough requests that it takes. Default 5.
    pub failure_percentage_minimum_hosts: u32,
    /// Requests in an interval that it takes. Default 50.
    pub failure_percentage_request_volume: u32,
    /// Default 0: only detected.
    pub enforcing_failure_percentage: u32,
    /// Default 0: only detected.
    pub enforcing_failure_percentage_local_origin: u32,
}

impl Default for EnvoyOutlierSettings {
    fn default() -> Self {
        Self {
            interval: Span::from_secs(10),
            base_ejection_time: Span::from_secs(30),
            max_ejection_time: Span::from_secs(300),
            max_ejection_time_jitter: Span::ZERO,
            max_ejection_percent: 10,
            always_eject_one_host: false,
            consecutive_5xx: 5,
            enforcing_consecutive_5xx: 100,
            consecutive_gateway_failure: 5,
            enforcing_consecutive_gateway_failure: 0,
            split_external_local_origin_errors: false,
            consecutive_local_origin_failure: 5,
            enforcing_consecutive_local_origin_failure: 100,
            success_rate_minimum_hosts: 5,
            success_rate_request_volume: 100,
            success_rate_stdev_factor: 1_900,
            enforcing_success_rate: 100,
            enforcing_local_origin_success_rate: 100,
            failure_percentage_threshold: 85,
            failure_percentage_minimum_hosts: 5,
            failure_percentage_request_volume: 50,
            enforcing_failure_percentage: 0,
            enforcing_failure_percentage_local_origin: 0,
        }
    }
}

impl EnvoyOutlierSettings {
    /// Of what is detected for this reason, how much is enforced, in percent.
    pub fn enforcing(&self, reason: Ejection) -> u32 {
        match reason {
            Ejection::Consecutive5xx => self.enforcing_consecutive_5xx,
            Ejection::ConsecutiveGatewayFailure => self.enforcing_consecutive_gateway_failure,
            Ejection::ConsecutiveLocalOrigin => self.enforcing_consecutive_local_origin_failure,
            Ejection::SuccessRate(Origin::External) => self.enforcing_success_rate,
            Ejection::SuccessRate(Origin::Local) => self.enforcing_local_origin_success_rate,
            Ejection::FailurePercentage(Origin::External) => self.enforcing_failure_percentage,
            Ejection::FailurePercentage(Origin::Local) => self.enforcing_failure_percentage_local_origin,
        }
    }

    /// The longest ejection before its jitter.
    pub fn longest(&self) -> Span {
        self.max_ejection_time.max(self.base_ejection_time)
    }
}
