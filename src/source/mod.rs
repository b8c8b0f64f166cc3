//! File text, byte spans, line index: where every value of a document came from.
//!
//! Owns the text of everything that was read and the arithmetic from bytes to lines and columns.
//! Must not know what the text means, nor touch the disk: files are asked for through [`Loader`],
//! which `cli` implements.

mod fnv;
mod lines;
mod loader;
mod piece;
mod span;

pub use fnv::Fnv;
pub use lines::{LineIndex, Location};
pub use loader::{LoadError, Loader, MemoryLoader, join_path};
pub use piece::Piece;
pub use span::{FileId, Span, Spanned};

use std::sync::Arc;

/// One text that was read: a file, standard input, or a `--set` argument.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name findings show, as the user wrote it.
    pub name: String,
    /// The whole text, without a byte-order mark.
    pub text: Arc<String>,
    /// Where its lines start.
    pub lines: LineIndex,
}

impl SourceFile {
    /// What tells this text from every other: 16 hexadecimal digits.
    pub fn hash(&self) -> String {
        let mut hash = Fnv::default();
        hash.part(&self.text);
        hash.hex()
    }
}

/// Every text of one run, in the order in which it was read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Takes a text in and gives it an id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let id = FileId(self.files.len() as u32);
        let lines = LineIndex::new(&text);
        self.files.push(SourceFile { name: name.into(), text: Arc::new(text), lines });
        id
    }

    /// Keeps of a file that is not held as a text the places that are shown: lines and bytes of the line before
    /// them, from 0. The span `k..k + 1` stands for the kth place.
    pub fn keep_places(&mut self, id: FileId, places: Vec<(u32, u32)>) {
        if let Some(file) = self.files.get_mut(id.0 as usize) {
            file.lines = LineIndex::of_places(places);
        }
    }

    /// The file of an id this value gave out.
    ///
    /// # Panics
    /// On an id of another `Sources`.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files, in the order in which they were read.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Lines and columns of a span: from 1, columns in Unicode scalar values, the end exclusive.
    pub fn locate(&self, span: Span) -> Location {
        let file = self.file(span.file);
        file.lines.locate(&file.text, span)
    }
}
