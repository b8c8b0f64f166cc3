//! Bytes that findings call secret, asked by those that show what a document says.

use std::borrow::Cow;

use super::Finding;
use crate::source::{Fnv, Span, Spanned};

/// The secret bytes of all findings, those that are suppressed included.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<Span>);

impl Secrets {
    /// What these findings keep out.
    pub fn of(findings: &[Finding]) -> Self {
        let mut spans: Vec<Span> = findings.iter().flat_map(|f| f.secrets.iter().copied()).collect();
        spans.sort_unstable();
        Self(spans)
    }

    /// A text as it may be said: of one that holds a secret only whether it is the same as another.
    pub fn shown<'a>(&self, text: &'a Spanned<String>) -> Cow<'a, str> {
        let after = self.0.partition_point(|s| (s.file, s.start) < (text.span.file, text.span.end));
        let last = after.checked_sub(1).and_then(|at| self.0.get(at));
        if last.is_none_or(|s| s.file != text.span.file || s.end <= text.span.start) {
            return Cow::Borrowed(&text.value);
        }
        let mut hash = Fnv::default();
        hash.part(&text.value);
        // Sixteen bits tell two apart and betray nothing.
        let hex = hash.hex();
        Cow::Owned(format!("secret #{}", hex.get(12..).unwrap_or_default()))
    }
}
