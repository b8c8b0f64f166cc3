//! Reads, builds and judges a system in memory, as `loadpath check` does on the disk.

use loadpath::finding::{Date, Finding};
use loadpath::lint::{self, Judgement, Occasion};
use loadpath::model::{Architecture, build};
use loadpath::report::{CheckReport, Style, finding_format};
use loadpath::source::{MemoryLoader, Sources};
use loadpath::spec::{Limits, Reader};

/// What came of it.
pub struct Judged {
    /// The texts.
    pub sources: Sources,
    /// What they mean.
    pub arch: Architecture,
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// Whether some file has no tree.
    pub broken: bool,
}

/// Judges files of which the first is the root.
pub fn judge<P: Into<String> + Clone, B: Into<Vec<u8>> + Clone>(files: &[(P, B)]) -> Judged {
    judge_with(files, &[], &[])
}

/// The same with `--overlay` files, which must be among the files, and `--set` arguments.
pub fn judge_with<P: Into<String> + Clone, B: Into<Vec<u8>> + Clone>(
    files: &[(P, B)],
    overlays: &[&str],
    sets: &[&str],
) -> Judged {
    let loader = MemoryLoader::new(files.to_vec());
    let mut reader = Reader::new(&loader, Limits::default());
    let root = files.first().map(|(path, _)| path.clone().into()).unwrap_or_default();
    let roots = reader.root(&root).into_iter().collect();
    let mut trees = reader.includes(roots);
    trees.extend(overlays.iter().filter_map(|path| reader.overlay(path)).collect::<Vec<_>>());
    for set in sets {
        reader.set(set, &mut trees);
    }
    let documents = reader.decode(trees);
    let Reader { sources, mut findings, broken, .. } = reader;
    let (arch, unresolved) = build(&documents);
    findings.extend(unresolved);
    let occasion = Occasion { today: Date::from_unix_days(20_000), complete: !broken };
    let Judgement { findings, .. } = lint::judge(&arch, &sources, findings, occasion);
    Judged { sources, arch, findings, broken }
}

impl Judged {
    /// `file:line:column` of a finding.
    pub fn place(&self, finding: &Finding) -> String {
        let span = finding.primary.span;
        let at = self.sources.locate(span);
        format!("{}:{}:{}", self.sources.file(span.file).name, at.line, at.column)
    }

    /// Headline, help and notes of a finding.
    pub fn words(finding: &Finding) -> String {
        let all = std::iter::once(&finding.message).chain(&finding.help).chain(&finding.notes);
        all.cloned().collect::<Vec<_>>().join("\n")
    }

    /// `rule place: message` of all findings.
    pub fn lines(&self) -> Vec<String> {
        self.findings.iter().map(|f| format!("{} {}: {}", f.rule.id, self.place(f), f.message)).collect()
    }

    /// The report in a format.
    pub fn report(&self, format: &str) -> String {
        let report = CheckReport::new(&self.sources, &self.findings);
        finding_format(format).map(|f| (f.render)(&[report], &Style::default())).unwrap_or_default()
    }
}
