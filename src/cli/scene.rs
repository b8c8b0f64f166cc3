//! What commands that simulate have in common: the system, its scenario, how often it is run.

use super::args::{Cli, InputArgs, StudyArgs};
use super::input::{System, system_with};
use super::output::{complain, style_of_errors, threads};
use crate::finding::{Finding, Severity};
use crate::model::{Architecture, Scenario, builtin};
use crate::report::{CheckReport, finding_format};
use crate::sim::{Compiled, compile};
use crate::study::compare::Effort;
use anyhow::{Result, bail};

/// Errors of reading and reference: what is built on them would be about another system.
fn stops(finding: &Finding) -> bool {
    let reading = crate::spec::rules::RULES.iter().chain(crate::model::rules::RULES);
    finding.severity == Severity::Error && reading.into_iter().any(|r| r.id == finding.rule.id)
}

/// Says why a system cannot be simulated, and gives the exit code of that; `None` where it can.
pub fn refused(cli: &Cli, system: &System) -> Option<u8> {
    let errors: Vec<_> = system.findings.iter().filter(|f| stops(f)).cloned().collect();
    if !system.broken && errors.is_empty() {
        return None;
    }
    let mut report = CheckReport::new(&system.sources, &errors);
    report.title = system.title();
    if let Some(human) = finding_format("human") {
        complain((human.render)(&[report], &style_of_errors(cli)).trim_end());
    }
    complain("error: an architecture with these errors cannot be simulated");
    Some(if system.broken { 2 } else { 1 })
}

/// The scenario of a name, or all of them, or the built-in one.
pub fn scenarios<'a>(arch: &'a Architecture, wanted: Option<&str>) -> Result<Vec<Option<&'a Scenario>>> {
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

/// The one scenario a study is about.
pub fn scenario<'a>(arch: &'a Architecture, wanted: Option<&str>) -> Result<Option<&'a Scenario>> {
    let all = scenarios(arch, wanted)?;
    if all.len() > 1 {
        let names: Vec<&str> = arch.scenarios.iter().map(|s| s.name.value.as_str()).collect();
        bail!("there are several scenarios: name one with --scenario ({})", names.join(", "));
    }
    Ok(all.into_iter().next().flatten())
}

/// A system that can be simulated, and its scenario in it.
pub struct Scene {
    /// The system.
    pub system: System,
    /// The plan.
    pub compiled: Compiled,
}

impl Scene {
    /// The scenario that was compiled, once more, for what is expected of it.
    pub fn scenario(&self) -> Option<&Scenario> {
        self.system.arch.scenarios.iter().find(|s| s.name.value == self.compiled.scenario)
    }
}

/// Reads a system with these overlays and settings on top and compiles its scenario; `Err` holds the exit code
/// where that cannot be done, and why has been said.
pub fn scene(
    cli: &Cli,
    input: &InputArgs,
    study: &StudyArgs,
    overlays: &[String],
    sets: &[String],
) -> Result<Result<Scene, u8>> {
    let system = system_with(input, overlays, sets, true)?;
    if let Some(code) = refused(cli, &system) {
        return Ok(Err(code));
    }
    let compiled = match compile(&system.arch, scenario(&system.arch, study.scenario.as_deref())?) {
        Ok(compiled) => compiled,
        Err(message) => {
            complain(&format!("error: {message}"));
            return Ok(Err(2));
        }
    };
    Ok(Ok(Scene { system, compiled }))
}

/// What the command line says, else the scenario, else what is built in.
pub fn effort(study: &StudyArgs, scenario: Option<&Scenario>) -> Effort {
    let written = scenario.map(|s| &s.written);
    let seed = study.seed.or_else(|| written.and_then(|w| w.seed).map(|s| s.value));
    let replications = study.replications.or_else(|| written.and_then(|w| w.replications).map(|r| r.value.0));
    Effort {
        seed: seed.unwrap_or(builtin::SEED),
        replications: replications.unwrap_or(builtin::REPLICATIONS).max(2),
        threads: threads(study.threads),
    }
}
