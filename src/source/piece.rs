//! Pieces of texts that were read.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A text that is mostly part of a larger one, which all its pieces share: a document has a scalar every dozen
/// bytes, and copying each would cost more than reading it.
#[derive(Clone)]
pub struct Piece {
    whole: Arc<String>,
    start: u32,
    end: u32,
}

impl Piece {
    /// The bytes `start..end` of a text; nothing where they are not within it, between characters.
    pub fn of(whole: &Arc<String>, start: usize, end: usize) -> Self {
        let within = whole.get(start..end).is_some() && u32::try_from(end).is_ok();
        let (start, end) = if within { (start as u32, end as u32) } else { (0, 0) };
        Self { whole: Arc::clone(whole), start, end }
    }

    /// A text that stands otherwise in the file: with escapes, or folded from several lines.
    pub fn rewritten(mut text: String) -> Self {
        let end = text.len();
        // No text that is read holds this character: it is the mark.
        text.push('\0');
        Self::of(&Arc::new(text), 0, end)
    }

    /// Whether it stands otherwise in the file.
    pub fn is_rewritten(&self) -> bool {
        self.whole.ends_with('\0')
    }

    /// Its first byte in the larger text; `None` where it is a text of its own.
    pub fn place(&self) -> Option<u32> {
        (self.as_str().len() < self.whole.len() && !self.is_rewritten()).then_some(self.start)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        let end = text.len();
        Self::of(&Arc::new(text), 0, end)
    }
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&Piece> for String {
    fn from(piece: &Piece) -> Self {
        piece.as_str().to_owned()
    }
}

impl std::ops::Deref for Piece {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Piece {
    fn borrow(&self) -> &str {
        self
    }
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

impl Hash for Piece {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Piece {}

impl PartialEq<str> for Piece {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Piece {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_its_text_and_never_half_a_character() {
        let whole = Arc::new("größe: 1".to_owned());
        for (start, end, expected) in [(0, 7, "größe"), (9, 10, "1"), (0, 3, ""), (3, 99, ""), (4, 2, "")] {
            assert_eq!(Piece::of(&whole, start, end), expected, "{start}..{end}");
        }
        assert_eq!(Piece::from("a").to_string(), "a");
    }
}
