//! Every text and file format of findings, changes and outcomes.
//!
//! Owns how results read. Formats return text; they never print, never ask for the time, the terminal or
//! the environment: whether there is colour and how wide a line may be is handed in as a [`Style`].
//! Must not judge: what is an error was settled before.

pub mod findings;
pub mod forecast;
mod mask;
mod snippet;
mod summary;

pub use findings::{FINDING_FORMATS, FormatInfo, finding_format};
pub use summary::Counts;

use std::time::Duration;

use crate::finding::Finding;
use crate::source::Sources;

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

/// What a check found, and what is said around it.
#[derive(Debug, Clone)]
pub struct CheckReport<'a> {
    /// The texts the findings point into.
    pub sources: &'a Sources,
    /// All findings, sorted, the suppressed and the baselined ones with their flag. Texts for people leave
    /// those out, files for programs mark them.
    pub findings: &'a [Finding],
    /// What was checked (`shop`); may be empty.
    pub title: String,
    /// What it consists of (`12 services, 16 calls, 2 entry points`); may be empty.
    pub facts: String,
    /// How many rules were judged.
    pub rules_run: usize,
    /// How long it took; left out where texts must be the same from run to run.
    pub elapsed: Option<Duration>,
    /// Whether texts for people show suppressed findings too.
    pub show_suppressed: bool,
}

impl<'a> CheckReport<'a> {
    /// A report of these findings with nothing said around them.
    pub fn new(sources: &'a Sources, findings: &'a [Finding]) -> Self {
        Self {
            sources,
            findings,
            title: String::new(),
            facts: String::new(),
            rules_run: 0,
            elapsed: None,
            show_suppressed: false,
        }
    }

    /// How many findings there are of each kind.
    pub fn counts(&self) -> Counts {
        Counts::of(self)
    }
}

#[cfg(test)]
mod tests;
