//! YAML as people write it: the same tree in block and flow style, plain and quoted, with comments; and
//! where each part of it came to stand.

use super::rng::Rng;
use std::collections::BTreeMap;

/// A value, or a key.
#[derive(Debug, Clone)]
pub struct Y {
    /// Its content.
    pub kind: Kind,
    /// A collection in `{ }` or `[ ]`, a scalar in quotes.
    pub style: Style,
    /// Asks for its place.
    pub mark: Option<Mark>,
}

/// What a value holds.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text: may stand in quotes.
    Text(String),
    /// A number or truth value: must not stand in quotes.
    Raw(String),
    /// `[ ]`
    List(Vec<Y>),
    /// `{ }`
    Map(Vec<(Y, Y)>),
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes; in block style.
    Plain,
    /// `'…'`; in flow style.
    Single,
    /// `"…"`; in flow style.
    Double,
}

/// A question for a place.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Who asks.
    pub id: usize,
    /// A part of the scalar, behind so many characters and inside its quotes; else all of it.
    pub part: Option<usize>,
}

/// A text.
pub fn text(text: impl Into<String>) -> Y {
    Y { kind: Kind::Text(text.into()), style: Style::Plain, mark: None }
}

/// A number or truth value.
pub fn raw(text: impl std::fmt::Display) -> Y {
    Y { kind: Kind::Raw(format!("{text}")), style: Style::Plain, mark: None }
}

/// A list.
pub fn list(items: impl IntoIterator<Item = Y>) -> Y {
    Y { kind: Kind::List(items.into_iter().collect()), style: Style::Plain, mark: None }
}

/// A mapping.
pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Y)>) -> Y {
    let entries = entries.into_iter().map(|(k, v)| (text(k), v)).collect();
    Y { kind: Kind::Map(entries), style: Style::Plain, mark: None }
}

impl Y {
    /// The text of a scalar; nothing for others.
    pub fn as_text(&self) -> &str {
        match &self.kind {
            Kind::Text(text) | Kind::Raw(text) => text,
            _ => "",
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, _)| k.as_text() == key).map(|(_, v)| v)
    }

    /// A child by its place.
    pub fn child(&self, at: usize) -> Option<&Self> {
        match &self.kind {
            Kind::List(items) => items.get(at),
            Kind::Map(entries) => entries.get(at).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn child_mut(&mut self, at: usize) -> Option<&mut Self> {
        match &mut self.kind {
            Kind::List(items) => items.get_mut(at),
            Kind::Map(entries) => entries.get_mut(at).map(|(_, value)| value),
            _ => None,
        }
    }

    fn leaves(&self) -> usize {
        match &self.kind {
            Kind::List(items) => items.iter().map(Self::leaves).sum::<usize>() + 1,
            Kind::Map(entries) => entries.iter().map(|(_, v)| v.leaves()).sum::<usize>() + 1,
            _ => 1,
        }
    }

    /// Gives every part a style of its own.
    pub fn restyle(&mut self, rng: &mut Rng, flow: usize, quoted: usize) {
        let small = self.leaves() <= 12;
        let (chance, styles) = match &mut self.kind {
            Kind::List(items) => {
                for item in items {
                    item.restyle(rng, flow, quoted);
                }
                (if small { flow } else { 0 }, [Style::Double, Style::Double])
            }
            Kind::Map(entries) => {
                for (key, value) in entries {
                    key.restyle(rng, flow, quoted / 3);
                    value.restyle(rng, flow, quoted);
                }
                (if small { flow } else { 0 }, [Style::Double, Style::Double])
            }
            Kind::Text(_) => (quoted, [Style::Single, Style::Double]),
            Kind::Raw(_) => (0, [Style::Plain, Style::Plain]),
        };
        self.style = if rng.chance(chance) { *rng.pick(&styles) } else { Style::Plain };
    }
}

/// How a file is written as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// `\r\n` at the ends of lines.
    pub crlf: bool,
    /// Per hundred lines.
    pub comments: usize,
    /// Spaces of a level.
    pub indent: usize,
    /// Lists stand deeper than their key.
    pub indent_lists: bool,
    /// `---` first.
    pub start: bool,
    /// A byte-order mark first.
    pub mark: bool,
}

/// The text, and line and column (from 1, in characters) of every mark.
pub fn write(root: &Y, habits: Habits, rng: &mut Rng) -> (String, BTreeMap<usize, (usize, usize)>) {
    let mut writer = Writer { text: String::new(), line: 1, column: 1, places: BTreeMap::new(), habits, rng };
    if habits.start {
        writer.put("---");
        writer.end();
    }
    writer.place(root);
    match &root.kind {
        Kind::Map(entries) if !entries.is_empty() => writer.block_map(entries, 0, false),
        Kind::List(items) if !items.is_empty() => writer.block_list(items, 0),
        _ => {
            writer.inline(root, 0);
            writer.end();
        }
    }
    let text = if habits.mark { format!("\u{feff}{}", writer.text) } else { writer.text };
    (text, writer.places)
}

struct Writer<'r> {
    text: String,
    line: usize,
    column: usize,
    places: BTreeMap<usize, (usize, usize)>,
    habits: Habits,
    rng: &'r mut Rng,
}

const REMARKS: [&str; 4] = ["see the runbook", "für später: prüfen", "was 3 before #2", "→ 日本 {x: [1]}"];

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self) {
        self.text.push_str(if self.habits.crlf { "\r\n" } else { "\n" });
        (self.line, self.column) = (self.line + 1, 1);
    }

    /// Ends a line, perhaps with a remark; remarks and empty lines may follow.
    fn end(&mut self) {
        if self.rng.chance(self.habits.comments) {
            let remark = *self.rng.pick(&REMARKS);
            self.put(&format!(" # {remark}"));
        }
        self.newline();
        if self.rng.chance(self.habits.comments / 2) {
            let remark = *self.rng.pick(&REMARKS);
            let indent = " ".repeat(self.rng.below(6));
            self.put(&format!("{indent}# {remark}"));
            self.newline();
        }
        if self.rng.chance(self.habits.comments / 3) {
            self.newline();
        }
    }

    fn place(&mut self, of: &Y) {
        if let Some(Mark { id, part: None }) = of.mark {
            self.places.insert(id, (self.line, self.column));
        }
    }

    fn block_map(&mut self, entries: &[(Y, Y)], indent: usize, mut started: bool) {
        for (key, value) in entries {
            if !std::mem::take(&mut started) {
                self.put(&" ".repeat(indent));
            }
            // A collection in block style begins with its first child.
            self.scalar(key, false);
            self.put(":");
            match &value.kind {
                Kind::Map(inner) if value.style == Style::Plain && !inner.is_empty() => {
                    self.end();
                    let deeper = indent + self.habits.indent;
                    self.mark_at(value, deeper);
                    self.block_map(inner, deeper, false);
                }
                Kind::List(inner) if value.style == Style::Plain && !inner.is_empty() => {
                    self.end();
                    let deeper = indent + if self.habits.indent_lists { self.habits.indent } else { 0 };
                    self.mark_at(value, deeper);
                    self.block_list(inner, deeper);
                }
                _ => {
                    self.put(" ");
                    self.inline(value, indent);
                    self.end();
                }
            }
        }
    }

    /// A collection that begins on this line, behind its indentation.
    fn mark_at(&mut self, of: &Y, indent: usize) {
        if let Some(Mark { id, part: None }) = of.mark {
            self.places.insert(id, (self.line, indent + 1));
        }
    }

    fn block_list(&mut self, items: &[Y], indent: usize) {
        for item in items {
            self.put(&" ".repeat(indent));
            self.put("- ");
            match &item.kind {
                Kind::Map(inner) if item.style == Style::Plain && !inner.is_empty() => {
                    self.place(item);
                    self.block_map(inner, indent + 2, true);
                }
                _ => {
                    self.inline(item, indent);
                    self.end();
                }
            }
        }
    }

    fn inline(&mut self, value: &Y, indent: usize) {
        match &value.kind {
            Kind::Text(_) | Kind::Raw(_) => self.scalar(value, false),
            _ => self.flow(value, indent),
        }
    }

    fn flow(&mut self, value: &Y, indent: usize) {
        match &value.kind {
            Kind::Text(_) | Kind::Raw(_) => return self.scalar(value, true),
            _ => self.place(value),
        }
        let wide = self.rng.chance(30);
        let space = if wide { " " } else { "" };
        match &value.kind {
            Kind::List(items) => {
                self.put("[");
                for (i, item) in items.iter().enumerate() {
                    self.comma(i, indent);
                    self.flow(item, indent);
                }
                self.put("]");
            }
            Kind::Map(entries) => {
                self.put("{");
                self.put(space);
                for (i, (key, value)) in entries.iter().enumerate() {
                    self.comma(i, indent);
                    self.scalar(key, true);
                    self.put(": ");
                    self.flow(value, indent);
                }
                self.put(space);
                self.put("}");
            }
            _ => {}
        }
    }

    fn comma(&mut self, i: usize, indent: usize) {
        if i == 0 {
            return;
        }
        self.put(",");
        if self.rng.chance(5) {
            self.newline();
            self.put(&" ".repeat(indent + self.habits.indent + 1));
        } else {
            self.put(" ");
        }
    }

    fn scalar(&mut self, value: &Y, flow: bool) {
        let text = value.as_text();
        let quote = match (&value.kind, value.style) {
            (Kind::Raw(_), _) => "",
            (_, Style::Single) if !text.contains('\'') => "'",
            (_, Style::Plain) if plain(text, flow) => "",
            _ => "\"",
        };
        self.place(value);
        if let Some(Mark { id, part: Some(offset) }) = value.mark {
            self.places.insert(id, (self.line, self.column + quote.len() + offset));
        }
        self.put(quote);
        self.put(text);
        self.put(quote);
    }
}

/// Whether a text may stand without quotes and stays what it is.
fn plain(text: &str, flow: bool) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let starts = !"-?:,[]{}#&*!|>'\"%@` ".contains(first)
        || (first == '-' && text.len() > 1 && !text.starts_with("- "));
    let inside = !text.contains(": ") && !text.contains(" #") && !text.ends_with([':', ' ']);
    let flows = !flow || !text.contains(['{', '}', '[', ']', ',']);
    let word = !matches!(text, "" | "null" | "true" | "false" | "~");
    starts && inside && flows && word
}
