//! Isotope topologies: services with the script of calls each runs.
//!
//! Read as isotope's own code reads them, where its page says otherwise. Must not know what a document means.

use crate::finding::Finding;
use crate::import::tree::{entry, list, mapping, section, text, word};
use crate::import::{Candidate, Format, ImportFile, Imported, Note, tree};
use crate::source::Span;
use crate::spec::Reader;
use crate::spec::rules::{DUPLICATE_DEFINITION, INVALID_VALUE};
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::HashSet;

/// Isotope.
pub static FORMAT: Format = Format {
    name: "isotope",
    summary: "isotope topologies: services with their scripts of calls, error rates, replicas",
    page: include_str!("isotope.md"),
    streams: |_| false,
    glance,
    recognise: is_topology,
    import,
};

/// What a topology says of a service; other formats with a list of services say other things.
const KEYS: [&str; 11] = [
    "name",
    "type",
    "numReplicas",
    "isEntrypoint",
    "errorRate",
    "responseSize",
    "requestSize",
    "script",
    "numRbacPolicies",
    "cluster",
    "namespace",
];

/// The one thing a service of isotope can be asked.
const ENDPOINT: &str = "/";

/// Whether the services are a list of what isotope says of one.
fn is_topology(file: &Candidate<'_>) -> bool {
    let services = file.first.get("services").map_or(&[][..], Node::items);
    services.first().is_some_and(|service| {
        let named = service.get("name").is_some_and(|name| name.text().is_some());
        named && service.entries().iter().all(|e| KEYS.contains(&e.key.value.as_str()))
    }) && ["_format_version", "communications"].iter().all(|key| file.first.get(key).is_none())
}

fn glance(_: &str, text: &str) -> bool {
    let marks = ["isEntrypoint:", "numReplicas:", "- call:"];
    text.lines().any(|line| line.trim_end() == "services:") && marks.iter().any(|mark| text.contains(mark))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of all formats")]
fn import(_: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let (mut findings, mut notes, mut services) = (Vec::new(), Vec::new(), Vec::new());
    let mut known = HashSet::new();
    for document in files.iter().flat_map(|f| &f.documents) {
        // The page writes `default`, the code reads `defaults`.
        let defaults = document.get("defaults").or_else(|| document.get("default"));
        notes.extend(left_out(document, defaults));
        for node in document.get("services").map_or(&[][..], Node::items) {
            let Some(name) = node.get("name") else {
                findings.push(Finding::new(
                    &INVALID_VALUE,
                    node.span,
                    "a service of a topology needs a `name`",
                ));
                continue;
            };
            let id = name.text().unwrap_or_default();
            if !known.insert(id.to_owned()) {
                let message = format!("the service `{id}` is there twice");
                findings.push(Finding::new(&DUPLICATE_DEFINITION, name.span, message));
                continue;
            }
            services.push(entry(id, name.span, service(&Given { node, defaults }, &mut findings)));
        }
    }
    let tree = tree::mapping(root, [("services", section(root, services))]);
    let document = tree::document(tree, root, &mut findings);
    Imported::of(file, document, findings, notes)
}

/// A service, and what holds for those that say nothing.
struct Given<'n> {
    node: &'n Node,
    defaults: Option<&'n Node>,
}

impl<'n> Given<'n> {
    fn get(&self, key: &str) -> Option<&'n Node> {
        let own = self.node.get(key).filter(|value| !value.is_null());
        own.or_else(|| self.defaults?.get(key)).filter(|value| !value.is_null())
    }
}

fn service(given: &Given<'_>, findings: &mut Vec<Finding>) -> Node {
    let whole = given.node.span;
    let public = given.get("isEntrypoint").filter(|said| said.text() == Some("true"));
    let details = mapping(
        whole,
        [
            ("protocol", given.get("type").cloned()),
            ("error_rate", given.get("errorRate").map(share)),
            ("calls", given.get("script").and_then(|script| steps(script, false, findings))),
        ],
    );
    let nothing = || Node::new(whole, Kind::Mapping(Vec::new()));
    let endpoints = section(whole, vec![entry(ENDPOINT, whole, details.unwrap_or_else(nothing))]);
    let entries = [
        ("exposure", public.map(|said| word("public", said.span))),
        ("replicas", given.get("numReplicas").cloned()),
        ("endpoints", endpoints),
    ];
    mapping(whole, entries).unwrap_or_else(nothing)
}

/// A share: `"0.1%"` without its quotes, `0.001` with a unit.
fn share(node: &Node) -> Node {
    let Some(said) = node.text() else { return node.clone() };
    let part = said.parse::<f64>().ok().filter(|part| (0.0..=1.0).contains(part));
    word(part.map_or_else(|| said.to_owned(), |part| format!("{:.10}%", part * 100.0)), node.span)
}

/// A scalar without its quotes.
fn bare(node: &Node) -> Node {
    node.text().map_or_else(|| node.clone(), |text| word(text, node.span))
}

/// The commands of a script, or those of a list in it, which run at the same time.
fn steps(script: &Node, at_once: bool, findings: &mut Vec<Finding>) -> Option<Node> {
    let mut all = Vec::new();
    for command in script.items() {
        if let Kind::Sequence(_) = command.kind {
            if at_once {
                let message = "a list of commands at the same time holds no further list";
                let finding = Finding::new(&INVALID_VALUE, command.span, message);
                findings
                    .push(finding.help("isotope knows one level: put the commands into the list around it"));
            } else if let Some(parallel) = steps(command, true, findings) {
                all.extend(mapping(command.span, [("parallel", Some(parallel))]));
            }
            continue;
        }
        let made = match command.entries() {
            [one] => step(one),
            _ => None,
        };
        if made.is_none() {
            let message = "a command is a mapping with one of call, sleep";
            findings.push(Finding::new(&INVALID_VALUE, command.span, message));
        }
        all.extend(made);
    }
    list(script.span, all)
}

fn step(command: &Entry) -> Option<Node> {
    let value = &command.value;
    match command.key.value.as_str() {
        "sleep" => mapping(value.span, [("work", Some(bare(value)))]),
        "call" => {
            let callee = match value.text() {
                Some(_) => value,
                None => value.get("service")?,
            };
            let target = text(callee.text()?, callee.span);
            mapping(
                value.span,
                [("call", Some(target)), ("probability", value.get("probability").and_then(chance))],
            )
        }
        _ => None,
    }
}

/// A number of hundred; isotope takes none and 0 for always.
fn chance(node: &Node) -> Option<Node> {
    let said = node.text()?;
    (said != "0").then(|| word(format!("{said}%"), node.span))
}

/// What a topology says that has no counterpart here.
fn left_out(document: &Node, defaults: Option<&Node>) -> Option<Note> {
    let services = document.get("services").map_or(&[][..], Node::items);
    let keys = ["requestSize", "responseSize", "numRbacPolicies", "cluster", "namespace"];
    let found: Vec<_> = keys
        .iter()
        .filter_map(|key| {
            let node = defaults.into_iter().chain(services).find_map(|given| given.get(key))?;
            Some((*key, node.span))
        })
        .collect();
    let words: Vec<_> = found.iter().map(|(key, _)| format!("`{key}`")).collect();
    let span = found.first().map(|(_, span)| *span)?;
    let text = format!("of the topology is left out what has no counterpart here: {}", words.join(", "));
    Some(Note { text, span: Some(span) })
}
