//! What a user should know about an import that is no mistake.

use super::edges::Edges;
use super::scope::Scopes;
use super::unit::Unit;
use crate::import::{Evidence, Note};

/// As many names as a sentence holds.
const SOME: usize = 8;

/// All notes, the weightiest first.
pub fn all(files: &[String], units: &[Unit], found: &mut Edges, scopes: &mut Scopes) -> Vec<Note> {
    let mut notes: Vec<Note> = coverage(files, units, found).into_iter().collect();
    let undrawn = |e: &&Evidence| e.from != e.to;
    let doubtful = list(found.doubtful.iter().filter(undrawn).map(|e| format!("{} → {}", e.from, e.to)));
    if let Some(pairs) = doubtful {
        let text = format!("start order only, not drawn, since no address confirms it: {pairs}");
        notes.push(Note { text, span: found.doubtful.first().map(|e| e.span) });
    }
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

/// That the files cannot show the whole picture, where they do not.
fn coverage(files: &[String], units: &[Unit], found: &Edges) -> Option<Note> {
    let files = files.join(", ");
    if units.len() < 2 {
        return None;
    }
    if found.calls.is_empty() {
        let text = if found.doubtful.is_empty() {
            format!("{files} shows no addresses and no depends_on: edges cannot be known from it")
        } else {
            format!("{files} shows start order only: edges cannot be known from it")
        };
        return Some(Note { text, span: None });
    }
    let mut joined = vec![false; units.len()];
    for edge in &found.calls {
        for at in std::iter::once(edge.from).chain(edge.to) {
            if let Some(place) = joined.get_mut(at) {
                *place = true;
            }
        }
    }
    let alone = || units.iter().zip(&joined).filter(|(_, joined)| !**joined);
    let count = alone().count();
    let names = list(alone().map(|(unit, _)| format!("`{}`", unit.id.value)))?;
    let text = format!(
        "{files} shows no edge for {count} of {} services; they may have some that stand elsewhere: {names}",
        units.len()
    );
    Some(Note { text, span: None })
}

fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<_> = items.collect();
    let shown = all.iter().take(SOME).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SOME) {
        0 if all.is_empty() => None,
        0 => Some(shown),
        more => Some(format!("{shown} and {more} more")),
    }
}
