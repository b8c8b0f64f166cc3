//! `loadpath selftest`.

use super::args::{Cli, SelftestArgs};
use super::output::{print, progress, style, threads, write};
use crate::finding::nearest;
use crate::report::study::{STUDY_FORMATS, Selftest, Study, StudyFormat};
use crate::study::selftest::{
    Judged, Row, Settings, Verdict, documents_of, not_expressed, rows, run as judge, validate,
};
use anyhow::{Error, Result, anyhow, bail};
use std::time::Instant;

/// Holds the simulator against theory. 1 where something is not as it must be.
pub fn run(cli: &Cli, args: &SelftestArgs) -> Result<u8> {
    let (format, file) = study_format(&args.format)?;
    let table = rows();
    for id in args.rows.iter().chain(&args.show) {
        if table.iter().all(|row| row.id != id) {
            return Err(unknown(id, &table));
        }
    }
    if let Some(id) = &args.show {
        return show(id);
    }
    let start = Instant::now();
    let settings = Settings {
        full: args.full,
        seed: args.seed,
        threads: threads(args.threads),
        only: args.rows.clone(),
    };
    let mut done = 0;
    let mut tell = |judged: &[Judged]| {
        done += judged.len();
        let last = judged.last().map_or("", |j| j.row.id);
        progress(cli, &format!("{done} numbers, last {last}"));
    };
    let theory = judge(&settings, &mut tell).map_err(|e| anyhow!("{e}"))?;
    progress(cli, "");
    let all = args.rows.is_empty();
    let wanted = |id: &str| all || args.rows.iter().any(|row| row == id);
    let found = Selftest {
        full: args.full,
        seed: args.seed,
        theory,
        not_expressed: not_expressed().into_iter().filter(|missing| wanted(missing.row.id)).collect(),
        promises: if all { validate(args.seed) } else { Vec::new() },
        elapsed: (format.name == "human").then(|| start.elapsed()),
    };
    let wide = |judged: &Judged| args.full && matches!(judged.verdict, Verdict::Wide | Verdict::Skipped);
    let failed = found.promises.iter().any(|promise| !promise.kept)
        || found.theory.iter().any(|judged| judged.verdict == Verdict::Fail || wide(judged));
    let text = (format.render)(&Study::Selftest(found), &style(cli));
    match file {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(u8::from(failed))
}

/// That no row has this id; all that there are.
fn unknown(id: &str, table: &[Row]) -> Error {
    let mut ids: Vec<&str> = table.iter().map(|row| row.id).collect();
    ids.dedup();
    let near =
        nearest(id, ids.iter().copied()).map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    anyhow!("no row is called `{id}`{near}\nthere are {}", ids.join(", "))
}

/// The documents behind a row.
fn show(id: &str) -> Result<u8> {
    let documents = documents_of(id);
    if documents.is_empty() {
        let missing = not_expressed().into_iter().find(|missing| missing.row.id == id);
        let why = missing.map_or_else(String::new, |missing| format!(": {}", missing.reason));
        bail!("`{id}` is expressed by no scenario{why}");
    }
    print(&documents.join("---\n"))?;
    Ok(0)
}

/// The format of a `--format`, and the file it goes to.
pub fn study_format(written: &str) -> Result<(&'static StudyFormat, Option<&str>)> {
    let (name, file) = written.split_once('=').map_or((written, None), |(n, f)| (n, Some(f)));
    let format = STUDY_FORMATS.iter().find(|f| f.name == name);
    let known = STUDY_FORMATS.iter().map(|f| f.name);
    Ok((format.ok_or_else(|| super::explain::unknown("format", name, known))?, file))
}
