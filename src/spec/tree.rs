//! The spanned tree of a YAML text: scalars as written, keys in order, bytes on everything.

use crate::source::{Piece, Span, Spanned};
use std::collections::HashMap;

/// A value as written, before anything is known of its meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its bytes. A mapping or sequence spans from its first to its last child.
    pub span: Span,
    /// Its content.
    pub kind: Kind,
    /// A tag such as `!reset`, without the core schema's own.
    pub tag: Option<Box<str>>,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar.
    Scalar {
        /// Its text after escapes.
        text: Piece,
        /// Whether it stood without quotes or block style: only then may it be a number or a truth value.
        plain: bool,
    },
    /// `[…]` or `- …`.
    Sequence(Vec<Node>),
    /// `{…}` or `key: …`, each key once.
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Spanned<Piece>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A node without a tag.
    pub const fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind, tag: None }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar without quotes.
    pub fn plain(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|e| e.key.value == key).map(|e| &e.value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.kind {
            Kind::Mapping(entries) => entries.iter_mut().find(|e| e.key.value == key).map(|e| &mut e.value),
            _ => None,
        }
    }

    /// Whether it is nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// What it is, in words: for "expected a duration, found a list".
    pub const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Scalar { .. } => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// The bytes `from..to` of a scalar's text, exact where the text is a piece of the source (plain, or quoted
    /// without escapes), else the whole scalar.
    pub fn part(&self, from: usize, to: usize) -> Span {
        let Kind::Scalar { text, .. } = &self.kind else { return self.span };
        let written = text.place().map(|start| Span::new(self.span.file, start, start + text.len() as u32));
        if let Some(written) = written.filter(|written| self.span.contains(*written)) {
            return written.slice(from, to);
        }
        // A node made of a part of another.
        match (self.span.end - self.span.start) as usize {
            _ if text.is_rewritten() => self.span,
            raw if raw == text.len() => self.span.slice(from, to),
            raw if raw == text.len() + 2 => self.span.slice(from + 1, to + 1),
            _ => self.span,
        }
    }

    /// Lays `over` on top: mappings merge key by key, everything else is replaced. New keys come last.
    pub fn overlay(&mut self, over: Self) {
        match (&mut self.kind, over.kind) {
            (Kind::Mapping(entries), Kind::Mapping(news)) => {
                let places: HashMap<_, _> =
                    entries.iter().enumerate().map(|(at, e)| (e.key.value.clone(), at)).collect();
                for new in news {
                    match places.get(&new.key.value).and_then(|at| entries.get_mut(*at)) {
                        Some(old) => old.value.overlay(new.value),
                        None => entries.push(new),
                    }
                }
            }
            (_, kind) => *self = Self { span: over.span, kind, tag: over.tag },
        }
    }
}
