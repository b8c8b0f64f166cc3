//! Texts that mean harm, or are merely broken: never a panic, never a hang, and a finding at the place.

#![expect(clippy::unwrap_used, reason = "a test whose thread is gone has failed")]

mod support;

use loadpath::finding::Severity;
use loadpath::lint;
use loadpath::model::Origin;
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;
use support::judge::{Judged, judge, judge_with};
use support::rng::Rng;
use support::shapes;
use support::system::System;
use support::yaml::{Habits, write};

/// Far more than any case takes: a hang is reported, slowness is not.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a case beside a watch.
fn watched<T: Send + 'static>(what: &str, case: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    let worker = std::thread::Builder::new().spawn(move || drop(send.send(case()))).unwrap();
    match receive.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: no end after {PATIENCE:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            let panic = worker.join().err();
            let text = panic.as_ref().and_then(|p| p.downcast_ref::<String>().cloned());
            panic!("{what}: {}", text.unwrap_or_default())
        }
    }
}

/// Judges and reports; every span must lie within its file, on characters.
fn survive(files: &[(String, Vec<u8>)]) -> Judged {
    let judged = judge(files);
    for finding in &judged.findings {
        for span in finding.spans() {
            let text = &judged.sources.file(span.file).text;
            let (start, end) = (span.start as usize, span.end as usize);
            let inside = start <= end && text.is_char_boundary(start) && text.is_char_boundary(end);
            assert!(
                inside,
                "{}: {start}..{end} of {} bytes: {}",
                finding.rule.id,
                text.len(),
                finding.message
            );
        }
    }
    for format in ["human", "json"] {
        assert!(!judged.report(format).is_empty(), "{format}");
    }
    judged
}

/// A change of a text's bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    Splice(usize, String),
    Lines(&'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let specials = prop::sample::select(vec![
        "&a ",
        "*a",
        "<<: *a",
        "!!binary ",
        "!x ",
        "|\n",
        ">-\n",
        "? ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "#",
        "'",
        "\"",
        "%YAML 1.2\n",
        "---\n",
        "...\n",
        "\t",
        "\0",
        "\r",
        "\u{feff}",
        "\u{2028}",
        "\u{85}",
        "~",
        "null",
        "\\x",
        "0x1F",
        ".inf",
        "1e999",
        "-",
        "99999999999999999999999",
        "\u{1f469}\u{200d}\u{1f680}",
        "e\u{301}",
        "\u{202e}",
        "include: [loadpath.yaml]\n",
        "services: ",
        "overlay: true\n",
        "@",
        "`",
        "services:\n  a: &a\n    b: *a\n",
        "  ",
        "\n\n",
        "# loadpath: allow[",
        "]",
    ]);
    prop_oneof![
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, with)| Change::Flip(at, with)),
        1 => any::<usize>().prop_map(Change::Cut),
        1 => (any::<usize>(), 0..200_usize).prop_map(|(at, n)| Change::Remove(at, n)),
        1 => (any::<usize>(), 1..6_usize).prop_map(|(at, n)| Change::Repeat(at, n)),
        6 => (any::<usize>(), specials).prop_map(|(at, text)| Change::Splice(at, text.to_owned())),
        2 => (any::<usize>(), "\\PC{0,12}").prop_map(|(at, text)| Change::Splice(at, text)),
        1 => prop::sample::select(vec!["\r\n", "\r", "\n\n"]).prop_map(Change::Lines),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    let place = |at: usize| if length == 0 { 0 } else { at % length };
    match change {
        Change::Flip(at, with) if length > 0 => bytes[place(*at)] ^= with,
        Change::Flip(..) => {}
        Change::Cut(at) => bytes.truncate(place(*at)),
        Change::Remove(at, n) => drop(bytes.drain(place(*at)..(place(*at) + n).min(length))),
        Change::Repeat(at, n) => {
            // Whole lines, from the one that holds the byte.
            let start = bytes[..place(*at)].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let rest = &bytes[start..];
            let ends = rest.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1);
            let lines = rest[..ends.take(*n).last().unwrap_or(0)].to_vec();
            bytes.splice(start..start, lines);
        }
        Change::Splice(at, text) => drop(bytes.splice(place(*at)..place(*at), text.bytes())),
        Change::Lines(end) => {
            *bytes = String::from_utf8_lossy(bytes).replace('\n', end).into_bytes();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_documents_are_survived(seed in 0..400_u64, changes in prop::collection::vec(change(), 1..8)) {
        let mut rng = Rng::new(seed);
        let mut system = System::random(&mut rng);
        let habits = Habits { crlf: false, comments: 5, indent: 2, indent_lists: true, start: false, mark: false };
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (path, root) in &mut system.files {
            root.restyle(&mut rng, 30, 20);
            files.push((path.clone(), write(root, habits, &mut rng).0.into_bytes()));
        }
        for (i, change) in changes.iter().enumerate() {
            let which = i % files.len();
            apply(&mut files[which].1, change);
        }
        watched("a mutated document", move || survive(&files));
    }
}

/// Judges texts and compares every error: `rule file:line:column: message`, from its start.
fn check(name: &str, files: &[(&str, &[u8])], expected: &[&str]) {
    assert_eq!(compare(name, files, expected), None);
}

fn compare(name: &str, files: &[(&str, &[u8])], expected: &[&str]) -> Option<String> {
    let owned: Vec<_> = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let lines = watched(name, move || errors(&survive(&owned)));
    let same = lines.len() == expected.len()
        && lines.iter().zip(expected).all(|(line, start)| line.starts_with(start));
    let shown: Vec<String> = lines.iter().take(20).map(|l| l.chars().take(300).collect()).collect();
    (!same).then(|| format!("{name}: found {shown:#?} and not {expected:#?}"))
}

fn errors(judged: &Judged) -> Vec<String> {
    let lines = judged.findings.iter().zip(judged.lines());
    lines.filter(|(f, _)| f.severity == Severity::Error).map(|(_, line)| line).collect()
}

fn one(name: &str, text: &str, expected: &[&str]) {
    check(name, &[("a.yaml", text.as_bytes())], expected);
}

#[test]
fn bombs_stop_at_a_limit() {
    let mut laughs = "x-a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
    for i in 1..10 {
        let aliases = vec![format!("*a{}", i - 1); 9].join(", ");
        let _ = writeln!(laughs, "x-a{i}: &a{i} [{aliases}]");
    }
    one(
        "a billion laughs",
        &laughs,
        &["limit-exceeded a.yaml:6:37: aliases repeat 548030 values, and 20 are written"],
    );
    let flow = format!("x-a: {}", "[".repeat(100_000));
    one("nested lists", &flow, &["limit-exceeded a.yaml:1:70: nested more than 64 levels deep"]);
    let flow = format!("x-a: {}", "{a: ".repeat(100_000));
    one("nested mappings", &flow, &["limit-exceeded a.yaml:1:258: nested more than 64 levels deep"]);
    let block: String = (0..1000).fold(String::new(), |all, i| all + &" ".repeat(i) + "x-a:\n");
    one("deep indentation", &block, &["limit-exceeded a.yaml:65:65: nested more than 64 levels deep"]);
    one(
        "a line of dashes",
        &"- ".repeat(100_000),
        &["limit-exceeded a.yaml:1:129: nested more than 64 levels deep"],
    );
}

#[test]
fn large_texts_are_read_in_a_moment() {
    let large = "a".repeat(10_000_000);
    one("a large text", &format!("description: {large}\n"), &[]);
    one("a large text in quotes", &format!("description: \"{large}\"\n"), &[]);
    let wrong = format!("services: {{ web: {{ kind: {large} }} }}");
    one(
        "a large wrong word",
        &wrong,
        &[
            "invalid-value a.yaml:1:26: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` is no value of `kind`",
        ],
    );
    let key = large.split_at(1000).0;
    one("a large key", &format!("{key}: 1"), &["unknown-field a.yaml:1:1: unknown key `aaaa"]);
    let keys = (0..100_000).fold(String::new(), |all, i| all + &format!("  key-{i}: {i}\n"));
    one("many keys", &format!("x-keys:\n{keys}"), &[]);
    one("many merged keys", &format!("x-keys: &keys\n{keys}x-more:\n  <<: *keys\n"), &[]);
    let services =
        keys.lines().fold(String::new(), |all, line| all + line.split(": ").next().unwrap() + ": {}\n");
    one("many services", &format!("services:\n{services}"), &[]);
}

#[test]
fn many_mistakes_are_found_in_a_moment() {
    let unknown =
        (0..20_000).fold("services:\n".to_owned(), |all, i| all + &format!("  s{i}: {{ nonsense: {i} }}\n"));
    let twice = format!("metadata: {{}}\nx-keys:\n{}", "  key: 1\n".repeat(100_000));
    let one_place = (0..10_000).fold(String::new(), |all, i| all + &format!("nonsense-{i}: {i}\n"));
    let many = |line: fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let endpoints = "services:\n  web:\n    endpoints:\n".to_owned()
        + &many(|i| format!("      Get{i}: {{}}\n"))
        + "  app:\n    endpoints:\n      Get:\n        calls:\n"
        + &many(|i| format!("          - call: web Put{i}\n"));
    for (name, text, count) in [
        ("unknown keys", unknown, 20_000),
        ("unknown keys in one place", one_place, 10_000),
        ("one key again and again", twice, 100_000),
        ("undefined names", shapes::unknown(20_000), 20_000),
        ("undefined endpoints", endpoints, 20_000),
    ] {
        let found =
            watched(name, move || errors(&survive(&[("a.yaml".to_owned(), text.into_bytes())])).len());
        assert_eq!(found, count, "{name}");
    }
}

#[test]
fn the_worst_graphs_pass_every_rule() {
    let pedantic = lint::all_rules().filter(|rule| rule.pedantic);
    let all =
        pedantic.fold(String::new(), |all, rule| all + &format!("    {}: {{ level: warning }}\n", rule.id));
    let listed = (0..10_000).fold("services:\n".to_owned(), |all, i| {
        all + &format!("  s{i}: {{ dependencies: [s{}] }}\n", (i + 1) % 10_000)
    });
    // What follows from the shape; of rules that are not named nothing is expected.
    let told = ["request-loop", "cyclic-dependency", "deep-call-chain", "high-fan-in", "high-fan-out"];
    for (name, text, calls, expected) in [
        ("a chain", shapes::chain(100_000), 99_999, [0, 0, 1, 0, 0]),
        ("a ring", shapes::ring(10_000), 10_000, [1, 0, 0, 0, 0]),
        ("a ring of dependencies", listed, 10_000, [0, 1, 0, 0, 0]),
        ("a star inward", shapes::star_in(10_000), 9_999, [0, 0, 0, 1, 0]),
        ("a star outward", shapes::star_out(10_000), 9_999, [0, 0, 0, 0, 1]),
        ("all with all", shapes::complete(300), 300 * 299, [1, 0, 0, 300, 300]),
    ] {
        let text = format!("{text}lint:\n  rules:\n{all}");
        let judged = watched(name, move || survive(&[("a.yaml".to_owned(), text.into_bytes())]));
        let count = |rule: &str| judged.findings.iter().filter(|f| f.rule.id == rule).count();
        assert_eq!(told.map(count), expected, "{name}: {told:?}");
        assert_eq!(judged.arch.graph.edge_count(), calls, "{name}");
        assert!(errors(&judged).iter().all(|line| line.starts_with("request-loop")), "{name}");
    }
}

#[test]
fn includes_that_go_nowhere_or_round() {
    let file = |text: &'static str| text.as_bytes();
    check(
        "itself",
        &[("a.yaml", file("include: a.yaml"))],
        &["include-cycle a.yaml:1:10: `a.yaml` includes itself"],
    );
    check(
        "two",
        &[("a.yaml", file("include: b.yaml")), ("b.yaml", file("name: b\ninclude: [a.yaml]"))],
        &["include-cycle b.yaml:2:11: `a.yaml` includes itself"],
    );
    check(
        "three",
        &[
            ("a.yaml", file("include: x/b.yaml")),
            ("x/b.yaml", file("include: c.yaml")),
            ("x/c.yaml", file("include: [../a.yaml]")),
        ],
        &["include-cycle x/c.yaml:1:11: `a.yaml` includes itself"],
    );
    check(
        "by a pattern",
        &[("x/a.yaml", file("include: '*.yaml'")), ("x/b.yaml", file("name: b"))],
        &["include-cycle x/a.yaml:1:10: `x/a.yaml` includes itself"],
    );
    check(
        "nothing there",
        &[("a.yaml", file("include: [b.yaml]"))],
        &["unreadable-file a.yaml:1:11: `b.yaml` matches no file"],
    );
    check(
        "a pattern of nothing",
        &[("x/a.yaml", file("include: t/*.yaml"))],
        &["unreadable-file x/a.yaml:1:10: `x/t/*.yaml` matches no file"],
    );
    check(
        "a broken pattern",
        &[("a.yaml", file("include: '[a'"))],
        &["unreadable-file a.yaml:1:10: cannot read `[a`"],
    );
    check(
        "no path",
        &[("a.yaml", file("include: [{ a: b }]"))],
        &["invalid-value a.yaml:1:11: `include` wants a text, found a mapping"],
    );
    check(
        "the same file from two",
        &[
            ("a.yaml", file("include: [b.yaml, c.yaml]")),
            ("b.yaml", file("include: c.yaml")),
            ("c.yaml", file("services: { web: {} }")),
        ],
        &[],
    );
    // What defines it may stand in the file that is missing.
    check(
        "undefined names beside a missing file",
        &[("a.yaml", file("include: b.yaml\nservices: { web: { dependencies: [cart] } }"))],
        &["unreadable-file a.yaml:1:10: `b.yaml` matches no file"],
    );
}

#[test]
fn bytes_that_are_no_text() {
    check(
        "in the middle",
        &[("a.yaml", b"name: shop\nx-n: gr\xfc\xdfe\n")],
        &["not-utf8 a.yaml:2:8: byte 19 is not UTF-8"],
    );
    check(
        "behind other letters",
        &[("a.yaml", b"x-\xc3\xa9: \xff")],
        &["not-utf8 a.yaml:1:6: byte 7 is not UTF-8"],
    );
    check("cut at the end", &[("a.yaml", b"name: \xe2\x82")], &["not-utf8 a.yaml:1:7: byte 7 is not UTF-8"]);
    check("UTF-16", &[("a.yaml", b"\xff\xfen\0a\0")], &["not-utf8 a.yaml:1:1: byte 1 is not UTF-8"]);
    check(
        "a byte-order mark",
        &[("a.yaml", b"\xef\xbb\xbfname: shop\nkind: x")],
        &["unknown-field a.yaml:2:1: unknown key `kind`"],
    );
    check("nothing", &[("a.yaml", b"")], &[]);
    check("a null byte", &[("a.yaml", b"name: a\0b")], &["invalid-yaml a.yaml:1:8: "]);
}

/// Name, text, errors.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, &[&str])] = &[
    ("only remarks", "# nothing\n\n# here", &[]),
    ("only a start", "---\n", &[]),
    ("a list", "- a\n- b", &["invalid-value a.yaml:1:1: `the document` wants a mapping, found a list"]),
    ("a word", "shop", &["invalid-value a.yaml:1:1: `the document` wants a mapping, found `shop`"]),
    ("a tab", "services:\n  web:\n\t  kind: job", &["invalid-yaml a.yaml:3:1: "]),
    ("a tab behind spaces, which is no indentation", "services:\n  web:\n    \tkind: job", &[]),
    ("CRLF", "services:\r\n  web:\r\n    kind: jbo\r\n    replicas: 0\r\n", &["invalid-value a.yaml:3:11: `jbo` is no value of `kind`", "invalid-value a.yaml:4:15: `replicas` wants"]),
    ("wide letters", "services: { プラット: { kind: jbo } }", &["invalid-value a.yaml:1:27: `jbo` is no value of `kind`"]),
    ("a second document", "name: a\n---\nname: b\n", &["invalid-yaml a.yaml:3:1: a second document in one file"]),
    ("a key twice", "name: a\nservices: {}\nname: b\n", &["duplicate-definition a.yaml:3:1: `name` is given twice"]),
    ("a quoted key twice", "name: a\n\"name\": b\n", &["duplicate-definition a.yaml:2:1: `name` is given twice"]),
    ("a key thrice", "name: a\nname: b\nname: c", &["duplicate-definition a.yaml:2:1: `name`", "duplicate-definition a.yaml:3:1: `name`"]),
    ("a merged key given again", "x-a: &a { kind: job, tier: 1 }\nservices:\n  web:\n    <<: *a\n    kind: cron\n", &[]),
    ("a mistake behind an alias, once", "x-a: &a { kind: jbo }\nservices:\n  web: *a\n  cart: *a\n", &["invalid-value a.yaml:1:17: `jbo` is no value of `kind`"]),
    ("an alias of nothing", "name: *shop", &["invalid-yaml a.yaml:1:7: while parsing node, found unknown anchor"]),
    ("an alias of itself", "services: &a { web: *a }", &["invalid-yaml a.yaml:1:21: this alias refers to a value that contains it"]),
    ("a list for a key", "? [a, b]\n: 1\nnmae: a", &["invalid-yaml a.yaml:1:3: a key must be a single value, not a list", "unknown-field a.yaml:3:1: unknown key `nmae`"]),
    ("a mapping for a key", "services: { ? { a: b } : {} }", &["invalid-yaml a.yaml:1:15: a key must be a single value, not a mapping"]),
    ("braces of a path", "services: { web: { endpoints: { GET /{id}: {} } } }", &["invalid-yaml a.yaml:1:38: "]),
    ("an open quote", "name: 'shop\nservices: {}\n", &["invalid-yaml a.yaml:"]),
    ("an open brace", "services: { web: {}\n", &["invalid-yaml a.yaml:"]),
    ("a colon in a text", "description: one: two", &["invalid-yaml a.yaml:1:17: mapping values are not allowed"]),
    ("a large count", "services: { web: { replicas: 99999999999999999999 } }", &["invalid-value a.yaml:1:30: `replicas` wants a whole number from 1 to 1000000, found `99999999999999999999`"]),
    ("a large power", "defaults: { call: { timeout: 1e400s } }", &["invalid-value a.yaml:1:30: `1e400s` has the unknown unit `e`"]),
    ("a long fraction", "network: { latency: 0.00000000000000000000001s }", &["invalid-value a.yaml:1:21: "]),
    ("infinity", "services: { web: { instances: [{ speed: .inf }] } }", &["invalid-value a.yaml:1:41: `speed` wants a number from 0 to 1000000000000, found `.inf`"]),
    ("a number of another base", "services: { web: { replicas: 0o17 } }", &["invalid-value a.yaml:1:30: `replicas` wants"]),
    ("a tagged value", "name: !secret shop\nservices: !!map {}", &[]),
    ("keys of one's own", "x-a: 1\nservices: { web: { x-b: [], endpoints: { Get: { x-c: {}, calls: [{ call: web, x-d: 1, retry: { x-e: 1 }, probability: 0% }], max_recursion: 1 } } } }\nlint: { x-f: 1 }\nqueues: { q: { x-g: 1 } }\nscenarios: { s: { x-h: 1 } }", &[]),
    ("sections of another form", "services: 5\nqueues: [a]\ntraffic: [{ to: web, rate: 5/s }]", &["invalid-value a.yaml:1:11: `services` wants a mapping, found `5`", "invalid-value a.yaml:2:9: `queues` wants a mapping, found a list"]),
    ("a step of a misspelt kind", "services: { web: { endpoints: { Get: { calls: [{ publsh: q, tpye: t }] } } }\n}\nqueues: { q: {} }", &["unknown-field a.yaml:1:50: unknown key `publsh`", "unknown-field a.yaml:1:61: unknown key `tpye`"]),
];

#[test]
fn broken_texts_are_named_at_their_place() {
    let cases = BROKEN.iter();
    let wrong: Vec<_> =
        cases.filter_map(|(name, text, e)| compare(name, &[("a.yaml", text.as_bytes())], e)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let long = format!("network: {{ latency: {}s }}", "9".repeat(400));
    one("400 digits", &long, &["invalid-value a.yaml:1:21: `999"]);
}

const SHOP: &str = "\
services:
  web: { replicas: 3, endpoints: { GET /a.b: { calls: [{ call: cart Add }] } } }
  cart: { endpoints: [Add] }
";

#[test]
fn settings_of_the_command_line() {
    for (set, expected) in [
        ("services.web.replicas=5", ""),
        ("services.web.endpoints.\"GET /a.b\".calls[0].timeout=2s", ""),
        (
            "services.wbe.replicas=5",
            "invalid-value --set services.wbe.replicas:1:1: services has no `wbe` to set\ndid you mean `web`?",
        ),
        (
            "services.web.replicas",
            "invalid-value --set services.web.replicas:1:1: `--set services.web.replicas` has no value",
        ),
        (
            "services..replicas=5",
            "invalid-value --set services..replicas:1:1: `services..replicas` is not a path",
        ),
        (
            "services.web.replicas=many",
            "invalid-value --set services.web.replicas:1:1: `replicas` wants a whole number",
        ),
        ("services.web.replcas=5", "unknown-field --set services.web.replcas:1:1: unknown key `replcas`"),
        (
            "services.web.endpoints.\"GET /a.b\".calls[7].timeout=2s",
            "invalid-value --set services.web.endpoints.\"GET /a.b\".calls[7].timeout:1:1: `[7]`: the list has 1 items",
        ),
        (
            "services.web.replicas[0]=2",
            "invalid-value --set services.web.replicas[0]:1:1: `[0]`: there is no list",
        ),
        ("name=[a", "invalid-yaml --set name:1:"),
        ("name={ a: b }", "invalid-value --set name:1:1: `name` wants a text, found a mapping"),
    ] {
        let judged = judge_with(&[("a.yaml", SHOP)], &[], &[set]);
        let found = errors(&judged).first().cloned().unwrap_or_default();
        let help =
            judged.findings.iter().find(|f| f.severity == Severity::Error).and_then(|f| f.help.first());
        let shown = format!("{found}\n{}", help.cloned().unwrap_or_default());
        assert!(shown.starts_with(expected) && found.is_empty() == expected.is_empty(), "{set}: {shown}");
    }
}

#[test]
fn overlays_lie_on_top() {
    let replicas = |judged: &[loadpath::spec::FileDocument]| {
        let web = judged.iter().find_map(|d| d.document.services.as_ref()?.0.get("web").cloned());
        web.and_then(|w| w.replicas.map(|r| r.0))
    };
    let read = |files: &[(&str, &str)], overlays: &[&str]| {
        let loader = MemoryLoader::new(files.iter().map(|(p, t)| (*p, t.as_bytes())));
        let mut reader = Reader::new(&loader, Limits::default());
        let roots = reader.root(files[0].0).into_iter().collect();
        let mut trees = reader.includes(roots);
        trees.extend(overlays.iter().filter_map(|path| reader.overlay(path)).collect::<Vec<_>>());
        let documents = reader.decode(trees);
        (
            replicas(&documents),
            reader
                .findings
                .iter()
                .map(|f| format!("{}: {} {:?}", f.rule.id, f.message, f.help))
                .collect::<Vec<_>>(),
        )
    };
    let none: Vec<String> = Vec::new();
    let over = "services: { web: { replicas: 9 } }";
    assert_eq!(
        read(&[("a.yaml", SHOP), ("o.yaml", over)], &["o.yaml"]),
        (Some(9), none.clone()),
        "an overlay file"
    );
    let two = [("a.yaml", SHOP), ("o.yaml", over), ("p.yaml", "services: { web: { replicas: 7 } }")];
    assert_eq!(read(&two, &["o.yaml", "p.yaml"]).0, Some(7), "the last one counts");
    assert_eq!(read(&two, &["p.yaml", "o.yaml"]).0, Some(9), "the last one counts");
    let root = format!("include: o.yaml\n{SHOP}");
    let marked = "services: { web: { overlay: true, replicas: 8 } }";
    assert_eq!(
        read(&[("a.yaml", &root), ("o.yaml", marked)], &[]),
        (Some(8), none.clone()),
        "a marked definition"
    );
    let file = "overlay: true\nservices: { web: { replicas: 6 } }";
    assert_eq!(read(&[("a.yaml", &root), ("o.yaml", file)], &[]), (Some(6), none.clone()), "a marked file");
    let unknown = "services: { wbe: { overlay: true } }";
    let says =
        "invalid-value: `wbe` lies on top of nothing: no other file defines it [\"did you mean `web`?\"]";
    assert_eq!(
        read(&[("a.yaml", &root), ("o.yaml", unknown)], &[]),
        (Some(3), vec![says.to_owned()]),
        "of nothing"
    );
    let again = read(&[("a.yaml", &root), ("o.yaml", over)], &[]);
    assert_eq!((again.0, again.1.len()), (Some(3), 1), "without a mark it is defined twice: {:?}", again.1);
}

#[test]
fn the_nearest_layer_wins_key_by_key() {
    let text = |call: &str, caller: &str, upstream: &str, file: &str| {
        format!(
            "defaults: {{ call: {{ {file} }} }}\nupstreams: {{ cart: {{ {upstream} }} }}\nservices:\n  web: {{ defaults: {{ call: {{ {caller} }} }}, endpoints: {{ Get: {{ calls: [{{ call: cart, {call} }}] }} }} }}\n  cart: {{ endpoints: [Add] }}\n"
        )
    };
    let inherited = |what: &str| Origin::Inherited(what.to_owned());
    for (call, caller, upstream, file, timeout, origin) in [
        ("timeout: 1s", "timeout: 2s", "timeout: 3s", "timeout: 4s", Some("1s"), Origin::Own),
        ("", "timeout: 2s", "timeout: 3s", "timeout: 4s", Some("2s"), inherited("the defaults of `web`")),
        ("", "", "timeout: 3s", "timeout: 4s", Some("3s"), inherited("upstreams.cart")),
        ("", "", "", "timeout: 4s", Some("4s"), inherited("defaults")),
        ("timeout: none", "timeout: 2s", "", "", None, Origin::Own),
    ] {
        let (documents, _, findings) =
            loadpath::spec::read_text("a.yaml", &text(call, caller, upstream, file));
        let (arch, unresolved) = loadpath::model::build(&documents);
        assert!(findings.is_empty() && unresolved.is_empty(), "{findings:?} {unresolved:?}");
        let (_, edge) = arch.edges().next().unwrap();
        assert_eq!(edge.timeout().map(|t| t.value.to_string()).as_deref(), timeout);
        let span = edge.policy.timeout.as_ref().unwrap().span;
        assert_eq!(arch.layers.origin(span), origin, "{call} / {caller} / {upstream} / {file}");
    }
}
