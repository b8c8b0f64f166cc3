//! Outlier detection.

use loadpath::kernel::{Span, Time};
use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Origin, Outcome};
use serde_json::Value;

use super::retrying::span;
use super::{Check, numbers};

pub const CHECKS: &[(&str, Check)] = &[
    ("od-envoy-consecutive-5xx", envoy_consecutive_5xx),
    ("od-envoy-backoff", envoy_backoff),
    ("od-envoy-success-rate", envoy_success_rate),
];

fn number(value: &Value) -> u32 {
    value.as_u64().expect("a number") as u32
}

fn settings(config: &Value) -> EnvoyOutlierSettings {
    EnvoyOutlierSettings {
        consecutive_5xx: number(&config["consecutive_5xx"]),
        interval: span(&config["interval"]),
        base_ejection_time: span(&config["base_ejection_time"]),
        max_ejection_time: config.get("max_ejection_time").map_or(Span::from_secs(300), span),
        max_ejection_percent: number(&config["max_ejection_percent"]),
        ..EnvoyOutlierSettings::default()
    }
}

/// `9.999s` as an instant.
fn instant(text: &str) -> Time {
    let seconds: f64 = text.strip_suffix('s').expect("seconds").parse().expect("a number");
    Time::ZERO + Span::from_seconds(seconds)
}

fn envoy_consecutive_5xx(vector: &Value) {
    let mut detector = EnvoyOutlier::new(settings(&vector["config"]), 2);
    let mut now = Time::ZERO;
    let mut ejected = Vec::new();
    for step in vector["input"]["codes_then_ticks"].as_array().expect("a list") {
        if let Some(code) = step.as_u64() {
            detector.report(0, Outcome::Code(code as u16), now, || 0);
        } else {
            let (what, at) = step.as_str().expect("a text").split_once(' ').expect("an instant");
            now = instant(at);
            if what == "tick" {
                detector.tick(now, || 0);
            }
        }
        ejected.push(detector.is_ejected(0));
    }
    assert_eq!(serde_json::json!(ejected), vector["expected"]["ejected_after"]);
}

fn envoy_backoff(vector: &Value) {
    let settings = settings(&vector["config"]);
    let every = span(&vector["input"]["ticks_every"]);
    let mut detector = EnvoyOutlier::new(settings, 1);
    let mut now = Time::ZERO;
    let mut returned = Vec::new();
    for bout in numbers(&vector["input"]["bouts_of_5x500_at_s"]) {
        while now < Time::ZERO + Span::from_secs(bout) {
            now = now + every;
            detector.tick(now, || 0);
        }
        for _ in 0..settings.consecutive_5xx {
            detector.report(0, Outcome::Code(500), now, || 0);
        }
        assert!(detector.is_ejected(0));
        while detector.is_ejected(0) {
            now = now + every;
            detector.tick(now, || 0);
        }
        returned.push(now.seconds() as u64);
    }
    assert_eq!(serde_json::json!(returned), vector["expected"]["returned_at_s"]);
}

fn envoy_success_rate(vector: &Value) {
    let config = &vector["config"];
    let settings = EnvoyOutlierSettings {
        success_rate_stdev_factor: number(&config["success_rate_stdev_factor"]),
        success_rate_minimum_hosts: number(&config["success_rate_minimum_hosts"]),
        success_rate_request_volume: number(&config["success_rate_request_volume"]),
        // One of five is 20 %: at the default nobody would go.
        max_ejection_percent: 100,
        // Half of a host's answers are bad, all at once.
        enforcing_consecutive_5xx: 0,
        ..EnvoyOutlierSettings::default()
    };
    let rates = numbers(&vector["input"]["host_success_rates"]);
    let mut detector = EnvoyOutlier::new(settings, rates.len());
    for (host, rate) in rates.iter().enumerate() {
        for request in 0..u64::from(settings.success_rate_request_volume) {
            let code = if request * 100 < rate * u64::from(settings.success_rate_request_volume) {
                200
            } else {
                500
            };
            detector.report(host, Outcome::Code(code), Time::ZERO, || 0);
        }
    }
    detector.tick(Time::ZERO + settings.interval, || 0);
    let numbers = detector.numbers(Origin::External).expect("five hosts");
    assert_eq!(serde_json::json!(numbers.average), vector["expected"]["mean"]);
    assert_eq!(serde_json::json!(numbers.threshold), vector["expected"]["threshold"]);
    let ejected: Vec<usize> = (0..rates.len()).filter(|host| detector.is_ejected(*host)).collect();
    assert_eq!(serde_json::json!(ejected), vector["expected"]["ejected"]);
}
