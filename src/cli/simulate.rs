//! `loadpath simulate`.

use super::args::{Cli, SimulateArgs};
use super::input::system;
use super::output::{complain, print, style, style_of_errors, write};
use crate::finding::Severity;
use crate::model::{Architecture, Scenario, builtin};
use crate::report::forecast::{FORECAST_FORMATS, Forecast, Run};
use crate::report::{CheckReport, finding_format};
use crate::sim::{Verdict, compile, judge, simulate};
use anyhow::{Result, anyhow, bail};
use std::time::Instant;

/// Simulates the scenarios asked for. 2 for broken input, 1 for errors in it, or for an expectation that is
/// not met or undecided, else 0.
pub fn run(cli: &Cli, args: &SimulateArgs) -> Result<u8> {
    let (name, file) =
        args.format.split_once('=').map_or((args.format.as_str(), None), |(n, f)| (n, Some(f)));
    let format = FORECAST_FORMATS.iter().find(|f| f.name == name);
    let known = FORECAST_FORMATS.iter().map(|f| f.name);
    let format = format.ok_or_else(|| super::explain::unknown("format", name, known))?;
    let system = system(&args.input, cli.quiet)?;
    let errors: Vec<_> = system.findings.iter().filter(|f| stops(f)).cloned().collect();
    if system.broken || !errors.is_empty() {
        let mut report = CheckReport::new(&system.sources, &errors);
        report.title = system.title();
        if let Some(human) = finding_format("human") {
            complain((human.render)(&[report], &style_of_errors(cli)).trim_end());
        }
        complain("error: an architecture with these errors cannot be simulated");
        return Ok(if system.broken { 2 } else { 1 });
    }
    let start = Instant::now();
    let mut runs = Vec::new();
    for scenario in scenarios(&system.arch, args.scenario.as_deref())? {
        match forecast(&system.arch, scenario, args)? {
            Some(run) => runs.push(run),
            None => return Ok(1),
        }
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
    Ok(u8::from(failed))
}

/// Errors of reading and reference: what is built on them would be about another system.
fn stops(finding: &crate::finding::Finding) -> bool {
    let reading = crate::spec::rules::RULES.iter().chain(crate::model::rules::RULES);
    finding.severity == Severity::Error && reading.into_iter().any(|r| r.id == finding.rule.id)
}

/// The scenario of a name, or all of them, or the built-in one.
fn scenarios<'a>(arch: &'a Architecture, wanted: Option<&str>) -> Result<Vec<Option<&'a Scenario>>> {
    let Some(wanted) = wanted else {
        return Ok(if arch.scenarios.is_empty() {
            vec![None]
        } else {
            arch.scenarios.iter().map(Some).collect()
        });
    };
    let found = arch.scenarios.iter().find(|s| s.name.value == wanted);
    if found.is_none() && arch.scenarios.is_empty() {
        bail!("no scenario is called `{wanted}`: the document has none");
    }
    let known = arch.scenarios.iter().map(|s| s.name.value.as_str());
    found.map(|s| vec![Some(s)]).ok_or_else(|| super::explain::unknown("scenario", wanted, known))
}

fn forecast(arch: &Architecture, scenario: Option<&Scenario>, args: &SimulateArgs) -> Result<Option<Run>> {
    let compiled = match compile(arch, scenario) {
        Ok(compiled) => compiled,
        Err(message) => {
            complain(&format!("error: {message}"));
            return Ok(None);
        }
    };
    let written = scenario.map(|s| &s.written);
    let seed = args.seed.or_else(|| written.and_then(|w| w.seed).map(|s| s.value)).unwrap_or(builtin::SEED);
    let replications = args.replications.or_else(|| written.and_then(|w| w.replications).map(|r| r.value.0));
    let replications = replications.unwrap_or(builtin::REPLICATIONS);
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let threads = threads.clamp(1, replications.min(256) as usize);
    let outcome = simulate(&compiled.plan, seed, replications, threads).map_err(|e| anyhow!("{e}"))?;
    let expectations = scenario.map_or_else(Vec::new, |s| judge(arch, s, &compiled, &outcome));
    Ok(Some(Run { compiled, outcome, expectations }))
}
