//! A workspace of the C4 model, whichever way it was written. Must not know how.

use crate::source::{Span, Spanned};
use std::collections::HashMap;

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody.
    Person,
    /// A software system.
    System,
    /// Something of a system that runs.
    Container,
    /// A part of a container.
    Component,
    /// Anything else.
    Custom,
}

/// What a tag is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Data.
    Cylinder,
    /// Messages.
    Pipe,
    /// Anything else.
    Other,
}

/// One element.
#[derive(Debug, Clone)]
pub struct Element {
    /// What it is.
    pub kind: Kind,
    /// The name it is referred to by, where it has one.
    pub identifier: Option<Spanned<String>>,
    /// Its name for people.
    pub name: Spanned<String>,
    /// A sentence.
    pub description: Option<Spanned<String>>,
    /// What it is made with.
    pub technology: Option<Spanned<String>>,
    /// Its tags, without those every element of its kind has.
    pub tags: Vec<Spanned<String>>,
    /// The element it is a part of.
    pub parent: Option<usize>,
    /// The group around it.
    pub group: Option<Spanned<String>>,
}

impl Element {
    /// An element with nothing but its name.
    pub const fn new(kind: Kind, name: Spanned<String>, parent: Option<usize>) -> Self {
        let (description, technology, group, identifier) = (None, None, None, None);
        Self { kind, identifier, name, description, technology, tags: Vec::new(), parent, group }
    }
}

/// One relationship.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Place of its source.
    pub from: usize,
    /// Place of its destination.
    pub to: usize,
    /// Where it is said.
    pub span: Span,
    /// A few words.
    pub description: String,
    /// How it travels.
    pub technology: String,
}

/// All that a workspace says of what runs.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// Its elements; a parent before its children.
    pub elements: Vec<Element>,
    /// Its relationships.
    pub relations: Vec<Relation>,
    /// What tags are drawn as, by tag in lower case.
    pub shapes: HashMap<String, Shape>,
}

impl Workspace {
    /// The container or system that an element is or is a part of: components do not run by themselves.
    pub fn running(&self, at: usize) -> usize {
        match self.elements.get(at) {
            Some(Element { kind: Kind::Component, parent: Some(parent), .. }) => *parent,
            _ => at,
        }
    }

    /// The element it is a part of, or it.
    pub fn system(&self, at: usize) -> usize {
        self.elements.get(at).and_then(|e| e.parent).map_or(at, |parent| self.system_of(parent))
    }

    fn system_of(&self, at: usize) -> usize {
        self.elements.get(at).and_then(|e| e.parent).unwrap_or(at)
    }
}
