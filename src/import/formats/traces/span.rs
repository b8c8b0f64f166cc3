//! A span, as parsers hand it on and as it is kept until its trace is whole.

use super::tags::{Kind, Tags};
use crate::spec::vocabulary::Protocol;
use std::borrow::Cow;

/// Whose span it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Owner<'a> {
    /// The service of this name.
    Named(Cow<'a, str>),
    /// The process of this key, which the trace lists.
    Process(Cow<'a, str>),
    /// The resource it stands under.
    Resource,
    /// Nobody says.
    Unknown,
}

/// A span as it was read.
#[derive(Debug)]
pub struct Raw<'a> {
    /// Whose.
    pub owner: Owner<'a>,
    /// Identifier of its trace.
    pub trace: Cow<'a, str>,
    /// Its own.
    pub id: Cow<'a, str>,
    /// Of the span that caused it.
    pub parent: Cow<'a, str>,
    /// Its operation.
    pub name: Cow<'a, str>,
    /// When it began, nanoseconds since 1970; 0 where nobody says.
    pub start_ns: u64,
    /// How long it took, nanoseconds.
    pub duration_ns: u64,
    /// What its tags say.
    pub tags: Tags<'a>,
}

/// A name in the table of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub u32);

impl Name {
    /// Nobody's.
    pub const NONE: Self = Self(u32::MAX);
}

/// Where something is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// The how-manieth file of the import.
    pub file: u32,
    /// The line, from 0.
    pub line: u32,
    /// Bytes of the line before it.
    pub column: u32,
}

/// What a span is kept as: 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Its identifier; 0 for none.
    pub id: u64,
    /// Of the span that caused it; 0 for none.
    pub parent: u64,
    /// Nanoseconds since 1970.
    pub start_ns: u64,
    /// Nanoseconds.
    pub duration_ns: u64,
    /// Whose.
    pub service: Name,
    /// Its operation.
    pub name: Name,
    /// The other side.
    pub peer: Name,
    /// Where it is to be seen.
    pub seen: Seen,
    /// What it does.
    pub kind: Kind,
    /// How it travels.
    pub protocol: Option<Protocol>,
    /// It failed.
    pub error: bool,
    /// The other side keeps data.
    pub store: bool,
    /// What it does to a database changes something.
    pub write: bool,
}

impl Span {
    /// When it ended.
    pub const fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.duration_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_small() {
        assert_eq!(size_of::<Span>(), 64);
    }
}
