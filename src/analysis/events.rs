//! Messages that come back: cycles between endpoints and handlers with at least one message on them.

use super::cycles::{Component, components, shortest_cycle_through};
use super::endpoints::with_stand_ins;
use crate::model::{Architecture, EdgeKind, EndpointRef, edges_of};
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, HashMap};

/// Endpoints and handlers that set each other off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCycle {
    /// All of them, in document order.
    pub members: Vec<EndpointRef>,
    /// The edges of a shortest cycle with a message on it, the message first.
    pub cycle: Vec<EdgeIndex>,
}

/// Groups of endpoints and handlers through which a message brings itself about again. What is known to end
/// (`ends`, `max_recursion`) is passed by none.
///
/// A message of a type goes to the handlers of that type and to those that take all; one without a type, as
/// nobody knows which it is, to every handler of its channel. Linear in edges and handlers.
pub fn event_cycles(arch: &Architecture) -> Vec<EventCycle> {
    let flow = Flow::of(arch);
    let groups = components(&flow.graph, |_| true);
    groups.iter().filter_map(|group| flow.cycle(group)).collect()
}

/// Endpoints (`Some`), and messages and the handlers they go to (`None`) between them.
struct Flow {
    graph: DiGraph<Option<EndpointRef>, Option<EdgeIndex>>,
    /// Where the endpoints of each node of the architecture begin.
    firsts: Vec<usize>,
}

/// The handlers of a queue or topic.
#[derive(Default)]
struct Handlers {
    /// What hands messages to the handlers that take all types.
    all: NodeIndex,
    /// Handlers by the types they take, each with its edge.
    typed: BTreeMap<String, Vec<(NodeIndex, EdgeIndex)>>,
}

impl Flow {
    fn of(arch: &Architecture) -> Self {
        let mut this = Self { graph: DiGraph::new(), firsts: vec![0; arch.graph.node_count()] };
        for at in arch.endpoints() {
            let node = this.graph.add_node(Some(at));
            this.firsts[at.service.index()] = node.index() - at.endpoint;
        }
        let mut channels: HashMap<NodeIndex, Handlers> = HashMap::new();
        for at in arch.endpoints() {
            let Some(consumes) = arch.endpoint(at).and_then(|e| e.consumes.as_ref()) else { continue };
            let channel = arch.ends(consumes.edge).0;
            let handlers = channels
                .entry(channel)
                .or_insert_with(|| Handlers { all: this.graph.add_node(None), typed: BTreeMap::new() });
            let types = consumes.settings.types.iter().flat_map(|t| t.value.iter());
            let mut any = true;
            for of_type in types {
                any = false;
                let list = handlers.typed.entry(of_type.value.clone()).or_default();
                list.push((this.node(at), consumes.edge));
            }
            if any {
                this.graph.add_edge(handlers.all, this.node(at), Some(consumes.edge));
            }
        }
        this.messages(arch, &channels);
        this
    }

    fn node(&self, at: EndpointRef) -> NodeIndex {
        NodeIndex::new(self.firsts[at.service.index()] + at.endpoint)
    }

    fn messages(&mut self, arch: &Architecture, channels: &HashMap<NodeIndex, Handlers>) {
        let mut known: HashMap<(NodeIndex, Option<String>), NodeIndex> = HashMap::new();
        for at in arch.endpoints() {
            let Some(endpoint) = arch.endpoint(at) else { continue };
            let from = self.node(at);
            let handles = endpoint.consumes.as_ref().and_then(|c| c.settings.ends);
            if handles.is_some_and(|ends| ends.value) || endpoint.max_recursion.is_some() {
                continue;
            }
            edges_of(&endpoint.steps, &mut |edge| {
                for edge in with_stand_ins(arch, edge) {
                    let data = &arch.graph[edge];
                    // Of an edge of the whole service nobody knows which endpoint it is.
                    if data.from_endpoint.is_none() {
                        continue;
                    }
                    let service = arch.ends(edge).1;
                    let callee =
                        data.to_endpoint.map(|endpoint| self.node(EndpointRef { service, endpoint }));
                    if data.is_sync_call() {
                        callee.map(|to| self.graph.add_edge(from, to, Some(edge)));
                    } else if data.kind == EdgeKind::Publish {
                        let kind = data.message.as_ref().map(|m| m.value.clone());
                        let to = match (callee, channels.get(&service)) {
                            (Some(to), _) => self.message(&[(to, None)]),
                            (None, Some(takers)) => *known
                                .entry((service, kind.clone()))
                                .or_insert_with(|| self.typed(takers, kind.as_deref())),
                            (None, None) => continue,
                        };
                        self.graph.add_edge(from, to, Some(edge));
                    }
                }
            });
        }
    }

    /// A message of a type, with those it goes to.
    fn typed(&mut self, handlers: &Handlers, kind: Option<&str>) -> NodeIndex {
        let lists = handlers.typed.iter().filter(|(of, _)| kind.is_none_or(|kind| kind == of.as_str()));
        let mut to: Vec<(NodeIndex, Option<EdgeIndex>)> =
            lists.flat_map(|(_, list)| list).map(|(node, edge)| (*node, Some(*edge))).collect();
        to.sort_unstable();
        to.dedup();
        to.push((handlers.all, None));
        self.message(&to)
    }

    fn message(&mut self, to: &[(NodeIndex, Option<EdgeIndex>)]) -> NodeIndex {
        let message = self.graph.add_node(None);
        for (to, edge) in to {
            self.graph.add_edge(message, *to, *edge);
        }
        message
    }

    /// The cycle of a group with a message; `None` where all wait for each other.
    fn cycle(&self, group: &Component) -> Option<EventCycle> {
        let sent = group.nodes.iter().copied().filter(|n| self.graph[*n].is_none());
        let mut cycle = shortest_cycle_through(&self.graph, group, sent);
        // It starts behind a message: what sends this one is the last edge that is one.
        let sent = cycle.iter().rposition(|e| self.graph[*e].is_some())?;
        cycle.rotate_left(sent);
        let cycle: Vec<EdgeIndex> = cycle.iter().filter_map(|e| self.graph[*e]).collect();
        let members = group.nodes.iter().filter_map(|n| self.graph[*n]).collect();
        Some(EventCycle { members, cycle })
    }
}
