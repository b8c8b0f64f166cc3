//! What theory says beside what was simulated.

use super::numbers::{percent, seconds, short};
use super::{Run, Style};
use crate::study::twin::{Number, Twin, What};
use serde_json::{Value, json};
use std::fmt::Write;

/// Stations shown, and names behind a broken assumption.
const SHOWN: usize = 6;
const NAMES: usize = 3;

/// A line for each of the busiest stations with a closed form, and one for each assumption that is broken.
pub(super) fn human(text: &mut String, run: &Run, style: &Style) {
    let mut twins: Vec<&Twin> = run.twins.iter().collect();
    twins.sort_by(|a, b| b.utilization.total_cmp(&a.utilization));
    if twins.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nbeside theory");
    let most = |usual: usize| if style.verbose { usize::MAX } else { usual };
    let with: Vec<(&str, &Twin)> = twins.iter().filter_map(|t| Some((t.model.as_deref()?, *t))).collect();
    let shown = with.iter().take(most(SHOWN));
    let names = shown.clone().map(|(_, t)| t.station.chars().count()).max().unwrap_or(0);
    let models = shown.clone().map(|(m, _)| m.chars().count()).max().unwrap_or(0);
    for (model, twin) in shown {
        let numbers: Vec<_> = twin.numbers.iter().map(number).collect();
        let _ = writeln!(text, "  {:names$}  {model:models$}  {}", twin.station, numbers.join("   "));
    }
    if with.len() > most(SHOWN) {
        let _ = writeln!(text, "  and {} more (--verbose)", with.len() - SHOWN);
    }
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (why, twin) in twins.iter().filter_map(|t| Some((t.broken.as_deref()?, t))) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, stations)) => stations.push(&twin.station),
            None => reasons.push((why, vec![&twin.station])),
        }
    }
    for (why, stations) in reasons.iter().take(most(SHOWN)) {
        let names = stations.iter().take(most(NAMES)).copied().collect::<Vec<_>>().join(", ");
        let more = stations.len().saturating_sub(most(NAMES));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "  no closed form for {names}{more}: {why}");
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
