//! Comments that suppress findings: where they stand, which findings they cover.
//!
//! Owns the search for directives in the texts and their effect. Must not know any rule but the four
//! that judge the directives themselves (`suppress_rules`), nor what day it is: today is handed in.
//!
//! A directive on a line of its own covers the next line that holds more than blanks and comments; one
//! behind something covers its own line. It covers a finding when *any* of the finding's spans starts
//! there: the reader puts the comment where the cause is, which need not be the first place shown.

use std::collections::BTreeMap;

use serde_yaml::granit_parser::{self, Event, Parser};

use super::directive::{self, Allow, MARK, Malformed};
use super::{Date, Finding};
use crate::source::{FileId, SourceFile, Sources, Span};

/// One directive.
#[derive(Debug, Clone)]
pub(super) struct Suppression {
    /// The whole comment.
    pub(super) span: Span,
    /// The line (from 0) it covers; `None` where nothing follows it.
    pub(super) target: Option<usize>,
    /// What that line says, without the blanks around: what the directive is known by when files move.
    pub(super) target_text: String,
    /// What goes when it is deleted: its whole line where it stands alone, else what leads up to it too.
    pub(super) removal: Span,
    /// What it says.
    pub(super) said: Result<Allow, Malformed>,
    /// For each rule of `said`, whether it suppressed something.
    pub(super) used: Vec<bool>,
    /// Its last day has passed.
    pub(super) expired: bool,
}

/// All directives of a run, in reading order.
#[derive(Debug, Clone, Default)]
pub struct Suppressions {
    pub(super) all: Vec<Suppression>,
}

impl Suppressions {
    /// Finds the directives of all texts. A text that does not mention `loadpath:` costs one search; one
    /// that does is scanned as YAML, so that quoted text is not taken for a comment. Where it is no YAML
    /// its lines are taken as they look.
    pub fn collect(sources: &Sources) -> Self {
        let mut all = Vec::new();
        for (id, file) in sources.files() {
            if !file.text.contains(MARK) {
                continue;
            }
            let comments = scan(&file.text).unwrap_or_else(|| guess(&file.text));
            all.extend(comments.into_iter().filter_map(|start| suppression(id, file, start)));
        }
        Self { all }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Marks the findings that a directive covers and remembers which directives were of use. One whose
    /// `until` lies before `today` covers nothing.
    pub fn apply(&mut self, findings: &mut [Finding], sources: &Sources, today: Date) {
        let mut by_line: BTreeMap<(FileId, usize), Vec<usize>> = BTreeMap::new();
        for (index, one) in self.all.iter_mut().enumerate() {
            let until = one.said.as_ref().ok().and_then(|allow| allow.until);
            one.expired = until.is_some_and(|until| until.value < today);
            if let (Some(line), false) = (one.target, one.expired) {
                by_line.entry((one.span.file, line)).or_default().push(index);
            }
        }
        if by_line.is_empty() {
            return;
        }
        for finding in findings {
            let lines: Vec<_> = finding.spans().filter_map(|span| line_of(sources, span)).collect();
            for index in lines.iter().filter_map(|at| by_line.get(at)).flatten() {
                if let Some(one) = self.all.get_mut(*index) {
                    one.suppress(finding);
                }
            }
        }
    }
}

impl Suppression {
    /// Suppresses a finding of the target line if its rule is allowed here, and notes that this was of use.
    fn suppress(&mut self, finding: &mut Finding) {
        let Ok(allow) = &self.said else { return };
        for (name, used) in allow.rules.iter().zip(&mut self.used) {
            if name.value == finding.rule.id {
                *used = true;
                finding.suppressed = true;
                finding.justification.clone_from(&allow.reason);
            }
        }
    }

    /// Whether its brackets name `rule`.
    pub(super) fn names(&self, rule: &str) -> bool {
        self.said.as_ref().is_ok_and(|allow| allow.rules.iter().any(|name| name.value == rule))
    }
}

fn line_of(sources: &Sources, span: Span) -> Option<(FileId, usize)> {
    // A finding about no file at all carries an id that `sources` never gave out.
    let known = (span.file.0 as usize) < sources.files().len();
    known.then(|| (span.file, sources.file(span.file).lines.line_of(span.start)))
}

/// First bytes of the comments addressed to loadpath, according to the YAML scanner; `None` if the text
/// is no YAML.
fn scan(text: &str) -> Option<Vec<usize>> {
    let options = granit_parser::options! {
        // A long run of comments, or an alias without its anchor, is no reason to give up here.
        max_buffered_comment_events: usize::MAX,
        emit_unresolved_aliases: true,
    };
    let mut starts = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        if matches!(event, Event::Comment(..)) {
            let range = span.byte_range()?;
            if directive::is_directive(text.get(range.clone())?) {
                starts.push(range.start);
            }
        }
    }
    Some(starts)
}

/// The same by the look of each line: a `#` that starts it or follows a blank, and the mark after it.
fn guess(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let sign = line.match_indices('#').map(|(at, _)| at).find(|at| {
            let before = line.get(..*at).unwrap_or_default();
            let opens = before.is_empty() || before.ends_with([' ', '\t']);
            opens && directive::is_directive(line.get(*at..).unwrap_or_default())
        });
        starts.extend(sign.map(|at| offset + at));
        offset += line.len();
    }
    starts
}

fn suppression(id: FileId, file: &SourceFile, start: usize) -> Option<Suppression> {
    let rest = file.text.get(start..)?;
    let comment = rest.lines().next()?.trim_end();
    let span = Span::new(id, start as u32, (start + comment.len()) as u32);
    let said = directive::parse(comment, span)?;
    let own = file.lines.line_of(span.start);
    let line_start = file.lines.start_of(own) as usize;
    let before = file.text.get(line_start..start)?;
    let target = if before.trim().is_empty() { next_line(rest, own) } else { Some((own, before.trim())) };
    let removal = if before.trim().is_empty() {
        let next = file.text.get(span.end as usize..).and_then(|rest| rest.find('\n'));
        let end = next.map_or(file.text.len(), |at| span.end as usize + at + 1);
        Span::new(id, line_start as u32, end as u32)
    } else {
        Span::new(id, (line_start + before.trim_end().len()) as u32, span.end)
    };
    let used = vec![false; said.as_ref().map_or(0, |allow| allow.rules.len())];
    Some(Suppression {
        span,
        target: target.map(|(line, _)| line),
        target_text: target.map_or(String::new(), |(_, text)| text.to_owned()),
        removal,
        said,
        used,
        expired: false,
    })
}

/// The line that a directive on its own line speaks of; `rest` begins with that directive, on line `own`.
fn next_line(rest: &str, own: usize) -> Option<(usize, &str)> {
    let mut lines = rest.lines().enumerate().skip(1).map(|(distance, line)| (own + distance, line.trim()));
    lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#') && *line != "---")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::RuleInfo;

    static RULE: RuleInfo = RuleInfo::warning("a-rule", "", "");

    fn today() -> Date {
        Date::new(2026, 6, 1).unwrap()
    }

    fn span_of(sources: &Sources, id: FileId, needle: &str) -> Span {
        let at = sources.file(id).text.find(needle).unwrap();
        Span::new(id, at as u32, (at + needle.len()) as u32)
    }

    /// Whether a finding at `HERE` is suppressed.
    fn check(text: &str, expected: bool) {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let mut found = vec![Finding::new(&RULE, span_of(&sources, id, "HERE"), "bad")];
        let mut all = Suppressions::collect(&sources);
        all.apply(&mut found, &sources, today());
        assert_eq!(found[0].suppressed, expected, "{text}");
    }

    #[test]
    fn a_directive_covers_its_line_or_the_next() {
        for (text, expected) in [
            ("x: HERE # loadpath: allow[a-rule] why\n", true),
            ("# loadpath: allow[a-rule] why\nx: HERE\n", true),
            ("# loadpath: allow[a-rule] why\r\nx: HERE\r\n", true),
            ("größe: 大きい\nx: HERE # loadpath: allow[a-rule] why\n", true),
            ("größe: {大きい: HERE} # loadpath: allow[a-rule] why\n", true),
            ("x: 1\n  # loadpath: allow[b, a-rule] why\n\n  # more words\ny: HERE\n", true),
            ("# loadpath: allow[a-rule] why\n# loadpath: allow[b] why\nx: HERE\n", true),
            ("# loadpath: allow[a-rule] why\n---\nx: HERE\n", true),
            ("# loadpath: allow[a-rule] until 2026-06-01 today still counts\nx: HERE\n", true),
            ("# loadpath: allow[a-rule] until 2026-05-31 gone\nx: HERE\n", false),
            ("# loadpath: allow[b] why\nx: HERE\n", false),
            ("# loadpath: alow[a-rule] why\nx: HERE\n", false),
            ("# loadpath: allow[a-rule] why\ny: 1\nx: HERE\n", false),
            ("x: HERE\n# loadpath: allow[a-rule] why\n", false),
            ("y: 1 # loadpath: allow[a-rule] why\nx: HERE\n", false),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn only_comments_count() {
        for (text, expected) in [
            ("x: \"HERE # loadpath: allow[a-rule] why\"\n", false),
            ("x: 'HERE # loadpath: allow[a-rule] why'\n", false),
            ("x: HERE#loadpath: allow[a-rule]\n", false),
            ("x: |\n  # loadpath: allow[a-rule] why\n  HERE\n", false),
            ("x: {a: \"#\", b: HERE} # loadpath: allow[a-rule] why\n", true),
            ("x: [HERE,\n # loadpath: allow[a-rule] why\n 2]\n", false),
            ("x: [1,\n # loadpath: allow[a-rule] why\n HERE]\n", true),
            ("x: *nowhere\n# loadpath: allow[a-rule] why\ny: HERE\n", true),
        ] {
            check(text, expected);
        }
        check(&format!("{}# loadpath: allow[a-rule] why\nx: HERE\n", "# words\n".repeat(500)), true);
    }

    #[test]
    fn broken_files_are_read_by_their_looks() {
        check("a: [1\nb: }{\nx: HERE # loadpath: allow[a-rule] why\n", true);
        check("a: [1\nb: }{\n# loadpath: allow[a-rule] why\nx: HERE\n", true);
        check("a: [1\nb: }{\nx: HERE#loadpath: allow[a-rule] why\n", false);
    }

    #[test]
    fn any_span_of_a_finding_will_do_but_only_where_it_starts() {
        let mut sources = Sources::default();
        let a = sources.add("a.yaml", "x: FIRST\n");
        let b = sources.add("b.yaml", "y:\n  # loadpath: allow[a-rule] why\n  z: SECOND\n");
        let block = Span::new(b, 0, sources.file(b).text.len() as u32);
        let first = span_of(&sources, a, "FIRST");
        let nowhere = Span::new(FileId(9), 0, 0);
        let mut found = vec![
            Finding::new(&RULE, first, "story").also(span_of(&sources, b, "SECOND"), "here"),
            Finding::new(&RULE, block, "the whole block"),
            Finding::new(&RULE, nowhere, "about no file").also(nowhere, ""),
        ];
        let mut all = Suppressions::collect(&sources);
        all.apply(&mut found, &sources, today());
        assert_eq!(found.iter().map(|f| f.suppressed).collect::<Vec<_>>(), [true, false, false]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_the_search(pieces in prop::collection::vec(prop::sample::select(vec![
            "# loadpath: allow[", "a-rule", ",", "]", " until ", "2027-01-31", "x: ", "- ", "{", "}", "[", "\"", "'",
            "\n", "\r\n", "  ", "\t", "|", "#", "é", "大", "&a ", "*a ", "---\n", "why", "\0", "\u{feff}",
        ]), 0..50)) {
            let mut sources = Sources::default();
            let id = sources.add("a.yaml", pieces.concat());
            let mut all = Suppressions::collect(&sources);
            let mut found = vec![Finding::new(&RULE, Span::new(id, 0, 0), "bad")];
            all.apply(&mut found, &sources, today());
            for finding in all.report(&["a-rule"], &|_| true) {
                // Every finding stands on the bytes it speaks of.
                prop_assert!(sources.file(id).text.get(
                    finding.primary.span.start as usize..finding.primary.span.end as usize
                ).is_some(), "{finding:?}");
            }
        }
    }
}
