//! `loadpath export`.

use super::args::{Cli, ExportArgs};
use super::graph::complain_of;
use super::input::system;
use super::output::{complain, print, write};
use crate::export::EXPORTS;
use anyhow::Result;

/// Writes the system in another format, and says what that cannot say.
pub fn run(cli: &Cli, args: &ExportArgs) -> Result<u8> {
    let known = || EXPORTS.iter().map(|export| export.name);
    let export = EXPORTS.iter().find(|export| export.name == args.format);
    let export = export.ok_or_else(|| super::explain::unknown("format", &args.format, known()))?;
    let system = system(&args.input, cli.quiet)?;
    let exported = (export.write)(&system.arch);
    match args.output.as_deref() {
        Some(path) => write(path, &exported.text)?,
        None => print(&exported.text)?,
    }
    complain_of(cli, &system);
    for (what, span) in exported.left_out.iter().filter(|_| !cli.quiet) {
        let at = system.sources.locate(*span);
        let file = &system.sources.file(span.file).name;
        complain(&format!("left out: {what}  {file}:{}:{}", at.line, at.column));
    }
    Ok(if system.broken { 2 } else { 0 })
}
