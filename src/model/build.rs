//! From documents to the architecture: nodes first, so that every name can be resolved, then edges.

use super::layers::Layers;
use super::node::{Consumption, Endpoint, Node, NodeKind, Service};
use super::resolve::{Directory, Want, Who};
use super::{Architecture, Edge, EdgeKind};
use crate::finding::{self, Finding};
use crate::source::Spanned;
use crate::spec::presets;
use crate::spec::rules::DUPLICATE_DEFINITION;
use crate::spec::vocabulary as spec;
use crate::spec::{FileDocument, Map};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The architecture while it is being built: what the parts of this module hand to each other.
pub struct Building<'d> {
    /// The documents, in reading order.
    pub documents: &'d [FileDocument],
    /// What stands so far.
    pub arch: Architecture,
    /// Names that nothing defines, and the like.
    pub findings: Vec<Finding>,
    /// For each node, the document that defines it and its place in that section.
    pub homes: Vec<(usize, usize)>,
    /// For each edge, the document that lists it.
    pub edge_homes: Vec<usize>,
    /// Where names are looked up.
    pub directory: Directory,
    /// Services with a dependency that turned out to be of one endpoint only.
    pub narrowed: BTreeSet<NodeIndex>,
    /// Edges by their ends, once that was asked.
    pub(super) pairs: Option<HashMap<(NodeIndex, NodeIndex), Vec<EdgeIndex>>>,
}

/// A service as a document has it.
#[derive(Clone, Copy)]
pub(super) struct Written<'d> {
    /// The document.
    pub home: usize,
    /// Its id.
    pub id: &'d str,
    /// What is said of it.
    pub service: &'d spec::Service,
}

/// Builds the architecture. Every name that cannot be resolved is a finding; what hangs on it is left out.
pub fn build(documents: &[FileDocument]) -> (Architecture, Vec<Finding>) {
    let mut building = Building {
        documents,
        arch: Architecture { layers: Layers::of(documents), ..Architecture::default() },
        findings: Vec::new(),
        homes: Vec::new(),
        edge_homes: Vec::new(),
        directory: Directory::default(),
        narrowed: BTreeSet::new(),
        pairs: None,
    };
    for (home, file) in documents.iter().enumerate() {
        building.settings(file);
        building.nodes(home, &file.document.value);
    }
    for node in building.arch.graph.node_indices().collect::<Vec<_>>() {
        building.consumes(node);
    }
    for node in building.arch.graph.node_indices().collect::<Vec<_>>() {
        building.calls(node);
    }
    for home in 0..documents.len() {
        building.communications(home);
    }
    building.narrow();
    building.named();
    building.aliases();
    building.upstreams();
    building.seal();
    for file in documents {
        building.traffic_and_scenarios(&file.document.value);
    }
    finding::sort(&mut building.findings);
    (building.arch, building.findings)
}

/// The architecture of one text, for scenarios the program brings with it and for small programs.
///
/// # Errors
/// What is wrong with the text: the headline of the first error.
pub fn from_text(name: &str, text: &str) -> Result<Architecture, String> {
    let (documents, _, findings) = crate::spec::read_text(name, text);
    let (arch, unresolved) = build(&documents);
    let wrong = findings.into_iter().chain(unresolved).find(|f| f.severity == finding::Severity::Error);
    wrong.map_or(Ok(arch), |found| Err(format!("{name}: {}", found.message)))
}

impl<'d> Building<'d> {
    fn settings(&mut self, file: &FileDocument) {
        let document = &file.document.value;
        let arch = &mut self.arch;
        if arch.name.is_none() {
            arch.name.clone_from(&document.name);
        }
        if arch.mesh.is_none() {
            arch.mesh.clone_from(&document.mesh);
        }
        if let Some(network) = &document.network {
            arch.network_latency_s = network.latency.map_or(arch.network_latency_s, |l| l.seconds());
            arch.between_zones_s = network.between_zones.map(|l| l.seconds()).or(arch.between_zones_s);
            arch.network_loss = network.loss.map_or(arch.network_loss, |l| l.fraction());
        }
        arch.monitoring = arch.monitoring.take().or_else(|| document.monitoring.clone());
        arch.discovery = arch.discovery.take().or_else(|| document.discovery.clone());
        for (name, id) in document.aliases.iter().flat_map(|a| a.iter()) {
            // What is written by hand comes first and counts.
            arch.aliases.entry(name.value.clone()).or_insert_with(|| id.value.clone());
        }
        if let Some(lint) = document.lint.as_ref().filter(|_| file.root) {
            crate::spec::Decode::fill(&mut arch.lint, &lint.value);
        }
    }

    fn nodes(&mut self, home: usize, document: &spec::Document) {
        let defaults = document.defaults.as_ref().and_then(|d| d.service.as_ref()).map(|s| &s.value);
        for (at, (id, service)) in ids(document.services.as_ref().map(|s| &s.value.0)).enumerate() {
            let mut node = service_node(id, service, defaults);
            if let Some(service) = node.service_mut() {
                service.imported = self.documents.get(home).is_some_and(|d| d.imported.is_some());
            }
            self.node((home, at), node);
        }
        for (at, (id, store)) in ids(document.datastores.as_ref().map(|s| &s.value.0)).enumerate() {
            let kind = NodeKind::Datastore(Box::new(store.value.clone()));
            let node = Node {
                id: id.clone(),
                whole: store.span,
                owner: store.owner.clone(),
                tags: tags(store.tags.as_ref()),
                zone: store.zone.clone(),
                trust_zone: store.trust_zone.clone(),
                kind,
            };
            self.node((home, at), node);
        }
        for (at, (id, queue)) in ids(document.queues.as_ref().map(|s| &s.value.0)).enumerate() {
            let kind = NodeKind::Queue(queue.value.clone());
            let node = Node {
                id: id.clone(),
                whole: queue.span,
                owner: queue.owner.clone(),
                tags: tags(queue.tags.as_ref()),
                zone: None,
                trust_zone: None,
                kind,
            };
            self.node((home, at), node);
        }
        for (at, (id, topic)) in ids(document.topics.as_ref().map(|s| &s.value.0)).enumerate() {
            let kind = NodeKind::Topic(topic.value.clone());
            let node = Node {
                id: id.clone(),
                whole: topic.span,
                owner: topic.owner.clone(),
                tags: tags(topic.tags.as_ref()),
                zone: None,
                trust_zone: None,
                kind,
            };
            self.node((home, at), node);
        }
    }

    fn node(&mut self, home: (usize, usize), node: Node) {
        self.findings.extend(super::aliases::instances_twice(&node));
        match self.arch.register(node) {
            Ok(_) => self.homes.push(home),
            // The reader saw to it within written documents; an import may bring an id again.
            Err(again) => {
                let id = again.id;
                let first = self.arch.find(&id).map(|n| self.arch.graph[n].id.span);
                let message = format!("`{}` is defined twice", id.value);
                let finding =
                    Finding::new(&DUPLICATE_DEFINITION, id.span, message).label("again here, not read");
                let finding = finding.help("rename one, or write of one of them only").about(&id.value);
                self.findings.push(match first {
                    Some(first) => finding.also(first, "first defined here"),
                    None => finding,
                });
            }
        }
    }

    /// What was written of a service.
    pub(super) fn written(&self, node: NodeIndex) -> Option<Written<'d>> {
        self.arch.graph[node].service()?;
        let (home, at) = *self.homes.get(node.index())?;
        let services = self.documents.get(home)?.document.value.services.as_ref()?;
        services.0.0.get(at).map(|(id, service)| Written { home, id, service })
    }

    /// Adds an edge listed in document `home`.
    pub(super) fn edge(&mut self, home: usize, from: NodeIndex, to: NodeIndex, edge: Edge) -> EdgeIndex {
        self.edge_homes.push(home);
        let edge = self.arch.graph.add_edge(from, to, edge);
        if let Some(pairs) = &mut self.pairs {
            pairs.entry((from, to)).or_default().push(edge);
        }
        edge
    }

    /// The edges from one node to another so far, in document order; petgraph would look at all of the first's.
    pub(super) fn between(&mut self, from: NodeIndex, to: NodeIndex) -> &[EdgeIndex] {
        let graph = &self.arch.graph;
        let pairs = self.pairs.get_or_insert_with(|| {
            let mut pairs: HashMap<_, Vec<_>> = HashMap::new();
            for edge in graph.edge_indices() {
                pairs.entry(graph.edge_endpoints(edge).unwrap_or_default()).or_default().push(edge);
            }
            pairs
        });
        pairs.get(&(from, to)).map_or(&[], Vec::as_slice)
    }

    /// Handlers of what a service consumes, as endpoints of their own.
    fn consumes(&mut self, node: NodeIndex) {
        let Some(Written { home, id, service }) = self.written(node) else { return };
        for (channel, consume) in service.consumes.iter().flat_map(|c| c.0.iter()) {
            if let Some(from) = self.resolve(channel, Want::Channel, &Who { id, endpoint: None }) {
                let edge = Edge::new(EdgeKind::Consume, channel.span, "consumes");
                self.handler(home, (from, node), edge, channel.clone(), consume.value.clone());
            }
        }
    }

    /// Adds what a service does with the messages of a queue or topic.
    pub(super) fn handler(
        &mut self,
        home: usize,
        (channel, node): (NodeIndex, NodeIndex),
        mut edge: Edge,
        name: Spanned<String>,
        settings: spec::Consume,
    ) {
        let Some(Written { home: at_home, service, .. }) = self.written(node) else { return };
        edge.to_endpoint = self.arch.graph[node].service().map(|s| s.endpoints.len());
        let edge = self.edge(home, channel, node, edge);
        let file = self.documents.get(at_home).and_then(|d| d.document.defaults.as_ref());
        let below = file.and_then(|d| d.service.as_ref());
        let latency = settings.latency.as_ref().or(service.latency.as_ref());
        let error_rate = settings.error_rate.or(service.error_rate);
        let endpoint = Endpoint {
            name,
            protocol: None,
            latency: latency.or_else(|| below?.latency.as_ref()).cloned(),
            error_rate: error_rate.or_else(|| below?.error_rate),
            slo: None,
            idempotent: None,
            exposure: None,
            auth: None,
            version: None,
            deprecated: None,
            sunset: None,
            tags: Vec::new(),
            max_recursion: None,
            steps: Vec::new(),
            consumes: Some(Box::new(Consumption { edge, settings })),
        };
        if let Some(service) = self.arch.graph[node].service_mut() {
            service.endpoints.push(endpoint);
        }
    }

    /// What is named in passing must exist: where dead messages go, what a replica is a copy of, whose it is,
    /// what a health check asks.
    fn named(&mut self) {
        let Self { arch, directory, findings, .. } = self;
        for at in arch.graph.node_weights() {
            let who = Who { id: &at.id.value, endpoint: None };
            let mut want = |name: Option<&Spanned<String>>, want| {
                let missing =
                    name.and_then(|name| super::resolve::node(arch, directory, name, want, &who).err());
                findings.extend(missing.map(|f| *f));
            };
            match &at.kind {
                NodeKind::Queue(queue) => want(queue.dead_letter.as_ref(), Want::Channel),
                NodeKind::Datastore(store) => {
                    want(store.replica_of.as_ref(), Want::Datastore);
                    want(store.service.as_ref(), Want::Service);
                }
                NodeKind::Service(service) => {
                    let check = service.health_check.as_ref().and_then(|h| h.value.on());
                    for name in check.and_then(|c| c.checks.as_ref()).iter().flat_map(|c| c.iter()) {
                        want(Some(name), Want::Any);
                    }
                }
                NodeKind::Topic(_) => {}
            }
        }
    }
}

fn ids<T>(map: Option<&Map<T>>) -> impl Iterator<Item = &(Spanned<String>, Spanned<T>)> {
    map.into_iter().flat_map(Map::iter)
}

fn tags(tags: Option<&Spanned<spec::Texts>>) -> Vec<String> {
    tags.into_iter().flat_map(|t| t.0.iter()).map(|t| t.value.clone()).collect()
}

fn service_node(
    id: &Spanned<String>,
    written: &Spanned<spec::Service>,
    defaults: Option<&spec::ServiceDefaults>,
) -> Node {
    let none = spec::ServiceDefaults::default();
    let below = defaults.unwrap_or(&none);
    let count =
        |own: Option<Spanned<crate::spec::scalar::Positive>>,
         low: Option<Spanned<crate::spec::scalar::Positive>>| { own.or(low).map(|n| n.map(|n| n.0)) };
    let instances = written.instances.as_ref().map(|i| i.value.clone()).unwrap_or_default();
    let listed =
        written.instances.as_ref().filter(|i| !i.is_empty()).map(|i| Spanned::new(i.len() as u32, i.span));
    let mut queue = written.queue.clone();
    crate::spec::decode::fill(&mut queue, below.queue.as_ref());
    let mut health_check = written.health_check.clone();
    presets::health_check(&mut health_check);
    let latency = written.latency.as_ref().or(below.latency.as_ref());
    let error_rate = written.error_rate.or(below.error_rate);
    let endpoints = written.endpoints.iter().flat_map(|e| e.0.iter());
    let endpoints = endpoints.map(|(name, e)| endpoint(name, &e.value, latency, error_rate)).collect();
    let autoscaling = written.autoscaling.as_ref();
    let autoscaling = autoscaling.and_then(|a| a.value.on().map(|on| Spanned::new(on.clone(), a.span)));
    let map = |map: &Option<Spanned<Map<String>>>| map.as_ref().map(|m| m.value.clone()).unwrap_or_default();
    let service = Service {
        title: written.title.as_ref().map(|t| t.value.clone()),
        kind: written.kind.map(|k| k.value).unwrap_or_default(),
        version: written.version.as_ref().map(|v| v.value.clone()),
        created_at: written.created_at.as_ref().map(|v| v.value.clone()),
        external: written.external.is_some_and(|e| e.value),
        imported: false,
        exposure: written.exposure,
        auth: written.auth.clone(),
        layer: written.layer.clone().or_else(|| below.layer.clone()),
        tier: written.tier.or(below.tier),
        technology: tags(written.technology.as_ref().or(below.technology.as_ref())),
        status: written.status,
        startup: written.startup,
        limits: written.limits.clone(),
        warm_up: written.warm_up.clone(),
        replicas: listed.or_else(|| count(written.replicas, below.replicas)),
        instances,
        workers: count(written.workers, below.workers),
        concurrency: count(written.concurrency, below.concurrency),
        queue_length: queue.as_ref().and_then(|q| q.max_length),
        discipline: queue.as_ref().and_then(|q| q.discipline),
        autoscaling,
        health_check,
        slo: written.slo.clone(),
        availability: written.availability,
        latency: latency.cloned(),
        error_rate,
        metadata: map(&written.metadata),
        environment: map(&written.environment),
        endpoints,
        common: Vec::new(),
    };
    Node {
        id: id.clone(),
        whole: written.span,
        owner: written.owner.clone().or_else(|| below.owner.clone()),
        tags: tags(written.tags.as_ref()),
        zone: written.zone.clone(),
        trust_zone: written.trust_zone.clone(),
        kind: NodeKind::Service(Box::new(service)),
    }
}

fn endpoint(
    name: &Spanned<String>,
    written: &spec::Endpoint,
    latency: Option<&Spanned<Arc<spec::Latency>>>,
    error_rate: Option<Spanned<crate::spec::units::Share>>,
) -> Endpoint {
    Endpoint {
        name: name.clone(),
        consumes: None,
        protocol: written.protocol,
        latency: written.latency.as_ref().or(latency).cloned(),
        error_rate: written.error_rate.or(error_rate),
        slo: written.slo.clone(),
        idempotent: written.idempotent,
        exposure: written.exposure,
        auth: written.auth.clone(),
        version: written.version.clone(),
        deprecated: written.deprecated,
        sunset: written.sunset.map(|s| s.map(|d| d.0)),
        tags: tags(written.tags.as_ref()),
        max_recursion: written.max_recursion.map(|n| n.map(|n| n.0)),
        steps: Vec::new(),
    }
}
