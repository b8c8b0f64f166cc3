//! What the formats of findings write.

use std::fmt::Write as _;
use std::slice;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{CheckReport, FINDING_FORMATS, Style, finding_format};
use crate::finding::{Finding, RuleInfo, Severity};
use crate::source::{FileId, Sources, Span};

static RULE: RuleInfo = RuleInfo::warning("timeout-inversion", "", "");

static OTHER: RuleInfo = RuleInfo { id: "missing-timeout", severity: Severity::Error, ..RULE };

/// Texts by name; a span is asked for by what it covers.
struct Texts(Sources);

impl Texts {
    fn new(files: &[(&str, &str)]) -> Self {
        let mut sources = Sources::default();
        for (name, text) in files {
            sources.add(*name, *text);
        }
        Self(sources)
    }

    fn span(&self, needle: &str) -> Span {
        let mut hits = self.0.files().filter_map(|(id, file)| {
            let at = file.text.find(needle)? as u32;
            Some(Span::new(id, at, at + needle.len() as u32))
        });
        hits.next().unwrap()
    }

    fn render(&self, format: &str, findings: &[Finding]) -> String {
        (finding_format(format).unwrap().render)(&[CheckReport::new(&self.0, findings)], &Style::default())
    }

    fn human(&self, findings: &[Finding]) -> String {
        self.render("human", findings)
    }
}

#[test]
fn a_finding_in_one_file() {
    let texts = Texts::new(&[("shop.yaml", "services:\n  web:\n    timeout: 2s\n    slow: 3s\n")]);
    let finding = Finding::new(&RULE, texts.span("2s"), "`web` gives up too early")
        .label("the caller waits 2s")
        .also(texts.span("3s"), "but this takes 3s")
        .help("raise it above 3s")
        .note("the default is none");
    insta::assert_snapshot!(texts.human(&[finding]));
}

#[test]
fn a_finding_in_two_files() {
    let texts = Texts::new(&[
        ("shop.yaml", "services:\n  checkout:\n    call:\n      timeout: 2s\n"),
        ("payment.yaml", &format!("{}      timeout: 3s\n", "#\n".repeat(30))),
    ]);
    let finding = Finding::new(&RULE, texts.span("2s"), "`checkout` gives up before `payment` can fail")
        .label("the caller waits 2s")
        .also(texts.span("3s"), "but this call may take 3s: 1 attempt × 3s")
        .help("raise it above 3s, or lower `payment → ledger` below 2s");
    insta::assert_snapshot!(texts.human(&[finding]));
}

#[test]
fn labels_far_apart_in_one_file_are_shown_apart() {
    let far = format!("first: 1\n{}second: 2\n", "x: 0\n".repeat(300));
    let texts = Texts::new(&[("shop.yaml", &far)]);
    let finding = Finding::new(&RULE, texts.span("first"), "twice").also(texts.span("second"), "again");
    insta::assert_snapshot!(texts.human(&[finding]));
}

#[test]
fn a_path_is_shown_step_by_step() {
    let texts = Texts::new(&[("shop.yaml", "web: 1\n")]);
    let finding = Finding::new(&RULE, texts.span("web"), "one request becomes 12")
        .note("3 × 4 = 12 attempts")
        .hop(None, "web GET /checkout", "payment Charge", "3 attempts")
        .hop(None, "payment Charge", "ledger", "4 attempts")
        .hop(None, "cart", "cart-db", "");
    let long = (0..40).fold(Finding::new(&RULE, texts.span("1"), "long"), |finding, i| {
        finding.hop(None, format!("s{i}"), format!("s{}", i + 1), format!("{i} ms"))
    });
    insta::assert_snapshot!(texts.human(&[finding, long]));
}

#[test]
fn places_that_cannot_be_shown_are_named() {
    let long = format!("{{{}\"timeout\": \"2s\"}}\n", "\"é\": 1, ".repeat(3000));
    let texts = Texts::new(&[("gone.yaml", ""), ("long.json", &long)]);
    let findings = [
        Finding::new(&OTHER, Span::new(FileId(7), 0, 0), "no input at all").help("name a file"),
        Finding::new(&OTHER, Span::new(FileId(0), 0, 0), "cannot be read").label("no such file"),
        Finding::new(&OTHER, texts.span("2s"), "on a line too long to show").label("here").help("mend it"),
    ];
    insta::assert_snapshot!(texts.human(&findings));
}

#[test]
fn ends_of_files_tabs_and_line_ends() {
    let texts = Texts::new(&[
        ("end.yaml", "a: 1\n"),
        ("cut.yaml", "a: [1"),
        ("tabs.yaml", "\tb:\t2s # x\n"),
        ("crlf.yaml", "c: 3s\r\nd: 4s\r\ne: 5s\r\n"),
    ]);
    let at = |file, start, end| Span::new(FileId(file), start, end);
    let findings = [
        Finding::new(&RULE, at(0, 5, 5), "after the last line end").label("here"),
        Finding::new(&RULE, at(0, 99, 120), "beyond the end").also(at(0, 0, 1), "begins here"),
        Finding::new(&RULE, at(1, 5, 5), "at the end").label("`]` is missing"),
        Finding::new(&RULE, at(2, 4, 6), "behind tabs").label("here"),
        Finding::new(&RULE, at(3, 3, 7), "with its line end").also(at(3, 7, 21), "several lines"),
    ];
    insta::assert_snapshot!(texts.human(&findings));
}

#[test]
fn wide_characters_keep_their_columns() {
    let texts = Texts::new(&[("weit.yaml", "größe: 大きい 2s\nemoji: 👩‍👩‍👧 3s\ncombined: e\u{301} 4s\n")]);
    let findings: Vec<Finding> =
        ["2s", "3s", "4s"].map(|t| Finding::new(&RULE, texts.span(t), "wide").label("here")).into();
    insta::assert_snapshot!(texts.human(&findings));
}

#[test]
fn a_rule_with_many_findings_is_folded() {
    let texts = Texts::new(&[("shop.yaml", "a: 1\nb: 2\n")]);
    let mut findings: Vec<Finding> = (0..11)
        .map(|i| {
            Finding::new(&OTHER, texts.span("a"), format!("call {i} has no timeout"))
                .severity(Severity::Warning)
        })
        .collect();
    findings.push(Finding::new(&RULE, texts.span("b"), "something else"));
    insta::assert_snapshot!(texts.human(&findings));
    let all = Style { verbose: true, ..Style::default() };
    let report = CheckReport::new(&texts.0, &findings);
    let text = (finding_format("human").unwrap().render)(slice::from_ref(&report), &all);
    assert_eq!(text.matches("warning[missing-timeout]").count(), 11);
    findings.remove(0);
    assert_eq!(texts.human(&findings).matches("warning[missing-timeout]").count(), 10, "ten are not many");
    let wrong: Vec<Finding> =
        (0..12).map(|i| Finding::new(&OTHER, texts.span("a"), format!("wrong {i}"))).collect();
    assert_eq!(texts.human(&wrong).matches("error[missing-timeout]").count(), 12, "errors are never folded");
}

#[test]
fn suppressed_and_baselined_findings_are_counted_and_hidden() {
    let texts = Texts::new(&[("shop.yaml", "a: 1\nb: 2\n")]);
    let mut findings = vec![
        Finding::new(&OTHER, texts.span("a"), "suppressed one"),
        Finding::new(&OTHER, texts.span("b"), "old one").about("b"),
        Finding::new(&RULE, texts.span("2"), "new one"),
    ];
    (findings[0].suppressed, findings[1].baselined) = (true, true);
    let mut report = CheckReport::new(&texts.0, &findings);
    report.title = "shop".to_owned();
    report.facts = "12 services, 16 calls, 2 entry points".to_owned();
    report.rules_run = 41;
    report.elapsed = Some(Duration::from_millis(4));
    let human = finding_format("human").unwrap().render;
    insta::assert_snapshot!(human(slice::from_ref(&report), &Style::default()));
}

#[test]
fn success_is_said_too() {
    let texts = Texts::new(&[("shop.yaml", "a: 1\n")]);
    let mut report = CheckReport::new(&texts.0, &[]);
    report.title = "shop".to_owned();
    report.facts = "1 service".to_owned();
    report.rules_run = 1;
    let human = finding_format("human").unwrap().render;
    assert_eq!(
        human(slice::from_ref(&report), &Style::default()),
        "shop: 1 service · no findings · 1 rule\n"
    );
}

#[test]
fn json_has_the_published_shape() {
    let texts = Texts::new(&[("shop.yaml", "é: 2s\nb: 3s\n")]);
    let mut second = Finding::new(&OTHER, Span::new(FileId(7), 0, 0), "about no file");
    second.suppressed = true;
    let findings = [
        Finding::new(&RULE, texts.span("2s"), "too early")
            .label("waits 2s")
            .also(texts.span("3s\n"), "takes 3s")
            .help("raise it")
            .help("or lower the other")
            .about("web")
            .number("timeout_s", 2.0)
            .number("time_s", 3.5)
            .number("bound_s", f64::INFINITY)
            .hop(None, "web", "payment", "3s"),
        second,
    ];
    insta::assert_snapshot!(texts.render("json", &findings));
}

#[test]
fn colour_changes_nothing_but_colour() {
    let texts = Texts::new(&[("shop.yaml", "a: 1\n")]);
    let findings = [Finding::new(&RULE, texts.span("1"), "x").label("y").help("z")];
    let report = CheckReport::new(&texts.0, &findings);
    for format in FINDING_FORMATS {
        let colored = (format.render)(slice::from_ref(&report), &Style { color: true, ..Style::default() });
        let mut plain = String::new();
        let mut parts = colored.split('\u{1b}');
        plain.push_str(parts.next().unwrap());
        for part in parts {
            plain.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(plain, (format.render)(slice::from_ref(&report), &Style::default()), "{}", format.name);
        assert!(plain.ends_with('\n') && !plain.ends_with("\n\n"), "{}", format.name);
    }
}

#[test]
fn formats_have_names_and_pages_of_their_own() {
    for (index, format) in FINDING_FORMATS.iter().enumerate() {
        assert!(format.page.starts_with(&format!("# {}\n", format.name)), "{}", format.name);
        assert!(FINDING_FORMATS[..index].iter().all(|other| other.name != format.name), "{}", format.name);
    }
}

#[test]
fn ten_thousand_findings_in_a_large_file_are_quick() {
    let mut text = String::new();
    for i in 0..50_000 {
        writeln!(text, "  service-{i}: {{ timeout: 2s }}").unwrap();
    }
    let texts = Texts::new(&[("large.yaml", &text)]);
    let lines = &texts.0.file(FileId(0)).lines;
    let findings: Vec<Finding> = (0..10_000)
        .map(|i| {
            let at = |line: usize| Span::new(FileId(0), lines.start_of(line) + 2, lines.start_of(line) + 9);
            Finding::new(&RULE, at(i * 5), "x").label("here").also(at(49_999 - i), "there").help("mend it")
        })
        .collect();
    let report = CheckReport::new(&texts.0, &findings);
    for format in FINDING_FORMATS {
        let start = Instant::now();
        let text = (format.render)(slice::from_ref(&report), &Style { verbose: true, ..Style::default() });
        println!("{}: {} bytes in {:?}", format.name, text.len(), start.elapsed());
        // Generous: work that grows with the file would take minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{} took {:?}", format.name, start.elapsed());
    }
}

/// Texts with everything that has ever broken a renderer.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "é",
        "大",
        "👩‍👩‍👧",
        "🇩🇪",
        "e\u{301}",
        "\u{200b}",
        "\u{feff}",
        "\u{202e}",
        "\u{0}",
        "\u{1b}[31m",
        "\u{2028}",
        "\u{85}",
        "# x",
        ": ",
        "long long long long long long long ",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_span_of_no_text_breaks_a_format(
        files in prop::collection::vec(hostile(), 1..3),
        spans in prop::collection::vec((0..4_u32, 0..200_u32, 0..200_u32), 1..6),
        words in hostile(),
        width in 0..200_usize,
        color: bool,
    ) {
        let mut sources = Sources::default();
        for text in &files {
            sources.add("f\u{1b}[1m.yaml", text.as_str());
        }
        // Spans may end before they start, lie beyond their file or in no file, or cut characters.
        let mut spans = spans.into_iter().map(|(file, start, end)| Span::new(FileId(file), start, end));
        let mut finding = Finding::new(&RULE, spans.next().unwrap(), words.clone()).label(words.clone());
        for span in spans {
            finding = finding.also(span, words.clone());
        }
        finding = finding.help(words.clone()).note(words.clone()).hop(None, words.clone(), "b", words);
        let findings = [finding];
        let mut report = CheckReport::new(&sources, &findings);
        report.title = "sh\u{1b}[1mop".to_owned();
        for format in FINDING_FORMATS {
            let text = (format.render)(slice::from_ref(&report), &Style { color, width, ..Style::default() });
            prop_assert!(text.ends_with('\n'));
            prop_assert!(color || !text.contains('\u{1b}'), "an escape got through: {text:?}");
        }
    }
}
