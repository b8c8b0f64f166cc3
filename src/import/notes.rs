//! What a user should know about an import that is no mistake, whatever the format.

use super::Note;
use super::calls::Calls;

/// As many names as a sentence holds.
const SOME: usize = 8;

/// Names as a part of a sentence, the first ones where there are many.
pub fn shown(all: &[String]) -> String {
    let some = all.iter().take(SOME).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SOME) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// The same of a list that may be empty: `None` then.
pub fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<_> = items.collect();
    (!all.is_empty()).then(|| shown(&all))
}

/// Callers and callees that are not drawn, each pair once.
pub fn undrawn(calls: &Calls, why: &str) -> Option<Note> {
    let mut seen = std::collections::HashSet::new();
    let doubtful = calls.doubtful();
    let pairs = doubtful.iter().map(|e| format!("{} → {}", e.from, e.to));
    let pairs = list(pairs.filter(|pair| seen.insert(pair.clone())))?;
    Some(Note { text: format!("{why}: {pairs}"), span: doubtful.first().map(|e| e.span) })
}

/// That these files cannot show the whole picture, where they do not.
pub fn coverage(files: &[String], calls: &Calls) -> Option<Note> {
    let (all, alone) = calls.alone();
    let files = list(files.iter().cloned()).filter(|_| all > 1)?;
    let text = if calls.is_empty() {
        let only = if calls.doubtful().is_empty() { "" } else { ", only hints" };
        format!(
            "no address of another service stands in {files}{only}: edges cannot be known from there; add traces or an overlay"
        )
    } else {
        let names = list(alone.iter().map(|id| format!("`{id}`")))?;
        let count = alone.len();
        format!(
            "no edge stands in {files} for {count} of {all} services; they may have some that stand elsewhere: {names}"
        )
    };
    Some(Note { text, span: None })
}
