//! The formats of what changed: one file each, joined in one slice.
//!
//! Owns the slice that help texts, `explain` and the choice on the command line read.
//! Must not know what a format writes.

mod human;
mod json;
mod markdown;
mod words;

use super::Style;
use crate::change::Diff;
use crate::source::Sources;

/// What changed, and what is said around it.
#[derive(Debug, Clone, Copy)]
pub struct Changes<'a> {
    /// What the older version is called.
    pub old: &'a str,
    /// What the newer one is called.
    pub new: &'a str,
    /// What changed.
    pub diff: &'a Diff,
    /// The texts of both, the older first.
    pub sources: (&'a Sources, &'a Sources),
}

/// A format's descriptor.
#[derive(Debug)]
pub struct ChangeFormat {
    /// What is written after `-f`.
    pub name: &'static str,
    /// One line: who reads it.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Turns changes into the whole text, its last line ended.
    pub render: fn(&Changes<'_>, &Style) -> String,
}

/// All formats of changes; the first is the default.
pub static CHANGE_FORMATS: &[ChangeFormat] = &[human::INFO, markdown::INFO, json::INFO];
