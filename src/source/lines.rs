//! From bytes to lines and columns.

use super::Span;

/// Where the lines of a text start.
#[derive(Debug, Clone, Default)]
pub struct LineIndex {
    /// Byte offset of each line's first byte; the first is 0.
    starts: Vec<u32>,
    /// Of a text that is not held: places that are shown, line and column from 0. A span names one by its start.
    places: Vec<(u32, u32)>,
}

/// A span as people say it: lines and columns from 1, columns in Unicode scalar values, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Line of the first byte.
    pub line: usize,
    /// Column of the first byte.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column of the end (exclusive).
    pub end_column: usize,
}

impl LineIndex {
    /// Indexes a text. `\n` ends a line; a `\r` before it belongs to the line's end.
    pub fn new(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(i, _)| i as u32 + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect(), places: Vec::new() }
    }

    /// Of a text that is not held: lines and columns from 0.
    pub const fn of_places(places: Vec<(u32, u32)>) -> Self {
        Self { starts: Vec::new(), places }
    }

    /// Whether the text is not held: its places are known by their lines only.
    pub const fn is_of_places(&self) -> bool {
        !self.places.is_empty()
    }

    /// The line (from 0) that holds a byte.
    pub fn line_of(&self, byte: u32) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    /// First byte of a line (from 0); the last line's for lines beyond it.
    pub fn start_of(&self, line: usize) -> u32 {
        self.starts.get(line).or(self.starts.last()).copied().unwrap_or(0)
    }

    /// Lines and columns of a span of `text`.
    pub fn locate(&self, text: &str, span: Span) -> Location {
        if let Some((line, column)) = self.places.get(span.start as usize) {
            let (line, column) = (*line as usize + 1, *column as usize + 1);
            return Location { line, column, end_line: line, end_column: column + 1 };
        }
        let line = self.line_of(span.start.min(text.len() as u32));
        // Most spans end on the line they start on.
        let within = self.starts.get(line + 1).is_none_or(|next| span.end < *next);
        let end_line = if within && span.end >= span.start {
            line
        } else {
            self.line_of(span.end.min(text.len() as u32))
        };
        Location {
            line: line + 1,
            column: self.column(text, line, span.start),
            end_line: end_line + 1,
            end_column: self.column(text, end_line, span.end),
        }
    }

    /// The byte of `text` at a line and a column, both from 1; `None` where there is no such place.
    pub fn byte_at(&self, text: &str, line: usize, column: usize) -> Option<u32> {
        let start = *self.starts.get(line.checked_sub(1)?)? as usize;
        let rest = text.get(start..)?;
        let mut places = rest.char_indices().map(|(at, _)| at).chain(std::iter::once(rest.len()));
        Some((start + places.nth(column.checked_sub(1)?)?) as u32)
    }

    fn column(&self, text: &str, line: usize, byte: u32) -> usize {
        let (start, byte) = (self.start_of(line) as usize, (byte as usize).min(text.len()));
        1 + text.get(start..byte).map_or(0, |before| before.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn columns_count_scalar_values_and_ends_are_exclusive() {
        let text = "a: 1\nsérvice: x\r\nlast";
        let at = |start: u32, end: u32| {
            let l = LineIndex::new(text).locate(text, Span::new(FileId(0), start, end));
            (l.line, l.column, l.end_line, l.end_column)
        };
        assert_eq!(at(0, 1), (1, 1, 1, 2));
        assert_eq!(at(5, 13), (2, 1, 2, 8), "é is two bytes and one column");
        assert_eq!(at(18, 22), (3, 1, 3, 5));
        assert_eq!(at(22, 99), (3, 5, 3, 5), "beyond the end is the end");
    }

    #[test]
    fn lines_and_columns_lead_back_to_their_bytes() {
        let text = "a: 1\nsérvice: x\r\nlast";
        let index = LineIndex::new(text);
        for (byte, _) in text.char_indices().chain([(text.len(), 'x')]) {
            let at = index.locate(text, Span::new(FileId(0), byte as u32, byte as u32));
            assert_eq!(index.byte_at(text, at.line, at.column), Some(byte as u32), "{at:?}");
        }
        for (line, column) in [(0, 1), (1, 0), (4, 1), (3, 6)] {
            assert_eq!(index.byte_at(text, line, column), None, "{line}:{column}");
        }
    }
}
