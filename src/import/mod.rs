//! Other formats as `loadpath` documents: what already exists, with the evidence for every edge.
//!
//! Owns the registry of formats, how a file's format is recognised by its content, and what an import
//! yields. Must not know what a document means: an imported one passes through the same validation as
//! one written by hand, with spans into the file it came from.

mod beside;
mod calls;
mod clues;
mod evidence;
pub mod formats;
mod notes;
mod read;
mod tree;
mod unite;
mod write;

pub use evidence::{Evidence, EvidenceKind};
pub use formats::FORMATS;
pub use read::{Input, open, open_text, read, stream};
pub use write::write;

use crate::finding::Finding;
use crate::source::{FileId, Piece, Span, Spanned, join_path};
use crate::spec::tree::{Kind, Node};
use crate::spec::vocabulary::Document;
use crate::spec::{FileDocument, FileTree, Reader};
use calls::Calls;

/// A format that can be read in place of a `loadpath` document.
#[derive(Debug)]
pub struct Format {
    /// As it is named under `import:`, and on the command line.
    pub name: &'static str,
    /// One line: what is read from it.
    pub summary: &'static str,
    /// Its page, Markdown: what is read, how edges are found, limits.
    pub page: &'static str,
    /// Whether a file that begins with these bytes is of the format and never read as a tree: [`Format::import`]
    /// opens it itself, however large it is.
    pub streams: fn(&[u8]) -> bool,
    /// Whether a file that was found in a folder, by its name and its text, is worth reading as the format.
    pub glance: fn(&str, &str) -> bool,
    /// Whether a file is of the format. Content decides; the name is asked only where the content says
    /// nothing.
    pub recognise: fn(&Candidate<'_>) -> bool,
    /// Reads files of the format, in the order in which they were given, as one system.
    pub import: fn(&mut Reader<'_>, Vec<ImportFile>) -> Imported,
}

/// How much of a file's beginning is looked at to tell whether it is read as a stream.
pub const HEAD: u64 = 64 << 10;

/// A file whose format is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'f> {
    /// The last part of its path.
    pub name: &'f str,
    /// Its first document.
    pub first: &'f Node,
    /// The documents after the first.
    pub more: &'f [Node],
}

impl<'f> Candidate<'f> {
    /// All documents.
    pub fn documents(self) -> impl Iterator<Item = &'f Node> {
        std::iter::once(self.first).chain(self.more)
    }
}

/// A file to be imported, as trees.
#[derive(Debug, Clone)]
pub struct ImportFile {
    /// The file.
    pub file: FileId,
    /// Its YAML or JSON documents; one of nothing for an empty file and for one that is read as a stream.
    pub documents: Vec<Node>,
}

impl ImportFile {
    /// Reads a file that is named at `span` (`import: [{ compose: … }]`), or says why it cannot be read.
    pub fn load(reader: &mut Reader<'_>, path: &str, span: Span) -> Option<Self> {
        let bytes = reader.loader().load(path).map_err(|error| reader.unreadable(span, path, &error)).ok()?;
        let file = reader.utf8(path, bytes)?;
        let mut documents = match plain(reader, file) {
            Some(text) => vec![text],
            None => reader.documents(file)?,
        };
        if documents.is_empty() {
            documents.push(Node::new(Span::new(file, 0, 0), Kind::Null));
        }
        Some(Self { file, documents })
    }

    /// A file that the reader of its format opens itself.
    fn stream(reader: &mut Reader<'_>, format: &Format, path: &str) -> Option<Self> {
        let tree = read::stream(reader, path).filter(|tree| tree.streamed == Some(format.name))?;
        Some(tree.into())
    }

    /// The only document; of several the first.
    pub fn first(&self) -> Node {
        self.documents.first().cloned().unwrap_or_else(|| Node::new(Span::new(self.file, 0, 0), Kind::Null))
    }
}

impl From<FileTree> for ImportFile {
    fn from(tree: FileTree) -> Self {
        Self { file: tree.file, documents: std::iter::once(tree.node).chain(tree.more).collect() }
    }
}

/// A text that was taken in: as trees, or as one text where it is of a format that is no YAML.
fn trees(reader: &mut Reader<'_>, file: FileId) -> Option<FileTree> {
    match plain(reader, file) {
        Some(node) => {
            Some(FileTree { file, node, more: Vec::new(), root: true, overlay: false, streamed: None })
        }
        None => reader.trees(file),
    }
}

/// A text that is no YAML, whole.
fn plain(reader: &Reader<'_>, file: FileId) -> Option<Node> {
    let source = reader.sources.file(file);
    let name = source.name.rsplit('/').next().unwrap_or_default();
    formats::TEXTS.iter().any(|is| is(name, &source.text)).then(|| {
        let end = source.text.len();
        let text = Piece::of(&source.text, 0, end);
        Node::new(Span::new(file, 0, end as u32), Kind::Scalar { text, plain: false })
    })
}

/// Something worth knowing about an import that is no mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// A sentence, lower-case, without a full stop.
    pub text: String,
    /// Where it is to be seen.
    pub span: Option<Span>,
}

/// What an import yields.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The files as one document. Its `communications` are the edges.
    pub document: FileDocument,
    /// Why each edge is there: grouped by edge in the order of `communications`, strongest first.
    pub evidence: Vec<Evidence>,
    /// Edges the file hints at too weakly to be drawn: start order between services that spell out
    /// whom they call.
    pub doubtful: Vec<Evidence>,
    /// What is wrong. Files that cannot be read at all are reported to the reader itself.
    pub findings: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<Note>,
}

impl Imported {
    /// A document whose edges, if it has any, show where they are written.
    fn of(file: FileId, document: Spanned<Document>, findings: Vec<Finding>, notes: Vec<Note>) -> Self {
        let document = FileDocument { file, document, root: true, imported: Some(Vec::new()) };
        Self { document, evidence: Vec::new(), doubtful: Vec::new(), findings, notes }
    }

    /// With the edges that were found in files which are about `root`.
    fn drawn(mut self, calls: Calls, root: Span) -> Self {
        self.document.document.value.communications = calls.communications(root);
        self.document.imported = Some(calls.sources());
        (self.evidence, self.doubtful) = calls.into_evidence();
        self
    }
}

/// The format of a file by its content; `None` for a `loadpath` document and for what nobody knows.
/// `path` may be a whole path.
pub fn recognise(path: &str, tree: &FileTree) -> Option<&'static Format> {
    if let Some(name) = tree.streamed {
        return by_name(name);
    }
    let path = join_path("", path);
    let name = path.rsplit('/').next().unwrap_or_default();
    let candidate = Candidate { name, first: &tree.node, more: &tree.more };
    FORMATS.iter().copied().find(|format| (format.recognise)(&candidate))
}

/// A format by the name it has under `import:`.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}
