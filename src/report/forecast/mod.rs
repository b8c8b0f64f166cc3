//! What a simulation says, for people and for programs.

mod events;
mod human;
mod inputs;
mod json;
mod metrics;
mod numbers;
mod theory;
mod traces;

pub use events::event_line;
pub use numbers::{percent, said, seconds, short};

use super::Style;
use crate::model::Architecture;
use crate::sim::{Compiled, Judged, Outcome, Trace};
use crate::study::compare::Moved;
use crate::study::precision::Reached;
use crate::study::twin::Twin;
use std::time::Duration;

/// A simulated scenario.
#[derive(Debug)]
pub struct Run {
    /// What was run.
    pub compiled: Compiled,
    /// What came of it.
    pub outcome: Outcome,
    /// What was expected of it.
    pub expectations: Vec<Judged>,
    /// What theory says of its stations.
    pub twins: Vec<Twin>,
    /// How well its numbers are known, where a precision was asked for.
    pub precision: Option<Reached>,
    /// Of replication 0, as the document's `monitoring` asks for them; empty where it does not.
    pub traces: Vec<Trace>,
    /// The inputs that were assumed, by how far they move the result; empty where that was not asked.
    pub moved: Vec<Moved>,
}

/// Everything a forecast says.
#[derive(Debug)]
pub struct Forecast<'a> {
    /// The architecture.
    pub arch: &'a Architecture,
    /// The scenarios, in document order.
    pub runs: Vec<Run>,
    /// How long it took; left out where texts must be the same from run to run.
    pub elapsed: Option<Duration>,
}

/// A format's descriptor.
#[derive(Debug)]
pub struct ForecastFormat {
    /// As `--format` takes it.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Makes the text.
    pub render: fn(&Forecast<'_>, &Style) -> String,
}

/// All formats, the default first.
pub static FORECAST_FORMATS: &[ForecastFormat] = &[
    ForecastFormat {
        name: "human",
        summary: "one screen for people",
        page: include_str!("human.md"),
        render: human::render,
    },
    ForecastFormat {
        name: "json",
        summary: "everything, for programs",
        page: include_str!("json.md"),
        render: json::render,
    },
];
