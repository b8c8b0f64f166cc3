//! The objects of manifests, whatever documents and lists they stand in. Must not know what they mean.

use crate::finding::Finding;
use crate::import::notes::list;
use crate::import::tree::{at, text_at};
use crate::import::{ImportFile, Note};
use crate::source::Spanned;
use crate::spec::rules::INVALID_VALUE;
use crate::spec::tree::Node;
use std::collections::HashMap;

/// The namespace of an object that names none.
const DEFAULT: &str = "default";

/// One object.
#[derive(Debug, Clone)]
pub struct Object<'n> {
    /// Its kind, `Deployment`.
    pub kind: &'n str,
    /// The group of its API, `apps`; empty for the core.
    pub group: &'n str,
    /// Its name.
    pub name: Spanned<String>,
    /// Its namespace.
    pub namespace: &'n str,
    /// All that is said of it.
    pub node: &'n Node,
}

impl<'n> Object<'n> {
    /// What stands at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&'n Node> {
        at(self.node, path)
    }

    /// A text at a path of keys; empty where there is none.
    pub fn text(&self, path: &[&str]) -> &'n str {
        text_at(self.node, path)
    }
}

/// Kinds that say something about services: one of these without a name is a mistake. Tools have kinds of
/// their own that need none (`Kustomization`).
const READ: [&str; 15] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Rollout",
    "Job",
    "CronJob",
    "Pod",
    "Service",
    "ConfigMap",
    "Ingress",
    "HorizontalPodAutoscaler",
    "ServiceEntry",
    "DestinationRule",
    "VirtualService",
];

/// Whether a document says that it is an object.
pub fn is_object(node: &Node) -> bool {
    let said = |key| node.get(key).and_then(Node::text);
    // Backstage's entities have the same shape and say nothing of a cluster.
    said("kind").is_some() && said("apiVersion").is_some_and(|version| !version.starts_with("backstage.io/"))
}

/// All objects, in the order of the files; those of a list in its place. One without a name is a mistake; of
/// one that is there several times the last counts, since it is applied last.
pub fn all<'n>(
    files: &'n [ImportFile],
    findings: &mut Vec<Finding>,
    notes: &mut Vec<Note>,
) -> Vec<Object<'n>> {
    let mut found: Vec<Object<'n>> = Vec::new();
    let (mut known, mut again) = (HashMap::new(), Vec::new());
    let mut waiting: Vec<&Node> = files.iter().flat_map(|f| &f.documents).rev().collect();
    while let Some(node) = waiting.pop() {
        let kind = text_at(node, &["kind"]);
        match node.get("items") {
            Some(items) if kind.ends_with("List") => waiting.extend(items.items().iter().rev()),
            _ if is_object(node) => match object(node) {
                // Each object with a generated name is another one.
                Some(object) if at(node, &["metadata", "name"]).is_none() => found.push(object),
                Some(object) => {
                    let name = text_at(node, &["metadata", "name"]);
                    let key = (object.group, object.kind, object.namespace, name);
                    match known.get(&key).and_then(|at: &usize| found.get_mut(*at)) {
                        Some(before) => {
                            again.push(format!("{kind} `{name}`"));
                            *before = object;
                        }
                        None => {
                            known.insert(key, found.len());
                            found.push(object);
                        }
                    }
                }
                None if READ.contains(&kind) => findings.push(nameless(node, kind)),
                None => {}
            },
            _ => {}
        }
    }
    let several =
        list(again.into_iter()).map(|all| format!("there more than once, and the last counts: {all}"));
    notes.extend(several.map(|text| Note { text, span: None }));
    found
}

fn nameless(node: &Node, kind: &str) -> Finding {
    let at = node.get("kind").map_or(node.span, |n| n.span);
    let finding = Finding::new(&INVALID_VALUE, at, format!("this {kind} has no name"));
    finding.label("not read").help("give it a `metadata.name`")
}

fn object(node: &Node) -> Option<Object<'_>> {
    let name = at(node, &["metadata", "name"]).or_else(|| at(node, &["metadata", "generateName"]))?;
    let (group, _) = text_at(node, &["apiVersion"]).split_once('/').unwrap_or_default();
    let namespace = text_at(node, &["metadata", "namespace"]);
    Some(Object {
        kind: text_at(node, &["kind"]),
        group,
        name: Spanned::new(name.text()?.trim_end_matches('-').to_owned(), name.span),
        namespace: if namespace.is_empty() { DEFAULT } else { namespace },
        node,
    })
}

/// Labels: key and value.
pub type Labels<'n> = Vec<(&'n str, &'n str)>;

/// The labels of a mapping.
pub fn labels(node: Option<&Node>) -> Labels<'_> {
    let entries = node.map_or(&[][..], Node::entries);
    entries.iter().map(|e| (e.key.value.as_str(), e.value.text().unwrap_or_default())).collect()
}

/// Whether labels have all that a selector asks for; an empty selector selects nothing.
pub fn selects(selector: &Labels<'_>, labels: &Labels<'_>) -> bool {
    !selector.is_empty() && selector.iter().all(|wanted| labels.contains(wanted))
}
