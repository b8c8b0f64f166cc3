//! How one compose service lies on top of another: as compose overlays files, and as `extends` does.
//!
//! Source: the Compose Specification, "Merge". Must not know where the services came from.

use crate::source::{Piece, Spanned};
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::HashMap;

/// Brings the keys of a service that have several shapes into one: `environment`, `depends_on`,
/// `networks` and `labels` become mappings, `env_file` a list. What does not fit a shape stays.
pub fn normalise(service: &mut Node) {
    let Kind::Mapping(entries) = &mut service.kind else { return };
    for entry in entries {
        match entry.key.value.as_str() {
            "environment" | "labels" => to_mapping(&mut entry.value, assignment),
            "depends_on" | "networks" => to_mapping(&mut entry.value, name),
            "env_file" => to_sequence(&mut entry.value),
            "deploy" => {
                if let Some(labels) = entry.value.get_mut("labels") {
                    to_mapping(labels, assignment);
                }
            }
            _ => {}
        }
    }
}

fn to_mapping(node: &mut Node, entry: fn(&Node) -> Option<Entry>) {
    let Kind::Sequence(items) = &node.kind else { return };
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    let mut seen = HashMap::new();
    for new in items.iter().filter_map(entry) {
        // The last of several counts, at the place of the first.
        if let Some(old) = seen.get(&new.key.value).and_then(|at: &usize| entries.get_mut(*at)) {
            *old = new;
        } else {
            seen.insert(new.key.value.clone(), entries.len());
            entries.push(new);
        }
    }
    node.kind = Kind::Mapping(entries);
}

/// `KEY=value`, split at the first `=`; without one the value comes from elsewhere.
fn assignment(item: &Node) -> Option<Entry> {
    let text = item.text()?;
    let Some((key, value)) = text.split_once('=') else {
        return name(item);
    };
    let at = key.len() + 1;
    let kind = Kind::Scalar { text: value.into(), plain: false };
    let value = Node::new(item.part(at, text.len()), kind);
    Some(Entry { key: Spanned::new(key.into(), item.part(0, key.len())), value })
}

fn name(item: &Node) -> Option<Entry> {
    let text = item.text()?.to_owned();
    Some(Entry { key: Spanned::new(text.into(), item.span), value: Node::new(item.span, Kind::Null) })
}

fn to_sequence(node: &mut Node) {
    if !matches!(node.kind, Kind::Sequence(_) | Kind::Null) {
        let mut inner = std::mem::replace(node, Node::new(node.span, Kind::Null));
        let tag = inner.tag.take();
        *node = Node { span: inner.span, kind: Kind::Sequence(vec![inner]), tag };
    }
}

/// What a mapping is, which decides how its keys merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Services,
    Service,
    HealthCheck,
    Other,
}

impl Level {
    fn below(self, key: &str) -> Self {
        match self {
            Self::Services => Self::Service,
            Self::Service if key == "healthcheck" => Self::HealthCheck,
            _ => Self::Other,
        }
    }

    /// Keys whose list or string is replaced, not added to.
    fn replaces(self, key: &str) -> bool {
        match self {
            Self::Service => matches!(key, "command" | "entrypoint"),
            Self::HealthCheck => key == "test",
            Self::Services | Self::Other => false,
        }
    }
}

/// Lays services on top of those of the same name.
pub fn lay_services(base: &mut Node, over: Node) {
    lay(base, over, Level::Services);
}

/// Lays one service on top of another.
pub fn lay_service(base: &mut Node, over: Node) {
    lay(base, over, Level::Service);
}

/// Mappings merge, lists are added to, single values are replaced. `!reset` takes a key away, `!override`
/// replaces it whole.
fn lay(base: &mut Node, over: Node, level: Level) {
    let tag = over.tag.as_deref().unwrap_or_default();
    match (&mut base.kind, over.kind) {
        (Kind::Mapping(entries), Kind::Mapping(news)) if tag != "!override" => {
            lay_entries(entries, news, level);
        }
        (Kind::Sequence(items), Kind::Sequence(news)) if tag != "!override" => items.extend(news),
        // A key without a value changes nothing below it.
        (Kind::Mapping(_) | Kind::Sequence(_), Kind::Null) if tag != "!override" => {}
        (_, kind) => *base = Node { span: over.span, kind, tag: None },
    }
}

fn lay_entries(entries: &mut Vec<Entry>, news: Vec<Entry>, level: Level) {
    let mut index: HashMap<Piece, usize> =
        entries.iter().enumerate().map(|(i, e)| (e.key.value.clone(), i)).collect();
    let mut removed = Vec::new();
    for new in news {
        let key = &new.key.value;
        let at = index.get(key).copied();
        let below = level.below(key);
        match at.and_then(|at| entries.get_mut(at)) {
            Some(_) if new.value.tag.as_deref() == Some("!reset") => removed.extend(at),
            Some(old) if level.replaces(key) => old.value = new.value,
            // A variable says anew where its value comes from, even without one.
            Some(old)
                if new.value.is_null() && matches!(old.value.kind, Kind::Scalar { .. } | Kind::Null) =>
            {
                *old = new;
            }
            Some(old) => lay(&mut old.value, new.value, below),
            None => {
                index.insert(key.clone(), entries.len());
                entries.push(new);
            }
        }
    }
    removed.sort_unstable();
    for at in removed.into_iter().rev() {
        if at < entries.len() {
            entries.remove(at);
        }
    }
}

/// Takes away what is tagged `!reset` and had nothing below.
pub fn drop_resets(node: &mut Node) {
    match &mut node.kind {
        Kind::Mapping(entries) => {
            entries.retain(|e| e.value.tag.as_deref() != Some("!reset"));
            for entry in entries {
                drop_resets(&mut entry.value);
            }
        }
        Kind::Sequence(items) => items.iter_mut().for_each(drop_resets),
        _ => {}
    }
}
