//! `-f markdown`: a comment on a pull request.

use std::fmt::Write;

use super::{CheckReport, FormatInfo, Style, human};
use crate::report::markup::{code, fenced, markdown};
use crate::report::{Entry, summary, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "markdown",
    summary: "a table with the details folded away, for a comment on a pull request",
    page: include_str!("markdown.md"),
    render,
};

/// GitHub takes comments of 65,536 characters: that is where a table ends ...
const TABLE_CHARS: usize = 25_000;

/// ... and where details end.
const ALL_CHARS: usize = 60_000;

fn render(reports: &[CheckReport<'_>], style: &Style) -> String {
    let mut out = String::new();
    let share = reports.len().max(1);
    for report in reports {
        let from = out.chars().count();
        one(report, style, from, share, &mut out);
    }
    out
}

fn one(report: &CheckReport<'_>, style: &Style, from: usize, share: usize, out: &mut String) {
    let title = if report.title.is_empty() { String::new() } else { format!(" {}", markdown(&report.title)) };
    let plain = Style { verbose: style.verbose, ..Style::default() };
    let _ = writeln!(out, "### loadpath:{title}\n\n{}\n", markdown(&summary::said(report, &plain)));
    // The worst first: what does not fit is left out at the end.
    let mut worst: Vec<&Entry<'_>> = report.open().collect();
    worst.sort_by_key(|entry| std::cmp::Reverse(entry.severity));
    if worst.is_empty() {
        return;
    }
    let owned = worst.iter().any(|entry| !entry.owners.is_empty());
    let (head, line) = if owned { (" | owner", " | ---") } else { ("", "") };
    let _ = writeln!(out, "| | finding | rule | where{head} |\n| --- | --- | --- | ---{line} |");
    let shown = fill(&worst, from + TABLE_CHARS / share, out, |entry| row(entry, owned));
    if shown < worst.len() {
        let _ = writeln!(out, "\n… and {} more", worst.len() - shown);
    }
    let _ = writeln!(out, "\n<details><summary>Details</summary>\n");
    let renderer = human::renderer(&plain);
    let shown = fill(&worst, from + ALL_CHARS / share, out, |entry| {
        let mut text = String::new();
        human::one(report, entry, &renderer, &plain, &mut text);
        fenced(&text) + "\n"
    });
    if shown < worst.len() {
        let _ = writeln!(out, "… and {} more\n", worst.len() - shown);
    }
    out.push_str("</details>\n");
}

/// Adds one after the other until there are `until` characters; how many were added.
fn fill(entries: &[&Entry<'_>], until: usize, out: &mut String, say: impl Fn(&Entry<'_>) -> String) -> usize {
    let mut length = out.chars().count();
    for (index, entry) in entries.iter().enumerate() {
        let text = say(entry);
        length += text.chars().count();
        if length > until {
            return index;
        }
        out.push_str(&text);
    }
    entries.len()
}

fn row(entry: &Entry<'_>, owned: bool) -> String {
    let place = entry.place().map_or_else(String::new, |at| code(&format!("{}:{}", at.file, at.line)));
    let owners: Vec<String> = entry.owners.iter().map(|owner| markdown(owner)).collect();
    let owners = if owned { format!(" | {}", owners.join(", ")) } else { String::new() };
    let severity = words::by_severity(entry.severity, ["**error**", "warning", "info"]);
    format!("| {severity} | {} | {} | {place}{owners} |\n", markdown(&entry.message), code(&entry.rule))
}
