//! From the first file to all documents of a system: includes, overlays, `--set`, one namespace of ids.

use super::Decode;
use super::decode::Ctx;
use super::overlay::{NAMESPACE, apply_overlays, apply_set, unique_ids};
use super::parse::{Limits, parse};
use super::rules::{INCLUDE_CYCLE, INVALID_VALUE, INVALID_YAML, LIMIT_EXCEEDED, NOT_UTF8, UNREADABLE_FILE};
use super::tree::{Kind, Node};
use super::vocabulary::Document;
use crate::finding::{self, Finding};
use crate::source::{FileId, LoadError, Loader, Sources, Span, Spanned, join_path};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::HashMap;

/// One file of the system, read.
#[derive(Debug, Clone)]
pub struct FileDocument {
    /// The file.
    pub file: FileId,
    /// What it says.
    pub document: Spanned<Document>,
    /// Whether it was named rather than included: `lint` counts here.
    pub root: bool,
    /// Of a document made from another format: for each of its communications what showed it.
    pub imported: Option<Vec<Vec<Evidence>>>,
}

/// Where an edge is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `call`, `dependencies`, `communications`, `depends_on`, `environment CART_ADDR`, …
    pub source: Cow<'static, str>,
    /// The bytes that say so.
    pub span: Span,
    /// It carries traces, metrics or logs rather than work.
    pub telemetry: bool,
}

impl Evidence {
    /// Evidence of work.
    pub fn new(source: impl Into<Cow<'static, str>>, span: Span) -> Self {
        Self { source: source.into(), span, telemetry: false }
    }

    /// Whether only the order of starting shows it, so that the edge is assumed rather than declared.
    pub fn is_start_order(&self) -> bool {
        self.source == "depends_on"
    }
}

/// The spanned tree of a file, before it is decoded.
#[derive(Debug, Clone)]
pub struct FileTree {
    /// The file.
    pub file: FileId,
    /// Its tree.
    pub node: Node,
    /// The documents after the first: other formats have them, ours does not.
    pub more: Vec<Node>,
    /// Whether it was named rather than included.
    pub root: bool,
    /// Whether it lies on top of the others.
    pub overlay: bool,
}

/// Reads files into trees, following includes, with everything that is wrong on the way.
pub struct Reader<'l> {
    loader: &'l dyn Loader,
    limits: Limits,
    /// Every text that was read.
    pub sources: Sources,
    /// What was found so far.
    pub findings: Vec<Finding>,
    /// Whether some file could not be read or has no syntax tree.
    pub broken: bool,
    /// Whether other formats are read beside what is written: they may define what lies on top of nothing here.
    pub imports: bool,
    seen: HashMap<String, FileId>,
}

impl<'l> Reader<'l> {
    /// A reader that asks `loader` for files.
    pub fn new(loader: &'l dyn Loader, limits: Limits) -> Self {
        let (sources, findings) = (Sources::default(), Vec::new());
        Self { loader, limits, sources, findings, broken: false, imports: false, seen: HashMap::new() }
    }

    /// The loader, for what is not YAML (`.env` files).
    pub fn loader(&self) -> &'l dyn Loader {
        self.loader
    }

    /// Reads a file that was named on the command line.
    pub fn root(&mut self, path: &str) -> Option<FileTree> {
        let bytes = self.root_bytes(path)?;
        self.text(path, bytes)
    }

    fn root_bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        let error = match self.loader.load(path) {
            Ok(bytes) => return Some(bytes),
            Err(error) => error,
        };
        let file = self.sources.add(path, "");
        self.unreadable(Span::new(file, 0, 0), path, &error);
        None
    }

    fn opened(&mut self, name: &str, bytes: Vec<u8>) -> Option<FileId> {
        let file = self.utf8(name, bytes)?;
        self.seen.insert(join_path("", name), file);
        Some(file)
    }

    fn named(file: FileId, documents: Vec<Node>) -> FileTree {
        let mut documents = documents.into_iter();
        let node = documents.next().unwrap_or_else(|| Node::new(Span::new(file, 0, 0), Kind::Null));
        FileTree { file, node, more: documents.collect(), root: true, overlay: false }
    }

    /// Reads a text that was handed in (standard input, a test).
    pub fn text(&mut self, name: &str, bytes: Vec<u8>) -> Option<FileTree> {
        let file = self.opened(name, bytes)?;
        let documents = self.documents(file)?;
        Some(Self::named(file, documents))
    }

    /// Follows the includes of `trees`, depth first, each file once.
    pub fn includes(&mut self, trees: Vec<FileTree>) -> Vec<FileTree> {
        let mut all = Vec::new();
        for tree in trees {
            let mut ancestors = vec![tree.file];
            let included = self.include(&tree, &mut ancestors);
            all.push(tree);
            all.extend(included);
        }
        all
    }

    fn include(&mut self, tree: &FileTree, ancestors: &mut Vec<FileId>) -> Vec<FileTree> {
        let (mut found, mut files) = (Vec::new(), Vec::new());
        let Some(include) = tree.node.get("include") else { return found };
        let items = if include.text().is_some() { std::slice::from_ref(include) } else { include.items() };
        for item in items {
            let Some(pattern) = item.text() else { continue };
            let pattern = join_path(&self.sources.file(tree.file).name, pattern);
            for path in self.matches(&pattern, item.span) {
                match self.seen.get(&path) {
                    Some(file) if ancestors.contains(file) => {
                        self.cycle(&path, item.span, *file, ancestors);
                    }
                    Some(_) => {}
                    None => files.extend(self.included(&path, item.span)),
                }
            }
        }
        for (file, documents) in files.iter().zip(self.parse_all(&files)) {
            let Some(documents) = documents else { continue };
            let child = FileTree { root: false, ..Self::named(*file, documents) };
            ancestors.push(child.file);
            let deep = ancestors.len() > self.limits.depth;
            let below = if deep { Vec::new() } else { self.include(&child, ancestors) };
            ancestors.pop();
            found.push(child);
            found.extend(below);
        }
        found
    }

    fn matches(&mut self, pattern: &str, span: Span) -> Vec<String> {
        match self.loader.glob(pattern) {
            Ok(paths) if paths.is_empty() => {
                let finding = Finding::new(&UNREADABLE_FILE, span, format!("`{pattern}` matches no file"));
                self.findings
                    .push(finding.help("paths are seen from the file that includes them").about(pattern));
                self.broken = true;
                paths
            }
            Ok(paths) => paths,
            Err(error) => {
                self.unreadable(span, pattern, &error);
                Vec::new()
            }
        }
    }

    fn cycle(&mut self, path: &str, span: Span, file: FileId, ancestors: &[FileId]) {
        let from = ancestors.iter().position(|a| *a == file).unwrap_or(0);
        let names = ancestors.iter().skip(from).map(|a| format!("`{}`", self.sources.file(*a).name));
        let round: Vec<_> = names.chain(std::iter::once(format!("`{path}`"))).collect();
        let finding = Finding::new(&INCLUDE_CYCLE, span, format!("`{path}` includes itself"));
        let finding = finding.label("closes the circle").note(round.join(" → "));
        self.findings.push(finding.help("include a file from one side only").about(path));
        self.broken = true;
    }

    fn included(&mut self, path: &str, span: Span) -> Option<FileId> {
        if self.sources.files().len() >= self.limits.files {
            let message = format!("more than {} files", self.limits.files);
            self.findings.push(Finding::new(&LIMIT_EXCEEDED, span, message));
            self.broken = true;
            return None;
        }
        let bytes = match self.loader.load(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreadable(span, path, &error);
                return None;
            }
        };
        let file = self.utf8(path, bytes)?;
        self.seen.insert(path.to_owned(), file);
        Some(file)
    }

    /// Says that a file cannot be read.
    pub fn unreadable(&mut self, span: Span, path: &str, error: &LoadError) {
        let finding = Finding::new(&UNREADABLE_FILE, span, format!("cannot read `{path}`: {error}"));
        self.findings.push(finding.about(path));
        self.broken = true;
    }

    /// Takes a text in, or says at which byte it stops being UTF-8.
    pub fn utf8(&mut self, name: &str, bytes: Vec<u8>) -> Option<FileId> {
        if bytes.len() as u64 > self.limits.bytes {
            let file = self.sources.add(name, "");
            let error = LoadError::TooLarge { size: bytes.len() as u64, limit: self.limits.bytes };
            let message = format!("`{name}` is too large: {error}");
            self.findings.push(Finding::new(&LIMIT_EXCEEDED, Span::new(file, 0, 0), message).about(name));
            self.broken = true;
            return None;
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                Some(self.sources.add(name, text))
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let utf16 = error.as_bytes().starts_with(&[0xff, 0xfe])
                    || error.as_bytes().starts_with(&[0xfe, 0xff]);
                let file = self.sources.add(name, String::from_utf8_lossy(error.as_bytes()));
                let span = Span::new(file, at as u32, (at + 3) as u32);
                let finding = Finding::new(&NOT_UTF8, span, format!("byte {} is not UTF-8", at + 1));
                let encoding = if utf16 { "UTF-16" } else { "another encoding" };
                let help = format!("the file seems to be in {encoding}: save it as UTF-8");
                self.findings.push(finding.label("the text cannot be read from here").help(help).about(name));
                self.broken = true;
                None
            }
        }
    }

    /// The only document of a text; an empty text is an empty mapping.
    pub fn tree(&mut self, file: FileId) -> Option<Node> {
        let documents = self.documents(file)?;
        let tree = Self::named(file, documents);
        self.findings.extend(second(&tree));
        Some(tree.node)
    }

    /// All documents of a text.
    pub fn documents(&mut self, file: FileId) -> Option<Vec<Node>> {
        self.parse_all(&[file]).pop().flatten()
    }

    /// The documents of several texts, read side by side.
    fn parse_all(&mut self, files: &[FileId]) -> Vec<Option<Vec<Node>>> {
        let (sources, limits) = (&self.sources, self.limits);
        let read = |file: &FileId| {
            let mut findings = Vec::new();
            (parse(&sources.file(*file).text, *file, limits, &mut findings), findings)
        };
        // One file needs no threads.
        let read: Vec<_> = match files {
            [file] => vec![read(file)],
            _ => files.par_iter().map(read).collect(),
        };
        let all = read.into_iter().map(|(documents, findings)| {
            self.findings.extend(findings);
            self.broken |= documents.is_none();
            documents
        });
        all.collect()
    }

    /// Reads a file that lies on top of the others (`--overlay`).
    pub fn overlay(&mut self, path: &str) -> Option<FileTree> {
        self.root(path).map(|tree| FileTree { overlay: true, root: false, ..tree })
    }

    /// Applies one `--set PATH=VALUE` to the trees.
    pub fn set(&mut self, argument: &str, trees: &mut [FileTree]) {
        let (path, value) = argument.split_once('=').unwrap_or((argument, ""));
        let file = self.sources.add(format!("--set {path}"), value);
        let Some(node) = self.tree(file) else { return };
        if !argument.contains('=') {
            let message = format!("`--set {argument}` has no value: write `--set path=value`");
            self.findings.push(Finding::new(&INVALID_VALUE, node.span, message).about(path));
            return;
        }
        if let Err((message, help)) = apply_set(path, node.clone(), trees) {
            self.broken = true;
            let mut finding = Finding::new(&INVALID_VALUE, node.span, message).about(path);
            finding.help.extend(help);
            self.findings.push(finding);
        }
    }

    /// Lays overlay files, and what is marked `overlay: true`, over the others.
    pub fn lay(&mut self, trees: Vec<FileTree>) -> Vec<FileTree> {
        self.findings.extend(trees.iter().filter_map(second));
        apply_overlays(trees, self.imports, &mut self.findings)
    }

    /// Lays and decodes trees.
    pub fn decode(&mut self, trees: Vec<FileTree>) -> Vec<FileDocument> {
        let trees = self.lay(trees);
        self.decode_laid(trees)
    }

    /// Decodes trees into documents: ids made unique, every mistake of every file found.
    pub fn decode_laid(&mut self, mut trees: Vec<FileTree>) -> Vec<FileDocument> {
        unique_ids(&mut trees, &mut self.findings);
        // A section without names to look up: what it defines is not known.
        let unread = |node: &Node| !matches!(node.kind, Kind::Mapping(_) | Kind::Null);
        self.broken |= trees.iter().any(|t| NAMESPACE.iter().any(|s| t.node.get(s).is_some_and(unread)));
        let decode = |tree: &FileTree| {
            let mut ctx = Ctx::new();
            let document: Option<Document> = Decode::decode(&tree.node, &mut ctx);
            let document = Spanned::new(document.unwrap_or_default(), tree.node.span);
            let document = FileDocument { file: tree.file, document, root: tree.root, imported: None };
            (document, ctx.findings)
        };
        let decoded: Vec<_> = match trees.as_slice() {
            [tree] => vec![decode(tree)],
            trees => trees.par_iter().map(decode).collect(),
        };
        let mut documents = Vec::new();
        for (document, findings) in decoded {
            documents.push(document);
            self.findings.extend(findings);
        }
        finding::sort(&mut self.findings);
        documents
    }
}

/// That a file holds more than the one document that is read.
fn second(tree: &FileTree) -> Option<Finding> {
    let finding = Finding::new(&INVALID_YAML, tree.more.first()?.span, "a second document in one file");
    Some(finding.label("not read").help("put it into a file of its own and `include` it"))
}

/// Reads one text as a document, for tests and small programs.
pub fn read_text(name: &str, text: &str) -> (Vec<FileDocument>, Sources, Vec<Finding>) {
    let loader = crate::source::MemoryLoader::default();
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.text(name, text.as_bytes().to_vec()).into_iter().collect();
    let trees = reader.includes(trees);
    let documents = reader.decode(trees);
    (documents, reader.sources, reader.findings)
}
