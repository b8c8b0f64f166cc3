//! What the document says of a call's policies, in the words of the products' own settings.

use super::super::plan::Guards;
use super::{Compiler, span};
use crate::kernel::Span;
use crate::model::builtin;
use crate::model::words as spec;
use crate::model::words::Duration;
use crate::policy::balancer::{Curve, SlowStart};
use crate::policy::outlier::EnvoyOutlierSettings;
use crate::policy::{balancer, breaker};

impl Compiler<'_> {
    /// What stands around the balancer.
    pub(super) fn guards(policy: &spec::Policy) -> Guards {
        let balancing = policy.load_balancing.as_ref();
        let limits = policy.limits.as_ref().and_then(|l| l.value.on());
        let outliers = policy.outlier_detection.as_ref().and_then(|o| o.value.on());
        Guards {
            limits: super::limits::limits(policy),
            budget: super::limits::budget(policy),
            zone_aware: balancing.and_then(|b| b.zone_aware).is_some_and(|z| z.value),
            panic: balancing.and_then(|b| b.healthy_panic_threshold.as_ref()).map(|p| p.fraction()),
            outliers: outliers.map(outlier_detection),
            max_requests: limits.and_then(|l| l.max_requests).map(|m| m.value.0),
            max_retries: limits.and_then(|l| l.max_retries).map(|m| m.value),
        }
    }
}

fn outlier_detection(written: &spec::OutlierDetection) -> EnvoyOutlierSettings {
    let known = EnvoyOutlierSettings::default();
    let duration = |d: Option<Duration>, other| d.map_or(other, span);
    EnvoyOutlierSettings {
        consecutive_5xx: written.consecutive_5xx.map_or(known.consecutive_5xx, |c| c.value.0),
        // Envoy counts milliseconds.
        interval: duration(written.interval.map(|d| d.value), known.interval).max(Span::from_millis(1)),
        base_ejection_time: duration(written.base_ejection_time.map(|d| d.value), known.base_ejection_time),
        max_ejection_time: duration(written.max_ejection_time.map(|d| d.value), known.max_ejection_time),
        max_ejection_percent: written
            .max_ejection_percent
            .as_ref()
            .map_or(known.max_ejection_percent, |p| (p.fraction() * 100.0).round() as u32),
        ..known
    }
}

/// What the document says of a balancer, over the family's defaults.
pub(super) fn settings(written: Option<&spec::Balancing>) -> balancer::Settings {
    let mut settings = balancer::Settings::default();
    let Some(written) = written else { return settings };
    let duration = |d: Option<Duration>, other| d.map_or(other, span);
    settings.choice_count = written.choice_count.map_or(settings.choice_count, |c| c.value.0);
    settings.active_request_bias = written.active_request_bias.map(|b| b.value);
    settings.hash_balance_factor = written.hash_balance_factor.map_or(0, |f| f.value.0.max(100));
    settings.minimum_ring_size =
        written.minimum_ring_size.map_or(settings.minimum_ring_size, |s| s.value.0.into());
    settings.table_size = written.table_size.map_or(settings.table_size, |s| s.value.0.into());
    settings.max_fails = written.max_fails.map_or(settings.max_fails, |f| f.value);
    settings.fail_timeout = duration(written.fail_timeout.map(|d| d.value), settings.fail_timeout);
    settings.default_rtt = duration(written.default_rtt.map(|d| d.value), settings.default_rtt);
    settings.decay = duration(written.decay.map(|d| d.value), settings.decay);
    settings.slow_start = written.slow_start.as_ref().and_then(|slow| {
        let window = span(slow.window?.value);
        let aggression = slow.aggression.map_or(1.0, |a| a.value);
        let minimum = slow.min_weight_percent.map_or(0.1, |p| p.fraction());
        Some(SlowStart { window, curve: Curve::Power { aggression, minimum } })
    });
    settings
}

pub(super) fn consecutive_breaker(written: &spec::CircuitBreaker) -> breaker::Settings {
    breaker::Settings::Consecutive(breaker::ConsecutiveSettings {
        failure_threshold: written.failure_threshold.map_or(builtin::FAILURE_THRESHOLD, |t| t.value.0),
        open_duration: span(written.open_duration.map_or(builtin::OPEN_DURATION, |d| d.value)),
        permitted_calls: written
            .half_open
            .as_ref()
            .and_then(|h| h.permitted_calls)
            .map_or(builtin::PERMITTED_CALLS, |p| p.value.0),
        ..breaker::ConsecutiveSettings::default()
    })
}

/// The rule of the product that the preset names, else resilience4j's; what is not written is its default.
pub(super) fn rate_breaker(
    written: &spec::CircuitBreaker,
    preset: Option<spec::Preset>,
) -> breaker::Settings {
    let threshold = written.failure_rate_threshold.map(|t| t.value.fraction());
    let minimum = written.minimum_calls.map(|m| m.value.0);
    let window = written.window.as_ref().and_then(|w| w.duration).map(|d| span(d.value));
    let open = written.open_duration.map(|d| span(d.value));
    match preset {
        Some(spec::Preset::Polly) => {
            let known = breaker::PollySettings::default();
            breaker::Settings::Polly(breaker::PollySettings {
                failure_ratio: threshold.unwrap_or(known.failure_ratio),
                minimum_throughput: minimum.unwrap_or(known.minimum_throughput),
                sampling_duration: window.unwrap_or(known.sampling_duration),
                break_duration: open.unwrap_or(known.break_duration),
                ..known
            })
        }
        Some(spec::Preset::Hystrix) => {
            let known = breaker::HystrixSettings::default();
            let percent = threshold.map(|t| ((t * 100.0).round() as u32).max(1));
            breaker::Settings::Hystrix(breaker::HystrixSettings {
                request_volume_threshold: minimum.unwrap_or(known.request_volume_threshold),
                error_threshold_percentage: percent.unwrap_or(known.error_threshold_percentage),
                sleep_window: open.unwrap_or(known.sleep_window),
                rolling: window.unwrap_or(known.rolling),
                ..known
            })
        }
        Some(spec::Preset::Sentinel) => {
            let known = breaker::SentinelSettings::default();
            breaker::Settings::Sentinel(breaker::SentinelSettings {
                grade: threshold.map_or(known.grade, breaker::SentinelGrade::ErrorRatio),
                minimum_calls: minimum.unwrap_or(known.minimum_calls),
                interval: window.unwrap_or(known.interval),
                open_duration: open.unwrap_or(known.open_duration),
            })
        }
        _ => resilience4j(written),
    }
}

/// Windows of time are of whole seconds there.
fn resilience4j(written: &spec::CircuitBreaker) -> breaker::Settings {
    let mut rate = breaker::RateSettings::default();
    if let Some(threshold) = written.failure_rate_threshold {
        rate.failure_rate_threshold = threshold.value.fraction() * 100.0;
    }
    if let Some(slow) = &written.slow_call {
        if let Some(threshold) = slow.rate_threshold {
            rate.slow_call_rate_threshold = threshold.value.fraction() * 100.0;
        }
        if let Some(duration) = slow.duration {
            rate.slow_call_duration = span(duration.value);
        }
    }
    if let Some(window) = &written.window {
        if let Some(calls) = window.calls {
            rate.window = breaker::WindowKind::Calls(calls.value.0);
        }
        if let Some(duration) = window.duration {
            let seconds = span(duration.value).nanos().div_ceil(1_000_000_000);
            rate.window =
                breaker::WindowKind::Seconds(u32::try_from(seconds).unwrap_or(u32::MAX).min(86_400));
        }
    }
    if let Some(minimum) = written.minimum_calls {
        rate.minimum_calls = minimum.value.0;
    }
    if let Some(permitted) = written.half_open.as_ref().and_then(|h| h.permitted_calls) {
        rate.permitted_calls = permitted.value.0;
    }
    if let Some(open) = written.open_duration {
        rate.open_duration = span(open.value);
    }
    breaker::Settings::Rate(rate)
}
