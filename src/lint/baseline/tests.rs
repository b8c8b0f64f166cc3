//! What is forgiven, what is stale, and that what is written is read again.

use super::*;
use crate::source::MemoryLoader;
use crate::spec::Limits;
use proptest::prelude::*;

static RULE: &RuleInfo = &crate::model::rules::UNDEFINED_SERVICE;

/// A finding about each letter.
fn findings(about: &str) -> Vec<Finding> {
    about.chars().map(|c| Finding::new(RULE, Span::default(), format!("about {c}")).about(c)).collect()
}

/// A baseline of a finding about each letter.
fn baseline(about: &str) -> Baseline {
    let mut baseline = Baseline::new(vec!["shop.yaml".to_owned()]);
    baseline.grow(&findings(about));
    baseline
}

fn read(text: &str) -> (Option<Baseline>, Vec<String>, bool) {
    let loader = MemoryLoader::new([("baseline.yaml", text)]);
    let mut reader = Reader::new(&loader, Limits::default());
    let baseline = Baseline::read(&mut reader, "baseline.yaml");
    let said = |f: &Finding| format!("{}: {}", f.rule.id, reader.sources.text(f.primary.span));
    (baseline, reader.findings.iter().map(said).collect(), reader.broken)
}

#[test]
fn as_many_are_forgiven_as_are_listed() {
    for (listed, found, new) in [
        ("ab", "ab", ""),
        ("ab", "ba", ""),
        ("ab", "abc", "c"),
        ("aa", "aa", ""),
        ("aa", "aaa", "a"),
        ("a", "aaa", "aa"),
        ("", "a", "a"),
        ("abc", "b", ""),
    ] {
        let mut found = findings(found);
        baseline(listed).forgive(&mut found);
        let left: String = found.iter().filter(|f| f.counts()).map(|f| f.subjects[0].clone()).collect();
        assert_eq!(left, new, "{listed}");
        let told = |f: &&Finding| f.notes.iter().any(|n| n.contains("which of them is new"));
        let like: String = found.iter().filter(told).map(|f| f.subjects[0].clone()).collect();
        let expected: String = new.chars().filter(|c| listed.contains(*c)).collect();
        assert_eq!(like, expected, "{listed}: one of several like it");
    }
}

#[test]
fn what_no_longer_occurs_is_taken_out_and_nothing_else() {
    for (listed, found, left) in [
        ("ab", "ab", "ab"),
        ("ab", "b", "b"),
        ("aab", "ab", "ab"),
        ("aa", "aaa", "aa"),
        ("ab", "", ""),
        ("a", "b", ""),
    ] {
        let mut shrunk = baseline(listed);
        let stale = shrunk.stale(&findings(found), &|_| true);
        shrunk.shrink(&stale);
        assert_eq!(shrunk, baseline(left), "{listed}, {found}");
        let surplus: usize = stale.iter().map(Stale::surplus).sum();
        assert_eq!(surplus, listed.len() - left.len(), "{listed}, {found}");
        let ran = |rule: &str| rule != RULE.id;
        assert_eq!(baseline(listed).stale(&findings(found), &ran), [], "its rule did not run");
    }
}

#[test]
fn a_stale_entry_says_what_is_left_of_it() {
    let said = |listed: &str, found: &str| {
        let stale = baseline(listed).stale(&findings(found), &|_| true);
        let told = |s: &Stale| (s.finding().message, s.finding().help.concat());
        stale.iter().map(told).collect::<Vec<_>>()
    };
    let rule = RULE.id;
    let gone = (format!("`{rule}` no longer occurs at `a`"), "delete the line; a run outside of CI does");
    assert_eq!(said("aa", ""), [(gone.0, gone.1.to_owned())]);
    let fewer = (
        format!("`{rule}` occurs 1×, no longer 3×, at `a`"),
        "write `count: 1`; a run outside of CI does".to_owned(),
    );
    assert_eq!(said("aaa", "a"), [fewer]);
    assert_eq!(said("a", "aa"), []);
}

#[test]
fn what_a_comment_suppresses_is_not_the_baselines() {
    let mut found = findings("ab");
    found[0].suppressed = true;
    let mut new = Baseline::default();
    assert!(new.is_empty());
    assert_eq!(new.grow(&found), 1);
    assert!(!new.is_empty());
    assert_eq!(baseline("ab").stale(&found, &|_| true).len(), 1, "forgiven twice");
    let mut itself = vec![Finding::new(&STALE_BASELINE, Span::default(), "old").about("a")];
    assert_eq!(new.grow(&itself), 0);
    new.forgive(&mut itself);
    assert!(itself[0].counts());
}

#[test]
fn entries_of_unknown_rules_are_told_apart() {
    let text = "version: 1\nfindings:\n- { rule: time-travel, fingerprint: 0123456789abcdef }\n";
    let (baseline, said, _) = read(text);
    assert_eq!(said, [""; 0]);
    let stale = baseline.unwrap().stale(&[], &|_| false);
    assert!(stale.len() == 1 && !stale[0].known);
}

#[test]
fn mistakes_point_at_their_bytes_and_hide_nothing() {
    let entry = "{ rule: missing-timeout, fingerprint: \"0123456789abcdef\" }";
    for (text, expected, broken) in [
        (format!("version: 1\nfindings: [{entry}]\n"), vec![], false),
        (format!("version: 1\nfindings: [{entry}, {entry}]\n"), vec![], false),
        (format!("version: 2\nfindings: [{entry}]\n"), vec!["invalid-value: 2"], true),
        ("findings: []\n".to_owned(), vec!["invalid-value: findings"], false),
        (
            "version: 1\nfindings: [{ rule: a, fingerprint: 0123 }, { rule: b, fingerprnt: 0123456789abcdef }]\n"
                .to_owned(),
            vec!["invalid-value: 0123", "unknown-field: fingerprnt"],
            false,
        ),
        (
            "version: 1\nfindings: [{ rule: a, fingerprint: 0123456789abcdef, count: 0 }]".to_owned(),
            vec!["invalid-value: 0"],
            false,
        ),
        ("version: 1\nfindings: 7\n".to_owned(), vec!["invalid-value: 7"], false),
        ("just words".to_owned(), vec!["invalid-value: just words"], true),
        ("version: [".to_owned(), vec!["invalid-yaml: ["], true),
        ("<<<<<<< a\nversion: 1\n".to_owned(), vec!["invalid-yaml: :"], true),
    ] {
        let (_, said, is_broken) = read(&text);
        assert_eq!((said.iter().map(String::as_str).collect::<Vec<_>>(), is_broken), (expected, broken), "{text}");
    }
}

#[test]
fn the_same_line_from_both_sides_of_a_merge_counts_once() {
    let line = "- { rule: missing-timeout, about: a, fingerprint: 0123456789abcdef";
    let (baseline, ..) = read(&format!("version: 1\nfindings:\n{line} }}\n{line}, count: 2 }}\n"));
    assert_eq!(baseline.unwrap().len(), 2);
}

#[test]
fn a_file_has_a_line_per_entry_in_order() {
    let mut baseline = baseline("cabb");
    baseline.grow(&[Finding::new(&crate::model::rules::UNDEFINED_QUEUE, Span::default(), "no \"b\"\n\\")]);
    insta::assert_snapshot!(baseline.text());
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(about in prop::collection::vec(any::<String>(), 0..8), of in any::<String>()) {
        let mut written = Baseline::new(vec![of]);
        let found: Vec<_> = about.iter().map(|a| Finding::new(RULE, Span::default(), "m").about(a)).collect();
        written.grow(&found);
        let text = written.text();
        let (read, said, _) = read(&text);
        prop_assert_eq!(said, Vec::<String>::new(), "{}", text);
        let read = read.unwrap();
        prop_assert_eq!(&read.of, &written.of);
        prop_assert_eq!(read.text(), text);
        prop_assert_eq!(read.stale(&found, &|_| true), []);
        let mut found = found;
        read.forgive(&mut found);
        prop_assert!(found.iter().all(|f| f.baselined));
    }

    #[test]
    fn a_baseline_never_grows_by_itself(listed in "[a-d]{0,8}", found in "[a-d]{0,8}") {
        let mut shrunk = baseline(&listed);
        let stale = shrunk.stale(&findings(&found), &|_| true);
        shrunk.shrink(&stale);
        for c in "abcd".chars() {
            let count = |text: &str| text.matches(c).count();
            let entry = shrunk.entries.get(&key(&findings(&c.to_string())[0])).map_or(0, |e| e.count as usize);
            prop_assert_eq!(entry, count(&listed).min(count(&found)));
        }
    }
}
