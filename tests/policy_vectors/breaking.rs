//! Circuit breakers.

use loadpath::kernel::{Span, Time};
use loadpath::policy::breaker::{
    Breaker, Consecutive, ConsecutiveSettings, Permit, Polly, PollySettings, Rate, RateSettings, Sentinel,
    SentinelGrade, SentinelSettings, State, TripRatio, Verdict, WindowKind,
};
use serde_json::Value;

use super::Check;

pub const CHECKS: &[(&str, Check)] = &[
    ("cb-gobreaker-default", gobreaker),
    ("cb-gobreaker-ratio-halfopen", gobreaker_ratio),
    ("cb-r4j-minimum-calls", r4j_minimum),
    ("cb-r4j-threshold-inclusive", r4j_threshold),
    ("cb-r4j-half-open-permits", r4j_permits),
    ("cb-r4j-half-open-outcomes", r4j_half_open),
    ("cb-r4j-wait", r4j_wait),
    ("cb-polly-cycle", polly),
    ("cb-sentinel-error-ratio", sentinel),
];

/// `30s`, `500ms`, `1ns`, and sums of those such as `90s1ns`.
fn span(text: &str) -> Span {
    let mut nanos = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| c.is_ascii_alphabetic()).expect("a unit");
        let end = rest[unit..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |n| unit + n);
        let scale = match &rest[unit..end] {
            "s" => 1e9,
            "ms" => 1e6,
            "ns" => 1.0,
            other => panic!("unit {other}"),
        };
        nanos += rest[..unit].parse::<f64>().expect("a number") * scale;
        rest = &rest[end..];
    }
    Span::from_nanos_f64(nanos)
}

fn verdict(letter: &str) -> Verdict {
    match letter {
        "S" => Verdict::Success,
        "F" => Verdict::Failure,
        "X" | "ignored" => Verdict::Ignored,
        other => panic!("an outcome nobody knows: {other}"),
    }
}

/// gobreaker's names of its states.
fn gobreaker_name(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Open => "open",
        State::HalfOpen => "half-open",
        other => other.name(),
    }
}

fn gobreaker_settings(config: &Value) -> ConsecutiveSettings {
    let interval = span(config["interval"].as_str().expect("a span"));
    let rule = config["ready_to_trip"].as_str().expect("a rule");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let consecutive = rule.strip_prefix("consecutive_failures > ").map(number);
    let ratio = rule.strip_prefix("valid>=").map(|rest| {
        let (minimum, ratio) = rest.split_once(" && failures/valid>=").expect("a ratio");
        TripRatio { minimum_calls: number(minimum) as u32, ratio: number(ratio) }
    });
    assert!(consecutive.is_some() != ratio.is_some(), "{rule}");
    ConsecutiveSettings {
        failure_threshold: consecutive.map_or(5, |more_than| more_than as u32 + 1),
        ratio,
        open_duration: span(config["timeout"].as_str().expect("a span")),
        permitted_calls: config["max_requests"].as_u64().expect("a number") as u32,
        interval: Some(interval).filter(|interval| !interval.is_zero()),
        ..Default::default()
    }
}

fn gobreaker_call(breaker: &mut Consecutive, now: Time, verdict: Verdict) -> &'static str {
    match (breaker.admit(now), breaker.state()) {
        (None, State::Open) => "ErrOpenState",
        (None, _) => "ErrTooManyRequests",
        (Some(permit), _) => {
            breaker.record(now, permit, verdict.into());
            gobreaker_name(breaker.state())
        }
    }
}

fn ops(vector: &Value) -> impl Iterator<Item = &str> {
    vector["input"]["ops"].as_array().expect("a list").iter().map(|op| op.as_str().expect("an operation"))
}

/// The operations are gobreaker's own script, spelled out: S and F are calls, `+t` lets time pass.
fn gobreaker(vector: &Value) {
    let mut breaker = Consecutive::new(gobreaker_settings(&vector["config"]));
    let mut now = Time::ZERO;
    let mut states = Vec::new();
    for op in ops(vector) {
        states.push(if let Some(wait) = op.strip_prefix('+') {
            // The test's clock moves on while it runs; here it needs a nanosecond of help.
            now = now + span(wait) + Span::from_nanos(u64::from(wait == "1s"));
            gobreaker_name(breaker.look(now))
        } else {
            let (times, letter) = op.split_once('x').unwrap_or(("1", op));
            let times: usize = times.parse().expect("how often");
            let verdict = verdict(letter.trim_end_matches('?'));
            (0..times).map(|_| gobreaker_call(&mut breaker, now, verdict)).last().expect("a call")
        });
    }
    assert_eq!(serde_json::json!(states), vector["expected"]["state"]);
}

fn gobreaker_ratio(vector: &Value) {
    let mut breaker = Consecutive::new(gobreaker_settings(&vector["config"]));
    let expected = &vector["expected"]["state_at"];
    let mut now = Time::ZERO;
    let mut flying = None;
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for op in ops(vector) {
        let state = if let Some(wait) = op.strip_prefix('+') {
            now = now + span(wait) + Span::from_nanos(u64::from(wait == "1s"));
            let before = breaker.counts();
            let state = gobreaker_name(breaker.look(now));
            if wait == "29.999s" {
                assert_eq!(breaker.counts(), before, "the interval is not over");
            } else if wait == "1s" {
                let reset = before.requests > 0 && breaker.counts().requests == 0;
                assert_eq!(Value::from(reset), vector["expected"]["counts_reset_at_interval"]);
            }
            state
        } else if op == "start S (in flight)" {
            flying = breaker.admit(now);
            gobreaker_name(breaker.state())
        } else if op == "finish in-flight S" {
            breaker.record(now, flying.take().expect("in flight"), Verdict::Success.into());
            gobreaker_name(breaker.state())
        } else {
            let (times, letters) = op.split_once('x').unwrap_or(("1", op));
            let letters: Vec<&str> = letters.trim_matches(['(', ')']).split(',').collect();
            let mut state = "";
            for _ in 0..times.parse().expect("how often") {
                for letter in &letters {
                    state = gobreaker_call(&mut breaker, now, verdict(letter));
                }
            }
            state
        };
        seen.push((op, state));
    }
    let state = |index: usize| serde_json::json!(seen[index].1);
    // In the order of the script: the interval's S, +1s, then F S F; each pause; the half-open calls.
    for (place, index) in [
        ("after 5x(S,F,X)", 0),
        ("after F,S,F", 6),
        ("after 4xX", 8),
        ("after F", 9),
        ("after S,S", 12),
        ("second concurrent S", 14),
    ] {
        assert_eq!(state(index), expected[place], "{place}: {seen:?}");
    }
    assert_eq!(state(seen.len() - 1), expected["end"]);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn whole(value: &Value) -> u32 {
    value.as_u64().expect("a whole number") as u32
}

fn real(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn r4j(vector: &Value) -> Rate {
    let config = &vector["config"];
    assert_eq!(config["slidingWindowType"], "TIME_BASED");
    let seconds = span(text(&config["slidingWindowSize"])).seconds() as u32;
    Rate::new(RateSettings {
        failure_rate_threshold: real(&config["failureRateThreshold"]),
        slow_call_rate_threshold: real(&config["slowCallRateThreshold"]),
        slow_call_duration: span(text(&config["slowCallDurationThreshold"])),
        window: WindowKind::Seconds(seconds),
        minimum_calls: whole(&config["minimumNumberOfCalls"]),
        permitted_calls: whole(&config["permittedNumberOfCallsInHalfOpenState"]),
        open_duration: span(text(&config["waitDurationInOpenState"])),
        ..Default::default()
    })
}

fn r4j_half_open_from_the_start(vector: &Value) -> Rate {
    assert_eq!(vector["input"]["start"], "HALF_OPEN");
    let mut breaker = r4j(vector);
    breaker.transition(Time::ZERO, State::Open);
    breaker.transition(Time::ZERO, State::HalfOpen);
    breaker
}

fn r4j_call(breaker: &mut Rate, now: Time, outcome: &Value) -> String {
    let permit = breaker.admit(now).expect("permitted");
    breaker.record(now, permit, verdict(text(outcome)).into());
    breaker.look(now).name().to_uppercase()
}

fn r4j_minimum(vector: &Value) {
    let (mut breaker, expected) = (r4j(vector), &vector["expected"]);
    let mut states = Vec::new();
    for outcome in list(&vector["input"]["outcomes"]) {
        if outcome == "acquire" {
            assert_eq!(breaker.admit(Time::ZERO).is_some(), expected["acquire"]);
        } else {
            states.push(r4j_call(&mut breaker, Time::ZERO, outcome));
        }
    }
    assert_eq!(serde_json::json!(states), expected["state_after"]);
    assert_eq!(breaker.failure_rate(Time::ZERO), expected["failure_rate_after_5"].as_f64());
    assert_eq!(breaker.not_permitted_calls(), expected["not_permitted_calls"]);
}

fn r4j_threshold(vector: &Value) {
    let mut breaker = r4j(vector);
    let states: Vec<String> = list(&vector["input"]["outcomes_one_per_second"])
        .iter()
        .zip(1..)
        .map(|(outcome, second)| r4j_call(&mut breaker, Time::ZERO + Span::from_secs(second), outcome))
        .collect();
    assert_eq!(serde_json::json!(states), vector["expected"]["state_after"]);
}

fn r4j_permits(vector: &Value) {
    let mut breaker = r4j_half_open_from_the_start(vector);
    let mut held: Vec<Permit> = Vec::new();
    let results: Vec<Option<bool>> = ops(vector)
        .map(|op| match op {
            "acquire" => {
                let permit = breaker.admit(Time::ZERO);
                held.extend(permit);
                Some(permit.is_some())
            }
            "release" => {
                breaker.record(Time::ZERO, held.pop().expect("a permit"), Verdict::Ignored.into());
                None
            }
            other => panic!("an operation nobody knows: {other}"),
        })
        .collect();
    assert_eq!(serde_json::json!(results), vector["expected"]["result"]);
}

fn r4j_half_open(vector: &Value) {
    let expected = &vector["expected"];
    for (index, case) in list(&vector["input"]["cases"]).iter().enumerate() {
        let mut breaker = r4j_half_open_from_the_start(vector);
        // Taken by hand, so that the rate is still there to be read: closing forgets it.
        let mut tally = breaker.tally(Time::ZERO);
        let mut states = Vec::new();
        for outcome in list(case) {
            tally = breaker.tally(Time::ZERO);
            states.push(r4j_call(&mut breaker, Time::ZERO, outcome));
        }
        let (last, before) = states.split_last().expect("calls");
        assert!(before.iter().all(|state| *state == expected["state_before_last"]), "{states:?}");
        assert_eq!(*last, expected["final_state"][index]);
        let failed = tally.failed + u32::from(list(case).last().is_some_and(|end| end == "F"));
        let rate = f64::from(failed) * 100.0 / f64::from(tally.calls + 1);
        assert_eq!(serde_json::json!(rate), expected["failure_rate"][index]);
        if breaker.state() == State::Open {
            assert_eq!(breaker.failure_rate(Time::ZERO), expected["failure_rate"][index].as_f64());
        }
    }
}

fn r4j_wait(vector: &Value) {
    assert_eq!(vector["input"]["start"], "OPEN at t=0");
    let mut breaker = r4j(vector);
    breaker.transition(Time::ZERO, State::Open);
    for (index, second) in super::numbers(&vector["input"]["acquire_at_s"]).into_iter().enumerate() {
        let now = Time::ZERO + Span::from_secs(second);
        assert_eq!(breaker.admit(now).is_some(), vector["expected"]["result"][index]);
        assert_eq!(breaker.look(now).name().to_uppercase(), text(&vector["expected"]["state"][index]));
    }
}

/// `at` in an operation counts from the first break.
fn polly(vector: &Value) {
    let config = &vector["config"];
    let mut breaker = Polly::new(PollySettings {
        failure_ratio: real(&config["failure_ratio"]),
        minimum_throughput: whole(&config["minimum_throughput"]),
        sampling_duration: span(text(&config["sampling_duration"])),
        break_duration: span(text(&config["break_duration"])),
        ..Default::default()
    });
    let (mut now, mut results) = (Time::ZERO, Vec::new());
    let (mut opened, mut half_opened, mut closed) = (0, 0, 0);
    for op in ops(vector) {
        let (call, at) = op.split_once(" at +").unwrap_or((op, ""));
        if !matches!(at, "" | "0") {
            now = Time::ZERO + span(at);
        }
        let (times, letter) = call.split_once('x').unwrap_or(("1", call));
        let mut result = String::new();
        for _ in 0..times.parse().expect("how often") {
            let before = breaker.state();
            let Some(permit) = breaker.admit(now) else {
                let millis = breaker.retry_after(now).expect("a break").nanos() / 1_000_000;
                let whole = millis.is_multiple_of(1000);
                let left = if whole { format!("{}s", millis / 1000) } else { format!("{millis}ms") };
                result = format!("Broken retry_after={left}");
                continue;
            };
            half_opened += u32::from(before == State::Open && breaker.state() == State::HalfOpen);
            let before = breaker.state();
            breaker.record(now, permit, verdict(letter).into());
            opened += u32::from(before != State::Open && breaker.state() == State::Open);
            closed += u32::from(before != State::Closed && breaker.state() == State::Closed);
            let done = match (before, breaker.state()) {
                (State::HalfOpen, State::Open) => "executed -> re-open",
                (State::HalfOpen, State::Closed) => "executed -> closed",
                _ => "executed",
            };
            done.clone_into(&mut result);
        }
        results.push(result);
    }
    let expected = &vector["expected"];
    assert_eq!(serde_json::json!(results), expected["result"]);
    assert_eq!(
        serde_json::json!([opened, half_opened, closed]),
        serde_json::json!([expected["opened"], expected["half_opened"], expected["closed"]])
    );
}

fn sentinel(vector: &Value) {
    let config = &vector["config"];
    assert_eq!(config["grade"], "EXCEPTION_RATIO");
    let mut breaker = Sentinel::new(SentinelSettings {
        grade: SentinelGrade::ErrorRatio(real(&config["count"])),
        minimum_calls: whole(&config["minRequestAmount"]),
        interval: Span::from_millis(config["statIntervalMs"].as_u64().expect("milliseconds")),
        open_duration: Span::from_secs(config["timeWindow_s"].as_u64().expect("seconds")),
    });
    let (mut now, mut passed) = (Time::ZERO, Vec::new());
    for op in ops(vector) {
        let call = op.strip_prefix('+').map_or(op, |rest| {
            let (wait, call) = rest.split_once(' ').expect("a call after the wait");
            now = now + span(wait);
            call
        });
        let (times, letter) = call.split_once('x').unwrap_or(("1", call));
        let all = (0..times.parse().expect("how often")).all(|_: u32| {
            let permit = breaker.admit(now);
            if let Some(permit) = permit {
                breaker.record(now, permit, verdict(letter).into());
            }
            permit.is_some()
        });
        passed.push(all);
    }
    assert_eq!(serde_json::json!(passed), vector["expected"]["passed"]);
}
