//! `loadpath capacity`.

use super::args::{CapacityArgs, Cli};
use super::output::{complain, hear_interrupts, interrupted, print, progress, style, write};
use super::range::{ends, written};
use super::scene::{Scene, effort, scene};
use super::selftest::study_format;
use crate::report::study::{Capacity, Study};
use crate::sim::{Judged, Replications, Verdict, judge};
use crate::study::capacity::{Search, Tried, bottleneck, bracket, conclude, search};
use crate::study::compare::Effort;
use crate::study::scale::{load, most, scale};
use anyhow::{Result, anyhow, bail};

/// The load is not looked for beyond so many times what the document says.
const MOST_LOAD: f64 = 1024.0;

/// What is looked for.
enum Axis {
    Load,
    Setting { path: String, from: f64, to: f64, unit: String },
}

/// Why a point could not be tried.
enum Stop {
    /// It has been said; the exit code.
    Said(u8),
    /// Nobody waits for it any more.
    Interrupted,
    Error(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Error(error)
    }
}

/// Looks for the edge. 1 where the expectations hold nowhere.
pub fn run(cli: &Cli, args: &CapacityArgs) -> Result<u8> {
    let (format, file) = study_format(&args.study.format)?;
    let (axis, way) = axis(args)?;
    let base = match scene(cli, &args.input, &args.study, &[], &[])? {
        Ok(scene) => scene,
        Err(code) => return Ok(code),
    };
    let sets = expected(args, &base)?;
    let effort = effort(&args.study, base.scenario());
    hear_interrupts();
    let mut seen = Vec::new();
    let mut attempt = |value: f64| {
        if interrupted() {
            return Err(Stop::Interrupted);
        }
        progress(cli, &format!("trying {}", shown(&axis, value)));
        let tried = attempt(cli, args, &axis, &sets, effort, value)?;
        seen.push(tried.clone());
        Ok(tried)
    };
    let found = match &axis {
        Axis::Load => bracket(most(&base.compiled.plan, MOST_LOAD), &mut attempt)
            .and_then(|(range, tried)| search(way, range, false, args.within, tried, &mut attempt)),
        Axis::Setting { from, to, unit, .. } => {
            let whole = unit.is_empty() && from.fract() == 0.0 && to.fract() == 0.0;
            search(way, (*from, *to), whole, args.within, Vec::new(), &mut attempt)
        }
    };
    progress(cli, "");
    let found = match found {
        Ok(found) => found,
        Err(Stop::Said(code)) => return Ok(code),
        Err(Stop::Interrupted) if seen.is_empty() => bail!("interrupted before anything was tried"),
        Err(Stop::Interrupted) => {
            complain("interrupted: the answer is what was tried until then");
            conclude(way, seen)
        }
        Err(Stop::Error(error)) => return Err(error),
    };
    let holds = found.holds.is_some();
    let (of, unit) = match axis {
        Axis::Load => (None, "×".to_owned()),
        Axis::Setting { path, unit, .. } => (Some(path), unit),
    };
    let (rate_per_s, users) = load(&base.compiled.plan);
    let scenario = base.compiled.scenario.clone();
    let result = Capacity { scenario, effort, of, unit, way, found, rate_per_s, users };
    let text = (format.render)(&Study::Capacity(result), &style(cli));
    match file {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(u8::from(!holds || interrupted()))
}

fn shown(axis: &Axis, value: f64) -> String {
    match axis {
        Axis::Load => format!("{} × the load", written(value, "")),
        Axis::Setting { path, unit, .. } => format!("{path}={}", written(value, unit)),
    }
}

fn axis(args: &CapacityArgs) -> Result<(Axis, Search)> {
    let (flag, text, way) = match (&args.highest, &args.fewest) {
        (Some(text), _) => ("--highest", text, Search::Highest),
        (_, Some(text)) => ("--fewest", text, Search::Lowest),
        (None, None) => return Ok((Axis::Load, Search::Highest)),
    };
    let (path, range) =
        text.split_once('=').ok_or_else(|| anyhow!("{flag} {text} has no range: write PATH=FROM..TO"))?;
    let (from, to, unit) = ends(range).map_err(|e| anyhow!("{flag} {text}: {e}"))?;
    Ok((Axis::Setting { path: path.to_owned(), from, to, unit }, way))
}

/// The settings that put what must hold into the scenario.
fn expected(args: &CapacityArgs, base: &Scene) -> Result<Vec<String>> {
    if args.expect.is_empty() {
        if base.scenario().is_none_or(|s| s.expectations.is_empty()) {
            bail!(
                "nothing is expected, so that everything would do: add `expect:` to the scenario, or \
                 --expect 'p99 < 400ms'"
            );
        }
        return Ok(Vec::new());
    }
    let name = base.scenario().map_or("capacity", |s| s.name.value.as_str());
    let list: Vec<String> = args
        .expect
        .iter()
        .map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    Ok(vec![format!("scenarios.\"{name}\".expect=[{}]", list.join(", "))])
}

/// Simulates one value. Where nothing is decided it goes on to four times as many replications.
fn attempt(
    cli: &Cli,
    args: &CapacityArgs,
    axis: &Axis,
    sets: &[String],
    effort: Effort,
    value: f64,
) -> Result<Tried, Stop> {
    let mut sets = sets.to_vec();
    if let Axis::Setting { path, unit, .. } = axis {
        sets.push(format!("{path}={}", written(value, unit)));
    }
    let mut scene = scene(cli, &args.input, &args.study, &[], &sets)?.map_err(Stop::Said)?;
    if matches!(axis, Axis::Load) {
        scale(&mut scene.compiled.plan, value).map_err(|e| anyhow!("{}: {e}", shown(axis, value)))?;
    }
    let failed = |e: crate::sim::PlanError| Stop::Error(anyhow!("{}: {e}", shown(axis, value)));
    let mut runs = Replications::new(&scene.compiled.plan, effort.seed).map_err(failed)?;
    let mut more = effort.replications;
    loop {
        runs.add(more, effort.threads).map_err(failed)?;
        let outcome = runs.outcome();
        let judged = scene
            .scenario()
            .map_or_else(Vec::new, |s| judge(&scene.system.arch, s, &scene.compiled, &outcome));
        let worst = judged.into_iter().reduce(|a, b| if b.verdict > a.verdict { b } else { a });
        let Some(worst) = worst else { return Err(Stop::Error(anyhow!("nothing is expected"))) };
        if worst.verdict == Verdict::Undecided
            && runs.count() < effort.replications * 4
            && worst.ci95.is_some()
        {
            more = runs.count();
            continue;
        }
        let bottleneck = bottleneck(&scene.compiled, &outcome);
        return Ok(Tried { value, verdict: worst.verdict, decisive: decisive(&worst), bottleneck });
    }
}

fn decisive(judged: &Judged) -> String {
    crate::report::forecast::said(judged)
}
