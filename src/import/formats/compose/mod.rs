//! docker-compose files: services become services, well-known images datastores, and every hint of a
//! call an edge with its evidence.
//!
//! Files are read as compose reads them: overlaid in the order given, with `include`, `extends`, `.env`
//! and `env_file`. The environment of the shell is *not* used, so that the same files always give the
//! same graph; a variable that `.env` does not set is empty unless it has a default. Must not know what
//! a document means.

mod document;
mod dotenv;
mod edges;
mod interpolate;
mod keys;
mod merge;
mod names;
mod notes;
mod project;
mod scope;
mod sniff;
mod start_order;
mod unit;

pub use dotenv::{Assignment, parse as parse_dotenv};
pub use interpolate::{Expanded, LONGEST, Problem, Trouble, Vars, expand};

use crate::finding::Finding;
use crate::import::{Format, ImportFile, Imported};
use crate::source::{Span, Spanned};
use crate::spec::decode::{Ctx, check_id};
use crate::spec::vocabulary::Document;
use crate::spec::{Map, Reader};
use names::Names;
use unit::Unit;

/// docker-compose.
pub static FORMAT: Format = Format {
    name: "compose",
    summary: "docker-compose files, overlaid in the order given: services, datastores, calls by address and depends_on",
    page: include_str!("compose.md"),
    streams: |_| false,
    glance: |name, _| sniff::is_usual(name),
    recognise: sniff::is_compose,
    import,
};

fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    // Documents of one file lie on top of each other like files.
    let alone =
        |f: ImportFile| f.documents.into_iter().map(move |d| ImportFile { file: f.file, documents: vec![d] });
    let files: Vec<_> = files.into_iter().flat_map(alone).collect();
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let names: Vec<_> = files.iter().map(|f| reader.sources.file(f.file).name.clone()).collect();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let titles: Vec<_> = files.iter().rev().filter_map(|f| f.first().get("name").cloned()).collect();
    let (entries, mut project) = project::load(reader, files);
    let mut findings: Vec<Finding> = Vec::new();
    let mut units: Vec<Unit> = Vec::new();
    for entry in &entries {
        let mut ctx = Ctx::new();
        check_id(&entry.key.value, entry.key.span, &mut ctx);
        if ctx.findings.is_empty() {
            units.push(unit::read(&mut project, entry));
        }
        findings.append(&mut ctx.findings);
    }
    let known = Names::new(&units);
    let mut found = edges::find(&units, &known);
    for (unit, role) in units.iter_mut().zip(found.calls.roles()) {
        unit.role = role;
    }

    let name = titles.first().and_then(|node| Some(Spanned::new(project.scopes.string(node)?, node.span)));
    let aliases = aliases(&known, &units, root);
    let mut document = Document { name, aliases, ..Document::default() };
    document::nodes(&mut project, &units, root, &mut document);
    let notes = notes::all(&names, &units, &mut found, &mut project.scopes);
    findings.append(&mut project.scopes.findings);
    crate::finding::sort(&mut findings);
    Imported::of(file, Spanned::new(document, root), findings, notes).drawn(found.calls, root)
}

/// Host names that are no ids, so that documents and traces beside the files may use them.
fn aliases(known: &Names, units: &[Unit], root: Span) -> Option<Spanned<Map<String>>> {
    let alias = |(name, at): (&str, usize)| {
        let id = &units.get(at)?.id;
        let usable = !name.is_empty() && !name.contains(char::is_whitespace);
        usable.then(|| (Spanned::new(name.to_owned(), id.span), id.clone()))
    };
    let all: Vec<_> = known.unambiguous().into_iter().filter_map(alias).collect();
    (!all.is_empty()).then(|| Spanned::new(Map(all), root))
}
