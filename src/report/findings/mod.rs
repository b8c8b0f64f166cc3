//! The formats of findings: one file each, joined in one slice.
//!
//! Owns the slice that help texts, `explain` and the choice on the command line read.
//! Must not know what a format writes.

mod checkstyle;
mod github;
mod gitlab;
mod human;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod sarif;

use super::{CheckReport, Style};

/// A format's descriptor.
#[derive(Debug)]
pub struct FormatInfo {
    /// What is written after `-f`.
    pub name: &'static str,
    /// One line: who reads it.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Turns reports, one per system, into one whole text, its last line ended.
    pub render: fn(&[CheckReport<'_>], &Style) -> String,
}

/// All formats of findings; the first is the default.
pub static FINDING_FORMATS: &[FormatInfo] = &[
    human::INFO,
    json::INFO,
    jsonl::INFO,
    sarif::INFO,
    github::INFO,
    gitlab::INFO,
    junit::INFO,
    checkstyle::INFO,
    markdown::INFO,
];

/// The format of this name.
pub fn finding_format(name: &str) -> Option<&'static FormatInfo> {
    FINDING_FORMATS.iter().find(|format| format.name == name)
}
