//! JSON for other programs: every node, every single communication, nothing left to the eye.

use super::Renderer;
use crate::diagram::{Communication, Diagram, Evidence, GroupBy, Mark, Node};
use serde_json::{Value, json};

pub(super) const RENDERER: Renderer = Renderer {
    name: "json",
    summary: "every node and every single communication with its evidence, for other programs",
    page: include_str!("json.md"),
    extension: "json",
    render,
};

fn render(diagram: &Diagram) -> String {
    let id = |at: usize| diagram.nodes.get(at).map(|n| n.id.as_str()).unwrap_or_default();
    let ids = |nodes: &[usize]| nodes.iter().map(|at| json!(id(*at))).collect::<Vec<_>>();
    let clusters = diagram.clusters.iter().map(|c| json!({ "name": c.name, "nodes": ids(&c.nodes) }));
    let group_by = Some(diagram.group_by).filter(|by| *by != GroupBy::None).map(GroupBy::word);
    let focus = diagram
        .focus
        .as_ref()
        .map(|focus| json!({ "id": focus.id, "depth": focus.depth, "direction": focus.direction.word() }));
    let graph = json!({
        "version": 1,
        "name": diagram.name,
        "focus": focus,
        "nodes": diagram.nodes.iter().map(node).collect::<Vec<_>>(),
        "edges": diagram.communications.iter().map(|c| edge(c, id(c.from), id(c.to))).collect::<Vec<_>>(),
        "cycles": diagram.cycles.iter().map(|cycle| ids(cycle)).collect::<Vec<_>>(),
        "group_by": group_by,
        "clusters": clusters.collect::<Vec<_>>(),
    });
    format!("{graph:#}\n")
}

/// Every key is always there; `null` is "not said".
fn node(node: &Node) -> Value {
    json!({
        "id": node.id,
        "kind": node.kind,
        "role": node.role,
        "title": node.title,
        "owner": node.owner,
        "layer": node.layer,
        "zone": node.zone,
        "technology": node.technology,
        "replicas": node.replicas,
        "status": node.status,
        "endpoints": node.endpoints,
        "consumes": node.consumes,
        "entry": node.entry,
        "findings": findings(&node.mark),
    })
}

fn edge(communication: &Communication, from: &str, to: &str) -> Value {
    json!({
        "id": communication.id,
        "from": from,
        "to": to,
        "from_endpoint": communication.from_endpoint,
        "to_endpoint": communication.to_endpoint,
        "protocol": communication.protocol,
        "kind": communication.flow.name(),
        "operation": communication.operation,
        "evidence": communication.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "findings": findings(&communication.mark),
    })
}

fn evidence(evidence: &Evidence) -> Value {
    json!({ "source": evidence.source, "file": evidence.file, "line": evidence.line })
}

fn findings(mark: &Mark) -> Value {
    json!({ "error": mark.errors, "warning": mark.warnings, "info": mark.infos })
}
