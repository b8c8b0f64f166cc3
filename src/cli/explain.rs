//! `loadpath explain`: the page of a rule, policy or format, and the built-in defaults.

use super::args::ExplainArgs;
use super::output::print;
use crate::diagram::RENDERERS;
use crate::finding::nearest;
use crate::model::builtin::BUILTINS;
use crate::policy;
use crate::report::changes::CHANGE_FORMATS;
use crate::report::forecast::FORECAST_FORMATS;
use crate::report::study::STUDY_FORMATS;
use crate::spec::presets::PRESETS;
use crate::{import, lint, report};
use anyhow::{Result, anyhow};
use std::fmt::Write;

/// Something that can be explained.
struct Topic {
    name: &'static str,
    kind: &'static str,
    summary: &'static str,
    page: &'static str,
}

/// Prints a page, the defaults, or the list of everything.
pub fn run(args: &ExplainArgs) -> Result<u8> {
    let Some(name) = args.name.as_deref().filter(|_| !args.list) else {
        print(&list())?;
        return Ok(0);
    };
    if name == "defaults" {
        print(&defaults())?;
        return Ok(0);
    }
    let topics = topics();
    // A format may be known to several commands: each has its page.
    let pages: Vec<_> = topics.iter().filter(|t| t.name == name).map(|t| t.page.trim_end()).collect();
    if pages.is_empty() {
        return Err(unknown("rule, policy or format", name, topics.iter().map(|t| t.name)));
    }
    print(&format!("{}\n", pages.join("\n\n")))?;
    Ok(0)
}

/// An error that offers the nearest name.
pub fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> anyhow::Error {
    let known: Vec<_> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => anyhow!("no {what} is called `{name}`: did you mean `{near}`?"),
        None if known.len() <= 12 => anyhow!("no {what} is called `{name}`: there are {}", known.join(", ")),
        None => anyhow!("no {what} is called `{name}`: `loadpath explain --list` names them all"),
    }
}

fn topics() -> Vec<Topic> {
    let topic = |name, kind, summary, page| Topic { name, kind, summary, page };
    let mut all: Vec<Topic> = lint::all_rules().map(|r| topic(r.id, "rule", r.summary, r.page)).collect();
    all.extend(policy::all().into_iter().map(|(kind, p)| topic(p.name, kind, p.summary, p.page)));
    all.extend(PRESETS.iter().map(|p| topic(p.about.name, "preset", p.about.summary, p.about.page)));
    all.extend(import::FORMATS.iter().map(|f| topic(f.name, "format that is read", f.summary, f.page)));
    all.extend(report::FINDING_FORMATS.iter().map(|f| topic(f.name, "format of `check`", f.summary, f.page)));
    all.extend(RENDERERS.iter().map(|f| topic(f.name, "format of `graph`", f.summary, f.page)));
    all.extend(CHANGE_FORMATS.iter().map(|f| topic(f.name, "format of `diff`", f.summary, f.page)));
    all.extend(FORECAST_FORMATS.iter().map(|f| topic(f.name, "format of `simulate`", f.summary, f.page)));
    all.extend(STUDY_FORMATS.iter().map(|f| topic(f.name, "format of studies", f.summary, f.page)));
    all
}

fn list() -> String {
    let mut text = String::new();
    let topics = topics();
    let width = topics.iter().map(|t| t.name.len()).max().unwrap_or(0);
    let mut last = "";
    for topic in &topics {
        if topic.kind != last {
            let _ = writeln!(text, "{}{}", if last.is_empty() { "" } else { "\n" }, topic.kind);
            last = topic.kind;
        }
        let _ = writeln!(text, "  {:width$}  {}", topic.name, topic.summary);
    }
    let _ = writeln!(text, "\nand `defaults`: what counts when nothing is said");
    text
}

fn defaults() -> String {
    let mut text =
        "What counts when nothing is said, from the weakest layer up: built-in (below), the preset,\n\
        the file's `defaults`, `upstreams`, the caller's `defaults`, the call itself.\n\n"
            .to_owned();
    let width = |of: fn(&crate::model::builtin::Builtin) -> &'static str| {
        BUILTINS.iter().map(|b| of(b).len()).max().unwrap_or(0)
    };
    let (keys, values) = (width(|b| b.key), width(|b| b.value));
    for builtin in BUILTINS {
        let line = format!("  {:keys$}  {:values$}  {}", builtin.key, builtin.value, builtin.about);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
