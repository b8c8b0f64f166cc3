//! `loadpath show`: one service, with callers, callees, endpoints and policies, what fails with it and how
//! available it can be.

use super::args::{Cli, ShowArgs};
use super::input::{System, system};
use super::output::print;
use crate::analysis::{Carrier, Ceiling, Element, FailureGraph, Flow, Load, Station};
use crate::analysis::{ceiling, covered, percent, traffic_share};
use crate::model::{Architecture, Edge};
use anyhow::Result;
use petgraph::graph::NodeIndex;
use std::fmt::Write;

/// Prints what is known of a service; 2 where a file is broken.
pub fn run(cli: &Cli, args: &ShowArgs) -> Result<u8> {
    let System { arch, broken, .. } = system(&args.input, cli.quiet)?;
    let known = || arch.nodes().map(|(_, n)| n.id.value.as_str());
    let found = arch.find(&args.service).or_else(|| arch.service_named(&args.service));
    let node = found.ok_or_else(|| super::explain::unknown("service", &args.service, known()))?;
    print(&page(&arch, node))?;
    Ok(if broken { 2 } else { 0 })
}

fn page(arch: &Architecture, index: NodeIndex) -> String {
    let node = &arch.graph[index];
    let mut text = format!("{} ({})\n", node.id.value, node.kind_name());
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<12} {value}");
        }
    };
    fact("owner", node.owner.as_ref().map(|o| o.value.clone()));
    fact("tags", (!node.tags.is_empty()).then(|| node.tags.join(", ")));
    if let Some(service) = node.service() {
        fact("version", service.version.clone());
        fact("layer", service.layer.as_ref().map(|l| l.value.clone()));
        fact("status", Some(service.status.map(|s| s.value).unwrap_or_default().word().to_owned()));
        fact("technology", (!service.technology.is_empty()).then(|| service.technology.join(", ")));
        let load = Load::of(arch);
        let offered = load.service(arch, index);
        let asked = |rate: &f64| *rate > 0.0;
        fact("load", offered.base.filter(asked).map(|rate| said(rate, &offered)));
        let station = load.stations().find(|s| s.carrier == Carrier::Service(index));
        let busy = station.and_then(Station::utilization).filter(asked);
        fact("utilization", busy.map(|rho| format!("{:.1}%", rho * 100.0)));
        fact("replicas", service.replicas.map(|r| r.value.to_string()));
        fact("workers", service.workers.map(|w| w.value.to_string()));
        let health = service.health_check.as_ref().and_then(|h| h.value.on()).and_then(|h| h.path.as_ref());
        fact("health path", health.map(|p| p.value.clone()));
        for endpoint in &service.endpoints {
            let kind = if endpoint.consumes.is_some() { "consumes" } else { "endpoint" };
            fact(kind, Some(endpoint.name.value.clone()));
        }
    }
    for (title, edges) in [("called by", arch.incoming(index)), ("calls", arch.outgoing(index))] {
        if edges.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{title}");
        for edge in edges {
            let _ = writeln!(text, "  {}{}", arch.edge_label(edge), policies(&arch.graph[edge]));
        }
    }
    forecast(arch, index, &mut text);
    text
}

/// What fails with it, and what it can promise.
fn forecast(arch: &Architecture, index: NodeIndex, text: &mut String) {
    let graph = FailureGraph::of(arch);
    for (title, lines) in [
        ("when it fails", blast(arch, &graph, index)),
        ("available at the most", ceilings(arch, &graph, index)),
    ] {
        if lines.is_empty() {
            continue;
        }
        let more = lines.len().saturating_sub(LINES);
        let _ = writeln!(text, "{title}");
        for line in lines.iter().take(LINES) {
            let _ = writeln!(text, "  {line}");
        }
        if more > 0 {
            let _ = writeln!(text, "  and {more} more");
        }
    }
}

/// `200/s, 600/s at the peak`, of all endpoints together.
fn said(rate: f64, offered: &Flow) -> String {
    let least = if offered.complete { "" } else { "at least " };
    let peak = offered.peak.filter(|peak| *peak > rate);
    let peak = peak.map_or_else(String::new, |peak| format!(", {peak:.1}/s at the peak"));
    format!("{least}{rate:.1}/s{peak}")
}

/// Lines of one list, at the most.
const LINES: usize = 12;

/// The entry points that fail with a node: how many, and of each the way to the node.
fn blast(arch: &Architecture, graph: &FailureGraph, node: NodeIndex) -> Vec<String> {
    if graph.entries.is_empty() {
        return Vec::new();
    }
    let mut unlimited = usize::MAX;
    let failure = graph.fail(&[node], &mut unlimited);
    let hit: Vec<Element> =
        graph.entries.iter().copied().filter(|entry| graph.has_failed(&failure, *entry)).collect();
    if hit.is_empty() {
        return vec!["no entry point fails with it".to_owned()];
    }
    let share = traffic_share(arch, &hit);
    let share = share.map_or_else(String::new, |s| format!(", {} of the declared traffic", percent(s)));
    let entries = if graph.entries.len() == 1 { "entry point" } else { "entry points" };
    let mut lines = vec![format!("{} of {} {entries}{share}", hit.len(), graph.entries.len())];
    for entry in hit.iter().take(LINES) {
        let mut way = vec![entry.name(arch)];
        for step in graph.why(&failure, *entry) {
            let asked = |edge| graph.asked(arch, edge).map_or_else(String::new, |asked| asked.name(arch));
            let also: Vec<_> = step.instead.iter().map(|edge| format!(" and {}", asked(*edge))).collect();
            way.push(format!("{}{}", asked(step.edge), also.concat()));
        }
        // Of a very long way the ends say enough.
        if way.len() > 8 {
            let between = way.len() - 6;
            way.splice(3..3 + between, [format!("… ({between} more)")]);
        }
        lines.push(way.join(" → "));
    }
    lines.extend(hit.iter().skip(LINES).map(|entry| entry.name(arch)));
    lines
}

/// How available the endpoints of a service can be, with the product; those of which nothing is known left out.
fn ceilings(arch: &Architecture, graph: &FailureGraph, node: NodeIndex) -> Vec<String> {
    if arch.graph[node].service().is_none_or(|s| s.external) {
        return Vec::new();
    }
    let mut unlimited = usize::MAX;
    let all = covered(arch, node).into_iter().filter_map(|of| ceiling(arch, graph, of, &mut unlimited));
    let line = |c: Ceiling| {
        let names: Vec<_> = c.unknown.iter().take(3).map(|n| arch.id(*n)).collect();
        let more = if c.unknown.len() > names.len() { ", …" } else { "" };
        let unknown = match names.as_slice() {
            [] => String::new(),
            _ => format!("  (nothing is said of {}{more})", names.join(", ")),
        };
        format!("{}  {} = {}{unknown}", c.of.name(arch), percent(c.value), c.product())
    };
    all.map(line).collect()
}

/// What is said of how an edge is made.
fn policies(edge: &Edge) -> String {
    let mut parts = Vec::new();
    parts.extend(edge.protocol().map(|p| p.word().to_owned()));
    parts.extend(edge.timeout().map(|t| format!("timeout {}", t.value)));
    parts.extend(edge.per_try_timeout().map(|t| format!("{} per attempt", t.value)));
    if edge.attempts() > 1 {
        parts.push(format!("{} attempts", edge.attempts()));
    }
    if edge.breaker().is_some() {
        parts.push("breaker".to_owned());
    }
    if edge.is_sync_call() && !edge.is_hard() {
        parts.push("soft".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!("  [{}]", parts.join(", ")) }
}
