//! `-f markdown`: a comment on a pull request.

use std::fmt::Write;

use super::{CheckReport, FormatInfo, Style, human};
use crate::report::fold::{self, Shown};
use crate::report::markup::{code, fenced, markdown};
use crate::report::{summary, words};

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
    let mut worst = fold::shown(report, style.verbose);
    worst.sort_by_key(|shown| std::cmp::Reverse(shown.entry.severity));
    if worst.is_empty() {
        return;
    }
    let owned = worst.iter().any(|shown| !shown.entry.owners.is_empty());
    let (head, line) = if owned { (" | owner", " | ---") } else { ("", "") };
    let _ = writeln!(out, "| | finding | rule | where{head} |\n| --- | --- | --- | ---{line} |");
    let shown = fill(&worst, from + TABLE_CHARS / share, out, |shown| row(shown, owned));
    if shown < worst.len() {
        let _ = writeln!(out, "\n… and {} more", worst.len() - shown);
    }
    let _ = writeln!(out, "\n<details><summary>Details</summary>\n");
    let renderer = human::renderer(&plain);
    let shown = fill(&worst, from + ALL_CHARS / share, out, |shown| {
        let mut text = String::new();
        human::one(report, &shown.entry, &renderer, &plain, &mut text);
        fenced(&text) + "\n"
    });
    if shown < worst.len() {
        let _ = writeln!(out, "… and {} more\n", worst.len() - shown);
    }
    out.push_str("</details>\n");
}

/// Adds one after the other until there are `until` characters; how many were added.
fn fill(
    all: &[Shown<'_, '_>],
    until: usize,
    out: &mut String,
    say: impl Fn(&Shown<'_, '_>) -> String,
) -> usize {
    let mut length = out.chars().count();
    for (index, shown) in all.iter().enumerate() {
        let text = say(shown);
        length += text.chars().count();
        if length > until {
            return index;
        }
        out.push_str(&text);
    }
    all.len()
}

fn row(shown: &Shown<'_, '_>, owned: bool) -> String {
    let entry = &shown.entry;
    let place = entry.place().map_or_else(String::new, |at| code(&format!("{}:{}", at.file, at.line)));
    let owners: Vec<String> = entry.owners.iter().map(|owner| markdown(owner)).collect();
    let owners = if owned { format!(" | {}", owners.join(", ")) } else { String::new() };
    let severity = words::by_severity(entry.severity, ["**error**", "warning", "info"]);
    let row =
        format!("| {severity} | {} | {} | {place}{owners} |\n", markdown(&entry.message), code(&entry.rule));
    let more = match shown.more.as_str() {
        "" => String::new(),
        more => format!("| | {} | | {} |\n", markdown(more), if owned { "|" } else { "" }),
    };
    row + &more
}
