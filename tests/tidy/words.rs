//! Words that may be written on the way but must not stay.

use crate::File;
use crate::code::{self, Token};

/// Macros of code that is not finished.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Notes to oneself, in comments as elsewhere.
const NOTES: &[&str] = &["FIXME", "XXX"];

/// What is still provisional: unfinished code, notes to oneself, tests that do not run, lints switched
/// off without a reason.
pub fn left(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let tokens = code::tokens(&file.text);
        let found = notes(&file.text).chain(macros(&tokens)).chain(attributes(&tokens));
        complaints.extend(found.map(|(line, what)| format!("{}:{line}: {what}", file.path)));
    }
    complaints
}

fn notes(text: &str) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().flat_map(|(index, line)| {
        let words =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| NOTES.contains(word));
        words.map(move |word| (index + 1, format!("`{word}` must not stay")))
    })
}

fn macros(tokens: &[Token]) -> impl Iterator<Item = (usize, String)> {
    let found = code::paths(tokens).into_iter().filter_map(|path| {
        let name = path.segments.last().filter(|name| path.is_macro && MACROS.contains(&name.as_str()))?;
        Some((path.at.line, format!("`{name}!` must not stay")))
    });
    found.collect::<Vec<_>>().into_iter()
}

fn attributes(tokens: &[Token]) -> impl Iterator<Item = (usize, String)> {
    (0..tokens.len()).filter_map(|at| {
        let open = if code::reads(tokens, at, &["#", "!", "["]) { at + 2 } else { at + 1 };
        if !code::reads(tokens, at, &["#"]) || !code::reads(tokens, open, &["["]) {
            return None;
        }
        let end = code::close(tokens, open);
        let inside = tokens.get(open + 1..end)?;
        // `cfg_attr` may hold any of them.
        let holds = |word: &str| inside.iter().position(|token| token.text == word);
        let switches_off = |at: usize| code::reads(inside, at + 1, &["("]);
        let line = tokens[at].line;
        if holds("ignore").is_some_and(|at| at == 0 || inside[at - 1].text == ",") {
            return Some((line, "a test that does not run".to_owned()));
        }
        let off = ["allow", "expect"].into_iter().find(|word| holds(word).is_some_and(switches_off))?;
        let reason = holds("reason").is_some();
        (!reason).then(|| (line, format!("`{off}` without `reason = \"…\"`")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provisional_words_are_found() {
        for (text, expected) in [
            ("fn f() {\n todo!() }", Some("2: `todo!` must not stay")),
            ("fn f() { std::dbg!(1) }", Some("1: `dbg!` must not stay")),
            ("fn f() { unimplemented!() }", Some("1: `unimplemented!` must not stay")),
            ("// FIXME: later", Some("1: `FIXME` must not stay")),
            ("// XXX", Some("1: `XXX` must not stay")),
            ("#[test]\n#[ignore]\nfn f() {}", Some("2: a test that does not run")),
            ("#[ignore = \"slow\"]\nfn f() {}", Some("1: a test that does not run")),
            ("#[allow(dead_code)]", Some("1: `allow` without `reason = \"…\"`")),
            ("#![allow(dead_code)]", Some("1: `allow` without `reason = \"…\"`")),
            ("#[cfg_attr(test, expect(dead_code))]", Some("1: `expect` without `reason = \"…\"`")),
            ("#[allow(dead_code, reason = \"later\")]", None),
            ("fn todo() { let XXXL = \"todo!()\"; ignore[0]; a[allow] }", None),
            ("#[serde(rename = \"ignore\")]", None),
            ("// todo!() is a macro", None),
        ] {
            let found = left(&[File::new("a.rs", text)]);
            let expected: Vec<String> = expected.iter().map(|words| format!("a.rs:{words}")).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
