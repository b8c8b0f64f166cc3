//! `simulate --sensitivity`: every input that nobody said is set to something else, one after another.

use super::args::{Cli, SimulateArgs};
use super::input::system_with;
use super::output::{interrupted, progress};
use super::range::written;
use super::scene::{refused, scenarios};
use crate::model::words::Duration;
use crate::model::{Architecture, NodeKind, Service};
use crate::sim::{Compiled, compile};
use crate::study::compare::{Compared, Effort, Moved, differences, outcome, rank};
use crate::study::scale::typical_work_s;
use anyhow::{Result, anyhow};

/// Inputs that are tried, at the most.
const MOST: usize = 100;

/// The inputs that were assumed, the one that moves the result most first.
pub fn moved(
    cli: &Cli,
    args: &SimulateArgs,
    arch: &Architecture,
    compiled: &Compiled,
    effort: Effort,
) -> Result<Vec<Moved>> {
    let base = outcome(compiled, effort).map_err(|e| anyhow!("{e}"))?;
    let inputs = assumed(arch, compiled);
    let mut compared = Vec::new();
    for (at, (name, set)) in inputs.iter().enumerate() {
        if interrupted() {
            break;
        }
        progress(cli, &format!("{at} of {} assumptions tried, now {name}", inputs.len()));
        let system = system_with(&args.input, &[], std::slice::from_ref(set), true)?;
        if refused(cli, &system).is_some() {
            continue;
        }
        let wanted = (compiled.scenario != "default" || !arch.scenarios.is_empty())
            .then_some(compiled.scenario.as_str());
        let scenario = scenarios(&system.arch, wanted)?.into_iter().next().flatten();
        let other = compile(&system.arch, scenario).map_err(|e| anyhow!("with {set}: {e}"))?;
        let found = outcome(&other, effort).map_err(|e| anyhow!("with {set}: {e}"))?;
        compared.push(Compared { name: name.clone(), differences: differences(&base, &found) });
    }
    progress(cli, "");
    Ok(rank(compared))
}

/// What nobody said, and the setting that says something else.
fn assumed(arch: &Architecture, compiled: &Compiled) -> Vec<(String, String)> {
    let typical = typical_work_s(&compiled.plan).unwrap_or(0.001);
    let latency = format!("{{ distribution: exponential, mean: {}us }}", written(typical * 1e6, ""));
    let milliseconds = written(typical * 1e3, "ms");
    let mut all = Vec::new();
    let mut say = |name: String, set: String| all.push((name, set));
    for (_, node) in arch.nodes() {
        let id = &node.id.value;
        match &node.kind {
            NodeKind::Service(service) if !service.external => {
                if service.workers.is_none() {
                    say(format!("workers of {id}: 2 in place of 1"), format!("services.\"{id}\".workers=2"));
                }
                if service.replicas.is_none() {
                    say(
                        format!("replicas of {id}: 2 in place of 1"),
                        format!("services.\"{id}\".replicas=2"),
                    );
                }
                if silent(service) {
                    let name = format!("own work of {id}: {milliseconds} in place of none");
                    say(name, format!("services.\"{id}\".latency={latency}"));
                }
            }
            NodeKind::Datastore(store) if store.latency.is_none() => {
                let name = format!("accesses of {id}: {milliseconds} in place of no time");
                say(name, format!("datastores.\"{id}\".latency={latency}"));
            }
            _ => {}
        }
    }
    if arch.network_latency_s == 0.0 {
        let trip = Duration(500_000);
        say(format!("network: {trip} each way in place of none"), format!("network.latency={trip}"));
    }
    all.truncate(MOST);
    all
}

/// Whether some endpoint of a service does no own work because nobody said how long it takes.
fn silent(service: &Service) -> bool {
    if service.endpoints.is_empty() {
        return service.latency.is_none();
    }
    service.endpoints.iter().any(|e| e.latency.is_none())
}
