//! `-f sarif`: SARIF 2.1.0, for code scanning.
//!
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>; what GitHub reads of it:
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support>.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{CheckReport, FormatInfo, Style};
use crate::finding::{RuleInfo, Severity};
use crate::lint;
use crate::report::{Change, Entry, Range, Step, markup, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "sarif",
    summary: "SARIF 2.1.0, for code scanning and editors",
    page: include_str!("sarif.md"),
    render,
};

/// The schema the text keeps to.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub refuses a result with more steps of a flow.
const MAX_STEPS: usize = 10_000;

/// GitHub refuses a result with more related places.
const MAX_RELATED: usize = 1_000;

/// Where things stand in the lists that results refer to.
struct Lists<'a> {
    rules: BTreeMap<&'a str, usize>,
    files: BTreeMap<&'a str, usize>,
}

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    let entries = || reports.iter().flat_map(|report| &report.entries);
    let mut lists = Lists { rules: BTreeMap::new(), files: BTreeMap::new() };
    let mut rules = Vec::new();
    for rule in lint::all_rules() {
        lists.rules.insert(rule.id, rules.len());
        rules.push(descriptor(rule));
    }
    // A saved result may come from a version with other rules.
    for entry in entries() {
        if !lists.rules.contains_key(entry.rule.as_ref()) {
            lists.rules.insert(&entry.rule, rules.len());
            rules.push(json!({ "id": entry.rule }));
        }
    }
    let texts: Vec<_> = reports.iter().flat_map(CheckReport::texts).collect();
    let mut artifacts = Vec::new();
    for text in &texts {
        lists.files.entry(&text.file).or_insert_with(|| {
            artifacts.push(json!({
                "location": { "uri": markup::uri(&text.file) },
                "roles": ["analysisTarget"],
            }));
            artifacts.len() - 1
        });
    }
    let results = reports
        .iter()
        .flat_map(|report| report.entries.iter().map(|entry| result(entry, report.compared, &lists)));
    let results: Vec<Value> = results.collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "loadpath",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "invocations": [{ "executionSuccessful": reports.iter().all(|report| report.complete) }],
            "columnKind": "unicodeCodePoints",
            "artifacts": artifacts,
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn descriptor(rule: &RuleInfo) -> Value {
    let problem = words::by_severity(rule.severity, ["error", "warning", "recommendation"]);
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": opening(rule.page) },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "enabled": !rule.pedantic, "level": level(rule.severity) },
        "properties": { "tags": ["architecture", family(rule)], "problem.severity": problem },
    })
}

const fn level(severity: Severity) -> &'static str {
    words::by_severity(severity, ["error", "warning", "note"])
}

/// The first paragraph of a page on one line.
fn opening(page: &str) -> String {
    let paragraphs = page.split("\n\n").map(str::trim);
    let first = paragraphs.into_iter().find(|text| !text.is_empty() && !text.starts_with('#'));
    first.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a rule is about.
fn family(rule: &RuleInfo) -> &'static str {
    let families = lint::rules::FAMILIES.iter();
    let of = families.into_iter().find(|family| family.rules.iter().any(|r| r.info.id == rule.id));
    of.map_or("document", |family| family.name)
}

fn result(entry: &Entry<'_>, compared: bool, lists: &Lists<'_>) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(entry.rule));
    if let Some(index) = lists.rules.get(entry.rule.as_ref()) {
        result.insert("ruleIndex".to_owned(), json!(index));
    }
    result.insert("level".to_owned(), json!(level(entry.severity)));
    let lines: Vec<String> = std::iter::once(entry.message.to_string())
        .chain(words::advice(entry))
        .chain(words::path(entry))
        .collect();
    result.insert("message".to_owned(), text(&lines.join("\n")));
    let primary = entry.locations.iter().filter(|at| at.primary);
    let places = primary.map(|at| location(None, &at.range, &at.label, lists));
    result.insert("locations".to_owned(), places.collect());
    let related = entry.locations.iter().filter(|at| !at.primary).take(MAX_RELATED).enumerate();
    let related = related.map(|(index, at)| location(Some(index + 1), &at.range, &at.label, lists));
    insert_some(&mut result, "relatedLocations", related.collect());
    let steps = entry.path.iter().filter_map(|step| flow_step(step, lists)).take(MAX_STEPS);
    let steps: Vec<Value> = steps.collect();
    if !steps.is_empty() {
        result.insert("codeFlows".to_owned(), json!([{ "threadFlows": [{ "locations": steps }] }]));
    }
    if let Some(change) = &entry.fix {
        result.insert("fixes".to_owned(), json!([fix(change, lists)]));
    }
    result.insert("partialFingerprints".to_owned(), json!({ "loadpath/v1": entry.fingerprint }));
    let suppressed = entry.suppressed.then(|| {
        let mut in_source = json!({ "kind": "inSource" });
        if !entry.justification.is_empty() {
            in_source["justification"] = json!(entry.justification);
        }
        in_source
    });
    let baselined =
        entry.baselined.then(|| json!({ "kind": "external", "justification": "in the baseline" }));
    // An empty list says of a result that it is not suppressed; none at all, that nobody looked.
    result.insert("suppressions".to_owned(), suppressed.into_iter().chain(baselined).collect());
    if compared {
        let state = if entry.baselined { "unchanged" } else { "new" };
        result.insert("baselineState".to_owned(), json!(state));
    }
    result.insert("properties".to_owned(), properties(entry));
    Value::Object(result)
}

fn insert_some(to: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        to.insert(key.to_owned(), Value::Array(values));
    }
}

/// What other programs may want to know: owners, subjects, figures.
fn properties(entry: &Entry<'_>) -> Value {
    let mut properties = Map::new();
    insert_some(&mut properties, "owners", entry.owners.iter().map(|owner| json!(owner)).collect());
    insert_some(&mut properties, "subjects", entry.subjects.iter().map(|id| json!(id)).collect());
    let numbers: Map<String, Value> =
        entry.numbers.iter().filter(|(_, v)| v.is_finite()).map(|(k, v)| (k.to_string(), json!(v))).collect();
    if !numbers.is_empty() {
        properties.insert("numbers".to_owned(), Value::Object(numbers));
    }
    Value::Object(properties)
}

fn flow_step(step: &Step<'_>, lists: &Lists<'_>) -> Option<Value> {
    let value = if step.value.is_empty() { String::new() } else { format!(": {}", step.value) };
    let words = format!("{} → {}{value}", step.from, step.to);
    Some(json!({ "location": location(None, step.location.as_ref()?, &words, lists) }))
}

fn fix(change: &Change<'_>, lists: &Lists<'_>) -> Value {
    let replacement =
        json!({ "deletedRegion": region(&change.range), "insertedContent": { "text": change.text } });
    json!({ "artifactChanges": [{
        "artifactLocation": artifact(&change.range.file, lists),
        "replacements": [replacement],
    }] })
}

fn artifact(file: &str, lists: &Lists<'_>) -> Value {
    let mut location = json!({ "uri": markup::uri(file) });
    if let Some(index) = lists.files.get(file) {
        location["index"] = json!(index);
    }
    location
}

fn region(at: &Range<'_>) -> Value {
    json!({
        "startLine": at.line,
        "startColumn": at.column,
        "endLine": at.end_line,
        "endColumn": at.end_column,
    })
}

fn location(id: Option<usize>, at: &Range<'_>, label: &str, lists: &Lists<'_>) -> Value {
    let mut location = json!({ "physicalLocation": {
        "artifactLocation": artifact(&at.file, lists),
        "region": region(at),
    } });
    if let Some(id) = id {
        location["id"] = json!(id);
    }
    if !label.is_empty() {
        location["message"] = text(label);
    }
    location
}

/// A message. Brackets are escaped where they would be read as a link.
fn text(text: &str) -> Value {
    let mut text = markup::clean(text);
    if text.contains("](") {
        text = text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    json!({ "text": text })
}
