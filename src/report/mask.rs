//! What no report may show: the bytes findings call secret.
//!
//! Owns the one way in which text of the user's files gets into a report. Must not know what a secret is.

use std::borrow::Cow;
use std::ops::Range;

use super::Entry;
use crate::source::{FileId, SourceFile, Span};

/// The secret bytes of all findings of a report, those that are not shown included: another finding may
/// point at the same line.
#[derive(Debug, Clone, Default)]
pub(super) struct Mask {
    /// Sorted, none reaching into the next.
    spans: Vec<Span>,
}

impl Mask {
    /// What these findings keep out.
    pub(super) fn of(entries: &[Entry<'_>]) -> Self {
        let secrets = entries.iter().flat_map(|entry| &entry.secrets);
        let mut spans: Vec<Span> = secrets.filter_map(|range| range.span).collect();
        spans.sort_unstable();
        let mut apart: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match apart.last_mut().filter(|last| last.file == span.file && span.start <= last.end) {
                Some(last) => last.end = last.end.max(span.end),
                None => apart.push(span),
            }
        }
        Self { spans: apart }
    }

    /// A part of a file with `*` for each byte that is secret: as long as the part itself, so that places
    /// in it stay where they are. Line ends stay too.
    pub(super) fn text<'a>(&self, file: &'a SourceFile, id: FileId, range: Range<usize>) -> Cow<'a, str> {
        let text = file.text.get(range.clone()).unwrap_or_default();
        let from = self.spans.partition_point(|s| (s.file, s.end as usize) <= (id, range.start));
        let until = self.spans.partition_point(|s| (s.file, s.start as usize) < (id, range.end));
        let secret = self.spans.get(from..until).unwrap_or_default();
        if secret.is_empty() {
            return Cow::Borrowed(text);
        }
        let is_secret = |at: usize, len: usize| {
            secret.iter().any(|s| (s.start as usize) < at + len && at < s.end as usize)
        };
        let mut shown = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            if !matches!(c, '\n' | '\r') && is_secret(range.start + at, c.len_utf8()) {
                shown.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                shown.push(c);
            }
        }
        Cow::Owned(shown)
    }
}
