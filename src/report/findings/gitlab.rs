//! `-f gitlab`: a Code Quality report.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{CheckReport, FormatInfo, Style};
use crate::report::{Entry, markup, words};
use crate::source::Fnv;

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "gitlab",
    summary: "a Code Quality report, for merge requests of GitLab",
    page: include_str!("gitlab.md"),
    render,
};

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    let mut taken = BTreeMap::new();
    let mut issues = Vec::new();
    for report in reports {
        // Another system has services of the same names.
        let system = if reports.len() > 1 { report.title.as_str() } else { "" };
        issues.extend(report.open().map(|entry| issue(entry, &fingerprint(entry, system, &mut taken))));
    }
    let mut text = serde_json::to_string_pretty(&Value::Array(issues)).unwrap_or_default();
    text.push('\n');
    text
}

fn issue(entry: &Entry<'_>, fingerprint: &str) -> Value {
    let (path, line, end) = entry.place().map_or(("", 1, 1), |at| (at.file.as_ref(), at.line, at.end_line));
    let lines: Vec<String> = std::iter::once(entry.message.to_string()).chain(words::advice(entry)).collect();
    json!({
        "description": markup::clean(&lines.join("\n")),
        "check_name": entry.rule,
        "fingerprint": fingerprint,
        "severity": words::by_severity(entry.severity, ["critical", "major", "info"]),
        "location": {
            "path": path.trim_start_matches("./"),
            "lines": { "begin": line, "end": end },
        },
    })
}

/// Of issues with the same fingerprint only one is shown: the second one takes its number in.
fn fingerprint(entry: &Entry<'_>, system: &str, taken: &mut BTreeMap<(String, String), usize>) -> String {
    let before = taken.entry((entry.fingerprint.to_string(), system.to_owned())).or_default();
    let mut hash = Fnv::default();
    hash.part(&entry.fingerprint);
    hash.part(system);
    hash.part(&before.to_string());
    let alone = *before == 0 && system.is_empty();
    *before += 1;
    if alone { entry.fingerprint.to_string() } else { hash.hex() }
}
