//! `check --fix` and `check --diff`: the fixes of findings, shown and written.

use super::input::System;
use super::output::{complain, write};
use crate::finding::{Fixed, apply_fixes};
use anyhow::{Context, Result, bail};
use similar::TextDiff;
use std::fs;

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

/// Writes what the fixes make of each file; gives how many findings that mends. A text that is no file
/// (standard input, `--set`) and a file that has changed since it was read are left alone, and named.
pub fn apply(system: &System) -> Result<usize> {
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
