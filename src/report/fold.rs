//! Many findings of one rule as a few: which are shown to people.
//!
//! Owns the folding. Must not know how a finding is laid out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{CheckReport, Entry, Place};
use crate::finding::Severity;

/// A rule with more findings than this is folded ...
const ABOVE: usize = 10;

/// ... to so many, shown in full.
const TO: usize = 3;

/// A finding that is shown.
pub(super) struct Shown<'r, 'a> {
    /// The finding; one for all where many have one cause.
    pub entry: Cow<'r, Entry<'a>>,
    /// What is said of those that are left out after it; empty where none are.
    pub more: String,
}

/// What is shown of a report's open findings, in order: all of them where `verbose`.
pub(super) fn shown<'r, 'a>(report: &'r CheckReport<'a>, verbose: bool) -> Vec<Shown<'r, 'a>> {
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in report.open() {
        *totals.entry(&entry.rule).or_default() += 1;
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in report.open() {
        let rule = entry.rule.as_ref();
        let total = totals.get(rule).copied().unwrap_or(0);
        let so_far = seen.entry(rule).or_default();
        *so_far += 1;
        // Errors are each to be mended: none is folded away.
        let folded = total > ABOVE && !verbose && entry.severity != Severity::Error;
        let together = entry.info.map_or("", |info| info.together);
        if folded && !together.is_empty() {
            if *so_far == 1 {
                let entry = Cow::Owned(coverage(report, entry, total, together));
                all.push(Shown { entry, more: String::new() });
            }
        } else if !folded || *so_far <= TO {
            let more = if folded && *so_far == TO { left_out(rule, total) } else { String::new() };
            all.push(Shown { entry: Cow::Borrowed(entry), more });
        }
    }
    all
}

/// Many findings of one cause as one: the first, with the next few pointed at.
fn coverage<'a>(report: &CheckReport<'a>, first: &Entry<'a>, total: usize, together: &str) -> Entry<'a> {
    let same = || report.open().filter(|entry| entry.rule == first.rule);
    let next = same().skip(1).take(TO - 1).filter_map(|entry| entry.locations.first());
    let places = next.map(|at| Place { primary: false, ..at.clone() });
    let mut all = first.clone();
    all.message = format!("{total} {together}").into();
    all.locations.truncate(1);
    all.locations.extend(places);
    let owners: BTreeSet<&String> = same().flat_map(|entry| entry.owners.iter()).collect();
    all.owners = owners.into_iter().cloned().collect();
    all.notes.to_mut().push(format!("and {} more; --verbose shows each", total - TO));
    all
}

fn left_out(rule: &str, total: usize) -> String {
    format!("… and {} more `{rule}` (showing {TO} of {total}; --verbose shows all)", total - TO)
}
