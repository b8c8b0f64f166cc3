//! The model as files of other systems, as far as those can say it.
//!
//! Owns what is written and the list of what is not: everything without a counterpart is named with its place.
//! Must not know files or the terminal: exports are texts.

mod isotope;
mod istio;

use crate::model::Architecture;
use crate::source::{Piece, Span, Spanned};
use crate::spec::tree::{Entry, Kind, Node};
use crate::spec::write::{Remark, yaml};

/// A format that can be written.
#[derive(Debug)]
pub struct Export {
    /// As it is named on the command line.
    pub name: &'static str,
    /// One line: what is written.
    pub summary: &'static str,
    /// Writes it.
    pub write: fn(&Architecture) -> Exported,
}

/// All formats.
pub static EXPORTS: &[&Export] = &[&isotope::EXPORT, &istio::EXPORT];

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// The text.
    pub text: String,
    /// What the format cannot say, in document order: a sentence, lower-case, without a full stop, and where it
    /// is said.
    pub left_out: Vec<(String, Span)>,
}

impl Exported {
    fn lose(&mut self, what: impl Into<String>, span: Span) {
        self.left_out.push((what.into(), span));
    }
}

fn word(text: impl Into<String>) -> Node {
    Node::new(Span::default(), Kind::Scalar { text: Piece::rewritten(text.into()), plain: true })
}

fn list(items: Vec<Node>) -> Option<Node> {
    (!items.is_empty()).then(|| Node::new(Span::default(), Kind::Sequence(items)))
}

/// A mapping of the entries that have a value; `None` where none has.
fn mapping<const N: usize>(entries: [(&str, Option<Node>); N]) -> Option<Node> {
    let given = entries.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let key = |key: &str| Spanned::new(Piece::rewritten(key.to_owned()), Span::default());
    let all: Vec<_> = given.map(|(name, value)| Entry { key: key(name), value }).collect();
    (!all.is_empty()).then(|| Node::new(Span::default(), Kind::Mapping(all)))
}

fn text(root: &Node) -> String {
    yaml(root, &|_, _| Remark::default())
}
