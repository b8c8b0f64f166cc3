//! Findings with everything in them that has a meaning to some reader.

use loadpath::finding::{Edit, Finding, RuleInfo, Severity};
use loadpath::report::{CheckReport, FINDING_FORMATS, Style, finding_format, read};
use loadpath::source::{FileId, Sources, Span};
use proptest::prelude::*;
use roxmltree::Document;
use serde_json::Value;

static RULE: RuleInfo = RuleInfo::warning("timeout-inversion", "", "");

fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "web",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "`",
        "``",
        "```\n",
        "|",
        "\\",
        "\\|",
        "<",
        ">",
        "&",
        "&amp;",
        "\"",
        "'",
        "]]>",
        "<!--",
        "</details>",
        "<script>",
        "@team",
        "#1",
        "[x](y)",
        "](",
        "*",
        "_",
        "%",
        "%0A",
        ":",
        "::",
        "::error::",
        ",",
        "=",
        "{0}",
        "\u{0}",
        "\u{1b}[31m",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{fffe}",
        "\u{ffff}",
        "é",
        "大",
        "\u{1f600}",
        "~~~\n",
        "- ",
        "---\n",
        "| --- |\n",
        "https://x.y",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A finding that says some of `words` everywhere, at some places of some files.
fn finding() -> impl Strategy<Value = Finding> {
    let words = prop::collection::vec(texts(), 9);
    let spans = prop::collection::vec((0..4_u32, 0..60_u32, 0..60_u32), 3);
    let flags = (any::<bool>(), any::<bool>(), 0..3_usize);
    (words, spans, flags).prop_map(|(words, spans, (suppressed, baselined, severity))| {
        let mut words = words.into_iter();
        let mut say = || words.next().unwrap_or_default();
        let at = |i: usize| Span::new(FileId(spans[i].0), spans[i].1, spans[i].2);
        let mut finding = Finding::new(&RULE, at(0), say())
            .severity(Severity::ALL[severity])
            .label(say())
            .also(at(1), say())
            .help(say())
            .note(say())
            .about(say())
            .number("time_s", 1.5)
            .number("bound_s", f64::INFINITY)
            .hop(at(2), say(), "b", "2s")
            .hop(None, "b", "c", "");
        finding.owners = vec![say()];
        finding.fix = Some(Edit { span: at(1), text: say() });
        finding.suppressed = suppressed && severity == 0;
        finding.justification = if finding.suppressed { say() } else { String::new() };
        finding.baselined = baselined && severity == 1;
        finding
    })
}

fn render(format: &str, reports: &[CheckReport<'_>]) -> String {
    (finding_format(format).unwrap().render)(reports, &Style::default())
}

/// Two systems with these findings each.
fn reports<'a>(sources: &'a Sources, findings: &'a [Finding], title: &str) -> Vec<CheckReport<'a>> {
    let report = |name: &str| {
        let mut report = CheckReport::new(sources, findings);
        report.title = format!("{title}{name}");
        report.facts = String::from("2 services");
        report.owners = vec!["b".to_owned()];
        report
    };
    vec![report(""), report("2")]
}

fn attributes(document: &Document<'_>, tag: &str, name: &str) -> Vec<String> {
    let tags = document.descendants().filter(|n| n.has_tag_name(tag));
    tags.map(|n| n.attribute(name).unwrap_or_default().to_owned()).collect()
}

/// What XML can hold of a text: control characters are shown, others are kept.
fn same_in_xml(said: &str, found: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric() && c.is_ascii() || "<>&\"'`|".contains(*c))
            .collect::<String>()
    };
    plain(said) == plain(found)
}

/// Kind, properties, message.
type Command = (String, Vec<(String, String)>, String);

/// The commands of a text for GitHub, as its runner reads them.
fn commands(text: &str) -> Vec<Command> {
    text.lines()
        .map(|line| {
            let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (kind, properties) = head.split_once(' ').unwrap();
            let pairs = properties.split(',').map(|pair| pair.split_once('=').unwrap());
            let unescaped = |text: &str| {
                text.replace("%0A", "\n")
                    .replace("%0D", "\r")
                    .replace("%3A", ":")
                    .replace("%2C", ",")
                    .replace("%25", "%")
            };
            let pairs = pairs.map(|(key, value)| (key.to_owned(), unescaped(value))).collect();
            (kind.to_owned(), pairs, unescaped(message))
        })
        .collect()
}

/// The lines of Markdown that are no code: outside of fences, the spans of code taken out.
fn outside_of_code(text: &str) -> Vec<String> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = line.strip_suffix("text"),
            None => {
                let parts: Vec<_> = line.split('`').collect();
                assert_eq!(parts.len() % 2, 1, "a span of code is left open: {line}");
                lines.push(parts.into_iter().step_by(2).collect::<Vec<_>>().join("code"));
            }
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_format_stays_what_it_is(
        findings in prop::collection::vec(finding(), 0..4),
        file in texts(),
        text in texts(),
        title in texts(),
    ) {
        let mut sources = Sources::default();
        sources.add(file.as_str(), text.as_str());
        sources.add("b.yaml", "a: 1\nb: 2\n");
        let all = reports(&sources, &findings, &title);
        let open = 2 * findings.iter().filter(|f| f.counts()).count();

        let sarif = render("sarif", &all);
        prop_assert_eq!(super::complaints(&super::sarif(), &sarif), Vec::<String>::new());
        let json = render("json", &all);
        prop_assert_eq!(super::complaints(&super::json(), &json), Vec::<String>::new());
        prop_assert_eq!(render("json", &read(&json).unwrap().reports()), json, "read back, nothing is lost");

        let lines = render("jsonl", &all);
        prop_assert_eq!(lines.lines().count(), 2 * findings.len());
        prop_assert!(lines.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()));

        let issues: Value = serde_json::from_str(&render("gitlab", &all)).unwrap();
        let issues = issues.as_array().unwrap();
        let fingerprints: std::collections::BTreeSet<_> = issues.iter().map(|i| i["fingerprint"].as_str()).collect();
        prop_assert_eq!((issues.len(), fingerprints.len()), (open, open), "each has its own fingerprint");

        let junit = render("junit", &all);
        let tree = Document::parse(&junit).unwrap();
        let failures = tree.descendants().filter(|n| n.has_tag_name("failure")).count();
        prop_assert_eq!(tree.root_element().attribute("failures").unwrap(), failures.to_string());
        prop_assert_eq!(attributes(&tree, "testcase", "name").len(), (2 * findings.len()).max(if findings.is_empty() { 2 } else { 0 }));
        prop_assert!(same_in_xml(&title, &attributes(&tree, "testsuite", "name")[0].replace("loadpath", "")) || title.is_empty());

        let checkstyle = render("checkstyle", &all);
        let tree = Document::parse(&checkstyle).unwrap();
        let messages = attributes(&tree, "error", "message");
        prop_assert_eq!(messages.len(), open);

        let commands = commands(&render("github", &all));
        prop_assert_eq!(commands.len(), open, "no text makes a command of its own");
        for (kind, properties, _) in commands {
            prop_assert!(["error", "warning", "notice"].contains(&kind.as_str()));
            let known = ["file", "line", "endLine", "col", "endColumn", "title"];
            prop_assert!(properties.iter().all(|(key, _)| known.contains(&key.as_str())), "{:?}", properties);
        }

        let markdown = render("markdown", &all);
        prop_assert!(markdown.chars().count() < 65_536);
        for line in outside_of_code(&markdown) {
            if line.starts_with('|') {
                prop_assert_eq!(line.matches('|').count(), 6, "{}", line);
            }
            let own = line.replace("<details><summary>Details</summary>", "").replace("</details>", "");
            prop_assert!(!own.contains(['<', '>', '@', '[', '\\', '\u{1b}']), "{}", line);
        }
    }
}

#[test]
fn nothing_found_is_well_formed_too() {
    let sources = Sources::default();
    let report = [CheckReport::new(&sources, &[])];
    for format in FINDING_FORMATS {
        let text = (format.render)(&report, &Style::default());
        match format.name {
            "sarif" => assert_eq!(super::complaints(&super::sarif(), &text), Vec::<String>::new()),
            "json" => assert_eq!(super::complaints(&super::json(), &text), Vec::<String>::new()),
            "gitlab" => assert_eq!(text, "[]\n"),
            "jsonl" | "github" => assert_eq!(text, ""),
            "junit" | "checkstyle" => drop(Document::parse(&text).unwrap()),
            _ => assert!(text.contains("no findings"), "{text}"),
        }
    }
}

/// One finding with a path, whose places are known.
fn example() -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let file = sources.add("./a b/shop.yaml", "é: 2s\nb: 3s\n");
    let at = |start, end| Span::new(file, start, end);
    let mut finding = Finding::new(&RULE, at(4, 6), "`web` waits 2s, 50%: too short")
        .label("waits 2s")
        .also(at(10, 12), "takes 3s")
        .help("raise it")
        .about("web → cart")
        .number("timeout_s", 2.0)
        .hop(at(4, 6), "web", "cart", "waits 2s")
        .hop(at(10, 12), "cart", "db", "may take 3s");
    finding.owners = vec!["basket".to_owned(), "storefront".to_owned()];
    (sources, vec![finding])
}

#[test]
fn sarif_says_all_of_a_finding() {
    let (sources, mut findings) = example();
    findings.push(findings[0].clone());
    findings.push(findings[0].clone());
    (findings[1].suppressed, findings[2].baselined) = (true, true);
    findings[1].justification = "until \"<May>\"".to_owned();
    let mut report = CheckReport::new(&sources, &findings);
    report.compared = true;
    let value: Value = serde_json::from_str(&render("sarif", &[report])).unwrap();
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), loadpath::lint::all_rules().count());
    for rule in rules {
        for key in ["shortDescription", "fullDescription", "help"] {
            assert!(
                rule[key]["text"].as_str().is_some_and(|text| text.len() > 10),
                "{key} of {}",
                rule["id"]
            );
        }
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# "));
    }
    let result = &run["results"][0];
    assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], "timeout-inversion");
    assert_eq!(result["level"], "warning");
    let place = &result["locations"][0]["physicalLocation"];
    let region = serde_json::json!({ "startLine": 1, "startColumn": 4, "endLine": 1, "endColumn": 6 });
    assert_eq!((&place["region"], &place["artifactLocation"]["uri"]), (&region, &"a%20b/shop.yaml".into()));
    assert_eq!(run["artifacts"][0]["location"]["uri"], "a%20b/shop.yaml");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "takes 3s");
    let steps = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1]["location"]["message"]["text"], "cart → db: may take 3s");
    assert_eq!(steps[1]["location"]["physicalLocation"]["region"]["startLine"], 2);
    assert_eq!(result["partialFingerprints"]["loadpath/v1"], findings[0].fingerprint());
    assert_eq!(result["properties"]["numbers"]["timeout_s"], 2.0);
    assert_eq!(result["properties"]["owners"][1], "storefront");
    assert_eq!(result["suppressions"], serde_json::json!([]));
    let in_source = serde_json::json!({ "kind": "inSource", "justification": "until \"<May>\"" });
    assert_eq!(run["results"][1]["suppressions"][0], in_source);
    assert_eq!(run["results"][2]["suppressions"][0]["kind"], "external");
    let state = |at: usize| &run["results"][at]["baselineState"];
    assert_eq!([state(0), state(1), state(2)], ["new", "new", "unchanged"]);
}

#[test]
fn github_reads_the_place_and_the_words() {
    let (sources, findings) = example();
    let text = render("github", &[CheckReport::new(&sources, &findings)]);
    let expected = "::warning file=a b/shop.yaml,line=1,endLine=1,col=4,endColumn=6,title=timeout-inversion::\
        `web` waits 2s, 50%25: too short%0Ahelp: raise it%0A\
        path: web → cart (waits 2s) → db (may take 3s)\n";
    assert_eq!(text, expected);
}

#[test]
fn a_large_comment_is_cut_where_github_would_refuse_it() {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", "a: 1\n");
    let say = |text: String| Finding::new(&RULE, Span::new(file, 0, 1), text);
    let mut findings = vec![say("the mildest".to_owned()).severity(Severity::Info)];
    findings.extend((0..2000).map(|i| say(format!("finding {i} of many")).severity(Severity::Error)));
    let text = render("markdown", &[CheckReport::new(&sources, &findings)]);
    assert!(text.chars().count() < 65_536);
    let rows = text.lines().filter(|l| l.starts_with("| **error**")).count();
    assert!(rows > 100, "the worst first");
    assert!(text.contains(&format!("… and {} more", 2001 - rows)), "what is left out is counted");
    assert!(!text.contains("the mildest"));
}

#[test]
fn a_comment_folds_what_the_terminal_folds() {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", "a: 1\n");
    let say = |i: usize| Finding::new(&RULE, Span::new(file, 0, 1), format!("finding {i} of many"));
    let findings: Vec<Finding> = (0..20).map(say).collect();
    let text = render("markdown", &[CheckReport::new(&sources, &findings)]);
    assert_eq!(text.matches("| warning |").count(), 3);
    assert!(text.contains("\n| | … and 17 more `timeout-inversion` (showing 3 of 20"), "{text}");
}
