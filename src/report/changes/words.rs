//! What is said about changes, as plain words: for the formats that people read.
//!
//! Owns what is said together and what is left out. Must not know any format's escaping.

use crate::change::{Change, Diff, Fact, Kind, Quantity, Trend, Unit, What};
use crate::finding::{Finding, Severity};
use crate::report::summary::plural;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The same difference at more things than this is said once ...
const TOGETHER_ABOVE: usize = 3;

/// ... with so many of them named.
const NAMED: usize = 3;

/// So many facts of a thing that is new or gone are said behind it.
const INLINE: usize = 4;

/// One thing, or several of which the same is to be said.
pub(super) struct Told {
    /// `+`, `-` or `~`.
    pub sign: char,
    /// `service`, or `30 calls`.
    pub what: String,
    /// The id, or the first few.
    pub id: String,
    /// What else there is to say of it: where it came from, what holds for it.
    pub note: String,
    /// Differences, a line each.
    pub facts: Vec<(String, String, String)>,
}

/// The changes of things, in their order. What belongs to a service that is new or gone is told with it.
pub(super) fn told(diff: &Diff, verbose: bool) -> Vec<Told> {
    let whole: BTreeSet<(What, &str)> = diff
        .changes
        .iter()
        .filter(|c| c.kind == Kind::Service && matches!(c.what, What::Added | What::Removed))
        .map(|c| (c.what, c.id.as_str()))
        .collect();
    let part = |c: &Change| c.of.as_deref().is_some_and(|of| whole.contains(&(c.what, of)));
    let common = if verbose { BTreeMap::new() } else { common(diff) };
    let mut told: Vec<Told> = Vec::new();
    for change in diff.changes.iter().filter(|c| verbose || !part(c)) {
        let alone = |fact: &&Fact| !common.contains_key(&(change.kind, *fact));
        let is_new = matches!(change.what, What::Added | What::Removed);
        let facts: Vec<&Fact> = change.facts.iter().filter(|f| is_new || alone(f)).collect();
        if change.what == What::Changed && facts.is_empty() {
            continue;
        }
        told.push(Told {
            sign: sign(change.what),
            what: change.kind.name().to_owned(),
            id: change.id.clone(),
            note: note(change, diff, verbose),
            facts: if is_new { Vec::new() } else { facts.into_iter().map(fact).collect() },
        });
    }
    for ((kind, same), ids) in common {
        let named: Vec<&str> = ids.iter().take(NAMED).copied().collect();
        let more = ids.len() - named.len();
        told.push(Told {
            sign: '~',
            what: plural(ids.len(), kind.name()),
            id: format!("{} … and {more} more", named.join(", ")),
            note: String::new(),
            facts: vec![fact(same)],
        });
    }
    told
}

/// Differences that many things share: what holds for a file by default was changed.
fn common(diff: &Diff) -> BTreeMap<(Kind, &Fact), Vec<&str>> {
    let mut all: BTreeMap<(Kind, &Fact), Vec<&str>> = BTreeMap::new();
    for change in diff.changes.iter().filter(|c| matches!(c.what, What::Changed | What::Moved)) {
        for fact in &change.facts {
            all.entry((change.kind, fact)).or_default().push(&change.id);
        }
    }
    all.retain(|_, ids| ids.len() > TOGETHER_ABOVE);
    all
}

const fn sign(what: What) -> char {
    match what {
        What::Added => '+',
        What::Removed => '-',
        What::Changed | What::Moved => '~',
    }
}

fn note(change: &Change, diff: &Diff, verbose: bool) -> String {
    if let Some(from) = &change.moved_from {
        return format!("was {from}");
    }
    if change.what == What::Changed {
        return String::new();
    }
    if change.kind == Kind::Service && !verbose {
        let parts = |kinds: &[Kind]| {
            let own = |c: &&Change| c.what == change.what && c.of.as_ref() == Some(&change.id);
            diff.changes.iter().filter(own).filter(|c| kinds.contains(&c.kind)).count()
        };
        let all = [
            (parts(&[Kind::Endpoint]), "endpoint"),
            (parts(&[Kind::Call]), "call"),
            (parts(&[Kind::Handler]), "handler"),
        ];
        let said = all.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(*count, noun));
        return said.collect::<Vec<_>>().join(", ");
    }
    let said = change.facts.iter().filter_map(|f| {
        let value = f.new.as_ref().or(f.old.as_ref())?;
        Some(format!("{} {value}", f.key))
    });
    let said: Vec<_> = said.collect();
    let more = said.len().saturating_sub(INLINE);
    let shown = if verbose || more == 0 { said.len() } else { INLINE };
    let mut text = said.get(..shown).unwrap_or_default().join(", ");
    if shown < said.len() {
        let _ = write!(text, ", … and {more} more");
    }
    text
}

/// Key, before, after.
fn fact(fact: &Fact) -> (String, String, String) {
    let side = |said: &Option<String>| match (said, fact.built_in) {
        (Some(value), _) => value.clone(),
        (None, Some(built_in)) => format!("{built_in} (not said)"),
        (None, None) => "not said".to_owned(),
    };
    (fact.key.clone(), side(&fact.old), side(&fact.new))
}

/// `9× → 27×`.
pub(super) fn values(quantity: &Quantity) -> (String, String) {
    (value(quantity.info.unit, quantity.old), value(quantity.info.unit, quantity.new))
}

fn value(unit: Unit, value: Option<f64>) -> String {
    let Some(value) = value else { return "not known".to_owned() };
    if value.is_infinite() {
        return "unbounded".to_owned();
    }
    match unit {
        Unit::Times => format!("{}×", short(value)),
        Unit::Seconds => seconds(value),
        Unit::Count => format!("{value:.0}"),
        Unit::Share => crate::analysis::percent(value),
        Unit::Busy => format!("{}%", short(value * 100.0)),
        Unit::Rate => format!("{}/s", short(value)),
    }
}

/// Three digits are enough to see a difference by.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}

fn seconds(value: f64) -> String {
    crate::model::words::Duration((value * 1e9).round() as u64).to_string()
}

/// What proves a value: `web → cart ×3 → db ×3`, or a product.
pub(super) fn because(quantity: &Quantity) -> String {
    let mut text = quantity.sum.clone();
    for step in &quantity.path {
        if text.is_empty() {
            text.push_str(&step.from);
        }
        let _ = write!(text, " → {} {}", step.to, step.value);
    }
    text
}

/// The trends that have something to tell, with their quantities.
pub(super) fn trends(diff: &Diff) -> Vec<(Trend, Vec<&Quantity>)> {
    let of = |trend: Trend| diff.quantities.iter().filter(move |q| q.trend() == trend).collect::<Vec<_>>();
    let all = [Trend::Worse, Trend::Better, Trend::Other].map(|trend| (trend, of(trend)));
    all.into_iter().filter(|(_, quantities)| !quantities.is_empty()).collect()
}

/// What a group of quantities is called.
pub(super) const fn title(trend: Trend) -> &'static str {
    match trend {
        Trend::Worse => "worse",
        Trend::Better => "better",
        Trend::Other => "changed",
    }
}

/// `3 changes · 1 worse, 2 better · 1 new warning, 1 finding gone`.
pub(super) fn summary(diff: &Diff) -> String {
    if diff.is_empty() {
        return "nothing changed in meaning".to_owned();
    }
    let mut parts = Vec::new();
    if !diff.changes.is_empty() {
        parts.push(plural(diff.changes.len(), "change"));
    }
    let trends: Vec<_> = trends(diff).iter().map(|(t, all)| format!("{} {}", all.len(), title(*t))).collect();
    parts.extend((!trends.is_empty()).then(|| trends.join(", ")));
    let mut found: Vec<String> = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let count = diff.new.iter().filter(|f| f.severity == severity).count();
        if count > 0 {
            let noun =
                if severity == Severity::Info { "info".to_owned() } else { plural(count, severity.name()) };
            let noun = noun.split_once(' ').map_or(noun.clone(), |(_, noun)| noun.to_owned());
            found.push(format!("{count} new {noun}"));
        }
    }
    if !diff.gone.is_empty() {
        found.push(format!("{} gone", plural(diff.gone.len(), "finding")));
    }
    parts.extend((!found.is_empty()).then(|| found.join(", ")));
    parts.join(" · ")
}

/// `warning[missing-timeout]`.
pub(super) fn rule(finding: &Finding) -> String {
    format!("{}[{}]", finding.severity, finding.rule.id)
}
