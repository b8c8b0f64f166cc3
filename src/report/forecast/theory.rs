//! What theory says beside what was simulated.

use super::numbers::{percent, seconds, short};
use super::{Run, Style};
use crate::study::twin::{Number, Twin, What};
use serde_json::{Value, json};
use std::fmt::Write;

/// Stations shown.
const SHOWN: usize = 6;

/// A line for each of the busiest stations: the closed form with its numbers, or the assumption that is broken.
pub(super) fn human(text: &mut String, run: &Run, style: &Style) {
    let mut twins: Vec<&Twin> = run.twins.iter().collect();
    twins.sort_by(|a, b| b.utilization.total_cmp(&a.utilization));
    if twins.is_empty() {
        return;
    }
    let shown = if style.verbose { twins.len() } else { SHOWN.min(twins.len()) };
    let _ = writeln!(text, "\nbeside theory");
    let width = |of: fn(&Twin) -> usize| twins.iter().take(shown).map(|t| of(t)).max().unwrap_or(0);
    let names = width(|t| t.station.chars().count());
    let models = width(|t| t.model.as_ref().map_or(0, |m| m.chars().count()));
    for twin in twins.iter().take(shown) {
        let line = match (&twin.model, &twin.broken) {
            (Some(model), _) => {
                let numbers: Vec<_> = twin.numbers.iter().map(number).collect();
                format!("  {:names$}  {model:models$}  {}", twin.station, numbers.join("   "))
            }
            (None, broken) => {
                let why = broken.as_deref().unwrap_or("no closed form");
                format!("  {:names$}  {:models$}  {why}", twin.station, "–")
            }
        };
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if twins.len() > shown {
        let _ = writeln!(text, "  and {} more (--verbose)", twins.len() - shown);
    }
}

/// `wait 4.01 ± 0.05ms (4ms)`: simulated, and in theory.
fn number(number: &Number) -> String {
    let (name, say): (&str, fn(f64) -> String) = match number.what {
        What::Utilization => ("ρ", short),
        What::Queue => ("queue", short),
        What::Wait => ("wait", seconds),
        What::Loss => ("turned away", percent),
        What::Throughput => ("answers/s", short),
        What::Response => ("latency", seconds),
    };
    let half = number.ci95.map(|(low, high)| (high - low) / 2.0).filter(|half| *half > 0.0);
    let half = half.map_or_else(String::new, |half| format!(" ± {}", say(half)));
    format!("{name} {}{half} ({} in theory)", say(number.observed), say(number.expected))
}

pub(super) fn json(run: &Run) -> Vec<Value> {
    let numbers = |twin: &Twin| {
        let one = |n: &Number| {
            json!({ "quantity": n.what.name(), "expected": n.expected, "observed": n.observed,
                "ci95": n.ci95.map(|(low, high)| [low, high]) })
        };
        twin.numbers.iter().map(one).collect::<Vec<_>>()
    };
    let rows = run.twins.iter().map(|twin| {
        json!({ "station": twin.station, "model": twin.model, "broken_assumption": twin.broken,
            "numbers": numbers(twin) })
    });
    rows.collect()
}
