//! `.env` and `env_file`: `NAME=value` lines with comments, quotes and variables. Must not know where
//! the text came from.
//!
//! Source: the Compose Specification, ".env file syntax" (compose-go `dotenv`).

use super::interpolate::{Vars, expand};
use std::ops::Range;

/// All values of one file together may be this long, in bytes: a file of `A=$A$A` lines stays small.
const LONGEST: usize = 4 << 20;

/// One line `NAME=value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The name.
    pub name: String,
    /// The value, variables put in.
    pub value: String,
    /// Bytes of the value in the text, quotes included.
    pub span: Range<usize>,
}

/// The assignments of a text, in order. Variables are looked up in earlier lines, then in `outer`.
/// Lines that assign nothing are passed over, as compose does with names that have no value.
pub fn parse(text: &str, outer: &Vars) -> Vec<Assignment> {
    let mut vars = outer.clone();
    let mut found = Vec::new();
    let (mut at, mut total) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let end = rest.find('\n').map_or(text.len(), |n| at + n);
        let Some((name, value_at)) = head(text, at, end) else {
            at = end + 1;
            continue;
        };
        let (raw, span, next) = value(text, value_at, end);
        let value = match raw {
            Raw::Verbatim(value) => value,
            Raw::Template(template) => expand(&template, &vars).text,
        };
        total += value.len();
        if total > LONGEST {
            break;
        }
        vars.insert(name.clone(), value.clone());
        found.push(Assignment { name, value, span });
        at = next;
    }
    found
}

/// The name of an assignment on the line `at..end`, and where its value starts.
fn head(text: &str, at: usize, end: usize) -> Option<(String, usize)> {
    let line = &text[at..end];
    if line.trim_start().starts_with('#') {
        return None;
    }
    let sign = line.find(['=', ':'])?;
    let name = line[..sign].trim();
    let name = name.strip_prefix("export ").map_or(name, str::trim_start);
    let named = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    named.then(|| (name.to_owned(), at + sign + 1))
}

enum Raw {
    /// Single quotes: as it is.
    Verbatim(String),
    /// With variables to be put in.
    Template(String),
}

/// The value that starts at `at` on a line that ends at `end`: itself, its bytes, and where the next line
/// starts (a quoted value may hold line breaks).
fn value(text: &str, at: usize, end: usize) -> (Raw, Range<usize>, usize) {
    let line = text.get(at..end).unwrap_or_default();
    let start = at + line.len() - line.trim_start().len();
    let quote = text.get(start..).and_then(|t| t.chars().next()).filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote.filter(|_| start < end)
        && let Some(close) = closing(&text[start + 1..], quote)
    {
        let inner = &text[start + 1..start + 1 + close];
        let after = start + close + 2;
        let next = text[after..].find('\n').map_or(text.len(), |n| after + n + 1);
        let raw =
            if quote == '\'' { Raw::Verbatim(inner.to_owned()) } else { Raw::Template(unescape(inner)) };
        return (raw, start..after, next);
    }
    let line = text.get(start..end).unwrap_or_default();
    // A comment needs white space before its `#`: `a#b` is a value.
    let comment = line.char_indices().find(|(i, c)| *c == '#' && line[..*i].ends_with(char::is_whitespace));
    let line = if line.starts_with('#') {
        ""
    } else {
        line.get(..comment.map_or(line.len(), |c| c.0)).unwrap_or(line)
    };
    let value = line.trim_end();
    (Raw::Template(value.to_owned()), start..start + value.len(), end + 1)
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(i, c)| {
        let found = c == quote && !escaped;
        escaped = c == '\\' && !escaped && quote == '"';
        found.then_some(i)
    })
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('t')) => out.push('\t'),
            // A literal dollar is `$$` to what comes next.
            ('\\', Some('$')) => out.push_str("$$"),
            ('\\', Some(other @ ('"' | '\\'))) => out.push(other),
            ('\\', Some(other)) => out.extend(['\\', other]),
            (c, _) => out.push(c),
        }
    }
    out
}
