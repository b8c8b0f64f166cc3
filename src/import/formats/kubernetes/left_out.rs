//! What manifests say that has no counterpart here, so that nothing is lost in silence.

use super::objects::Object;
use crate::import::Note;
use crate::import::notes::list;
use crate::source::Span;
use crate::spec::tree::{Entry, Node};
use std::collections::BTreeMap;

/// Keys by kind of object, with the names of the objects that have them.
#[derive(Debug, Default)]
pub struct LeftOut {
    all: BTreeMap<(String, String), (Span, Vec<String>)>,
}

impl LeftOut {
    /// Notes a key of an object.
    pub fn add(&mut self, object: &Object<'_>, key: &str, node: &Node) {
        let found = self.all.entry((object.kind.to_owned(), key.to_owned()));
        let (_, names) = found.or_insert_with(|| (node.span, Vec::new()));
        if names.last() != Some(&object.name.value) {
            names.push(object.name.value.clone());
        }
    }

    /// Notes the keys of a mapping that are not among those that were read; `prefix` leads to them.
    pub fn rest(&mut self, object: &Object<'_>, prefix: &str, node: &Node, read: &[&str]) {
        let others = node.entries().iter().filter(|e: &&Entry| !read.contains(&e.key.value.as_str()));
        for other in others {
            self.add(object, &format!("{prefix}{}", other.key.value.as_str()), &other.value);
        }
    }

    /// One sentence for each key.
    pub fn notes(self) -> impl Iterator<Item = Note> {
        self.all.into_iter().map(|((kind, key), (span, names))| {
            let names = list(names.iter().map(|name| format!("`{name}`"))).unwrap_or_default();
            let text = format!("{kind} {names}: `{key}` has no counterpart here and is left out");
            Note { text, span: Some(span) }
        })
    }
}
