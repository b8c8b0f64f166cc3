//! The published JSON as a whole, written and read back.
//!
//! Owns what stands around the findings, and the way from a saved result to a report. Files are handed in:
//! one that says what it said when it was checked is shown again, of another only the place is named.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CheckReport, Counts, Entry, Range};
use crate::lint;
use crate::source::{Sources, Span};

/// The shape that is written and read.
const VERSION: u32 = 1;

/// The result of a check, of one system or several.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document<'a> {
    version: u32,
    summary: Counts,
    findings: Vec<Entry<'a>>,
    #[serde(default)]
    systems: Vec<System<'a>>,
}

/// A system that was checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct System<'a> {
    name: Cow<'a, str>,
    facts: Cow<'a, str>,
    rules_run: usize,
    complete: bool,
    #[serde(default)]
    compared: bool,
    owners: Cow<'a, [String]>,
    texts: Vec<TextRef<'a>>,
}

/// A text that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextRef<'a> {
    /// Its name.
    pub file: Cow<'a, str>,
    /// What tells it from every other, as [`crate::source::SourceFile::hash`] says it.
    pub hash: Cow<'a, str>,
}

impl<'a> Document<'a> {
    /// Everything that these reports say.
    pub(super) fn new(reports: &'a [CheckReport<'_>]) -> Self {
        let entries = reports.iter().flat_map(|report| {
            report.entries.iter().map(|entry| Entry { system: Cow::Borrowed(&report.title), ..entry.clone() })
        });
        let system = |report: &'a CheckReport<'_>| System {
            name: Cow::Borrowed(&report.title),
            facts: Cow::Borrowed(&report.facts),
            rules_run: report.rules_run,
            complete: report.complete,
            compared: report.compared,
            owners: Cow::Borrowed(&report.owners),
            texts: report.texts(),
        };
        Self {
            version: VERSION,
            summary: Counts::of(reports.iter().flat_map(|report| &report.entries)),
            findings: entries.collect(),
            systems: reports.iter().map(system).collect(),
        }
    }
}

impl CheckReport<'_> {
    /// The texts that were read.
    pub(super) fn texts(&self) -> Vec<TextRef<'_>> {
        let read = |(_, file): (_, &'_ crate::source::SourceFile)| TextRef {
            file: Cow::Owned(file.name.clone()),
            hash: Cow::Owned(file.hash()),
        };
        self.texts.clone().unwrap_or_else(|| self.sources.files().map(read).collect())
    }
}

/// A result that was saved.
#[derive(Debug)]
pub struct Saved {
    document: Document<'static>,
    sources: Sources,
}

/// Reads a saved result. An error says what about it is not what `check -f json` writes.
pub fn read(text: &str) -> Result<Saved, String> {
    #[derive(Deserialize)]
    struct Probe {
        version: u32,
    }
    let said = |error: serde_json::Error| format!("it is no result of `check -f json`: {error}");
    let Probe { version } = serde_json::from_str(text).map_err(said)?;
    if version != VERSION {
        return Err(format!("it has version {version}, and this program reads version {VERSION}"));
    }
    let document = serde_json::from_str(text).map_err(said)?;
    Ok(Saved { document, sources: Sources::default() })
}

impl Saved {
    /// The files it speaks of, each once.
    pub fn files(&self) -> BTreeSet<String> {
        let texts = self.document.systems.iter().flat_map(|system| &system.texts);
        texts.map(|text| text.file.to_string()).collect()
    }

    /// Takes in what a file says now; it is shown only if it says what it said then.
    pub fn supply(&mut self, file: &str, text: &str) {
        let mut sources = Sources::default();
        let id = sources.add(file, text);
        let hash = sources.file(id).hash();
        let mut texts = self.document.systems.iter().flat_map(|system| &system.texts);
        if texts.any(|text| text.file == file && text.hash == hash) {
            self.sources.add(file, text);
        }
    }

    /// A report per system.
    pub fn reports(&self) -> Vec<CheckReport<'_>> {
        let unnamed = System {
            name: Cow::Borrowed(""),
            facts: Cow::Borrowed(""),
            rules_run: 0,
            complete: true,
            compared: false,
            owners: Cow::Borrowed(&[]),
            texts: Vec::new(),
        };
        let systems = &self.document.systems;
        let systems = if systems.is_empty() { std::slice::from_ref(&unnamed) } else { systems };
        let names: Vec<&str> = systems.iter().map(|system| system.name.as_ref()).collect();
        let mut entries: Vec<Vec<Entry<'_>>> = vec![Vec::new(); systems.len()];
        for entry in &self.document.findings {
            let of = names.iter().position(|name| *name == entry.system).unwrap_or(0);
            if let Some(entries) = entries.get_mut(of) {
                entries.push(self.resolved(entry));
            }
        }
        let report = |(system, entries): (&System<'static>, _)| {
            let mut report = CheckReport::of(&self.sources, entries);
            report.title = system.name.to_string();
            report.facts = system.facts.to_string();
            report.rules_run = system.rules_run;
            report.complete = system.complete;
            report.compared = system.compared;
            report.owners = system.owners.to_vec();
            report.texts = Some(system.texts.clone());
            report
        };
        systems.iter().zip(entries).map(report).collect()
    }

    /// With its rule, and the bytes of its places where their texts are at hand.
    fn resolved(&self, entry: &Entry<'static>) -> Entry<'_> {
        let mut entry = entry.clone();
        entry.info = lint::rule(&entry.rule);
        for place in &mut entry.locations {
            place.range.span = self.span(&place.range);
        }
        for range in &mut entry.secrets {
            range.span = self.span(range);
        }
        entry
    }

    fn span(&self, range: &Range<'_>) -> Option<Span> {
        let (id, file) = self.sources.files().find(|(_, file)| file.name == range.file)?;
        let byte = |line, column| file.lines.byte_at(&file.text, line, column);
        Some(Span::new(id, byte(range.line, range.column)?, byte(range.end_line, range.end_column)?))
    }
}
