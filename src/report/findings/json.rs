//! `-f json`: every finding, for programs.
//!
//! The published shape is the one of the types in `report::entry` and `report::saved`.

use super::{CheckReport, FormatInfo, Style};
use crate::report::saved::Document;

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "json",
    summary: "one object with all findings, for programs",
    page: include_str!("json.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    // Nothing in these types can fail to be written: their keys are text, their figures finite.
    let mut text = serde_json::to_string_pretty(&Document::new(reports)).unwrap_or_default();
    text.push('\n');
    text
}
