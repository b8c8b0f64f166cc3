//! `$VAR`, `${VAR:-default}` and their kin: a text with its variables put in, and which bytes of the
//! source each part of the result came from. Must not know what the text is for.
//!
//! Source: the Compose Specification, "Interpolation" (compose-go `template`).

use std::ops::Range;

/// Values by name.
pub type Vars = std::collections::BTreeMap<String, String>;

/// The longest text one expansion may yield, in bytes: nested variables cannot blow up a file.
pub const LONGEST: usize = 64 << 10;
/// How deep `${A:-${B:-…}}` may nest.
const DEEPEST: usize = 16;

/// A text with its variables put in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expanded {
    /// The result.
    pub text: String,
    /// Where it came from, in order.
    pieces: Vec<Piece>,
    /// What is wrong or missing.
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq)]
struct Piece {
    /// First byte of the result.
    at: usize,
    /// Bytes of the source.
    source: Range<usize>,
    /// Copied byte by byte, so that parts of it can be told apart.
    literal: bool,
}

/// Something about one `$…` of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Its bytes.
    pub source: Range<usize>,
    /// What is the matter.
    pub what: Trouble,
}

/// What may be the matter with a `$…`.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// It is no variable.
    Syntax(&'static str),
    /// `${NAME:?message}`, and there is no value.
    Required {
        /// The variable.
        name: String,
        /// What the file says about it.
        message: String,
    },
    /// There is no value and no default.
    Unset(String),
    /// The result would be too long, or nests too deep.
    TooLong,
}

impl Expanded {
    /// A text without variables, however long.
    pub fn literal(text: String) -> Self {
        let piece = Piece { at: 0, source: 0..text.len(), literal: true };
        Self { text, pieces: vec![piece], problems: Vec::new() }
    }

    /// A text that came from elsewhere: no part of it can be told apart.
    pub fn opaque(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// The bytes of the source that made `range` of the result; `None` where they are not known.
    pub fn source(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = self.piece(range.start)?;
        let last = self.piece(range.end.saturating_sub(1).max(range.start))?;
        let start =
            if first.literal { first.source.start + (range.start - first.at) } else { first.source.start };
        let end = if last.literal { last.source.start + (range.end - last.at) } else { last.source.end };
        Some(start..end.max(start))
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.at <= at);
        self.pieces.get(after.checked_sub(1)?)
    }

    fn push(&mut self, text: &str, source: Range<usize>, literal: bool) {
        if self.text.len() + text.len() > LONGEST {
            self.problems.push(Problem { source, what: Trouble::TooLong });
        } else if !text.is_empty() {
            self.pieces.push(Piece { at: self.text.len(), source, literal });
            self.text.push_str(text);
        }
    }

    fn problem(&mut self, source: Range<usize>, what: Trouble) {
        self.problems.push(Problem { source, what });
    }
}

/// Puts variables into a text. What is wrong stays in the result as it was written.
pub fn expand(text: &str, vars: &Vars) -> Expanded {
    let mut out = Expanded::default();
    run(text, 0, vars, &mut out, 0);
    out
}

/// Expands `text`, which stands at byte `base` of the source.
fn run(text: &str, base: usize, vars: &Vars, out: &mut Expanded, depth: usize) {
    let mut rest = 0;
    while let Some(found) = text.get(rest..).and_then(|t| t.find('$')) {
        let dollar = rest + found;
        out.push(&text[rest..dollar], base + rest..base + dollar, true);
        let after = &text[dollar + 1..];
        let length = if after.starts_with('$') {
            out.push("$", base + dollar..base + dollar + 2, false);
            2
        } else if let Some(inner) = after.strip_prefix('{') {
            braces(inner, base + dollar, vars, out, depth)
        } else {
            let name = leading_name(after);
            let source = base + dollar..base + dollar + 1 + name.len();
            if name.is_empty() {
                out.push("$", source.clone(), false);
                out.problem(source, Trouble::Syntax("`$` is followed by no variable"));
            } else {
                value_or_empty(name, source, vars, out);
            }
            1 + name.len()
        };
        rest = dollar + length;
    }
    let tail = text.get(rest..).unwrap_or_default();
    out.push(tail, base + rest..base + rest + tail.len(), true);
}

/// `${…}` from after its opening brace; `at` is where the `$` stands in the source. Returns its length.
fn braces(inner: &str, at: usize, vars: &Vars, out: &mut Expanded, depth: usize) -> usize {
    let Some(close) = closing(inner) else {
        let source = at..at + 2 + inner.len();
        out.push("${", at..at + 2, false);
        out.problem(source, Trouble::Syntax("`${` has no closing brace"));
        return 2;
    };
    let (body, length) = (&inner[..close], close + 3);
    let source = at..at + length;
    let name = leading_name(body);
    let operator = &body[name.len()..];
    let value = vars.get(name);
    let filled = value.filter(|v| !v.is_empty());
    let (colon, operator) = operator.strip_prefix(':').map_or((false, operator), |rest| (true, rest));
    let argument_at = at + 2 + name.len() + usize::from(colon) + 1;
    let argument = operator.get(1..).unwrap_or_default();
    let found = if colon { filled } else { value };
    match operator.chars().next() {
        _ if name.is_empty() => {
            out.push(&format!("${{{body}}}"), source.clone(), false);
            out.problem(source, Trouble::Syntax("`${` is followed by no variable"));
        }
        None if !colon => value_or_empty(name, source, vars, out),
        Some('-') => match found {
            Some(value) => out.push(value, source, false),
            None => nested(argument, argument_at, source, vars, out, depth),
        },
        Some('+') => {
            if found.is_some() {
                nested(argument, argument_at, source, vars, out, depth);
            }
        }
        Some('?') => {
            if let Some(value) = found {
                out.push(value, source, false);
            } else {
                let message = expand(argument, vars).text;
                out.problem(source, Trouble::Required { name: name.to_owned(), message });
            }
        }
        _ => {
            out.push(&format!("${{{body}}}"), source.clone(), false);
            out.problem(
                source,
                Trouble::Syntax("a name is followed by `-`, `?` or `+`, with or without `:` before it"),
            );
        }
    }
    length
}

fn nested(argument: &str, at: usize, source: Range<usize>, vars: &Vars, out: &mut Expanded, depth: usize) {
    if depth >= DEEPEST {
        out.problem(source, Trouble::TooLong);
    } else {
        run(argument, at, vars, out, depth + 1);
    }
}

fn value_or_empty(name: &str, source: Range<usize>, vars: &Vars, out: &mut Expanded) {
    match vars.get(name) {
        Some(value) => out.push(value, source, false),
        None => out.problem(source, Trouble::Unset(name.to_owned())),
    }
}

/// Where the brace that closes this `${` stands; inner `${` have their own.
fn closing(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let (mut open, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'$' if bytes.get(at + 1) == Some(&b'$') => at += 1,
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open += 1;
                at += 1;
            }
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}
