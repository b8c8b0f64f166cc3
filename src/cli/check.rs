//! `loadpath check`.

use super::args::{CheckArgs, Cli, FailOn};
use super::fix::fixed;
use super::input::{System, system, system_of};
use super::output::{print, style, write};
use super::watch::watch;
use crate::finding::Severity;
use crate::model::EdgeKind;
use crate::report::{CheckReport, FormatInfo, finding_format};
use anyhow::Result;
use std::time::Instant;

/// Judges and reports. 2 where a file is broken, 1 from `--fail-on` on, else 0.
pub fn run(cli: &Cli, args: &CheckArgs) -> Result<u8> {
    let formats = formats(args)?;
    if !args.watch {
        return once(cli, args, &formats, &mut Vec::new());
    }
    watch(&args.input.paths, || {
        let mut read = args.input.overlay.clone();
        once(cli, args, &formats, &mut read).map(|_| read)
    })
}

/// One run; the files it reads are added to `read`.
fn once(
    cli: &Cli,
    args: &CheckArgs,
    formats: &[(&'static FormatInfo, Option<String>)],
    read: &mut Vec<String>,
) -> Result<u8> {
    let mut one = |paths: Option<&[String]>| {
        let start = Instant::now();
        let judged = || match paths {
            None => system(&args.input, cli.quiet),
            Some(paths) => system_of(paths, &args.input, cli.quiet),
        };
        let mut system = if args.fix { fixed(cli, judged)? } else { judged()? };
        if let Some(path) = args.baseline.as_ref().filter(|_| !args.no_suppress) {
            super::baseline::apply(args, path, &mut system)?;
        }
        read.extend(system.sources.files().map(|(_, file)| file.name.clone()));
        report(cli, args, formats, &system, start)
    };
    if !args.separate || args.input.paths.len() < 2 {
        return one(None);
    }
    let all = args.input.paths.iter().map(|path| one(Some(std::slice::from_ref(path))));
    all.collect::<Result<Vec<u8>>>().map(|codes| codes.into_iter().max().unwrap_or(0))
}

/// The formats asked for, with the files they go to.
fn formats(args: &CheckArgs) -> Result<Vec<(&'static FormatInfo, Option<String>)>> {
    if args.format.is_empty() {
        return Ok(vec![(format_named("human")?, None)]);
    }
    let one = |text: &String| {
        let (name, file) =
            text.split_once('=').map_or((text.as_str(), None), |(n, f)| (n, Some(f.to_owned())));
        Ok((format_named(name)?, file))
    };
    args.format.iter().map(one).collect()
}

fn format_named(name: &str) -> Result<&'static FormatInfo> {
    let known = || crate::report::FINDING_FORMATS.iter().map(|f| f.name);
    finding_format(name).ok_or_else(|| super::explain::unknown("format", name, known()))
}

fn report(
    cli: &Cli,
    args: &CheckArgs,
    formats: &[(&'static FormatInfo, Option<String>)],
    system: &System,
    start: Instant,
) -> Result<u8> {
    let mut findings = system.findings.clone();
    if args.no_suppress {
        for finding in &mut findings {
            finding.suppressed = false;
        }
    }
    let mut report = CheckReport::new(&system.sources, &findings);
    report.title = system.title();
    report.facts = system.facts();
    report.rules_run = system.ran.len();
    report.show_suppressed = args.no_suppress;
    report.elapsed = Some(start.elapsed());
    if args.diff {
        print(&super::fix::diff(system))?;
        return Ok(exit_code(args, system, &findings));
    }
    for (format, file) in formats {
        match file {
            Some(path) => write(path, &(format.render)(&report, &super::output::plain(cli)))?,
            None => print(&(format.render)(&report, &style(cli)))?,
        }
    }
    for note in &system.notes {
        super::output::complain(&format!("note: {note}"));
    }
    Ok(exit_code(args, system, &findings))
}

fn exit_code(args: &CheckArgs, system: &System, findings: &[crate::finding::Finding]) -> u8 {
    let bar = match args.fail_on {
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
    };
    let failed = findings.iter().any(|f| f.counts() && f.severity >= bar);
    match (system.broken, failed && !args.exit_zero) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

impl System {
    /// What was judged: the system's name, else its first file.
    pub fn title(&self) -> String {
        let name = self.arch.name.as_ref().map(|n| n.value.clone());
        name.or_else(|| self.sources.files().next().map(|(_, f)| f.name.clone())).unwrap_or_default()
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
