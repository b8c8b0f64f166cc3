//! The lines of Structurizr's DSL as words with their bytes: quotes, comments, text blocks, lines that go on.
//!
//! Must not know what the words mean.

use crate::finding::Finding;
use crate::source::{FileId, Span, Spanned};
use crate::spec::rules::INVALID_VALUE;

/// One word of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its text, without its quotes.
    pub text: String,
    /// Its bytes, with its quotes.
    pub span: Span,
    /// It had quotes: then it is no sign.
    pub quoted: bool,
}

impl Word {
    /// Whether it is this sign, without quotes.
    pub fn is(&self, sign: &str) -> bool {
        !self.quoted && self.text == sign
    }

    /// Text and place.
    pub fn spanned(&self) -> Spanned<String> {
        Spanned::new(self.text.clone(), self.span)
    }
}

/// A line: its words, and whether it opens a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its words without the brace at its end; never empty unless the brace is all.
    pub words: Vec<Word>,
    /// It ends with `{`.
    pub opens: bool,
}

struct Scanner<'t> {
    text: &'t str,
    file: FileId,
    at: usize,
}

/// All lines that say something.
pub fn lines(text: &str, file: FileId, findings: &mut Vec<Finding>) -> Vec<Line> {
    let mut scanner = Scanner { text, file, at: 0 };
    let mut all = Vec::new();
    while scanner.at < text.len() {
        let mut words = scanner.line(findings);
        let opens = words.last().is_some_and(|word| word.is("{"));
        if opens {
            words.pop();
        }
        if opens || !words.is_empty() {
            all.push(Line { words, opens });
        }
    }
    all
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn span(&self, from: usize) -> Span {
        Span::new(self.file, from as u32, self.at as u32)
    }

    /// Goes behind the next `end`; to the end of the text where there is none.
    fn skip_to(&mut self, end: &str) -> bool {
        let found = self.rest().find(end);
        self.at = found.map_or(self.text.len(), |at| self.at + at + end.len());
        found.is_some()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        let blank = |c: char| c.is_whitespace() && c != '\n';
        self.at += rest.len() - rest.trim_start_matches(blank).len();
    }

    fn line(&mut self, findings: &mut Vec<Finding>) -> Vec<Word> {
        let mut words = Vec::new();
        loop {
            self.blanks();
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with('\n') {
                self.at += usize::from(!rest.is_empty());
                return words;
            }
            // A comment is a line of its own.
            if words.is_empty() && (rest.starts_with('#') || rest.starts_with("//")) {
                self.skip_to("\n");
                return words;
            }
            if words.is_empty() && rest.starts_with("/*") {
                let from = self.at;
                if !self.skip_to("*/") {
                    let finding =
                        Finding::new(&INVALID_VALUE, self.span(from).slice(0, 2), "this comment has no end");
                    findings.push(finding.help("close it with `*/`"));
                }
                self.skip_to("\n");
                return words;
            }
            if let Some(goes_on) =
                rest.strip_prefix('\\').and_then(|r| r.trim_start_matches('\r').strip_prefix('\n'))
            {
                self.at = self.text.len() - goes_on.len();
                continue;
            }
            words.push(self.word(findings));
        }
    }

    fn word(&mut self, findings: &mut Vec<Finding>) -> Word {
        let from = self.at;
        let rest = self.rest();
        if let Some(block) = rest.strip_prefix("\"\"\"") {
            self.at += 3;
            let closed = self.skip_to("\"\"\"");
            let inner = block.len().min(self.at - from - if closed { 6 } else { 3 });
            self.unclosed(closed, from, findings);
            let text = block.get(..inner).unwrap_or_default().trim().to_owned();
            return Word { text, span: self.span(from), quoted: true };
        }
        if rest.starts_with('"') {
            self.at += 1;
            return self.quoted(from, findings);
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at += end;
        Word { text: rest.get(..end).unwrap_or_default().to_owned(), span: self.span(from), quoted: false }
    }

    fn quoted(&mut self, from: usize, findings: &mut Vec<Finding>) -> Word {
        let (mut text, mut escaped, mut closed) = (String::new(), false, false);
        for c in self.rest().chars() {
            if c == '\n' {
                break;
            }
            self.at += c.len_utf8();
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => {
                    closed = true;
                    break;
                }
                c => {
                    if escaped && c != '"' {
                        text.push('\\');
                    }
                    text.push(c);
                    escaped = false;
                }
            }
        }
        self.unclosed(closed, from, findings);
        Word { text, span: self.span(from), quoted: true }
    }

    fn unclosed(&self, closed: bool, from: usize, findings: &mut Vec<Finding>) {
        if !closed {
            let finding = Finding::new(&INVALID_VALUE, self.span(from), "this text has no closing quote");
            findings.push(finding.help("close it with `\"` on the same line"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_words() {
        for (text, expected) in [
            ("a = container \"The \\\"A\\\"\" {\n}", &["a|=|container|The \"A\"|{", "}"][..]),
            ("# no\n// no\n  /* no\n no */ no\n a -> b", &["a|->|b"]),
            ("a \\\n  b\r\nc", &["a|b", "c"]),
            ("description \"\"\"\none\ntwo\"\"\"\nx", &["description|one\ntwo", "x"]),
            ("url https://x.y/#z // z", &["url|https://x.y/#z|//|z"]),
            ("a \"{\"", &["a|{"]),
        ] {
            let mut findings = Vec::new();
            let lines = lines(text, FileId(0), &mut findings);
            let show = |line: &Line| {
                let mut words: Vec<_> = line.words.iter().map(|w| w.text.as_str()).collect();
                words.extend(line.opens.then_some("{"));
                words.join("|")
            };
            assert_eq!(lines.iter().map(show).collect::<Vec<_>>(), expected, "{text}");
            assert!(findings.is_empty(), "{text}");
        }
        for text in ["a \"b", "/* a", "\"\"\"", "\"\"\" a \"\"", "\"\\"] {
            let mut findings = Vec::new();
            lines(text, FileId(0), &mut findings);
            assert_eq!(findings.len(), 1, "{text}");
        }
    }
}
