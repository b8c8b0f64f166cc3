//! `-f human`: changes as a person reads them.

use super::{ChangeFormat, Changes, words};
use crate::change::Trend;
use crate::finding::{Finding, Severity};
use crate::report::markup::one_line;
use crate::report::{Style, Tone};
use crate::source::Sources;
use std::fmt::Write;

/// The descriptor.
pub(super) const INFO: ChangeFormat = ChangeFormat {
    name: "human",
    summary: "what changed, one line each, for people",
    page: include_str!("human.md"),
    render,
};

/// So many lines of one section, unless everything is asked for.
const LINES: usize = 40;

fn render(changes: &Changes<'_>, style: &Style) -> String {
    let diff = changes.diff;
    let mut out = String::new();
    let told = words::told(diff, style.verbose);
    let width = told.iter().map(|t| t.what.chars().count()).max().unwrap_or(0);
    let blocks = told.iter().map(|one| {
        let note = if one.note.is_empty() { String::new() } else { format!("  ({})", one.note) };
        let mut text = format!("{} {:width$}  {}{note}\n", one.sign, one.what, one.id);
        let keys = one.facts.iter().map(|(key, ..)| key.chars().count()).max().unwrap_or(0);
        for (key, old, new) in &one.facts {
            let _ = writeln!(text, "    {key:keys$}  {old} → {new}");
        }
        text
    });
    section(blocks, style, &mut out);
    for (trend, quantities) in words::trends(diff) {
        let tone = match trend {
            Trend::Worse => Tone::Warning,
            Trend::Better => Tone::Good,
            Trend::Other => Tone::Info,
        };
        let _ = writeln!(out, "\n{}", (style.paint)(tone, words::title(trend)));
        let titles = quantities.iter().map(|q| q.info.title.chars().count()).max().unwrap_or(0);
        let about = quantities.iter().map(|q| q.about.chars().count()).max().unwrap_or(0);
        let lines = quantities.iter().map(|quantity| {
            let (old, new) = words::values(quantity);
            let because = words::because(quantity);
            let because = if because.is_empty() { String::new() } else { format!("  ({because})") };
            format!("  {:titles$}  {:about$}  {old} → {new}{because}\n", quantity.info.title, quantity.about)
        });
        section(lines, style, &mut out);
    }
    if !diff.new.is_empty() || !diff.gone.is_empty() {
        let _ = writeln!(out, "\nfindings");
        let new = diff.new.iter().map(|f| finding('+', f, "", changes.sources.1, style));
        let gone = diff.gone.iter().map(|gone| {
            let note = if gone.suppressed { " (suppressed now)" } else { "" };
            finding('-', &gone.finding, note, changes.sources.0, style)
        });
        section(new.chain(gone), style, &mut out);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let (old, new) = (one_line(changes.old), one_line(changes.new));
    let _ = writeln!(out, "{old} → {new}: {}", words::summary(diff));
    out
}

fn section(blocks: impl Iterator<Item = String>, style: &Style, out: &mut String) {
    let (mut lines, mut left_out) = (0, 0);
    for block in blocks {
        if lines >= LINES && !style.verbose {
            left_out += 1;
            continue;
        }
        lines += block.lines().count();
        for line in block.lines() {
            out.push_str(one_line(line).trim_end());
            out.push('\n');
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "… and {left_out} more (--verbose shows all)");
    }
}

fn finding(sign: char, finding: &Finding, note: &str, sources: &Sources, style: &Style) -> String {
    let known = (finding.primary.span.file.0 as usize) < sources.files().len();
    let place = known.then(|| {
        let file = &sources.file(finding.primary.span.file).name;
        format!("  {file}:{}", sources.locate(finding.primary.span).line)
    });
    let tone = match finding.severity {
        Severity::Error => Tone::Error,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Info,
    };
    let rule = if sign == '+' { (style.paint)(tone, &words::rule(finding)) } else { words::rule(finding) };
    // Only the paint may hold control characters.
    let said = one_line(&format!("{}{note}{}", finding.message, place.unwrap_or_default()));
    format!("{sign} {rule}: {said}\n")
}
