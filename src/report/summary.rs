//! The last line: how much of what was found.
//!
//! Owns the counting and the wording. Must not know any finding beyond its severity and its flags.

use std::time::Duration;

use annotate_snippets::normalize_untrusted_str;

use super::{CheckReport, Style, Tone};
use crate::finding::Severity;

/// How many findings there are: each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    pub(super) fn of(report: &CheckReport<'_>) -> Self {
        let mut counts = Self::default();
        for finding in report.findings {
            let counter = match finding.severity {
                _ if finding.suppressed => &mut counts.suppressed,
                _ if finding.baselined => &mut counts.baselined,
                Severity::Error => &mut counts.error,
                Severity::Warning => &mut counts.warning,
                Severity::Info => &mut counts.info,
            };
            *counter += 1;
        }
        counts
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
    let counts = report.counts();
    let mut parts = Vec::new();
    if !report.facts.is_empty() {
        parts.push(report.facts.clone());
    }
    parts.push(found(&counts, style));
    if report.rules_run > 0 {
        let effort = plural(report.rules_run, "rule");
        parts.push(report.elapsed.map_or(effort.clone(), |t| format!("{effort} in {}", duration(t))));
    }
    let said = parts.join(" · ");
    // The title is the user's text: no control characters from there.
    let title = normalize_untrusted_str(&report.title);
    if title.is_empty() { said } else { format!("{title}: {said}") }
}

fn found(counts: &Counts, style: &Style) -> String {
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
