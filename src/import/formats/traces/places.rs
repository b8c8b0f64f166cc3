//! Where things are to be seen in files that are not held as texts.

use super::span::Seen;
use crate::source::{FileId, Sources, Span};
use std::collections::HashMap;

/// The places of an import, by file.
#[derive(Debug, Default)]
pub struct Places {
    files: Vec<FileId>,
    /// Of each file the places so far: line and column from 0.
    all: Vec<Vec<(u32, u32)>>,
    known: HashMap<(u32, u32, u32), u32>,
}

impl Places {
    /// Of these files.
    pub fn new(files: Vec<FileId>) -> Self {
        let all = files.iter().map(|_| Vec::new()).collect();
        Self { files, all, known: HashMap::new() }
    }

    /// The span that stands for a place.
    pub fn span(&mut self, seen: Seen) -> Span {
        let file = self.files.get(seen.file as usize).copied().unwrap_or_default();
        let Some(places) = self.all.get_mut(seen.file as usize) else { return Span::new(file, 0, 0) };
        let at = *self.known.entry((seen.file, seen.line, seen.column)).or_insert_with(|| {
            places.push((seen.line, seen.column));
            places.len() as u32 - 1
        });
        Span::new(file, at, at + 1)
    }

    /// Hands the places on to who is asked for lines.
    pub fn keep(self, sources: &mut Sources) {
        for (file, places) in self.files.into_iter().zip(self.all) {
            sources.keep_places(file, places);
        }
    }
}
