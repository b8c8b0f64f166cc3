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

/// That a value fits a schema, which describes each of its keys.
fn fits(schema: &str, value: &Value) {
    let mut schema: Value = serde_json::from_str(schema).expect("a schema");
    close(&mut schema);
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let wrong: Vec<String> =
        validator.iter_errors(value).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// Takes from a schema the leave to add keys.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if keys.contains_key("properties") && keys.get("type").is_some_and(|t| t == "object") {
                keys.entry("additionalProperties").or_insert(false.into());
            }
            keys.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

const RESULT: &str = include_str!("../schemas/simulate.schema.json");
const EVENT: &str = include_str!("../schemas/events.schema.json");

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

/// A queue whose handler fails, a breaker that opens, an instance that restarts.
const BUSY: &str = "\
services:
  web: { workers: 4, endpoints: { GET /: { latency: { distribution: exponential, mean: 1ms }, calls: [{ call: api Get, \
         circuit_breaker: { failure_threshold: 3, open_duration: 1s }, optional: true }, { publish: post }] } } }
  api: { workers: 4, replicas: 2, endpoints: { Get: { latency: { distribution: exponential, mean: 2ms } } } }
  mailer: { consumes: { post: { error_rate: 100% } } }
queues: { post: { max_deliveries: 2, dead_letter: graves }, graves: {} }
traffic: [{ to: web GET /, rate: 50/s, arrivals: constant }]
monitoring: { sample_traces: 10%, slowest: 3 }
scenarios: { day: { duration: 6s, warm_up: 1s, replications: 2, events: [
  { at: 2s, for: 1s, errors: { target: api, rate: 100% } }, { at: 4s, restart: { target: api/1 } }] } }
";

/// The lines of a log of [`BUSY`].
fn events(name: &str, more: &[&str]) -> Vec<Value> {
    let file = format!("{}/{name}.jsonl", env!("CARGO_TARGET_TMPDIR"));
    let args = [&["simulate", "-", "--events", &file][..], more].concat();
    let (code, _, err) = loadpath(&args, BUSY);
    assert_eq!(code, 0, "{err}");
    let text = std::fs::read_to_string(&file).expect("a log");
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    for line in &all {
        fits(EVENT, line);
    }
    all
}

#[test]
fn what_happens_is_logged_and_can_be_filtered() {
    let all = events("all", &[]);
    let types = |events: &[Value]| {
        events.iter().map(|e| e["type"].as_str().expect("a type").to_owned()).collect::<Vec<_>>()
    };
    for kind in [
        "began",
        "over",
        "breaker_opened",
        "breaker_half_opened",
        "published",
        "delivered",
        "redelivered",
        "dead_lettered",
        "stopped",
        "started",
    ] {
        assert!(types(&all).iter().any(|t| t == kind), "{kind}");
    }
    assert!(!types(&all).contains(&"arrived".to_owned()), "nothing of every request");
    let at: Vec<f64> = all.iter().map(|e| e["at_s"].as_f64().expect("a time")).collect();
    assert!(at.windows(2).all(|pair| pair[0] <= pair[1]), "in the order of time");
    assert_eq!(all, events("again", &["--threads", "2"]), "the same on every run");
    // Every message fails twice and is buried.
    let story = events("story", &["--events-correlation", "m7"]);
    assert_eq!(
        types(&story),
        ["published", "delivered", "redelivered", "delivered", "dead_lettered", "published"]
    );
    let request = story[0]["correlation_id"].as_str().expect("a request");
    let whole = events(
        "request",
        &["--events-correlation", request, "--events-type", "arrived,received,succeeded,published"],
    );
    assert_eq!(types(&whole)[..3], ["arrived", "received", "received"], "{whole:?}");
    let of = events(
        "service",
        &["--events-service", "api", "--events-type", "stopped", "--events-type", "started"],
    );
    assert_eq!(types(&of), ["stopped", "started"]);
    assert_eq!(of[0]["instance"], "api/1");
    for (more, expected) in [
        (["--events-type", "opened"], "no event is of the type `opened`: there are arrived, "),
        (["--events-service", "wob"], "no service or queue is called `wob`: did you mean `web`?"),
        (["--events-correlation", "17"], "write r17 for a request"),
    ] {
        let args = [&["simulate", "-", "--events", "/dev/null"][..], &more].concat();
        let (code, _, err) = loadpath(&args, BUSY);
        assert!(code == 2 && err.contains(expected), "{code} {err}");
    }
}

#[test]
fn some_requests_and_the_slowest_are_traced() {
    let found = json(&["simulate", "-", "-f", "json"], BUSY);
    fits(RESULT, &found);
    let metrics = found["scenarios"][0]["metrics"].as_array().expect("metrics");
    let metric = |name: &str| metrics.iter().find(|m| m["name"] == name).expect("a metric");
    let measured = &found["scenarios"][0]["sources"][0]["requests"];
    assert_eq!(
        (&metric("requests_total")["type"], &metric("requests_total")["value"]),
        (&"counter".into(), measured)
    );
    // Six windows of a second, 50 requests in each.
    let offered = metric("offered_per_s");
    assert_eq!(
        [&offered["count"], &offered["avg"]],
        [&6.into(), &serde_json::json!(299.0 / 6.0)],
        "{offered}"
    );
    assert_eq!(metric("latency_ms")["count"], found["scenarios"][0]["sources"][0]["latency_ms"]["count"]);
    let traces = found["scenarios"][0]["traces"].as_array().expect("traces");
    let sampled = traces.iter().filter(|t| t["sampled"] == true).count();
    // A tenth of the 250 requests that are measured.
    assert!((10..45).contains(&sampled), "{sampled}");
    assert_eq!(traces.len() - sampled, 3);
    for trace in traces {
        let spans = trace["spans"].as_array().expect("spans");
        assert_eq!((&spans[0]["span_id"], &spans[0]["parent_id"]), (&0.into(), &Value::Null));
        assert_eq!(spans[0]["duration_ms"], trace["duration_ms"]);
        for span in &spans[1..] {
            let parent = &spans[span["parent_id"].as_u64().expect("a parent") as usize];
            let (start, end) = (span["start_ms"].as_f64().expect("a start"), span["duration_ms"].as_f64());
            assert!(parent["start_ms"].as_f64().expect("a start") <= start, "{trace}");
            let ends = end.map_or(start, |took| start + took);
            // Nothing outlasts the work it was made for: no call is abandoned here.
            let limit = parent["start_ms"].as_f64().zip(parent["duration_ms"].as_f64()).map(|(a, b)| a + b);
            let message = span["kind"] == "consumer";
            assert!(message || limit.is_none_or(|limit| ends <= limit + 1e-6), "{trace}");
        }
        let names: Vec<_> = spans.iter().map(|s| s["name"].as_str().expect("a name")).collect();
        assert_eq!(names[..2], ["web GET /", "web GET /"]);
    }
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
    fits(RESULT, &found);
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
