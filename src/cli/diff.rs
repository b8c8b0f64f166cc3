//! `loadpath diff`.

use super::args::{Cli, DiffArgs, DiffFailOn, InputArgs};
use super::disk::{Disk, Place};
use super::input::{System, system_at, system_of, upward};
use super::output::{complain, plain, print, style, style_of_errors, write};
use super::revision::Revision;
use crate::change::{Version, diff};
use crate::finding::Severity;
use crate::report::changes::{CHANGE_FORMATS, Changes};
use crate::report::{CheckReport, finding_format};
use crate::source::join_path;
use anyhow::{Result, bail};
use std::path::Path;

/// Compares two versions. 2 where one of them is broken, 1 where `--fail-on` says so, else 0.
pub fn run(cli: &Cli, args: &DiffArgs) -> Result<u8> {
    let (name, file) =
        args.format.split_once('=').map_or((args.format.as_str(), None), |(n, f)| (n, Some(f)));
    let format = CHANGE_FORMATS.iter().find(|f| f.name == name);
    let known = CHANGE_FORMATS.iter().map(|f| f.name);
    let format = format.ok_or_else(|| super::explain::unknown("format", name, known))?;
    let newer = args.new.clone().map_or_else(upward, Ok)?;
    let (old, new) = (side(&args.old, &newer)?, side(&newer, &args.old)?);
    let (before, after) = (read(cli, args, &old)?, read(cli, args, &new)?);
    for (name, system) in [(&old.name, &before), (&new.name, &after)] {
        for note in &system.notes {
            complain(&format!("note: {name}: {note}"));
        }
    }
    if before.broken || after.broken {
        broken(cli, &old.name, &before);
        broken(cli, &new.name, &after);
        return Ok(2);
    }
    let found = diff(version(&before), version(&after));
    let changes =
        Changes { old: &old.name, new: &new.name, diff: &found, sources: (&before.sources, &after.sources) };
    match file {
        Some(path) => write(path, &(format.render)(&changes, &plain(cli)))?,
        None => print(&(format.render)(&changes, &style(cli)))?,
    }
    let failed = match args.fail_on {
        DiffFailOn::Never => false,
        DiffFailOn::Error => found.worst() == Some(Severity::Error),
        DiffFailOn::Worse => found.is_worse(),
        DiffFailOn::Any => !found.is_empty(),
    };
    Ok(u8::from(failed))
}

const fn version(system: &System) -> Version<'_> {
    Version { arch: &system.arch, findings: system.findings.as_slice() }
}

/// One of the two that are compared.
struct Side {
    /// As the user named it.
    name: String,
    /// The revision it is in; `None` for the disk.
    revision: Option<Revision>,
    /// Its path there.
    path: String,
}

/// What is on the disk is meant first, then `REVISION:PATH`, then a revision of the path of the other side.
fn side(name: &str, other: &str) -> Result<Side> {
    let on_disk = |path: &str| path == "-" || Disk.is_file(path) || Disk.is_folder(path);
    if on_disk(name) {
        return Ok(Side { name: name.to_owned(), revision: None, path: name.to_owned() });
    }
    if let Some((revision, path)) = name.split_once(':') {
        let here = Path::new(".");
        // As git has it: from the top of the repository, or from here where it starts with a dot.
        let relative = path == "." || path.starts_with("./") || path.starts_with("../");
        let from = if relative { Revision::prefix(here)? } else { String::new() };
        return in_revision(name, here, revision, &join_path(&from, path));
    }
    if super::disk::is_glob(name) || looks_like_a_path(name) {
        bail!("cannot read `{name}`: no such file");
    }
    if !on_disk(other) || other == "-" {
        let path = if other.contains(':') { other.to_owned() } else { upward()? };
        let path = path.split_once(':').map_or(path.clone(), |(_, path)| path.to_owned());
        let here = Path::new(".");
        let from = if other.contains(':') { String::new() } else { Revision::prefix(here)? };
        return in_revision(&format!("{name}:{path}"), here, name, &join_path(&from, &path));
    }
    let (folder, file) = match (Disk.is_folder(other), other.rsplit_once('/')) {
        (true, _) => (other, "."),
        (false, Some((folder, file))) => (if folder.is_empty() { "/" } else { folder }, file),
        (false, None) => (".", other),
    };
    let folder = Path::new(folder);
    let path = join_path(&Revision::prefix(folder)?, file);
    in_revision(&format!("{name}:{other}"), folder, name, &path)
}

fn in_revision(name: &str, folder: &Path, revision: &str, path: &str) -> Result<Side> {
    let revision = Revision::open(folder, revision)?;
    let path = if path.is_empty() { ".".to_owned() } else { path.to_owned() };
    Ok(Side { name: name.to_owned(), revision: Some(revision), path })
}

/// Whether a name is rather a file that is missing than a revision.
fn looks_like_a_path(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)) || name.starts_with(['.', '/'])
}

fn read(cli: &Cli, args: &DiffArgs, side: &Side) -> Result<System> {
    let input = InputArgs {
        paths: Vec::new(),
        overlay: Vec::new(),
        set: Vec::new(),
        format_in: args.format_in.clone(),
    };
    let paths = std::slice::from_ref(&side.path);
    match &side.revision {
        Some(revision) => system_at(revision, paths, &input, cli.quiet),
        None => system_of(paths, &input, cli.quiet),
    }
}

/// Says on standard error why a version cannot be compared.
fn broken(cli: &Cli, name: &str, system: &System) {
    if let Some(human) = finding_format("human").filter(|_| system.broken) {
        let errors: Vec<_> =
            system.findings.iter().filter(|f| f.severity == Severity::Error).cloned().collect();
        let mut report = CheckReport::new(&system.sources, &errors);
        name.clone_into(&mut report.title);
        complain((human.render)(&[report], &style_of_errors(cli)).trim_end());
    }
}
