//! From what parsers read to spans with their services, and on to traces.

use super::json::Place;
use super::names::{Names, writes};
use super::open::Open;
use super::span::{Name, Owner, Raw, Seen, Span};
use super::tally::Tally;
use super::text::identifier;
use super::visits::fold;
use std::collections::HashMap;

/// Spans that are kept until their traces are whole: 64 bytes each, and what it takes to find them.
pub const MOST_OPEN: usize = 1_000_000;

/// What could not be read of a file.
#[derive(Debug, Default)]
pub struct Unread {
    /// Spans.
    pub count: u64,
    /// The first: where it is, and why.
    pub first: Option<(Place, String)>,
}

/// A span whose service is not known yet.
struct Waiting {
    process: Option<Name>,
    trace: u128,
    span: Span,
}

/// All traces of an import.
pub struct Collector {
    /// Names.
    pub names: Names,
    /// What they show.
    pub tally: Tally,
    /// What could not be read of the file.
    pub unread: Unread,
    /// The how-manieth file.
    file: u32,
    open: Open,
    /// The service of the spans that come, and those of the processes of the trace.
    resource: Option<Name>,
    processes: HashMap<Name, Name>,
    waiting: Vec<Waiting>,
}

impl Collector {
    /// A collector that keeps so many spans.
    pub fn new(most: usize) -> Self {
        Self {
            names: Names::default(),
            tally: Tally::default(),
            unread: Unread::default(),
            file: 0,
            open: Open::new(most),
            resource: None,
            processes: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Goes over to a file.
    pub fn file(&mut self, file: u32) -> Unread {
        self.file = file;
        std::mem::take(&mut self.unread)
    }

    /// Takes a span in that stands at a place.
    pub fn span(&mut self, bytes: &[u8], read: serde_json::Result<Raw<'_>>, place: Place) {
        let raw = match read {
            Ok(raw) if !raw.trace.is_empty() => raw,
            Ok(_) => return self.unread(place, "it names no trace".to_owned()),
            Err(error) => return self.unread(place, said(&error)),
        };
        let trace = identifier(&raw.trace);
        let process = match &raw.owner {
            Owner::Process(key) => Some(self.names.id(key)),
            _ => None,
        };
        let service = match &raw.owner {
            Owner::Named(name) => Some(self.names.id(name)),
            Owner::Process(_) => process.and_then(|key| self.processes.get(&key).copied()),
            Owner::Resource => self.resource,
            Owner::Unknown => Some(Name::NONE),
        };
        let span = self.kept(&raw, bytes, place);
        if let Some(service) = service {
            self.add(trace, Span { service, ..span });
        } else {
            self.waiting.push(Waiting { process, trace, span });
            if self.waiting.len() > MOST_OPEN {
                self.settle();
            }
        }
    }

    fn kept(&mut self, raw: &Raw<'_>, bytes: &[u8], place: Place) -> Span {
        let kind = raw.tags.kind.unwrap_or_default();
        let name = operation(raw);
        let peer = self.names.side(kind, &raw.name, &raw.tags);
        let written = raw.tags.operation.as_deref().unwrap_or(&raw.name);
        Span {
            id: identifier(&raw.id) as u64,
            parent: identifier(&raw.parent) as u64,
            start_ns: raw.start_ns,
            duration_ns: raw.duration_ns,
            service: Name::NONE,
            name: self.names.name(&name),
            peer,
            seen: seen(self.file, &raw.name, bytes, place),
            kind,
            protocol: raw.tags.protocol,
            error: raw.tags.error,
            store: peer != Name::NONE && self.names.side_of(peer).store.is_some(),
            write: writes(written),
        }
    }

    fn add(&mut self, trace: u128, span: Span) {
        if let Some(spans) = self.open.add(trace, span) {
            fold(spans, &mut self.tally);
        }
    }

    /// A resource begins, whose service is not known yet.
    pub fn begin(&mut self) {
        self.resource = None;
        self.processes.clear();
    }

    /// The service of the spans around.
    pub fn resource(&mut self, service: Option<&str>) {
        self.resource = Some(service.map_or(Name::NONE, |name| self.names.id(name)));
    }

    /// The service of a process.
    pub fn process(&mut self, key: &str, service: &str) {
        let (key, service) = (self.names.id(key), self.names.id(service));
        self.processes.insert(key, service);
    }

    /// A resource or trace ends: whose service is not known now is nobody's.
    pub fn settle(&mut self) {
        for Waiting { process, trace, span } in std::mem::take(&mut self.waiting) {
            let known = process.map_or(self.resource, |key| self.processes.get(&key).copied());
            self.add(trace, Span { service: known.unwrap_or(Name::NONE), ..span });
        }
    }

    /// Counts what cannot be read.
    pub fn unread(&mut self, place: Place, why: String) {
        self.unread.count += 1;
        self.unread.first.get_or_insert((place, why));
    }

    /// The end of all files: every trace is as whole as it gets.
    pub fn finish(&mut self) {
        while let Some(spans) = self.open.oldest() {
            fold(spans, &mut self.tally);
        }
    }

    /// Traces that were cut because too many were open.
    pub const fn cut(&self) -> u64 {
        self.open.early
    }
}

/// What is asked: the method and the route, where the name of a span leaves the route out.
fn operation<'a>(raw: &'a Raw<'_>) -> std::borrow::Cow<'a, str> {
    let name = raw.name.trim();
    match (&raw.tags.method, &raw.tags.route) {
        (Some(method), Some(route)) if route.starts_with('/') && !name.contains(&**route) => {
            format!("{} {route}", method.to_uppercase()).into()
        }
        _ if name.is_empty() => "(unnamed)".into(),
        _ => name.into(),
    }
}

/// Where the name of a span stands, or the span where its name is written otherwise.
fn seen(file: u32, name: &str, bytes: &[u8], place: Place) -> Seen {
    let offset = (name.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    let before = if name.is_empty() { None } else { bytes.get(..offset) };
    let (line, column) =
        before.map_or((place.line, place.column), |before| match before.iter().rposition(|b| *b == b'\n') {
            None => (place.line, place.column.saturating_add(before.len() as u32)),
            Some(last) => {
                let breaks = before.split(|b| *b == b'\n').count() - 1;
                (place.line.saturating_add(breaks as u32), (before.len() - last - 1) as u32)
            }
        });
    Seen { file, line, column }
}

/// What is wrong, without the place within the span.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
