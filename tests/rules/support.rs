//! From a text to what is found in it.

use loadpath::finding::{Date, Finding};
use loadpath::lint;
use loadpath::model::build;
use loadpath::source::{MemoryLoader, Sources};
use loadpath::spec::{Limits, Reader};
use std::collections::BTreeSet;

/// The file that is named; a page may add others with `# file: NAME` as the first line of a block.
pub const ROOT: &str = "loadpath.yaml";

/// Names and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A file of this name is the baseline of the others.
const BASELINE: &str = "baseline.yaml";

/// What is found in a system: reads, builds and judges it as the command line does in CI, forgiven findings
/// left out. The first file is the one that is named.
pub fn judged(files: &Files) -> (Vec<Finding>, Sources) {
    let loader = MemoryLoader::new(files.iter().cloned());
    let mut reader = Reader::new(&loader, Limits::default());
    let trees = reader.root(&files[0].0).into_iter().collect();
    let trees = reader.includes(trees);
    let documents = reader.decode(trees);
    let Reader { sources, mut findings, broken, .. } = reader;
    let (arch, unresolved) = build(&documents);
    findings.extend(unresolved);
    let occasion = lint::Occasion { today: Date::new(2026, 6, 1).unwrap(), complete: !broken };
    let lint::Judgement { mut findings, ran } = lint::judge(&arch, &sources, findings, occasion);
    let mut reader = Reader::new(&loader, Limits::default());
    reader.sources = sources;
    if files.iter().any(|(name, _)| name == BASELINE) {
        let baseline = lint::Baseline::read(&mut reader, BASELINE).unwrap();
        baseline.forgive(&mut findings);
        let stale = baseline.stale(&findings, &|rule| ran.contains(&rule));
        findings.extend(stale.iter().map(lint::baseline::Stale::finding));
    }
    findings.retain(Finding::counts);
    (findings, reader.sources)
}

/// Asserts which findings a document raises, `severity rule-id` each, sorted.
pub fn check(yaml: &str, expected: &[&str]) {
    let (findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
    let mut found: Vec<_> = findings.iter().map(|f| format!("{} {}", f.severity, f.rule.id)).collect();
    found.sort();
    let told: Vec<_> = findings.iter().map(|f| &f.message).collect();
    assert_eq!(found, expected, "{told:?}\n{yaml}");
}

/// The only finding of a document, all it says in one text.
pub fn words(yaml: &str) -> String {
    let (findings, _) = judged(&vec![(ROOT.to_owned(), yaml.as_bytes().to_vec())]);
    let [finding] = findings.as_slice() else { panic!("{} findings\n{yaml}", findings.len()) };
    let labels = finding.secondary.iter().map(|l| &l.text);
    let all = [&finding.message, &finding.primary.text].into_iter().chain(labels);
    all.chain(&finding.notes).chain(&finding.help).cloned().collect::<Vec<_>>().join("\n")
}

/// A document of calls: `a > b: timeout: 1s`, `a.F > b.G` where an endpoint other than `E` is meant. `top`
/// are lines above.
pub fn calls(top: &str, edges: &[&str]) -> String {
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
pub const BOUNDED: &str = "defaults: { call: { timeout: 1s, propagate_deadline: true } }";
