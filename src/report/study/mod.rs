//! What studies say: the self-test, comparisons, sweeps, capacity; for people and for programs.

mod human;
mod json;
mod selftest;

use super::Style;
use crate::study::selftest::{Judged, NotExpressed, Promise};
use std::time::Duration;

/// The result of a study.
#[derive(Debug)]
pub enum Study {
    /// `loadpath selftest`.
    Selftest(Selftest),
}

/// What the self-test found.
#[derive(Debug)]
pub struct Selftest {
    /// Whether every interval was to become narrow.
    pub full: bool,
    /// Of the random numbers.
    pub seed: u64,
    /// The numbers held against theory.
    pub theory: Vec<Judged>,
    /// Rows that no scenario can express.
    pub not_expressed: Vec<NotExpressed>,
    /// What the policies promise.
    pub promises: Vec<Promise>,
    /// How long it took; left out where texts must be the same from run to run.
    pub elapsed: Option<Duration>,
}

/// A format's descriptor.
#[derive(Debug)]
pub struct StudyFormat {
    /// As `--format` takes it.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Makes the text.
    pub render: fn(&Study, &Style) -> String,
}

/// All formats, the default first.
pub static STUDY_FORMATS: &[StudyFormat] = &[
    StudyFormat {
        name: "human",
        summary: "a table for people",
        page: include_str!("human.md"),
        render: human::render,
    },
    StudyFormat {
        name: "json",
        summary: "everything, for programs",
        page: include_str!("json.md"),
        render: json::render,
    },
];
