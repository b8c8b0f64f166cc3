//! Studies as tables.

use super::{Study, Style, capacity, compare, selftest, sweep};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// The result as text.
pub fn render(study: &Study, style: &Style) -> String {
    match study {
        Study::Selftest(found) => selftest::human(found, style),
        Study::Comparison(found) => compare::human(found, style),
        Study::Sweep(found) => sweep::human(found, style),
        Study::Capacity(found) => capacity::human(found, style),
    }
}

/// A table without lines; columns from `right` on stand at the right.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>, right: std::ops::Range<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}
