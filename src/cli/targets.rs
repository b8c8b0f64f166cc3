//! `-f NAME[=FILE]`: which formats go where.

use super::args::Cli;
use super::output::{plain, print, style, write};
use crate::report::{CheckReport, FINDING_FORMATS, FormatInfo, finding_format};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// A format and where it goes: a file, or standard output.
pub struct Target {
    format: &'static FormatInfo,
    file: Option<String>,
}

/// The formats asked for. Two in one place would overwrite or run into each other: that is refused.
pub fn targets(args: &[String]) -> Result<Vec<Target>> {
    let default = ["human".to_owned()];
    let args = if args.is_empty() { &default } else { args };
    let mut all: Vec<Target> = Vec::new();
    for text in args {
        let target = target(text)?;
        let taken = all.iter().find(|other| other.place() == target.place());
        match (taken, &target.file) {
            (None, _) => all.push(target),
            (Some(other), Some(file)) => {
                bail!(
                    "`{}` and `{}` cannot both be written to `{file}`",
                    other.format.name,
                    target.format.name
                )
            }
            (Some(other), None) => bail!(
                "`{}` and `{}` cannot both go to standard output: give one a file, as in -f {}=FILE",
                other.format.name,
                target.format.name,
                target.format.name,
            ),
        }
    }
    Ok(all)
}

fn target(text: &str) -> Result<Target> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
    let known = || FINDING_FORMATS.iter().map(|f| f.name);
    let format = finding_format(name).ok_or_else(|| super::explain::unknown("format", name, known()))?;
    if file == Some("") {
        bail!("`-f {text}` names no file");
    }
    Ok(Target { format, file: file.filter(|file| *file != "-").map(str::to_owned) })
}

impl Target {
    /// The same for every name of the same file.
    fn place(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| place(file))
    }
}

/// Where a name leads to: through links and `..` of its folder, which exists before the file does.
fn place(file: &str) -> PathBuf {
    let path = Path::new(file);
    if let Ok(there) = path.canonicalize() {
        return there;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize();
    folder.ok().zip(path.file_name()).map_or_else(|| path.to_owned(), |(folder, name)| folder.join(name))
}

/// Writes reports in each format: the files first, so that a reader of standard output who goes away
/// takes none of them along. A file that was read is never written to.
pub fn deliver(targets: &[Target], reports: &[CheckReport<'_>], cli: &Cli) -> Result<()> {
    for target in targets {
        let Some(file) = &target.file else { continue };
        let texts = reports.iter().flat_map(|report| report.sources.files());
        if texts.into_iter().any(|(_, text)| Path::new(&text.name).canonicalize().ok() == Some(place(file))) {
            bail!("`{file}` is what is checked: it is not written to");
        }
        write(file, &(target.format.render)(reports, &plain(cli)))?;
    }
    for target in targets.iter().filter(|target| target.file.is_none()) {
        print(&(target.format.render)(reports, &style(cli)))?;
    }
    Ok(())
}
