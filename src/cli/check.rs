//! `loadpath check`.

use super::args::{CheckArgs, Cli, FailOn};
use super::disk::Disk;
use super::fix::{diff, fixed};
use super::input::{System, system, system_of};
use super::output::{complain, print};
use super::targets::{Target, deliver, targets};
use super::watch::watch;
use crate::finding::Severity;
use crate::model::EdgeKind;
use crate::report::{self, CheckReport, Saved};
use crate::source::Loader;
use anyhow::{Context, Result, anyhow};
use std::io::Read;
use std::time::{Duration, Instant};

/// Judges and reports. 2 where a file is broken, 1 from `--fail-on` on, else 0.
pub fn run(cli: &Cli, args: &CheckArgs) -> Result<u8> {
    let targets = targets(&args.format)?;
    if !args.watch {
        return once(cli, args, &targets, &mut Vec::new());
    }
    watch(&args.input.paths, || {
        let mut read = args.input.overlay.clone();
        once(cli, args, &targets, &mut read).map(|_| read)
    })
}

/// One run; the files it reads are added to `read`.
fn once(cli: &Cli, args: &CheckArgs, targets: &[Target], read: &mut Vec<String>) -> Result<u8> {
    let saved = args.from_json.as_deref().map(load).transpose()?;
    let systems = if saved.is_some() { Vec::new() } else { judged(cli, args)? };
    for (system, _) in &systems {
        read.extend(system.sources.files().map(|(_, file)| file.name.clone()));
    }
    let mut reports = match &saved {
        Some(saved) => saved.reports(),
        None => systems.iter().map(|(system, took)| report(system, *took)).collect(),
    };
    narrow(&mut reports, args)?;
    if args.diff {
        let diffs: String = systems.iter().map(|(system, _)| diff(system)).collect();
        print(&diffs)?;
        if diffs.is_empty() && !cli.quiet {
            complain("note: no finding has a fix that only one text can be");
        }
    } else {
        deliver(targets, &reports, cli)?;
    }
    let code = exit_code(args, &reports);
    if !args.watch {
        // The program ends: the system takes its memory back at once, not a million pieces one by one.
        std::mem::forget(reports);
        std::mem::forget(systems);
    }
    Ok(code)
}

/// Every system that was named, judged, with how long it took.
fn judged(cli: &Cli, args: &CheckArgs) -> Result<Vec<(System, Duration)>> {
    let one = |path: Option<&String>| {
        let start = Instant::now();
        let judged = || {
            let mut system = match path {
                Some(path) => system_of(std::slice::from_ref(path), &args.input, cli.quiet)?,
                None => system(&args.input, cli.quiet)?,
            };
            if args.no_suppress {
                system.findings.iter_mut().for_each(|finding| finding.suppressed = false);
            }
            Ok(system)
        };
        let system = if args.fix { fixed(cli, judged)? } else { judged()? };
        Ok((system, start.elapsed()))
    };
    let (mut systems, took): (Vec<System>, Vec<Duration>) = if args.separate && args.input.paths.len() > 1 {
        args.input.paths.iter().map(|path| one(Some(path))).collect::<Result<_>>()?
    } else {
        std::iter::once(one(None)?).unzip()
    };
    if let Some(path) = args.baseline.as_ref().filter(|_| !args.no_suppress) {
        super::baseline::apply(args, path, &mut systems)?;
    }
    for note in systems.iter().flat_map(|system| &system.notes) {
        complain(&format!("note: {note}"));
    }
    Ok(systems.into_iter().zip(took).collect())
}

/// What is to be said of a system.
fn report(system: &System, took: Duration) -> CheckReport<'_> {
    let mut report = CheckReport::new(&system.sources, &system.findings);
    report.title = system.title();
    report.facts = system.facts();
    report.rules_run = system.ran.len();
    report.elapsed = Some(took);
    report.complete = !system.broken;
    report.compared = system.compared;
    report.owners = system.arch.owners().into_iter().map(str::to_owned).collect();
    report
}

/// A saved result, with the files it speaks of as far as they are there.
fn load(path: &str) -> Result<Saved> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        Disk.load(path).map_err(|e| anyhow!("cannot read `{path}`: {e}"))?
    };
    let text = String::from_utf8(bytes).with_context(|| format!("`{path}`"))?;
    let mut saved = report::read(&text).map_err(|e| anyhow!("`{path}`: {e}"))?;
    for file in saved.files() {
        // Anything but a plain file may block, or never end.
        let plain = std::path::Path::new(&file).is_file();
        let text = plain.then(|| Disk.load(&file).ok()).flatten().and_then(|b| String::from_utf8(b).ok());
        if let Some(text) = text {
            saved.supply(&file, text.strip_prefix('\u{feff}').unwrap_or(&text));
        }
    }
    Ok(saved)
}

/// Leaves in what the arguments ask for.
fn narrow(reports: &mut [CheckReport<'_>], args: &CheckArgs) -> Result<()> {
    for team in &args.owner {
        if !reports.iter().any(|report| report.owners.contains(team)) {
            let known = reports.iter().flat_map(|report| report.owners.iter().map(String::as_str));
            return Err(super::explain::unknown("owner", team, known));
        }
    }
    for report in reports {
        report.by_owner = args.by_owner;
        if !args.owner.is_empty() {
            report.only(&args.owner);
        }
    }
    Ok(())
}

fn exit_code(args: &CheckArgs, reports: &[CheckReport<'_>]) -> u8 {
    let bar = match args.fail_on {
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
    };
    let broken = reports.iter().any(|report| !report.complete);
    let failed = reports.iter().any(|report| report.counts().worst().is_some_and(|worst| worst >= bar));
    match (broken, failed && !args.exit_zero) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

impl System {
    /// What was judged: the system's name, else what was named first.
    pub fn title(&self) -> String {
        let name = self.arch.name.as_ref().map(|n| n.value.clone());
        name.or_else(|| self.paths.first().cloned()).unwrap_or_default()
    }

    /// What it consists of: `12 services, 16 calls, 2 entry points`.
    pub fn facts(&self) -> String {
        let kinds = |kind: &str| self.arch.nodes().filter(|(_, n)| n.kind_name() == kind).count();
        let edges = |kinds: &[EdgeKind]| self.arch.edges().filter(|(_, e)| kinds.contains(&e.kind)).count();
        let all = [
            (kinds("service") + kinds("external"), "service", "services"),
            (kinds("datastore"), "datastore", "datastores"),
            (kinds("queue"), "queue", "queues"),
            (kinds("topic"), "topic", "topics"),
            (edges(&[EdgeKind::Call]), "call", "calls"),
            (edges(&[EdgeKind::Read, EdgeKind::Write]), "data access", "data accesses"),
            (edges(&[EdgeKind::Publish, EdgeKind::Consume]), "message flow", "message flows"),
            (self.arch.entry_points().len(), "entry point", "entry points"),
        ];
        let said = all
            .iter()
            .filter(|(n, ..)| *n > 0)
            .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }));
        said.collect::<Vec<_>>().join(", ")
    }
}
