//! `loadpath show`: one service, with callers, callees, endpoints and policies.

use super::args::{Cli, ShowArgs};
use super::input::{System, system};
use super::output::print;
use crate::analysis::{Carrier, Flow, Load, Station};
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
        let station = load.stations().iter().find(|s| s.carrier == Carrier::Service(index));
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
    text
}

/// `200/s, 600/s at the peak`, of all endpoints together.
fn said(rate: f64, offered: &Flow) -> String {
    let least = if offered.complete { "" } else { "at least " };
    let peak = offered.peak.filter(|peak| *peak > rate);
    let peak = peak.map_or_else(String::new, |peak| format!(", {peak:.1}/s at the peak"));
    format!("{least}{rate:.1}/s{peak}")
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
