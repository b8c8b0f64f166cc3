//! `-f jsonl`: a finding per line, for programs that read as they go.

use std::borrow::Cow;

use super::{CheckReport, FormatInfo, Style};
use crate::report::Entry;

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "jsonl",
    summary: "an object per finding and line, for programs that read line by line",
    page: include_str!("jsonl.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    let mut out = String::new();
    for report in reports {
        for entry in &report.entries {
            let entry = Entry { system: Cow::Borrowed(&report.title), ..entry.clone() };
            // As in `json`, nothing here can fail to be written.
            out.push_str(&serde_json::to_string(&entry).unwrap_or_default());
            out.push('\n');
        }
    }
    out
}
