//! The self-test.

use super::super::Tone;
use super::human::table;
use super::{Selftest, Style};
use crate::report::forecast::seconds;
use crate::study::selftest::{Judged, Verdict};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn human(found: &Selftest, style: &Style) -> String {
    let mut text = String::new();
    if !found.theory.is_empty() {
        let _ = writeln!(text, "against queueing theory, 99.9% intervals\n");
        let rows = found.theory.iter().map(|judged| line(judged, style)).collect();
        let header = ["row", "model", "quantity", "expected", "observed", "±", "verdict"];
        text += &table(&header, rows, 3..6);
    }
    if !found.not_expressed.is_empty() {
        let _ = writeln!(text, "\nnot expressed");
        let width = found.not_expressed.iter().map(|n| n.row.id.len()).max().unwrap_or(0);
        for missing in &found.not_expressed {
            let _ = writeln!(text, "  {:width$}  {}: {}", missing.row.id, missing.row.model, missing.reason);
        }
    }
    if !found.promises.is_empty() {
        let _ = writeln!(text, "\nwhat policies promise");
        for promise in &found.promises {
            let (tone, word) = if promise.kept { (Tone::Good, "PASS") } else { (Tone::Error, "FAIL") };
            let sign = (style.paint)(tone, word);
            let _ = writeln!(text, "  {sign}  {:<12}  {}: {}", promise.family, promise.what, promise.seen);
        }
    }
    let _ = writeln!(text, "\n{}", sum(found, style));
    text
}

fn line(judged: &Judged, style: &Style) -> Vec<String> {
    let Judged { row, expected, .. } = judged;
    let digits = |value: f64| {
        let text = format!("{value:.6}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    let width = judged.interval.map(|(low, high)| (high - low) / 2.0);
    let width = width.map_or_else(String::new, |half| match expected.abs() {
        0.0 => digits(half),
        expected => format!("{:.2}%", half / expected * 100.0),
    });
    let (tone, word) = match judged.verdict {
        Verdict::Pass => (Tone::Good, "PASS".to_owned()),
        Verdict::Wide => {
            (Tone::Warning, format!("wide: ±{:.0}% asked", judged.tolerance.unwrap_or(0.0) * 100.0))
        }
        Verdict::Fail => (Tone::Error, "FAIL".to_owned()),
        Verdict::Beside => (Tone::Info, "beside an approximation".to_owned()),
        Verdict::Skipped => (Tone::Info, "only with --full".to_owned()),
    };
    // An aligned cell must not hold colours: the last column needs none.
    vec![
        row.id.to_owned(),
        shortened(row.model, 34),
        judged.quantity.clone(),
        format!(
            "{}{}",
            if row.kind == "bound" && judged.tolerance.is_none() && *expected > 1.0 { "≤ " } else { "" },
            digits(*expected)
        ),
        judged.observed.map_or_else(|| "–".to_owned(), digits),
        width,
        (style.paint)(tone, &word),
    ]
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['…']).collect()
    }
}

fn count(found: &Selftest, verdict: Verdict) -> usize {
    found.theory.iter().filter(|judged| judged.verdict == verdict).count()
}

/// The answer in a line or two.
fn sum(found: &Selftest, style: &Style) -> String {
    let of = |verdict| count(found, verdict);
    let broken = found.promises.iter().filter(|p| !p.kept).count();
    let failed = of(Verdict::Fail) + broken;
    let (tone, word) = if failed == 0 { (Tone::Good, "PASS") } else { (Tone::Error, "FAIL") };
    let mut parts = Vec::new();
    let judged = found.theory.len() - of(Verdict::Beside) - of(Verdict::Skipped);
    if judged > 0 {
        parts.push(format!("{} of {judged} numbers as theory has them", of(Verdict::Pass)));
    }
    let mut say = |n: usize, words: &str| {
        if n > 0 {
            parts.push(format!("{n} {words}"));
        }
    };
    say(of(Verdict::Wide), "within their interval, which is still wide");
    say(of(Verdict::Skipped), "only with --full");
    say(of(Verdict::Fail), "not as theory has them");
    if !found.promises.is_empty() {
        parts.push(format!("{} of {} promises kept", found.promises.len() - broken, found.promises.len()));
    }
    let took = found.elapsed.map_or_else(String::new, |e| format!(" · {}", seconds(e.as_secs_f64())));
    let more = if of(Verdict::Wide) + of(Verdict::Skipped) > 0 && !found.full {
        "\n      `loadpath selftest --full` goes on until every interval is narrow"
    } else {
        ""
    };
    format!("{}  {} · seed {}{took}{more}", (style.paint)(tone, word), parts.join(", "), found.seed)
}

pub(super) fn json(found: &Selftest) -> Value {
    let theory = found.theory.iter().map(|judged| {
        let row = &judged.row;
        json!({ "id": row.id, "model": row.model, "input": row.input, "quantity": judged.quantity, "kind": row.kind,
            "expected": judged.expected, "observed": judged.observed,
            "interval": judged.interval.map(|(low, high)| [low, high]), "tolerance": judged.tolerance,
            "replications": judged.replications, "requests": judged.requests, "source": row.source,
            "verdict": judged.verdict.name() })
    });
    let missing = found.not_expressed.iter().map(|missing| {
        json!({ "id": missing.row.id, "model": missing.row.model, "input": missing.row.input,
            "reason": missing.reason })
    });
    let promises = found.promises.iter().map(|p| {
        json!({ "family": p.family, "promise": p.what, "observed": p.seen,
            "verdict": if p.kept { "pass" } else { "fail" } })
    });
    let of = |verdict| count(found, verdict);
    let broken = found.promises.iter().filter(|p| !p.kept).count();
    json!({
        "version": 1,
        "full": found.full,
        "seed": found.seed,
        "confidence": 0.999,
        "summary": { "pass": of(Verdict::Pass), "wide": of(Verdict::Wide), "fail": of(Verdict::Fail),
            "beside": of(Verdict::Beside), "skipped": of(Verdict::Skipped), "promises_kept": found.promises.len() - broken,
            "promises_broken": broken },
        "theory": theory.collect::<Vec<_>>(),
        "not_expressed": missing.collect::<Vec<_>>(),
        "promises": promises.collect::<Vec<_>>(),
    })
}
