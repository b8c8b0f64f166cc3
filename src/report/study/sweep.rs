//! A system at many points.

use super::human::table;
use super::{Point, Style, Sweep};
use crate::report::forecast::{percent, seconds, short};
use crate::sim::{Estimate, SourceOutcome, Verdict};
use serde_json::{Value, json};

pub(super) fn human(found: &Sweep, _: &Style) -> String {
    let text = format!(
        "{} · {} replications at each point, seed {}, common random numbers\n\n",
        found.scenario, found.effort.replications, found.effort.seed
    );
    let expected = found.points.iter().any(|p| !p.expectations.is_empty());
    let mut header: Vec<&str> = found.axes.iter().map(String::as_str).collect();
    let first = header.len() + 1;
    header.extend(["entry", "rate", "goodput", "success", "p50", "p99", "±", "busiest"]);
    if expected {
        header.push("expectations");
    }
    let mut rows = Vec::new();
    for point in &found.points {
        for (at, source) in point.outcome.sources.iter().enumerate() {
            let mut cells =
                if at == 0 { point.values.clone() } else { vec![String::new(); found.axes.len()] };
            cells.extend(line(source));
            let busiest = point.bottleneck.as_ref().filter(|_| at == 0);
            cells.push(busiest.map_or_else(String::new, |b| format!("{} ρ {:.2}", b.station, b.utilization)));
            if expected {
                cells.push(if at == 0 { verdicts(point) } else { String::new() });
            }
            rows.push(cells);
        }
    }
    text + &table(&header, rows, first..first + 6)
}

fn line(source: &SourceOutcome) -> Vec<String> {
    let requests = &source.requests;
    let time = |e: &Option<Estimate>| e.as_ref().map_or_else(|| "–".to_owned(), |e| seconds(e.value));
    let p99 = &requests.latency.p99;
    let spread = p99.as_ref().and_then(|e| e.ci95.map(|(low, high)| (high - low) / 2.0 / e.value.max(1e-12)));
    vec![
        source.name.clone(),
        format!("{}/s", short(requests.rate_per_s.value)),
        format!("{}/s", short(requests.goodput_per_s.value)),
        percent(requests.availability.value),
        time(&requests.latency.p50),
        time(p99),
        spread.map_or_else(String::new, percent),
    ]
}

/// `✓ 3`, or the first that does not hold.
fn verdicts(point: &Point) -> String {
    let all = &point.expectations;
    let bad = all.iter().find(|e| e.verdict == Verdict::NotMet);
    let open = all.iter().find(|e| e.verdict == Verdict::Undecided);
    match (bad, open) {
        (Some(bad), _) => format!("✗ {}", bad.text),
        (None, Some(open)) => format!("? {}", open.text),
        (None, None) => format!("✓ {}", all.len()),
    }
}

pub(super) fn json(found: &Sweep) -> Value {
    let estimate = |e: &Estimate| json!({ "value": e.value, "ci95": e.ci95.map(|(low, high)| [low, high]) });
    let maybe = |e: &Option<Estimate>| e.as_ref().map(estimate);
    let entry = |source: &SourceOutcome| {
        let r = &source.requests;
        json!({ "entry": source.name, "requests": r.arrived, "rate_per_s": estimate(&r.rate_per_s),
            "goodput_per_s": estimate(&r.goodput_per_s), "availability": estimate(&r.availability),
            "mean_s": maybe(&r.latency.mean), "p50_s": maybe(&r.latency.p50), "p99_s": maybe(&r.latency.p99),
            "p999_s": maybe(&r.latency.p999) })
    };
    let points = found.points.iter().map(|point| {
        let values: serde_json::Map<String, Value> =
            found.axes.iter().cloned().zip(point.values.iter().map(|v| Value::from(v.as_str()))).collect();
        let expectations = point.expectations.iter().map(|e| {
            json!({ "text": e.text, "verdict": e.verdict.name(), "observed": e.observed.filter(|o| o.is_finite()),
                "ci95": e.ci95.map(|(low, high)| [low, high]) })
        });
        json!({ "values": values, "entries": point.outcome.sources.iter().map(entry).collect::<Vec<_>>(),
            "bottleneck": point.bottleneck.as_ref().map(super::capacity::json_bottleneck),
            "expectations": expectations.collect::<Vec<_>>() })
    });
    json!({ "version": 1, "scenario": found.scenario, "seed": found.effort.seed,
        "replications": found.effort.replications, "axes": found.axes, "points": points.collect::<Vec<_>>() })
}
