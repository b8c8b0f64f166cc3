//! What a user should know about an import of compose files that is no mistake.

use super::edges::Edges;
use super::scope::Scopes;
use super::unit::Unit;
use crate::import::Note;
use crate::import::notes::{coverage, list, undrawn};

/// All notes, the weightiest first.
pub fn all(files: &[String], units: &[Unit], found: &mut Edges, scopes: &mut Scopes) -> Vec<Note> {
    let mut notes: Vec<Note> = coverage(files, &found.calls).into_iter().collect();
    notes.extend(undrawn(&found.calls, "start order only, not drawn, since no address confirms it"));
    notes.append(&mut found.notes);
    notes.append(&mut scopes.notes);
    if let Some(names) = list(scopes.unset.iter().map(|name| format!("`{name}`"))) {
        let text = format!(
            "taken as empty, since neither `.env` nor a default sets them (the environment of the shell is not read): {names}"
        );
        notes.push(Note { text, span: None });
    }
    let profiled = units.iter().filter(|unit| !unit.profiles.is_empty());
    if let Some(names) =
        list(profiled.map(|unit| format!("{} ({})", unit.id.value, unit.profiles.join(", "))))
    {
        notes.push(Note {
            text: format!("included although a profile must be asked for: {names}"),
            span: None,
        });
    }
    let mut seen = std::collections::HashSet::new();
    notes.retain(|note| seen.insert(note.text.clone()));
    notes
}
