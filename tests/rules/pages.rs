//! Every rule against its own page.

use crate::support::{Files, ROOT, judged};
use loadpath::finding::RuleInfo;
use loadpath::lint::all_rules;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The sections of a page, in their order.
const SECTIONS: [&str; 6] =
    ["What it does", "Why it matters", "Example", "Use instead", "Limits", "References"];

/// Inputs that a page can only describe: the rule, why, and the bytes.
const BUILT: &[Built] = &[
    ("not-utf8", "a page is UTF-8 itself", || {
        b"name: caf\xe9\nservices:\n  web: { kind: gateway, owner: storefront, endpoints: [GET /v1/menu] }\n"
            .to_vec()
    }),
    ("limit-exceeded", "what is beyond the limits is too long to be read", || {
        // One level for the mapping of the document, 64 for the lists: one more than is read.
        format!("name: shop\nx-deep: {}{}\n", "[".repeat(64), "]".repeat(64)).into_bytes()
    }),
];

type Built = (&'static str, &'static str, fn() -> Vec<u8>);

/// The text below each heading of a page, the title first.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let mut fenced = false;
    let mut starts = Vec::new();
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with('#') {
            starts.push((at, at + line.len()));
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([page.len()]);
    let heading = |(from, to): (usize, usize)| page[from..to].trim();
    starts.iter().zip(ends).map(|(start, end)| (heading(*start), &page[start.1..end])).collect()
}

fn section(rule: &RuleInfo, name: &str) -> &'static str {
    let all = sections(rule.page);
    all.into_iter().find(|(heading, _)| *heading == format!("## {name}")).map_or("", |(_, text)| text)
}

/// The YAML blocks of a section as files.
fn files(text: &str) -> Files {
    let blocks = text.split("```yaml\n").skip(1).filter_map(|b| b.split("```").next());
    let named = blocks.map(|block| {
        let name = block.lines().next().and_then(|line| line.strip_prefix("# file: "));
        (name.unwrap_or(ROOT).to_owned(), block.as_bytes().to_vec())
    });
    named.collect()
}

/// The input that raises a rule: its page's example, or bytes that are built here.
fn example(rule: &RuleInfo) -> Files {
    match BUILT.iter().find(|(id, ..)| *id == rule.id) {
        Some((.., bytes)) => vec![(ROOT.to_owned(), bytes())],
        None => files(section(rule, "Example")),
    }
}

#[test]
fn pages_have_all_their_sections() {
    for rule in all_rules() {
        let expected = std::iter::once(format!("# {}", rule.id));
        let expected: Vec<_> = expected.chain(SECTIONS.iter().map(|s| format!("## {s}"))).collect();
        let found = sections(rule.page);
        assert_eq!(found.iter().map(|(heading, _)| *heading).collect::<Vec<_>>(), expected);
        for (heading, text) in found.iter().skip(1) {
            assert!(!text.trim().is_empty(), "{}: nothing under {heading}", rule.id);
        }
        let built = BUILT.iter().any(|(id, ..)| *id == rule.id);
        assert_eq!(section(rule, "Example").contains("```text\n"), built, "{}: example", rule.id);
        let wide = |line: &&str| line.chars().count() > 110 && !line.contains("<https://");
        let long = rule.page.lines().find(wide);
        assert_eq!(long, None, "{}: lines of 110 characters at the most", rule.id);
        assert!(rule.page.lines().count() <= 65, "{}: a page is about 60 lines", rule.id);
        for setting in rule.settings {
            let stated = format!("`{}` ({})", setting.name, setting.default);
            assert!(section(rule, "What it does").contains(&stated), "{}: no {stated}", rule.id);
        }
    }
}

#[test]
fn descriptors_are_well_formed() {
    let mut ids = BTreeSet::new();
    for rule in all_rules() {
        assert!(ids.insert(rule.id), "`{}` twice", rule.id);
        let words = rule.id.split('-');
        let small = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(words.clone().all(|w| !w.is_empty() && small(w)), "`{}` is not kebab-case", rule.id);
        let first = rule.summary.chars().next();
        assert!(first.is_some_and(char::is_lowercase), "{}: {}", rule.id, rule.summary);
        assert!(!rule.summary.ends_with('.'), "{}: {}", rule.id, rule.summary);
    }
}

#[test]
fn examples_raise_exactly_their_rule() {
    for rule in all_rules() {
        let (findings, sources) = judged(&example(rule));
        assert!(!findings.is_empty(), "{}: its example raises nothing", rule.id);
        for finding in &findings {
            let told = format!("{}: {} {}", rule.id, finding.rule.id, finding.message);
            assert_eq!(finding.rule.id, rule.id, "{told}");
            for span in finding.spans() {
                assert!((span.file.0 as usize) < sources.files().len(), "{told}");
                let text = &sources.file(span.file).text;
                assert!(text.get(span.start as usize..span.end as usize).is_some(), "{told}: {span:?}");
            }
            let said = !finding.help.is_empty() || !finding.primary.text.is_empty();
            assert!(said, "{told}: neither help nor label");
            // Where a text stops being one there is nothing in it to name.
            let of_a_file = matches!(rule.id, "invalid-yaml" | "limit-exceeded");
            assert!(of_a_file || !finding.subjects.is_empty(), "{told}: about nothing");
        }
    }
}

#[test]
fn what_is_to_be_used_instead_raises_nothing() {
    for rule in all_rules() {
        let instead = files(section(rule, "Use instead"));
        assert!(!instead.is_empty(), "{}: no block", rule.id);
        let (findings, _) = judged(&instead);
        let found: Vec<_> = findings.iter().map(|f| format!("{}: {}", f.rule.id, f.message)).collect();
        assert!(found.is_empty(), "{}: {found:?}", rule.id);
        if rule.pedantic {
            let on = |files: &Files| String::from_utf8_lossy(&files[0].1).contains("lint:");
            assert!(on(&instead) && on(&example(rule)), "{}: not switched on", rule.id);
        }
    }
}

#[test]
fn identities_survive_a_line_above() {
    let identities = |files: &Files| {
        let (findings, _) = judged(files);
        let each = findings.iter().map(|f| (f.fingerprint(), f.primary.span.start));
        each.unzip::<_, _, BTreeSet<String>, Vec<u32>>()
    };
    for rule in all_rules() {
        let before = example(rule);
        let lower = |bytes: &[u8]| [b"# a line above\n".as_slice(), bytes].concat();
        let after = before.iter().map(|(name, bytes)| (name.clone(), lower(bytes))).collect();
        let ((before, old), (after, new)) = (identities(&before), identities(&after));
        assert_eq!(before, after, "{}", rule.id);
        assert_ne!(old, new, "{}: the positions must move", rule.id);
    }
}

/// All that is said of an example: where it points, the way that proves it, notes, help and numbers.
fn told(rule: &RuleInfo) -> String {
    let (findings, sources) = judged(&example(rule));
    let mut text = String::new();
    for finding in &findings {
        let _ = writeln!(text, "{}[{}]: {}", finding.severity, finding.rule.id, finding.message);
        for label in std::iter::once(&finding.primary).chain(&finding.secondary) {
            let first = sources.text(label.span).lines().next().unwrap_or_default();
            let _ = writeln!(text, "  at {first:?}: {}", label.text);
        }
        for hop in &finding.path {
            let _ = writeln!(text, "  {} → {}: {}", hop.from, hop.to, hop.value);
        }
        let words = |kind: &str, all: &[String]| {
            all.iter().flat_map(|w| ["  ", kind, ": ", w, "\n"]).collect::<String>()
        };
        text += &words("note", &finding.notes);
        text += &words("help", &finding.help);
        for (name, number) in &finding.numbers {
            let _ = writeln!(text, "  {name} = {}", (number * 1e6).round() / 1e6);
        }
        let _ = writeln!(text, "  about {}", finding.subjects.join(", "));
    }
    text
}

#[test]
fn what_is_said_of_the_examples() {
    let rules = all_rules().filter(|rule| !rule.reads.is_empty());
    insta::assert_snapshot!(rules.map(told).collect::<Vec<_>>().join("\n"));
}
