//! How a baseline is written: YAML with one line per entry.

use super::Baseline;
use std::fmt::Write;

const HEAD: &str = "\
# Findings that are forgiven: `loadpath check --baseline` reports what is not listed here.
# Written by loadpath, comments are not kept. What no longer occurs is taken out; `--update-baseline` adds.
";

pub(super) fn write(baseline: &Baseline) -> String {
    let mut text = format!("{HEAD}version: {}\n", super::VERSION);
    let of: Vec<String> = baseline.of.iter().map(|word| quoted(word)).collect();
    let _ = writeln!(text, "of: [{}]", of.join(", "));
    if baseline.entries.is_empty() {
        text.push_str("findings: []\n");
        return text;
    }
    text.push_str("findings:\n");
    let mut lines: Vec<_> = baseline.entries.iter().collect();
    lines.sort_by_key(|((rule, fingerprint), entry)| (rule, &entry.about, fingerprint));
    for ((rule, fingerprint), entry) in lines {
        let (rule, about) = (word(rule), quoted(&entry.about));
        let count = if entry.count == 1 { String::new() } else { format!(", count: {}", entry.count) };
        let _ =
            writeln!(text, "  - {{ rule: {rule}, about: {about}, fingerprint: \"{fingerprint}\"{count} }}");
    }
    text
}

/// An id of ours as it is; anything else a file may hold in quotes.
fn word(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes on one line, whatever is in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Not printable in YAML, or a line break to some reader of it.
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
