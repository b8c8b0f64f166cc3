//! What fails when something is down: a request fails with anything it needs (AND over its steps), a step
//! with a stand-in only when that fails too (OR over fallbacks). Optional and asynchronous steps fail nothing.
//!
//! Only what fails for certain is said to fail: a call of a service that names no endpoint fails when every
//! endpoint there does, and a circle of calls fails when something outside of it does (the least fixpoint).

mod blast;

pub use blast::{Blast, only_zone, traffic_share};

use crate::model::{Architecture, EdgeKind, EndpointRef, Fallback, Step, edges_of};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// A service, datastore, queue or topic: it is down.
    Node(NodeIndex),
    /// An endpoint or handler: requests to it fail, those at least that come to the step that fails.
    Endpoint(EndpointRef),
    /// A service, whichever endpoint is asked.
    Service(NodeIndex),
}

impl Element {
    /// The node it is, or is of.
    pub const fn node(self) -> NodeIndex {
        match self {
            Self::Node(node) | Self::Service(node) => node,
            Self::Endpoint(at) => at.service,
        }
    }

    /// `web`, or `web GET /` for an endpoint.
    pub fn name(self, arch: &Architecture) -> String {
        match self {
            Self::Node(node) | Self::Service(node) => arch.id(node).to_owned(),
            Self::Endpoint(at) => arch.endpoint_id(at),
        }
    }
}

/// One way to meet a need.
#[derive(Debug, Clone, Copy)]
struct Choice {
    part: u32,
    /// The call, message or access; `None` where a part stands on another of its own service.
    edge: Option<EdgeIndex>,
}

/// Something its owner cannot do without: unmet when all of its choices have failed.
#[derive(Debug, Clone)]
struct Need {
    owner: u32,
    choices: Range<u32>,
}

/// One step of the path that proves a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStep {
    /// The call, message or access that fails.
    pub edge: EdgeIndex,
    /// What would have stood in, and fails too.
    pub instead: Vec<EdgeIndex>,
}

/// Who needs what, in document order. Linear in steps, and so is each question of what fails.
#[derive(Debug, Clone, Default)]
pub struct FailureGraph {
    /// Where requests come in.
    pub entries: Vec<Element>,
    parts: Vec<Element>,
    /// Of each node, the number of its first endpoint.
    endpoints_from: Vec<u32>,
    needs: Vec<Need>,
    /// `needs[of[p]..of[p + 1]]` are those of part p.
    of: Vec<u32>,
    choices: Vec<Choice>,
    /// `users[used[p]..used[p + 1]]` are the needs in which part p is a choice.
    users: Vec<u32>,
    used: Vec<u32>,
    is_entry: Vec<bool>,
}

/// The ways a step can be done, first choice first; `None` where the request survives whatever happens, or
/// does not wait.
pub fn alternatives(arch: &Architecture, edge: EdgeIndex) -> Option<Vec<EdgeIndex>> {
    let mut chain = Vec::new();
    let mut at = edge;
    loop {
        let step = arch.graph.edge_weight(at)?;
        let waits = step.is_sync_call() || matches!(step.kind, EdgeKind::Read | EdgeKind::Write);
        if !waits || step.optional.as_ref().is_some_and(|o| o.value) {
            return None;
        }
        chain.push(at);
        match step.fallback.as_ref().map(|f| f.value) {
            None | Some(Fallback::None) => return Some(chain),
            Some(Fallback::Static | Fallback::Cached) => return None,
            // What stands in for itself adds nothing.
            Some(Fallback::Call(next)) if chain.contains(&next) => return Some(chain),
            Some(Fallback::Call(next)) => at = next,
        }
    }
}

impl FailureGraph {
    /// Walks every script once.
    pub fn of(arch: &Architecture) -> Self {
        let nodes = arch.graph.node_indices();
        let mut this = Self { parts: nodes.clone().map(Element::Node).collect(), ..Self::default() };
        for (node, data) in arch.nodes() {
            this.endpoints_from.push(this.parts.len() as u32);
            let count = data.service().map_or(0, |s| s.endpoints.len());
            let endpoints = (0..count).map(|endpoint| EndpointRef { service: node, endpoint });
            this.parts.extend(endpoints.map(Element::Endpoint));
        }
        this.parts.extend(nodes.map(Element::Service));
        for part in 0..this.parts.len() {
            this.of.push(this.needs.len() as u32);
            match this.parts[part] {
                Element::Node(_) => {}
                Element::Endpoint(at) => this.endpoint(arch, part as u32, at),
                Element::Service(node) => this.service(arch, part as u32, node),
            }
        }
        this.of.push(this.needs.len() as u32);
        this.index();
        this.entries = blast::entries(arch);
        this.is_entry = vec![false; this.parts.len()];
        for entry in &this.entries {
            if let Some(slot) = this.id(*entry).and_then(|id| this.is_entry.get_mut(id as usize)) {
                *slot = true;
            }
        }
        this
    }

    /// An endpoint needs its service, its channel if it is a handler, and every step it waits for.
    fn endpoint(&mut self, arch: &Architecture, owner: u32, at: EndpointRef) {
        let Some(endpoint) = arch.endpoint(at) else { return };
        self.need(owner, [Choice { part: at.service.index() as u32, edge: None }]);
        if let Some(consumption) = &endpoint.consumes {
            let channel = arch.ends(consumption.edge).0.index() as u32;
            self.need(owner, [Choice { part: channel, edge: Some(consumption.edge) }]);
        }
        self.steps(arch, owner, &endpoint.steps);
    }

    /// A service of which no endpoint is named needs to be up, what all of its endpoints need, and one of
    /// its endpoints.
    fn service(&mut self, arch: &Architecture, owner: u32, node: NodeIndex) {
        let Some(service) = arch.graph[node].service() else { return };
        self.need(owner, [Choice { part: node.index() as u32, edge: None }]);
        for edge in &service.common {
            self.step(arch, owner, *edge);
        }
        let first = self.endpoints_from.get(node.index()).copied().unwrap_or_default();
        let callable = service.endpoints.iter().zip(first..).filter(|(e, _)| e.consumes.is_none());
        let choices: Vec<_> = callable.map(|(_, part)| Choice { part, edge: None }).collect();
        if !choices.is_empty() {
            self.need(owner, choices);
        }
    }

    fn steps(&mut self, arch: &Architecture, owner: u32, steps: &[Step]) {
        edges_of(steps, &mut |edge| self.step(arch, owner, edge));
    }

    fn step(&mut self, arch: &Architecture, owner: u32, edge: EdgeIndex) {
        let Some(ways) = alternatives(arch, edge) else { return };
        let mut choices: Vec<Choice> = Vec::with_capacity(ways.len());
        for way in ways {
            let part = self.target(arch, way);
            // The same again is no alternative.
            if choices.iter().all(|c| c.part != part) {
                choices.push(Choice { part, edge: Some(way) });
            }
        }
        self.need(owner, choices);
    }

    fn need(&mut self, owner: u32, choices: impl IntoIterator<Item = Choice>) {
        let from = self.choices.len() as u32;
        self.choices.extend(choices);
        self.needs.push(Need { owner, choices: from..self.choices.len() as u32 });
    }

    /// The part an edge asks.
    pub fn asked(&self, arch: &Architecture, edge: EdgeIndex) -> Option<Element> {
        self.parts.get(self.target(arch, edge) as usize).copied()
    }

    /// Its number.
    fn target(&self, arch: &Architecture, edge: EdgeIndex) -> u32 {
        let to = arch.ends(edge).1;
        let asked = match (arch.graph[edge].to_endpoint, arch.graph[to].service()) {
            (Some(endpoint), Some(_)) => self.id(Element::Endpoint(EndpointRef { service: to, endpoint })),
            (None, Some(_)) => self.id(Element::Service(to)),
            (_, None) => None,
        };
        asked.unwrap_or(to.index() as u32)
    }

    /// Lists for each part the needs it is a choice of.
    fn index(&mut self) {
        let mut count = vec![0_u32; self.parts.len() + 1];
        for choice in &self.choices {
            count[choice.part as usize + 1] += 1;
        }
        for part in 1..count.len() {
            count[part] += count[part - 1];
        }
        self.used.clone_from(&count);
        self.users = vec![0; self.choices.len()];
        for (need, data) in self.needs.iter().enumerate() {
            for choice in &self.choices[data.choices.start as usize..data.choices.end as usize] {
                let slot = &mut count[choice.part as usize];
                self.users[*slot as usize] = need as u32;
                *slot += 1;
            }
        }
    }

    fn id(&self, part: Element) -> Option<u32> {
        let nodes = self.endpoints_from.len();
        let node = part.node().index();
        let id = match part {
            Element::Node(_) => node,
            Element::Endpoint(at) => *self.endpoints_from.get(node)? as usize + at.endpoint,
            Element::Service(_) => self.parts.len() - nodes + node,
        };
        (self.parts.get(id) == Some(&part)).then_some(id as u32)
    }

    fn needs_of(&self, part: u32) -> Range<u32> {
        let bound = |at: usize| self.of.get(at).copied().unwrap_or_default();
        bound(part as usize)..bound(part as usize + 1)
    }

    fn users_of(&self, part: u32) -> &[u32] {
        let bound = |at: usize| self.used.get(at).copied().unwrap_or_default() as usize;
        self.users.get(bound(part as usize)..bound(part as usize + 1)).unwrap_or_default()
    }

    fn choices_of(&self, need: u32) -> &[Choice] {
        let range = self.needs.get(need as usize).map_or(0..0, |n| n.choices.clone());
        self.choices.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// What a part cannot do without and nothing stands in for, in the order of its script, with the edge.
    pub fn certain_needs(&self, part: Element) -> impl Iterator<Item = (Option<EdgeIndex>, Element)> {
        let needs = self.id(part).map_or(0..0, |id| self.needs_of(id));
        needs.filter_map(|need| match self.choices_of(need) {
            [only] => Some((only.edge, self.parts[only.part as usize])),
            _ => None,
        })
    }

    /// What fails when these nodes are down. Linear in what fails and who uses it; each look at a user
    /// counts against `budget`, and the answer is incomplete when that is used up.
    pub fn fail(&self, down: &[NodeIndex], budget: &mut usize) -> Failure {
        let mut failure = Failure { complete: true, ..Failure::default() };
        let mut left: HashMap<u32, usize> = HashMap::new();
        let mut queue: VecDeque<u32> = VecDeque::new();
        for node in down {
            let id = node.index() as u32;
            if failure.by.insert(id, None).is_none() {
                queue.push_back(id);
            }
        }
        while let Some(part) = queue.pop_front() {
            failure.order.push(part);
            let users = self.users_of(part);
            if users.len() > *budget {
                failure.complete = false;
                *budget = 0;
                break;
            }
            *budget -= users.len();
            for need in users {
                let Some(owner) = self.needs.get(*need as usize).map(|n| n.owner) else { continue };
                let ways = self.choices_of(*need).len();
                let open = left.entry(*need).or_insert(ways);
                *open -= 1;
                if *open == 0 && !failure.by.contains_key(&owner) {
                    failure.by.insert(owner, Some(*need));
                    queue.push_back(owner);
                }
            }
        }
        failure
    }

    /// What fails `from` all by itself, nearest first: everything it needs without a stand-in, and so on. At
    /// most `limit` parts.
    pub fn certain(&self, from: &[Element], limit: usize) -> Closure {
        let mut closure = Closure::default();
        let mut queue: VecDeque<u32> = VecDeque::new();
        for id in from.iter().filter_map(|part| self.id(*part)) {
            if closure.by.insert(id, None).is_none() {
                queue.push_back(id);
            }
        }
        while let Some(part) = queue.pop_front() {
            closure.parts.push(self.parts[part as usize]);
            if closure.parts.len() >= limit {
                break;
            }
            for need in self.needs_of(part) {
                let [only] = self.choices_of(need) else { continue };
                if let std::collections::hash_map::Entry::Vacant(slot) = closure.by.entry(only.part) {
                    slot.insert(Some(need));
                    queue.push_back(only.part);
                }
            }
        }
        closure
    }

    /// Whether a part has failed.
    pub fn has_failed(&self, failure: &Failure, part: Element) -> bool {
        self.id(part).is_some_and(|id| failure.by.contains_key(&id))
    }

    /// Why a part has failed: the calls from it to what is down, along first choices. Empty for what is
    /// down itself or stands on it directly.
    pub fn why(&self, failure: &Failure, part: Element) -> Vec<FailedStep> {
        let mut steps = Vec::new();
        let mut at = self.id(part);
        // What a need is unmet by failed before its owner: the way down ends.
        while let Some(need) = at.and_then(|id| failure.by.get(&id).copied().flatten()) {
            let Some((first, rest)) = self.choices_of(need).split_first() else { break };
            if let Some(edge) = first.edge {
                let instead = rest.iter().filter_map(|c| c.edge).collect();
                steps.push(FailedStep { edge, instead });
            }
            at = Some(first.part);
        }
        steps
    }

    /// How what a closure starts from comes to need a part: the start, and the calls from there.
    pub fn way(&self, closure: &Closure, part: Element) -> Option<(Element, Vec<FailedStep>)> {
        let mut at = self.id(part)?;
        let mut steps = Vec::new();
        while let Some(need) = *closure.by.get(&at)? {
            let edge = self.choices_of(need).first().and_then(|c| c.edge);
            steps.extend(edge.map(|edge| FailedStep { edge, instead: Vec::new() }));
            at = self.needs.get(need as usize)?.owner;
        }
        steps.reverse();
        Some((*self.parts.get(at as usize)?, steps))
    }
}

/// What failed, and why.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// Whether all that fails was found.
    pub complete: bool,
    /// The need that was unmet; `None` for what is down.
    by: HashMap<u32, Option<u32>>,
    /// In the order in which it failed: nearest first.
    order: Vec<u32>,
}

/// What something needs, and why.
#[derive(Debug, Clone, Default)]
pub struct Closure {
    /// In the order in which it was reached: nearest first, where it starts included.
    pub parts: Vec<Element>,
    by: HashMap<u32, Option<u32>>,
}

impl FailureGraph {
    /// Whether a part belongs to a closure.
    pub fn needs(&self, closure: &Closure, part: Element) -> bool {
        self.id(part).is_some_and(|id| closure.by.contains_key(&id))
    }
}
