//! How collections are read: lists, mappings of names, mappings of ids, and what can be switched off.

use super::decode::{Ctx, Decode, shorten};
use super::facts::Facts;
use super::schema::Defs;
use super::tree::{Entry, Kind, Node};
use crate::source::{Span, Spanned};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// What is large and seldom said, shared by all that inherit it.
impl<T: Decode> Decode for Arc<T> {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        T::decode(node, ctx).map(Self::new)
    }
    fn schema(defs: &mut Defs) -> Value {
        T::schema(defs)
    }
    fn fill(&mut self, lower: &Self) {
        Self::make_mut(self).fill(lower);
    }
    fn stand_in(node: &Node) -> Option<Self> {
        T::stand_in(node).map(Self::new)
    }
    fn tell(&self, facts: &mut Facts) {
        T::tell(self, facts);
    }
}

impl<T: Decode> Decode for Vec<Spanned<T>> {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        match &node.kind {
            Kind::Sequence(items) => Some(items.iter().filter_map(|item| ctx.spanned(item)).collect()),
            Kind::Null => Some(Self::new()),
            _ => ctx.expected(node, "a list"),
        }
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "type": ["array", "null"], "items": T::schema(defs) })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.list(self.iter().map(|item| &item.value));
    }
}

/// A mapping from names of the user's to values, in document order.
#[derive(Debug, Clone)]
pub struct Map<T>(pub Vec<(Spanned<String>, Spanned<T>)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Map<T> {
    /// The entries in document order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Spanned<String>, Spanned<T>)> {
        self.0.iter()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Spanned<T>> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }
}

impl<'m, T> IntoIterator for &'m Map<T> {
    type Item = &'m (Spanned<String>, Spanned<T>);
    type IntoIter = std::slice::Iter<'m, (Spanned<String>, Spanned<T>)>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Decode> Decode for Map<T> {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let entries = match &node.kind {
            Kind::Mapping(entries) => entries.as_slice(),
            Kind::Null => &[],
            _ => return ctx.expected(node, "a mapping"),
        };
        if entries.len() <= PART {
            return Some(Self(read_entries(entries, ctx)));
        }
        // The services of a fleet: side by side, and what is found in the order of the text.
        let read = |part: &'n [Entry]| {
            let mut ctx = ctx.fork();
            (read_entries(part, &mut ctx), ctx)
        };
        let parts: Vec<_> = entries.par_chunks(PART).map(read).collect();
        let mut all = Vec::with_capacity(entries.len());
        for (part, fork) in parts {
            all.extend(part);
            ctx.join(fork);
        }
        Some(Self(all))
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema(defs) })
    }
    fn fill(&mut self, lower: &Self) {
        let places: HashMap<String, usize> =
            self.0.iter().enumerate().map(|(at, (key, _))| (key.value.clone(), at)).collect();
        for (key, value) in &lower.0 {
            match places.get(&key.value).and_then(|at| self.0.get_mut(*at)) {
                Some((_, own)) => own.value.fill(&value.value),
                None => self.0.push((key.clone(), value.clone())),
            }
        }
    }
    fn tell(&self, facts: &mut Facts) {
        for (key, value) in self {
            facts.at(key, value.span, |facts| value.tell(facts));
        }
    }
}

/// A mapping with more entries is read in parts of so many.
const PART: usize = 256;

impl Ctx<'_> {
    /// A reader at the same place that has found nothing yet, for another thread.
    fn fork(&self) -> Self {
        Self { path: self.path.clone(), ..Self::new() }
    }

    /// Takes in what a fork found.
    fn join(&mut self, fork: Self) {
        self.findings.extend(fork.findings);
        self.meant.extend(fork.meant);
    }
}

fn read_entries<'n, T: Decode>(
    entries: &'n [Entry],
    ctx: &mut Ctx<'n>,
) -> Vec<(Spanned<String>, Spanned<T>)> {
    let read = entries.iter().filter_map(|entry| {
        let value = ctx.enter(&entry.key.value, |ctx| T::decode(&entry.value, ctx));
        let value = value.or_else(|| T::stand_in(&entry.value))?;
        let key = Spanned::new(entry.key.value.to_string(), entry.key.span);
        Some((key, Spanned::new(value, entry.value.span)))
    });
    read.collect()
}

/// A mapping whose keys are ids: not empty, without white space.
#[derive(Debug, Clone)]
pub struct Ids<T>(pub Map<T>);

impl<T> Default for Ids<T> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<T: Decode> Decode for Ids<T> {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        for entry in node.entries() {
            check_id(&entry.key.value, entry.key.span, ctx);
        }
        Map::decode(node, ctx).map(Self)
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "type": ["object", "null"], "propertyNames": { "pattern": ID_PATTERN },
            "additionalProperties": T::schema(defs) })
    }
    fn tell(&self, facts: &mut Facts) {
        self.0.tell(facts);
    }
}

/// What an id may be.
pub const ID_PATTERN: &str = r"^\S+$";

/// Raises invalid-value for an id that is empty or has white space.
pub fn check_id(id: &str, span: Span, ctx: &mut Ctx<'_>) {
    if id.is_empty() || id.contains(char::is_whitespace) {
        let help = id.split_whitespace().collect::<Vec<_>>().join("-");
        let help = (!help.is_empty())
            .then(|| format!("write `{help}`; `title` and `metadata` can hold a longer name"));
        ctx.reject_with(span, format!("`{}` is no id: ids have no white space", shorten(id)), help);
    }
}

/// A policy that may be switched off.
#[derive(Debug, Clone, PartialEq)]
pub enum Switch<T> {
    /// `none`.
    Off,
    /// What it says.
    On(T),
}

impl<T> Switch<T> {
    /// What it says, unless it is off.
    pub const fn on(&self) -> Option<&T> {
        match self {
            Self::On(value) => Some(value),
            Self::Off => None,
        }
    }
}

impl<T: Decode> Decode for Switch<T> {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        if node.text() == Some("none") { Some(Self::Off) } else { T::decode(node, ctx).map(Self::On) }
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [{ "const": "none" }, T::schema(defs)] })
    }
    fn fill(&mut self, lower: &Self) {
        if let (Self::On(value), Self::On(lower)) = (self, lower) {
            value.fill(lower);
        }
    }
    fn tell(&self, facts: &mut Facts) {
        match self {
            Self::Off => facts.say(&"none"),
            Self::On(value) => value.tell(facts),
        }
    }
}
