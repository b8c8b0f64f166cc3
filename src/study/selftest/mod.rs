//! The simulator against queueing theory, and the policies against the promises of their family.
//!
//! Each row of `theory.tsv` is a system whose truth is known. It is written as a document, read, compiled and
//! simulated like any other. A row passes when the 99.9% Student-t interval over its replications contains the
//! truth *and* is narrow: a wrong engine cannot hide behind noise, and a right one does not pass by luck.

mod documents;
mod quantity;
mod systems;
mod table;
mod validator;
mod watch;

pub use table::{Row, rows};
pub use validator::{Promise, validate};

use crate::kernel::{Span, Time, stats};
use crate::model;
use crate::sim::{Compiled, Replications, compile, replicate};
use quantity::Seen;
use rayon::prelude::*;
use systems::{By, Check, NOT_EXPRESSED, System, systems};
use watch::{Watch, Watcher};

/// How much of it, and with which random numbers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Until every interval is narrow: minutes to an hour, in place of seconds.
    pub full: bool,
    /// Of the random numbers.
    pub seed: u64,
    /// Processors; the result does not depend on it.
    pub threads: usize,
    /// Only rows of these ids; all where there is none.
    pub only: Vec<String>,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As theory has it, and narrow enough to say so.
    Pass,
    /// Nothing speaks against it, but the interval is still wide.
    Wide,
    /// Not as theory has it.
    Fail,
    /// Shown beside an approximation, not judged.
    Beside,
    /// Takes longer than a quick run.
    Skipped,
}

impl Verdict {
    /// As the JSON says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Wide => "wide",
            Self::Fail => "fail",
            Self::Beside => "beside",
            Self::Skipped => "skipped",
        }
    }
}

/// One number of one row, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The row.
    pub row: Row,
    /// What was compared: a word of the row's `quantity`, or more exact ones.
    pub quantity: String,
    /// What theory says.
    pub expected: f64,
    /// The mean over replications.
    pub observed: Option<f64>,
    /// The 99.9% interval of it.
    pub interval: Option<(f64, f64)>,
    /// How wide it may be: ± this share of the expected value. `None` where width does not count.
    pub tolerance: Option<f64>,
    /// How many replications.
    pub replications: u32,
    /// Requests and what else arrived, warm-up left out.
    pub requests: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// A row that no scenario can express.
#[derive(Debug, Clone, PartialEq)]
pub struct NotExpressed {
    /// The row.
    pub row: Row,
    /// Why.
    pub reason: &'static str,
}

/// Rows that no scenario can express, with the reason.
pub fn not_expressed() -> Vec<NotExpressed> {
    let reason = |row: &Row| NOT_EXPRESSED.iter().find(|(id, _)| *id == row.id).map(|(_, why)| *why);
    rows().into_iter().filter_map(|row| reason(&row).map(|reason| NotExpressed { row, reason })).collect()
}

/// The documents behind the row of this id, to be looked at and simulated by hand.
pub fn documents_of(id: &str) -> Vec<String> {
    let about = |s: &System| s.checks.iter().any(|c| c.row == id);
    systems().into_iter().filter(about).map(|s| s.document).collect()
}

/// Judges the rows, one system after another; `tell` hears of each when it is done.
///
/// # Errors
/// When a system cannot be read or simulated at all.
pub fn run(settings: &Settings, tell: &mut dyn FnMut(&[Judged])) -> Result<Vec<Judged>, String> {
    let table = rows();
    let wanted = |id: &str| settings.only.is_empty() || settings.only.iter().any(|o| o == id);
    let mut all = Vec::new();
    for mut system in systems() {
        system.checks.retain(|check| wanted(check.row));
        if system.checks.is_empty() {
            continue;
        }
        let judged = judge(&system, &table, settings)?;
        tell(&judged);
        all.extend(judged);
    }
    let place = |judged: &Judged| table.iter().position(|row| row.id == judged.row.id);
    all.sort_by_key(place);
    Ok(all)
}

fn judge(system: &System, table: &[Row], settings: &Settings) -> Result<Vec<Judged>, String> {
    let mut seen: Vec<Judged> = system.checks.iter().filter_map(|check| unjudged(check, table)).collect();
    let first = if settings.full { system.quick.max(10).min(system.most) } else { system.quick };
    if first == 0 {
        return Ok(seen);
    }
    let arch = model::from_text("selftest", &system.document)?;
    let compiled = compile(&arch, arch.scenarios.first())?;
    let mut runs = Replications::new(&compiled.plan, settings.seed).map_err(|e| e.to_string())?;
    let mut watched = Vec::new();
    let mut more = first;
    loop {
        let from = runs.count();
        runs.add(more, settings.threads).map_err(|e| e.to_string())?;
        if let Some(watch) = system.watch {
            watched.extend(watch_some(&compiled, watch, settings, from..runs.count())?);
        }
        let outcome = runs.outcome();
        let shown = Seen { compiled: &compiled, outcome: &outcome, watched: &watched };
        let mut times: f64 = 1.0;
        for (check, judged) in system.checks.iter().zip(&mut seen) {
            times = times.max(weigh(judged, check, &check.of.values(&shown)));
            judged.replications = runs.count();
            judged.requests = outcome.sources.iter().map(|s| s.requests.arrived).sum();
        }
        let wide = seen.iter().any(|judged| judged.verdict == Verdict::Wide);
        // The half-width falls with the root of the number of replications.
        let wanted = f64::from(runs.count()) * (times * times * 1.05).clamp(1.1, 5.0);
        more = (wanted.ceil() as u32).min(system.most).saturating_sub(runs.count());
        if !settings.full || !wide || more == 0 {
            return Ok(seen);
        }
    }
}

fn unjudged(check: &Check, table: &[Row]) -> Option<Judged> {
    let row = table.iter().find(|row| row.id == check.row)?.clone();
    let (mut quantity, mut expected) = row.parts.get(check.part).cloned()?;
    let tolerance = match check.by {
        // At 95% of the capacity and above an interval shrinks so slowly that less is asked.
        By::Interval(share) => Some(share),
        By::Limit => Some(0.01),
        By::AtMost | By::Share { .. } | By::Beside => None,
    };
    if let By::Share { rate, all } = check.by {
        quantity = format!("share answered at {rate}/s");
        expected = f64::from(u8::from(all));
    }
    Some(Judged {
        row,
        quantity,
        expected,
        observed: None,
        interval: None,
        tolerance,
        replications: 0,
        requests: 0,
        verdict: Verdict::Skipped,
    })
}

/// Holds the values of all replications against what is expected; gives how many times as wide as allowed their
/// interval is.
fn weigh(judged: &mut Judged, check: &Check, values: &[f64]) -> f64 {
    let Some((mean, half)) = stats::t_interval(values, 0.999) else {
        judged.verdict = Verdict::Fail;
        return 1.0;
    };
    let (expected, low, high) = (judged.expected, mean - half, mean + half);
    judged.observed = Some(mean);
    judged.interval = Some((low, high));
    // What is the same in every replication has no width: then only rounding is forgiven.
    let rounding = 1e-6 * expected.abs().max(1.0);
    judged.verdict = match check.by {
        By::Interval(_) if (mean - expected).abs() > half.max(rounding) => Verdict::Fail,
        By::Interval(share) => narrow(half, share * expected.abs() + rounding),
        By::Limit if low > expected * 1.01 || high < expected * 0.99 => Verdict::Fail,
        By::Limit if (mean - expected).abs() > 0.01 * expected => Verdict::Wide,
        By::Limit => narrow(half, 0.01 * expected),
        By::AtMost if low > expected + rounding => Verdict::Fail,
        By::AtMost => narrow(high, expected + rounding),
        By::Share { all: true, .. } if mean < 0.99 => Verdict::Fail,
        By::Share { all: false, .. } if mean > 0.01 => Verdict::Fail,
        By::Share { .. } => Verdict::Pass,
        By::Beside => Verdict::Beside,
    };
    let allowed = judged.tolerance.map_or(f64::INFINITY, |share| share * expected.abs() + rounding);
    half / allowed
}

fn narrow(width: f64, allowed: f64) -> Verdict {
    if width <= allowed { Verdict::Pass } else { Verdict::Wide }
}

fn watch_some(
    compiled: &Compiled,
    watch: Watch,
    settings: &Settings,
    which: std::ops::Range<u32>,
) -> Result<Vec<f64>, String> {
    let from = Time::ZERO + Span::from_seconds(documents::DRAIN_BEGINS);
    let one = |replication: u32| {
        let watcher = Watcher::new(&compiled.plan, from);
        let seen =
            replicate(&compiled.plan, settings.seed, replication, watcher).map_err(|e| e.to_string())?;
        Ok(seen.value(watch, documents::BREAKERS))
    };
    let pool =
        (settings.threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build());
    let all: Vec<Result<Option<f64>, String>> = if let Some(Ok(pool)) = pool {
        pool.install(|| which.into_par_iter().map(one).collect())
    } else {
        which.map(one).collect()
    };
    let all: Result<Vec<_>, String> = all.into_iter().collect();
    Ok(all?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::quantity::Quantity;
    use super::*;

    #[test]
    fn every_row_is_simulated_or_excused() {
        let systems = systems();
        for row in rows() {
            let excused = NOT_EXPRESSED.iter().any(|(id, _)| *id == row.id);
            let parts: Vec<usize> =
                systems.iter().flat_map(|s| &s.checks).filter(|c| c.row == row.id).map(|c| c.part).collect();
            assert_eq!(excused, parts.is_empty(), "{}", row.id);
            let all = (0..row.parts.len()).all(|part| parts.contains(&part));
            assert!(excused || all, "{}: a number that nothing is held against", row.id);
        }
        for check in systems.iter().flat_map(|s| &s.checks) {
            assert!(unjudged(check, &rows()).is_some(), "{} {}", check.row, check.part);
        }
    }

    #[test]
    fn every_document_compiles() {
        for system in systems() {
            let found = model::from_text("selftest", &system.document);
            let arch = found.unwrap_or_else(|e| panic!("{e}\n{}", system.document));
            assert_eq!(arch.scenarios.len(), 1, "{}", system.document);
            let compiled = compile(&arch, arch.scenarios.first()).expect("compiles");
            assert_eq!(compiled.left_out, Vec::<String>::new(), "{}", system.document);
        }
    }

    /// Whether an interval and a truth make a pass.
    #[test]
    fn verdicts() {
        let table = rows();
        let check = |by| Check { row: "mm1-0.8", part: 0, of: Quantity::Mean, by };
        let values = |mean: f64, half: f64| {
            // The interval of three values mean−d, mean, mean+d is mean ± 31.6·d/√3.
            let d = half / stats::t_quantile(0.9995, 2.0) * 3.0_f64.sqrt();
            [mean - d, mean, mean + d]
        };
        for (by, mean, half, expected) in [
            (By::Interval(0.01), 5.01, 0.04, Verdict::Pass),
            (By::Interval(0.01), 5.01, 0.06, Verdict::Wide),
            (By::Interval(0.01), 5.05, 0.04, Verdict::Fail),
            (By::Limit, 5.04, 0.04, Verdict::Pass),
            (By::Limit, 5.06, 0.04, Verdict::Wide),
            (By::Limit, 5.2, 0.04, Verdict::Fail),
            (By::AtMost, 4.9, 0.04, Verdict::Pass),
            (By::AtMost, 4.99, 0.04, Verdict::Wide),
            (By::AtMost, 5.1, 0.04, Verdict::Fail),
        ] {
            let mut judged = unjudged(&check(by), &table).expect("a row");
            weigh(&mut judged, &check(by), &values(mean, half));
            assert_eq!(judged.verdict, expected, "{by:?} {mean} ± {half}");
        }
    }
}
