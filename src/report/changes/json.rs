//! `-f json`: changes for programs.

use super::{ChangeFormat, Changes};
use crate::change::{Change, Quantity};
use crate::finding::{Finding, Severity};
use crate::report::Style;
use crate::source::Sources;
use serde::Serialize;

/// The descriptor.
pub(super) const INFO: ChangeFormat = ChangeFormat {
    name: "json",
    summary: "one object with all changes, for programs",
    page: include_str!("json.md"),
    render,
};

#[derive(Serialize)]
struct Output<'a> {
    version: u32,
    old: &'a str,
    new: &'a str,
    summary: Summary,
    changes: Vec<Item<'a>>,
    quantities: Vec<Number<'a>>,
    findings: Findings<'a>,
}

#[derive(Serialize)]
struct Summary {
    added: usize,
    removed: usize,
    changed: usize,
    moved: usize,
    worse: usize,
    better: usize,
    new_findings: Found,
    gone_findings: usize,
}

#[derive(Serialize)]
struct Found {
    error: usize,
    warning: usize,
    info: usize,
}

#[derive(Serialize)]
struct Item<'a> {
    change: &'static str,
    kind: &'static str,
    id: &'a str,
    moved_from: Option<&'a str>,
    facts: Vec<Fact<'a>>,
}

#[derive(Serialize)]
struct Fact<'a> {
    key: &'a str,
    old: Option<&'a str>,
    new: Option<&'a str>,
    built_in: Option<&'static str>,
}

#[derive(Serialize)]
struct Number<'a> {
    quantity: &'static str,
    about: &'a str,
    old: Value,
    new: Value,
    trend: &'static str,
    because: &'a str,
    path: Vec<Step<'a>>,
}

/// A number, the word `unbounded`, or nothing where it is not known: JSON has no infinity.
#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Word(&'static str),
    Unknown,
}

#[derive(Serialize)]
struct Step<'a> {
    from: &'a str,
    to: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Findings<'a> {
    new: Vec<Raised<'a>>,
    gone: Vec<Raised<'a>>,
}

#[derive(Serialize)]
struct Raised<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    fingerprint: String,
    suppressed: bool,
    file: Option<&'a str>,
    line: Option<usize>,
}

fn render(changes: &Changes<'_>, _: &Style) -> String {
    let diff = changes.diff;
    let what = |name: &str| diff.changes.iter().filter(|c| c.what.name() == name).count();
    let trend = |name: &str| diff.quantities.iter().filter(|q| q.trend().name() == name).count();
    let found = |severity| diff.new.iter().filter(|f| f.severity == severity).count();
    let (old, new) = changes.sources;
    let output = Output {
        version: 1,
        old: changes.old,
        new: changes.new,
        summary: Summary {
            added: what("added"),
            removed: what("removed"),
            changed: what("changed"),
            moved: what("moved"),
            worse: trend("worse"),
            better: trend("better"),
            new_findings: Found {
                error: found(Severity::Error),
                warning: found(Severity::Warning),
                info: found(Severity::Info),
            },
            gone_findings: diff.gone.len(),
        },
        changes: diff.changes.iter().map(item).collect(),
        quantities: diff.quantities.iter().map(number).collect(),
        findings: Findings {
            new: diff.new.iter().map(|f| raised(f, false, new)).collect(),
            gone: diff.gone.iter().map(|g| raised(&g.finding, g.suppressed, old)).collect(),
        },
    };
    // Nothing in these types can fail to be written: their keys are text, their figures finite.
    let mut text = serde_json::to_string_pretty(&output).unwrap_or_default();
    text.push('\n');
    text
}

fn item(change: &Change) -> Item<'_> {
    let facts = change.facts.iter().map(|fact| Fact {
        key: &fact.key,
        old: fact.old.as_deref(),
        new: fact.new.as_deref(),
        built_in: fact.built_in,
    });
    Item {
        change: change.what.name(),
        kind: change.kind.name(),
        id: &change.id,
        moved_from: change.moved_from.as_deref(),
        facts: facts.collect(),
    }
}

fn number(quantity: &Quantity) -> Number<'_> {
    let value = |value: Option<f64>| match value {
        Some(number) if number.is_finite() => Value::Number(number),
        Some(_) => Value::Word("unbounded"),
        None => Value::Unknown,
    };
    let path = quantity.path.iter();
    Number {
        quantity: quantity.info.name,
        about: &quantity.about,
        old: value(quantity.old),
        new: value(quantity.new),
        trend: quantity.trend().name(),
        because: &quantity.sum,
        path: path.map(|s| Step { from: &s.from, to: &s.to, value: &s.value }).collect(),
    }
}

fn raised<'a>(finding: &'a Finding, suppressed: bool, sources: &'a Sources) -> Raised<'a> {
    let span = finding.primary.span;
    let known = (span.file.0 as usize) < sources.files().len();
    Raised {
        rule: finding.rule.id,
        severity: finding.severity.name(),
        message: &finding.message,
        fingerprint: finding.fingerprint(),
        suppressed,
        file: known.then(|| sources.file(span.file).name.as_str()),
        line: known.then(|| sources.locate(span).line),
    }
}
