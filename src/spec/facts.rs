//! What a value says, key by key: as texts, for comparing two of them, or as the tree of a document that says
//! the same.

use super::Decode;
use super::tree::{Entry, Kind, Node};
use crate::source::{Piece, Span, Spanned};
use std::fmt::Display;

/// Keys (`retry.num_retries`) with what is said under them, as a document would write it.
#[derive(Debug, Default)]
pub struct Facts {
    path: Vec<String>,
    all: Vec<(String, String)>,
    /// The nodes around the place that is told, where a tree is made.
    tree: Option<Vec<Node>>,
}

impl Facts {
    /// Whether a tree is made: then the steps of endpoints are told as well.
    pub const fn is_tree(&self) -> bool {
        self.tree.is_some()
    }

    /// Tells what stands under a key.
    pub fn under(&mut self, key: &str, tell: impl FnOnce(&mut Self)) {
        self.at(key, Span::default(), tell);
    }

    /// Tells what stands under a key, and where it was written.
    pub fn at(&mut self, key: &str, span: Span, tell: impl FnOnce(&mut Self)) {
        if self.tree.is_some() {
            let value = self.node(span, tell);
            let key = Spanned::new(Piece::rewritten(key.to_owned()), span);
            if let Some(above) = self.tree.as_mut().and_then(|tree| tree.last_mut()) {
                match &mut above.kind {
                    Kind::Mapping(entries) => entries.push(Entry { key, value }),
                    kind => *kind = Kind::Mapping(vec![Entry { key, value }]),
                }
            }
            return;
        }
        self.path.push(key.to_owned());
        tell(self);
        self.path.pop();
    }

    /// What is told, as a node; what tells nothing is an empty mapping.
    fn node(&mut self, span: Span, tell: impl FnOnce(&mut Self)) -> Node {
        let empty = Node::new(span, Kind::Mapping(Vec::new()));
        self.tree.get_or_insert_default().push(empty.clone());
        tell(self);
        self.tree.as_mut().and_then(Vec::pop).unwrap_or(empty)
    }

    /// Says one value.
    pub fn say(&mut self, value: &impl Display) {
        match self.tree.as_mut().map(|tree| tree.last_mut()) {
            None => self.all.push((self.path.join("."), value.to_string())),
            Some(None) => {}
            Some(Some(node)) => {
                node.kind = Kind::Scalar { text: Piece::rewritten(value.to_string()), plain: true };
            }
        }
    }

    /// Says a list: one text where its items are single values, in whose order there is no meaning; else
    /// each item under its number.
    pub fn list<'v, T: Decode + 'v>(&mut self, items: impl Iterator<Item = &'v T>) {
        if self.is_tree() {
            let items = items.map(|item| self.node(Span::default(), |facts| item.tell(facts))).collect();
            if let Some(above) = self.tree.as_mut().and_then(|tree| tree.last_mut()) {
                above.kind = Kind::Sequence(items);
            }
            return;
        }
        let told: Vec<_> = items.map(facts).collect();
        if told.iter().all(|item| matches!(item.as_slice(), [(key, _)] if key.is_empty())) {
            let mut words: Vec<_> = told.into_iter().flatten().map(|(_, word)| word).collect();
            words.sort();
            return self.say(&words.join(", "));
        }
        for (i, item) in told.into_iter().enumerate() {
            for (key, value) in item {
                let place: Vec<_> = self.path.iter().cloned().chain([i.to_string(), key]).collect();
                self.all.push((place.join("."), value));
            }
        }
    }
}

/// What a value says, in the order of its keys. What is not said is left out.
pub fn facts<T: Decode>(value: &T) -> Vec<(String, String)> {
    let mut facts = Facts::default();
    value.tell(&mut facts);
    facts.all
}

/// A value as the tree of a document that says it. What a preset filled in stands at the bytes of its `preset`,
/// and is left out beside it.
pub fn tree<T: Decode>(value: &Spanned<T>) -> Node {
    let mut facts = Facts { tree: Some(Vec::new()), ..Facts::default() };
    let mut node = facts.node(value.span, |facts| value.value.tell(facts));
    without_presets(&mut node);
    node
}

fn without_presets(node: &mut Node) {
    match &mut node.kind {
        Kind::Mapping(entries) => {
            let preset = entries.iter().find(|e| e.key.value == "preset").map(|e| e.value.span);
            entries.retain(|e| e.key.value == "preset" || preset.is_none_or(|at| !is_filled(&e.value, at)));
            entries.iter_mut().for_each(|e| without_presets(&mut e.value));
        }
        Kind::Sequence(items) => items.iter_mut().for_each(without_presets),
        _ => {}
    }
}

/// Whether all of a node stands at the bytes of a preset.
fn is_filled(node: &Node, preset: Span) -> bool {
    node.span == preset && node.entries().iter().all(|e| is_filled(&e.value, preset))
}
