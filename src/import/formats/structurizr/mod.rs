//! Structurizr workspaces, as JSON and in their own language: containers become services, datastores and
//! queues, relationships edges.
//!
//! Must not know what a document means.

mod document;
mod dsl;
mod json;
mod names;
mod words;
mod workspace;

pub use dsl::is_dsl;

use crate::import::{Candidate, Format, ImportFile, Imported, tree};
use crate::source::Span;
use crate::spec::Reader;
use workspace::Workspace;

/// Structurizr.
pub static FORMAT: Format = Format {
    name: "structurizr",
    summary: "Structurizr workspaces, JSON or DSL: containers, relationships, systems of others",
    page: include_str!("structurizr.md"),
    streams: |_| false,
    glance: |name, text| {
        is_dsl(name, text) || (text.contains("\"softwareSystems\"") && text.contains("\"model\""))
    },
    recognise: |file: &Candidate<'_>| {
        json::is_workspace(file.first) || file.first.text().is_some_and(|text| is_dsl(file.name, text))
    },
    import,
};

#[expect(clippy::needless_pass_by_value, reason = "the shape of all formats")]
fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let mut workspace = Workspace::default();
    for file in &files {
        let first = file.first();
        workspace = if first.text().is_some() {
            dsl::read(reader, file.file, workspace, &mut findings, &mut notes)
        } else {
            json::read(&first, workspace)
        };
    }
    let drawn = document::make(&workspace, root, &mut notes);
    let document = tree::document(drawn.tree, root, &mut findings);
    let mut imported = Imported::of(file, document, findings, notes);
    imported.document.imported = Some(drawn.evidence);
    imported
}
