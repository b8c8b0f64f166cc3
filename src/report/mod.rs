//! Every text and file format of findings, changes and outcomes.
//!
//! Owns how results read. Formats return text; they never print, never ask for the time, the terminal or
//! the environment: whether there is colour and how wide a line may be is handed in as a [`Style`].
//! Must not judge: what is an error was settled before.

pub mod changes;
mod entry;
pub mod findings;
mod fold;
pub mod forecast;
mod markup;
mod mask;
mod saved;
mod snippet;
pub mod study;
mod summary;
mod words;

pub use entry::{Change, Entry, Place, Range, Step};
pub use findings::{FINDING_FORMATS, FormatInfo, finding_format};
pub use saved::{Saved, TextRef, read};
pub use summary::Counts;

use std::time::Duration;

use crate::finding::{Finding, Severity};
use crate::source::Sources;
use mask::Mask;
use rayon::prelude::*;

/// How a text may look.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// ANSI colours in source snippets.
    pub color: bool,
    /// Paints a word; where there is no colour, gives it back.
    pub paint: fn(Tone, &str) -> String,
    /// Columns of a line, for what has to be cut; under 40 counts as 40.
    pub width: usize,
    /// Everything in full: no rule's findings are folded, no path is shortened.
    pub verbose: bool,
}

impl Default for Style {
    /// No colour, 100 columns, folded: what a file or a pipe gets.
    fn default() -> Self {
        Self { color: false, paint: |_, text| text.to_owned(), width: 100, verbose: false }
    }
}

/// What a painted word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Wrong.
    Error,
    /// Likely to hurt, or not decided.
    Warning,
    /// Worth knowing.
    Info,
    /// As it should be.
    Good,
}

/// What a check of one system found, and what is said around it.
#[derive(Debug, Clone)]
pub struct CheckReport<'a> {
    /// The texts the findings point into.
    pub sources: &'a Sources,
    /// All findings, sorted, the suppressed and the baselined ones with their flag. Texts for people leave
    /// those out, files for programs mark them.
    pub entries: Vec<Entry<'a>>,
    /// What was checked (`shop`); may be empty.
    pub title: String,
    /// What it consists of (`12 services, 16 calls, 2 entry points`); may be empty.
    pub facts: String,
    /// How many rules were judged.
    pub rules_run: usize,
    /// How long it took; left out where texts must be the same from run to run.
    pub elapsed: Option<Duration>,
    /// Whether every file could be read.
    pub complete: bool,
    /// All owners the system names, sorted.
    pub owners: Vec<String>,
    /// How many findings were left out because they are about what others own.
    pub elsewhere: usize,
    /// Whether texts for people count the findings of each owner.
    pub by_owner: bool,
    /// The texts that were read, where they are not all in `sources`: of a result that was saved.
    pub texts: Option<Vec<TextRef<'a>>>,
    /// What of the texts is not to be shown, whatever is left out later.
    mask: Mask,
}

impl<'a> CheckReport<'a> {
    /// A report of these findings with nothing said around them.
    pub fn new(sources: &'a Sources, findings: &'a [Finding]) -> Self {
        Self::of(sources, findings.par_iter().map(|finding| Entry::new(sources, finding)).collect())
    }

    /// A report of findings that are resolved already.
    pub fn of(sources: &'a Sources, entries: Vec<Entry<'a>>) -> Self {
        Self {
            mask: Mask::of(&entries),
            sources,
            entries,
            title: String::new(),
            facts: String::new(),
            rules_run: 0,
            elapsed: None,
            complete: true,
            owners: Vec::new(),
            elsewhere: 0,
            by_owner: false,
            texts: None,
        }
    }

    /// Leaves out what is about nothing that one of `teams` owns. What keeps files from being read
    /// concerns everyone: it stays.
    pub fn only(&mut self, teams: &[String]) {
        let all = self.entries.len();
        let complete = self.complete;
        self.entries.retain(|entry| {
            let stops = !complete && entry.owners.is_empty() && entry.severity == Severity::Error;
            stops || entry.owners.iter().any(|owner| teams.contains(owner))
        });
        self.elsewhere += all - self.entries.len();
    }

    /// The line of the texts where something begins, without the blanks around it and without secrets: neither
    /// those that findings are about, nor what is written where passwords stand.
    pub fn line(&self, span: crate::source::Span) -> String {
        let file = self.sources.file(span.file);
        let at = span.start as usize;
        let from = file.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
        let rest = file.text.get(at..).unwrap_or_default();
        let end = at + rest.find('\n').unwrap_or(rest.len());
        mask::without_passwords(self.mask.text(file, span.file, from..end).trim())
    }

    /// The findings that are to be mended: neither suppressed nor baselined.
    pub fn open(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(|entry| entry.counts())
    }

    /// How many findings there are of each kind.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.entries)
    }
}

#[cfg(test)]
mod tests;
