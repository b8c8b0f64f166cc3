//! From the text of a file to its spanned tree, bounded against hostile input.

use super::rules::{DUPLICATE_DEFINITION, INVALID_YAML, LIMIT_EXCEEDED};
use super::syntax::syntax_error;
use super::tree::{Entry, Kind, Node};
use crate::finding::Finding;
use crate::source::{FileId, Piece, Span, Spanned};
use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span as Marks, options};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a text may cost. The defaults hold a system of 100,000 services and a million calls.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub bytes: u64,
    /// Files of one run.
    pub files: usize,
    /// Levels of nesting.
    pub depth: usize,
    /// Values of one file, aliases expanded.
    pub nodes: usize,
    /// Values that aliases may stand for, beside twenty for each that is written: no text that is written for
    /// people comes near, and one that means harm is far beyond after a few lines.
    pub aliased: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, files: 10_000, depth: 64, nodes: 32_000_000, aliased: 500_000 }
    }
}

/// The documents of a text. A syntax error or a limit ends the reading of that text: what came before it
/// is not returned, since half a document would raise findings about things that are there.
pub fn parse(
    text: &Arc<String>,
    file: FileId,
    limits: Limits,
    findings: &mut Vec<Finding>,
) -> Option<Vec<Node>> {
    let options = options! {
        emit_comments: false,
        block_nesting_limit: limits.depth,
        flow_nesting_limit: limits.depth,
    };
    let mut builder = Builder {
        text,
        file,
        limits,
        nodes: 0,
        aliased: 0,
        open: Vec::new(),
        items: Vec::new(),
        entries: Vec::new(),
        anchors: HashMap::new(),
        done: Vec::new(),
        findings,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, marks)) => builder.event(event, marks).ok()?,
            Err(error) => {
                let finding = syntax_error(&error, text, file, limits);
                builder.findings.push(finding);
                return None;
            }
        }
    }
    Some(builder.done)
}

/// A limit was hit and reported.
struct Stop;

struct Builder<'f> {
    text: &'f Arc<String>,
    file: FileId,
    limits: Limits,
    /// Values so far, and how many of them aliases stand for.
    nodes: usize,
    aliased: usize,
    open: Vec<Open>,
    /// Items and entries of all open collections: each takes its own, as many as they are, when it is closed.
    items: Vec<Node>,
    entries: Vec<Entry>,
    /// Values with an anchor, with their count and height.
    anchors: HashMap<usize, (Node, usize, usize)>,
    done: Vec<Node>,
    findings: &'f mut Vec<Finding>,
}

/// A collection whose end has not come.
struct Open {
    start: Span,
    anchor: usize,
    tag: Option<Box<str>>,
    /// Where its own begin among all items or entries.
    from: usize,
    /// `None` for a sequence.
    mapping: Option<Mapping>,
}

#[derive(Default)]
struct Mapping {
    /// The key whose value comes next.
    key: Option<Node>,
    /// What stands under `<<`.
    merged: Vec<Node>,
    /// Where the keys of a large mapping are, counted from its first entry.
    seen: Option<HashMap<Piece, usize>>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Stop> {
        let span = self.span(marks);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let empty =
                    plain && (span.start == span.end || matches!(&*text, "~" | "null" | "Null" | "NULL"));
                let kind = if empty { Kind::Null } else { Kind::Scalar { text: self.piece(text), plain } };
                self.finish(Node { span, kind, tag: tag.and_then(|t| local_tag(&t)) }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let start = self.dash(span);
                self.push(start, anchor, tag.and_then(|t| local_tag(&t)), None)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.push(span, anchor, tag.and_then(|t| local_tag(&t)), Some(Mapping::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            _ => Ok(()),
        }
    }

    fn span(&self, marks: Marks) -> Span {
        let range = marks.byte_range().unwrap_or_default();
        Span::new(self.file, range.start as u32, range.end as u32)
    }

    /// A scalar as a piece of the text, where it stands there as it is.
    fn piece(&self, scalar: Cow<'_, str>) -> Piece {
        match scalar {
            Cow::Owned(text) => Piece::rewritten(text),
            Cow::Borrowed(text) => {
                let start = (text.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
                Piece::of(self.text, start, start.wrapping_add(text.len()))
            }
        }
    }

    /// The parser reports a list that stands no deeper than its key behind its first `-`.
    fn dash(&self, span: Span) -> Span {
        let below_key = self.open.last().is_some_and(|open| open.mapping.is_some());
        let before = self.text.get(..span.start as usize).filter(|_| below_key && span.start == span.end);
        let line = before.and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        let from_dash = line.trim_start_matches(' ');
        if !from_dash.starts_with('-') {
            return span;
        }
        let start = span.start - from_dash.len() as u32;
        Span { start, end: start, ..span }
    }

    fn push(
        &mut self,
        start: Span,
        anchor: usize,
        tag: Option<Box<str>>,
        mapping: Option<Mapping>,
    ) -> Result<(), Stop> {
        if self.open.len() >= self.limits.depth {
            return Err(self.stop(start, format!("nested more than {} levels deep", self.limits.depth)));
        }
        let from = if mapping.is_some() { self.entries.len() } else { self.items.len() };
        self.open.push(Open { start, anchor, tag, from, mapping });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (kind, last) = match open.mapping {
            None => {
                let items: Vec<_> = self.items.drain(open.from..).collect();
                let last = items.last().map(|n| n.span.end);
                (Kind::Sequence(items), last)
            }
            Some(mapping) => {
                let mut entries: Vec<_> = self.entries.drain(open.from..).collect();
                let last = entries.last().map(|e| e.value.span.end.max(e.key.span.end));
                merge_keys(&mut entries, mapping.merged);
                (Kind::Mapping(entries), last)
            }
        };
        // A block collection ends with its last child, a flow collection with its bracket.
        let flow = open.start.end > open.start.start;
        let end = if flow { end.end } else { last.unwrap_or(open.start.end) };
        let span = Span::new(self.file, open.start.start, end.max(open.start.end));
        self.finish(Node { span, kind, tag: open.tag }, open.anchor)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        // An alias inside its own anchor has no value yet.
        let Some((_, count, height)) = self.anchors.get(&id) else {
            return Err(self.syntax(span, "this alias refers to a value that contains it"));
        };
        let (count, height) = (*count, *height);
        if self.open.len() + height > self.limits.depth {
            return Err(self.stop(span, format!("aliases nest more than {} levels deep", self.limits.depth)));
        }
        // What is beyond the limits is never copied.
        self.repeat(count, span)?;
        if let Some((node, ..)) = self.anchors.get(&id).cloned() {
            self.place(node);
        }
        Ok(())
    }

    /// Counts values that are there again.
    fn repeat(&mut self, count: usize, span: Span) -> Result<(), Stop> {
        let written = self.nodes - self.aliased;
        self.nodes += count;
        self.aliased += count;
        if self.aliased > self.limits.aliased.saturating_add(20 * written) {
            let message = format!("aliases repeat {} values, and {written} are written", self.aliased);
            return Err(self.stop(span, message));
        }
        self.check_nodes(span)
    }

    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.nodes += 1;
        if anchor != 0 {
            let (count, height) = measure(&node);
            self.repeat(count, node.span)?;
            self.anchors.insert(anchor, (node.clone(), count, height));
        }
        self.check_nodes(node.span)?;
        self.place(node);
        Ok(())
    }

    fn place(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else { return self.done.push(node) };
        let Some(mapping) = &mut open.mapping else { return self.items.push(node) };
        match mapping.key.take() {
            None => mapping.key = Some(node),
            Some(key) if key.plain() == Some("<<") => mapping.merged.push(node),
            Some(key) => add_entry(&mut self.entries, open.from, &mut mapping.seen, key, node, self.findings),
        }
    }

    fn check_nodes(&mut self, span: Span) -> Result<(), Stop> {
        if self.nodes <= self.limits.nodes {
            return Ok(());
        }
        Err(self.stop(span, format!("more than {} values, aliases expanded", self.limits.nodes)))
    }

    fn stop(&mut self, span: Span, message: String) -> Stop {
        let finding = Finding::new(&LIMIT_EXCEEDED, span, message).label("reading stopped here");
        self.findings.push(finding.help("split the file with `include`, or write the repeated part once"));
        Stop
    }

    fn syntax(&mut self, span: Span, message: &str) -> Stop {
        self.findings.push(Finding::new(&INVALID_YAML, span, message));
        Stop
    }
}

/// Adds an entry to those of a mapping, which begin at `from`.
fn add_entry(
    entries: &mut Vec<Entry>,
    from: usize,
    seen: &mut Option<HashMap<Piece, usize>>,
    key: Node,
    value: Node,
    findings: &mut Vec<Finding>,
) {
    let text = match key.kind {
        Kind::Scalar { text, .. } => text,
        Kind::Null => "null".into(),
        Kind::Sequence(_) | Kind::Mapping(_) => {
            let what = if matches!(key.kind, Kind::Mapping(_)) { "mapping" } else { "list" };
            let finding =
                Finding::new(&INVALID_YAML, key.span, format!("a key must be a single value, not a {what}"));
            findings.push(finding.help("quote it if braces or brackets are part of the name"));
            return;
        }
    };
    let own = entries.get(from..).unwrap_or_default();
    if let Some(first) = position(own, seen.as_ref(), &text).and_then(|i| own.get(i)) {
        let finding = Finding::new(&DUPLICATE_DEFINITION, key.span, format!("`{text}` is given twice"));
        findings.push(
            finding
                .label("again here, not read")
                .also(first.key.span, "first given here")
                .help("remove one of them, or merge their contents")
                .about(text.as_str()),
        );
        return;
    }
    let count = own.len();
    if count >= SMALL {
        seen.get_or_insert_default().insert(text.clone(), count);
    }
    entries.push(Entry { key: Spanned::new(text, key.span), value });
}

/// Mappings up to this size are searched one by one; `seen` holds the keys beyond.
const SMALL: usize = 16;

fn position(entries: &[Entry], seen: Option<&HashMap<Piece, usize>>, key: &str) -> Option<usize> {
    let small = entries.iter().take(SMALL).position(|e| e.key.value == *key);
    small.or_else(|| seen?.get(key).copied())
}

/// `<<`: keys of the merged mappings that the mapping itself does not have, earlier mappings first.
fn merge_keys(entries: &mut Vec<Entry>, merged: Vec<Node>) {
    if merged.is_empty() {
        return;
    }
    let mut known: HashSet<Piece> = entries.iter().map(|e| e.key.value.clone()).collect();
    let mappings = merged.into_iter().flat_map(|node| match node.kind {
        Kind::Sequence(items) => items,
        _ => vec![node],
    });
    for node in mappings {
        let Kind::Mapping(news) = node.kind else { continue };
        entries.extend(news.into_iter().filter(|new| known.insert(new.key.value.clone())));
    }
}

/// Nodes and levels of a tree (depth is bounded, so recursion is).
fn measure(node: &Node) -> (usize, usize) {
    let of = |all: &mut dyn Iterator<Item = &Node>| {
        all.map(measure).fold((1, 1), |(n, h), (cn, ch)| (n + cn, h.max(ch + 1)))
    };
    match &node.kind {
        Kind::Sequence(items) => of(&mut items.iter()),
        Kind::Mapping(entries) => of(&mut entries.iter().map(|e| &e.value)),
        _ => (1, 0),
    }
}

fn local_tag(tag: &serde_yaml::granit_parser::Tag) -> Option<Box<str>> {
    (!tag.is_yaml_core_schema()).then(|| tag.original().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Vec<Node>>, Vec<String>) {
        let mut findings = Vec::new();
        let limits = Limits { nodes: 1000, depth: 16, ..Limits::default() };
        let nodes = parse(&Arc::new(text.to_owned()), FileId(0), limits, &mut findings);
        let said = findings.iter().map(|f| {
            let span = f.primary.span;
            format!("{} {}..{}: {}", f.rule.id, span.start, span.end, f.message)
        });
        (nodes, said.collect())
    }

    #[test]
    fn spans_cover_what_was_written() {
        let text = "a:\n  b: [1, {c: 'x'}]\n  d:\nlast: |\n  hi\n";
        let (nodes, said) = read(text);
        assert!(said.is_empty(), "{said:?}");
        let root = &nodes.unwrap()[0];
        let of = |n: &Node| text[n.span.start as usize..n.span.end as usize].to_owned();
        let a = root.get("a").unwrap();
        assert_eq!(of(a), "b: [1, {c: 'x'}]\n  d");
        assert_eq!(of(a.get("b").unwrap()), "[1, {c: 'x'}]");
        assert_eq!(of(&a.get("b").unwrap().items()[1]), "{c: 'x'}");
        assert_eq!(a.get("b").unwrap().items()[1].get("c").unwrap().part(0, 1), Span::new(FileId(0), 17, 18));
        assert!(a.get("d").unwrap().is_null());
        let text = "a:\n- 1\nb:\n  - - 2\n    -\n";
        let (nodes, _) = read(text);
        let root = &nodes.unwrap()[0];
        let start = |n: &Node| n.span.start;
        let (a, b) = (root.get("a").unwrap(), root.get("b").unwrap());
        assert_eq!((start(a), start(b), start(&b.items()[0])), (3, 12, 14), "a list begins with its dash");
    }

    #[test]
    fn aliases_and_merges_are_expanded_and_explicit_keys_win() {
        let (nodes, said) = read("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  a: 3\nz: {<<: [*x, {c: 4}]}");
        assert!(said.is_empty(), "{said:?}");
        let root = &nodes.unwrap()[0];
        let get = |a: &str, b: &str| root.get(a).unwrap().get(b).and_then(Node::text).map(str::to_owned);
        assert_eq!(get("y", "a").as_deref(), Some("3"));
        assert_eq!(get("y", "b").as_deref(), Some("2"));
        assert_eq!(get("z", "c").as_deref(), Some("4"));
    }

    #[test]
    fn hostile_and_broken_texts_are_findings_at_the_place() {
        let bomb = "a: &a [1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c]";
        for (text, expected) in [
            ("a:\n\tb: 1", "invalid-yaml 3..4: tabs disallowed within this context (block indentation)"),
            ("a: 1\na: 2", "duplicate-definition 5..6: `a` is given twice"),
            ("a: *b", "invalid-yaml 3..4: while parsing node, found unknown anchor"),
            ("? [a]\n: 1", "invalid-yaml 2..5: a key must be a single value, not a list"),
            ("a: &a [*a]", "invalid-yaml 7..9: this alias refers to a value that contains it"),
            (bomb, "limit-exceeded 62..87: more than 1000 values, aliases expanded"),
            (&"[".repeat(40), "limit-exceeded 16..17: nested more than 16 levels deep"),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
    }
}
