//! What no report may show: the bytes findings call secret.
//!
//! Owns the one way in which text of the user's files gets into a report. Must not know what a secret is.

use std::borrow::Cow;
use std::ops::Range;

use super::Entry;
use crate::source::{FileId, SourceFile, Span};

/// A line without what stands where passwords do: `://user:HERE@`, `password=HERE`, `Pwd: HERE`.
pub(super) fn without_passwords(line: &str) -> String {
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for (at, _) in line.match_indices("://") {
        let from = at + 3;
        let rest = line.get(from..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || "/\"'".contains(c)).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        if let Some((user, _)) = authority.rsplit_once('@')
            && let Some(colon) = user.find(':')
        {
            hidden.push(from + colon + 1..from + user.len());
        }
    }
    let lower = line.to_ascii_lowercase();
    for word in ["password", "passwd", "pwd", "secret", "token", "key"] {
        for (at, _) in lower.match_indices(word) {
            let from = at + word.len();
            let rest = line.get(from..).unwrap_or_default();
            let value = rest.trim_start_matches(['"', '\'', ' ']).strip_prefix(['=', ':']);
            let Some(value) = value.map(|v| v.trim_start_matches([' ', '"', '\''])) else { continue };
            let start = line.len() - value.len();
            let end = value.find([';', '&', '"', '\'', ',', ' ', '}']).unwrap_or(value.len());
            hidden.push(start..start + end);
        }
    }
    let star = |(at, c): (usize, char)| if hidden.iter().any(|h| h.contains(&at)) { '*' } else { c };
    line.char_indices().map(star).collect()
}

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
