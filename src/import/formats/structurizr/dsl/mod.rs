//! Structurizr's DSL: from lines to a workspace, block by block.
//!
//! Read as Structurizr's own parser does it (`StructurizrDslParser`): a line is a statement, and the last
//! open block says what it may be. Must not know what a workspace becomes.

mod elements;

use super::json::shape;
use super::names::Identifiers;
use super::words::{Line, Word, lines};
use super::workspace::{Shape, Workspace};
use crate::finding::Finding;
use crate::import::Note;
use crate::import::beside::beside;
use crate::source::{FileId, Span, Spanned, join_path};
use crate::spec::Reader;
use crate::spec::decode::shorten;
use crate::spec::rules::{INCLUDE_CYCLE, INVALID_VALUE, LIMIT_EXCEEDED};
use std::collections::{BTreeMap, HashMap};

/// How deep files include each other, and how many lines there are with all of them.
const DEEPEST: usize = 16;
const MOST_LINES: usize = 1_000_000;
/// How deep blocks are nested.
const MOST_NESTED: usize = 100;
/// A word is no longer than this with its constants put in, in bytes.
const LONGEST: usize = 1 << 16;

/// Whether a text is a workspace of the DSL: its first word says so.
pub fn is_dsl(name: &str, text: &str) -> bool {
    let ours = name.to_lowercase().ends_with(".dsl");
    let first = text.lines().map(str::trim).find(|line| !is_comment(line) && !line.is_empty());
    let said = first.is_some_and(|line| {
        let word = line.split_whitespace().next().unwrap_or_default().to_lowercase();
        word == "workspace" || (ours && word.starts_with('!'))
    });
    said && (ours || text.contains('{'))
}

fn is_comment(line: &str) -> bool {
    ["//", "#", "/*", "*"].iter().any(|sign| line.starts_with(sign))
}

/// What a block is.
#[derive(Debug, Clone)]
enum Block {
    Workspace,
    Model,
    Group(Spanned<String>),
    Element(usize),
    Relation(usize),
    Archetypes,
    Archetype(String),
    Views,
    Styles,
    Style(String),
    /// Of no interest here.
    Other,
}

/// What an archetype gives whatever is made of it.
#[derive(Debug, Clone, Default)]
struct Archetype {
    /// The keyword it is made of in the end.
    base: String,
    description: Option<Spanned<String>>,
    technology: Option<Spanned<String>>,
    tags: Vec<Spanned<String>>,
}

/// Reads one file into a workspace.
pub struct Parser<'r, 'l> {
    reader: &'r mut Reader<'l>,
    workspace: Workspace,
    identifiers: Identifiers,
    archetypes: HashMap<String, Archetype>,
    constants: HashMap<String, String>,
    blocks: Vec<(Block, Span)>,
    findings: Vec<Finding>,
    notes: Vec<Note>,
    /// Words that are not covered: how often, and where first.
    uncovered: BTreeMap<String, (usize, Span)>,
    /// The file that was named, and the files that are being read.
    root: String,
    open: Vec<String>,
    count: usize,
}

/// Adds the workspace of a file.
pub fn read(
    reader: &mut Reader<'_>,
    file: FileId,
    workspace: Workspace,
    findings: &mut Vec<Finding>,
    notes: &mut Vec<Note>,
) -> Workspace {
    let root = reader.sources.file(file).name.clone();
    let mut parser = Parser {
        reader,
        workspace,
        identifiers: Identifiers::default(),
        archetypes: HashMap::new(),
        constants: HashMap::new(),
        blocks: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
        uncovered: BTreeMap::new(),
        open: vec![join_path("", &root)],
        root,
        count: 0,
    };
    parser.file(file);
    if let Some((_, span)) = parser.blocks.last() {
        let finding = Finding::new(&INVALID_VALUE, *span, "this block has no end");
        parser.findings.push(finding.help("close it with `}` on a line of its own"));
    }
    parser.identifiers.resolve(&mut parser.workspace, &mut parser.findings);
    for (word, (count, span)) in std::mem::take(&mut parser.uncovered) {
        let place = parser.reader.sources.locate(span);
        let name = &parser.reader.sources.file(span.file).name;
        let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
        let text = format!("`{word}` is not covered and was passed over: {name}:{}{more}", place.line);
        parser.notes.push(Note { text, span: Some(span) });
    }
    findings.append(&mut parser.findings);
    notes.append(&mut parser.notes);
    parser.workspace
}

impl Parser<'_, '_> {
    fn file(&mut self, file: FileId) {
        let text = std::sync::Arc::clone(&self.reader.sources.file(file).text);
        let base = self.reader.sources.file(file).name.clone();
        for line in lines(&text, file, &mut self.findings) {
            self.count += 1;
            if self.count > MOST_LINES {
                if self.count == MOST_LINES + 1 {
                    let at = line.words.first().map_or(Span::new(file, 0, 0), |w| w.span);
                    let message = format!("more than {MOST_LINES} lines, included ones counted again");
                    self.findings
                        .push(Finding::new(&LIMIT_EXCEEDED, at, message).label("reading stopped here"));
                }
                return;
            }
            self.line(&base, line);
        }
    }

    fn line(&mut self, base: &str, mut line: Line) {
        let span = line.words.first().map_or_else(|| Span::new(FileId::default(), 0, 0), |w| w.span);
        if line.words.first().is_some_and(|word| word.is("}")) && line.words.len() == 1 {
            if self.blocks.pop().is_none() {
                self.findings.push(Finding::new(&INVALID_VALUE, span, "this brace closes nothing"));
            }
            return;
        }
        if matches!(self.blocks.last(), Some((Block::Other, _))) {
            return self.enter(line.opens, Block::Other, span);
        }
        for word in &mut line.words {
            self.put_in(word);
        }
        let first = line.words.first().map(|w| w.text.to_lowercase()).unwrap_or_default();
        if first.starts_with('!') {
            return self.directive(base, &first, &line, span);
        }
        let block = self.blocks.last().map(|(block, _)| block.clone());
        match block {
            None if first == "workspace" => self.workspace_line(&line, span),
            // An included file is a part of a block, and may be read alone as a model.
            Some(Block::Workspace) => self.part_of_workspace(&first, &line, span),
            None | Some(Block::Model | Block::Group(_) | Block::Element(_)) => self.model_line(&line, span),
            Some(Block::Relation(at)) => self.relation_detail(at, &first, &line, span),
            Some(Block::Archetypes) => self.archetype(&line, span),
            Some(Block::Archetype(name)) => {
                self.archetype_detail(&name, &first, &line);
                self.enter(line.opens, Block::Other, span);
            }
            Some(Block::Views) => {
                let block = if first == "styles" { Block::Styles } else { Block::Other };
                self.enter(line.opens, block, span);
            }
            Some(Block::Styles) => {
                let tag = line.words.get(1).map(|w| w.text.to_lowercase()).unwrap_or_default();
                let block = if first == "element" { Block::Style(tag) } else { Block::Other };
                self.enter(line.opens, block, span);
            }
            Some(Block::Style(tag)) => {
                let shape = line.words.get(1).filter(|_| first == "shape").and_then(|w| shape(&w.text));
                self.workspace.shapes.extend(shape.map(|shape: Shape| (tag, shape)));
                self.enter(line.opens, Block::Other, span);
            }
            Some(Block::Other) => {}
        }
    }

    fn enter(&mut self, opens: bool, block: Block, span: Span) {
        if opens && self.blocks.len() == MOST_NESTED {
            let message = format!("blocks are nested more than {MOST_NESTED} deep");
            self.findings.push(Finding::new(&LIMIT_EXCEEDED, span, message).label("reading stopped here"));
            self.count = MOST_LINES + 1;
        }
        if opens {
            self.blocks.push((block, span));
        }
    }

    /// Puts in `${NAME}`; what is not defined stays.
    fn put_in(&self, word: &mut Word) {
        if !word.text.contains("${") {
            return;
        }
        let (mut out, mut rest) = (String::new(), word.text.as_str());
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (name, end) = after.split_once('}').unwrap_or((after, ""));
            match self.constants.get(name) {
                Some(value) if out.len() + value.len() < LONGEST => out.push_str(value),
                _ => out.extend(["${", name, "}"]),
            }
            rest = end;
        }
        word.text = out + rest;
    }

    fn directive(&mut self, base: &str, first: &str, line: &Line, span: Span) {
        let word = |at: usize| line.words.get(at);
        let mut block = Block::Other;
        match first {
            "!const" | "!constant" | "!var" => {
                if let (Some(name), Some(value)) = (word(1), word(2)) {
                    self.constants.insert(name.text.clone(), value.text.clone());
                }
            }
            "!identifiers" => {
                let said = word(1).is_some_and(|w| w.text.eq_ignore_ascii_case("hierarchical"));
                self.identifiers.hierarchical = said;
            }
            "!include" => {
                if let Some(path) = word(1) {
                    self.include(base, path);
                }
            }
            "!element" | "!ref" | "!extend" => {
                let found =
                    word(1).and_then(|w| self.identifiers.find(&w.text, self.element(), &self.workspace));
                match (found, word(1)) {
                    (Some(found), _) => block = Block::Element(found),
                    (None, Some(word)) => self.not_covered(&format!("{first} {}", word.text), span),
                    _ => {}
                }
            }
            // They say nothing about what runs.
            "!docs" | "!adrs" | "!decisions" | "!impliedrelationships" | "!constants" => {}
            _ => self.not_covered(first, span),
        }
        self.enter(line.opens, block, span);
    }

    fn not_covered(&mut self, word: &str, span: Span) {
        self.uncovered.entry(shorten(word)).or_insert((0, span)).0 += 1;
    }

    fn include(&mut self, base: &str, word: &Word) {
        let path = match beside(&self.root, base, &word.text) {
            Ok(path) => path,
            Err(away) => {
                let text = format!("`{}` is not followed: {away}", word.text);
                self.notes.push(Note { text, span: Some(word.span) });
                return;
            }
        };
        if self.open.contains(&path) {
            let finding = Finding::new(&INCLUDE_CYCLE, word.span, format!("`{path}` includes itself"));
            let finding = finding.label("closes the circle").about(&path);
            return self.findings.push(finding.help("include a file from one side only"));
        }
        if self.open.len() > DEEPEST {
            let message = format!("files include each other more than {DEEPEST} deep");
            return self.findings.push(Finding::new(&LIMIT_EXCEEDED, word.span, message));
        }
        let bytes = match self.reader.loader().load(&path) {
            Ok(bytes) => bytes,
            Err(error) => return self.reader.unreadable(word.span, &path, &error),
        };
        if let Some(file) = self.reader.utf8(&path, bytes) {
            self.open.push(path);
            self.file(file);
            self.open.pop();
        }
    }

    fn workspace_line(&mut self, line: &Line, span: Span) {
        match line.words.get(1) {
            Some(word) if word.text.eq_ignore_ascii_case("extends") && !word.quoted => {
                self.not_covered("workspace extends", word.span);
            }
            Some(name) => self.workspace.name = Some(name.spanned()),
            None => {}
        }
        self.enter(line.opens, Block::Workspace, span);
    }

    fn part_of_workspace(&mut self, first: &str, line: &Line, span: Span) {
        let block = match first {
            "model" => Block::Model,
            "views" => Block::Views,
            _ => Block::Other,
        };
        if let (Some(name), "name") = (line.words.get(1), first) {
            self.workspace.name = Some(name.spanned());
        }
        self.enter(line.opens, block, span);
    }
}
