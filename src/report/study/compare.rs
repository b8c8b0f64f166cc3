//! Variants side by side.

use super::human::table;
use super::{Comparison, Style};
use crate::report::forecast::{percent, seconds, short};
use crate::study::compare::{Change, Difference, Metric};
use serde_json::{Value, json};
use std::fmt::Write;

/// A value, or the size of a difference, in the unit of its metric.
fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Goodput => format!("{}/s", short(value)),
        Metric::Availability => percent(value),
        Metric::Mean | Metric::P50 | Metric::P99 | Metric::P999 => seconds(value),
    }
}

/// `−122ms ± 14ms better`.
pub(in crate::report) fn difference(found: &Difference) -> String {
    let half = (found.ci95.1 - found.ci95.0) / 2.0;
    let sign = if found.difference < 0.0 { "−" } else { "+" };
    let word = match found.change {
        Change::Better => "better",
        Change::Worse => "worse",
        Change::NotShown if half == 0.0 && found.difference == 0.0 => return "the same".to_owned(),
        Change::NotShown => "no difference shown",
    };
    let size = |x: f64| value(found.metric, x.abs());
    format!("{sign}{} ± {} {word}", size(found.difference), size(half))
}

pub(super) fn human(found: &Comparison, _: &Style) -> String {
    let mut text = format!(
        "{} · {} replications each, seed {}, common random numbers; differences with 95% intervals, paired\n",
        found.scenario, found.effort.replications, found.effort.seed
    );
    let mut entries: Vec<&str> = Vec::new();
    for difference in found.variants.iter().flat_map(|v| &v.differences) {
        if !entries.contains(&difference.entry.as_str()) {
            entries.push(&difference.entry);
        }
    }
    if entries.is_empty() {
        let _ =
            writeln!(text, "\nno entry has enough samples to be compared: run longer, or more replications");
    }
    for entry in entries {
        let _ = writeln!(text, "\n{entry}");
        let mut header = vec!["", "as it is"];
        header.extend(found.variants.iter().map(|v| v.name.as_str()));
        let row = |metric: Metric| {
            let of = |at: usize| {
                let all = found.variants.get(at).map(|v| v.differences.as_slice()).unwrap_or_default();
                all.iter().find(|d| d.entry == entry && d.metric == metric)
            };
            let base = (0..found.variants.len()).find_map(of)?;
            let mut cells = vec![format!("  {}", metric.title()), value(metric, base.base)];
            cells.extend((0..found.variants.len()).map(|at| {
                of(at).map_or_else(
                    || "–".to_owned(),
                    |d| format!("{} ({})", value(metric, d.value), difference(d)),
                )
            }));
            Some(cells)
        };
        text += &table(&header, Metric::ALL.into_iter().filter_map(row).collect(), 1..2);
    }
    text
}

pub(in crate::report) fn json_difference(found: &Difference) -> Value {
    json!({ "entry": found.entry, "metric": found.metric.name(), "base": found.base, "value": found.value,
        "difference": found.difference, "ci95": [found.ci95.0, found.ci95.1], "change": found.change.name() })
}

pub(super) fn json(found: &Comparison) -> Value {
    let variants = found.variants.iter().map(|variant| {
        let all: Vec<Value> = variant.differences.iter().map(json_difference).collect();
        json!({ "name": variant.name, "differences": all })
    });
    json!({ "version": 1, "scenario": found.scenario, "seed": found.effort.seed,
        "replications": found.effort.replications, "variants": variants.collect::<Vec<_>>() })
}
