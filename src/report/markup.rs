//! Texts of the user's inside other languages: each may hold anything and must stay text.
//!
//! Owns the escaping. Must not know findings.

use std::fmt::Write;

use annotate_snippets::normalize_untrusted_str;

/// Without control characters, on one line.
pub(super) fn one_line(text: &str) -> String {
    clean(&text.replace("\r\n", " ").replace(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'], " "))
}

/// Without control characters, lines kept.
pub(super) fn clean(text: &str) -> String {
    let mut shown = normalize_untrusted_str(text);
    // The C1 controls, which some terminals obey.
    shown.retain(|c| !matches!(c, '\u{80}'..='\u{9f}'));
    shown
}

/// As an attribute of XML 1.0, where a bare line end would be read as a blank.
pub(super) fn attribute(text: &str) -> String {
    xml(text).replace('\n', "&#10;")
}

/// As content of XML 1.0, which has no way to write most control characters.
/// Source: <https://www.w3.org/TR/xml/#charsets>.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// As one line of GitHub's Markdown, also in the cell of a table. What stands between two backticks is
/// shown as code, everything else as it is written.
pub(super) fn markdown(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(&text);
    }
    let mut out = String::with_capacity(text.len());
    for (index, part) in parts.into_iter().enumerate() {
        if index % 2 == 0 {
            out.push_str(&escaped(part));
        } else {
            out.push_str(&code(part));
        }
    }
    out
}

/// As code in a line of Markdown, also in the cell of a table; a text with backticks as plain text.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    let text = text.trim();
    // A backslash before `|` would undo its escape; a blank text makes no code.
    if text.is_empty() || text.contains(['`', '\\']) {
        return escaped(text);
    }
    format!("`{}`", text.replace('|', "\\|"))
}

/// Punctuation as entities, which are never read as markup, nor as mentions or links.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // A mention is looked for in what comes out: nothing may follow its sign directly.
            '@' => out.push_str("&#64;\u{200b}"),
            '.' | ',' | ':' | ';' | '?' | '\'' | '/' | '%' | '-' | '(' | ')' => out.push(c),
            c if c.is_ascii_punctuation() => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// A block of code that holds this text, whatever stands in it.
pub(super) fn fenced(text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// The path of a file as a reference of RFC 3986: what no path may hold is written as `%XX`, a path from
/// the root as `file:`.
pub(super) fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_has_no_markup_and_no_control_characters_left() {
        assert_eq!(
            attribute("a<b>&\"'\u{0}\u{1b}\n\u{ffff}é"),
            "a&lt;b&gt;&amp;&quot;&apos;␀␛&#10;\u{fffd}é"
        );
    }

    #[test]
    fn markdown_shows_what_is_written() {
        for (text, expected) in [
            ("`web` waits 2s", "`web` waits 2s"),
            ("a | b", "a &#124; b"),
            ("`a|b`", "`a\\|b`"),
            ("`a\\|b`", "a&#92;&#124;b"),
            ("one ` alone *x*", "one &#96; alone &#42;x&#42;"),
            ("<img onerror=x>", "&#60;img onerror&#61;x&#62;"),
            ("@team [x](y)", "&#64;\u{200b}team &#91;x&#93;(y)"),
            ("a\n# b", "a &#35; b"),
            ("``", ""),
        ] {
            assert_eq!(markdown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fenced("a\n````\nb\n"), "`````text\na\n````\nb\n`````\n");
        assert_eq!(fenced("a"), "```text\na\n```\n");
    }

    #[test]
    fn paths_become_references() {
        for (path, expected) in [
            ("./a b/ü.yaml", "a%20b/%C3%BC.yaml"),
            ("/srv/x.yaml", "file:///srv/x.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
            ("c:%41#?.yaml", "c%3A%2541%23%3F.yaml"),
            ("../x.yaml", "../x.yaml"),
        ] {
            assert_eq!(uri(path), expected, "{path}");
        }
    }
}
