//! Every rule against its own page, and the guards of the rules on the architecture.
//!
//! What the guards expect follows from the definitions on the pages and from arithmetic.

#![expect(clippy::unwrap_used, reason = "a page that cannot be taken apart has failed")]

use loadpath::finding::{Date, Finding, RuleInfo, Suppressions};
use loadpath::lint::{self, all_rules};
use loadpath::model::build;
use loadpath::source::{MemoryLoader, Sources};
use loadpath::spec::{Limits, Reader};
use std::collections::BTreeSet;

/// The sections of a page, in their order.
const SECTIONS: [&str; 6] =
    ["What it does", "Why it matters", "Example", "Use instead", "Limits", "References"];

/// The file that is named; a page may add others with `# file: NAME` as the first line of a block.
const ROOT: &str = "loadpath.yaml";

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

type Files = Vec<(String, Vec<u8>)>;

/// What is found in a system: reads, builds and judges it as the command line does, suppressed findings
/// left out. The first file is the one that is named.
fn judged(files: &Files) -> (Vec<Finding>, Sources) {
    let loader = MemoryLoader::new(files.iter().cloned());
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.root(&files[0].0).into_iter().collect();
    let trees = reader.includes(trees);
    let documents = reader.decode(trees);
    let Reader { sources, mut findings, broken, .. } = reader;
    let (arch, unresolved) = build(&documents);
    findings.extend(unresolved);
    let judgement = lint::judge(&arch, &sources, findings, !broken);
    let (mut findings, ran) = (judgement.findings, judgement.ran);
    let mut suppressions = Suppressions::collect(&sources);
    let known: Vec<&str> = all_rules().map(|r| r.id).collect();
    suppressions.apply(&mut findings, &sources, Date::new(2026, 6, 1).unwrap());
    findings.extend(suppressions.report(&known, &|id| ran.contains(&id)));
    findings.retain(|f| !f.suppressed);
    (findings, sources)
}

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

/// Asserts which findings a document raises, `severity rule-id` each, sorted.
fn check(yaml: &str, expected: &[&str]) {
    let (findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
    let mut found: Vec<_> = findings.iter().map(|f| format!("{} {}", f.severity, f.rule.id)).collect();
    found.sort();
    let told: Vec<_> = findings.iter().map(|f| &f.message).collect();
    assert_eq!(found, expected, "{told:?}\n{yaml}");
}

/// The only finding of a document, all it says in one text.
fn words(yaml: &str) -> String {
    let (findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
    let [finding] = findings.as_slice() else { panic!("{} findings\n{yaml}", findings.len()) };
    let labels = finding.secondary.iter().map(|l| &l.text);
    let all = [&finding.message, &finding.primary.text].into_iter().chain(labels);
    all.chain(&finding.notes).chain(&finding.help).cloned().collect::<Vec<_>>().join("\n")
}

/// A document of calls: `a > b: timeout: 1s`, `a.F > b.G` where an endpoint other than `E` is meant. `top`
/// are lines above.
fn calls(top: &str, edges: &[&str]) -> String {
    // Endpoints in order, each with its service and its calls.
    let mut endpoints: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for edge in edges {
        let (ends, settings) = edge.split_once(": ").unwrap_or((edge, ""));
        let (from, to) = ends.split_once(" > ").unwrap();
        let split = |name| str::split_once(name, '.').unwrap_or((name, "E"));
        let (callee, of) = split(to);
        let call = format!("{{ call: {callee} {of}, {settings} }}");
        for (end, call) in [(from, Some(call)), (to, None)] {
            let (service, endpoint) = split(end);
            let known = endpoints.iter().position(|(s, e, _)| (*s, *e) == (service, endpoint));
            let at = known.unwrap_or(endpoints.len());
            if known.is_none() {
                endpoints.push((service, endpoint, Vec::new()));
            }
            endpoints[at].2.extend(call);
        }
    }
    let mut lines = vec![top.to_owned(), "services:".to_owned()];
    let mut done = BTreeSet::new();
    for (service, ..) in &endpoints {
        if done.insert(service) {
            lines.extend([format!("  {service}:"), "    endpoints:".to_owned()]);
            let own = endpoints.iter().filter(|(s, ..)| s == service);
            lines.extend(own.map(|(_, e, calls)| format!("      {e}: {{ calls: [{}] }}", calls.join(", "))));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Bounds every call and carries deadlines on: what is not about timeouts says nothing of them.
const BOUNDED: &str = "defaults: { call: { timeout: 1s, propagate_deadline: true } }";

#[test]
fn guards_of_request_loop() {
    let found = ["error request-loop"];
    check(&calls(BOUNDED, &["a > b", "b > a"]), &found);
    check(&calls(BOUNDED, &["a > a"]), &found);
    // One finding for each group, however many loops are in it.
    check(&calls(BOUNDED, &["a > b", "b > a", "b > c", "c > b", "c > a"]), &found);
    check(&calls(BOUNDED, &["a > b", "b > a", "c > d", "d > c"]), &["error request-loop"; 2]);
    // What does not wait does not loop.
    check(&calls(BOUNDED, &["a > b", "b > a: protocol: message_queue"]), &[]);
    // A fallback is a call.
    check(&calls(BOUNDED, &["a > b", "b > c: fallback: { call: a E }", "c > d"]), &found);
    // An end is certain for loops through the endpoint that says so, not for others beside them.
    let bounded = |edges: &[&str]| calls(BOUNDED, edges).replacen("E: {", "E: { max_recursion: 3,", 1);
    check(&bounded(&["a > b", "b > a"]), &[]);
    check(&bounded(&["a > a"]), &[]);
    check(&bounded(&["a > b", "b > a", "b > c", "c > b"]), &found);
}

#[test]
fn guards_of_cyclic_dependency() {
    let found = ["warning cyclic-dependency"];
    check(&calls(BOUNDED, &["a > b", "b.F > a.F"]), &found);
    check(&calls(BOUNDED, &["a > a.F"]), &found);
    // One finding for each group, however many circles are in it.
    check(&calls(BOUNDED, &["a > b", "b.F > a.F", "b > c", "c.F > b.G", "c.G > a.G"]), &found);
    check(&calls(BOUNDED, &["a > b", "b.F > a.F", "c > d", "d.F > c.F"]), &["warning cyclic-dependency"; 2]);
    // A loop of endpoints in the group is the cause, bounded or not.
    check(&calls(BOUNDED, &["a > b", "b > a", "b.F > c", "c.F > b.F"]), &["error request-loop"]);
    let bounded = calls(BOUNDED, &["a > b", "b > a"]).replacen("E: {", "E: { max_recursion: 3,", 1);
    check(&bounded, &[]);
    // What does not wait breaks the circle.
    check(&calls(BOUNDED, &["a > b", "b.F > a.F: protocol: event_stream"]), &[]);
    check(
        "services: { a: { dependencies: [b], consumes: { q: {} } },
          b: { endpoints: { E: { calls: [publish: q] } } } }\nqueues: { q: {} }",
        &[],
    );
    // Edges without endpoints.
    check(
        "services: { a: { dependencies: [b] }, b: { dependencies: [c] }, c: { dependencies: [a] } }",
        &found,
    );
    // One connection breaks both circles; it is named.
    let said = words(&calls(BOUNDED, &["a > b", "b.F > c", "c.F > a.F", "c.G > a.G"]));
    assert!(said.contains("the smallest cut is `a → b`: remove it"), "{said}");
}

/// A service that calls `n` others, with more about it and them.
fn fan(n: usize, about: &str, callee: &str, top: &str) -> String {
    let names: Vec<_> = (0..n).map(|i| format!("s{i}")).collect();
    let services = names.iter().map(|s| format!("  {s}: {{ {callee} }}\n")).collect::<Vec<_>>().concat();
    let list = names.join(", ");
    format!("{top}\nservices:\n{services}  hub: {{ {about} dependencies: [{list}] }}\n")
}

#[test]
fn guards_of_high_fan_out() {
    let found = ["warning high-fan-out"];
    check(&fan(8, "", "", ""), &[]);
    check(&fan(9, "", "", ""), &found);
    check(&fan(9, "", "external: true", ""), &found);
    check(&fan(9, "kind: gateway,", "", ""), &[]);
    check(&fan(9, "kind: bff,", "", ""), &[]);
    check(&fan(9, "kind: job,", "", ""), &found);
    check(&fan(3, "", "", "lint: { rules: { high-fan-out: { max: 2 } } }"), &found);
    check(&fan(2, "", "", "lint: { rules: { high-fan-out: { max: 2 } } }"), &[]);
    check(
        &fan(3, "", "", "lint: { rules: { high-fan-out: { level: error, max: 2 } } }"),
        &["error high-fan-out"],
    );
    check(&fan(9, "", "", "lint: { rules: { high-fan-out: allow } }"), &[]);
    // Datastores are no services; a service counts once.
    let stores = (0..9).map(|i| format!("  s{i}: {{ kind: redis }}\n")).collect::<Vec<_>>().concat();
    let list = (0..9).map(|i| format!("read: s{i}")).collect::<Vec<_>>().join(", ");
    check(
        &format!(
            "services: {{ hub: {{ endpoints: {{ E: {{ calls: [{list}] }} }} }} }}\ndatastores:\n{stores}"
        ),
        &[],
    );
    check(&calls(BOUNDED, &(0..9).map(|_| "hub > a").collect::<Vec<_>>()), &[]);
}

#[test]
fn guards_of_high_fan_in() {
    let system = |n: usize, lint: &str, about: &str| {
        let callers =
            (0..n).map(|i| format!("  s{i}: {{ dependencies: [hub] }}\n")).collect::<Vec<_>>().concat();
        format!("lint: {{ rules: {{ high-fan-in: {lint} }} }}\nservices:\n{callers}  hub: {{ {about} }}\n")
    };
    check(&system(9, "info", ""), &["info high-fan-in"]);
    check(&system(9, "warning", ""), &["warning high-fan-in"]);
    check(&system(8, "info", ""), &[]);
    check(&system(3, "{ level: info, max: 2 }", ""), &["info high-fan-in"]);
    check(&system(9, "info", "tags: [platform]"), &[]);
    check(&system(9, "info", "external: true"), &[]);
    // Pedantic: a threshold alone does not switch it on.
    check(&system(9, "{ max: 2 }", ""), &[]);
    check(&system(9, "allow", ""), &[]);
}

#[test]
fn guards_of_missing_timeout() {
    let found = ["warning missing-timeout"];
    check(&calls("", &["a > b"]), &found);
    check(&calls("", &["a > b", "a > c", "c > d: timeout: 1s"]), &["warning missing-timeout"; 2]);
    check(&calls("", &["a > b: timeout: 1s"]), &[]);
    check(&calls("defaults: { call: { timeout: 1s } }", &["a > b"]), &[]);
    check(&calls("upstreams: { b: { timeout: 1s } }", &["a > b"]), &[]);
    check(&calls("upstreams: { b: { timeout: 1s } }", &["b > c"]), &found);
    check(&calls("mesh: { timeout: 1s }", &["a > b"]), &[]);
    check(&calls("mesh: { timeout: none }", &["a > b"]), &found);
    check(&calls("", &["a > b"]).replacen("a:\n", "a:\n    defaults: { call: { timeout: 1s } }\n", 1), &[]);
    // Attempts that are bounded bound the call; retries that are switched off bound nothing.
    check(&calls("", &["a > b: retry: { num_retries: 1, per_try_timeout: 1s }"]), &[]);
    check(&calls("", &["a > b: retry: { num_retries: 1 }"]), &found);
    check(&calls("defaults: { call: { retry: { per_try_timeout: 1s } } }", &["a > b: retry: none"]), &found);
    // Switched off against a default, and said so.
    let off = calls("defaults: { call: { timeout: 1s } }", &["a > b: timeout: none"]);
    check(&off, &found);
    assert!(words(&off).contains("switched off here"), "{}", words(&off));
    let off = words(&calls("defaults: { call: { timeout: none } }", &["a > b"]));
    assert!(off.contains("switched off here (from defaults at line 1)"), "{off}");
    // Edges without detail, messages and data say nothing of waiting.
    check("services: { a: { dependencies: [b] }, b: {} }", &[]);
    check("services: { a: {}, b: {} }\ncommunications: [{ from: a, to: b }]", &found);
    check(&calls("", &["a > b: protocol: message_queue"]), &[]);
    check("services: { a: { endpoints: { E: { calls: [read: d] } } } }\ndatastores: { d: {} }", &[]);
}

#[test]
fn guards_of_timeout_inversion() {
    let found = ["warning timeout-inversion"];
    let pair =
        |outer: &str, inner: &str| calls("", &[&format!("a > b: {outer}"), &format!("b > c: {inner}")]);
    check(&pair("timeout: 1s", "timeout: 999ms"), &[]);
    check(&pair("timeout: 1s", "timeout: 1s"), &found);
    check(&pair("timeout: 1s", "timeout: 3s"), &found);
    check(&pair("timeout: 1s", "timeout: 3s, propagate_deadline: true"), &[]);
    check(&pair("timeout: 1s, propagate_deadline: true", "timeout: 3s"), &[]);
    check(&pair("timeout: 1s", "timeout: 3s, protocol: message_queue"), &[]);
    check(&pair("timeout: 1s", ""), &["warning missing-timeout"]);
    // Only calls inside the called endpoint count.
    check(&calls("", &["a > b: timeout: 1s", "b.F > c: timeout: 3s"]), &[]);
    // 3 × 250ms + 25ms + 50ms = 825ms.
    let tries = "retry: { num_retries: 2, per_try_timeout: 250ms, backoff: { base: 25ms } }";
    check(&pair("timeout: 825ms", tries), &found);
    check(&pair("timeout: 826ms", tries), &[]);
    // The back-off stops growing at 30ms: 4 × 100ms + 25ms + 30ms + 30ms = 485ms.
    let capped = "retry: { num_retries: 3, per_try_timeout: 100ms, backoff: { base: 25ms, max: 30ms } }";
    check(&pair("timeout: 485ms", capped), &found);
    check(&pair("timeout: 486ms", capped), &[]);
    // Cut by T: min(600ms, 825ms).
    check(&pair("timeout: 601ms", &format!("timeout: 600ms, {tries}")), &[]);
    check(&pair("timeout: 600ms", &format!("timeout: 600ms, {tries}")), &found);
    // The caller waits for all of its attempts: min(T, 825ms).
    check(&pair(tries, "timeout: 824ms"), &[]);
    check(&pair(tries, "timeout: 825ms"), &found);
    check(&pair(&format!("timeout: 2s, {tries}"), "timeout: 825ms"), &found);
    check(&pair(&format!("timeout: 600ms, {tries}"), "timeout: 700ms"), &found);
    check(&pair(&format!("timeout: 600ms, {tries}"), "timeout: 599ms"), &[]);
    assert!(
        words(&pair(tries, "timeout: 1s")).contains("waits 825ms in all: 3 attempts × 250ms + 75ms back-off")
    );
}

#[test]
fn an_inherited_timeout_is_one_cause() {
    let top = "defaults: { call: { timeout: 1s } }";
    let chain = calls(top, &["a > b", "b > c", "c > d", "d > e"]);
    check(&chain, &["warning timeout-inversion"]);
    assert!(words(&chain).contains("so do 2 more pairs of calls that inherit it"), "{}", words(&chain));
    // An own value is a cause of its own: only a > b waits less (1s) than what follows may take (2s).
    let own = ["a > b", "b > c: timeout: 2s", "c > d: timeout: 1500ms", "d > e"];
    check(&calls(top, &own), &["warning timeout-inversion"]);
    // The same bytes, but more of them at the inner call: 1 × 1s against 3 × 1s.
    let top = "defaults: { call: { retry: { per_try_timeout: 1s } } }";
    check(&calls(top, &["a > b", "b > c: retry: { num_retries: 2 }"]), &["warning timeout-inversion"]);
    let said = words(&calls(top, &["a > b", "b > c: retry: { num_retries: 2 }"]));
    assert!(said.contains("this call may take 3s: 3 attempts × 1s"), "{said}");
}

/// A chain of calls with so many attempts each.
fn attempts(top: &str, chain: &[u32]) -> String {
    let hop = |(i, n): (usize, &u32)| format!("s{i} > s{}: retry: {{ num_retries: {} }}", i + 1, n - 1);
    let edges: Vec<_> = chain.iter().enumerate().map(hop).collect();
    calls(&format!("{BOUNDED}\n{top}"), &edges.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn guards_of_retry_amplification() {
    let (warning, error) = (["warning retry-amplification"], ["error retry-amplification"]);
    check(&attempts("", &[3, 3]), &[]);
    check(&attempts("", &[3, 1, 3]), &[]);
    check(&attempts("", &[2, 5]), &warning);
    check(&attempts("", &[10]), &warning);
    check(&attempts("", &[3, 3, 3]), &warning);
    check(&attempts("", &[29]), &warning);
    check(&attempts("", &[5, 6]), &error);
    check(&attempts("", &[4, 9]), &error);
    let lint = |numbers: &str| format!("lint: {{ rules: {{ retry-amplification: {{ {numbers} }} }} }}");
    check(&attempts(&lint("warning: 9"), &[3, 3]), &warning);
    check(&attempts(&lint("error: 9"), &[3, 3]), &error);
    check(&attempts(&lint("warning: 40, error: 50"), &[4, 9]), &[]);
    // The mesh tries every call three times: 9, 27, and 6 × 6 = 36 with two attempts of the library's each.
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[1, 1]), &[]);
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[1, 1, 1]), &warning);
    check(&attempts("mesh: { retry: { num_retries: 2 } }", &[2, 2]), &error);
    check(&attempts("mesh: { retry: none }", &[3, 3]), &[]);
    // A budget of 20%: 1.2 × 1.2 × 1.2; on one of three levels 1.2 × 3 × 3 = 10.8, on two 4.32.
    let budget = "retry: { num_retries: 2, budget: { percent: 20% } }";
    let plain = "retry: { num_retries: 2 }";
    let three = |a: &str, b: &str, c: &str| {
        calls(BOUNDED, &[&format!("a > b: {a}"), &format!("b > c: {b}"), &format!("c > d: {c}")])
    };
    check(&three(budget, budget, budget), &[]);
    check(&three(budget, plain, plain), &warning);
    check(&three(budget, budget, plain), &[]);
    // Two entries through the same calls are one cause; the worst of several branches counts.
    check(&calls(BOUNDED, &["x > a", "y > a", "a > b: retry: { num_retries: 9 }"]), &warning);
    let branches = [
        "a > b: retry: { num_retries: 1 }",
        "b > c: retry: { num_retries: 1 }",
        "b > d: retry: { num_retries: 5 }",
    ];
    let said = words(&calls(BOUNDED, &branches));
    assert!(said.contains("one request to `a E` can become 12 calls of `d`"), "{said}");
    // Traffic says where requests enter: 3 × 3 below it.
    check(&attempts("traffic: [{ to: s1 E, rate: 1/s }]", &[3, 3, 3]), &[]);
    let said = words(&attempts("mesh: { retry: { num_retries: 2 } }", &[2, 1, 2]));
    assert!(said.contains("`s0 → s1` is tried 2 times, each 3 times by the mesh"), "{said}");
    assert!(said.contains("`s1 → s2` is tried 3 times by the mesh"), "{said}");
}

#[test]
fn guards_of_stopped_dependency() {
    let stopped = |edges: &[&str], id: &str| {
        calls(BOUNDED, edges).replacen(&format!("  {id}:\n"), &format!("  {id}:\n    status: stopped\n"), 1)
    };
    let (warning, error) = (["warning stopped-dependency"], ["error stopped-dependency"]);
    check(&stopped(&["a > b"], "b"), &error);
    check(&stopped(&["a > b"], "a"), &[]);
    check(&stopped(&["a > b: optional: true"], "b"), &warning);
    check(&stopped(&["a > b: optional: false"], "b"), &error);
    check(&stopped(&["a > b: fallback: static"], "b"), &warning);
    check(&stopped(&["a > b: fallback: none"], "b"), &error);
    // One finding for one service; one hard call is enough.
    check(&stopped(&["a > b: optional: true", "c > b: fallback: cached"], "b"), &warning);
    check(&stopped(&["a > b: optional: true", "c > b"], "b"), &error);
    check(&stopped(&["a > b: protocol: message_queue"], "b"), &[]);
    check("services: { a: { dependencies: [b] }, b: { status: stopped } }", &error);
    check("services: { a: { dependencies: [b] }, b: { status: unhealthy } }", &[]);
}

#[test]
fn guards_of_missing_health_check() {
    let system = |about: &str, edge: &str| {
        let top = format!("{BOUNDED}\nlint: {{ rules: {{ missing-health-check: info }} }}");
        calls(&top, &[edge]).replacen("  b:\n", &format!("  b:\n    {about}\n"), 1)
    };
    let found = ["info missing-health-check"];
    check(&system("", "a > b"), &found);
    check(&system("health_check: none", "a > b"), &found);
    assert!(words(&system("health_check: none", "a > b")).contains("switched off here"));
    check(&system("health_check: { path: /healthz }", "a > b"), &[]);
    check(&system("external: true", "a > b"), &[]);
    check(&system("", "a > b: optional: true"), &[]);
    check(&system("", "a > b: fallback: static"), &[]);
    check(&system("", "a > b: protocol: message_queue"), &[]);
    check(&calls(BOUNDED, &["a > b"]), &[]);
}

#[test]
fn guards_of_orphan_service() {
    let system = |about: &str, more: &str| {
        format!("services:\n  a: {{ dependencies: [b] }}\n  b: {{}}\n  c: {{ {about} }}\n{more}")
    };
    check(&system("", ""), &["warning orphan-service"]);
    check(&system("endpoints: [E]", ""), &["warning orphan-service"]);
    check(&system("kind: job", ""), &[]);
    check(&system("kind: cron", ""), &[]);
    check(&system("kind: gateway", ""), &["warning orphan-service"]);
    check(&system("dependencies: [d]", "datastores: { d: {} }"), &[]);
    check(&system("consumes: { q: {} }", "queues: { q: {} }"), &[]);
    check(&system("endpoints: [E]", "traffic: [{ to: c E, rate: 1/s }]"), &[]);
    let scenario = "scenarios: { peak: { traffic: [{ to: c E, rate: 1/s }] } }";
    check(&system("endpoints: [E]", scenario), &[]);
    check("services: { a: {} }", &[]);
    check("services: { a: {}, b: {} }", &["warning orphan-service"; 2]);
}
