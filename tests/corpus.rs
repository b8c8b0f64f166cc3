//! What is found in real systems: the examples, and compose files of public projects where they are at hand.
//! The snapshot was read finding by finding: a change of a rule shows here what it does to them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it skips, and stops where it cannot go on"
)]

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Public inputs, beside the project where somebody works on it.
const CORPUS: &str = "../shared/corpus";

fn compose_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let yaml = path.extension().is_some_and(|e| e == "yml" || e == "yaml");
        if path.is_dir() {
            compose_files(&path, found);
        } else if yaml && name.contains("compose") {
            found.push(path);
        }
    }
}

/// Severity, rule and subjects of each finding of a file; those of one rule are counted beyond ten.
fn findings(file: &Path) -> String {
    let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
    let program = program.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", "-f", "json"]).arg(file);
    let output = program.output().unwrap();
    assert_ne!(output.status.code(), Some(101), "{}", file.display());
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut text = String::new();
    let mut last = (String::new(), 0);
    for finding in value["findings"].as_array().unwrap() {
        let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let rule = word("rule");
        last = if last.0 == rule { (rule.clone(), last.1 + 1) } else { (rule.clone(), 1) };
        if last.1 > 10 {
            continue;
        }
        let subjects = finding["subjects"].as_array().unwrap();
        let subjects: Vec<_> = subjects.iter().filter_map(Value::as_str).collect();
        let _ = writeln!(text, "  {} {rule}: {}", word("severity"), subjects.join(" + "));
    }
    let _ = writeln!(text, "  {}", value["summary"]);
    text
}

/// All findings of these files, by file.
fn all(files: &[PathBuf], below: &Path) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", file.strip_prefix(below).unwrap_or(file).display());
        text.push_str(&findings(file));
    }
    text
}

#[test]
fn examples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    insta::assert_snapshot!(all(&files, &folder));
}

#[test]
fn compose_files_of_public_projects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CORPUS);
    if !folder.is_dir() {
        println!("skipped: {CORPUS} is not here");
        return;
    }
    let mut files = Vec::new();
    compose_files(&folder, &mut files);
    insta::assert_snapshot!(all(&files, &folder));
}
