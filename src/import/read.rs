//! From files of any format to the documents of one system.

use super::unite::unite;
use super::{FORMATS, Format, HEAD, ImportFile, Imported, by_name, recognise};
use crate::finding::{Finding, Names};
use crate::source::{Spanned, join_path};
use crate::spec::rules::INVALID_VALUE;
use crate::spec::vocabulary::{Document, Import, Texts};
use crate::spec::{Decode, FileDocument, FileTree, Ids, Reader, nothing_below, read_replays};
use std::collections::{BTreeSet, HashMap};
use std::io::Read;

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

/// Reads a file that was named: into a tree, or not at all if the reader of its format opens it itself.
pub fn open(reader: &mut Reader<'_>, path: &str) -> Option<FileTree> {
    stream(reader, path).or_else(|| {
        let file = reader.open(path)?;
        super::trees(reader, file)
    })
}

/// A file that the reader of its format opens itself; `None` for any other.
pub fn stream(reader: &mut Reader<'_>, path: &str) -> Option<FileTree> {
    let mut head = Vec::new();
    // What cannot be read is told by who reads it.
    let _ = reader.loader().open(path).map(|file| file.take(HEAD).read_to_end(&mut head));
    let format = streaming(&head)?;
    Some(FileTree::streamed(reader.sources.add(path, ""), format.name))
}

/// The same for a text that was handed in.
pub fn open_text(reader: &mut Reader<'_>, name: &str, bytes: Vec<u8>) -> Option<FileTree> {
    if let Some(format) = streaming(bytes.get(..HEAD as usize).unwrap_or(&bytes)) {
        Some(FileTree::streamed(reader.utf8(name, bytes)?, format.name))
    } else {
        let file = reader.take(name, bytes)?;
        super::trees(reader, file)
    }
}

/// The format that reads a file of this beginning itself.
fn streaming(head: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| (format.streams)(head))
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
            Some(format) => group(&mut foreign, format, vec![tree.into()]),
        }
    }
    let mut trees = reader.includes(native);
    trees.extend(overlays);
    reader.imports |= !foreign.is_empty();
    let mut trees = reader.lay(trees);
    // The command line has the last word.
    for set in &sets {
        reader.set(set, &mut trees);
    }
    let mut documents = reader.decode_laid(trees);
    read_replays(reader, &mut documents);
    for file in &documents {
        for import in file.document.import.iter().flat_map(|i| i.value.iter()) {
            for (format, files) in named(reader, file, import) {
                group(&mut foreign, format, files);
            }
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
    unite(&mut imported, &documents, &mut reader.findings);
    let documents = enrich(imported, documents, &mut reader.findings);
    (documents, notes)
}

/// Adds files of a format: all of one are read together, wherever they were named.
fn group(
    foreign: &mut Vec<(&'static Format, Vec<ImportFile>)>,
    format: &'static Format,
    files: Vec<ImportFile>,
) {
    match foreign.iter_mut().find(|(known, _)| known.name == format.name) {
        Some((_, known)) => known.extend(files),
        None => foreign.push((format, files)),
    }
}

/// The files one entry of `import:` names, by format.
fn named(
    reader: &mut Reader<'_>,
    file: &FileDocument,
    import: &Spanned<Import>,
) -> Vec<(&'static Format, Vec<ImportFile>)> {
    let lists: [(&str, &Option<Spanned<Texts>>); 7] = [
        ("compose", &import.compose),
        ("kubernetes", &import.kubernetes),
        ("isotope", &import.isotope),
        ("asyncapi", &import.asyncapi),
        ("backstage", &import.backstage),
        ("structurizr", &import.structurizr),
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
        let files = paths.0.iter().filter_map(|p| {
            let path = join_path(&base, p);
            ImportFile::stream(reader, format, &path).or_else(|| ImportFile::load(reader, &path, p.span))
        });
        found.push((format, files.collect()));
    }
    found
}

/// What is written by hand, then the imported documents without what is written of as well: the hand has the
/// last word on it, key by key.
fn enrich(
    mut imported: Vec<FileDocument>,
    mut written: Vec<FileDocument>,
    findings: &mut Vec<Finding>,
) -> Vec<FileDocument> {
    join(&mut imported, &mut written, |d| &mut d.services, |s| s.overlay, findings);
    join(&mut imported, &mut written, |d| &mut d.datastores, |s| s.overlay, findings);
    join(&mut imported, &mut written, |d| &mut d.queues, |s| s.overlay, findings);
    join(&mut imported, &mut written, |d| &mut d.topics, |s| s.overlay, findings);
    // What is written by hand comes first: its name is the system's.
    written.append(&mut imported);
    written
}

/// One section of a document.
type Section<T> = fn(&mut Document) -> &mut Option<Spanned<Ids<T>>>;

fn join<T: Decode>(
    imported: &mut [FileDocument],
    written: &mut [FileDocument],
    section: Section<T>,
    overlay: fn(&T) -> Option<Spanned<bool>>,
    findings: &mut Vec<Finding>,
) {
    let mut own: HashMap<String, &mut T> = HashMap::new();
    let mut on_top = Vec::new();
    for (id, entry) in
        written.iter_mut().filter_map(|d| section(&mut d.document.value).as_mut()).flat_map(all)
    {
        // One that lies on top of something written is a part of it by now.
        if overlay(&entry.value).is_some_and(|o| o.value) {
            on_top.push(id.clone());
        }
        own.entry(id.value.clone()).or_insert(&mut entry.value);
    }
    let mut known = BTreeSet::new();
    for import in imported {
        let Some(section) = section(&mut import.document.value) else { continue };
        section.value.0.0.retain(|(id, entry)| {
            known.insert(id.value.clone());
            let own = own.get_mut(&id.value);
            own.is_none_or(|own| {
                own.fill(&entry.value);
                false
            })
        });
    }
    on_top.retain(|id| !known.contains(&id.value));
    let mut names = Names::new(known.iter().map(String::as_str));
    findings.extend(on_top.iter().map(|id| nothing_below(&mut names, id)));
    let lost: BTreeSet<&String> = on_top.iter().map(|id| &id.value).collect();
    for section in written.iter_mut().filter_map(|d| section(&mut d.document.value).as_mut()) {
        section.value.0.0.retain(|(id, _)| !lost.contains(&id.value));
    }
}

fn all<T>(ids: &mut Spanned<Ids<T>>) -> impl Iterator<Item = (&Spanned<String>, &mut Spanned<T>)> {
    ids.value.0.0.iter_mut().map(|(id, entry)| (&*id, entry))
}
