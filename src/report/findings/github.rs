//! `-f github`: the commands of GitHub Actions that make annotations.
//!
//! Escaping: <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.

use super::{CheckReport, FormatInfo, Style};
use crate::report::{Entry, markup, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "github",
    summary: "annotations of a pull request, written by a job of GitHub Actions",
    page: include_str!("github.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    words::open(reports).map(command).collect()
}

fn command(entry: &Entry<'_>) -> String {
    let kind = words::by_severity(entry.severity, ["error", "warning", "notice"]);
    let mut properties = Vec::new();
    if let Some(at) = entry.place() {
        properties.push(format!("file={}", property(at.file.trim_start_matches("./"))));
        properties.push(format!("line={},endLine={}", at.line, at.end_line));
        // Columns are refused where the lines differ.
        if at.line == at.end_line {
            properties.push(format!("col={},endColumn={}", at.column, at.end_column));
        }
    }
    properties.push(format!("title={}", property(&entry.rule)));
    let lines: Vec<String> = std::iter::once(entry.message.to_string())
        .chain(words::advice(entry))
        .chain(words::path(entry))
        .collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(&lines.join("\n")))
}

fn data(text: &str) -> String {
    markup::clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
