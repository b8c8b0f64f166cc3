//! From the architecture to the picture.

use super::group::{chosen, clusters};
use super::marks::{Marks, cycles};
use super::view::{focus, neighbourhood};
use super::{Communication, Diagram, Edge, Evidence, Flow, Focus, Node, Shape, UnknownFocus, View, caption};
use crate::finding::Finding;
use crate::model::words::{DatastoreKind, ServiceKind};
use crate::model::{self, Architecture, EdgeKind, NodeKind};
use crate::source::Sources;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the parts of a picture are made with.
struct Drawing<'a> {
    arch: &'a Architecture,
    sources: &'a Sources,
    marks: Marks<'a>,
    /// The group of circular callers a node belongs to.
    cycles: HashMap<NodeIndex, usize>,
    /// Where requests from outside come in.
    entries: BTreeSet<NodeIndex>,
    /// Nodes in the picture, and their index there.
    shown: BTreeMap<NodeIndex, usize>,
}

pub(super) fn build(
    arch: &Architecture,
    findings: &[Finding],
    sources: &Sources,
    view: &View,
) -> Result<Diagram, UnknownFocus> {
    let looked_at = view.focus.as_deref().map(|name| focus(arch, name)).transpose()?;
    let depth = view.depth.unwrap_or(1);
    let shown = match looked_at {
        Some(node) => neighbourhood(arch, node, depth, view.direction),
        None => arch.nodes().map(|(node, _)| node).collect(),
    };
    let drawing = Drawing {
        arch,
        sources,
        marks: Marks::new(arch, findings),
        cycles: cycles(arch),
        entries: arch.entry_points().into_iter().map(|at| at.service).collect(),
        shown: shown.into_iter().enumerate().map(|(at, node)| (node, at)).collect(),
    };
    let mut nodes: Vec<_> = drawing.shown.keys().map(|node| drawing.node(*node)).collect();
    if let Some(node) = looked_at.and_then(|node| nodes.get_mut(*drawing.shown.get(&node)?)) {
        node.in_focus = true;
    }
    let (communications, edges) = drawing.edges();
    let group_by = chosen(&nodes, view.group_by);
    Ok(Diagram {
        name: arch.name.as_ref().map(|n| n.value.clone()),
        focus: looked_at.map(|node| Focus { id: arch.id(node).to_owned(), depth, direction: view.direction }),
        nodes_in_all: arch.graph.node_count(),
        clusters: clusters(arch, &nodes, group_by),
        cycles: drawing.cycles_shown(),
        group_by,
        nodes,
        edges,
        communications,
    })
}

impl Drawing<'_> {
    fn node(&self, index: NodeIndex) -> Node {
        let node = &self.arch.graph[index];
        let service = node.service();
        let external = service.is_some_and(|s| s.external);
        let (shape, technology, replicas) = match &node.kind {
            NodeKind::Service(service) => {
                let shape = match service.kind {
                    ServiceKind::Service => Shape::Service,
                    ServiceKind::Gateway | ServiceKind::Bff => Shape::Gateway,
                    ServiceKind::Job | ServiceKind::Cron => Shape::Job,
                };
                (shape, service.technology.clone(), service.replicas.map(|r| r.value))
            }
            NodeKind::Datastore(store) => {
                let kind = store.kind.map(|k| k.value.word().to_owned());
                (Shape::Datastore, kind.into_iter().collect(), store.replicas.map(|r| r.value.0))
            }
            NodeKind::Queue(_) => (Shape::Queue, Vec::new(), None),
            NodeKind::Topic(_) => (Shape::Topic, Vec::new(), None),
        };
        let handlers = |handler: bool| {
            let all = service.into_iter().flat_map(|s| &s.endpoints);
            let kept = all.filter(move |e| e.consumes.is_some() == handler);
            kept.map(|e| e.name.value.clone()).collect::<Vec<_>>()
        };
        Node {
            id: node.id.value.clone(),
            kind: node.kind_name(),
            shape,
            role: service.map_or_else(|| node.kind_name(), |s| s.kind.word()),
            external,
            title: service.and_then(|s| s.title.clone()),
            owner: node.owner.as_ref().map(|o| o.value.clone()),
            layer: service.and_then(|s| s.layer.as_ref()).map(|l| l.value.clone()),
            zone: zone(node),
            technology,
            replicas,
            status: service.and_then(|s| s.status).map(|s| s.value.word()),
            endpoints: handlers(false),
            consumes: handlers(true),
            entry: self.entries.contains(&index),
            in_focus: false,
            in_cycle: self.cycles.contains_key(&index),
            mark: self.marks.node(index),
        }
    }

    /// All communications between nodes that are shown, and the lines they make.
    fn edges(&self) -> (Vec<Communication>, Vec<Edge>) {
        let mut communications = Vec::new();
        let mut lines: Vec<(Edge, BTreeSet<usize>, Vec<EdgeIndex>)> = Vec::new();
        let mut known = HashMap::new();
        for (index, edge) in self.arch.edges() {
            let (from, to) = self.arch.ends(index);
            let (Some(&from_at), Some(&to_at)) = (self.shown.get(&from), self.shown.get(&to)) else {
                continue;
            };
            let (communication, findings) = self.communication(index, edge, (from_at, to_at));
            let key = (from_at, to_at, communication.flow, communication.protocol);
            let line = *known.entry(key).or_insert_with(|| {
                let findings = self.marks.between(self.arch.id(from), self.arch.id(to));
                lines.push((self.line(&communication, (from, to)), findings, Vec::new()));
                lines.len() - 1
            });
            if let Some((line, all, indices)) = lines.get_mut(line) {
                line.communications.push(communications.len());
                line.soft &= communication.flow == Flow::Sync && !edge.is_hard();
                line.assumed &= edge.is_assumed();
                all.extend(findings);
                indices.push(index);
            }
            communications.push(communication);
        }
        let finished = lines.into_iter().map(|(mut line, findings, indices)| {
            line.mark = self.marks.mark(&findings);
            line.caption = caption::asked(self.arch, &indices);
            line.policy = caption::policy(self.arch, &indices);
            line
        });
        (communications, finished.collect())
    }

    /// A line that stands for nothing yet.
    fn line(&self, first: &Communication, (from, to): (NodeIndex, NodeIndex)) -> Edge {
        let group = self.cycles.get(&from);
        Edge {
            from: first.from,
            to: first.to,
            flow: first.flow,
            protocol: first.protocol,
            communications: Vec::new(),
            caption: String::new(),
            policy: String::new(),
            soft: true,
            assumed: true,
            in_cycle: first.flow == Flow::Sync && group.is_some() && group == self.cycles.get(&to),
            mark: super::Mark::default(),
        }
    }

    fn communication(
        &self,
        index: EdgeIndex,
        edge: &model::Edge,
        (from_at, to_at): (usize, usize),
    ) -> (Communication, BTreeSet<usize>) {
        let (from, to) = self.arch.ends(index);
        let name = |node, endpoint: Option<usize>| {
            let at = model::EndpointRef { service: node, endpoint: endpoint? };
            self.arch.endpoint(at).map(|e| e.name.value.clone())
        };
        let id = self.arch.edge_id(index);
        let findings = self.marks.edge(self.arch, index, &id);
        let evidence = edge.evidence.iter().map(|evidence| Evidence {
            source: evidence.source.to_string(),
            file: self.sources.file(evidence.span.file).name.clone(),
            line: self.sources.locate(evidence.span).line,
        });
        let (flow, operation) = match edge.kind {
            EdgeKind::Call => (Flow::Sync, "call"),
            EdgeKind::Publish => (Flow::Async, "publish"),
            EdgeKind::Consume => (Flow::Async, "consume"),
            EdgeKind::Read => (Flow::Data, "read"),
            EdgeKind::Write => (Flow::Data, "write"),
        };
        let communication = Communication {
            id,
            from: from_at,
            to: to_at,
            from_endpoint: name(from, edge.from_endpoint),
            to_endpoint: name(to, edge.to_endpoint),
            protocol: protocol(self.arch, index, edge),
            flow,
            operation,
            evidence: evidence.collect(),
            mark: self.marks.mark(&findings),
        };
        (communication, findings)
    }

    /// The circles whose members are all in the picture.
    fn cycles_shown(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
        let mut members: Vec<_> = self.cycles.iter().collect();
        members.sort_unstable();
        for (node, group) in members {
            groups.entry(*group).or_default().push(self.shown.get(node).copied());
        }
        groups.into_values().filter_map(|group| group.into_iter().collect()).collect()
    }
}

/// Where a node's copies stand: one zone for all, else those of its instances.
fn zone(node: &model::Node) -> Option<String> {
    if let Some(zone) = &node.zone {
        return Some(zone.value.clone());
    }
    let instances = node.service()?.instances.iter();
    let zones: BTreeSet<_> = instances.filter_map(|i| Some(i.zone.as_ref()?.value.as_str())).collect();
    (!zones.is_empty()).then(|| zones.into_iter().collect::<Vec<_>>().join(" + "))
}

/// How an edge travels: what the call says, else its endpoint, else what the name or the kind of the
/// other end tells. `None` where nothing does.
fn protocol(arch: &Architecture, index: EdgeIndex, edge: &model::Edge) -> Option<&'static str> {
    if let Some(said) = edge.protocol() {
        return Some(said.word());
    }
    let (from, to) = arch.ends(index);
    let ends = [&arch.graph[from].kind, &arch.graph[to].kind];
    ends.into_iter()
        .find_map(|kind| match kind {
            NodeKind::Service(_) => None,
            NodeKind::Datastore(store) => {
                store.kind.map(|k| k.value).filter(|k| *k != DatastoreKind::Other).map(DatastoreKind::word)
            }
            NodeKind::Queue(_) => Some("message_queue"),
            NodeKind::Topic(_) => Some("event_stream"),
        })
        .or_else(|| {
            let endpoint = arch.endpoint(model::EndpointRef { service: to, endpoint: edge.to_endpoint? })?;
            let path =
                endpoint.name.value.split_whitespace().last().is_some_and(|word| word.starts_with('/'));
            endpoint.protocol.map(|p| p.value.word()).or_else(|| path.then_some("http"))
        })
}
