//! Workspaces as JSON, as Structurizr exports them. Must not know what a workspace becomes.

use super::workspace::{Element, Kind, Relation, Shape, Workspace};
use crate::import::tree::{at, text_at};
use crate::source::Spanned;
use crate::spec::tree::Node;
use std::collections::HashMap;

/// Whether a document is a workspace.
pub fn is_workspace(node: &Node) -> bool {
    let model = node.get("model");
    let systems = |key: &str| model.and_then(|m| m.get(key)).is_some_and(|n| !n.items().is_empty());
    systems("softwareSystems") || (systems("people") && node.get("views").is_some())
}

struct Reading<'n> {
    workspace: Workspace,
    ids: HashMap<&'n str, usize>,
    /// The elements as they are written.
    nodes: Vec<&'n Node>,
}

/// Adds a workspace.
pub fn read(root: &Node, workspace: Workspace) -> Workspace {
    let first = workspace.elements.len();
    let mut reading = Reading { workspace, ids: HashMap::new(), nodes: Vec::new() };
    let model = root.get("model");
    let listed = |key: &str| model.and_then(|m| m.get(key)).map_or(&[][..], Node::items);
    for person in listed("people") {
        reading.element(person, Kind::Person, None);
    }
    for custom in listed("customElements") {
        reading.element(custom, Kind::Custom, None);
    }
    for system in listed("softwareSystems") {
        let parent = reading.element(system, Kind::System, None);
        for container in system.get("containers").map_or(&[][..], Node::items) {
            let parent = reading.element(container, Kind::Container, parent);
            for component in container.get("components").map_or(&[][..], Node::items) {
                reading.element(component, Kind::Component, parent);
            }
        }
    }
    reading.relations(first);
    let mut workspace = reading.workspace;
    workspace.name = workspace.name.or_else(|| said(root, "name"));
    for style in at(root, &["views", "configuration", "styles", "elements"]).map_or(&[][..], Node::items) {
        let shape = shape(text_at(style, &["shape"]));
        workspace.shapes.extend(shape.map(|shape| (text_at(style, &["tag"]).to_lowercase(), shape)));
    }
    workspace
}

/// A shape by its name.
pub fn shape(name: &str) -> Option<Shape> {
    match name.to_lowercase().as_str() {
        "" => None,
        "cylinder" => Some(Shape::Cylinder),
        "pipe" => Some(Shape::Pipe),
        _ => Some(Shape::Other),
    }
}

fn said(node: &Node, key: &str) -> Option<Spanned<String>> {
    let found = node.get(key)?;
    Some(Spanned::new(found.text().filter(|text| !text.is_empty())?.to_owned(), found.span))
}

/// Tags that all elements of a kind have.
const OF_ALL: [&str; 6] =
    ["Element", "Person", "Software System", "Container", "Component", "Custom Element"];

impl<'n> Reading<'n> {
    fn element(&mut self, node: &'n Node, kind: Kind, parent: Option<usize>) -> Option<usize> {
        let tags = said(node, "tags");
        let tags = tags.iter().flat_map(|tags| tags.value.split(',').map(|tag| (tag.trim(), tags.span)));
        let own = tags.filter(|(tag, _)| !tag.is_empty() && !OF_ALL.contains(tag));
        let identifier = at(node, &["properties", "structurizr.dsl.identifier"]);
        let identifier = identifier.and_then(|n| Some(Spanned::new(n.text()?.to_owned(), n.span)));
        let element = Element {
            identifier: identifier.filter(|id| !is_made_up(&id.value)),
            description: said(node, "description"),
            technology: said(node, "technology"),
            tags: own.map(|(tag, span)| Spanned::new(tag.to_owned(), span)).collect(),
            group: said(node, "group"),
            ..Element::new(kind, said(node, "name")?, parent)
        };
        let place = self.workspace.elements.len();
        self.workspace.elements.push(element);
        self.nodes.push(node);
        self.ids.insert(text_at(node, &["id"]), place);
        Some(place)
    }

    /// The relationships of the elements from place `first` on; those that others imply are left out.
    fn relations(&mut self, first: usize) {
        for (from, node) in self.nodes.iter().enumerate() {
            for relation in node.get("relationships").map_or(&[][..], Node::items) {
                let to = self.ids.get(text_at(relation, &["destinationId"]));
                let Some(to) = to.filter(|_| relation.get("linkedRelationshipId").is_none()) else {
                    continue;
                };
                let text = |key: &str| text_at(relation, &[key]).to_owned();
                let span = relation.get("description").map_or(relation.span, |n| n.span);
                let (description, technology) = (text("description"), text("technology"));
                let from = first + from;
                self.workspace.relations.push(Relation { from, to: *to, span, description, technology });
            }
        }
    }
}

/// Whether an identifier was made by Structurizr for what had none: 36 letters and digits with hyphens.
fn is_made_up(identifier: &str) -> bool {
    let hex = |c: char| c.is_ascii_hexdigit() || c == '-';
    identifier.len() == 36 && identifier.chars().all(hex) && identifier.matches('-').count() == 4
}
