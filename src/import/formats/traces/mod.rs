//! Traces of running systems: who was seen to call whom, how often, in which order, and how long everything took.
//!
//! A file is read once, from front to back, and never held: spans are kept small until their trace is whole, and
//! of a trace remains what it adds to counts. Must not know what a document means.

mod collect;
mod dialect;
mod draft;
mod jaeger;
mod json;
mod links;
mod names;
mod open;
mod otlp;
mod places;
mod quantiles;
mod script;
mod span;
mod tags;
mod tally;
mod text;
mod visits;
mod walk;
mod zipkin;

use crate::finding::Finding;
use crate::import::{Candidate, Format, HEAD, ImportFile, Imported, Note, tree};
use crate::source::{FileId, Span};
use crate::spec::Reader;
use crate::spec::rules::{INVALID_VALUE, INVALID_YAML};
use collect::{Collector, MOST_OPEN, Unread};
use dialect::Dialect;
use draft::Draft;
use json::{Broken, Place, Stream};
use places::Places;
use std::io::Read;
use tally::SLOTS;

/// Traces.
pub static FORMAT: Format = Format {
    name: "traces",
    summary: "OTLP, Jaeger and Zipkin traces: calls that were seen, their order, times and failures",
    page: include_str!("traces.md"),
    streams: |head| Dialect::of(head).is_some(),
    glance: |_, text| Dialect::of(text.as_bytes()).is_some(),
    recognise: is_dump,
    import,
};

/// A span that is longer is not read.
const LONGEST_SPAN: usize = 64 << 20;

/// Whether a file that was read as a tree holds traces.
fn is_dump(file: &Candidate<'_>) -> bool {
    let has = |path: &[&str]| tree::at(file.first, path).is_some_and(|node| !node.items().is_empty());
    let first = |node: &crate::spec::tree::Node| node.items().first().cloned();
    let zipkin = first(file.first).map(|item| first(&item).unwrap_or(item));
    let jaeger = file.first.get("data").and_then(first);
    has(&["resourceSpans"])
        || has(&["batches"])
        || jaeger.is_some_and(|trace| trace.get("spans").is_some())
        || zipkin.is_some_and(|span| span.get("traceId").is_some() && span.get("id").is_some())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of all formats")]
fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let ids: Vec<FileId> = files.iter().map(|f| f.file).collect();
    let file = ids.first().copied().unwrap_or_default();
    let mut collector = Collector::new(MOST_OPEN);
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let mut places = Places::new(ids.clone());
    for (at, id) in ids.iter().enumerate() {
        collector.file(at as u32);
        let mut problem = |place: Place, rule, message: String| {
            let seen = span::Seen { file: at as u32, line: place.line, column: place.column };
            findings.push(Finding::new(rule, places.span(seen), message));
        };
        let read = read(reader, *id, &mut collector, &mut problem, &mut notes);
        reader.broken |= !read;
        let Unread { count, first } = collector.file(at as u32);
        if let Some((place, why)) = first {
            let others = if count > 1 { format!(" ({} more like it)", count - 1) } else { String::new() };
            problem(place, &INVALID_VALUE, format!("a span cannot be read: {why}{others}"));
        }
    }
    collector.finish();
    let root = Span::new(file, 0, 0);
    let mut draft = Draft::new(&collector.names, &collector.tally, &mut places, root);
    let calls = draft.calls();
    let tree = draft.tree();
    notes.extend(said(&collector, draft.assumes_rates()));
    let document = tree::document(tree, root, &mut findings);
    places.keep(&mut reader.sources);
    Imported::of(file, document, findings, notes).drawn(calls, root)
}

/// Reads a file; whether it could be read to its end.
fn read(
    reader: &mut Reader<'_>,
    id: FileId,
    collector: &mut Collector,
    problem: &mut dyn FnMut(Place, &'static crate::finding::RuleInfo, String),
    notes: &mut Vec<Note>,
) -> bool {
    let (name, text) = {
        let source = reader.sources.file(id);
        (source.name.clone(), source.text.clone())
    };
    let mut head = Vec::new();
    let mut from: Box<dyn Read + '_> = if text.is_empty() {
        match reader.loader().open(&name) {
            Ok(from) => from,
            Err(error) => {
                reader.unreadable(Span::new(id, 0, 0), &name, &error);
                return false;
            }
        }
    } else {
        Box::new(text.as_bytes())
    };
    // What cannot be read is told when it is asked for again.
    let _ = from.by_ref().take(HEAD).read_to_end(&mut head);
    let Some(dialect) = Dialect::of(&head) else {
        let message = format!("`{name}` holds no traces: neither OTLP nor Jaeger nor Zipkin JSON");
        problem(Place::default(), &INVALID_VALUE, message);
        return true;
    };
    let mut stream = Stream::new(Box::new(head.as_slice().chain(from)), LONGEST_SPAN);
    let mut walk = walk::Walk::new(dialect, &mut stream, collector);
    let result = walk.run();
    let whole = walk.whole;
    let place = stream.place();
    match result {
        Ok(()) => true,
        // A file of lines that is being written ends anywhere.
        Err(Broken::Cut) if whole > 0 => {
            let text = format!("`{name}` ends within a record: that one was left out");
            notes.push(Note { text, span: None });
            true
        }
        Err(broken) => {
            let message = match broken {
                Broken::Cut => "the file ends in the middle of a value".to_owned(),
                Broken::Unexpected(byte) => format!("`{}` is not expected here", byte.escape_ascii()),
                Broken::Io(error) => format!("cannot read on: {error}"),
            };
            problem(place, &INVALID_YAML, message);
            false
        }
    }
}

/// What is worth knowing of what was read.
fn said(collector: &Collector, assumes_rates: bool) -> Vec<Note> {
    let tally = &collector.tally;
    let mut texts = Vec::new();
    if tally.spans == 0 {
        texts.push("there is no span to be read".to_owned());
    } else {
        let window = tally.window_ns.map_or(0, |(first, last)| last - first);
        let window = crate::spec::units::Duration(window / 1_000_000 * 1_000_000);
        let rates = if assumes_rates {
            "no arrival rate shows: 1/s is assumed for every entry".to_owned()
        } else {
            format!("arrivals within {window}: rates are those of the traces, which may be a sample")
        };
        let (traces, spans) = (several(tally.traces, "trace"), several(tally.spans, "span"));
        texts.push(format!("{traces} with {spans}; {rates}"));
        let workers = "the measured times hold what waiting there was: `workers` are as many as keep it out";
        texts.push(workers.to_owned());
    }
    if tally.orphans > 0 {
        let spans = several(tally.orphans, "span");
        texts
            .push(format!("{spans} with a cause that is not in the traces: taken for requests from outside"));
    }
    if tally.nameless > 0 {
        let spans = several(tally.nameless, "span");
        texts.push(format!("{spans} of no named service: left out"));
    }
    if tally.skipped > 0 {
        let calls = several(tally.skipped, "call");
        texts.push(format!(
            "{calls} left out: of one endpoint {SLOTS} different ones are told apart; names that carry \
             identifiers make each another"
        ));
    }
    if collector.cut() > 0 {
        let cut = several(collector.cut(), "trace");
        texts.push(format!(
            "{cut} counted before the end of the files: {MOST_OPEN} spans are kept open at most"
        ));
    }
    if collector.names.too_many() {
        texts.push("there are more names of operations than are told apart: some are `(other)`".to_owned());
    }
    texts.into_iter().map(|text| Note { text, span: None }).collect()
}

fn several(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
