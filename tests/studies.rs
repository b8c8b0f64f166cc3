//! `compare`, `sweep`, `capacity`, `selftest` and what `simulate` says beside a forecast, as a user runs them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test, or what is built beside one: it stops where it cannot go on"
)]

use serde_json::Value;

/// Exit code, standard output and standard error.
fn loadpath(args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("loadpath").expect("the program");
    let command = command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("CLICOLOR_FORCE");
    let output = command.args(args).write_stdin(input).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn json(args: &[&str], input: &str) -> Value {
    let (code, out, err) = loadpath(args, input);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {code} {e}\n{out}\n{err}"))
}

/// Two servers of 1000/s each under 800/s.
const SHOP: &str = "\
services:
  web: { workers: 1, replicas: 2, endpoints: { GET /: { latency: { distribution: exponential, mean: 1ms } } } }
traffic: [{ to: web GET /, rate: 800/s }]
upstreams: { web: { load_balancing: { policy: random } } }
scenarios: { day: { duration: 12s, warm_up: 2s, expect: [web GET / mean < 4ms] } }
";

#[test]
fn variants_side_by_side() {
    let variant = "least: upstreams.web.load_balancing.policy=least_connections";
    let args = ["compare", "-", "--variant", variant, "--replications", "3", "-f", "json"];
    let found = json(&args, SHOP);
    let all = found["variants"][0]["differences"].as_array().expect("differences");
    assert_eq!(found["variants"][0]["name"], "least");
    let mean = all.iter().find(|d| d["metric"] == "mean_s").expect("the mean");
    assert_eq!(mean["change"], "better", "{mean}");
    let (code, out, _) = loadpath(&args[..6], SHOP);
    assert!(code == 0 && out.contains("common random numbers") && out.contains("better"), "{out}");
    let wrong = "upstreams.web.load_balancing.polcy=random";
    let (code, out, err) = loadpath(&["compare", "-", "--variant", wrong], SHOP);
    assert!(code == 2 && out.is_empty(), "{code} {out}");
    assert!(err.contains("unknown key `polcy`") && err.contains(&format!("--set {}", &wrong[..33])), "{err}");
    let (code, _, err) = loadpath(&["compare", "-", "--variant", "services.wob.replicas=3"], SHOP);
    assert!(
        code == 2 && err.contains("services has no `wob` to set") && err.contains("did you mean `web`?"),
        "{err}"
    );
}

#[test]
fn what_is_set_lies_above_overlays() {
    let overlay = format!("{}/two-replicas.yaml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&overlay, "services: { web: { replicas: 2 } }").expect("a file");
    let args = ["sweep", "-", "--overlay", &overlay, "--set", "services.web.replicas=1,4", "--load", "50%"];
    let args = [&args[..], &["--replications", "2", "-f", "json"]].concat();
    let found = json(&args, SHOP);
    let used = found["points"].as_array().expect("points").iter().map(|p| &p["bottleneck"]["utilization"]);
    // 400/s · 1 ms over one and four.
    for (used, expected) in used.zip([0.4, 0.1]) {
        assert!((used.as_f64().expect("a share") - expected).abs() < 0.02, "{used} {expected}");
    }
}

#[test]
fn wrong_use_is_told_from_findings() {
    let silent = SHOP.replace("traffic: [{ to: web GET /, rate: 800/s }]\n", "");
    let (code, _, err) = loadpath(&["simulate", "-"], &silent);
    assert!(code == 2 && err.contains("there is no traffic to simulate"), "{code} {err}");
    for command in ["check", "simulate"] {
        let (code, ..) = loadpath(&[command, "-", "--set", "services.web.replicas=many"], SHOP);
        assert_eq!(code, 2, "{command}");
    }
    let (code, _, err) = loadpath(&["selftest", "--show", "nosuch"], "");
    assert!(
        code == 2 && err.contains("no row is called `nosuch`") && err.contains("mm1-0.8, "),
        "{code} {err}"
    );
}

#[test]
fn a_load_is_not_scaled_beyond_what_can_be_simulated() {
    let users = SHOP.replace("rate: 800/s", "users: 1000000, think_time: 10000s");
    let args = ["sweep", "-", "--load", "100x", "--replications", "2"];
    let (code, _, err) = loadpath(&args, &users);
    assert!(
        code == 2 && err.contains("at 100x: `web GET /`: 100000000 users are more than 10000000"),
        "{err}"
    );
}

#[test]
fn a_quantile_without_requests_enough_is_not_known() {
    // About 100 requests in each replication: no 99th percentile has an interval.
    let slow = SHOP.replace("800/s", "10/s").replace("mean < 4ms", "p99 < 400ms");
    let args = ["simulate", "-", "--precision", "50%", "--replications", "8", "-f", "json"];
    let found = json(&args, &slow);
    let precision = &found["scenarios"][0]["precision"];
    assert_eq!(precision["reached"], false, "{precision}");
    assert_eq!(precision["unknown"], serde_json::json!(["web GET / p99_s"]));
    let judged = &found["scenarios"][0]["expectations"][0];
    assert_eq!(judged["verdict"], "undecided");
    assert_eq!(judged["reason"], "too few requests in each replication: simulate longer");
    let (_, out, _) = loadpath(&args[..6], &slow);
    assert!(out.contains("precision: too few requests in each replication for web GET / p99_s"), "{out}");
}

#[test]
fn requests_without_an_answer_are_still_waiting() {
    let (_, out, _) = loadpath(&["simulate", "-", "--replications", "2"], &SHOP.replace("800/s", "9000/s"));
    assert!(out.contains("still waiting of web GET /: "), "{out}");
}

#[test]
fn a_range_is_swept() {
    let args = [
        "sweep",
        "-",
        "--set",
        "services.web.replicas=2..3",
        "--load",
        "50%,100%",
        "--replications",
        "2",
        "-f",
        "json",
    ];
    let found = json(&args, SHOP);
    assert_eq!(found["axes"], serde_json::json!(["load", "services.web.replicas"]));
    let points = found["points"].as_array().expect("points");
    assert_eq!(points.len(), 4);
    // Busy share: 800/s · 1 ms over two or three, at half and at full load.
    let used: Vec<f64> = points.iter().filter_map(|p| p["bottleneck"]["utilization"].as_f64()).collect();
    for (used, expected) in used.iter().zip([0.2, 0.4 / 3.0, 0.4, 0.8 / 3.0]) {
        assert!((used - expected).abs() < 0.02, "{used} {expected}");
    }
    let (code, out, _) = loadpath(&args[..8], SHOP);
    assert!(code == 0 && out.contains("✓ 1") && out.contains("web ρ 0.40"), "{out}");
    for (args, expected) in [
        (&["sweep", "-"][..], "nothing is swept"),
        (&["sweep", "-", "--set", "services.web.replicas=8..2"], "goes nowhere"),
        (&["sweep", "-", "--load", "x..y"], "does not begin with a number"),
    ] {
        let (code, _, err) = loadpath(args, SHOP);
        assert!(code == 2 && err.contains(expected), "{code} {err}");
    }
}

#[test]
fn capacity_is_found_with_its_bottleneck() {
    // Each of two M/M/1 queues at ρ: 1/(1 − ρ) < 4 ms up to 750/s each, 1500/s together.
    let args = ["capacity", "-", "--replications", "3", "--within", "5%", "-f", "json"];
    let found = json(&args, SHOP);
    let (holds, fails) = (found["holds"]["value"].as_f64(), found["fails"]["value"].as_f64());
    let (holds, fails) = (holds.expect("holds"), fails.expect("fails"));
    assert!(holds < fails && (1.6..2.0).contains(&holds) && (1.7..2.2).contains(&fails), "{holds} {fails}");
    assert_eq!(found["bottleneck"]["station"], "web");
    // 800/s are more than the 750/s of one.
    let args = ["capacity", "-", "--fewest", "services.web.replicas=1..4", "--replications", "3"];
    let (code, out, err) = loadpath(&args, SHOP);
    assert!(code == 0 && out.contains("holds at       2 "), "{out}{err}");
    let (code, _, err) = loadpath(&["capacity", "-"], &SHOP.replace(", expect: [web GET / mean < 4ms]", ""));
    assert!(code == 2 && err.contains("nothing is expected"), "{err}");
    let given = ["capacity", "-", "--expect", "web GET / mean < 1us", "--replications", "2"];
    let (code, out, err) = loadpath(&given, SHOP);
    assert!(code == 1 && out.contains("holds at       nothing"), "{out}{err}");
}

#[test]
fn simulate_says_what_theory_says_and_how_well_it_is_known() {
    let args = ["simulate", "-", "--precision", "20%", "--replications", "40", "-f", "json"];
    let found = json(&args, SHOP);
    let scenario = &found["scenarios"][0];
    assert_eq!(scenario["precision"]["reached"], true, "{}", scenario["precision"]);
    assert_eq!(scenario["theory"][0]["model"], "M/M/1");
    let number = scenario["theory"][0]["numbers"].as_array().and_then(|n| n.first()).expect("numbers");
    assert_eq!((number["quantity"].as_str(), number["expected"].as_f64()), (Some("utilization"), Some(0.4)));
    let silent =
        "services: { web: { endpoints: { GET /: { latency: { distribution: exponential, mean: 8ms } } } } }
traffic: [{ to: web GET /, rate: 100/s }]
";
    let found = json(&["simulate", "-", "--sensitivity", "--replications", "3", "-f", "json"], silent);
    let moved = found["scenarios"][0]["sensitivity"].as_array().expect("a ranking");
    let share = |at: usize| moved[at]["share"].as_f64().unwrap_or(0.0);
    assert!(share(0) > 0.2 && share(0) >= share(1), "{moved:?}");
    assert!(moved[0]["input"].as_str().is_some_and(|i| i.contains("of web: 2 in place of 1")), "{moved:?}");
}

#[test]
fn the_self_test_says_what_it_found() {
    let found = json(&["selftest", "ret-0.1-3", "ps", "-f", "json"], "");
    let row = &found["theory"][0];
    assert_eq!((row["id"].as_str(), row["verdict"].as_str()), (Some("ret-0.1-3"), Some("pass")));
    assert_eq!(row["expected"].as_f64(), Some(1.111));
    assert!(row["interval"][0].as_f64() < row["interval"][1].as_f64());
    assert_eq!(found["not_expressed"][0]["id"], "ps");
    let (code, document, _) = loadpath(&["selftest", "--show", "mm1-0.8"], "");
    let (said, out, _) = loadpath(&["simulate", "-", "--replications", "2"], &document);
    assert!(code == 0 && said == 0 && out.contains("M/M/1"), "{out}");
    let (code, _, err) = loadpath(&["selftest", "mm1-0.81"], "");
    assert!(code == 2 && err.contains("did you mean `mm1-0.8`?"), "{err}");
}
