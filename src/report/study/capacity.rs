//! How far a system goes.

use super::human::table;
use super::{Capacity, Style};
use crate::report::forecast::short;
use crate::study::capacity::{Bottleneck, Search, Tried};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn human(found: &Capacity, _: &Style) -> String {
    let superlative = if found.way == Search::Highest { "highest" } else { "lowest" };
    let of = found.of.as_deref().unwrap_or("load");
    let mut text = format!(
        "{} · the {superlative} {of} at which all that is expected holds · {} replications or more, seed {}\n\n",
        found.scenario, found.effort.replications, found.effort.seed
    );
    match &found.found.holds {
        Some(holds) => {
            let _ = writeln!(text, "holds at       {}   {}", said(found, holds), holds.decisive);
        }
        None => {
            let _ = writeln!(text, "holds at       nothing that was tried");
        }
    }
    match &found.found.fails {
        Some(fails) => {
            let _ = writeln!(text, "fails from     {}   {}", said(found, fails), fails.decisive);
        }
        None => {
            let _ = writeln!(text, "fails from     nothing that was tried");
        }
    }
    let edge = found.found.fails.as_ref().or(found.found.holds.as_ref());
    if let Some(bottleneck) = edge.and_then(|t| t.bottleneck.as_ref()) {
        let Bottleneck { station, utilization, queue } = bottleneck;
        let _ =
            writeln!(text, "bottleneck     {station} ρ {utilization:.2}, {} waiting there", short(*queue));
    }
    text.push('\n');
    let rows = found.found.tried.iter().map(|tried| {
        let busiest = tried.bottleneck.as_ref();
        vec![
            said(found, tried),
            tried.verdict.name().to_owned(),
            tried.decisive.clone(),
            busiest.map_or_else(String::new, |b| format!("{} ρ {:.2}", b.station, b.utilization)),
        ]
    });
    text + &table(&["tried", "verdict", "decided by", "busiest"], rows.collect(), 0..1)
}

/// `1.37× = 274/s`, or a value with its unit.
fn said(found: &Capacity, tried: &Tried) -> String {
    if found.of.is_some() {
        return format!("{}{}", short(tried.value), found.unit);
    }
    let mut parts = Vec::new();
    if found.rate_per_s > 0.0 {
        parts.push(format!("{}/s", short(found.rate_per_s * tried.value)));
    }
    if found.users > 0 {
        parts.push(format!("{} users", (f64::from(found.users) * tried.value).round()));
    }
    format!("{}× = {}", short(tried.value), parts.join(" and "))
}

pub(super) fn json_bottleneck(found: &Bottleneck) -> Value {
    json!({ "station": found.station, "utilization": found.utilization, "queue_mean": found.queue })
}

pub(super) fn json(found: &Capacity) -> Value {
    let one = |tried: &Tried| {
        json!({ "value": tried.value, "verdict": tried.verdict.name(), "decisive": tried.decisive,
            "bottleneck": tried.bottleneck.as_ref().map(json_bottleneck) })
    };
    let edge = found.found.fails.as_ref().or(found.found.holds.as_ref());
    json!({
        "version": 1,
        "scenario": found.scenario,
        "seed": found.effort.seed,
        "replications": found.effort.replications,
        "of": found.of.as_deref().unwrap_or("load"),
        "unit": found.unit,
        "search": if found.way == Search::Highest { "highest" } else { "lowest" },
        "load_per_s": found.rate_per_s,
        "users": found.users,
        "holds": found.found.holds.as_ref().map(one),
        "fails": found.found.fails.as_ref().map(one),
        "bottleneck": edge.and_then(|t| t.bottleneck.as_ref()).map(json_bottleneck),
        "tried": found.found.tried.iter().map(one).collect::<Vec<_>>(),
    })
}
