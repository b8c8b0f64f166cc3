//! `loadpath check` as a user runs it: several formats, saved results, owners.

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder of its own for a test, with these files in it.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
    folder
}

/// Code, standard output and error of `loadpath check` in a folder.
fn check(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("loadpath").unwrap();
    let command = command.current_dir(folder).env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    let output = command.arg("check").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// An error about an edge between two owners, a warning about one of them, a suppressed one.
const SHOP: &str = "\
name: shop
services:
  web: { owner: storefront, dependencies: [cart] }
  cart: { owner: basket, dependencies: [web] }
  alone: { owner: basket }
  nobodys: {}
  # loadpath: allow[orphan-service] kept for the migration
  old: { owner: basket }
lint: { rules: { cyclic-dependency: { level: error }, missing-owner: allow } }
";

fn shop(name: &str) -> PathBuf {
    folder(
        name,
        &[
            ("shop.yaml", SHOP),
            ("other.yaml", "name: other\nservices:\n  a: { dependencies: [b] }\n  b: {}\n  alone: {}\n"),
        ],
    )
}

/// Rules and owners of a result.
fn found(json: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(json).unwrap();
    let owners = |f: &Value| {
        f["owners"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("+")
    };
    let findings = value["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|f| format!("{} {}", f["rule"].as_str().unwrap(), owners(f)).trim_end().to_owned())
        .collect()
}

#[test]
fn several_formats_at_once_are_the_ones_of_each_alone() {
    let folder = shop("several");
    let (code, out, _) =
        check(&folder, &["shop.yaml", "-f", "sarif=a.sarif", "-f", "jsonl", "-f", "junit=j.xml"]);
    assert_eq!(code, 1);
    assert_eq!(out, check(&folder, &["shop.yaml", "-f", "jsonl"]).1);
    for (format, file) in [("sarif", "a.sarif"), ("junit", "j.xml")] {
        let alone = check(&folder, &["shop.yaml", "-f", format]).1;
        assert_eq!(std::fs::read_to_string(folder.join(file)).unwrap(), alone, "{format}");
    }
}

#[test]
fn what_would_be_overwritten_is_refused() {
    let folder = shop("refused");
    std::os::unix::fs::symlink("a.txt", folder.join("link.txt")).unwrap();
    std::fs::write(folder.join("a.txt"), "").unwrap();
    let table: &[(&[&str], &str)] = &[
        (&["-f", "human", "-f", "json"], "`human` and `json` cannot both go to standard output"),
        (&["-f", "human", "-f", "json=-"], "`human` and `json` cannot both go to standard output"),
        (&["-f", "json=new", "-f", "sarif=new"], "`json` and `sarif` cannot both be written to `new`"),
        (&["-f", "json=new", "-f", "sarif=./new"], "`json` and `sarif` cannot both be written to `./new`"),
        (&["-f", "json=a.txt", "-f", "sarif=link.txt"], "cannot both be written to `link.txt`"),
        (&["-f", "json="], "`-f json=` names no file"),
        (&["-f", "json=shop.yaml"], "`shop.yaml` is what is checked: it is not written to"),
        (&["-f", "json=./shop.yaml"], "is what is checked"),
        (&["-f", "json=no/such/folder"], "cannot write `no/such/folder`"),
        (&["--owner", "storfront"], "no owner is called `storfront`: did you mean `storefront`?"),
        (&["--from-json", "a.txt"], "cannot be used with"),
    ];
    for (args, says) in table {
        let (code, out, error) = check(&folder, &[&["shop.yaml"], *args].concat());
        assert!(code == 2 && error.contains(says), "{args:?}: {out}{error}");
    }
    assert_eq!(std::fs::read_to_string(folder.join("shop.yaml")).unwrap(), SHOP);
}

#[test]
fn systems_judged_apart_share_one_document_per_format() {
    let folder = shop("separate");
    let args = ["shop.yaml", "other.yaml", "--separate"];
    let (code, out, _) = check(&folder, &[&args[..], &["-f", "json", "-f", "sarif=a.sarif"]].concat());
    assert_eq!(code, 1);
    assert_eq!(super::complaints(&super::json(), &out), Vec::<String>::new());
    let value: Value = serde_json::from_str(&out).unwrap();
    let names: Vec<_> = value["systems"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["shop", "other"]);
    let of_other = value["findings"].as_array().unwrap().iter().filter(|f| f["system"] == "other").count();
    assert_eq!(of_other, 1);
    let sarif = std::fs::read_to_string(folder.join("a.sarif")).unwrap();
    assert_eq!(super::complaints(&super::sarif(), &sarif), Vec::<String>::new());
    let (_, human, _) = check(&folder, &args);
    assert!(human.contains("\nshop: ") && human.contains("\nother: "), "{human}");
}

#[test]
fn a_saved_result_is_shown_again_in_any_format() {
    let folder = shop("saved");
    check(&folder, &["shop.yaml", "other.yaml", "--separate", "-f", "json=saved.json"]);
    let without_times = |text: &str| {
        text.lines().map(|l| l.split(" in ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    for format in loadpath::report::FINDING_FORMATS.iter().map(|f| f.name) {
        let (code, live, _) = check(&folder, &["shop.yaml", "other.yaml", "--separate", "-f", format]);
        let (again, saved, error) = check(&folder, &["--from-json", "saved.json", "-f", format]);
        assert_eq!((again, without_times(&saved)), (code, without_times(&live)), "{format}: {error}");
    }
    // A file that says something else now is named, not shown.
    std::fs::write(folder.join("shop.yaml"), SHOP.replace("name: shop", "name: mall")).unwrap();
    let (_, changed, _) = check(&folder, &["--from-json", "saved.json"]);
    assert!(changed.contains("--> shop.yaml:5:3\n") && !changed.contains("alone: { owner"), "{changed}");
    std::fs::remove_file(folder.join("shop.yaml")).unwrap();
    assert_eq!(check(&folder, &["--from-json", "saved.json"]).1, changed);
}

#[test]
fn a_saved_result_may_come_from_another_version() {
    let place = r#"{"file":"gone.yaml","line":3,"column":7,"end_line":3,"end_column":9,"label":"here","primary":true}"#;
    let finding = format!(
        r#"{{"rule":"rule-to-come","severity":"warning","message":"m","help":"","fingerprint":"0011223344556677","suppressed":false,"baselined":false,"locations":[{place}],"path":[],"numbers":{{}},"new_key":1}}"#
    );
    let document = |version: u32| {
        format!(
            r#"{{"version":{version},"summary":{{"error":0,"warning":1,"info":0,"suppressed":0,"baselined":0}},"findings":[{finding}]}}"#
        )
    };
    let files = [("v1.json", document(1)), ("v2.json", document(2)), ("no.json", "{".to_owned())];
    let folder = folder("version", &files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let (code, out, _) = check(&folder, &["--from-json", "v1.json"]);
    assert_eq!(code, 0, "a warning");
    assert!(out.starts_with("warning[rule-to-come]: m\n") && out.contains("gone.yaml:3:7"), "{out}");
    let (_, out, _) = check(&folder, &["--from-json", "v1.json", "-f", "sarif"]);
    assert_eq!(super::complaints(&super::sarif(), &out), Vec::<String>::new());
    for (file, says) in [
        ("v2.json", "`v2.json`: it has version 2, and this program reads version 1"),
        ("no.json", "`no.json`: it is no result of `check -f json`: EOF while parsing"),
        ("none.json", "cannot read `none.json`: no such file"),
    ] {
        let (code, _, error) = check(&folder, &["--from-json", file]);
        assert!(code == 2 && error.contains(says), "{error}");
    }
}

#[test]
fn a_saved_result_of_broken_input_still_exits_with_two() {
    let folder = folder("broken", &[("shop.yaml", "services: {\n")]);
    assert_eq!(check(&folder, &["shop.yaml", "-f", "json=saved.json", "--exit-zero"]).0, 2);
    let saved = std::fs::read_to_string(folder.join("saved.json")).unwrap();
    assert_eq!(super::complaints(&super::json(), &saved), Vec::<String>::new());
    assert_eq!(check(&folder, &["--from-json", "saved.json", "--exit-zero"]).0, 2);
}

#[test]
fn findings_know_their_owners() {
    let folder = shop("owners");
    let json = |args: &[&str]| found(&check(&folder, &[&["shop.yaml", "-f", "json"], args].concat()).1);
    assert_eq!(
        json(&[]),
        [
            "cyclic-dependency basket+storefront",
            "orphan-service basket",
            "orphan-service",
            "orphan-service basket",
        ]
    );
    assert_eq!(json(&["--owner", "storefront"]), ["cyclic-dependency basket+storefront"]);
    assert_eq!(json(&["--owner", "storefront", "--owner", "basket"]).len(), 3);
    let (code, out, _) = check(&folder, &["shop.yaml", "--owner", "storefront"]);
    assert_eq!(code, 1);
    assert!(out.contains(" · 1 error, 3 outside --owner · "), "{out}");
    // An owner without findings is no mistake.
    std::fs::write(
        folder.join("calm.yaml"),
        "services:\n  web: { owner: a, dependencies: [cart] }\n  cart: { owner: b }\n  alone: { owner: c }\n",
    )
    .unwrap();
    let (code, out, _) = check(&folder, &["calm.yaml", "--owner", "a", "--fail-on", "info"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn an_owner_is_told_that_files_cannot_be_read() {
    let folder = folder("told", &[("shop.yaml", "include: [gone.yaml]\nservices:\n  web: { owner: a }\n")]);
    let (code, out, _) = check(&folder, &["shop.yaml", "--owner", "a"]);
    assert_eq!(code, 2);
    assert!(out.contains("unreadable-file"), "{out}");
}

#[test]
fn findings_are_counted_by_owner_when_asked() {
    let folder = shop("by-owner");
    let (_, out, _) = check(&folder, &["shop.yaml", "--by-owner"]);
    let table = "findings by owner (a call counts for both its ends)\n  basket      1 error, 1 warning\n  storefront  1 error\n  (no owner)  1 warning\n\nshop: ";
    assert!(out.contains(table), "{out}");
    assert!(!check(&folder, &["shop.yaml"]).1.contains("findings by owner"));
}

#[test]
fn without_suppressions_every_finding_counts() {
    let folder = shop("no-suppress");
    let (code, out, _) =
        check(&folder, &["shop.yaml", "--fail-on", "warning", "--owner", "basket", "--no-suppress"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("nothing calls `old`")
            && out.contains("1 error, 2 warnings")
            && !out.contains("suppressed"),
        "{out}"
    );
    let (_, json, _) = check(&folder, &["shop.yaml", "-f", "json", "--no-suppress"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["summary"]["suppressed"], 0);
    assert!(value["findings"].as_array().unwrap().iter().all(|f| f["suppressed"] == false));
}

#[test]
fn results_of_the_examples_keep_to_their_schemas() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut examples: Vec<_> =
        std::fs::read_dir(root.join("examples")).unwrap().map(|e| e.unwrap().path()).collect();
    examples.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    assert!(examples.len() >= 3);
    for path in examples {
        let path = path.strip_prefix(root).unwrap().to_str().unwrap();
        let (_, json, _) = check(root, &[path, "-f", "json"]);
        assert_eq!(super::complaints(&super::json(), &json), Vec::<String>::new(), "{path}");
        let (_, sarif, _) = check(root, &[path, "-f", "sarif"]);
        assert_eq!(super::complaints(&super::sarif(), &sarif), Vec::<String>::new(), "{path}");
        let (_, lines, _) = check(root, &[path, "-f", "jsonl"]);
        let whole: Value = serde_json::from_str(&json).unwrap();
        let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(whole["findings"], Value::Array(lines), "{path}");
    }
}
