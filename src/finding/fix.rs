//! Fixes: edits that mend a finding, for mistakes that only one text can mend.
//!
//! Owns what an edit is and how edits are applied to texts. Must not know any rule, nor touch a file.
//! Where several texts would do (another timeout, another name that is near) a finding says so in its help
//! and has no fix.

use super::Finding;
use crate::source::{FileId, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Other bytes in place of those of a span.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes; empty where something is only taken out.
    pub text: String,
}

impl Edit {
    /// Replaces a scalar by a word and keeps its quotes. `value` is the scalar as it was read: the bytes are
    /// longer by two where it stood in quotes.
    pub fn word(span: Span, value: &str, word: &str) -> Self {
        let quoted = (span.end - span.start) as usize == value.len() + 2;
        let inside = if quoted { span.slice(1, value.len() + 1) } else { span };
        Self { span: inside, text: word.to_owned() }
    }
}

/// A text after its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The file.
    pub file: FileId,
    /// Its whole new text.
    pub text: String,
    /// How many findings it mends.
    pub findings: usize,
}

/// Applies the fixes of all findings but the suppressed ones, in their order. An edit that overlaps one
/// before it waits for the next time; the same edit asked for twice is made once.
pub fn apply_fixes(findings: &[Finding], sources: &Sources) -> Vec<Fixed> {
    let mut by_file: BTreeMap<FileId, (BTreeSet<&Edit>, usize)> = BTreeMap::new();
    for finding in findings.iter().filter(|f| !f.suppressed) {
        let Some(edit) = &finding.fix else { continue };
        let (edits, mended) = by_file.entry(edit.span.file).or_default();
        let clear = |other: &&Edit| edit.span.end <= other.span.start || other.span.end <= edit.span.start;
        // Those that are made overlap nowhere: what another can touch are its neighbours in their order.
        let neighbours =
            [edits.range::<&Edit, _>(..edit).next_back(), edits.range::<&Edit, _>(edit..).next()];
        if edits.contains(edit) || neighbours.into_iter().flatten().all(clear) {
            edits.insert(edit);
            *mended += 1;
        }
    }
    by_file.into_iter().map(|(file, (edits, findings))| fixed(file, edits, findings, sources)).collect()
}

fn fixed(file: FileId, edits: BTreeSet<&Edit>, findings: usize, sources: &Sources) -> Fixed {
    let old = sources.file(file).text.as_str();
    let mut text = String::with_capacity(old.len());
    let mut at = 0;
    for edit in edits {
        text.push_str(old.get(at..edit.span.start as usize).unwrap_or_default());
        text.push_str(&edit.text);
        at = edit.span.end as usize;
    }
    text.push_str(old.get(at..).unwrap_or_default());
    Fixed { file, text, findings }
}

impl Finding {
    /// The one edit that mends it.
    #[must_use]
    pub fn fix(mut self, edit: impl Into<Option<Edit>>) -> Self {
        self.fix = edit.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::RuleInfo;

    static RULE: RuleInfo = RuleInfo::warning("a-rule", "", "");

    /// Applies edits `(from, to, text)` to `abcdef`.
    fn check(edits: &[(u32, u32, &str)], expected: &[(&str, usize)]) {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", "abcdef");
        let finding = |(from, to, text): &(u32, u32, &str)| {
            let span = Span::new(id, *from, *to);
            Finding::new(&RULE, span, "bad").fix(Edit { span, text: (*text).to_owned() })
        };
        let findings: Vec<_> = edits.iter().map(finding).collect();
        let fixed: Vec<_> =
            apply_fixes(&findings, &sources).into_iter().map(|f| (f.text, f.findings)).collect();
        let expected: Vec<_> = expected.iter().map(|(text, n)| ((*text).to_owned(), *n)).collect();
        assert_eq!(fixed, expected, "{edits:?}");
    }

    #[test]
    fn edits_are_made_together_where_they_can_be() {
        check(&[], &[]);
        check(&[(1, 3, "X")], &[("aXdef", 1)]);
        check(&[(4, 6, ""), (0, 1, "long")], &[("longbcd", 2)]);
        check(&[(1, 3, "X"), (1, 3, "X")], &[("aXdef", 2)]);
        // What overlaps waits; what touches does not.
        check(&[(1, 3, "X"), (2, 4, "Y")], &[("aXdef", 1)]);
        check(&[(1, 3, "X"), (3, 4, "Y")], &[("aXYef", 2)]);
        check(&[(1, 3, "X"), (1, 3, "Y")], &[("aXdef", 1)]);
    }

    #[test]
    fn suppressed_findings_are_left_alone() {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", "abc");
        let span = Span::new(id, 0, 1);
        let mut finding = Finding::new(&RULE, span, "bad").fix(Edit { span, text: String::new() });
        finding.suppressed = true;
        assert!(apply_fixes(&[finding], &sources).is_empty());
    }

    #[test]
    fn quotes_stay() {
        let file = FileId(0);
        assert_eq!(Edit::word(Span::new(file, 0, 5), "abc", "x").span, Span::new(file, 1, 4));
        assert_eq!(Edit::word(Span::new(file, 0, 3), "abc", "x").span, Span::new(file, 0, 3));
    }
}
