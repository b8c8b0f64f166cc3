//! `check --baseline`: when the file is read, judged and written.
//!
//! A baseline only shrinks, and only where it is certain that something no longer occurs: everything could
//! be read, the same paths, overlays and values are checked as when it was made, and the rule of the entry
//! ran. In CI, under `--watch` and `--diff`, and where it cannot be written, its stale entries are findings
//! instead. It grows by
//! `--update-baseline` alone, and never while it has mistakes: what cannot be read would be lost.

use super::args::CheckArgs;
use super::disk::Disk;
use super::input::System;
use crate::finding::{self, Finding};
use crate::lint::baseline::{STALE_BASELINE, Stale};
use crate::lint::{Baseline, Settings};
use crate::spec::{Limits, Reader};
use anyhow::{Context, Result, bail};
use std::path::{Component, Path, PathBuf};

/// Marks what the baseline forgives, judges its entries, writes it where that is due. Several systems share
/// the file; what is to be said of it is said with the first.
pub fn apply(args: &CheckArgs, path: &str, systems: &mut [System]) -> Result<()> {
    let of = scope(args, systems, path)?;
    let fresh = args.update_baseline && !Path::new(path).exists();
    let Some(first) = systems.first_mut() else { return Ok(()) };
    let baseline = if fresh { Some(Baseline::new(of.clone())) } else { read(path, first) };
    let wrong = first.findings.iter().any(|f| is_about(first, f, path));
    let readable = baseline.is_some();
    let baseline = baseline.unwrap_or_default();
    baseline.forgive(systems.iter_mut().flat_map(|system| &mut system.findings));
    for system in systems.iter_mut() {
        system.compared = true;
    }
    let broken = systems.iter().any(|system| system.broken);
    let stale = stale(&baseline, systems);
    let Some(first) = systems.first_mut() else { return Ok(()) };
    if broken || wrong || !readable {
        if args.update_baseline {
            let why = if wrong { "it has mistakes" } else { "not everything could be read" };
            first.notes.push(format!("`{path}` was not written: {why}"));
        }
        return Ok(());
    }
    if args.update_baseline {
        if baseline.of != of {
            bail!("`{path}` is a baseline {}: name the same, or delete it", made_of(&baseline.of));
        }
        return update(path, baseline, &stale, systems);
    }
    let settings = Settings::new(&first.arch.lint, &mut Vec::new());
    if stale.is_empty() || !settings.is_on(&STALE_BASELINE) {
        return Ok(());
    }
    if baseline.of != of {
        let not_judged =
            format!("`{path}` is a baseline {}: its entries were not judged", made_of(&baseline.of));
        first.notes.push(not_judged);
        return Ok(());
    }
    // What is being edited or only tried out is not settled yet.
    let mut findings = if is_ci() || args.watch || args.diff {
        stale.iter().map(Stale::finding).collect()
    } else {
        left(path, baseline, &stale, &mut first.notes)
    };
    settings.weigh(&mut findings);
    finding::sort(&mut findings);
    first.findings.extend(findings);
    Ok(())
}

/// Reads the file; what is wrong with it joins the findings.
fn read(path: &str, system: &mut System) -> Option<Baseline> {
    let mut reader = Reader::new(&Disk, Limits::default());
    reader.sources = std::mem::take(&mut system.sources);
    let baseline = Baseline::read(&mut reader, path);
    system.broken |= reader.broken;
    system.sources = reader.sources;
    system.findings.extend(reader.findings);
    baseline
}

fn is_about(system: &System, finding: &Finding, path: &str) -> bool {
    let file = finding.primary.span.file.0 as usize;
    system.sources.files().nth(file).is_some_and(|(_, file)| file.name == path)
}

fn stale(baseline: &Baseline, systems: &[System]) -> Vec<Stale> {
    // The rules that judge comments run whenever the others do.
    let comments = |rule: &str| finding::RULES.iter().any(|r| r.id == rule);
    let ran = |rule: &str| systems.iter().all(|system| system.ran.contains(&rule));
    let findings = systems.iter().flat_map(|system| &system.findings);
    baseline.stale(findings, &|rule| ran(rule) || comments(rule))
}

/// Takes in what is new and out what no longer occurs.
fn update(path: &str, mut baseline: Baseline, stale: &[Stale], systems: &mut [System]) -> Result<()> {
    baseline.shrink(stale);
    let added = baseline.grow(systems.iter().flat_map(|system| &system.findings));
    super::output::write(path, &baseline.text())?;
    baseline.forgive(systems.iter_mut().flat_map(|system| &mut system.findings));
    let gone: usize = stale.iter().map(Stale::surplus).sum();
    let note = format!("`{path}` forgives {}: {added} added, {gone} taken out", count(baseline.len()));
    systems.iter_mut().take(1).for_each(|first| first.notes.push(note.clone()));
    Ok(())
}

/// Takes out what no longer occurs, and gives what is left to say: all of it where the file cannot be written.
fn left(path: &str, mut baseline: Baseline, stale: &[Stale], notes: &mut Vec<String>) -> Vec<Finding> {
    let known: Vec<Stale> = stale.iter().filter(|s| s.known).cloned().collect();
    let unknown = stale.iter().filter(|s| !s.known).map(Stale::finding);
    baseline.shrink(&known);
    if known.is_empty() {
        return unknown.collect();
    }
    if super::output::write(path, &baseline.text()).is_err() {
        return stale.iter().map(Stale::finding).collect();
    }
    let gone: usize = known.iter().map(Stale::surplus).sum();
    let what = format!(
        "{} no longer {} and {}",
        count(gone),
        if gone == 1 { "occurs" } else { "occur" },
        if gone == 1 { "was" } else { "were" }
    );
    notes.push(format!("{what} taken out of `{path}`: commit it"));
    unknown.collect()
}

/// `1 finding`, `2 findings`.
fn count(findings: usize) -> String {
    format!("{findings} finding{}", if findings == 1 { "" } else { "s" })
}

/// Whether this runs where no file is to change.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|v| !v.is_empty() && v != "false" && v != "0")
}

/// `of loadpath.yaml with --set a=b`.
fn made_of(of: &[String]) -> String {
    let words: Vec<String> = of.iter().map(|word| format!("`{word}`")).collect();
    if words.is_empty() { "that does not say of what".to_owned() } else { format!("of {}", words.join(", ")) }
}

/// What is checked: the paths as seen from the folder of the baseline, so that it does not matter where the
/// program is started, then what else decides what is read.
fn scope(args: &CheckArgs, systems: &[System], baseline: &str) -> Result<Vec<String>> {
    let folder = Path::new(baseline).parent().unwrap_or(Path::new(""));
    let folder = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .with_context(|| format!("cannot tell where `{baseline}` is"))?;
    let folder = fold(&folder);
    let seen = |path: &String| {
        let full = std::path::absolute(path).map(|p| fold(&p));
        full.map_or_else(|_| path.clone(), |full| relative(&folder, &full))
    };
    let paths = systems.iter().flat_map(|system| &system.paths);
    let mut of: Vec<String> = paths.map(|p| if p == "-" { p.clone() } else { seen(p) }).collect();
    of.sort();
    let input = &args.input;
    of.extend(input.overlay.iter().map(|path| format!("--overlay {}", seen(path))));
    of.extend(input.set.iter().map(|set| format!("--set {set}")));
    of.extend(input.format_in.iter().map(|name| format!("--format-in {name}")));
    of.extend((systems.len() > 1).then(|| "--separate".to_owned()));
    Ok(of)
}

/// A path with its `.` and `..` folded, by its words: what a link means is not asked.
fn fold(path: &Path) -> PathBuf {
    let mut folded = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                folded.pop();
            }
            part => folded.push(part),
        }
    }
    folded
}

/// `path` as seen from `folder`, both absolute, `/` between the parts on every system.
fn relative(folder: &Path, path: &Path) -> String {
    let shared = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_folder_of_the_baseline() {
        for (folder, path, expected) in [
            ("/shop", "/shop/loadpath.yaml", "loadpath.yaml"),
            ("/shop/ci", "/shop/./arch/../loadpath.yaml", "../loadpath.yaml"),
            ("/shop", "/shop", "."),
            ("/shop/a", "/other/b.yaml", "../../other/b.yaml"),
        ] {
            assert_eq!(relative(&fold(Path::new(folder)), &fold(Path::new(path))), expected, "{path}");
        }
    }
}
