//! `-f human`: the findings as a person reads them.
//!
//! Owns the layout: headline, source lines, help, notes, path, summary. Must not know which lines are
//! shown (`report::snippet`) nor how findings are counted (`report::summary`).

use std::collections::BTreeMap;

use annotate_snippets::{Group, Level, Renderer, normalize_untrusted_str};

use super::{CheckReport, FormatInfo, Style};
use crate::finding::{Finding, Hop, Severity};
use crate::report::mask::Mask;
use crate::report::{snippet, summary};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "human",
    summary: "findings with the source lines they are about, for people",
    page: include_str!("human.md"),
    render,
};

/// A rule with more findings than this is folded ...
const FOLD_ABOVE: usize = 10;

/// ... to so many, shown in full.
const FOLD_TO: usize = 3;

/// A longer path than this shows its ends only.
const PATH_ABOVE: usize = 14;

/// How many steps of a long path are shown at each of its ends.
const PATH_ENDS: usize = 6;

fn render(report: &CheckReport<'_>, style: &Style) -> String {
    let shown: Vec<&Finding> = report.findings.iter().filter(|f| is_shown(report, f)).collect();
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &shown {
        *totals.entry(finding.rule.id).or_default() += 1;
    }
    let renderer = renderer(style);
    let mask = Mask::of(report.findings);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = String::new();
    for finding in shown {
        let rule = finding.rule.id;
        let total = totals.get(rule).copied().unwrap_or(0);
        // Errors are each to be mended: none is folded away.
        let folded = total > FOLD_ABOVE && !style.verbose && finding.severity != Severity::Error;
        if folded && !finding.rule.together.is_empty() {
            if !seen.contains_key(rule) {
                seen.insert(rule, total);
                one(report, &coverage(report, finding, total), &renderer, &mask, style, &mut out);
            }
            continue;
        }
        let so_far = seen.entry(rule).or_default();
        *so_far += 1;
        if folded && *so_far > FOLD_TO {
            continue;
        }
        one(report, finding, &renderer, &mask, style, &mut out);
        if folded && *so_far == FOLD_TO {
            out.push_str(&fold_line(rule, total));
        }
    }
    out.push_str(&summary::line(report, style));
    out.push('\n');
    out
}

/// Many findings of one cause as one: the first, with the next few pointed at.
fn coverage(report: &CheckReport<'_>, first: &Finding, total: usize) -> Finding {
    let next = report.findings.iter().filter(|f| f.rule == first.rule && is_shown(report, f)).skip(1);
    let mut all = first.clone();
    all.message = format!("{total} {}", first.rule.together);
    all.secondary = next.take(FOLD_TO - 1).map(|f| f.primary.clone()).collect();
    all.notes.push(format!("and {} more; --verbose shows each", total - FOLD_TO));
    all
}

fn fold_line(rule: &str, total: usize) -> String {
    let more = total - FOLD_TO;
    format!("… and {more} more `{rule}` (showing {FOLD_TO} of {total}; --verbose shows all)\n\n")
}

fn is_shown(report: &CheckReport<'_>, finding: &Finding) -> bool {
    (report.show_suppressed || !finding.suppressed) && !finding.baselined
}

fn renderer(style: &Style) -> Renderer {
    let renderer = if style.color { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
    renderer.term_width(style.width.max(40))
}

fn one(
    report: &CheckReport<'_>,
    finding: &Finding,
    renderer: &Renderer,
    mask: &Mask,
    style: &Style,
    out: &mut String,
) {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut headline = finding.message.clone();
    if finding.suppressed {
        headline.push_str(" (suppressed)");
    }
    let mut group = Group::with_title(level.primary_title(headline).id(finding.rule.id))
        .elements(snippet::elements(report.sources, finding, mask));
    for help in &finding.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    if finding.fix.is_some() && !finding.suppressed {
        group = group.element(Level::NOTE.message("`loadpath check --fix` does it"));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(normalize_untrusted_str(note)));
    }
    if !finding.path.is_empty() {
        let path = path(&finding.path, style.verbose);
        group = group.element(Level::NOTE.message(normalize_untrusted_str(&path)));
    }
    out.push_str(&renderer.render(&[group]));
    out.push_str("\n\n");
}

/// The path step by step: where it starts, then an arrow per step with its figure behind, aligned.
fn path(hops: &[Hop], verbose: bool) -> String {
    let long = !verbose && hops.len() > PATH_ABOVE;
    let left_out = if long { PATH_ENDS..hops.len() - PATH_ENDS } else { 0..0 };
    // A row that starts the path (again), or a step with its figure.
    let mut rows: Vec<(String, &str)> = Vec::new();
    let mut at: Option<&str> = None;
    for (index, hop) in hops.iter().enumerate() {
        if left_out.contains(&index) {
            if index == left_out.start {
                rows.push((format!("  … {} more steps …", left_out.len()), ""));
            }
        } else {
            if at != Some(hop.from.as_str()) {
                rows.push((hop.from.clone(), ""));
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
