//! What is said about a finding beside its headline, as plain lines.
//!
//! Owns the words that formats without source lines share. Must not know any format's escaping.

use std::fmt::Write;

use super::{CheckReport, Entry, Range};
use crate::finding::Severity;

/// A longer path than this shows its ends only.
const PATH_ABOVE: usize = 14;

/// How many steps of a long path are shown at each of its ends.
const PATH_ENDS: usize = 6;

/// `help: …` and `note: …`, a line each.
pub(super) fn advice(entry: &Entry<'_>) -> Vec<String> {
    let help = entry.help.iter().map(|help| format!("help: {help}"));
    help.chain(entry.notes.iter().map(|note| format!("note: {note}"))).collect()
}

/// Where it is with what is to be seen there, advice, and the path, a line each.
pub(super) fn story(entry: &Entry<'_>) -> Vec<String> {
    let places = entry.locations.iter().map(|at| match at.label.as_ref() {
        "" => position(&at.range),
        label => format!("{}: {label}", position(&at.range)),
    });
    places.chain(advice(entry)).chain(path(entry)).collect()
}

/// `shop.yaml:18:16`.
pub(super) fn position(at: &Range<'_>) -> String {
    format!("{}:{}:{}", at.file, at.line, at.column)
}

/// `path: web → payment (3 attempts) → ledger (4 attempts)`, where there is one.
pub(super) fn path(entry: &Entry<'_>) -> Option<String> {
    let steps = &entry.path;
    let left_out = left_out(steps.len());
    let mut text = String::new();
    let mut at = "";
    for (index, step) in steps.iter().enumerate() {
        if left_out.contains(&index) {
            if index == left_out.start {
                let _ = write!(text, " → … {} more steps …", left_out.len());
            }
        } else {
            if at != step.from {
                text.push_str(if text.is_empty() { "" } else { "; " });
                text.push_str(&step.from);
            }
            let _ = write!(text, " → {}", step.to);
            if !step.value.is_empty() {
                let _ = write!(text, " ({})", step.value);
            }
        }
        at = &step.to;
    }
    (!text.is_empty()).then(|| format!("path: {text}"))
}

/// Which steps of a path of so many are not shown.
pub(super) fn left_out(steps: usize) -> std::ops::Range<usize> {
    if steps > PATH_ABOVE { PATH_ENDS..steps - PATH_ENDS } else { 0..0 }
}

/// The findings of all systems that are to be mended.
pub(super) fn open<'r, 'a>(reports: &'r [CheckReport<'a>]) -> impl Iterator<Item = &'r Entry<'a>> {
    reports.iter().flat_map(CheckReport::open)
}

/// One of three words for how bad it is.
pub(super) const fn by_severity(severity: Severity, words: [&'static str; 3]) -> &'static str {
    let [error, warning, info] = words;
    match severity {
        Severity::Error => error,
        Severity::Warning => warning,
        Severity::Info => info,
    }
}
