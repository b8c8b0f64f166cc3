//! Just enough of Rust's grammar to look for things without being fooled by comments and strings.

/// A word or a sign of the code.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// A whole identifier, or one character.
    pub text: String,
    /// From 1.
    pub line: usize,
    /// Inside something that is only compiled for tests.
    pub test: bool,
    /// How many `mod name { … }` are around it.
    pub depth: usize,
}

/// A path as written, with `use` trees expanded: `use a::{b, c::d}` is two of them.
#[derive(Debug, Clone, PartialEq)]
pub struct PathUse {
    /// `["crate", "model", "Edge"]`.
    pub segments: Vec<String>,
    /// Where it stands: line, whether only for tests, how many inline modules are around it.
    pub at: Token,
    /// Whether a `!` follows.
    pub is_macro: bool,
}

impl PathUse {
    /// Whether it begins with these segments.
    pub fn starts_with(&self, segments: &[&str]) -> bool {
        self.segments.len() >= segments.len() && segments.iter().zip(&self.segments).all(|(a, b)| a == b)
    }
}

/// The text with comments, strings and character literals turned into blanks; lines stay where they are.
pub fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// One past the comment or literal that begins at `at`; `at` itself if none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let in_word = at > 0 && is_word(chars[at - 1]) && !matches!(chars[at - 1], 'b' | 'c');
    match chars[at] {
        '/' if next(1) == '/' => find(chars, at, |c| c == '\n'),
        '/' if next(1) == '*' => block_comment_end(chars, at),
        '"' => string_end(chars, at),
        'r' if !in_word && matches!(next(1), '"' | '#') => raw_string_end(chars, at),
        '\'' if next(1) == '\\' => find(chars, at + 3, |c| c == '\'') + 1,
        // Otherwise a lifetime.
        '\'' if next(2) == '\'' => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|i| wanted(chars[*i])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_end(chars: &[char], start: usize) -> usize {
    let quote = find(chars, start + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return start; // a raw identifier
    }
    let hashes = quote - start - 1;
    let closes = |at: &usize| chars[*at] == '"' && (1..=hashes).all(|i| chars.get(at + i) == Some(&'#'));
    (quote + 1..chars.len()).find(closes).map_or(chars.len(), |at| at + 1 + hashes)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words and signs of a file, each knowing whether it is test code.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (index, line) in blank(source).lines().enumerate() {
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            if is_word(c) {
                word.push(c);
                continue;
            }
            let sign = (!c.is_whitespace()).then(|| c.to_string());
            let words = (!word.is_empty()).then(|| std::mem::take(&mut word));
            tokens.extend(words.into_iter().chain(sign).map(|text| Token {
                text,
                line: index + 1,
                test: false,
                depth: 0,
            }));
        }
    }
    mark_depth(&mut tokens);
    mark_tests(&mut tokens);
    tokens
}

/// Whether the tokens from `at` on read like this.
pub fn reads(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(i, word)| tokens.get(at + i).is_some_and(|t| t.text == *word))
}

/// The index of the bracket that closes the one at `open`; the last token if none does.
pub fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

fn mark_depth(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        if reads(tokens, at, &["mod"]) && reads(tokens, at + 2, &["{"]) {
            let end = close(tokens, at + 2);
            tokens[at + 2..=end].iter_mut().for_each(|token| token.depth += 1);
        }
    }
}

fn mark_tests(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        if !reads(tokens, at, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            continue;
        }
        // What the attribute stands on ends with its first body or with a semicolon.
        let ends = |token: &Token| matches!(token.text.as_str(), "{" | ";");
        let Some(first) = tokens.iter().skip(at).position(ends).map(|i| at + i) else { continue };
        let end = if tokens[first].text == "{" { close(tokens, first) } else { first };
        tokens[at..=end].iter_mut().for_each(|token| token.test = true);
    }
}

/// Every path of a file.
pub fn paths(tokens: &[Token]) -> Vec<PathUse> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = if is_name(tokens, at) { path(tokens, at, &[], &mut out) } else { at + 1 };
    }
    out
}

fn is_name(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.text.starts_with(is_word))
}

/// Reads the path that begins at `at` behind `prefix`; gives the index after it.
fn path(tokens: &[Token], start: usize, prefix: &[String], out: &mut Vec<PathUse>) -> usize {
    let mut segments = prefix.to_vec();
    let mut at = start;
    loop {
        segments.push(tokens[at].text.clone());
        at += 1;
        if !reads(tokens, at, &[":", ":"]) {
            break;
        }
        if reads(tokens, at + 2, &["{"]) {
            return group(tokens, at + 2, &segments, out);
        }
        if !is_name(tokens, at + 2) {
            break;
        }
        at += 2;
    }
    let is_macro = reads(tokens, at, &["!"]) && !reads(tokens, at + 1, &["="]);
    out.push(PathUse { segments, at: tokens[start].clone(), is_macro });
    at
}

fn group(tokens: &[Token], open: usize, prefix: &[String], out: &mut Vec<PathUse>) -> usize {
    let end = close(tokens, open);
    let mut at = open + 1;
    while at < end {
        if reads(tokens, at, &["as"]) {
            at += 2;
        } else if is_name(tokens, at) {
            at = path(tokens, at, prefix, out);
        } else {
            at += 1;
        }
    }
    end + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        for (source, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ \n */ d", "a              \n    d"),
            (r#"a("b\"c", 'd', '\'', 'e)"#, "a(      ,    ,     , 'e)"),
            ("r\"b\\\" c r#\"d\"e\"# br\"f\" r#type bar\"x\"", "      c          b     r#type bar   "),
            ("let c = '\"'; d", "let c =    ; d"),
            ("'\\u{1b}' x", "         x"),
        ] {
            assert_eq!(blank(source), expected, "{source}");
        }
    }

    #[test]
    fn trees_of_use_are_expanded() {
        let shown = |source: &str| -> Vec<String> {
            let found = paths(&tokens(source));
            found.iter().map(|p| p.segments.join("::") + if p.is_macro { "!" } else { "" }).collect()
        };
        assert_eq!(
            shown("use crate::{a::{self, b as c}, d}; x!(::std::fs::read::<u8>()); a != b"),
            ["use", "crate::a::self", "crate::a::b", "crate::d", "x!", "std::fs::read", "u8", "a", "b"]
        );
    }

    #[test]
    fn test_code_is_known() {
        let source = "a;\n#[cfg(test)]\nmod tests { b; }\nc;\n#[cfg(test)]\nmod more;\nd;\nmod e { f; }";
        let found = tokens(source);
        let is = |text: &str| found.iter().find(|t| t.text == text).map(|t| (t.test, t.depth));
        assert_eq!(
            ["a", "b", "c", "more", "d", "f"].map(is),
            [(false, 0), (true, 1), (false, 0), (true, 0), (false, 0), (false, 1)].map(Some)
        );
    }
}
