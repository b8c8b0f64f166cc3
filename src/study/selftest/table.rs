//! The table of systems whose truth is known: `theory.tsv`, with the sources.

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub id: &'static str,
    /// The system: `M/M/1`.
    pub model: &'static str,
    /// What goes in: `rho=0.8`.
    pub input: &'static str,
    /// Each number with what it is.
    pub parts: Vec<(String, f64)>,
    /// Where the number comes from.
    pub source: &'static str,
    /// `exact`, `limit`, `bound` or `approximation`.
    pub kind: &'static str,
}

/// All rows, in the order of the file.
pub fn rows() -> Vec<Row> {
    include_str!("theory.tsv").lines().skip(1).filter_map(row).collect()
}

fn row(line: &'static str) -> Option<Row> {
    let mut cells = line.split('\t');
    let [id, model, input, quantity, expected, source, kind] =
        std::array::from_fn(|_| cells.next().unwrap_or_default());
    let names: Vec<&str> = quantity.split('|').map(str::trim).collect();
    let expected: Vec<f64> = expected.split('|').filter_map(|number| number.trim().parse().ok()).collect();
    let parts = expected.iter().enumerate().map(|(i, e)| {
        let name = names.get(i).or(names.first()).copied().unwrap_or_default();
        (name.to_owned(), *e)
    });
    (!expected.is_empty()).then(|| Row { id, model, input, parts: parts.collect(), source, kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::queueing;

    #[test]
    fn every_line_is_read() {
        let rows = rows();
        assert_eq!(rows.len(), include_str!("theory.tsv").lines().count() - 1);
        for row in &rows {
            assert!(["exact", "limit", "bound", "approximation"].contains(&row.kind), "{row:?}");
            assert!(row.parts.iter().all(|(name, _)| !name.is_empty()), "{row:?}");
        }
        let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rows.len(), "an id twice");
    }

    /// The file and the formulas of the program say the same, wherever there is a formula.
    #[test]
    fn the_numbers_are_those_of_the_formulas() {
        let time = |steady: Option<queueing::Steady>| steady.map_or(f64::NAN, |s| s.wait_s + 1.0);
        let waits = |s: queueing::Steady| vec![s.waits.unwrap_or(f64::NAN), s.wait_s, s.wait_s + 1.0];
        let bounded = |servers, places, rate| {
            let s = queueing::mmck(rate, 1.0, servers, places);
            vec![s.loss, s.queue + s.utilization * f64::from(servers), s.wait_s + 1.0]
        };
        let market = |rho| [1, 2, 3, 5].map(|d| queueing::supermarket(rho, d)).to_vec();
        let closed = |users| {
            let (x, r) = queueing::closed_loop(users, 1.0, &[0.1, 0.05]);
            vec![x, r]
        };
        let erlang_a = queueing::erlang_a(0.9, 1.0, 1, 2.0);
        let erlang_c =
            |servers| queueing::mmc(0.8 * f64::from(servers), 1.0, servers).map_or(Vec::new(), waits);
        let in_turns = |k| vec![time(queueing::erlang_arrivals(0.8 * f64::from(k), 1.0, k))];
        let table: Vec<(&str, Vec<f64>)> = vec![
            ("mm1-0.5", vec![time(queueing::mmc(0.5, 1.0, 1))]),
            ("mm1-0.99", vec![time(queueing::mmc(0.99, 1.0, 1))]),
            ("mmc-2-0.8", erlang_c(2)),
            ("mmc-4-0.8", erlang_c(4)),
            ("mmc-16-0.8", erlang_c(16)),
            ("md1", vec![2.0, time(queueing::mg1(0.8, 1.0, 0.0))]),
            ("mg1-e4", vec![time(queueing::mg1(0.8, 1.0, 0.25))]),
            ("mg1-ln", vec![time(queueing::mg1(0.8, 1.0, 4.0))]),
            ("mg1-h2", vec![time(queueing::mg1(0.5, 1.0, 4.0))]),
            ("mg1-u", vec![time(queueing::mg1(0.8, 1.0, 1.0 / 3.0))]),
            ("mmck-1-10-0.9", bounded(1, 10, 0.9)),
            ("mmck-4-20-3.8", bounded(4, 20, 3.8)),
            ("mmck-10-10-8.0", bounded(10, 10, 8.0)),
            ("erlA-1-0.9-0.5", vec![erlang_a.loss, erlang_a.queue]),
            ("dm1", vec![time(queueing::even_arrivals(0.8, 1.0))]),
            ("mgcc", vec![queueing::erlang_b(10, 8.0)]),
            ("rr-2-0.8", in_turns(2)),
            ("rr-4-0.8", in_turns(4)),
            ("rr-16-0.8", in_turns(16)),
            ("sm-0.5", market(0.5)),
            ("sm-0.8", market(0.8)),
            ("sm-0.9", market(0.9)),
            ("sm-0.95", market(0.95)),
            ("mva-5", closed(5)),
            ("mva-30", closed(30)),
        ];
        let rows = rows();
        for (id, numbers) in table {
            let row = rows.iter().find(|row| row.id == id).expect("a row");
            assert_eq!(row.parts.len(), numbers.len(), "{id}");
            for ((name, expected), number) in row.parts.iter().zip(numbers) {
                assert!(
                    (number - expected).abs()
                        < 6e-5_f64
                            .min(2e-5 * expected.max(1.0))
                            .max(5e-5 * f64::from(u8::from(row.kind == "limit"))),
                    "{id} {name}: {number}"
                );
            }
        }
    }
}
