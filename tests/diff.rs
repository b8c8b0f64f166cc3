//! What two versions of a system differ in: what has a meaning shows, what has none does not.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its own cases has failed")]

mod support;

use loadpath::change::{Change, Diff, Fact, Trend, Version, What, diff};
use loadpath::finding::{Finding, Severity};
use loadpath::model::{Architecture, build};
use loadpath::report::Style;
use loadpath::report::changes::{CHANGE_FORMATS, Changes};
use loadpath::source::MemoryLoader;
use loadpath::spec::tree::{Kind, Node};
use loadpath::spec::{Limits, Reader};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::judge::{Judged, judge};
use support::rng::Rng;
use support::system::System;
use support::yaml::{Habits, Kind as Content, Y, map, write};

type Files = Vec<(String, String)>;

fn version(judged: &Judged) -> Version<'_> {
    Version { arch: &judged.arch, findings: &judged.findings }
}

fn compared(old: &Files, new: &Files) -> (Diff, Judged, Judged) {
    let (old, new) = (judge(old), judge(new));
    (diff(version(&old), version(&new)), old, new)
}

fn rendered(format: &str, found: &Diff, old: &Judged, new: &Judged) -> String {
    let format = CHANGE_FORMATS.iter().find(|f| f.name == format).unwrap();
    let changes = Changes { old: "old", new: "new", diff: found, sources: (&old.sources, &new.sources) };
    (format.render)(&changes, &Style::default())
}

/// One line per change and fact.
fn lines(found: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    for change in &found.changes {
        let from = change.moved_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
        lines.push(format!("{} {} {}{from}", change.what.name(), change.kind.name(), change.id));
        if matches!(change.what, What::Changed | What::Moved) {
            let side = |said: &Option<String>| said.clone().unwrap_or_else(|| "-".to_owned());
            lines.extend(
                change.facts.iter().map(|f| format!("  {}: {} → {}", f.key, side(&f.old), side(&f.new))),
            );
        }
    }
    lines
}

fn one(yaml: &str) -> Files {
    vec![("loadpath.yaml".to_owned(), yaml.to_owned())]
}

const SHOP: &str = "\
services:
  web:
    replicas: 2
    endpoints:
      Home: { calls: [{ call: cart Items, timeout: 1s }, { call: ads Show }] }
      Cart: { calls: [{ call: cart Items, timeout: 1s }] }
  cart: { endpoints: [Items], tags: [a, b] }
  ads: { endpoints: [Show] }
";

#[test]
fn what_has_a_meaning_shows() {
    let table: &[(&str, &str, &[&str])] = &[
        ("replicas: 2", "replicas: 3", &["changed service web", "  replicas: 2 → 3"]),
        ("[Items], tags: [a, b]", "[Items], tags: [b, a]", &[]),
        ("tags: [a, b]", "tags: [a]", &["changed service cart", "  tags: a, b → a"]),
        (", { call: ads Show }", "", &["removed call web Home → ads Show"]),
        (
            "{ call: ads Show }",
            "{ call: ads Show, retry: { num_retries: 2 } }",
            &["changed call web Home → ads Show", "  retry.num_retries: - → 2"],
        ),
        (
            "[{ call: cart Items, timeout: 1s }, { call: ads Show }]",
            "[{ call: ads Show }, { call: cart Items, timeout: 1s }]",
            &["changed endpoint web Home", "  steps: cart Items, ads Show → ads Show, cart Items"],
        ),
        (
            "[{ call: cart Items, timeout: 1s }, { call: ads Show }]",
            "[{ parallel: [{ call: cart Items, timeout: 1s }, { call: ads Show }] }]",
            &["changed endpoint web Home", "  steps: cart Items, ads Show → [cart Items, ads Show]"],
        ),
        (
            "services:\n",
            "defaults: { call: { timeout: 3s } }\nservices:\n",
            &["changed call web Home → ads Show", "  timeout: - → 3s"],
        ),
        (
            "  ads: ",
            "  advertising: ",
            &[
                "removed service ads",
                "added service advertising",
                "removed endpoint ads Show",
                "added endpoint advertising Show",
            ],
        ),
        (
            "services:\n",
            "lint: { rules: { missing-timeout: allow } }\nservices:\n",
            &["changed system system", "  lint.rules.missing-timeout: - → allow"],
        ),
    ];
    for (old, new, expected) in table {
        assert!(SHOP.contains(old), "{old}");
        let (found, ..) = compared(&one(SHOP), &one(&SHOP.replacen(old, new, 1)));
        let renamed = |line: &String| !line.contains("→ ads Show") || !new.contains("advertising");
        let found: Vec<String> = lines(&found).into_iter().filter(renamed).collect();
        assert_eq!(found, *expected, "{old} ⇒ {new}");
    }
}

#[test]
fn a_call_of_another_endpoint_has_moved() {
    let old = SHOP;
    let new = SHOP
        .replace(", { call: ads Show }", "")
        .replace("Cart: { calls: [", "Cart: { calls: [{ call: ads Show, timeout: 2s }, ");
    let (found, ..) = compared(&one(old), &one(&new));
    let expected = ["moved call web Cart → ads Show from web Home → ads Show", "  timeout: - → 2s"];
    assert_eq!(lines(&found), expected);
}

#[test]
fn of_several_call_sites_of_the_same_the_changed_one_is_told() {
    let twice = |first: &str, second: &str| {
        let calls = format!("[{{ call: b Go, timeout: {first} }}, {{ call: b Go, timeout: {second} }}]");
        one(&format!(
            "services: {{ a: {{ endpoints: {{ Go: {{ calls: {calls} }} }} }}, b: {{ endpoints: [Go] }} }}\n"
        ))
    };
    let (found, ..) = compared(&twice("1s", "2s"), &twice("5s", "2s"));
    assert_eq!(lines(&found), ["changed call a Go → b Go", "  timeout: 1s → 5s"]);
    let (found, ..) = compared(&twice("1s", "2s"), &twice("2s", "1s"));
    assert_eq!(lines(&found), [""; 0]);
}

#[test]
fn what_is_switched_off_gives_way_to_what_is_said_of_it() {
    let with = |retry: &str| {
        one(&format!(
            "services: {{ a: {{ endpoints: {{ Go: {{ calls: [{{ call: b Go, retry: {retry} }}] }} }} }}, b: {{ endpoints: [Go] }} }}\n"
        ))
    };
    let (found, ..) = compared(&with("none"), &with("{ num_retries: 2 }"));
    assert_eq!(lines(&found), ["changed call a Go → b Go", "  retry.num_retries: - → 2"]);
    assert_eq!(found.changes[0].facts[0].built_in, Some("0"));
}

/// Three layers that retry: what one request becomes is the product.
fn chain(retries: [u32; 2], timeout: &str) -> Files {
    let call = |to: &str, n: u32| {
        format!(
            "[{{ call: {to} Go, timeout: {timeout}, retry: {{ num_retries: {n}, per_try_timeout: 100ms }} }}]"
        )
    };
    one(&format!(
        "services:\n  web: {{ replicas: 2, endpoints: {{ Go: {{ calls: {} }} }} }}\n  mid: {{ replicas: 2, availability: 99.9%, endpoints: {{ Go: {{ calls: {} }} }} }}\n  end: {{ replicas: {}, workers: 1, endpoints: {{ Go: {{ latency: {{ distribution: constant, mean: 5ms }} }} }} }}\ntraffic: [{{ to: web Go, rate: 10/s }}]\n",
        call("mid", retries[0]),
        call("end", retries[1]),
        if retries[1] > 2 { 1 } else { 2 },
    ))
}

#[test]
fn quantities_are_told_with_their_trend() {
    let quantity = |found: &Diff, name: &str, about: &str| {
        let one = found.quantities.iter().find(|q| q.info.name == name && q.about == about);
        one.map(|q| (q.old, q.new, q.trend()))
    };
    let (found, ..) = compared(&chain([2, 2], "2s"), &chain([2, 3], "3s"));
    let amplified = quantity(&found, "retry_amplification", "web Go").unwrap();
    assert_eq!(amplified, (Some(9.0), Some(12.0), Trend::Worse), "3 × 3 and 3 × 4 attempts");
    let failing = quantity(&found, "entries_failing_with_one_replica", "end").unwrap();
    assert_eq!(failing, (Some(0.0), Some(1.0), Trend::Worse));
    let (found, ..) = compared(&chain([2, 2], "100ms"), &chain([2, 2], "none"));
    // Three attempts of 100 ms, cut by a timeout of 100 ms or not at all.
    let duration = quantity(&found, "worst_duration_s", "web Go").unwrap();
    assert_eq!((duration.0, duration.2), (Some(0.1), Trend::Worse));
    let without = |text: &str| {
        let files = chain([2, 2], "2s");
        one(&files[0]
            .1
            .replace("rate: 10/s", &format!("rate: {text}"))
            .replace("99.9%", if text == "20/s" { "99.8%" } else { "99.9%" }))
    };
    let (found, ..) = compared(&without("10/s"), &without("20/s"));
    assert_eq!(quantity(&found, "load_per_s", "end").unwrap(), (Some(10.0), Some(20.0), Trend::Other));
    let (old, new, trend) = quantity(&found, "utilization", "end").unwrap();
    assert!(
        (old.unwrap() - 0.025).abs() < 1e-9 && (new.unwrap() - 0.05).abs() < 1e-9,
        "10 and 20/s × 5 ms over 2"
    );
    assert_eq!(trend, Trend::Worse);
    let (old, new, trend) = quantity(&found, "availability_ceiling", "web Go").unwrap();
    assert!((old.unwrap() - 0.999).abs() < 1e-9 && (new.unwrap() - 0.998).abs() < 1e-9);
    assert_eq!(trend, Trend::Worse);
    assert!(found.is_worse());
}

/// Turns a tree of YAML around without changing what it means: order of keys, of traffic, of communications.
fn shuffle(value: &mut Y, rng: &mut Rng, key: &str) {
    match &mut value.kind {
        Content::Map(entries) => {
            for (key, value) in entries.iter_mut() {
                let key = key.as_text().to_owned();
                shuffle(value, rng, &key);
            }
            // A table of quantiles rises.
            if key != "quantiles" {
                rng.shuffle(entries);
            }
        }
        Content::List(items) => {
            for item in items.iter_mut() {
                shuffle(item, rng, "");
            }
            if matches!(key, "traffic" | "communications") {
                rng.shuffle(items);
            }
        }
        _ => {}
    }
}

/// Moves half of the services of the root into a file of their own, with its defaults; whether there are some.
fn split(files: &mut Vec<(String, Y)>) -> bool {
    let Content::Map(entries) = &mut files[0].1.kind else { return false };
    let defaults = entries.iter().find(|(k, _)| k.as_text() == "defaults").map(|(_, v)| v.clone());
    let Some((_, services)) = entries.iter_mut().find(|(k, _)| k.as_text() == "services") else {
        return false;
    };
    let Content::Map(all) = &mut services.kind else { return false };
    let moved = all.split_off(all.len() / 2);
    let mut moved = Y { kind: Content::Map(moved), ..services.clone() };
    moved.mark = None;
    let mut file = vec![("services".to_owned(), moved)];
    file.extend(defaults.map(|d| ("defaults".to_owned(), d)));
    if !entries.iter().any(|(k, _)| k.as_text() == "include") {
        entries.push((support::yaml::text("include"), support::yaml::text("teams/*.yaml")));
    }
    let copied = file.len() > 1;
    files.push(("teams/split.yaml".to_owned(), map(file)));
    copied
}

fn texts(files: &[(String, Y)], rng: &mut Rng) -> Files {
    let habits = Habits {
        crlf: false,
        comments: 20,
        indent: 2,
        indent_lists: rng.chance(50),
        start: rng.chance(20),
        mark: false,
    };
    files.iter().map(|(path, root)| (path.clone(), write(root, habits, rng).0)).collect()
}

const SYSTEMS: u64 = 60;

#[test]
fn a_system_turned_around_is_the_same_system() {
    for seed in 0..SYSTEMS {
        let mut rng = Rng::new(seed);
        let system = System::random(&mut rng);
        let before = texts(&system.files, &mut rng);
        let mut other = system.files.clone();
        for (_, root) in &mut other {
            shuffle(root, &mut rng, "");
        }
        let splits = rng.chance(50);
        let copied = splits && split(&mut other);
        let after = texts(&other, &mut rng);
        let (found, old, new) = compared(&before, &after);
        assert!(!old.broken && !new.broken, "seed {seed}");
        let told = rendered("human", &found, &old, &new);
        // Defaults that stand twice are two causes to a rule that raises one finding for each.
        let same =
            if copied { found.changes.is_empty() && found.quantities.is_empty() } else { found.is_empty() };
        assert!(same, "seed {seed}:\n{told}\n{before:#?}\n{after:#?}");
    }
}

/// A change seen from the other side.
fn mirrored(change: &Change) -> Change {
    let what = match change.what {
        What::Added => What::Removed,
        What::Removed => What::Added,
        other => other,
    };
    let (id, moved_from) = match &change.moved_from {
        Some(from) => (from.clone(), Some(change.id.clone())),
        None => (change.id.clone(), None),
    };
    let facts =
        change.facts.iter().map(|f| Fact { old: f.new.clone(), new: f.old.clone(), ..f.clone() }).collect();
    Change { what, id, moved_from, facts, ..change.clone() }
}

#[test]
fn the_other_way_round_the_same_is_said() {
    let identities = |findings: &mut dyn Iterator<Item = &Finding>| {
        let mut all: Vec<String> = findings.map(Finding::fingerprint).collect();
        all.sort();
        all
    };
    for seed in 0..SYSTEMS {
        // Half of them versions of one system: some of its parts go, some come.
        let mut rng = Rng::new(seed);
        let old = System::random(&mut rng);
        let new = if seed % 2 == 0 { System::random(&mut rng) } else { altered(&old, &mut rng) };
        let (old, new) = (judge(&texts(&old.files, &mut rng)), judge(&texts(&new.files, &mut rng)));
        let there = diff(version(&old), version(&new));
        let back = diff(version(&new), version(&old));
        let order = |c: &Change| (c.kind, c.id.clone(), c.what, format!("{:?}", c.facts));
        let (mut expected, mut found) =
            (there.changes.iter().map(mirrored).collect::<Vec<_>>(), back.changes.clone());
        expected.sort_by_key(order);
        found.sort_by_key(order);
        assert_eq!(found, expected, "seed {seed}");
        assert_eq!(
            identities(&mut there.new.iter()),
            identities(&mut back.gone.iter().map(|g| &g.finding)),
            "seed {seed}"
        );
        let told = |d: &Diff, back: bool| {
            let all = d.quantities.iter().map(|q| {
                let (old, new) = if back { (q.new, q.old) } else { (q.old, q.new) };
                let trend = match (back, q.trend()) {
                    (true, Trend::Worse) => Trend::Better,
                    (true, Trend::Better) => Trend::Worse,
                    (_, trend) => trend,
                };
                format!("{} {} {old:?} {new:?} {trend:?}", q.info.name, q.about)
            });
            all.collect::<Vec<_>>()
        };
        assert_eq!(told(&there, false), told(&back, true), "seed {seed}");
        if !there.is_empty() {
            for (found, old, new) in [(&there, &old, &new), (&back, &new, &old)] {
                assert!(!rendered("human", found, old, new).is_empty());
                assert!(!rendered("markdown", found, old, new).is_empty());
                fits_the_schema(&rendered("json", found, old, new));
            }
        }
    }
}

/// A system without some of its keys.
fn altered(system: &System, rng: &mut Rng) -> System {
    fn thin(value: &mut Y, rng: &mut Rng, depth: usize) {
        match &mut value.kind {
            Content::Map(entries) => {
                if depth > 3 {
                    entries.retain(|_| !rng.chance(5));
                }
                for (_, value) in entries.iter_mut() {
                    thin(value, rng, depth + 1);
                }
            }
            Content::List(items) => {
                for item in items.iter_mut() {
                    thin(item, rng, depth + 1);
                }
            }
            _ => {}
        }
    }
    let mut system = system.clone();
    for (_, root) in &mut system.files {
        thin(root, rng, 0);
    }
    system
}

fn fits_the_schema(text: &str) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../schemas/diff.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{text}");
    value
}

#[test]
fn the_published_schema_is_a_schema() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/diff.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
}

/// Keys that mean nothing to an architecture, or are told under another; the reason behind.
const SILENT: &[(&str, &str)] = &[
    ("aliases", "other names for the same"),
    ("description", "words"),
    ("discovery", "not in the model yet"),
    ("monitoring", "not in the model yet"),
    ("network.between_zones", "not in the model yet"),
    ("network.loss", "not in the model yet"),
    ("communications.0.protocol", "the call says the same"),
    ("services.web.endpoints.GET /checkout/{id}.calls.1.parallel.0", "`communications` says it as well"),
    ("services.web.dependencies", "a call says the same, and more"),
    ("defaults.call", "every call it reaches says its own"),
    ("services.web.environment", "its values may be secrets: they are shown nowhere"),
    ("services.mailer.consumes.orders.calls", "there are none"),
];

/// The paths of all keys below a node, and what is left when each of them is taken away.
fn paths(node: &Node, at: &mut Vec<usize>, name: &str, out: &mut Vec<(Vec<usize>, String)>) {
    let children: Vec<(String, &Node)> = match &node.kind {
        Kind::Mapping(entries) => entries.iter().map(|e| (e.key.value.to_string(), &e.value)).collect(),
        Kind::Sequence(items) => items.iter().enumerate().map(|(i, n)| (i.to_string(), n)).collect(),
        _ => Vec::new(),
    };
    for (i, (key, child)) in children.into_iter().enumerate() {
        let name = if name.is_empty() { key } else { format!("{name}.{key}") };
        at.push(i);
        out.push((at.clone(), name.clone()));
        paths(child, at, &name, out);
        at.pop();
    }
}

fn without(node: &mut Node, path: &[usize]) {
    let [first, rest @ ..] = path else { return };
    match &mut node.kind {
        Kind::Mapping(entries) if rest.is_empty() => drop(entries.remove(*first)),
        Kind::Sequence(items) if rest.is_empty() => drop(items.remove(*first)),
        Kind::Mapping(entries) => without(&mut entries[*first].value, rest),
        Kind::Sequence(items) => without(&mut items[*first], rest),
        _ => {}
    }
}

#[test]
fn every_key_of_the_vocabulary_shows_when_it_is_taken_away() {
    let text = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/everything.yaml")).unwrap();
    // The architecture with a part of its tree taken away, unless that makes a mistake.
    let built = |path: &[usize]| -> Option<(Architecture, Node)> {
        let loader = MemoryLoader::default();
        let mut reader = Reader::new(&loader, Limits::default());
        let mut tree = reader.text("loadpath.yaml", text.clone()).unwrap();
        without(&mut tree.node, path);
        let node = tree.node.clone();
        let documents = reader.decode(vec![tree]);
        let (arch, findings) = build(&documents);
        let wrong = reader.findings.iter().chain(&findings).any(|f| f.severity == Severity::Error);
        (!wrong).then_some((arch, node))
    };
    let (whole, tree) = built(&[]).unwrap();
    let mut all = Vec::new();
    paths(&tree, &mut Vec::new(), "", &mut all);
    let (mut looked_at, mut silent) = (0, BTreeSet::new());
    for (path, name) in all {
        let Some((arch, _)) = built(&path) else { continue };
        looked_at += 1;
        let found = diff(Version { arch: &whole, findings: &[] }, Version { arch: &arch, findings: &[] });
        let expected = SILENT.iter().any(|(key, _)| name == *key || name.starts_with(&format!("{key}.")));
        if found.changes.is_empty() != expected {
            silent.insert(name);
        }
    }
    assert!(looked_at > 150, "{looked_at}");
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn many_changes_of_one_cause_are_told_once() {
    let with = |timeout: &str| {
        let calls: Vec<String> = (0..6).map(|i| format!("{{ call: s{i} Go }}")).collect();
        let others: Vec<String> = (0..6).map(|i| format!("s{i}: {{ endpoints: [Go] }}")).collect();
        one(&format!(
            "defaults: {{ call: {{ timeout: {timeout} }} }}\nservices: {{ web: {{ endpoints: {{ Go: {{ calls: [{}] }} }} }}, {} }}\n",
            calls.join(", "),
            others.join(", ")
        ))
    };
    let (found, old, new) = compared(&with("1s"), &with("2s"));
    insta::assert_snapshot!(rendered("human", &found, &old, &new));
}

#[test]
fn formats_of_a_diff() {
    let new = SHOP
        .replace("replicas: 2", "replicas: 1")
        .replace("timeout: 1s }, {", "timeout: 1s, retry: { num_retries: 2, per_try_timeout: 300ms } }, {")
        .replace("  ads: {", "  stock: { owner: \"a|b `c`\", endpoints: [Count, Move] }\n  ads: {");
    let owned = |text: &str| one(&format!("{text}lint: {{ rules: {{ missing-owner: allow }} }}\n"));
    let (found, old, new) = compared(&owned(SHOP), &owned(&new));
    insta::assert_snapshot!("human", rendered("human", &found, &old, &new));
    insta::assert_snapshot!("markdown", rendered("markdown", &found, &old, &new));
    let json = rendered("json", &found, &old, &new);
    fits_the_schema(&json);
    insta::assert_snapshot!("json", json);
}

/// A repository with one commit of two files, and the program in it.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diff").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("arch/teams")).unwrap();
        let this = Self(folder);
        this.write("arch/loadpath.yaml", "include: [teams/*.yaml]\nservices: { web: { replicas: 2, endpoints: { Go: { calls: [{ call: cart Items, timeout: 1s }] } } } }\n");
        this.write("arch/teams/cart.yaml", "services: { cart: { replicas: 2, endpoints: [Items] } }\n");
        for args in [
            &["init", "-q", "-b", "main", "."][..],
            &["add", "-A"],
            &["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"],
        ] {
            let done = Command::new("git").arg("-C").arg(&this.0).args(args).status().unwrap();
            assert!(done.success(), "git {args:?}");
        }
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn diff(&self, below: &str, args: &[&str]) -> (i32, String, String) {
        let mut program = assert_cmd::Command::cargo_bin("loadpath").unwrap();
        let program = program.current_dir(self.0.join(below)).env("NO_COLOR", "1").arg("diff").args(args);
        let output = program.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn revisions_are_read_with_what_they_include() {
    let repository = Repository::new("revisions");
    // The included file differs as well, and is gone under its old name.
    fs::remove_file(repository.0.join("arch/teams/cart.yaml")).unwrap();
    repository.write("arch/teams/basket.yaml", "services: { cart: { replicas: 3, endpoints: [Items] } }\n");
    for (below, args) in [
        (".", &["main:arch/loadpath.yaml", "arch/loadpath.yaml"][..]),
        (".", &["main:arch", "arch"]),
        (".", &["main", "arch/loadpath.yaml"]),
        (".", &["main", "arch"]),
        ("arch", &["HEAD"]),
        ("arch", &["main", "loadpath.yaml"]),
        ("arch", &["main:./loadpath.yaml", "loadpath.yaml"]),
        ("arch/teams", &["main:../loadpath.yaml", "../loadpath.yaml"]),
        ("arch/teams", &["main"]),
    ] {
        let (code, out, error) = repository.diff(below, args);
        assert_eq!((code, error.as_str()), (0, ""), "{below} {args:?}: {out}");
        assert!(out.contains("~ service  cart\n    replicas  2 → 3\n"), "{below} {args:?}: {out}");
        assert!(out.contains(": 1 change"), "{below} {args:?}: {out}");
    }
    let (_, out, _) = repository.diff("arch", &["main", "HEAD"]);
    assert!(out.ends_with("nothing changed in meaning\n"), "{out}");
    let (_, out, _) = repository.diff("arch", &["loadpath.yaml", "main"]);
    assert!(out.contains("replicas  3 → 2"), "{out}");
}

#[test]
fn what_cannot_be_compared_is_usage() {
    let repository = Repository::new("usage");
    repository.write("broken.yaml", "services: [\n");
    repository.write("away.yaml", "include: [../../../../Cargo.toml]\nservices: { web: {} }\n");
    for (args, says) in [
        (&["nowhere", "arch"][..], "there is no revision `nowhere`"),
        (&["nowhere.yaml", "arch"], "no such file"),
        (&["main:nowhere.yaml", "arch"], "cannot read `nowhere.yaml`: no such file"),
        (&["--", "--upload-pack=x:arch", "arch"], "there is no revision `--upload-pack=x`"),
        (&["broken.yaml", "arch"], "error[invalid-yaml]"),
        (&["arch", "broken.yaml"], "error[invalid-yaml]"),
        (&["main", "arch", "-f", "jsno"], "did you mean `json`?"),
    ] {
        let (code, out, error) = repository.diff(".", args);
        assert!(code == 2 && out.is_empty() && error.contains(says), "{args:?}: {code} {out}{error}");
    }
}

#[test]
fn the_exit_code_is_a_choice() {
    let repository = Repository::new("exit");
    let service = |retry: &str| {
        format!(
            "include: [teams/*.yaml]\nservices: {{ web: {{ replicas: 2, endpoints: {{ Go: {{ calls: [{{ call: cart Items, timeout: 1s{retry} }}] }} }} }} }}\n"
        )
    };
    let retry = ", retry: { num_retries: 3, per_try_timeout: 100ms, backoff: { base: 10ms } }";
    for (text, codes) in [
        (service(""), [0, 0, 0, 0]),
        (service(retry), [0, 1, 1, 0]),
        (service("") + "lint: { layers: [a] }\n", [0, 0, 1, 0]),
        (service("") + "communications: [{ from: web, to: nobody }]\n", [1, 1, 1, 0]),
    ] {
        repository.write("arch/loadpath.yaml", &text);
        for (on, expected) in ["error", "worse", "any", "never"].iter().zip(codes) {
            let (code, out, error) = repository.diff("arch", &["main", "--fail-on", on, "-f", "json"]);
            assert_eq!(code, expected, "{on}: {text}{out}{error}");
            fits_the_schema(&out);
        }
    }
}

#[test]
fn a_secret_is_told_to_have_changed_and_not_shown() {
    let with = |secret: &str| {
        one(&format!(
            "services: {{ web: {{ metadata: {{ DB_PASSWORD: {secret}, team: blue }}, endpoints: [Go] }} }}\n"
        ))
    };
    let (found, old, new) = compared(&with("correct-horse-7"), &with("battery-staple-9"));
    for format in ["human", "markdown", "json"] {
        let text = rendered(format, &found, &old, &new);
        assert!(text.contains("metadata.DB_PASSWORD") && text.contains("secret #"), "{text}");
        assert!(!text.contains("correct-horse") && !text.contains("battery"), "{text}");
    }
    assert!(compared(&with("correct-horse-7"), &with("correct-horse-7")).0.is_empty());
}
