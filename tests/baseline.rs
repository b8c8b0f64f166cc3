//! `check --baseline` on real files: when the baseline is read, judged and written.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its own files has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// Two calls without a timeout, of which the second can be given one.
fn shop(second: &str) -> String {
    format!(
        "services:\n  web:\n    endpoints:\n      Get:\n        calls:\n        - {{ call: cart Items }}\n        - {{ call: stock Count{second} }}\n  cart: {{ endpoints: [Items] }}\n  stock: {{ endpoints: [Count] }}\n"
    )
}

const BOUNDED: &str = ", timeout: 1s";

/// A folder of its own with a `loadpath.yaml` and a baseline of both its findings.
struct Shop(PathBuf);

impl Shop {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("baseline").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let shop = Self(folder);
        shop.write("loadpath.yaml", &shop_text());
        let (code, _, said) = shop.check(&["--update-baseline"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("`base.yaml` forgives 2 findings: 2 added, 0 taken out"), "{said}");
        shop
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn entries(&self) -> usize {
        fs::read_to_string(self.0.join("base.yaml")).unwrap().matches("fingerprint").count()
    }

    /// Exit code, standard output, standard error of `check --baseline base.yaml --fail-on warning`.
    fn check(&self, args: &[&str]) -> (i32, String, String) {
        Self::run(&self.0, "base.yaml", args, false)
    }

    fn in_ci(&self, args: &[&str]) -> (i32, String, String) {
        Self::run(&self.0, "base.yaml", args, true)
    }

    fn run(folder: &Path, baseline: &str, args: &[&str], ci: bool) -> (i32, String, String) {
        let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
        let program =
            program.current_dir(folder).env("NO_COLOR", "1").env("CI", if ci { "true" } else { "" });
        let program = program.args(["check", "--fail-on", "warning", "--baseline", baseline]).args(args);
        let output = program.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

fn shop_text() -> String {
    shop("")
}

#[test]
fn what_is_listed_is_forgiven_and_what_is_new_is_not() {
    let shop = Shop::new("forgiven");
    let (code, out, _) = shop.check(&[]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("no findings, 2 in the baseline"), "{out}");
    shop.write(
        "loadpath.yaml",
        &shop_text().replace("- { call: cart", "- { call: cart Items }\n        - { call: cart"),
    );
    let (code, out, _) = shop.check(&[]);
    assert_eq!(code, 1, "a second call site of the same edge\n{out}");
    shop.write("loadpath.yaml", &(shop_text() + "  alone: {}\n"));
    let (code, out, _) = shop.check(&[]);
    assert!(code == 1 && out.contains("orphan-service") && out.contains("1 warning, 2 in the"), "{out}");
    assert_eq!(shop.entries(), 2, "it never grows by itself");
    let (_, out, _) = shop.check(&["-f", "json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["summary"]["baselined"], 2);
    let (code, out, _) = shop.check(&["--no-suppress"]);
    assert!(code == 1 && out.contains("missing-timeout") && out.contains("3 warnings"), "{out}");
}

#[test]
fn it_shrinks_by_itself_except_in_ci() {
    let shop = Shop::new("shrinks");
    shop.write("loadpath.yaml", &self::shop(BOUNDED));
    let (code, out, _) = shop.in_ci(&[]);
    assert!(code == 1 && out.contains("warning[stale-baseline]"), "{out}");
    assert!(out.contains("`missing-timeout` no longer occurs at `web Get → stock Count`"), "{out}");
    assert_eq!(shop.entries(), 2);
    let (code, out, said) = shop.check(&[]);
    assert!(code == 0 && !out.contains("stale-baseline"), "{out}");
    assert!(said.contains("1 finding no longer occurs and was taken out of `base.yaml`"), "{said}");
    assert_eq!(shop.entries(), 1);
    shop.write("loadpath.yaml", &shop_text());
    let (code, out, _) = shop.check(&[]);
    assert!(
        code == 1 && out.contains("`web Get → stock Count`") || out.contains("stock"),
        "it is back\n{out}"
    );
}

#[test]
fn entries_are_judged_only_where_it_is_certain() {
    let shop = Shop::new("certain");
    let quiet = |what: &str, args: &[&str]| {
        let (_, out, _) = shop.check(args);
        assert!(!out.contains("stale-baseline"), "{what}: {out}");
        assert_eq!(shop.entries(), 2, "{what}");
    };
    shop.write("loadpath.yaml", &(self::shop(BOUNDED) + "include: gone.yaml\n"));
    quiet("a file is missing", &[]);
    shop.write("loadpath.yaml", &(self::shop(BOUNDED) + "lint: { rules: { missing-timeout: allow } }\n"));
    quiet("its rule is off", &[]);
    shop.write("loadpath.yaml", &(self::shop(BOUNDED) + "lint: { rules: { stale-baseline: allow } }\n"));
    quiet("the rule about it is off", &[]);
    shop.write("loadpath.yaml", &self::shop(BOUNDED));
    shop.write("other.yaml", &self::shop(BOUNDED));
    quiet("another file", &["other.yaml"]);
    quiet("another value", &["--set", "services.cart.replicas=2"]);
    quiet("everything is shown", &["--no-suppress"]);
    let (_, _, said) = shop.check(&["other.yaml"]);
    assert!(said.contains("is a baseline of `loadpath.yaml`: its entries were not judged"), "{said}");
    let (code, _, said) = shop.check(&["other.yaml", "--update-baseline"]);
    assert!(code == 2 && said.contains("name the same, or delete it"), "{said}");
    assert_eq!(shop.entries(), 2);
}

#[test]
fn it_does_not_matter_where_the_program_is_started() {
    let shop = Shop::new("started");
    shop.write("loadpath.yaml", &self::shop(BOUNDED));
    let below = shop.0.join("teams");
    fs::create_dir_all(&below).unwrap();
    let (code, _, said) = Shop::run(&below, "../base.yaml", &["../loadpath.yaml"], false);
    assert!(code == 0 && said.contains("was taken out"), "{said}");
}

#[test]
fn a_baseline_that_cannot_be_read_forgives_nothing_and_is_not_written() {
    let shop = Shop::new("unreadable");
    let entry = "version: 1\nof: [loadpath.yaml]\nfindings: [{ rule: missing-timeout, fingerprint: 12 }]\n";
    for (text, code, rule) in [
        (None, 2, "unreadable-file"),
        (Some("<<<<<<< ours\nversion: 1\n"), 2, "invalid-yaml"),
        (Some("version: 7\n"), 2, "invalid-value"),
        (Some("\u{0}"), 2, "invalid-yaml"),
        (Some(entry), 1, "invalid-value"),
    ] {
        match text {
            Some(text) => shop.write("base.yaml", text),
            None => fs::remove_file(shop.0.join("base.yaml")).unwrap(),
        }
        let (found, out, _) = shop.check(&[]);
        assert_eq!(found, code, "{text:?}: {out}");
        assert!(out.contains(&format!("error[{rule}]")), "{text:?}: {out}");
        assert!(out.contains("missing-timeout"), "{text:?}: {out}");
        let Some(text) = text else { continue };
        let (found, _, said) = shop.check(&["--update-baseline"]);
        assert!(found == code && said.contains("was not written"), "{text:?}: {said}");
        assert_eq!(fs::read_to_string(shop.0.join("base.yaml")).unwrap(), text);
    }
}

#[test]
fn it_is_made_only_by_the_flag_for_it_and_never_of_broken_files() {
    let shop = Shop::new("made");
    fs::remove_file(shop.0.join("base.yaml")).unwrap();
    shop.write("loadpath.yaml", "services: [");
    let (code, _, said) = shop.check(&["--update-baseline"]);
    assert!(code == 2 && said.contains("not everything could be read"), "{said}");
    assert!(!shop.0.join("base.yaml").exists());
}

#[test]
fn systems_judged_apart_share_one_baseline() {
    let shop = Shop::new("apart");
    fs::remove_file(shop.0.join("base.yaml")).unwrap();
    shop.write("second.yaml", &shop_text());
    let both = ["loadpath.yaml", "second.yaml", "--separate"];
    let (code, _, said) = shop.check(&[&both[..], &["--update-baseline"]].concat());
    assert!(code == 0 && said.contains("forgives 4 findings: 4 added"), "{said}");
    // What is in both has one identity: it is counted.
    assert_eq!(shop.entries(), 2);
    let (code, out, _) = shop.check(&both);
    assert_eq!((code, out.matches("no findings, 2 in the baseline").count()), (0, 2), "{out}");
    shop.write("second.yaml", &(shop_text() + "  alone: {}\n"));
    let (code, out, _) = shop.check(&[&both[..], &["-f", "sarif"]].concat());
    assert_eq!(code, 1);
    let states = ["unchanged", "new"].map(|s| out.matches(&format!("\"baselineState\": \"{s}\"")).count());
    assert_eq!(states, [4, 1], "{out}");
    shop.write("second.yaml", &self::shop(BOUNDED));
    let (code, _, said) = shop.check(&both);
    assert!(code == 0 && said.contains("1 finding no longer occurs and was taken out"), "{said}");
    let (_, _, said) = shop.check(&["loadpath.yaml", "second.yaml"]);
    assert!(!said.contains("taken out"), "of other systems it says nothing\n{said}");
}
