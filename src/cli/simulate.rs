//! `loadpath simulate`.

use super::args::{Cli, SimulateArgs};
use super::events;
use super::input::system;
use super::output::{complain, hear_interrupts, interrupted, print, progress, style, threads, write};
use super::scene::{refused, scenarios};
use super::sensitivity::moved;
use crate::model::{Architecture, Scenario, builtin};
use crate::report::forecast::{FORECAST_FORMATS, Forecast, Run};
use crate::sim::{Compiled, Replications, Trace, Tracer, Verdict, Watch, compile, judge, replicate};
use crate::study::compare::Effort;
use crate::study::precision::refine;
use crate::study::twin::twins;
use anyhow::{Result, anyhow, bail};
use std::time::Instant;

/// Replications at the most, where a precision is asked for and nothing else is said.
const MOST: u32 = 1000;

/// Simulates the scenarios asked for. 2 for broken input and where there is nothing to simulate, 1 for errors in
/// it, for an expectation that is not met or undecided, or where it was interrupted, else 0.
pub fn run(cli: &Cli, args: &SimulateArgs) -> Result<u8> {
    let (name, file) =
        args.format.split_once('=').map_or((args.format.as_str(), None), |(n, f)| (n, Some(f)));
    let format = FORECAST_FORMATS.iter().find(|f| f.name == name);
    let known = FORECAST_FORMATS.iter().map(|f| f.name);
    let format = format.ok_or_else(|| super::explain::unknown("format", name, known))?;
    let system = system(&args.input, cli.quiet)?;
    if let Some(code) = refused(cli, &system) {
        return Ok(code);
    }
    let filter = events::filter(&args.events)?;
    let wanted = scenarios(&system.arch, args.scenario.as_deref())?;
    if args.events.events.is_some() && wanted.len() > 1 {
        let names: Vec<&str> = wanted.iter().flatten().map(|s| s.name.value.as_str()).collect();
        bail!("--events is the log of one scenario: name one with --scenario ({})", names.join(", "));
    }
    hear_interrupts();
    let start = Instant::now();
    let mut runs = Vec::new();
    for scenario in wanted {
        if interrupted() {
            complain("interrupted: further scenarios were not begun");
            break;
        }
        let compiled = match compile(&system.arch, scenario) {
            Ok(compiled) => compiled,
            Err(message) => {
                complain(&format!("error: {message}"));
                return Ok(2);
            }
        };
        let open = |path| events::known(&compiled.plan, &filter).and_then(|()| events::open(path));
        let log = args.events.events.as_deref().map(open).transpose()?;
        let run = forecast(cli, &system.arch, scenario, compiled, args)?;
        if let (Some(path), Some(file)) = (&args.events.events, log) {
            events::log(&run.compiled, run.outcome.seed, (path, file), filter.clone())?;
        }
        runs.push(run);
    }
    let verdicts: Vec<Verdict> = runs.iter().flat_map(|r| r.expectations.iter().map(|e| e.verdict)).collect();
    let elapsed = (name == "human").then(|| start.elapsed());
    let forecast = Forecast { arch: &system.arch, runs, elapsed };
    let text = (format.render)(&forecast, &style(cli));
    match file {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    let failed =
        verdicts.iter().any(|v| *v == Verdict::NotMet || *v == Verdict::Undecided && !args.allow_undecided);
    Ok(u8::from(failed || interrupted()))
}

fn forecast(
    cli: &Cli,
    arch: &Architecture,
    scenario: Option<&Scenario>,
    compiled: Compiled,
    args: &SimulateArgs,
) -> Result<Run> {
    let written = scenario.map(|s| &s.written);
    let seed = args.seed.or_else(|| written.and_then(|w| w.seed).map(|s| s.value)).unwrap_or(builtin::SEED);
    let known = written.and_then(|w| w.replications).map_or(builtin::REPLICATIONS, |r| r.value.0);
    // With a precision the number is a bound.
    let first = match args.precision {
        Some(_) => known.min(args.replications.unwrap_or(known)),
        None => args.replications.unwrap_or(known),
    };
    let threads = threads(args.threads);
    let mut replications = Replications::new(&compiled.plan, seed).map_err(|e| anyhow!("{e}"))?;
    let name = &compiled.scenario;
    let done = |done: u32| progress(cli, &format!("{name}: {done} of {first} replications"));
    let watch = Watch { stop: &interrupted, done: &done };
    let added = replications.add_watched(first, threads, &watch);
    progress(cli, "");
    added.map_err(|e| anyhow!("{e}"))?;
    match replications.count() {
        0 => bail!("interrupted before a replication of {name} was complete: there is nothing to report"),
        count if count < first => {
            complain(&format!("interrupted: {count} of {first} replications of {name} are reported"));
        }
        _ => {}
    }
    let (outcome, precision) = match args.precision {
        None => (replications.outcome(), None),
        Some(asked) => {
            let most = args.replications.unwrap_or(MOST);
            let mut tell = |done: u32, reached: &crate::study::precision::Reached| {
                let worst = reached.worst * 100.0;
                progress(cli, &format!("{done} replications: {} known to {worst:.2}%", reached.of));
            };
            let found = refine(&mut replications, asked, most, threads, &interrupted, &mut tell);
            progress(cli, "");
            let (outcome, reached) = found.map_err(|e| anyhow!("{e}"))?;
            (outcome, Some(reached))
        }
    };
    let expectations = scenario.map_or_else(Vec::new, |s| judge(arch, s, &compiled, &outcome));
    let twins = twins(&compiled, &outcome);
    let moved = if args.sensitivity {
        let effort = Effort { seed, replications: outcome.replications.max(2), threads };
        moved(cli, args, arch, &compiled, effort)?
    } else {
        Vec::new()
    };
    // Nobody reads them off a screen.
    let traces = if args.format.split('=').next() == Some("human") {
        Vec::new()
    } else {
        traces(arch, &compiled, seed)?
    };
    Ok(Run { compiled, outcome, expectations, twins, precision, traces, moved })
}

/// The traces that `monitoring` asks for, of replication 0.
fn traces(arch: &Architecture, compiled: &Compiled, seed: u64) -> Result<Vec<Trace>> {
    let Some(monitoring) = &arch.monitoring else { return Ok(Vec::new()) };
    let share = monitoring.sample_traces.map_or(0.0, |share| share.fraction());
    let slowest = monitoring.slowest.map_or(0, |n| n.value as usize);
    if share <= 0.0 && slowest == 0 {
        return Ok(Vec::new());
    }
    let tracer =
        replicate(&compiled.plan, seed, 0, Tracer::new(share, slowest)).map_err(|e| anyhow!("{e}"))?;
    Ok(tracer.traces())
}
