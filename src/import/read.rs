//! From files of any format to the documents of one system.

use super::{Format, ImportFile, Imported, by_name, recognise};
use crate::finding::Finding;
use crate::source::Spanned;
use crate::source::join_path;
use crate::spec::rules::INVALID_VALUE;
use crate::spec::vocabulary::{Import, Service, Texts};
use crate::spec::{Decode, FileDocument, FileTree, Ids, Reader};

/// What is read, before its formats are known.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The files that were named, as trees.
    pub roots: Vec<FileTree>,
    /// Files that lie on top, as trees.
    pub overlays: Vec<FileTree>,
    /// `--set` arguments.
    pub sets: Vec<String>,
    /// The format all files are read as; by content where none is named.
    pub format: Option<&'static Format>,
}

/// Reads files of whatever formats as one system: `loadpath` documents with their includes, overlays and
/// imports, and other formats, each recognised by its content. The second value says what is worth knowing.
pub fn read(reader: &mut Reader<'_>, input: Input) -> (Vec<FileDocument>, Vec<String>) {
    let Input { roots, overlays, sets, format } = input;
    let mut foreign: Vec<(&'static Format, Vec<ImportFile>)> = Vec::new();
    let mut native = Vec::new();
    for tree in roots {
        let name = &reader.sources.file(tree.file).name;
        match format.or_else(|| recognise(name, &tree)) {
            None => native.push(tree),
            Some(format) => match foreign.iter_mut().find(|(f, _)| f.name == format.name) {
                Some((_, files)) => files.push(tree.into()),
                None => foreign.push((format, vec![tree.into()])),
            },
        }
    }
    let mut trees = reader.includes(native);
    trees.extend(overlays);
    for set in &sets {
        reader.set(set, &mut trees);
    }
    let documents = reader.decode(trees);
    for file in &documents {
        for import in file.document.import.iter().flat_map(|i| i.value.iter()) {
            foreign.extend(named(reader, file, import));
        }
    }
    let mut notes = Vec::new();
    let mut imported = Vec::new();
    for (format, files) in foreign {
        let Imported { document, findings, notes: said, .. } = (format.import)(reader, files);
        reader.findings.extend(findings);
        notes.extend(said.into_iter().map(|note| note.text));
        imported.push(document);
    }
    (enrich(imported, documents), notes)
}

/// The files one entry of `import:` names, by format.
fn named(
    reader: &mut Reader<'_>,
    file: &FileDocument,
    import: &Spanned<Import>,
) -> Vec<(&'static Format, Vec<ImportFile>)> {
    let lists: [(&str, &Option<Spanned<Texts>>); 5] = [
        ("compose", &import.compose),
        ("kubernetes", &import.kubernetes),
        ("isotope", &import.isotope),
        ("backstage", &import.backstage),
        ("traces", &import.traces),
    ];
    let mut found = Vec::new();
    for (name, paths) in lists {
        let Some(paths) = paths else { continue };
        let Some(format) = by_name(name) else {
            let message = format!("`{name}` cannot be imported yet");
            reader.findings.push(Finding::new(&INVALID_VALUE, paths.span, message).about(name));
            continue;
        };
        let base = reader.sources.file(file.file).name.clone();
        let files = paths.0.iter().filter_map(|p| ImportFile::load(reader, &join_path(&base, p), p.span));
        found.push((format, files.collect()));
    }
    found
}

/// Imported documents first, and what is written by hand about the same services on top of them.
fn enrich(mut imported: Vec<FileDocument>, mut written: Vec<FileDocument>) -> Vec<FileDocument> {
    for import in &mut imported {
        let Some(services) = &mut import.document.value.services else { continue };
        services.value.0.0.retain(|(id, service)| match find(&mut written, id) {
            Some(own) => {
                own.fill(&service.value);
                false
            }
            None => true,
        });
    }
    // What is written by hand comes first: its name is the system's.
    written.append(&mut imported);
    written
}

fn find<'d>(documents: &'d mut [FileDocument], id: &str) -> Option<&'d mut Service> {
    let all = documents.iter_mut().filter_map(|d| d.document.value.services.as_mut());
    all.flat_map(|s: &mut Spanned<Ids<Service>>| s.value.0.0.iter_mut())
        .find(|(key, _)| key.value == id)
        .map(|(_, s)| &mut s.value)
}
