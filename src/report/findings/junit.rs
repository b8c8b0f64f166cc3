//! `-f junit`: the XML that CI systems show as test results.

use std::fmt::Write;

use super::{CheckReport, FormatInfo, Style};
use crate::finding::Severity;
use crate::report::{Entry, markup, words};

/// The descriptor.
pub(super) const INFO: FormatInfo = FormatInfo {
    name: "junit",
    summary: "test results as XML, for the test pages of CI systems",
    page: include_str!("junit.md"),
    render,
};

/// How many cases there are of each kind.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    tests: usize,
    failures: usize,
    skipped: usize,
}

fn render(reports: &[CheckReport<'_>], _style: &Style) -> String {
    let mut all = Tally::default();
    let mut suites = String::new();
    for report in reports {
        let (tally, cases) = suite(report);
        all = Tally {
            tests: all.tests + tally.tests,
            failures: all.failures + tally.failures,
            skipped: all.skipped + tally.skipped,
        };
        let name = if report.title.is_empty() { "loadpath" } else { &report.title };
        let _ = writeln!(suites, "  <testsuite name=\"{}\" {}>", markup::attribute(name), counts(tally));
        suites.push_str(&cases);
        suites.push_str("  </testsuite>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"loadpath\" {}>\n{suites}</testsuites>\n",
        counts(all)
    )
}

fn counts(tally: Tally) -> String {
    let Tally { tests, failures, skipped } = tally;
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"")
}

fn suite(report: &CheckReport<'_>) -> (Tally, String) {
    let mut tally = Tally::default();
    let mut out = String::new();
    for entry in &report.entries {
        tally.tests += 1;
        tally.skipped += usize::from(!entry.counts());
        tally.failures += usize::from(entry.counts() && entry.severity != Severity::Info);
        case(entry, &mut out);
    }
    if report.entries.is_empty() {
        // A suite without cases is taken for a run that broke off.
        tally.tests = 1;
        out.push_str("    <testcase classname=\"loadpath\" name=\"no findings\"/>\n");
    }
    (tally, out)
}

/// A finding that is to be mended fails; one that is worth knowing passes and says so; one that is
/// forgiven was skipped.
fn case(entry: &Entry<'_>, out: &mut String) {
    let class = entry.place().map_or("loadpath", |at| at.file.as_ref());
    let name = format!("{}: {}", entry.rule, entry.message);
    let at = entry.place().map_or_else(String::new, |at| {
        format!(" file=\"{}\" line=\"{}\"", markup::attribute(&at.file), at.line)
    });
    let _ = writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"{at}>",
        markup::attribute(class),
        markup::attribute(&name)
    );
    let message = markup::attribute(&entry.message);
    let story = markup::xml(&words::story(entry).join("\n"));
    let _ = match (entry.suppressed, entry.baselined, entry.severity) {
        (true, ..) => writeln!(out, "      <skipped message=\"suppressed\"/>"),
        (_, true, _) => writeln!(out, "      <skipped message=\"in the baseline\"/>"),
        (.., Severity::Info) => {
            writeln!(out, "      <system-out>{}\n{story}</system-out>", markup::xml(&entry.message))
        }
        (.., severity) => {
            writeln!(
                out,
                "      <failure type=\"{}\" message=\"{message}\">{story}</failure>",
                severity.name()
            )
        }
    };
    out.push_str("    </testcase>\n");
}
