//! The words in a picture: short enough to be read at a glance.

use super::{Diagram, Direction, Edge, Node};
use crate::model::{Architecture, Edge as Call, EdgeKind, EndpointRef};
use petgraph::graph::EdgeIndex;
use std::collections::BTreeSet;

/// Longer names are cut; renderers put them in full where a pointer rests.
const LONGEST: usize = 36;

/// What a line's communications ask for: the one endpoint or type of message, else how many there are;
/// for data whether it is read or written.
pub(super) fn asked(arch: &Architecture, edges: &[EdgeIndex]) -> String {
    let kinds: BTreeSet<_> = edges.iter().map(|e| arch.graph[*e].kind).collect();
    match (kinds.contains(&EdgeKind::Read), kinds.contains(&EdgeKind::Write)) {
        (true, true) => return "read + write".to_owned(),
        (true, false) => return "read".to_owned(),
        (false, true) => return "write".to_owned(),
        (false, false) => {}
    }
    let names: BTreeSet<_> = edges.iter().map(|e| target(arch, *e)).collect();
    let mut each = names.iter();
    match (each.next(), each.next()) {
        (Some(only), None) => only.as_deref().map(shorten).unwrap_or_default(),
        _ => format!("×{}", names.len()),
    }
}

/// What one communication asks for, where it is known.
fn target(arch: &Architecture, index: EdgeIndex) -> Option<String> {
    let edge = &arch.graph[index];
    if edge.kind == EdgeKind::Consume {
        return None;
    }
    if let Some(message) = &edge.message {
        return Some(message.value.clone());
    }
    let at = EndpointRef { service: arch.ends(index).1, endpoint: edge.to_endpoint? };
    arch.endpoint(at).map(|e| e.name.value.clone())
}

/// Timeout and retries, where all calls of a line agree on them.
pub(super) fn policy(arch: &Architecture, edges: &[EdgeIndex]) -> String {
    let said = |edge: &Call| (edge.timeout().map(|t| t.value).or_else(|| edge.bound()), edge.attempts());
    let mut all = edges.iter().map(|e| &arch.graph[*e]);
    let Some((timeout, attempts)) = all.next().map(said) else { return String::new() };
    if !all.all(|edge| said(edge) == (timeout, attempts)) {
        return String::new();
    }
    let timeout = timeout.map(|t| format!("timeout {t}"));
    let retries = (attempts > 1).then(|| counted(attempts as usize - 1, "retry", "retries"));
    timeout.into_iter().chain(retries).collect::<Vec<_>>().join(" · ")
}

/// The name under which a node is drawn.
pub(super) fn name(node: &Node) -> &str {
    node.title.as_deref().filter(|title| !title.trim().is_empty()).unwrap_or(&node.id)
}

/// What a node is, in small print: `gateway · go · ×3`.
pub(super) fn details(node: &Node) -> String {
    let id = (name(node) != node.id).then(|| shorten(&node.id));
    let external = node.external.then(|| "external".to_owned());
    let plain = node.role == "service" || (node.kind == "datastore" && !node.technology.is_empty());
    let role = (!plain).then(|| node.role.to_owned());
    let technology = node.technology.iter().take(3).map(|t| shorten(t)).collect::<Vec<_>>().join(", ");
    let technology = Some(technology).filter(|t| !t.is_empty());
    let replicas = node.replicas.filter(|r| *r > 1).map(|r| format!("×{r}"));
    let status = node.status.filter(|s| *s != "healthy").map(str::to_uppercase);
    let parts = [id, external, role, technology, replicas, status];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Everything a node's endpoints and findings say, for where a pointer rests; `\n` between the lines.
pub(super) fn node_hint(node: &Node) -> String {
    let mut lines = vec![format!("{} ({})", node.id, node.kind)];
    lines.extend(node.owner.iter().map(|owner| format!("owner {owner}")));
    lines.extend(some(&node.endpoints));
    lines.extend(node.consumes.iter().map(|channel| format!("consumes {channel}")));
    lines.extend(some(&node.mark.headlines));
    lines.join("\n")
}

/// The communications behind a line and the findings about it.
pub(super) fn edge_hint(diagram: &Diagram, edge: &Edge) -> String {
    let each = edge.communications.iter().filter_map(|at| diagram.communications.get(*at));
    let mut ids: Vec<_> = Vec::new();
    for communication in each {
        ids.push(communication.id.clone());
        let found = communication.evidence.iter().filter(|e| IMPORTED.contains(&first_word(&e.source)));
        ids.extend(found.map(|e| format!("  {}, {}:{}", e.source, e.file, e.line)));
    }
    let lines = some(&ids).into_iter().chain(some(&edge.mark.headlines));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first words of evidence that other formats give; what is said in a document of our own needs no place.
const IMPORTED: [&str; 7] = ["trace", "environment", "command", "config", "label", "link", "depends_on"];

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// The first few of many.
fn some(lines: &[String]) -> Vec<String> {
    let most = 12;
    let mut shown: Vec<_> = lines.iter().take(most).cloned().collect();
    if lines.len() > most {
        shown.push(format!("… and {} more", lines.len() - most));
    }
    shown
}

/// The name of the system, and what there is to see of it.
pub(super) fn headline(diagram: &Diagram) -> (String, String) {
    let name =
        diagram.name.clone().filter(|n| !n.trim().is_empty()).unwrap_or_else(|| "architecture".to_owned());
    let kinds = [
        ("service", "service", "services"),
        ("external", "external service", "external services"),
        ("datastore", "datastore", "datastores"),
        ("queue", "queue", "queues"),
        ("topic", "topic", "topics"),
    ];
    let counts = kinds
        .iter()
        .map(|(kind, one, many)| (diagram.nodes.iter().filter(|n| n.kind == *kind).count(), *one, *many));
    let counts: Vec<_> =
        counts.filter(|(count, ..)| *count > 0).map(|(count, one, many)| counted(count, one, many)).collect();
    let mut parts = vec![counts.join(", ")];
    parts.push(counted(diagram.edges.len(), "connection", "connections"));
    if !diagram.cycles.is_empty() {
        parts.push(counted(diagram.cycles.len(), "cycle", "cycles"));
    }
    if let Some(focus) = &diagram.focus {
        let way = match focus.direction {
            Direction::Both => "around",
            Direction::Upstream => "upstream of",
            Direction::Downstream => "downstream of",
        };
        let steps = counted(focus.depth, "step", "steps");
        let of = format!("{} of {} nodes", diagram.nodes.len(), diagram.nodes_in_all);
        parts.push(format!("{of}: {steps} {way} {}", shorten(&focus.id)));
    }
    parts.retain(|part| !part.is_empty());
    (name, parts.join(" · "))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A text cut to what fits on a line.
pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(std::iter::once('…')).collect()
}
