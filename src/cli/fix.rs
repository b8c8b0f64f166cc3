//! `check --fix` and `check --diff`: the fixes of findings, shown and written.

use super::args::Cli;
use super::input::System;
use super::output::{complain, write};
use crate::finding::{Fixed, apply_fixes};
use anyhow::{Context, Result, bail};
use similar::TextDiff;
use std::fs;

/// Fixing ends after so many rounds, whatever is left.
const ROUNDS: usize = 10;

/// What the fixes change, as a unified diff that `patch -p1` takes.
pub fn diff(system: &System) -> String {
    let all = apply_fixes(&system.findings, &system.sources);
    all.iter().map(|fixed| one_diff(system, fixed)).collect()
}

fn one_diff(system: &System, fixed: &Fixed) -> String {
    let file = system.sources.file(fixed.file);
    let name = file.name.trim_start_matches('/');
    let diff = TextDiff::from_lines(&file.text, &fixed.text);
    diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// Judges, writes the fixes and judges again, until nothing is left that can be fixed: an edit beside
/// another waits for the next round.
pub fn fixed(cli: &Cli, judged: impl Fn() -> Result<System>) -> Result<System> {
    let mut system = judged()?;
    let mut mended = 0;
    for _ in 0..ROUNDS {
        let changes = diff(&system);
        let now = apply(&system)?;
        if now == 0 {
            break;
        }
        if !cli.quiet {
            complain(changes.trim_end());
        }
        mended += now;
        system = judged()?;
    }
    if mended > 0 && !cli.quiet {
        let noun = if mended == 1 { "finding" } else { "findings" };
        complain(&format!("fixed {mended} {noun}"));
    }
    Ok(system)
}

/// Writes what the fixes make of each file; gives how many findings that mends. A text that is no file
/// (standard input, `--set`) and a file that has changed since it was read are left alone, and named.
fn apply(system: &System) -> Result<usize> {
    let mut mended = 0;
    for fixed in apply_fixes(&system.findings, &system.sources) {
        let file = system.sources.file(fixed.file);
        let Ok(bytes) = fs::read(&file.name) else {
            complain(&format!("note: `{}` is no file: it was not fixed", file.name));
            continue;
        };
        let text = String::from_utf8(bytes).with_context(|| format!("`{}` is not UTF-8", file.name))?;
        let bare = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if bare != file.text {
            bail!("`{}` has changed while it was checked: run it again", file.name);
        }
        let mark = text.get(..text.len() - bare.len()).unwrap_or_default();
        write(&file.name, &format!("{mark}{}", fixed.text))?;
        mended += fixed.findings;
    }
    Ok(mended)
}
