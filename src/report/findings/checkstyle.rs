//! `-f checkstyle`: the XML of Checkstyle, which many CI plugins read.

use std::fmt::Write;

use super::{CheckReport, FormatInfo, Style};
use crate::report::{Entry, markup, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "checkstyle",
    summary: "the XML of Checkstyle, for CI plugins that read it",
    page: include_str!("checkstyle.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    let mut files: Vec<(&str, String)> = Vec::new();
    for entry in words::open(reports) {
        let name = entry.place().map_or("", |at| at.file.as_ref());
        // Findings come file by file: the last one is nearly always the right one.
        let at = files.iter().rposition(|(file, _)| *file == name).unwrap_or(files.len());
        if at == files.len() {
            files.push((name, String::new()));
        }
        if let Some((_, errors)) = files.get_mut(at) {
            errors.push_str(&error(entry));
        }
    }
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<checkstyle version=\"4.3\">\n".to_owned();
    for (name, errors) in files {
        let _ = write!(out, "  <file name=\"{}\">\n{errors}  </file>\n", markup::attribute(name));
    }
    out.push_str("</checkstyle>\n");
    out
}

fn error(entry: &Entry<'_>) -> String {
    let (line, column) = entry.place().map_or((1, 1), |at| (at.line, at.column));
    let lines: Vec<String> = std::iter::once(entry.message.to_string()).chain(words::advice(entry)).collect();
    format!(
        "    <error line=\"{line}\" column=\"{column}\" severity=\"{}\" message=\"{}\" source=\"loadpath.{}\"/>\n",
        entry.severity.name(),
        markup::attribute(&lines.join("\n")),
        markup::attribute(&entry.rule),
    )
}
