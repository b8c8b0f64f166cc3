//! From names to nodes and endpoints, with the nearest known name where there is none.

use super::routes::Routes;
use super::rules::{UNDEFINED_DATASTORE, UNDEFINED_ENDPOINT, UNDEFINED_QUEUE, UNDEFINED_SERVICE};
use super::{Architecture, Node, NodeKind};
use crate::finding::{Finding, Names, RuleInfo};
use crate::source::Spanned;
use crate::spec::vocabulary::Target;
use petgraph::graph::NodeIndex;
use std::collections::HashMap;
use std::fmt;

/// What a name must stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Want {
    /// A service.
    Service,
    /// A datastore.
    Datastore,
    /// A queue or topic.
    Channel,
    /// What has instances: a service or a datastore.
    Instances,
    /// Anything.
    Any,
}

impl Want {
    /// Whether a node may be what is wanted.
    pub fn fits(self, node: &Node) -> bool {
        match self {
            Self::Service => matches!(node.kind, NodeKind::Service(_)),
            Self::Datastore => matches!(node.kind, NodeKind::Datastore(_)),
            Self::Channel => node.is_channel(),
            Self::Instances => !node.is_channel(),
            Self::Any => true,
        }
    }

    const fn rule(self) -> &'static RuleInfo {
        match self {
            Self::Service | Self::Instances | Self::Any => &UNDEFINED_SERVICE,
            Self::Datastore => &UNDEFINED_DATASTORE,
            Self::Channel => &UNDEFINED_QUEUE,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Service | Self::Any => "service",
            Self::Instances => "service or datastore",
            Self::Datastore => "datastore",
            Self::Channel => "queue or topic",
        }
    }
}

/// Who names something, put into words only where a finding needs them.
#[derive(Clone, Copy)]
pub struct Who<'w> {
    /// A node.
    pub id: &'w str,
    /// One of its endpoints.
    pub endpoint: Option<&'w str>,
}

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.endpoint {
            Some(endpoint) => write!(f, "`{} {endpoint}`", self.id),
            None => write!(f, "`{}`", self.id),
        }
    }
}

/// Where names are looked up, each index made when it is first asked. All nodes stand by then.
#[derive(Debug, Default)]
pub struct Directory {
    /// Endpoints by name, of services that have many and are called.
    routes: HashMap<NodeIndex, Routes>,
    /// What a misspelt name may stand for.
    nodes: HashMap<Want, Names>,
    /// What a misspelt endpoint may stand for.
    endpoints: HashMap<NodeIndex, Names>,
}

/// The node a name stands for, or a finding.
pub fn node(
    arch: &Architecture,
    directory: &mut Directory,
    name: &Spanned<String>,
    want: Want,
    who: &dyn fmt::Display,
) -> Result<NodeIndex, Box<Finding>> {
    let found = arch.find(name);
    if let Some(node) = found.filter(|node| want.fits(&arch.graph[*node])) {
        return Ok(node);
    }
    let finding =
        Finding::new(want.rule(), name.span, format!("no {} is called `{}`", want.word(), name.value));
    let finding = finding.label(format!("{who} names it here")).about(&name.value).about(who.to_string());
    if let (Some(node), Want::Instances) = (found, want) {
        let also = format!("`{}` is a queue or topic", name.value);
        let finding = finding.also(arch.graph[node].id.span, also);
        return Err(Box::new(finding.help("events happen to services and datastores")));
    }
    if let Some(node) = found {
        return Err(Box::new(wrong_kind(arch, node, finding)));
    }
    let fitting = || arch.graph.node_weights().filter(|n| want.fits(n)).map(|n| n.id.value.as_str());
    let known = directory.nodes.entry(want).or_insert_with(|| Names::new(fitting()));
    Err(Box::new(finding.guess(name, known, || match want {
        Want::Service => {
            format!("define it under `services`, with `external: true` if `{}` is someone else's", name.value)
        }
        _ => format!("define it as a {}", want.word()),
    })))
}

fn wrong_kind(arch: &Architecture, node: NodeIndex, finding: Finding) -> Finding {
    let node = &arch.graph[node];
    let id = &node.id.value;
    let (is, step) = match &node.kind {
        NodeKind::Service(_) => ("a service", format!("call: {id}")),
        NodeKind::Datastore(_) => ("a datastore", format!("read: {id}` or `write: {id}")),
        NodeKind::Queue(_) => ("a queue", format!("publish: {id}")),
        NodeKind::Topic(_) => ("a topic", format!("publish: {id}")),
    };
    finding.also(node.id.span, format!("`{id}` is {is}")).help(format!("`{id}` is {is}: write `{step}`"))
}

/// The endpoint a target names on a service: `None` where it names none and there is not just one. An
/// external service has whatever endpoint it is asked for.
pub fn endpoint(
    arch: &Architecture,
    directory: &mut Directory,
    node: NodeIndex,
    target: &Target,
    who: &dyn fmt::Display,
) -> Result<Option<usize>, Box<Finding>> {
    let Some(service) = arch.graph[node].service() else { return Ok(None) };
    let Some(name) = &target.endpoint else { return Ok(service.only_endpoint()) };
    // Few are found faster by looking at each, if they are named as they are written.
    let few =
        service.endpoints.iter().take(8).position(|e| e.name.value == name.value && e.consumes.is_none());
    let all = || directory.routes.entry(node).or_insert_with(|| Routes::of(&service.endpoints)).find(name);
    let found = few.or_else(all);
    if found.is_some() || service.external {
        return Ok(found);
    }
    let id = arch.id(node);
    let finding =
        Finding::new(&UNDEFINED_ENDPOINT, name.span, format!("`{id}` has no endpoint `{}`", name.value));
    let finding = finding
        .label(format!("{who} names it here"))
        .also(arch.graph[node].id.span, "the service is defined here")
        .about(format!("{id} {}", name.value))
        .about(who.to_string());
    let names = || service.endpoints.iter().filter(|e| e.consumes.is_none()).map(|e| e.name.value.as_str());
    let known = directory.endpoints.entry(node).or_insert_with(|| Names::new(names()));
    Err(Box::new(finding.guess(name, known, || {
        let shown = names().take(8).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let more = if names().nth(8).is_some() { ", …" } else { "" };
        if shown.is_empty() {
            format!("add it to the `endpoints` of `{id}`")
        } else {
            format!("`{id}` has {shown}{more}")
        }
    })))
}
