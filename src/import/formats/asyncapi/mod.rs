//! `AsyncAPI`: each file is one application; what several send to and receive from one address of one server
//! joins them.
//!
//! Must not know what a document means.

mod references;

use crate::finding::Finding;
use crate::import::tree::{entry, id_of, list, mapping, section, text, text_at};
use crate::import::{Candidate, Format, ImportFile, Imported, Note, tree};
use crate::source::Span;
use crate::spec::Reader;
use crate::spec::rules::DUPLICATE_DEFINITION;
use crate::spec::tree::{Entry, Kind, Node};
use references::{Place, References};
use std::collections::{HashMap, HashSet};

/// `AsyncAPI`.
pub static FORMAT: Format = Format {
    name: "asyncapi",
    summary: "AsyncAPI 2 and 3: one service each, topics and queues with who sends and who receives",
    page: include_str!("asyncapi.md"),
    streams: |_| false,
    glance: |_, text| text.lines().any(says_version),
    recognise: |file: &Candidate<'_>| is_application(file.first),
    import,
};

fn says_version(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('"');
    line.starts_with("asyncapi:") || line.starts_with("asyncapi\"")
}

fn is_application(node: &Node) -> bool {
    node.get("asyncapi").is_some_and(|version| version.text().is_some())
}

fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let references = References::load(reader, files, &mut notes);
    let mut channels = Channels::default();
    let mut services = Vec::new();
    let mut known = HashSet::new();
    for application in references.applications() {
        let title = tree::at(application.node, &["info", "title"]);
        let at = title.map_or(application.node.span, |t| t.span);
        let id = id_of(title.and_then(Node::text).unwrap_or_default(), "application");
        if !known.insert(id.clone()) {
            let message = format!("the application `{id}` is there twice");
            let finding = Finding::new(&DUPLICATE_DEFINITION, at, message);
            findings.push(finding.help("give every application its own `info.title`"));
            continue;
        }
        services.push(entry(&id, at, service(application, title, &references, &mut channels)));
    }
    if services.len() > 1 && !channels.all.iter().any(|c| c.sent && c.received) {
        let text = "the files share no channel: no address of one server is both sent to and received from";
        notes.push(Note { text: text.to_owned(), span: None });
    }
    let channel = |c: &Channel| entry(&c.id, c.span, outside(c));
    let (queues, topics): (Vec<_>, Vec<_>) = channels.all.iter().partition(|c| c.queue);
    let sections = [
        ("services", section(root, services)),
        ("queues", section(root, queues.into_iter().map(channel).collect())),
        ("topics", section(root, topics.into_iter().map(channel).collect())),
    ];
    let document = tree::document(tree::mapping(root, sections), root, &mut findings);
    Imported::of(file, document, findings, notes)
}

fn nothing(span: Span) -> Node {
    Node::new(span, Kind::Mapping(Vec::new()))
}

/// Who is on the other side where no file says so.
fn outside(channel: &Channel) -> Node {
    let yes = |is: bool| is.then(|| tree::word("true", channel.span));
    let entries =
        [("external_producers", yes(!channel.sent)), ("external_consumers", yes(!channel.received))];
    mapping(channel.span, entries).unwrap_or_else(|| nothing(channel.span))
}

/// Where messages wait: an address on a server.
#[derive(Debug)]
struct Channel {
    id: String,
    span: Span,
    queue: bool,
    sent: bool,
    received: bool,
}

/// All channels, by address and host.
#[derive(Debug, Default)]
struct Channels {
    all: Vec<Channel>,
    known: HashMap<(String, String), usize>,
    ids: HashSet<String>,
}

impl Channels {
    /// The id of a channel, which is sent to or received from.
    fn used(&mut self, channel: Place<'_>, name: &str, references: &References, sends: bool) -> String {
        let address = channel.node.get("address").and_then(Node::text).unwrap_or(name).to_owned();
        let hosts = references.hosts(channel);
        let known = hosts.iter().find_map(|host| self.known.get(&(address.clone(), host.clone())).copied());
        let at = known.unwrap_or_else(|| self.add(&address, hosts.first(), channel.node));
        for host in hosts {
            self.known.entry((address.clone(), host)).or_insert(at);
        }
        let Some(found) = self.all.get_mut(at) else { return address };
        found.sent |= sends;
        found.received |= !sends;
        found.id.clone()
    }

    fn add(&mut self, address: &str, host: Option<&String>, node: &Node) -> usize {
        let plain = address.split_whitespace().collect::<Vec<_>>().join("-");
        let id = match host {
            Some(host) if self.ids.contains(&plain) => format!("{plain}@{host}"),
            _ => plain,
        };
        self.ids.insert(id.clone());
        let queue = text_at(node, &["bindings", "amqp", "is"]) == "queue";
        self.all.push(Channel { id, span: node.span, queue, sent: false, received: false });
        self.all.len() - 1
    }
}

/// What an application does.
#[derive(Debug, Default)]
struct Doings {
    endpoints: Vec<Entry>,
    consumes: Vec<Entry>,
    seen: HashSet<(bool, String)>,
}

impl Doings {
    /// Notes that a channel is sent to or received from, once.
    fn add(&mut self, sends: bool, channel: String, name: &str, span: Span) {
        if !self.seen.insert((sends, channel.clone())) {
            return;
        }
        if !sends {
            self.consumes.push(entry(&channel, span, nothing(span)));
            return;
        }
        let step = mapping(span, [("publish", Some(text(channel, span)))]);
        let calls = list(span, step.into_iter().collect());
        let node = mapping(span, [("calls", calls)]).unwrap_or_else(|| nothing(span));
        self.endpoints.push(entry(name, span, node));
    }
}

fn service(
    application: Place<'_>,
    title: Option<&Node>,
    references: &References,
    channels: &mut Channels,
) -> Node {
    let mut doings = Doings::default();
    if text_at(application.node, &["asyncapi"]).starts_with("2.") {
        second(application, references, channels, &mut doings);
    } else {
        third(application, references, channels, &mut doings);
    }
    let node = application.node;
    let quoted = |key: &str| {
        let found = tree::at(node, &["info", key])?;
        Some(text(found.text()?, found.span))
    };
    let entries = [
        ("title", title.and_then(|t| Some(text(t.text()?, t.span)))),
        ("description", quoted("description")),
        ("version", quoted("version")),
        ("endpoints", section(node.span, doings.endpoints)),
        ("consumes", section(node.span, doings.consumes)),
    ];
    mapping(node.span, entries).unwrap_or_else(|| nothing(node.span))
}

/// `AsyncAPI` 3: an action is the application's own.
fn third(application: Place<'_>, references: &References, channels: &mut Channels, doings: &mut Doings) {
    for operation in application.node.get("operations").map_or(&[][..], Node::entries) {
        let Some(found) = references.follow(application.with(&operation.value)) else { continue };
        let sends = match text_at(found.node, &["action"]) {
            "send" => true,
            "receive" => false,
            _ => continue,
        };
        let name = operation.key.value.as_str();
        for (path, sends) in [(&["channel"][..], sends), (&["reply", "channel"][..], !sends)] {
            let Some(channel) = tree::at(found.node, path) else { continue };
            let key = references::last(channel);
            let Some(place) = references.follow(found.with(channel)) else { continue };
            let id = channels.used(place, &key, references, sends);
            doings.add(sends, id, name, operation.key.span);
        }
    }
}

/// `AsyncAPI` 2: an operation is what others do to the application: what they publish it receives.
fn second(application: Place<'_>, references: &References, channels: &mut Channels, doings: &mut Doings) {
    for channel in application.node.get("channels").map_or(&[][..], Node::entries) {
        let Some(place) = references.follow(application.with(&channel.value)) else { continue };
        let address = channel.key.value.as_str();
        for (word, sends) in [("publish", false), ("subscribe", true)] {
            let Some(operation) = place.node.get(word) else { continue };
            let named = operation.get("operationId").and_then(Node::text);
            let name = named.map_or_else(|| format!("send {address}"), str::to_owned);
            let id = channels.used(place, address, references, sends);
            doings.add(sends, id, &name, channel.key.span);
        }
    }
}
