//! Names, each kept once, and what is known of those on the other side of calls.

use super::span::Name;
use super::tags::{Kind, Tags};
use crate::import::clues::roles::{Role, role};
use crate::spec::vocabulary::{DatastoreKind, Protocol};
use std::borrow::Cow;
use std::collections::HashMap;

/// Beyond so many different names all others are one: operations that carry identifiers have no end.
const MOST: usize = 50_000;

/// The same for services, processes and what they call, which are told apart when operations no longer are.
const MOST_IDS: usize = 500_000;

/// What the others are called.
const OTHER: &str = "(other)";

/// Every name that was met.
#[derive(Debug, Default)]
pub struct Names {
    all: Vec<Box<str>>,
    known: HashMap<Box<str>, Name>,
    /// What spans show of the other side.
    sides: HashMap<Name, Side>,
}

/// What is on the other side of calls that nobody answers in the traces.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Side {
    /// Messages go to it: how.
    pub channel: Option<Protocol>,
    /// It keeps data.
    pub store: Option<DatastoreKind>,
}

impl Names {
    /// The name of an operation; `NONE` for an empty one.
    pub fn name(&mut self, text: &str) -> Name {
        self.keep(text, MOST)
    }

    fn keep(&mut self, text: &str, most: usize) -> Name {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        if text.is_empty() {
            return Name::NONE;
        }
        let text = if self.all.len() < most { text } else { OTHER };
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let name = Name(self.all.len() as u32);
        self.all.push(text.into());
        self.known.insert(text.into(), name);
        name
    }

    /// Its text.
    pub fn text(&self, name: Name) -> &str {
        self.all.get(name.0 as usize).map(|text| &**text).unwrap_or_default()
    }

    /// Whether there were more than are told apart.
    pub fn too_many(&self) -> bool {
        self.all.len() > MOST
    }

    /// The name of an id: without white space.
    pub fn id(&mut self, text: &str) -> Name {
        let text = text.trim();
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let parts = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|p| !p.is_empty());
            return self.keep(&parts.collect::<Vec<_>>().join("-"), MOST_IDS);
        }
        self.keep(text, MOST_IDS)
    }

    /// The other side of a span, with what its tags show of it.
    pub fn side(&mut self, kind: Kind, operation: &str, tags: &Tags<'_>) -> Name {
        let messages = matches!(kind, Kind::Producer | Kind::Consumer);
        if !messages && kind != Kind::Client {
            return Name::NONE;
        }
        let said = tags.peers.iter().flatten();
        let texts: Vec<&Cow<'_, str>> = if messages {
            let mut said = said;
            let first = tags.peers.first().iter().find_map(|p| p.as_ref());
            let rest = said.find(|name| Some(*name) != first);
            [first, tags.destination.as_ref(), tags.broker.as_ref(), rest].into_iter().flatten().collect()
        } else {
            said.chain(&tags.database).collect()
        };
        let Some(text) =
            texts.first().map(|text| short(text)).or_else(|| messages.then(|| channel(operation)))
        else {
            return Name::NONE;
        };
        let name = self.id(text);
        let product = if messages { &tags.broker } else { &tags.database };
        let role = role(text, product.as_deref().unwrap_or_default(), &|_| false);
        let side = self.sides.entry(name).or_default();
        match role {
            Role::Broker(_, protocol) if messages => side.channel = Some(protocol),
            _ if messages => side.channel = side.channel.or(Some(Protocol::MessageQueue)),
            Role::Datastore(kind) => {
                side.store = side.store.filter(|k| *k != DatastoreKind::Other).or(Some(kind));
            }
            _ if product.is_some() || tags.operation.is_some() => {
                side.store = side.store.or(Some(DatastoreKind::Other));
            }
            _ => {}
        }
        name
    }

    /// What is known of the other side.
    pub fn side_of(&self, name: Name) -> Side {
        self.sides.get(&name).copied().unwrap_or_default()
    }
}

/// A cluster's own name for a host, without what is the same for all: `ratings.shop.svc.cluster.local` is
/// `ratings.shop`.
fn short(host: &str) -> &str {
    host.strip_suffix(".svc.cluster.local").or_else(|| host.strip_suffix(".svc")).unwrap_or(host)
}

/// The channel in the name of an operation: `orders publish`, `send orders`.
fn channel(operation: &str) -> &str {
    let verbs = ["publish", "send", "create", "receive", "process", "deliver", "poll", "consume", "settle"];
    let is_verb = |word: &str| verbs.iter().any(|verb| word.eq_ignore_ascii_case(verb));
    let rest = match (operation.split_once(' '), operation.rsplit_once(' ')) {
        (Some((verb, rest)), _) if is_verb(verb) => rest,
        (_, Some((rest, verb))) if is_verb(verb) => rest,
        _ if is_verb(operation) => "",
        _ => operation,
    };
    if rest.trim().is_empty() { "messages" } else { rest }
}

/// Whether an operation of a database changes something.
pub fn writes(said: &str) -> bool {
    const VERBS: [&str; 16] = [
        "insert", "update", "delete", "replace", "upsert", "merge", "create", "drop", "set", "setex", "put",
        "hset", "incr", "del", "lpush", "save",
    ];
    let verb = said.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    VERBS.iter().any(|known| verb.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::formats::traces::text::Text;

    #[test]
    fn the_other_side_and_what_it_is() {
        let store = |kind| Side { store: Some(kind), channel: None };
        let sent = |protocol| Side { store: None, channel: Some(protocol) };
        for (kind, operation, tags, name, side) in [
            (Kind::Client, "", &[("peer.service", "cart")][..], "cart", Side::default()),
            (Kind::Server, "", &[("peer.service", "cart")], "", Side::default()),
            (Kind::Client, "", &[("http.url", "http://a.b.svc.cluster.local:80/")], "a.b", Side::default()),
            (
                Kind::Client,
                "",
                &[("db.system", "postgresql"), ("db.name", "orders")],
                "orders",
                store(DatastoreKind::Postgres),
            ),
            (
                Kind::Client,
                "",
                &[("db.system", "redis"), ("net.peer.name", "cache")],
                "cache",
                store(DatastoreKind::Redis),
            ),
            (Kind::Client, "", &[("db.system", "redis")], "redis", store(DatastoreKind::Redis)),
            (
                Kind::Client,
                "",
                &[("peer.service", "app"), ("sql.query", "x")],
                "app",
                store(DatastoreKind::Other),
            ),
            (
                Kind::Producer,
                "",
                &[("messaging.system", "kafka"), ("messaging.destination.name", "orders")],
                "orders",
                sent(Protocol::EventStream),
            ),
            (
                Kind::Consumer,
                "",
                &[("peer.service", "rabbitmq"), ("rabbit.queue", "q")],
                "rabbitmq",
                sent(Protocol::MessageQueue),
            ),
            (Kind::Producer, "orders publish", &[], "orders", sent(Protocol::MessageQueue)),
            (Kind::Consumer, "poll", &[], "messages", sent(Protocol::MessageQueue)),
        ] {
            let mut all = Tags::default();
            for (key, value) in tags {
                all.take(key, Text::Said((*value).into()));
            }
            let mut names = Names::default();
            let found = names.side(kind, operation, &all);
            assert_eq!((names.text(found), names.side_of(found)), (name, side), "{kind:?} {tags:?}");
        }
    }

    #[test]
    fn names_without_end_are_one() {
        let mut names = Names::default();
        let first = names.name("a");
        for i in 0..2 * MOST {
            names.name(&i.to_string());
        }
        assert!(names.too_many());
        assert_eq!(names.text(names.known["(other)"]), OTHER);
        assert_eq!(
            (names.name("a"), names.name("new"), names.all.len()),
            (first, names.known["(other)"], MOST + 1)
        );
        assert_eq!(names.name(""), Name::NONE);
        for service in ["7", "a-service-that-comes-late"] {
            let id = names.id(service);
            assert_eq!(names.text(id), service);
        }
    }

    #[test]
    fn what_changes_data() {
        for (said, changes) in
            [("INSERT INTO a", true), ("select 1", false), ("HSET", true), ("settings", false), ("", false)]
        {
            assert_eq!(writes(said), changes, "{said}");
        }
    }
}
