//! Which lines of which files are shown under a finding.
//!
//! Owns the way from spans of whole files to the few lines a reader needs, and the safety of that way:
//! whatever the spans are, the drawing library is only given ranges inside the text it is given. It is
//! never given a whole file, so that the cost of a finding does not grow with the file.
//!
//! Must not know headlines, help or formats.

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Level, Origin, Snippet, normalize_untrusted_str,
};

use super::entry::{self, Entry};
use super::mask::Mask;
use crate::source::{FileId, SourceFile, Sources, Span};

/// Labels of one file that are no more lines apart than this share a snippet.
const NEAR_LINES: usize = 40;

/// A snippet holds no more bytes than this. A longer line (a document on one line) is named, not shown.
const SNIPPET_BYTES: usize = 8 * 1024;

/// Beyond so many places of one finding the rest is counted, unless all are asked for.
const MOST_PLACES: usize = 24;

/// A snippet takes labels in as long as no more than this many others were begun after it.
const OPEN_WINDOWS: usize = 64;

/// The bytes of one label on the line where it starts: a span over several lines is drawn on its first.
struct Place<'a> {
    id: FileId,
    file: &'a SourceFile,
    /// Line number, from 0.
    line: usize,
    /// Bytes of the line, its end included.
    line_start: usize,
    line_end: usize,
    /// Bytes to underline, on character boundaries, within the line without its end.
    start: usize,
    end: usize,
}

/// Some lines of one file with the labels in them.
struct Window<'a> {
    id: FileId,
    file: &'a SourceFile,
    first_line: usize,
    start: usize,
    end: usize,
    marks: Vec<(Place<'a>, &'a str, AnnotationKind)>,
}

/// What is shown under the headline of a finding, in telling order; what is masked is not shown. Of very many
/// places the first are, unless `verbose`.
pub(super) fn elements<'a>(
    sources: &'a Sources,
    entry: &'a Entry<'_>,
    mask: &Mask,
    verbose: bool,
) -> Vec<Element<'a>> {
    let mut windows: Vec<Window<'a>> = Vec::new();
    let mut apart = Vec::new();
    let shown = if verbose { usize::MAX } else { MOST_PLACES };
    for at in entry.locations.iter().take(shown) {
        let kind = if at.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let Some(span) = at.range.span else {
            name(&mut apart, origin(&at.range), &at.label);
            continue;
        };
        let file = sources.file(span.file);
        let place = Place::of(file, span);
        if file.text.is_empty() && !file.lines.is_of_places() {
            name(&mut apart, Origin::path(normalize_untrusted_str(&file.name)), &at.label);
        } else if file.text.is_empty() || place.line_end - place.line_start > SNIPPET_BYTES {
            name(&mut apart, origin(&at.range), &at.label);
        } else if let Some(window) = open(&mut windows).find(|window| window.takes(&place)) {
            window.take(place, &at.label, kind);
        } else {
            windows.push(Window::around(place, &at.label, kind));
        }
    }
    let more = entry.locations.len().saturating_sub(shown);
    let more = (more > 0).then(|| format!("and {more} more places; --verbose shows each"));
    let more = more.map(|text| Element::Message(Level::NOTE.message(text)));
    windows.iter().map(|window| Element::Cause(window.draw(mask))).chain(apart).chain(more).collect()
}

fn open<'w, 'a>(windows: &'w mut [Window<'a>]) -> impl Iterator<Item = &'w mut Window<'a>> {
    let closed = windows.len().saturating_sub(OPEN_WINDOWS);
    windows.iter_mut().skip(closed)
}

/// Says where something is and what is to be seen there, without showing it.
fn name<'a>(elements: &mut Vec<Element<'a>>, origin: Origin<'a>, label: &str) {
    elements.push(Element::Origin(origin));
    if !label.is_empty() {
        elements.push(Element::Message(Level::NOTE.message(normalize_untrusted_str(label))));
    }
}

/// Where it is, for a line that is too long or not at hand to be shown.
fn origin<'a>(range: &entry::Range<'_>) -> Origin<'a> {
    Origin::path(normalize_untrusted_str(&range.file)).line(range.line).char_column(range.column)
}

impl<'a> Place<'a> {
    fn of(file: &'a SourceFile, span: Span) -> Self {
        let text = file.text.as_str();
        let wanted = (span.start as usize).min(text.len());
        let line = file.lines.line_of(wanted as u32);
        let line_start = (file.lines.start_of(line) as usize).min(text.len());
        let rest = text.get(line_start..).unwrap_or_default();
        let line_end = line_start + rest.find('\n').map_or(rest.len(), |at| at + 1);
        let content = text.get(line_start..line_end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let content_end = line_start + content.len();
        let start = floor(text, wanted.min(content_end));
        let until = ceil(text, (span.end as usize).clamp(start, content_end));
        let covered = text.get(start..until).unwrap_or_default();
        let (id, end) = (span.file, start + covered.trim_end().len());
        Self { id, file, line, line_start, line_end, start, end }
    }
}

impl<'a> Window<'a> {
    fn around(place: Place<'a>, label: &'a str, kind: AnnotationKind) -> Self {
        Self {
            id: place.id,
            file: place.file,
            first_line: place.line,
            start: place.line_start,
            end: place.line_end,
            marks: vec![(place, label, kind)],
        }
    }

    /// Whether a place is near enough. The empty line at the end of a file keeps to itself: shown with
    /// others it would be taken for the end of the line before.
    fn takes(&self, place: &Place<'_>) -> bool {
        let empty = place.line_start == place.line_end || self.start == self.end;
        let start = self.start.min(place.line_start);
        let end = self.end.max(place.line_end);
        let near = self.marks.iter().any(|(mark, ..)| mark.line.abs_diff(place.line) <= NEAR_LINES);
        let same_file = std::ptr::eq(self.file, place.file);
        let same_line = self.start == place.line_start && self.end == place.line_end;
        same_file && (same_line || (near && !empty && end - start <= SNIPPET_BYTES))
    }

    fn take(&mut self, place: Place<'a>, label: &'a str, kind: AnnotationKind) {
        self.first_line = self.first_line.min(place.line);
        self.start = self.start.min(place.line_start);
        self.end = self.end.max(place.line_end);
        self.marks.push((place, label, kind));
    }

    fn draw(&self, mask: &Mask) -> Snippet<'a, Annotation<'a>> {
        let text = mask.text(self.file, self.id, self.start..self.end);
        let annotations = self.marks.iter().map(|(place, label, kind)| {
            let range = place.start - self.start..place.end - self.start;
            // The library cleans source lines, but not labels; and a label is one line.
            let label = normalize_untrusted_str(&label.replace('\n', " "));
            kind.span(range).label((!label.is_empty()).then_some(label))
        });
        Snippet::source(text)
            .path(normalize_untrusted_str(&self.file.name))
            .line_start(self.first_line + 1)
            .annotations(annotations)
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
