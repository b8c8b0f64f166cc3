//! One suppression comment: `# loadpath: allow[rule-a, rule-b] until 2027-01-31 reason`.
//!
//! Owns its grammar. Must not know which rules exist, what day it is, nor where comments are found.

use super::Date;
use crate::source::{Span, Spanned};

/// What stands before every directive inside a comment.
pub(super) const MARK: &str = "loadpath:";

/// What a well-formed directive says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Allow {
    /// The names in the brackets; at least one.
    pub rules: Vec<Spanned<String>>,
    /// The last day on which it counts.
    pub until: Option<Spanned<Date>>,
    /// Why; may be empty.
    pub reason: String,
}

/// Why a comment that begins as a directive is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Malformed {
    /// The bytes at fault.
    pub span: Span,
    /// What is wrong, as a headline.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Whether a comment (from its `#` on) is addressed to loadpath.
pub(super) fn is_directive(comment: &str) -> bool {
    comment.trim_start_matches('#').trim_start().starts_with(MARK)
}

/// Reads a comment, given from its `#` to the end of its line; `span` is where it stands. `None` for a
/// comment that is not addressed to loadpath.
pub(super) fn parse(comment: &str, span: Span) -> Option<Result<Allow, Malformed>> {
    if !is_directive(comment) {
        return None;
    }
    let (_, body) = comment.split_once(MARK)?;
    let at = Cursor { span, length: comment.len() };
    Some(parse_body(body, at))
}

/// Turns a part of the comment back into its bytes in the file.
#[derive(Clone, Copy)]
struct Cursor {
    span: Span,
    length: usize,
}

impl Cursor {
    /// The span of `part`, where `rest` is what follows the start of the part.
    fn span(self, rest: &str, part: &str) -> Span {
        let from = self.length.saturating_sub(rest.len());
        self.span.slice(from, from + part.len())
    }
}

fn parse_body(body: &str, at: Cursor) -> Result<Allow, Malformed> {
    let body = body.trim_start();
    let word_end = body.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(body.len());
    let (word, rest) = body.split_at(word_end);
    if word != "allow" {
        return Err(unknown_word(word, at.span(body, word)));
    }
    let rest = rest.trim_start();
    let Some(inside) = rest.strip_prefix('[') else {
        let help = "name the rules it allows: `# loadpath: allow[rule-id] reason`".to_owned();
        return Err(Malformed {
            span: at.span(body, word),
            message: "`allow` names no rule".to_owned(),
            help,
        });
    };
    let Some((list, tail)) = inside.split_once(']') else {
        let message = "the list of allowed rules is not closed".to_owned();
        return Err(Malformed { span: at.span(rest, rest), message, help: "close it with `]`".to_owned() });
    };
    let rules = names(list, inside, at);
    if rules.is_empty() {
        return Err(Malformed {
            span: at.span(rest, "[]"),
            message: "`allow` names no rule".to_owned(),
            help: "write the rule's id between the brackets, or delete the comment".to_owned(),
        });
    }
    let (until, tail) = expiry(tail, at)?;
    let reason = tail.trim_start_matches([' ', '\t', ':', ',', '-', '–', '—']).trim_end();
    Ok(Allow { rules, until, reason: reason.to_owned() })
}

fn unknown_word(word: &str, span: Span) -> Malformed {
    let meant = super::nearest(word, ["allow"]);
    let shape = "the form is `# loadpath: allow[rule-id] reason`";
    Malformed {
        span,
        message: if word.is_empty() {
            "a comment to loadpath that says nothing it knows".to_owned()
        } else {
            format!("`{word}` is not a directive")
        },
        help: meant.map_or(shape.to_owned(), |m| format!("did you mean `{m}`? {shape}")),
    }
}

fn names(list: &str, rest: &str, at: Cursor) -> Vec<Spanned<String>> {
    let mut rules = Vec::new();
    let mut offset = 0;
    for part in list.split(',') {
        let name = part.trim();
        let lead = part.len() - part.trim_start().len();
        let from = rest.get(offset + lead..).unwrap_or_default();
        if !name.is_empty() {
            rules.push(Spanned::new(name.to_owned(), at.span(from, name)));
        }
        offset += part.len() + 1;
    }
    rules
}

type Expiry<'a> = (Option<Spanned<Date>>, &'a str);

fn expiry(tail: &str, at: Cursor) -> Result<Expiry<'_>, Malformed> {
    let tail = tail.trim_start();
    let Some(rest) = tail.strip_prefix("until").filter(|r| r.is_empty() || r.starts_with([' ', '\t', ':']))
    else {
        return Ok((None, tail));
    };
    let rest = rest.trim_start_matches([' ', '\t', ':']);
    let word = rest.split([' ', '\t']).next().unwrap_or_default();
    let bare = word.trim_end_matches([',', ':', ';']);
    match Date::parse(bare) {
        Some(date) => {
            let after = rest.get(word.len()..).unwrap_or_default();
            Ok((Some(Spanned::new(date, at.span(rest, bare))), after))
        }
        None => Err(Malformed {
            span: if bare.is_empty() { at.span(tail, "until") } else { at.span(rest, bare) },
            message: if bare.is_empty() {
                "`until` without a date".to_owned()
            } else {
                format!("`{bare}` is not a date")
            },
            help: "after `until` comes a day of the calendar: `until 2027-01-31`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    /// What a comment says, on one line; spans are shown as the text they cover.
    fn check(comment: &str, expected: &str) {
        let text = format!("  {comment}");
        let span = Span::new(FileId(0), 2, text.len() as u32);
        let show = |s: Span| text[s.start as usize..s.end as usize].to_owned();
        let said = match parse(comment, span) {
            None => "not ours".to_owned(),
            Some(Err(bad)) => format!("bad `{}`: {}", show(bad.span), bad.message),
            Some(Ok(allow)) => {
                for rule in &allow.rules {
                    assert_eq!(show(rule.span), rule.value, "span of a rule in {comment}");
                }
                let rules: Vec<&str> = allow.rules.iter().map(|r| r.as_str()).collect();
                let until = allow.until.map_or(String::new(), |d| {
                    assert_eq!(show(d.span), d.value.to_string());
                    format!(" until {}", d.value)
                });
                format!("{}{until}: {}", rules.join("+"), allow.reason)
            }
        };
        assert_eq!(said, expected, "{comment}");
    }

    #[test]
    fn comments_are_read() {
        for (comment, expected) in [
            ("# loadpath: allow[high-fan-out] it is a hub", "high-fan-out: it is a hub"),
            ("#loadpath:allow[a,b]", "a+b: "),
            ("## loadpath: allow [ a , b ] — because", "a+b: because"),
            ("# loadpath: allow[a] until 2027-01-31 reason", "a until 2027-01-31: reason"),
            ("# loadpath: allow[a] until: 2027-01-31: reason", "a until 2027-01-31: reason"),
            ("# loadpath: allow[a] until 2027-01-31", "a until 2027-01-31: "),
            ("# loadpath: allow[é, ü] größer", "é+ü: größer"),
            ("# loadpath: allow[a] untilled soil", "a: untilled soil"),
            ("# see loadpath: allow[a]", "not ours"),
            ("# loadpath.yaml", "not ours"),
            ("#", "not ours"),
        ] {
            check(comment, expected);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (comment, expected) in [
            ("# loadpath: alow[a]", "bad `alow`: `alow` is not a directive"),
            ("# loadpath: disable a", "bad `disable`: `disable` is not a directive"),
            ("# loadpath:", "bad ``: a comment to loadpath that says nothing it knows"),
            ("# loadpath: allow a", "bad `allow`: `allow` names no rule"),
            ("# loadpath: allow[a reason", "bad `[a reason`: the list of allowed rules is not closed"),
            ("# loadpath: allow[] x", "bad `[]`: `allow` names no rule"),
            ("# loadpath: allow[a] until 2027-02-30 x", "bad `2027-02-30`: `2027-02-30` is not a date"),
            ("# loadpath: allow[a] until Friday", "bad `Friday`: `Friday` is not a date"),
            ("# loadpath: allow[a] until", "bad `until`: `until` without a date"),
        ] {
            check(comment, expected);
        }
    }
}
