//! `loadpath graph`.

use super::args::{Cli, GraphArgs, GroupBy, Towards};
use super::input::{System, system};
use super::output::{complain, print, style_of_errors, write};
use crate::diagram::{self, Diagram, RENDERERS, View};
use crate::report::{CheckReport, finding_format};
use anyhow::{Result, anyhow};

/// Draws what resolves. Findings go to standard error; only broken input makes it fail.
pub fn run(cli: &Cli, args: &GraphArgs) -> Result<u8> {
    let (name, file) =
        args.format.split_once('=').map_or((args.format.as_str(), None), |(n, f)| (n, Some(f)));
    let renderer = RENDERERS.iter().find(|r| r.name == name);
    let known = RENDERERS.iter().map(|r| r.name);
    let renderer = renderer.ok_or_else(|| super::explain::unknown("format", name, known))?;
    let system = system(&args.input, cli.quiet)?;
    let view = View {
        focus: args.focus.clone(),
        depth: args.depth,
        direction: direction(args.direction),
        group_by: group_by(args.group_by),
    };
    let picture =
        Diagram::new(&system.arch, &system.findings, &system.sources, &view).map_err(|e| anyhow!("{e}"))?;
    let text = (renderer.render)(&picture);
    match args.output.as_deref().or(file) {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    complain_of(cli, &system);
    for note in &system.notes {
        complain(&format!("note: {note}"));
    }
    Ok(if system.broken { 2 } else { 0 })
}

/// Says on standard error what is wrong.
pub fn complain_of(cli: &Cli, system: &System) {
    if cli.quiet || system.findings.is_empty() {
        return;
    }
    let mut report = CheckReport::new(&system.sources, &system.findings);
    report.title = system.title();
    report.facts = system.facts();
    report.rules_run = system.ran.len();
    if let Some(human) = finding_format("human") {
        complain((human.render)(&[report], &style_of_errors(cli)).trim_end());
    }
}

const fn direction(towards: Towards) -> diagram::Direction {
    match towards {
        Towards::Both => diagram::Direction::Both,
        Towards::Upstream => diagram::Direction::Upstream,
        Towards::Downstream => diagram::Direction::Downstream,
    }
}

const fn group_by(by: GroupBy) -> diagram::GroupBy {
    match by {
        GroupBy::Auto => diagram::GroupBy::Auto,
        GroupBy::None => diagram::GroupBy::None,
        GroupBy::Owner => diagram::GroupBy::Owner,
        GroupBy::Layer => diagram::GroupBy::Layer,
        GroupBy::Zone => diagram::GroupBy::Zone,
    }
}
