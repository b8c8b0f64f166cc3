//! Discovery and health checks.

use loadpath::kernel::{Span, Time};
use loadpath::policy::discovery::{CheckResult, EnvoyHealth, EnvoySettings, HealthCheck, Lease};
use serde_json::{Value, json};

use super::Check;

pub const CHECKS: &[(&str, Check)] =
    &[("ds-eureka-lease", eureka_lease), ("ds-envoy-active-hc", envoy_active)];

/// Seconds in a text like `90s` or `… t=30`; `None` when it names none.
fn seconds(text: &str) -> Option<u64> {
    text.trim_end_matches('s').rsplit('=').next().and_then(|number| number.parse().ok())
}

fn eureka_lease(vector: &Value) {
    let length = vector["config"]["leaseDuration"].as_str().and_then(seconds).expect("a length");
    let cases = vector["input"]["cases"].as_array().expect("a list").iter();
    let at = |secs| Time::ZERO + Span::from_secs(secs);
    let lasts: Vec<u64> = cases
        .map(|case| {
            let (registered, renewed) =
                case.as_str().and_then(|text| text.split_once(", ")).expect("two parts");
            let start = seconds(registered).expect("when it registered");
            let mut lease = Lease::new(Span::from_secs(length), true, at(start));
            if let Some(renewal) = seconds(renewed) {
                lease.renew(at(renewal));
            }
            let just_after = |secs| at(secs) + Span::from_nanos(1);
            (start..start + 10 * length)
                .find(|secs| !lease.expired(at(*secs)) && lease.expired(just_after(*secs)))
                .expect("an end")
        })
        .collect();
    assert_eq!(json!(lasts), vector["expected"]["expires_strictly_after_s"]);
}

fn envoy_active(vector: &Value) {
    let config = &vector["config"];
    let threshold =
        |name: &str| config[name].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a threshold");
    let settings = EnvoySettings {
        unhealthy_threshold: threshold("unhealthy_threshold"),
        healthy_threshold: threshold("healthy_threshold"),
        ..EnvoySettings::default()
    };
    let mut host = match config["start"].as_str() {
        Some("pending") => EnvoyHealth::pending(settings),
        other => panic!("a start nobody knows: {other:?}"),
    };
    let results = vector["input"]["results"].as_array().expect("a list").iter();
    let states: Vec<&str> = results
        .map(|result| {
            host.record(match result.as_str() {
                Some("ok") => CheckResult::Ok,
                Some("timeout") => CheckResult::Timeout,
                Some("http_500") => CheckResult::Error,
                other => panic!("a result nobody knows: {other:?}"),
            });
            if host.healthy() { "healthy" } else { "unhealthy" }
        })
        .collect();
    assert_eq!(json!(states), vector["expected"]["state"]);
}
