//! What studies say: the self-test, comparisons, sweeps, capacity; for people and for programs.

mod capacity;
mod compare;
mod human;
mod json;
mod selftest;
mod sweep;

pub(super) use compare::{difference, json_difference};

use super::Style;
use crate::sim::{Judged as Expected, Outcome};
use crate::study::capacity::{Bottleneck, Found, Search};
use crate::study::compare::{Compared, Effort};
use crate::study::selftest::{Judged, NotExpressed, Promise};
use std::time::Duration;

/// The result of a study.
#[derive(Debug)]
pub enum Study {
    /// `loadpath selftest`.
    Selftest(Selftest),
    /// `loadpath compare`.
    Comparison(Comparison),
    /// `loadpath sweep`.
    Sweep(Sweep),
    /// `loadpath capacity`.
    Capacity(Capacity),
}

/// Variants of a system side by side.
#[derive(Debug)]
pub struct Comparison {
    /// The scenario.
    pub scenario: String,
    /// How all of them were run.
    pub effort: Effort,
    /// Each with its differences from the system as it is.
    pub variants: Vec<Compared>,
}

/// A system at many points.
#[derive(Debug)]
pub struct Sweep {
    /// The scenario.
    pub scenario: String,
    /// How all of them were run.
    pub effort: Effort,
    /// What is varied: paths of settings, or `load`.
    pub axes: Vec<String>,
    /// The points.
    pub points: Vec<Point>,
}

/// A system at one of them.
#[derive(Debug)]
pub struct Point {
    /// The value on each axis.
    pub values: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// What was expected of it.
    pub expectations: Vec<Expected>,
    /// What was busiest.
    pub bottleneck: Option<Bottleneck>,
}

/// How far a system goes.
#[derive(Debug)]
pub struct Capacity {
    /// The scenario.
    pub scenario: String,
    /// How every value was run.
    pub effort: Effort,
    /// The path of the setting; `None`: the load.
    pub of: Option<String>,
    /// Of its values.
    pub unit: String,
    /// Which way it was looked for.
    pub way: Search,
    /// What was found.
    pub found: Found,
    /// The load the document says: requests per second of its open loops at their highest,
    pub rate_per_s: f64,
    /// and users of its closed ones.
    pub users: u32,
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
