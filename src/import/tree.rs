//! A document of our own vocabulary as a tree, made of parts of another one: what is put together here
//! is decoded like what a user wrote, and its mistakes point into the file it came from.

use crate::finding::Finding;
use crate::source::{Piece, Span, Spanned};
use crate::spec::Decode;
use crate::spec::decode::Ctx;
use crate::spec::tree::{Entry, Kind, Node};
use crate::spec::vocabulary::Document;

/// A scalar without quotes.
pub fn word(text: impl Into<String>, span: Span) -> Node {
    Node::new(span, Kind::Scalar { text: Piece::rewritten(text.into()), plain: true })
}

/// A scalar with quotes, so that it is taken for a text whatever it looks like.
pub fn text(text: impl Into<String>, span: Span) -> Node {
    Node::new(span, Kind::Scalar { text: Piece::rewritten(text.into()), plain: false })
}

/// A key with its value.
pub fn entry(key: &str, key_span: Span, value: Node) -> Entry {
    Entry { key: Spanned::new(Piece::rewritten(key.to_owned()), key_span), value }
}

/// A mapping of the entries that have a value; `None` where none has.
pub fn mapping<const N: usize>(span: Span, entries: [(&str, Option<Node>); N]) -> Option<Node> {
    let given = entries.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let all: Vec<_> = given.map(|(key, value)| entry(key, value.span, value)).collect();
    (!all.is_empty()).then(|| Node::new(span, Kind::Mapping(all)))
}

/// A mapping of these entries; `None` where there are none.
pub fn section(span: Span, entries: Vec<Entry>) -> Option<Node> {
    (!entries.is_empty()).then(|| Node::new(span, Kind::Mapping(entries)))
}

/// A list; `None` where it is empty.
pub fn list(span: Span, items: Vec<Node>) -> Option<Node> {
    (!items.is_empty()).then(|| Node::new(span, Kind::Sequence(items)))
}

/// What stands at a path of keys.
pub fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// A text at a path of keys; empty where there is none.
pub fn text_at<'n>(node: &'n Node, path: &[&str]) -> &'n str {
    at(node, path).and_then(Node::text).unwrap_or_default()
}

/// A title as an id: `Website Backend` is `website-backend`; `otherwise` where nothing of it is left.
pub fn id_of(title: &str, otherwise: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric() && !"-_.".contains(c)).filter(|w| !w.is_empty());
    let id = words.collect::<Vec<_>>().join("-").to_lowercase();
    if id.is_empty() { otherwise.to_owned() } else { id }
}

/// The document a tree says, with everything that is wrong in it.
pub fn document(tree: Option<Node>, span: Span, findings: &mut Vec<Finding>) -> Spanned<Document> {
    let Some(tree) = tree else { return Spanned::new(Document::default(), span) };
    let mut ctx = Ctx::new();
    let document: Option<Document> = Decode::decode(&tree, &mut ctx);
    findings.append(&mut ctx.findings);
    Spanned::new(document.unwrap_or_default(), tree.span)
}
