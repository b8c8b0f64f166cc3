//! `loadpath explain-edge`: everything that shows one edge, strongest first, with its line.

use super::args::{Cli, ExplainEdgeArgs};
use super::input::{System, system};
use super::output::print;
use crate::finding::nearest;
use crate::model::{Edge, Evidence};
use crate::report::CheckReport;
use crate::spec::vocabulary::Protocol;
use anyhow::{Result, anyhow};
use petgraph::graph::{EdgeIndex, NodeIndex};
use serde_json::{Value, json};
use std::fmt::Write;

/// Tells why an edge is there; 1 where there is none, 2 where a file is broken.
pub fn run(cli: &Cli, args: &ExplainEdgeArgs) -> Result<u8> {
    let json = match args.format.as_str() {
        "human" => false,
        "json" => true,
        other => return Err(super::explain::unknown("format", other, ["human", "json"].into_iter())),
    };
    let system = system(&args.input, cli.quiet)?;
    let (from, to) = (find(&system, &args.from)?, find(&system, &args.to)?);
    let edges: Vec<_> =
        system.arch.outgoing(from).into_iter().filter(|e| system.arch.ends(*e).1 == to).collect();
    let report = CheckReport::new(&system.sources, &system.findings);
    if json {
        let value = value(&system, &report, (from, to), &edges);
        print(&format!("{value:#}\n"))?;
    } else {
        print(&page(&system, &report, (from, to), &edges))?;
    }
    Ok(if system.broken { 2 } else { u8::from(edges.is_empty()) })
}

fn find(system: &System, name: &str) -> Result<NodeIndex> {
    let found = system.arch.find(name).or_else(|| system.arch.service_named(name));
    found.ok_or_else(|| {
        let near = nearest(name, system.arch.nodes().map(|(_, n)| n.id.value.as_str()));
        let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
        anyhow!("nothing is called `{name}`{near}")
    })
}

/// What shows an edge, strongest first: what was seen, what is declared, addresses, other hints, start order.
fn evidence(edge: &Edge) -> Vec<(&'static str, &Evidence)> {
    let mut all: Vec<_> = edge.evidence.iter().map(|e| (strength(e), e)).collect();
    all.sort_by_key(|(strength, _)| STRENGTHS.iter().position(|known| known == strength));
    all
}

/// How strong evidence may be, strongest first.
const STRENGTHS: [&str; 5] = ["seen", "declared", "address", "hint", "start order"];

fn strength(evidence: &Evidence) -> &'static str {
    match evidence.source.split(' ').next().unwrap_or_default() {
        "trace" => "seen",
        "environment" | "command" | "config" => "address",
        "label" | "link" => "hint",
        "depends_on" => "start order",
        _ => "declared",
    }
}

fn page(
    system: &System,
    report: &CheckReport<'_>,
    (from, to): (NodeIndex, NodeIndex),
    edges: &[EdgeIndex],
) -> String {
    let (arch, sources) = (&system.arch, &system.sources);
    let mut text = String::new();
    for index in edges {
        let Some(edge) = arch.graph.edge_weight(*index) else { continue };
        let mut facts = vec![edge.kind_name()];
        facts.extend(edge.protocol().map(Protocol::word));
        facts.extend(edge.is_telemetry().then_some("telemetry"));
        facts.extend(edge.is_assumed().then_some("assumed: only the order of starting shows it"));
        let _ = writeln!(text, "{} ({})", arch.edge_id(*index), facts.join(", "));
        for (strength, evidence) in evidence(edge) {
            let at = sources.locate(evidence.span);
            let file = &sources.file(evidence.span.file).name;
            let _ = writeln!(text, "  {strength:<12} {}  {file}:{}:{}", evidence.source, at.line, at.column);
            let line = report.line(evidence.span);
            if !line.is_empty() {
                let _ = writeln!(text, "  {:12} | {line}", "");
            }
        }
    }
    if edges.is_empty() {
        let _ = writeln!(text, "there is no edge from `{}` to `{}`", arch.id(from), arch.id(to));
        let ids = |edges: Vec<EdgeIndex>, end: fn((NodeIndex, NodeIndex)) -> NodeIndex| {
            let mut ids: Vec<_> = edges.into_iter().map(|e| arch.id(end(arch.ends(e)))).collect();
            ids.sort_unstable();
            ids.dedup();
            if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") }
        };
        let _ = writeln!(text, "  {} calls {}", arch.id(from), ids(arch.outgoing(from), |ends| ends.1));
        let _ = writeln!(text, "  {} is called by {}", arch.id(to), ids(arch.incoming(to), |ends| ends.0));
        for note in &system.notes {
            let _ = writeln!(text, "note: {note}");
        }
    }
    text
}

fn value(
    system: &System,
    report: &CheckReport<'_>,
    (from, to): (NodeIndex, NodeIndex),
    edges: &[EdgeIndex],
) -> Value {
    let place = |(strength, evidence): (&str, &Evidence)| {
        let at = system.sources.locate(evidence.span);
        let file = &system.sources.file(evidence.span.file).name;
        json!({
            "source": evidence.source, "strength": strength, "telemetry": evidence.telemetry,
            "file": file, "line": at.line, "column": at.column, "text": report.line(evidence.span),
        })
    };
    let edge = |index: &EdgeIndex| {
        let edge = system.arch.graph.edge_weight(*index)?;
        Some(json!({
            "id": system.arch.edge_id(*index),
            "kind": edge.kind_name(),
            "protocol": edge.protocol().map(Protocol::word),
            "assumed": edge.is_assumed(),
            "evidence": evidence(edge).into_iter().map(place).collect::<Vec<_>>(),
        }))
    };
    json!({
        "version": 1,
        "from": system.arch.id(from),
        "to": system.arch.id(to),
        "edges": edges.iter().filter_map(edge).collect::<Vec<_>>(),
    })
}
