//! The last line: how much of what was found.
//!
//! Owns the counting and the wording. Must not know any finding beyond its severity and its flags.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::markup::one_line;
use super::{CheckReport, Entry, Style, Tone};
use crate::finding::Severity;

/// How many findings there are: each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Errors neither suppressed nor baselined.
    pub error: usize,
    /// Warnings neither suppressed nor baselined.
    pub warning: usize,
    /// Infos neither suppressed nor baselined.
    pub info: usize,
    /// Suppressed by a comment.
    pub suppressed: usize,
    /// Forgiven by the baseline, and not suppressed.
    pub baselined: usize,
}

impl Counts {
    /// Of these findings.
    pub(super) fn of<'e>(entries: impl IntoIterator<Item = &'e Entry<'e>>) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.count(entry);
        }
        counts
    }

    fn count(&mut self, entry: &Entry<'_>) {
        let counter = match entry.severity {
            _ if entry.suppressed => &mut self.suppressed,
            _ if entry.baselined => &mut self.baselined,
            Severity::Error => &mut self.error,
            Severity::Warning => &mut self.warning,
            Severity::Info => &mut self.info,
        };
        *counter += 1;
    }

    /// The worst severity that is left; `None` if nothing is.
    pub fn worst(&self) -> Option<Severity> {
        match self {
            Self { error: 1.., .. } => Some(Severity::Error),
            Self { warning: 1.., .. } => Some(Severity::Warning),
            Self { info: 1.., .. } => Some(Severity::Info),
            _ => None,
        }
    }
}

/// `shop: 12 services, 16 calls · 1 error, 3 warnings, 2 suppressed · 41 rules in 4 ms`.
pub(super) fn line(report: &CheckReport<'_>, style: &Style) -> String {
    let said = said(report, style);
    // The title is the user's text: no control characters from there.
    let title = one_line(&report.title);
    if title.is_empty() { said } else { format!("{title}: {said}") }
}

/// The line without what was checked.
pub(super) fn said(report: &CheckReport<'_>, style: &Style) -> String {
    let counts = report.counts();
    let mut parts = Vec::new();
    if !report.facts.is_empty() {
        parts.push(report.facts.clone());
    }
    let elsewhere = match report.elsewhere {
        0 => String::new(),
        n => format!(", {n} outside --owner"),
    };
    parts.push(found(&counts, style) + &elsewhere);
    if report.rules_run > 0 {
        let effort = plural(report.rules_run, "rule");
        parts.push(report.elapsed.map_or(effort.clone(), |t| format!("{effort} in {}", duration(t))));
    }
    parts.join(" · ")
}

/// How many findings each owner has, the one with the worst first. A finding about what two own counts for
/// both; nothing where nobody has any.
pub(super) fn owners(report: &CheckReport<'_>, style: &Style) -> String {
    let mut by_owner: BTreeMap<&str, Counts> = BTreeMap::new();
    for entry in report.open() {
        for owner in entry.owners.iter() {
            by_owner.entry(owner).or_default().count(entry);
        }
        if entry.owners.is_empty() {
            by_owner.entry("").or_default().count(entry);
        }
    }
    let mut rows: Vec<(String, Counts)> = by_owner
        .into_iter()
        .map(|(owner, counts)| {
            (if owner.is_empty() { "(no owner)".to_owned() } else { one_line(owner) }, counts)
        })
        .collect();
    rows.sort_by_key(|(_, counts)| Reverse((counts.error, counts.warning, counts.info)));
    let width = rows.iter().map(|(owner, _)| owner.chars().count()).max().unwrap_or(0);
    let lines = rows.iter().map(|(owner, counts)| format!("  {owner:width$}  {}\n", found(counts, style)));
    let text: String = lines.collect();
    if text.is_empty() {
        text
    } else {
        format!("findings by owner (a call counts for both its ends)\n{text}\n")
    }
}

pub(super) fn found(counts: &Counts, style: &Style) -> String {
    let mut parts = Vec::new();
    let levels = [
        (counts.error, "error", Tone::Error),
        (counts.warning, "warning", Tone::Warning),
        (counts.info, "info", Tone::Info),
    ];
    for (count, noun, tone) in levels {
        if count > 0 {
            // `info` has no plural: it is short for information.
            let text = if noun == "info" { format!("{count} info") } else { plural(count, noun) };
            parts.push((style.paint)(tone, &text));
        }
    }
    if parts.is_empty() {
        parts.push((style.paint)(Tone::Good, "no findings"));
    }
    for (count, word) in [(counts.suppressed, "suppressed"), (counts.baselined, "in the baseline")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.join(", ")
}

/// `1 rule`, `2 rules`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn duration(elapsed: Duration) -> String {
    let ms = elapsed.as_secs_f64() * 1000.0;
    match ms {
        ..1.0 => format!("{ms:.1} ms"),
        1.0..999.5 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_fits() {
        for (micros, expected) in
            [(40, "0.0 ms"), (400, "0.4 ms"), (4_200, "4 ms"), (999_600, "1.0 s"), (12_340_000, "12.3 s")]
        {
            assert_eq!(duration(Duration::from_micros(micros)), expected);
        }
    }

    #[test]
    fn each_finding_is_counted_in_words() {
        let plain = Style::default();
        for (counts, expected) in [
            (Counts::default(), "no findings"),
            (Counts { error: 1, warning: 2, info: 2, ..Counts::default() }, "1 error, 2 warnings, 2 info"),
            (
                Counts { suppressed: 2, baselined: 1, ..Counts::default() },
                "no findings, 2 suppressed, 1 in the baseline",
            ),
        ] {
            assert_eq!(found(&counts, &plain), expected);
        }
        let painted = Style { paint: |tone, text| format!("<{tone:?} {text}>"), ..plain };
        assert_eq!(found(&Counts { error: 1, ..Counts::default() }, &painted), "<Error 1 error>");
    }

    #[test]
    fn the_worst_is_what_is_left() {
        let worst =
            |error, warning, info| Counts { error, warning, info, suppressed: 9, baselined: 9 }.worst();
        assert_eq!(worst(1, 1, 1), Some(Severity::Error));
        assert_eq!(worst(0, 1, 1), Some(Severity::Warning));
        assert_eq!(worst(0, 0, 1), Some(Severity::Info));
        assert_eq!(worst(0, 0, 0), None);
    }
}
