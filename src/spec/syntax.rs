//! What is wrong with a text that is no YAML, in words that say what to do. Must not know what the text
//! would have meant.

use super::parse::Limits;
use super::rules::{INVALID_YAML, LIMIT_EXCEEDED};
use crate::finding::Finding;
use crate::source::{FileId, Span};
use serde_yaml::granit_parser::ScanError;

/// Whether a text is a Go template, as Helm has them, rather than YAML with braces in its texts.
pub fn is_template(text: &str) -> bool {
    let acts = |line: &str| {
        [
            "if ",
            "range ",
            "with ",
            "include ",
            "define ",
            "template ",
            "end ",
            "else ",
            ".Values",
            ".Release",
            ".Chart",
            "$",
        ]
        .iter()
        .any(|word| line.starts_with(word))
    };
    let after = text.match_indices("{{").filter_map(|(at, _)| text.get(at + 2..));
    let templated = after.map(|rest| rest.trim_start_matches('-').trim_start()).any(acts);
    templated && [".Values", ".Release", ".Chart", "include \""].iter().any(|word| text.contains(word))
}

/// The parser's words, at the byte it stopped at, with what usually causes them.
pub fn syntax_error(error: &ScanError, text: &str, file: FileId, limits: Limits) -> Finding {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
    let info = error.info();
    let line_start = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let rest = text.get(at..).unwrap_or_default();
    let tab = info.contains("tab");
    // The parser stops after the tab: point at the tab itself.
    let at = match text.get(line_start..at).and_then(|t| t.find('\t')) {
        Some(offset) if tab => line_start + offset,
        _ => at,
    };
    let rest = text.get(at..).unwrap_or(rest);
    let width = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    let span = Span::new(file, at as u32, (at + width) as u32);
    if info.contains("nesting") || info.contains("recursion") {
        let message = format!("nested more than {} levels deep", limits.depth);
        return Finding::new(&LIMIT_EXCEEDED, span, message).help("split the file with `include`");
    }
    let finding = Finding::new(&INVALID_YAML, span, info.clone());
    if is_template(text) {
        return finding.label("here it stops being YAML").help(
            "this is a template of a Helm chart: run `helm template CHART > all.yaml`, and read that file",
        );
    }
    if tab {
        return finding.label("a tab").help("YAML indents with spaces: replace the tab");
    }
    if info.starts_with("unclosed bracket") {
        let close = if rest.starts_with('{') { '}' } else { ']' };
        return finding.label("opens here").help(format!("close it with `{close}`, or check what it holds"));
    }
    if rest.starts_with('{') {
        return finding
            .label("this brace starts a mapping inside `{ … }`")
            .help("inside { } or [ ] a name with braces needs quotes: \"GET /cart/{id}\"");
    }
    if info.contains("mapping values are not allowed") {
        return finding.help("put a value that holds `: ` in quotes, or check the indentation of this line");
    }
    if info.contains("unknown anchor") {
        return finding.help("define it before with `&name`, or put a text that starts with `*` in quotes");
    }
    finding
}
