//! A workspace as a document of our own vocabulary: containers run, systems without any are other people's,
//! persons are outside.

use super::workspace::{Element, Kind, Relation, Shape, Workspace};
use crate::import::Note;
use crate::import::clues::roles::{Role, role};
use crate::import::notes::shown;
use crate::import::tree::{entry, id_of, list, mapping, section, text, word};
use crate::source::{Span, Spanned};
use crate::spec::Evidence;
use crate::spec::tree::{Entry, Kind as NodeKind, Node};
use crate::spec::vocabulary::{DatastoreKind, Protocol};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What an element becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Made {
    Service,
    Outside,
    Datastore(DatastoreKind),
    Queue,
    Topic,
}

/// A document with what shows each of its communications.
#[derive(Debug)]
pub struct Drawn {
    /// The document.
    pub tree: Option<Node>,
    /// By communication.
    pub evidence: Vec<Vec<Evidence>>,
}

struct Maker<'w> {
    workspace: &'w Workspace,
    /// Ids and what they are, by place; elements that do not run have none.
    nodes: BTreeMap<usize, (String, Made)>,
    public: HashMap<usize, Span>,
}

/// The document.
pub fn make(workspace: &Workspace, root: Span, notes: &mut Vec<Note>) -> Drawn {
    let mut maker = Maker { workspace, nodes: BTreeMap::new(), public: HashMap::new() };
    maker.name_all();
    let edges = maker.edges(notes);
    let mut sections: [Vec<Entry>; 4] = [const { Vec::new() }; 4];
    for (at, (id, made)) in &maker.nodes {
        let Some(element) = workspace.elements.get(*at) else { continue };
        let place = match made {
            Made::Service | Made::Outside => 0,
            Made::Datastore(_) => 1,
            Made::Queue => 2,
            Made::Topic => 3,
        };
        if let Some(section) = sections.get_mut(place) {
            section.push(entry(id, element.name.span, maker.node(*at, element, *made)));
        }
    }
    if edges.is_empty() && maker.nodes.len() > 1 {
        let text = "the workspace shows no relationship between what runs: edges cannot be known from it";
        notes.insert(0, Note { text: text.to_owned(), span: None });
    }
    let communications =
        edges.iter().map(|((from, to), relations)| maker.communication(*from, *to, relations));
    let communications = list(root, communications.flatten().collect());
    let [services, datastores, queues, topics] = sections;
    let parts = [
        ("name", workspace.name.as_ref().map(quoted)),
        ("services", section(root, services)),
        ("datastores", section(root, datastores)),
        ("queues", section(root, queues)),
        ("topics", section(root, topics)),
        ("communications", communications),
    ];
    let said =
        |r: &&Relation| Evidence::new(format!("relationship {}", r.description).trim().to_owned(), r.span);
    let evidence = edges.iter().map(|(_, relations)| relations.iter().map(said).collect()).collect();
    Drawn { tree: mapping(root, parts), evidence }
}

fn quoted(said: &Spanned<String>) -> Node {
    text(said.value.as_str(), said.span)
}

/// Words that say that the source of a relationship takes messages rather than sends them.
const TAKES: [&str; 9] =
    ["subscribes", "consumes", "receives", "reads", "listens", "polls", "takes", "pulls", "processes"];

/// Edges between nodes in the order in which they were found, with what shows each.
type Edges<'w> = Vec<((usize, usize), Vec<&'w Relation>)>;

impl<'w> Maker<'w> {
    fn name_all(&mut self) {
        let elements = &self.workspace.elements;
        let whole: HashSet<usize> =
            elements.iter().filter(|e| e.kind == Kind::Container).filter_map(|e| e.parent).collect();
        let callers: HashSet<usize> =
            self.workspace.relations.iter().map(|r| self.workspace.running(r.from)).collect();
        let mut taken = HashSet::new();
        for (at, element) in elements.iter().enumerate() {
            let made = match element.kind {
                Kind::Container => self.made(element, callers.contains(&at)),
                Kind::System if whole.contains(&at) => continue,
                // A landscape without any container: there its systems are what runs.
                Kind::System if whole.is_empty() => Made::Service,
                Kind::System | Kind::Custom => Made::Outside,
                Kind::Person | Kind::Component => continue,
            };
            let said = element.identifier.as_ref().map(|id| id.value.clone());
            let name = said.unwrap_or_else(|| id_of(&element.name.value, "element"));
            let system = element.parent.and_then(|parent| elements.get(parent));
            let system = system.map(|s| s.identifier.as_ref().unwrap_or(&s.name).value.as_str());
            let longer = system.map(|system| format!("{}.{name}", id_of(system, "system")));
            let numbered = format!("{name}.{}", at + 1);
            let id = [Some(name), longer, Some(numbered)].into_iter().flatten();
            if let Some(id) = id.into_iter().find(|id| taken.insert(id.clone())) {
                self.nodes.insert(at, (id, made));
            }
        }
    }

    /// What a container is, by the shape of its tags, its tags, and what it is made with.
    fn made(&self, element: &Element, calls: bool) -> Made {
        let technology = element.technology.as_ref().map_or("", |t| t.value.as_str());
        let role = role("", &technology.to_lowercase().replace(['/', ':', '@'], " "), &|_| false);
        let tags: Vec<String> = element.tags.iter().map(|tag| tag.value.to_lowercase()).collect();
        let any = |words: &[&str]| {
            let said = |tag: &String| tag.split(|c: char| !c.is_alphanumeric()).any(|w| words.contains(&w));
            tags.iter().any(said)
        };
        let shape = tags.iter().rev().find_map(|tag| self.workspace.shapes.get(tag));
        let kind = match role {
            Role::Datastore(kind) => kind,
            _ => DatastoreKind::Other,
        };
        let stream = matches!(role, Role::Broker(_, Protocol::EventStream));
        let topic = any(&["topic", "stream"]) || technology.to_lowercase().contains("topic");
        match (shape, role) {
            (Some(Shape::Pipe), _) if topic || stream => Made::Topic,
            (Some(Shape::Pipe), _) => Made::Queue,
            (Some(Shape::Cylinder), _) => Made::Datastore(kind),
            _ if any(&["database", "datastore", "db"]) => Made::Datastore(kind),
            _ if any(&["queue"]) => Made::Queue,
            _ if any(&["topic"]) => Made::Topic,
            // What calls others is a service that is said to be made with a database.
            (_, Role::Datastore(kind)) if !calls => Made::Datastore(kind),
            _ => Made::Service,
        }
    }

    fn made_of(&self, at: usize) -> Option<Made> {
        self.nodes.get(&at).map(|(_, made)| *made)
    }

    fn edges(&mut self, notes: &mut Vec<Note>) -> Edges<'w> {
        let workspace = self.workspace;
        let (mut all, mut index): (Edges<'w>, HashMap<(usize, usize), usize>) = (Vec::new(), HashMap::new());
        let (mut whole, mut stores) = (Vec::new(), Vec::new());
        for relation in &workspace.relations {
            let (from, to) = (workspace.running(relation.from), workspace.running(relation.to));
            let person = |at: usize| workspace.elements.get(at).is_some_and(|e| e.kind == Kind::Person);
            if person(from) || person(to) {
                if self.made_of(to) == Some(Made::Service) {
                    self.public.entry(to).or_insert(relation.span);
                }
                continue;
            }
            let (Some(source), Some(target)) = (self.made_of(from), self.made_of(to)) else {
                whole.push((from, to, relation));
                continue;
            };
            let (from, to) = match (source, target) {
                _ if from == to => continue,
                (Made::Datastore(_), _) => {
                    stores.push(self.pair(from, to));
                    continue;
                }
                (Made::Service, Made::Queue | Made::Topic) if takes(&relation.description) => (to, from),
                _ => (from, to),
            };
            let at = *index.entry((from, to)).or_insert_with(|| {
                all.push(((from, to), Vec::new()));
                all.len() - 1
            });
            if let Some((_, relations)) = all.get_mut(at) {
                relations.push(relation);
            }
        }
        self.said_of_wholes(&all, &whole, notes);
        if !stores.is_empty() {
            let text = format!("not drawn, since a datastore calls nobody: {}", shown(&stores));
            notes.push(Note { text, span: None });
        }
        all
    }

    /// Relationships of systems whose containers are known: those that some container has are said already.
    fn said_of_wholes(&self, all: &Edges<'_>, whole: &[(usize, usize, &Relation)], notes: &mut Vec<Note>) {
        let workspace = self.workspace;
        let mut known = HashSet::new();
        for ((from, to), _) in all {
            for from in [*from, workspace.system(*from)] {
                known.extend([*to, workspace.system(*to)].map(|to| (from, to)));
            }
        }
        let lost = whole.iter().filter(|(from, to, _)| {
            from != to && !known.contains(&(*from, *to)) && workspace.system(*from) != workspace.system(*to)
        });
        let lost: Vec<_> = lost.map(|(from, to, _)| self.pair(*from, *to)).collect();
        if !lost.is_empty() {
            let text = format!(
                "not drawn, since no relationship says which container of the system it is: {}",
                shown(&lost)
            );
            notes.push(Note { text, span: None });
        }
    }

    fn pair(&self, from: usize, to: usize) -> String {
        let name = |at: usize| self.workspace.elements.get(at).map_or("", |e| e.name.value.as_str());
        format!("{} → {}", name(from), name(to))
    }

    fn communication(&self, from: usize, to: usize, relations: &[&Relation]) -> Option<Node> {
        let ((from_id, _), (to_id, made)) = (self.nodes.get(&from)?, self.nodes.get(&to)?);
        let span = relations.first()?.span;
        let protocol = relations.iter().find_map(|r| protocol(&r.technology));
        let protocol = protocol.filter(|_| matches!(made, Made::Service | Made::Outside));
        let entries = [
            ("from", Some(text(from_id.as_str(), span))),
            ("to", Some(text(to_id.as_str(), span))),
            ("protocol", protocol.map(|p| word(p.word(), span))),
        ];
        mapping(span, entries)
    }

    fn node(&self, at: usize, element: &Element, made: Made) -> Node {
        let span = element.name.span;
        let system = element.parent.and_then(|parent| self.workspace.elements.get(parent));
        let tags: Vec<Node> = element.tags.iter().chain(&element.group).map(quoted).collect();
        let tags = list(span, tags);
        let metadata = mapping(span, [("system", system.map(|s| quoted(&s.name)))]);
        let entries = match made {
            Made::Service | Made::Outside => mapping(
                span,
                [
                    ("title", Some(quoted(&element.name))),
                    ("description", element.description.as_ref().map(quoted)),
                    ("external", (made == Made::Outside).then(|| word("true", span))),
                    ("technology", element.technology.as_ref().map(technologies)),
                    ("exposure", self.public.get(&at).map(|span| word("public", *span))),
                    ("tags", tags),
                    ("metadata", metadata),
                ],
            ),
            Made::Datastore(kind) => {
                let kind = word(kind.word(), element.technology.as_ref().map_or(span, |t| t.span));
                mapping(span, [("kind", Some(kind)), ("tags", tags), ("metadata", metadata)])
            }
            Made::Queue | Made::Topic => mapping(span, [("tags", tags)]),
        };
        entries.unwrap_or_else(|| Node::new(span, NodeKind::Mapping(Vec::new())))
    }
}

/// `Java and Spring Boot`: each of them.
fn technologies(said: &Spanned<String>) -> Node {
    let parts = said.value.split(',').flat_map(|part| part.split(" and ")).map(str::trim);
    let all = parts.filter(|part| !part.is_empty()).map(|part| text(part, said.span)).collect();
    list(said.span, all).unwrap_or_else(|| quoted(said))
}

fn takes(description: &str) -> bool {
    let first = description.split_whitespace().next().unwrap_or_default().to_lowercase();
    TAKES.contains(&first.as_str())
}

/// How a relationship travels, by what it is made with.
fn protocol(technology: &str) -> Option<Protocol> {
    let lower = technology.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if any(&["grpc"]) {
        Some(Protocol::Grpc)
    } else if any(&["kafka", "kinesis", "pulsar"]) {
        Some(Protocol::EventStream)
    } else if any(&["amqp", "rabbitmq", "jms", "sqs", "mqtt", "activemq"]) {
        Some(Protocol::MessageQueue)
    } else if any(&["http", "https", "rest", "graphql", "soap"]) {
        Some(Protocol::Http)
    } else {
        None
    }
}
