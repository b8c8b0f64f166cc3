//! `simulate --events`: what happens in replication 0, one JSON object a line.

use super::args::EventArgs;
use super::explain::unknown;
use super::output::complain;
use crate::report::forecast::event_line;
use crate::sim::{Compiled, Entry, EventKind, EventLog, Filter, Plan, replicate};
use anyhow::{Context, Result, anyhow, bail};
use std::fs::File;
use std::io::{BufWriter, Write};

/// Lines at the most, about a gigabyte: what is asked for is narrowed down rather.
const MOST: u64 = 10_000_000;

/// What the arguments ask for.
pub fn filter(args: &EventArgs) -> Result<Filter> {
    let mut filter = Filter { services: args.events_service.clone(), ..Filter::default() };
    for name in args.events_type.iter().flat_map(|list| list.split(',')).map(str::trim) {
        let kind = EventKind::ALL.iter().find(|kind| kind.name() == name);
        let known: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        let unknown = || anyhow!("no event is of the type `{name}`: there are {}", known.join(", "));
        filter.kinds.push(*kind.ok_or_else(unknown)?);
    }
    if let Some(id) = &args.events_correlation {
        let number = id.get(1..).and_then(|digits| digits.parse().ok());
        match (id.as_bytes().first(), number) {
            (Some(b'r'), Some(number)) => filter.request = Some(number),
            (Some(b'm'), Some(number)) => filter.message = Some(number),
            _ => bail!("`--events-correlation {id}`: write r17 for a request, or m17 for a message"),
        }
    }
    Ok(filter)
}

/// Where the log goes, before anything is simulated: nobody waits for a run to learn that it cannot be written.
pub fn open(path: &str) -> Result<File> {
    if path == "-" {
        bail!("`--events -`: the forecast goes to standard output; name a file for the log");
    }
    File::create(path).with_context(|| format!("cannot write `{path}`"))
}

/// That nothing is asked for by a name that nobody has.
pub fn known(plan: &Plan, filter: &Filter) -> Result<()> {
    let names =
        || plan.services.iter().map(|s| s.name.as_str()).chain(plan.queues.iter().map(|q| q.name.as_str()));
    match filter.services.iter().find(|wanted| names().all(|name| name != wanted.as_str())) {
        Some(wanted) => Err(unknown("service or queue", wanted, names())),
        None => Ok(()),
    }
}

/// Runs replication 0 once more and writes its log into `file`, which is at `path`.
pub fn log(compiled: &Compiled, seed: u64, (path, file): (&str, File), filter: Filter) -> Result<()> {
    let mut out = BufWriter::new(file);
    let (mut lines, mut failed) = (0, None);
    let tell = |entry: &Entry| {
        if failed.is_some() || lines >= MOST {
            lines = lines.saturating_add(u64::from(failed.is_none()));
            return;
        }
        lines += 1;
        failed = writeln!(out, "{}", event_line(compiled, entry)).err();
    };
    replicate(&compiled.plan, seed, 0, EventLog::new(&compiled.plan, filter, tell))
        .map_err(|e| anyhow!("{e}"))?;
    if let Some(error) = failed {
        return Err(error).with_context(|| format!("cannot write `{path}`"));
    }
    out.flush().with_context(|| format!("cannot write `{path}`"))?;
    if lines > MOST {
        let left = lines - MOST;
        complain(&format!(
            "note: `{path}` has the first {MOST} events, {left} more are left out: narrow down with --events-type"
        ));
    }
    Ok(())
}
