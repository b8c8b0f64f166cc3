//! `loadpath import`.

use super::args::{Cli, ImportArgs};
use super::graph::complain_of;
use super::input::system;
use super::output::{complain, print, write};
use crate::import;
use anyhow::{Result, bail};

/// Writes what other formats say as a document of our own.
pub fn run(cli: &Cli, args: &ImportArgs) -> Result<u8> {
    let mut input = args.input.clone();
    // `loadpath import compose a.yaml`: the first word may be the format.
    let named = input.paths.first().and_then(|first| import::by_name(first));
    if let Some(format) = named.filter(|_| input.paths.len() > 1 && input.format_in.is_none()) {
        input.format_in = Some(format.name.to_owned());
        input.paths.remove(0);
    }
    let system = system(&input, cli.quiet)?;
    if let Some(own) = system.documents.iter().find(|d| d.imported.is_none()) {
        let name = &system.sources.file(own.file).name;
        let known: Vec<_> = import::FORMATS.iter().map(|format| format.name).collect();
        bail!("`{name}` is of none of the formats that can be imported: {}", known.join(", "));
    }
    let text = import::write(&system.documents, &system.sources, &system.notes);
    match args.output.as_deref() {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    complain_of(cli, &system);
    if !cli.quiet {
        for note in &system.notes {
            complain(&format!("note: {note}"));
        }
    }
    Ok(if system.broken { 2 } else { 0 })
}
