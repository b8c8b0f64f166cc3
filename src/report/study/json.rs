//! Studies as JSON. Numbers are what was computed, not rounded.

use super::{Study, Style, capacity, compare, selftest, sweep};

/// The result as one JSON object.
pub fn render(study: &Study, _: &Style) -> String {
    let value = match study {
        Study::Selftest(found) => selftest::json(found),
        Study::Comparison(found) => compare::json(found),
        Study::Sweep(found) => sweep::json(found),
        Study::Capacity(found) => capacity::json(found),
    };
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}
