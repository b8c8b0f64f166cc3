//! Imported documents as one document of our own, with comments that say where everything came from.
//!
//! Read back it gives the same graph. What may hold secrets, the variables of processes, is left out.

use crate::source::{Sources, Span};
use crate::spec::facts::tree;
use crate::spec::tree::{Entry, Kind, Node};
use crate::spec::write::{ITEM, Remark, yaml};
use crate::spec::{Evidence, FileDocument};
use std::collections::{HashMap, HashSet};

/// As many pieces of evidence as are named for one edge.
const SHOWN: usize = 4;

/// The text of what was imported; `notes` are what is worth knowing, as sentences.
pub fn write(documents: &[FileDocument], sources: &Sources, notes: &[String]) -> String {
    let imported: Vec<_> = documents.iter().filter(|d| d.imported.is_some()).collect();
    let root = joined(&imported);
    let evidence: Vec<&[Evidence]> =
        imported.iter().filter_map(|d| d.imported.as_ref()).flatten().map(Vec::as_slice).collect();
    let place = |span: Span| {
        let at = sources.locate(span);
        format!("{}:{}", sources.file(span.file).name, at.line)
    };
    let homes = homes(&root);
    let remarks = |path: &[&str], at: usize| {
        if path == ["communications", ITEM] {
            let shown = evidence.get(at).copied().unwrap_or_default();
            return Remark { above: reasons(shown, &place), ..Remark::default() };
        }
        let home = if let [section, id] = path { homes.get(&(*section, *id)) } else { None };
        let behind = home.map(|span| place(*span));
        Remark { behind, apart: path.len() == 1, ..Remark::default() }
    };
    let body = yaml(&root, &remarks);
    // A document of comments only would be an empty file.
    let body = if body.is_empty() { "services: {}\n".to_owned() } else { body };
    head(&imported, sources, notes) + &body
}

/// Where everything with a name is defined, by section and id.
fn homes(root: &Node) -> HashMap<(&str, &str), Span> {
    let sections = ["services", "datastores", "queues", "topics", "upstreams"];
    let of = |section| root.get(section).map_or(&[][..], Node::entries).iter().map(move |e| (section, e));
    let all = sections.into_iter().flat_map(of);
    all.map(|(section, entry)| ((section, entry.key.value.as_str()), entry.value.span)).collect()
}

/// What the document is, and what is to be known of it.
fn head(imported: &[&FileDocument], sources: &Sources, notes: &[String]) -> String {
    let mut seen = HashSet::new();
    let files = imported.iter().map(|d| sources.file(d.file).name.as_str()).filter(|name| seen.insert(*name));
    let files = files.collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        format!(
            "Made by `loadpath import` from {files}: what is known of the system, with where it is known from."
        ),
        "Variables of the processes are left out.".to_owned(),
    ];
    if imported.iter().all(|d| d.document.traffic.is_none()) {
        lines.push("Own work, traffic and promises are yours to add.".to_owned());
    }
    lines.extend(notes.iter().map(|note| format!("- {}", note.lines().collect::<Vec<_>>().join(" "))));
    format!("# {}\n\n", lines.join("\n# "))
}

/// What shows an edge, strongest first.
fn reasons(evidence: &[Evidence], place: &dyn Fn(Span) -> String) -> Vec<String> {
    let mut lines: Vec<String> =
        evidence.iter().take(SHOWN).map(|e| format!("{}, {}", e.source, place(e.span))).collect();
    if evidence.len() > SHOWN {
        lines.push(format!("and {} more", evidence.len() - SHOWN));
    }
    if !evidence.is_empty() && evidence.iter().all(Evidence::is_start_order) {
        lines.push("assumed: only the order of starting shows it".to_owned());
    }
    lines
}

/// All documents as the tree of one. Of what several say the first counts.
fn joined(imported: &[&FileDocument]) -> Node {
    let mut root: Vec<Entry> = Vec::new();
    for document in imported {
        let Kind::Mapping(mut entries) = telling(document).kind else { continue };
        for mut entry in entries.drain(..) {
            let home = root.iter_mut().find(|known| known.key.value == entry.key.value);
            match (home.map(|known| &mut known.value.kind), &mut entry.value.kind) {
                (None, _) => root.push(entry),
                (Some(Kind::Mapping(known)), Kind::Mapping(new)) => {
                    let ids: HashSet<_> = known.iter().map(|e| e.key.value.clone()).collect();
                    known.extend(new.drain(..).filter(|e| !ids.contains(&e.key.value)));
                }
                (Some(Kind::Sequence(known)), Kind::Sequence(new)) => known.append(new),
                _ => {}
            }
        }
    }
    Node::new(Span::default(), Kind::Mapping(root))
}

/// What a document says, without the variables of processes, with what only evidence tells.
fn telling(document: &FileDocument) -> Node {
    let mut node = tree(&document.document);
    for section in ["services", "datastores"] {
        let Some(Kind::Mapping(entries)) = node.get_mut(section).map(|n| &mut n.kind) else { continue };
        for entry in entries {
            if let Kind::Mapping(keys) = &mut entry.value.kind {
                keys.retain(|key| key.key.value != "environment");
            }
        }
    }
    if let Some(Kind::Sequence(items)) = node.get_mut("communications").map(|n| &mut n.kind) {
        for (item, evidence) in items.iter_mut().zip(document.imported.iter().flatten()) {
            if !evidence.is_empty() && evidence.iter().all(|e| e.telemetry) {
                let yes = Kind::Scalar { text: "true".into(), plain: true };
                let key = crate::source::Spanned::new("telemetry".into(), item.span);
                if let Kind::Mapping(keys) = &mut item.kind {
                    keys.push(Entry { key, value: Node::new(item.span, yes) });
                }
            }
        }
    }
    node
}
