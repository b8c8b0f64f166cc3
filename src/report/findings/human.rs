//! `-f human`: the findings as a person reads them.
//!
//! Owns the layout: headline, source lines, help, notes, path, summary. Must not know which lines are
//! shown (`report::snippet`) nor how findings are counted (`report::summary`).

use annotate_snippets::{Group, Level, Renderer, normalize_untrusted_str};

use super::{CheckReport, FormatInfo, Style};
use crate::finding::Severity;
use crate::report::{Entry, Step, fold, snippet, summary, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "human",
    summary: "findings with the source lines they are about, for people",
    page: include_str!("human.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], style: &Style) -> String {
    let mut out = String::new();
    for report in reports {
        findings(report, style, &mut out);
        if report.by_owner {
            out.push_str(&summary::owners(report, style));
        }
        out.push_str(&summary::line(report, style));
        out.push('\n');
    }
    out
}

fn findings(report: &CheckReport<'_>, style: &Style, out: &mut String) {
    let renderer = renderer(style);
    for shown in fold::shown(report, style.verbose) {
        one(report, &shown.entry, &renderer, style, out);
        if !shown.more.is_empty() {
            out.extend([shown.more.as_str(), "\n\n"]);
        }
    }
}

/// What draws findings in this style.
pub(super) fn renderer(style: &Style) -> Renderer {
    let renderer = if style.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    renderer.term_width(style.width.max(40))
}

/// Draws one finding and an empty line.
pub(super) fn one(
    report: &CheckReport<'_>,
    entry: &Entry<'_>,
    renderer: &Renderer,
    style: &Style,
    out: &mut String,
) {
    let level = match entry.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    // Ids are ours, but not those of a result that was saved.
    let rule = normalize_untrusted_str(&entry.rule);
    let mut group = Group::with_title(level.primary_title(entry.message.as_ref()).id(rule))
        .elements(snippet::elements(report.sources, entry, &report.mask, style.verbose));
    for help in entry.help.iter() {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    if entry.fix.is_some() && entry.counts() {
        group = group.element(Level::NOTE.message("`loadpath check --fix` does it"));
    }
    for note in entry.notes.iter() {
        group = group.element(Level::NOTE.message(normalize_untrusted_str(note)));
    }
    if !entry.path.is_empty() {
        let path = path(&entry.path, style.verbose);
        group = group.element(Level::NOTE.message(normalize_untrusted_str(&path)));
    }
    out.push_str(&renderer.render(&[group]));
    out.push_str("\n\n");
}

/// The path step by step: where it starts, then an arrow per step with its figure behind, aligned.
fn path(hops: &[Step<'_>], verbose: bool) -> String {
    let left_out = if verbose { 0..0 } else { words::left_out(hops.len()) };
    // A row that starts the path (again), or a step with its figure.
    let mut rows: Vec<(String, &str)> = Vec::new();
    let mut at: Option<&str> = None;
    for (index, hop) in hops.iter().enumerate() {
        if left_out.contains(&index) {
            if index == left_out.start {
                rows.push((format!("  … {} more steps …", left_out.len()), ""));
            }
        } else {
            if at != Some(hop.from.as_ref()) {
                rows.push((hop.from.to_string(), ""));
            }
            rows.push((format!("  → {}", hop.to), &hop.value));
        }
        at = Some(&hop.to);
    }
    let width =
        rows.iter().filter(|(_, value)| !value.is_empty()).map(|(step, _)| step.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = "the path:".to_owned();
    for (step, value) in rows {
        text.push('\n');
        if value.is_empty() {
            text.push_str(&step);
        } else {
            text.extend([format!("{step:width$}").as_str(), "  ", value]);
        }
    }
    text
}
