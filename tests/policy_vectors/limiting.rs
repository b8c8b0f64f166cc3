//! Limits on concurrency.

use loadpath::kernel::{Span, Time};
use loadpath::policy::queue::{Codel, CodelSettings};
use serde_json::Value;

use super::retrying::span;
use super::{Check, numbers};

pub const CHECKS: &[(&str, Check)] = &[("cl-codel", codel)];

fn codel(vector: &Value) {
    let config = &vector["config"];
    let settings = CodelSettings { target: span(&config["target"]), interval: span(&config["interval"]) };
    let mut codel = Codel::new(settings, Time::ZERO);
    let slough = config["slough"].as_str().expect("a text");
    assert_eq!(slough, format!("{}x target", codel.slough().nanos() / settings.target.nanos()));
    let drops: Vec<bool> = vector["input"]["delay_ms_at_ms"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|pair| match numbers(pair)[..] {
            [delay, at] => codel.overloaded(Span::from_millis(delay), Time::ZERO + Span::from_millis(at)),
            _ => panic!("a delay and an instant"),
        })
        .collect();
    assert_eq!(serde_json::json!(drops), vector["expected"]["drop"]);
}
