//! `-f markdown`: changes as a comment on a pull request.

use super::{ChangeFormat, Changes, words};
use crate::finding::Finding;
use crate::report::Style;
use crate::report::markup::{code, markdown};
use std::fmt::Write;

/// The descriptor.
pub(super) const INFO: ChangeFormat = ChangeFormat {
    name: "markdown",
    summary: "tables, for a comment on a pull request",
    page: include_str!("markdown.md"),
    render,
};

/// Comments may hold about 65,000 characters: so many rows of a table, unless everything is asked for.
const ROWS: usize = 100;

fn render(changes: &Changes<'_>, style: &Style) -> String {
    let diff = changes.diff;
    let mut out =
        format!("**loadpath** {} → {}: {}\n", code(changes.old), code(changes.new), words::summary(diff));
    let told = words::told(diff, style.verbose);
    let rows = told.iter().flat_map(|one| {
        let note = if one.note.is_empty() { String::new() } else { format!(" ({})", markdown(&one.note)) };
        let first = format!("| {} | {} | {}{note} |", one.sign, one.what, code(&one.id));
        let facts = one.facts.iter();
        let facts = facts.map(|(key, old, new)| format!("{} {} → {} |", code(key), code(old), code(new)));
        let facts: Vec<String> = facts.collect();
        if facts.is_empty() {
            return vec![format!("{first} |")];
        }
        let each = facts.into_iter().enumerate();
        each.map(|(i, fact)| if i == 0 { format!("{first} {fact}") } else { format!("| | | | {fact}") })
            .collect()
    });
    table("| | what | which | changed |\n|---|---|---|---|", rows, style, &mut out);
    let rows = words::trends(diff).into_iter().flat_map(|(trend, quantities)| {
        let row = move |quantity: &crate::change::Quantity| {
            let (old, new) = words::values(quantity);
            let because = words::because(quantity);
            let because = if because.is_empty() { String::new() } else { code(&because) };
            let (title, about) = (quantity.info.title, code(&quantity.about));
            format!("| {} | {title} | {about} | {old} → **{new}** | {because} |", words::title(trend))
        };
        quantities.into_iter().map(row).collect::<Vec<_>>()
    });
    table("| | quantity | of | value | because |\n|---|---|---|---|---|", rows, style, &mut out);
    let row = |sign: &str, finding: &Finding, note: &str| {
        let rule = format!("{} {}", finding.severity, code(finding.rule.id));
        format!("| {sign} | {rule} | {}{note} |", markdown(&finding.message))
    };
    let new = diff.new.iter().map(|f| row("new", f, ""));
    let gone = diff.gone.iter();
    let gone = gone.map(|g| row("gone", &g.finding, if g.suppressed { " (suppressed now)" } else { "" }));
    table("| | finding | |\n|---|---|---|", new.chain(gone), style, &mut out);
    out
}

fn table(head: &str, rows: impl Iterator<Item = String>, style: &Style, out: &mut String) {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let shown = if style.verbose { rows.len() } else { rows.len().min(ROWS) };
    let _ = writeln!(out, "\n{head}");
    for row in rows.iter().take(shown) {
        let _ = writeln!(out, "{row}");
    }
    if shown < rows.len() {
        let _ = writeln!(out, "\n… and {} more rows (`--verbose` shows all)", rows.len() - shown);
    }
}
