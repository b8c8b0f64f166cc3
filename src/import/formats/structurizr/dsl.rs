//! Structurizr's DSL: from lines to a workspace, block by block.
//!
//! Read as Structurizr's own parser does it (`StructurizrDslParser`): a line is a statement, and the last
//! open block says what it may be. Must not know what a workspace becomes.

use super::json::shape;
use super::names::Identifiers;
use super::words::{Line, Word, lines};
use super::workspace::{Element, Kind, Shape, Workspace};
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
            None => self.model_line(line, span),
            Some(Block::Workspace) => self.part_of_workspace(&first, &line, span),
            Some(Block::Model | Block::Group(_) | Block::Element(_)) => self.model_line(line, span),
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

    /// The element around the line.
    fn element(&self) -> Option<usize> {
        self.blocks.iter().rev().find_map(|(block, _)| match block {
            Block::Element(at) => Some(*at),
            _ => None,
        })
    }

    /// The element of a kind around the line.
    fn around(&self, kind: Kind) -> Option<usize> {
        self.blocks.iter().rev().find_map(|(block, _)| match block {
            Block::Element(at) if self.workspace.elements.get(*at).is_some_and(|e| e.kind == kind) => {
                Some(*at)
            }
            _ => None,
        })
    }

    /// The group around the line, inside the element around it.
    fn group(&self) -> Option<Spanned<String>> {
        match self.blocks.last() {
            Some((Block::Group(name), _)) => Some(name.clone()),
            _ => None,
        }
    }

    fn model_line(&mut self, line: Line, span: Span) {
        let assigned = line.words.get(1).is_some_and(|word| word.is("=")) && line.words.len() > 2;
        let identifier = line.words.first().filter(|_| assigned).map(Word::spanned);
        let words: &[Word] = line.words.get(if assigned { 2 } else { 0 }..).unwrap_or_default();
        if let Some(arrow) = words.iter().take(2).position(|word| is_arrow(word)) {
            return self.relation(words, arrow, line.opens, span);
        }
        let Some(keyword) = words.first() else { return self.enter(line.opens, Block::Other, span) };
        let said = keyword.text.to_lowercase();
        let archetype = self.archetypes.get(&said).cloned().unwrap_or_default();
        let base = if archetype.base.is_empty() { said.clone() } else { archetype.base.clone() };
        let parent = self.element();
        let kind = match base.as_str() {
            "person" => Kind::Person,
            "softwaresystem" => Kind::System,
            "container" => Kind::Container,
            "component" => Kind::Component,
            "element" => Kind::Custom,
            "group" => {
                let name = words.get(1).unwrap_or(keyword).spanned();
                return self.enter(line.opens, Block::Group(name), span);
            }
            "archetypes" => return self.enter(line.opens, Block::Archetypes, span),
            // What runs where is not asked here.
            "deploymentenvironment" | "properties" | "perspectives" | "url" => {
                return self.enter(line.opens, Block::Other, span);
            }
            _ => {
                let detail = parent.is_some_and(|at| self.element_detail(at, &said, words));
                if !detail {
                    self.not_covered(&keyword.text, keyword.span);
                }
                return self.enter(line.opens, Block::Other, span);
            }
        };
        let at = self.new_element(kind, identifier, words, &archetype);
        self.enter(line.opens, Block::Element(at), span);
    }

    fn new_element(
        &mut self,
        kind: Kind,
        identifier: Option<Spanned<String>>,
        words: &[Word],
        archetype: &Archetype,
    ) -> usize {
        let word = |at: usize| words.get(at).filter(|w| !w.text.is_empty()).map(Word::spanned);
        let name =
            word(1).or_else(|| word(0)).unwrap_or_else(|| Spanned::new(String::new(), Span::default()));
        let parent = match kind {
            Kind::Container => self.around(Kind::System),
            Kind::Component => self.around(Kind::Container),
            _ => None,
        };
        // NAME, then DESCRIPTION, TECHNOLOGY of what runs, TAGS; of anything else a word for its kind first.
        let (description, technology, tags) = match kind {
            Kind::Person | Kind::System => (word(2), None, word(3)),
            Kind::Container | Kind::Component => (word(2), word(3), word(4)),
            Kind::Custom => (word(3), None, word(4)),
        };
        let own = tags.iter().flat_map(split_tags);
        let element = Element {
            identifier: identifier.clone(),
            description: description.or_else(|| archetype.description.clone()),
            technology: technology.or_else(|| archetype.technology.clone()),
            tags: archetype.tags.iter().cloned().chain(own).collect(),
            group: self.group(),
            ..Element::new(kind, name, parent)
        };
        let at = self.workspace.elements.len();
        self.workspace.elements.push(element);
        if let Some(identifier) = &identifier {
            self.identifiers.add(identifier, at, &self.workspace, &mut self.findings);
        }
        at
    }

    /// What is said of an element in its block; whether it is something that can be said.
    fn element_detail(&mut self, at: usize, said: &str, words: &[Word]) -> bool {
        let value = words.get(1).map(Word::spanned);
        let Some(element) = self.workspace.elements.get_mut(at) else { return false };
        match said {
            "description" => element.description = value.or(element.description.take()),
            "technology" => element.technology = value.or(element.technology.take()),
            "tag" | "tags" => {
                let given: Vec<_> = words.iter().skip(1).map(Word::spanned).collect();
                element.tags.extend(given.iter().flat_map(split_tags));
            }
            _ => return false,
        }
        true
    }

    fn relation(&mut self, words: &[Word], arrow: usize, opens: bool, span: Span) {
        let (Some(sign), Some(to)) = (words.get(arrow), words.get(arrow + 1)) else {
            return self.enter(opens, Block::Other, span);
        };
        let this = self.element();
        let from = words.first().filter(|_| arrow > 0);
        let archetype =
            sign.text.strip_prefix("--").and_then(|s| s.strip_suffix("->")).map(str::to_lowercase);
        let archetype = archetype.and_then(|name| self.archetypes.get(&name).cloned()).unwrap_or_default();
        let text = |at: usize| words.get(arrow + at).map(|w| w.text.clone()).filter(|t| !t.is_empty());
        let given = |said: Option<Spanned<String>>| said.map(|s| s.value).unwrap_or_default();
        let description = text(2).unwrap_or_else(|| given(archetype.description));
        let technology = text(3).unwrap_or_else(|| given(archetype.technology));
        let at = self.identifiers.relate(from, to, this, (description, technology));
        self.enter(opens, Block::Relation(at), span);
    }

    fn relation_detail(&mut self, at: usize, first: &str, line: &Line, span: Span) {
        if let Some(value) = line.words.get(1) {
            self.identifiers.detail(at, first, &value.text);
        }
        self.enter(line.opens, Block::Other, span);
    }

    /// `name = base {` among archetypes, or `container {` for what holds for all of them.
    fn archetype(&mut self, line: &Line, span: Span) {
        let assigned = line.words.get(1).is_some_and(|word| word.is("="));
        let base = line.words.get(if assigned { 2 } else { 0 });
        let (Some(name), Some(base)) = (line.words.first(), base) else { return };
        let arrow = base.text.strip_prefix("--").and_then(|s| s.strip_suffix("->"));
        let below = arrow.unwrap_or(&base.text).to_lowercase();
        let mut made = self.archetypes.get(&below).cloned().unwrap_or_default();
        if made.base.is_empty() {
            made.base = below;
        }
        let name = name.text.to_lowercase();
        self.archetypes.insert(name.clone(), made);
        self.enter(line.opens, Block::Archetype(name), span);
    }

    fn archetype_detail(&mut self, name: &str, first: &str, line: &Line) {
        let Some(archetype) = self.archetypes.get_mut(name) else { return };
        let value = line.words.get(1).map(Word::spanned);
        match first {
            "description" => archetype.description = value,
            "technology" => archetype.technology = value,
            "tag" | "tags" => {
                let given: Vec<_> = line.words.iter().skip(1).map(Word::spanned).collect();
                archetype.tags.extend(given.iter().flat_map(split_tags));
            }
            _ => {}
        }
    }
}

/// `->`, or `--name->` of an archetype.
fn is_arrow(word: &Word) -> bool {
    !word.quoted && (word.text == "->" || (word.text.starts_with("--") && word.text.ends_with("->")))
}

fn split_tags(tags: &Spanned<String>) -> Vec<Spanned<String>> {
    let all = tags.value.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    all.map(|tag| Spanned::new(tag.to_owned(), tags.span)).collect()
}
