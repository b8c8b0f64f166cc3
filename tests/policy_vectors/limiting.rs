//! Limits on concurrency.

use loadpath::kernel::{Span, Time};
use loadpath::policy::limit::{Limit, Vegas, VegasSettings};
use loadpath::policy::queue::{Codel, CodelSettings};
use serde_json::Value;

use super::retrying::span;
use super::{Check, numbers};

pub const CHECKS: &[(&str, Check)] = &[("cl-vegas", vegas), ("cl-codel", codel)];

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

fn vegas(vector: &Value) {
    let config = &vector["config"];
    let number = |key: &str| config[key].as_u64().expect("a number") as u32;
    let settings = VegasSettings {
        initial: number("initial"),
        max: number("max"),
        alpha: Some(number("alpha")),
        beta: Some(number("beta")),
        smoothing: config["smoothing"].as_f64().expect("a number"),
        ..VegasSettings::default()
    };
    let runs = vector["input"]["samples_rtt_ms_inflight"].as_array().expect("a list");
    let limits: Vec<Vec<u32>> = runs
        .iter()
        .map(|run| {
            let mut limit = Vegas::new(settings, 0.5);
            let samples = run.as_array().expect("a list");
            samples
                .iter()
                .map(|sample| match numbers(sample)[..] {
                    [rtt, inflight] => limit.sample(Span::from_millis(rtt), inflight as u32, false, 0.5),
                    _ => panic!("a latency and a number"),
                })
                .collect()
        })
        .collect();
    assert_eq!(serde_json::json!(limits), vector["expected"]["limit"]);
}
