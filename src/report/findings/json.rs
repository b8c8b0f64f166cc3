//! `-f json`: every finding, for programs.
//!
//! Owns the published shape. Must not know how people read findings.

use serde::{Serialize, Serializer};

use super::{CheckReport, FormatInfo, Style};
use crate::finding::Finding;
use crate::source::{Sources, Span};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "json",
    summary: "one object with all findings, for programs",
    page: include_str!("json.md"),
    render,
};

#[derive(Serialize)]
struct Output<'a> {
    version: u32,
    summary: Summary,
    findings: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Summary {
    error: usize,
    warning: usize,
    info: usize,
    suppressed: usize,
    baselined: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    help: String,
    fingerprint: String,
    suppressed: bool,
    baselined: bool,
    locations: Vec<Place<'a>>,
    path: Vec<Step<'a>>,
    #[serde(serialize_with = "numbers")]
    numbers: &'a [(&'static str, f64)],
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: &'a str,
    primary: bool,
}

#[derive(Serialize)]
struct Step<'a> {
    from: &'a str,
    to: &'a str,
    value: &'a str,
}

/// A map in the order of the figures. JSON has no word for infinity or for no number: such are left out.
fn numbers<S: Serializer>(numbers: &&[(&'static str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(numbers.iter().copied().filter(|(_, value)| value.is_finite()))
}

fn render(report: &CheckReport<'_>, _style: &Style) -> String {
    let counts = report.counts();
    let output = Output {
        version: 1,
        summary: Summary {
            error: counts.error,
            warning: counts.warning,
            info: counts.info,
            suppressed: counts.suppressed,
            baselined: counts.baselined,
        },
        findings: report.findings.iter().map(|finding| item(report, finding)).collect(),
    };
    // Nothing in these types can fail to be written: their keys are text, their figures finite.
    let mut text = serde_json::to_string_pretty(&output).unwrap_or_default();
    text.push('\n');
    text
}

fn item<'a>(report: &CheckReport<'a>, finding: &'a Finding) -> Item<'a> {
    let primary = place(report.sources, finding.primary.span, &finding.primary.text, true);
    let others = finding.secondary.iter().map(|label| place(report.sources, label.span, &label.text, false));
    let steps = finding.path.iter().map(|hop| Step { from: &hop.from, to: &hop.to, value: &hop.value });
    Item {
        rule: finding.rule.id,
        severity: finding.severity.name(),
        message: &finding.message,
        help: finding.help.join("\n"),
        fingerprint: finding.fingerprint(),
        suppressed: finding.suppressed,
        baselined: finding.baselined,
        locations: std::iter::once(primary).chain(others).flatten().collect(),
        path: steps.collect(),
        numbers: &finding.numbers,
    }
}

fn place<'a>(sources: &'a Sources, span: Span, label: &'a str, primary: bool) -> Option<Place<'a>> {
    if (span.file.0 as usize) >= sources.files().len() {
        return None;
    }
    let at = sources.locate(span);
    let file = sources.file(span.file).name.as_str();
    let (line, column, end_line, end_column) = (at.line, at.column, at.end_line, at.end_column);
    Some(Place { file, line, column, end_line, end_column, label, primary })
}
