//! What a finding is called does not depend on where it stands: renaming, reordering and splitting files
//! change no fingerprint, what has nothing to do with a service changes nothing that is said of it, and the
//! same input gives the same bytes on every run and for every number of threads.

mod support;

use std::collections::BTreeSet;
use support::judge::{Judged, judge};
use support::rng::Rng;
use support::system::System;
use support::yaml::{Habits, Kind, Style, Y, map, text, write};

/// Random systems looked at.
const SYSTEMS: u64 = 150;

fn written(files: &[(String, Y)], seed: u64) -> Vec<(String, String)> {
    let mut rng = Rng::new(seed);
    let habits =
        Habits { crlf: false, comments: 0, indent: 2, indent_lists: true, start: false, mark: false };
    files.iter().map(|(path, root)| (path.clone(), write(root, habits, &mut rng).0)).collect()
}

/// What each finding is, whatever its place.
fn identities(judged: &Judged) -> BTreeSet<String> {
    let one = |f: &loadpath::finding::Finding| {
        format!("{} {} {}: {}", f.severity, f.rule.id, f.fingerprint(), f.subjects.join(" + "))
    };
    judged.findings.iter().map(one).collect()
}

/// Both judged, and the difference shown where there is one.
fn same(seed: u64, before: &[(String, Y)], after: &[(String, Y)]) {
    let (before, after) = (written(before, seed), written(after, seed));
    let (old, new) = (identities(&judge(&before)), identities(&judge(&after)));
    let lost: Vec<_> = old.difference(&new).collect();
    let come: Vec<_> = new.difference(&old).collect();
    let shown = |files: &[(String, String)]| {
        files.iter().flat_map(|(path, text)| ["--- ", path, "\n", text]).collect::<String>()
    };
    assert!(
        lost.is_empty() && come.is_empty(),
        "seed {seed}\nlost {lost:#?}\nnew {come:#?}\n{}\n=====\n{}",
        shown(&before),
        shown(&after)
    );
}

fn section<'y>(root: &'y mut Y, key: &str) -> Option<&'y mut Vec<(Y, Y)>> {
    let Kind::Map(entries) = &mut root.kind else { return None };
    let (_, value) = entries.iter_mut().find(|(k, _)| k.as_text() == key)?;
    if let Kind::Map(inner) = &mut value.kind { Some(inner) } else { None }
}

#[test]
fn the_order_in_a_file_changes_no_identity() {
    for seed in 0..SYSTEMS {
        let mut rng = Rng::new(seed);
        let system = System::random(&mut rng);
        let mut other = system.clone();
        for (_, root) in &mut other.files {
            for key in ["services", "datastores", "queues", "topics"] {
                if let Some(entries) = section(root, key) {
                    rng.shuffle(entries);
                }
            }
            if let Kind::Map(entries) = &mut root.kind {
                rng.shuffle(entries);
            }
        }
        same(seed, &system.files, &other.files);
    }
}

#[test]
fn renaming_files_changes_no_identity() {
    for seed in 0..SYSTEMS {
        let system = System::random(&mut Rng::new(seed));
        let renamed = system.files.iter().map(|(path, root)| {
            let path = path.strip_prefix("teams/").map_or(path.clone(), |name| format!("teams/z-{name}"));
            (path, root.clone())
        });
        same(seed, &system.files, &renamed.collect::<Vec<_>>());
    }
}

#[test]
fn splitting_a_file_changes_no_identity() {
    for seed in 0..SYSTEMS {
        let mut rng = Rng::new(seed);
        let mut system = System::random(&mut rng);
        // Defaults hold for their own file: what leaves it means something else.
        system.files.truncate(1);
        let Kind::Map(entries) = &mut system.files[0].1.kind else { continue };
        entries.retain(|(key, _)| !matches!(key.as_text(), "defaults" | "include"));
        entries.push((text("include"), text("teams/*.yaml")));
        system.files.push(("teams/moved.yaml".to_owned(), map([("services", map::<&str>([]))])));
        let mut split = system.clone();
        let Some(services) = section(&mut split.files[0].1, "services") else { continue };
        let at = rng.below(services.len());
        let moved: Vec<_> = services.drain(at..).collect();
        let moved = Y { kind: Kind::Map(moved), style: Style::Plain, mark: None };
        split.files[1].1 = map([("services", moved)]);
        same(seed, &system.files, &split.files);
    }
}

#[test]
fn a_stranger_changes_nothing_that_is_said_of_others() {
    for seed in 0..SYSTEMS {
        let system = System::random(&mut Rng::new(seed));
        let mut other = system.clone();
        let stranger = map([("kind", text("job"))]);
        if let Some(services) = section(&mut other.files[0].1, "services") {
            services.push((text("zz-stranger"), stranger));
        }
        let said = |files: &[(String, Y)]| -> BTreeSet<String> {
            let judged = judge(&written(files, seed));
            let others = judged.findings.iter().filter(|f| !f.subjects.iter().any(|s| s == "zz-stranger"));
            others.map(|f| format!("{} {} {}", f.severity, f.fingerprint(), f.message)).collect()
        };
        assert_eq!(said(&system.files), said(&other.files), "seed {seed}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let pool = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (one, four) = (pool(1), pool(4));
    for seed in 0..SYSTEMS {
        let files = written(&System::random(&mut Rng::new(seed)).files, seed);
        let said = || {
            let judged = judge(&files);
            (judged.report("human"), judged.report("json"))
        };
        let first = one.install(said);
        assert_eq!(first, one.install(said), "seed {seed}: another run");
        assert_eq!(first, four.install(said), "seed {seed}: four threads");
    }
}
