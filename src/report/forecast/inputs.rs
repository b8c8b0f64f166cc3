//! How well the numbers are known, and which assumptions they hang on.

use super::Run;
use super::numbers::percent;
use crate::report::study::difference;
use serde_json::{Value, json};
use std::fmt::Write;

/// Assumptions shown.
const SHOWN: usize = 10;

pub(super) fn human(text: &mut String, run: &Run) {
    if let Some(reached) = &run.precision {
        let (asked, worst) = (percent(reached.asked), percent(reached.worst));
        let of = &reached.of;
        if reached.worst > reached.asked {
            let _ = writeln!(text, "precision: ±{asked} was not reached: {of} is known to ±{worst}");
        } else if !of.is_empty() {
            let every = if reached.unknown.is_empty() { "every number" } else { "every other number" };
            let _ = writeln!(text, "precision: {every} is known to ±{asked} or better ({of} to ±{worst})");
        }
        if !reached.unknown.is_empty() {
            let which = reached.unknown.join(", ");
            let _ = writeln!(
                text,
                "precision: too few requests in each replication for {which}: simulate longer, not more often"
            );
        }
        text.push('\n');
    }
    if run.moved.is_empty() {
        return;
    }
    let _ = writeln!(text, "what the result hangs on, of what was assumed");
    let moves = run.moved.iter().filter(|m| m.share() > 0.0);
    for moved in moves.clone().take(SHOWN) {
        if let Some(most) = &moved.most {
            let _ = writeln!(
                text,
                "  {}   {} {} {}",
                moved.input,
                most.entry,
                most.metric.title(),
                difference(most)
            );
        }
    }
    let still = run.moved.iter().filter(|m| m.share() <= 0.0).count();
    let more = moves.count().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more that move it less");
    }
    if still > 0 {
        let _ = writeln!(text, "  {still} others show no difference");
    }
    text.push('\n');
}

pub(super) fn json_precision(run: &Run) -> Value {
    run.precision.as_ref().map_or(Value::Null, |reached| {
        json!({ "asked": reached.asked, "worst": reached.worst, "of": reached.of, "unknown": reached.unknown,
            "reached": reached.enough() })
    })
}

pub(super) fn json_sensitivity(run: &Run) -> Value {
    let one = |moved: &crate::study::compare::Moved| json!({ "input": moved.input, "share": moved.share(), "most": moved.most.as_ref().map(crate::report::study::json_difference) });
    run.moved.iter().map(one).collect()
}
