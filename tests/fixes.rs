//! Fixes mend what they are about and nothing else.

#![allow(clippy::unwrap_used, reason = "a test without its files has failed")]

mod support;

use loadpath::finding::{Finding, apply_fixes};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use support::judge::judge;

/// Applies the fixes of a document once; checks that nothing is left to fix and that no finding is new.
fn check(before: &str, after: &str) {
    let judged = judge(&[("shop.yaml", before)]);
    let fixed = apply_fixes(&judged.findings, &judged.sources);
    let texts: Vec<&str> = fixed.iter().map(|f| f.text.as_str()).collect();
    if before == after {
        assert!(texts.is_empty(), "{before}\n{texts:?}");
        return;
    }
    assert_eq!(texts, [after]);
    let again = judge(&[("shop.yaml", after)]);
    assert!(again.findings.iter().all(|f| f.fix.is_none()), "{after}");
    let known: Vec<String> = judged.findings.iter().map(Finding::fingerprint).collect();
    let new = again.findings.iter().find(|f| !known.contains(&f.fingerprint()));
    assert!(new.is_none(), "{after}\n{:?}", again.lines());
}

/// A service with this line in it, and one that it calls.
fn line(line: &str) -> String {
    format!("services:\n  web:\n    {line}\n    dependencies: [cart]\n  cart: {{}}\n")
}

#[test]
fn words_in_another_spelling() {
    for (wrong, right) in [
        ("healthCheck: { path: /healthz }", "health_check: { path: /healthz }"),
        ("\"health-check\": none", "\"health_check\": none"),
        ("kind: Gateway", "kind: gateway"),
        ("kind: \"GATEWAY\"", "kind: \"gateway\""),
        ("external: yes", "external: true"),
        ("external: \"false\"", "external: false"),
        ("replicas: \"3\"", "replicas: 3"),
        ("replicas: '03'", "replicas: 3"),
    ] {
        check(&line(wrong), &line(right));
    }
    check(&line("kind: bff").replace("[cart]", "[Cart]"), &line("kind: bff"));
}

#[test]
fn what_may_be_meant_otherwise_is_left() {
    for doubtful in [
        "kin: gateway",
        "kind: gatewy",
        "replicas: \"0\"",
        "replicas: \"many\"",
        "external: maybe",
        // Both spellings are there: which one counts is not for us to say.
        "health_check: none\n    healthCheck: none",
    ] {
        check(&line(doubtful), &line(doubtful));
    }
    check(&line("kind: bff").replace("[cart]", "[card]"), &line("kind: bff").replace("[cart]", "[card]"));
}

#[test]
fn comments_that_suppress_nothing() {
    let idle = "# loadpath: allow[orphan-service] gone since May";
    check(&line(&format!("replicas: 2 {idle}")), &line("replicas: 2"));
    check(&line(&format!("{idle}\n    replicas: 2")), &line("replicas: 2"));
    let expired = "# loadpath: allow[orphan-service] until 2020-01-31 gone";
    check(&line(&format!("replicas: 2   {expired}")), &line("replicas: 2"));
    // At the end of the file, without and with another line.
    let text = line("kind: bff");
    check(&format!("{text}{idle}"), &text);
    check(&format!("{text}{idle}\r\n"), &text);
    // One of several: the others stay.
    let lonely = |names: &str| {
        format!(
            "services:\n  a: {{}} # loadpath: allow[{names}] why\n  b: {{ dependencies: [c] }}\n  c: {{}}\n"
        )
    };
    check(&lonely("high-fan-out, orphan-service, request-loop"), &lonely("orphan-service"));
    check(&lonely("orphan-service,request-loop"), &lonely("orphan-service"));
    check(&lonely("orphan-service"), &lonely("orphan-service"));
}

/// A folder of its own with a document in it.
fn folder(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("loadpath.yaml"), text).unwrap();
    folder
}

fn said(folder: &PathBuf, args: &[&str]) -> (String, String) {
    let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
    let output = program.current_dir(folder).arg("check").args(args).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn files_are_mended_in_place() {
    let (wrong, right) = (line("kind: Gateway"), line("kind: gateway"));
    let marked = format!("\u{feff}{wrong}");
    let folder = folder("mended", &marked);
    let file = folder.join("loadpath.yaml");
    let (diff, _) = said(&folder, &["--diff"]);
    assert!(diff.starts_with("--- a/loadpath.yaml\n+++ b/loadpath.yaml\n"), "{diff}");
    assert!(diff.contains("-    kind: Gateway\n+    kind: gateway\n"), "{diff}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), marked, "--diff writes nothing");
    let (found, told) = said(&folder, &["--fix"]);
    assert!(found.contains("no findings"), "{found}");
    assert!(told.contains("+    kind: gateway") && told.ends_with("fixed 1 finding\n"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("\u{feff}{right}"));
    assert_eq!(said(&folder, &["--fix"]).1, "", "nothing is left");
    // What is no file is named and left.
    let (_, told) = said(&folder, &["--fix", "--set", "services.web.kind=BFF"]);
    assert_eq!(told, "note: `--set services.web.kind` is no file: it was not fixed\n");
}

/// A program that is ended with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The next line with these words; fails where none comes in half a minute.
fn wait(lines: &Receiver<String>, words: &str) {
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_secs(30)) {
        if line.contains(words) {
            return;
        }
        seen.push(line);
    }
    panic!("no line with `{words}` in {seen:#?}");
}

#[test]
fn a_watch_judges_again_when_a_file_changes_or_comes() {
    let right = format!("include: teams/*.yaml\n{}", line("kind: gateway"));
    let folder = folder("watched", &right);
    let team = folder.join("teams/basket.yaml");
    std::fs::create_dir_all(folder.join("teams")).unwrap();
    std::fs::write(&team, "x-empty: true\n").unwrap();
    let mut program = Command::new(assert_cmd::cargo::cargo_bin("loadpath"));
    let program = program.current_dir(&folder).args(["check", "--watch"]).stdout(Stdio::piped());
    let mut watching = Watching(program.stderr(Stdio::null()).spawn().unwrap());
    let out = watching.0.stdout.take().unwrap();
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    wait(&lines, "no findings");
    std::fs::write(folder.join("loadpath.yaml"), right.replace("kind", "kid")).unwrap();
    wait(&lines, "unknown key `kid`");
    std::fs::write(folder.join("loadpath.yaml"), &right).unwrap();
    wait(&lines, "no findings");
    std::fs::write(folder.join("teams/new.yaml"), "services: { cart: {} }\n").unwrap();
    wait(&lines, "defined twice");
    std::fs::remove_file(folder.join("teams/new.yaml")).unwrap();
    wait(&lines, "no findings");
}
