//! The program as a user runs it: what it prints, where, and how it exits.

#![allow(clippy::unwrap_used, reason = "a helper of tests panics as a test does")]

use assert_cmd::Command;
use serde_json::Value;

fn loadpath(args: &[&str]) -> (i32, String, String) {
    run(args, "")
}

fn run(args: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("loadpath").unwrap();
    let command =
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    let output = command.args(args).write_stdin(stdin).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const CLEAN: &str = "services:\n  web: { dependencies: [cart] }\n  cart: {}\n";
const WARNED: &str = "services:\n  web: { dependencies: [cart] }\n  cart: {}\n  alone: {}\n";
const WRONG: &str = "services:\n  web: { dependencies: [crat] }\n  cart: { dependencies: [web] }\n";
const BROKEN: &str = "services: {\n";

#[test]
fn exit_codes_are_the_same_for_every_format() {
    let table = [
        (CLEAN, &[] as &[&str], 0),
        (WARNED, &[], 0),
        (WARNED, &["--fail-on", "warning"], 1),
        (WARNED, &["--fail-on", "warning", "--exit-zero"], 0),
        (WRONG, &[], 1),
        (WRONG, &["--exit-zero"], 0),
        (BROKEN, &[], 2),
        (BROKEN, &["--exit-zero"], 2),
        ("", &[], 2),
        ("# only a comment\n", &[], 2),
        ("apiVersion: v1\nkind: Service\n---\nkind: Pod\napiVersion: v1\n", &[], 1),
    ];
    for (text, flags, expected) in table {
        for format in ["human", "json"] {
            let args = [&["check", "-", "-f", format], flags].concat();
            let (code, out, _) = run(&args, text);
            assert_eq!(code, expected, "{args:?} on {text}");
            assert!(
                !out.is_empty() || text.lines().all(|l| l.starts_with('#')),
                "findings are printed in every case"
            );
        }
    }
}

#[test]
fn usage_errors_are_two_and_offer_the_nearest_name() {
    let table: &[(&[&str], &str)] = &[
        (&["check", "no-such-file.yaml"], "cannot read `no-such-file.yaml`: no such file"),
        (&["check", "no-such-*.yaml"], "`no-such-*.yaml` matches no file"),
        (&["check", "examples/online-boutique.yaml", "-f", "jsno"], "did you mean `json`?"),
        (&["graph", "examples/online-boutique.yaml", "-f", "doot"], "did you mean `dot`?"),
        (&["graph", "examples/online-boutique.yaml", "--focus", "frontnd"], "did you mean `frontend`?"),
        (&["simulate", "examples/online-boutique.yaml", "--scenario", "stead"], "did you mean `steady`?"),
        (&["explain", "request-lop"], "did you mean `request-loop`?"),
        (&["show", "cartservce", "examples/online-boutique.yaml"], "did you mean `cartservice`?"),
    ];
    for (args, says) in table {
        let (code, out, error) = loadpath(args);
        assert_eq!(code, 2, "{args:?}");
        assert!(format!("{out}{error}").contains(says), "{args:?}: {out}{error}");
    }
}

#[test]
fn check_json_has_the_promised_keys_and_places() {
    let (_, out, _) = run(&["check", "-", "-f", "json"], WRONG);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["summary"]["error"], 1);
    let finding = &value["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"undefined-service".into(), &"error".into()));
    let place = &finding["locations"][0];
    let numbers: Vec<_> =
        ["line", "column", "end_line", "end_column"].iter().map(|k| place[k].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 25, 2, 29], "from 1, the end exclusive");
    assert_eq!(place["primary"], true);
}

#[test]
fn a_suppressed_finding_does_not_fail_and_is_counted() {
    let text = "services:\n  web: { dependencies: [cart] }\n  cart: {}\n  # loadpath: allow[orphan-service] kept for the migration\n  alone: {}\n";
    let (code, out, _) = run(&["check", "-", "--fail-on", "info"], text);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("1 suppressed"), "{out}");
    let (code, out, _) = run(&["check", "-", "--fail-on", "info", "--no-suppress"], text);
    assert_eq!(code, 1, "{out}");
}

#[test]
fn values_can_be_set_and_overlays_laid_from_the_command_line() {
    let file = "examples/online-boutique.yaml";
    let set = "services.cartservice.status=stopped";
    let (code, out, _) = loadpath(&["check", file, "--set", set]);
    assert_eq!(code, 1);
    assert!(
        out.contains("error[stopped-dependency]") && out.contains("--set services.cartservice.status"),
        "{out}"
    );
    let (code, out, _) = loadpath(&["check", file, "--set", "services.cartservce.status=stopped"]);
    assert_eq!(code, 2, "an argument that cannot be done is usage");
    assert!(
        out.contains("services has no `cartservce` to set") && out.contains("did you mean `cartservice`?"),
        "{out}"
    );
}

#[test]
fn a_simulation_is_the_same_bytes_on_every_run_and_for_every_number_of_threads() {
    let args = |threads| {
        [
            "simulate",
            "examples/online-boutique.yaml",
            "-f",
            "json",
            "--replications",
            "3",
            "--threads",
            threads,
        ]
    };
    let first = loadpath(&args("1")).1;
    assert!(first.len() > 10_000);
    assert_eq!(first, loadpath(&args("1")).1, "two runs");
    assert_eq!(first, loadpath(&args("2")).1, "two threads");
    let other = loadpath(&[
        "simulate",
        "examples/online-boutique.yaml",
        "-f",
        "json",
        "--replications",
        "3",
        "--seed",
        "2",
    ])
    .1;
    assert_ne!(first, other, "another seed");
}

#[test]
fn expectations_decide_the_exit_code_of_a_simulation() {
    let document = |expect: &str| {
        format!(
            "services: {{ web: {{ endpoints: {{ Get: {{ latency: {{ distribution: constant, mean: 5ms }} }} }} }} }}\n\
             traffic: [{{ to: web Get, rate: 50/s }}]\n\
             scenarios: {{ one: {{ duration: 20s, warm_up: 5s, expect: [ \"{expect}\" ] }} }}\n"
        )
    };
    for (expect, code) in
        [("p50 < 10ms", 0), ("p50 < 1ms", 1), ("availability >= 99.9%", 0), ("goodput > 60/s", 1)]
    {
        let (found, out, error) = run(&["simulate", "-"], &document(expect));
        assert_eq!(found, code, "{expect}: {out}{error}");
    }
}

#[test]
fn a_simulation_refuses_what_it_cannot_run() {
    let (code, _, error) = run(&["simulate", "-"], WRONG);
    assert_eq!(code, 1);
    assert!(error.contains("undefined-service"), "{error}");
    let (code, _, error) = run(&["simulate", "-"], CLEAN);
    assert_eq!(code, 2);
    assert!(error.contains("there is no traffic to simulate"), "{error}");
    let long = "services: { web: { endpoints: [Get] } }\ntraffic: [{ to: web Get, rate: 50/s }]\n\
                scenarios: { one: { warm_up: 90s } }\n";
    let (code, _, error) = run(&["simulate", "-"], long);
    assert_eq!(code, 2);
    let heavy = "services:\n  web: { endpoints: { Get: { calls: [{ call: api Get, \
                 load_balancing: { policy: consistent_hash, hash_key: client_ip } }] } } }\n  \
                 api: { instances: [{ id: a, weight: 1000000 }], endpoints: [Get] }\n\
                 traffic: [{ to: web Get, rate: 50/s }]\n";
    let (_, _, huge) = run(&["simulate", "-"], heavy);
    assert!(huge.contains("the tables of consistent_hash would have more than"), "{huge}");
    assert!(error.contains("a warm_up of 90s leaves nothing of the 60s that are simulated"), "{error}");
}

#[test]
fn the_graph_goes_to_standard_output_and_findings_to_standard_error() {
    let (code, out, error) = run(&["graph", "-"], WRONG);
    assert_eq!(code, 0, "what resolves is drawn");
    assert!(out.starts_with("digraph"), "{out}");
    assert!(error.contains("undefined-service"), "{error}");
}

#[test]
fn everything_that_is_listed_can_be_explained() {
    let (_, list, _) = loadpath(&["explain", "--list"]);
    let names = list.lines().filter_map(|l| l.strip_prefix("  ")).filter_map(|l| l.split_whitespace().next());
    let names: Vec<_> = names.collect();
    assert!(names.len() > 35, "{list}");
    for name in names {
        let (code, page, _) = loadpath(&["explain", name]);
        assert!(code == 0 && page.starts_with("# "), "{name}: {page}");
    }
    let (_, defaults, _) = loadpath(&["explain", "defaults"]);
    assert!(defaults.contains("services.*.workers"), "{defaults}");
}

#[test]
fn a_compose_file_is_read_as_it_is() {
    let compose = "services:\n  web:\n    image: web\n    environment: [\"CART_ADDR=cart:7070\"]\n  cart:\n    image: cart\n";
    let (code, out, _) = run(&["graph", "-", "-f", "json"], compose);
    assert_eq!(code, 0);
    let graph: Value = serde_json::from_str(&out).unwrap();
    let edge = &graph["edges"][0];
    assert_eq!((&edge["from"], &edge["to"]), (&"web".into(), &"cart".into()));
    assert_eq!(edge["evidence"][0]["source"], "environment CART_ADDR");
    assert_eq!(edge["evidence"][0]["line"], 4);
}

#[test]
fn a_service_is_shown_with_what_fails_with_it_and_how_available_it_can_be() {
    let shop = "services:\n  web: { replicas: 2, availability: 99.95%, endpoints: { E: { calls: [call: cart E] } } }\n  \
                cart: { slo: { availability: 99.9% }, endpoints: { E: { calls: [read: carts] } } }\n\
                datastores: { carts: {} }\ntraffic: [{ to: web E, rate: 3/s }, { to: cart E, rate: 1/s }]\n";
    let (code, carts, _) = run(&["show", "carts", "-"], shop);
    assert_eq!(code, 0);
    assert!(
        carts.contains("when it fails\n  2 of 2 entry points, 100% of the declared traffic\n"),
        "{carts}"
    );
    assert!(carts.contains("\n  web E → cart E → carts\n  cart E → carts\n"), "{carts}");
    let (_, web, _) = run(&["show", "web", "-"], shop);
    assert!(
        web.contains("when it fails\n  1 of 2 entry points, 75% of the declared traffic\n  web E\n"),
        "{web}"
    );
    assert!(web.contains("available at the most\n  web E  99.85% = 99.95% × 99.9%\n"), "{web}");
}

#[test]
fn what_a_folder_holds_beside_is_named() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside");
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    for (name, text) in [
        ("compose.yaml", "services: { web: { image: x/web } }"),
        ("other.yaml", "a: b"),
        ("templates/web.yaml", "kind: Service\nmetadata:\n  name: {{ .Values.name }}\n"),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let (code, _, error) = loadpath(&["check", folder.to_str().unwrap()]);
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("templates/web.yaml; run `helm template CHART > all.yaml`"), "{error}");
    assert!(error.contains("files of no known format were skipped"), "{error}");
    assert!(error.contains("/other.yaml"), "{error}");
}
