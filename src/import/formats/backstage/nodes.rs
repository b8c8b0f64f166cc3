//! Entities as services, datastores, queues and topics of our own vocabulary.

use super::edges::Calls;
use super::entity::{Catalog, Entity, Key, called};
use super::roles::{Stand, protocol, service_kind, stand};
use crate::import::tree::{entry, list, mapping, section, text, text_at, word};
use crate::source::Span;
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::{HashMap, HashSet};

/// What an entity becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Made {
    /// A service that is a Component.
    Service,
    /// What a Resource stands for.
    Resource(Stand),
    /// A service of someone else: an API that nobody of the catalog provides.
    Api,
}

/// Which entities become nodes, by place, and their ids.
#[derive(Debug, Default)]
pub struct Nodes {
    ids: HashMap<usize, (String, Made)>,
    /// Components that provide an API, which need not be defined itself.
    providers: HashMap<Key, Vec<usize>>,
}

/// Whether a Component does not run by itself.
pub fn is_library(entity: &Entity<'_>) -> bool {
    text_at(entity.node, &["spec", "type"]).eq_ignore_ascii_case("library")
}

impl Nodes {
    /// The nodes of a catalog.
    pub fn new(catalog: &Catalog<'_>) -> Self {
        let mut all = Self::default();
        let mut taken = HashSet::new();
        for (at, entity) in catalog.of("component").filter(|(_, e)| !is_library(e)) {
            all.add(at, entity, Made::Service, &mut taken);
            for reference in entity.listed("providesApis") {
                if let Some(key) = entity.refers(reference.text().unwrap_or_default(), Some("api")) {
                    all.providers.entry(key).or_default().push(at);
                }
            }
        }
        for (at, entity) in catalog.of("resource") {
            let made = stand(text_at(entity.node, &["spec", "type"]), &entity.key.2);
            all.add(at, entity, Made::Resource(made), &mut taken);
        }
        for (at, entity) in catalog.of("api") {
            if !all.providers.contains_key(&entity.key) {
                all.add(at, entity, Made::Api, &mut taken);
            }
        }
        all
    }

    /// Gives an entity its id: its name; where that is taken, with its namespace, then with its kind.
    fn add(&mut self, at: usize, entity: &Entity<'_>, made: Made, taken: &mut HashSet<String>) {
        let (kind, namespace, _) = &entity.key;
        let name = &entity.name.value;
        let ids = [name.clone(), format!("{name}.{namespace}"), format!("{name}.{namespace}.{kind}")];
        if let Some(id) = ids.into_iter().find(|id| taken.insert(id.clone())) {
            self.ids.insert(at, (id, made));
        }
    }

    /// The id of an entity that is a node.
    pub fn id(&self, at: usize) -> Option<&str> {
        self.ids.get(&at).map(|(id, _)| id.as_str())
    }

    /// Whether it has calls of its own.
    pub fn calls(&self, at: usize) -> bool {
        self.ids.get(&at).is_some_and(|(_, made)| *made == Made::Service)
    }

    /// Who provides an API.
    pub fn providers(&self, api: &Key) -> &[usize] {
        self.providers.get(api).map_or(&[], Vec::as_slice)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.ids.len()
    }
}

/// The nodes in four sections: services, datastores, queues, topics.
pub fn sections(catalog: &Catalog<'_>, nodes: &Nodes, calls: &Calls) -> [Vec<Entry>; 4] {
    let mut all = [const { Vec::new() }; 4];
    let called: HashSet<usize> = calls.all().map(|call| call.to).collect();
    for (at, entity) in catalog.entities.iter().enumerate() {
        let Some((id, made)) = nodes.ids.get(&at) else { continue };
        // An API without a provider is somebody else's only where somebody here consumes it.
        if *made == Made::Api && !called.contains(&at) {
            continue;
        }
        let place = match made {
            Made::Service | Made::Api | Made::Resource(Stand::Outside) => 0,
            Made::Resource(Stand::Datastore(_)) => 1,
            Made::Resource(Stand::Queue) => 2,
            Made::Resource(Stand::Topic) => 3,
        };
        let node = match made {
            Made::Resource(what @ (Stand::Datastore(_) | Stand::Queue | Stand::Topic)) => {
                resource(entity, *what)
            }
            _ => service(catalog, nodes, calls, (at, entity), *made),
        };
        if let Some(section) = all.get_mut(place) {
            section.push(entry(id, entity.name.span, node));
        }
    }
    all
}

fn nothing(span: Span) -> Node {
    Node::new(span, Kind::Mapping(Vec::new()))
}

fn resource(entity: &Entity<'_>, what: Stand) -> Node {
    let span = entity.node.span;
    let kind = match what {
        Stand::Datastore(kind) => Some(word(kind.word(), said_type(entity).map_or(span, |n| n.span))),
        _ => None,
    };
    let metadata = kind.is_some().then(|| metadata(entity)).flatten();
    let entries = [("kind", kind), ("owner", owner(entity)), ("metadata", metadata), ("tags", tags(entity))];
    mapping(span, entries).unwrap_or_else(|| nothing(span))
}

fn service(
    catalog: &Catalog<'_>,
    nodes: &Nodes,
    calls: &Calls,
    (at, entity): (usize, &Entity<'_>),
    made: Made,
) -> Node {
    let span = entity.node.span;
    let quoted = |key: &str| entity.at(&["metadata", key]).and_then(|n| Some(text(n.text()?, n.span)));
    let kind = said_type(entity).and_then(|n| Some(word(service_kind(n.text()?)?, n.span)));
    let external = (made != Made::Service).then(|| word("true", entity.name.span));
    let dependencies = calls.of(at).filter_map(|call| {
        let id = nodes.id(call.to)?;
        let target = call.api.as_ref().map_or_else(|| id.to_owned(), |api| format!("{id} {api}"));
        Some(text(target, call.span))
    });
    let entries = [
        ("title", quoted("title")),
        ("description", quoted("description")),
        ("kind", kind),
        ("external", external),
        ("owner", owner(entity)),
        ("tags", tags(entity)),
        ("metadata", metadata(entity)),
        ("dependencies", list(span, dependencies.collect())),
        ("endpoints", section(span, endpoints(catalog, entity))),
    ];
    mapping(span, entries).unwrap_or_else(|| nothing(span))
}

/// An API as it is written where it is defined.
pub fn api_name(catalog: &Catalog<'_>, api: &Key) -> String {
    catalog.find(api).map_or_else(|| api.2.clone(), |api| api.name.value.clone())
}

/// The APIs that a Component provides: one endpoint each.
fn endpoints(catalog: &Catalog<'_>, entity: &Entity<'_>) -> Vec<Entry> {
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    for reference in entity.listed("providesApis") {
        let Some(key) = entity.refers(reference.text().unwrap_or_default(), Some("api")) else { continue };
        let name = api_name(catalog, &key);
        if !seen.insert(name.clone()) {
            continue;
        }
        let api = catalog.find(&key);
        let said = api.and_then(said_type).and_then(|n| Some(word(protocol(n.text()?)?, n.span)));
        let old =
            api.and_then(|api| api.at(&["spec", "lifecycle"])).filter(|n| n.text() == Some("deprecated"));
        let entries = [
            ("description", api.and_then(|api| api.at(&["metadata", "description"])).cloned()),
            ("protocol", said),
            ("deprecated", old.map(|n| word("true", n.span))),
        ];
        let node = mapping(reference.span, entries).unwrap_or_else(|| nothing(reference.span));
        all.push(entry(&name, reference.span, node));
    }
    all
}

fn said_type<'n>(entity: &Entity<'n>) -> Option<&'n Node> {
    entity.at(&["spec", "type"])
}

/// A group, by name.
fn owner(entity: &Entity<'_>) -> Option<Node> {
    let node = entity.at(&["spec", "owner"])?;
    let key = entity.refers(node.text()?, Some("group"))?;
    Some(text(called(&key), node.span))
}

/// Its own tags, and its system.
fn tags(entity: &Entity<'_>) -> Option<Node> {
    let own = entity.at(&["metadata", "tags"]).map_or(&[][..], Node::items);
    let mut all: Vec<Node> = own.iter().filter_map(|n| Some(text(n.text()?, n.span))).collect();
    all.extend(system(entity));
    list(entity.node.span, all)
}

fn system(entity: &Entity<'_>) -> Option<Node> {
    let node = entity.at(&["spec", "system"])?;
    Some(text(called(&entity.refers(node.text()?, Some("system"))?), node.span))
}

fn metadata(entity: &Entity<'_>) -> Option<Node> {
    let plain = |key: &str| entity.at(&["spec", key]).and_then(|n| Some(text(n.text()?, n.span)));
    let entries = [("type", plain("type")), ("lifecycle", plain("lifecycle")), ("system", system(entity))];
    mapping(entity.node.span, entries)
}
