//! Backstage catalogs: Components become services, Resources datastores, queues or what others run; whoever
//! consumes an API calls whoever provides it.
//!
//! References are resolved as Backstage's `BuiltinKindsEntityProcessor` does it. Must not know what a
//! document means.

mod edges;
mod entity;
mod locations;
mod nodes;
mod roles;

use crate::import::notes::shown;
use crate::import::tree::section;
use crate::import::{Candidate, Format, ImportFile, Imported, Note, tree};
use crate::source::Span;
use crate::spec::Reader;
use entity::{Catalog, is_entity};
use nodes::Nodes;

/// Backstage.
pub static FORMAT: Format = Format {
    name: "backstage",
    summary: "Backstage catalogs: components, resources, who consumes whose API, owners, systems",
    page: include_str!("backstage.md"),
    streams: |_| false,
    glance: |_, text| text.lines().any(|line| line.starts_with("apiVersion: backstage.io/")),
    recognise: |file: &Candidate<'_>| file.documents().find(|d| !d.is_null()).is_some_and(is_entity),
    import,
};

fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let files = locations::follow(reader, files, &mut notes);
    let catalog = Catalog::new(&files, &mut findings);
    let known = Nodes::new(&catalog);
    let calls = edges::find(&catalog, &known, &mut findings, &mut notes);
    left_out(&catalog, &mut notes);
    coverage(&known, &calls, &mut notes);
    let [services, datastores, queues, topics] = nodes::sections(&catalog, &known, &calls);
    let sections = [
        ("services", section(root, services)),
        ("datastores", section(root, datastores)),
        ("queues", section(root, queues)),
        ("topics", section(root, topics)),
    ];
    let document = tree::document(tree::mapping(root, sections), root, &mut findings);
    Imported::of(file, document, findings, notes)
}

/// Components that do not run, and texts that stand elsewhere.
fn left_out(catalog: &Catalog<'_>, notes: &mut Vec<Note>) {
    let libraries = catalog.of("component").filter(|(_, e)| nodes::is_library(e));
    let names: Vec<_> = libraries.map(|(_, e)| format!("`{}`", e.name.value)).collect();
    if !names.is_empty() {
        let text = format!("left out, since a library is a part of what uses it: {}", shown(&names));
        notes.push(Note { text, span: None });
    }
    for entity in &catalog.entities {
        let spec = entity.node.get("spec").map_or(&[][..], crate::spec::tree::Node::entries);
        for entry in spec.iter().filter(|e| e.key.value != "definition") {
            let [inner] = entry.value.entries() else { continue };
            let word = inner.key.value.as_str();
            if matches!(word, "$text" | "$json" | "$yaml") {
                let text = format!(
                    "`{word}` is not followed: what it says of `{}` of `{}` is not known",
                    entry.key.value, entity.name.value
                );
                notes.push(Note { text, span: Some(inner.key.span) });
            }
        }
    }
}

/// That a catalog cannot show the whole picture, where it does not.
fn coverage(known: &Nodes, calls: &edges::Calls, notes: &mut Vec<Note>) {
    if known.count() > 1 && calls.is_empty() {
        let text = "the catalog shows no `dependsOn` and no `consumesApis` that leads to a provider: edges cannot be known from it; add traces or an overlay";
        notes.insert(0, Note { text: text.to_owned(), span: None });
    }
}
