//! The baseline: findings that were there when the linter was switched on, and are forgiven.
//!
//! Owns the file (one line per finding, sorted, so that a change of it reads well), what it forgives, and
//! which of its entries no longer occur. Must not decide when it is written, nor by whom: that is the
//! caller's, who knows what was checked and where.
//!
//! A finding is forgiven by its identity, `Finding::fingerprint`: never by its line, its words or its level.
//! Several findings of one identity are counted: two that are forgiven do not hide a third.

mod text;

use crate::finding::{self, Finding, RuleInfo, Severity};
use crate::source::{Sources, Span};
use crate::spec::rules::INVALID_VALUE;
use crate::spec::vocabulary::{Baseline as Written, BaselineEntry};
use crate::spec::{Decode, Reader, decode::Ctx};
use std::collections::BTreeMap;

/// The rule that judges the baseline itself.
pub static STALE_BASELINE: RuleInfo = RuleInfo::warning(
    "stale-baseline",
    "an entry of the baseline that no longer occurs",
    include_str!("stale-baseline.md"),
)
.together("entries of the baseline no longer occur");

/// The version that is read and written.
const VERSION: u32 = 1;

/// Findings that are forgiven.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baseline {
    /// What was checked when it was made: only a run over the same can tell what no longer occurs.
    pub of: Vec<String>,
    entries: BTreeMap<Key, Entry>,
}

/// Rule and fingerprint.
type Key = (String, String);

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// The subjects, for people.
    about: String,
    count: u32,
    /// Its line, where it was read.
    span: Option<Span>,
}

/// An entry that forgives more than there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Stale {
    key: Key,
    about: String,
    span: Span,
    /// How many findings it forgives.
    pub forgives: u32,
    /// How many there are.
    pub occurs: u32,
    /// Its rule exists. An entry of another may be a newer version's and is only reported.
    pub known: bool,
}

impl Baseline {
    /// One that forgives nothing yet.
    pub fn new(of: Vec<String>) -> Self {
        Self { of, entries: BTreeMap::new() }
    }

    /// Reads a file. Every mistake is a finding of the reader's and points at its bytes; `None` where it
    /// cannot be read at all.
    pub fn read(reader: &mut Reader<'_>, path: &str) -> Option<Self> {
        let before = reader.findings.len();
        let Some(tree) = reader.root(path) else {
            explain(reader, before);
            return None;
        };
        let mut ctx = Ctx::new();
        let written = Written::decode(&tree.node, &mut ctx);
        let newer = written.as_ref().and_then(|w| w.version.as_ref()).filter(|v| v.value != VERSION);
        if let Some(version) = newer {
            let message = format!("a baseline of version {}: version {VERSION} is read", version.value);
            let finding = Finding::new(&INVALID_VALUE, version.span, message).about("version");
            // Its entries may mean anything: nothing else is said of them.
            reader.findings.push(finding.help("use the loadpath that wrote it, or make it anew"));
            reader.broken = true;
            return None;
        }
        reader.findings.extend(ctx.findings);
        finding::sort(&mut reader.findings);
        reader.broken |= written.is_none();
        let written = written?;
        let mut this = Self::new(written.of.iter().flat_map(|o| o.iter()).map(|w| w.value.clone()).collect());
        for entry in written.findings.iter().flat_map(|f| f.iter()) {
            this.take(&entry.value, entry.span);
        }
        Some(this)
    }

    /// Lines may come twice, from both sides of a merge: the larger count holds.
    fn take(&mut self, written: &BaselineEntry, span: Span) {
        let (Some(rule), Some(fingerprint)) = (&written.rule, &written.fingerprint) else { return };
        let about = written.about.as_ref().map(|a| a.value.clone()).unwrap_or_default();
        let count = written.count.as_ref().map_or(1, |c| c.value.0);
        let key = (rule.value.clone(), fingerprint.value.clone());
        let entry = self.entries.entry(key).or_insert(Entry { about, count, span: Some(span) });
        entry.count = entry.count.max(count);
    }

    /// Marks what is forgiven: of findings with one identity as many as it has, in their order.
    pub fn forgive<'a>(&self, findings: impl IntoIterator<Item = &'a mut Finding>) {
        let mut used: BTreeMap<Key, u32> = BTreeMap::new();
        for finding in findings.into_iter().filter(|f| may_be_forgiven(f)) {
            let key = key(finding);
            let Some(all) = self.entries.get(&key).map(|entry| entry.count) else { continue };
            let used = used.entry(key).or_default();
            finding.baselined = *used < all;
            *used += 1;
            if !finding.baselined {
                let old = if all == 1 { "one like it is".to_owned() } else { format!("{all} like it are") };
                finding.notes.push(format!("{old} in the baseline: which of them is new cannot be told"));
            }
        }
    }

    /// Entries that forgive more than there is, in the order of the file. `ran` tells of a rule whether it
    /// was judged: entries of rules that were not are left alone.
    pub fn stale<'a>(
        &self,
        findings: impl IntoIterator<Item = &'a Finding>,
        ran: &dyn Fn(&str) -> bool,
    ) -> Vec<Stale> {
        let mut occurs: BTreeMap<Key, u32> = BTreeMap::new();
        for finding in findings.into_iter().filter(|f| may_be_forgiven(f)) {
            *occurs.entry(key(finding)).or_default() += 1;
        }
        let mut stale = Vec::new();
        for (key, entry) in &self.entries {
            let known = super::rule(&key.0).is_some();
            let occurs = occurs.get(key).copied().unwrap_or_default();
            if occurs < entry.count && (ran(&key.0) || !known) {
                let (about, span) = (entry.about.clone(), entry.span.unwrap_or_default());
                stale.push(Stale { key: key.clone(), about, span, forgives: entry.count, occurs, known });
            }
        }
        stale
    }

    /// Takes out what no longer occurs.
    pub fn shrink(&mut self, stale: &[Stale]) {
        for one in stale {
            match self.entries.get_mut(&one.key) {
                Some(entry) if one.occurs > 0 => entry.count = one.occurs,
                _ => {
                    self.entries.remove(&one.key);
                }
            }
        }
    }

    /// Takes in every finding that nothing forgives yet, and gives how many these were.
    pub fn grow<'a>(&mut self, findings: impl IntoIterator<Item = &'a Finding>) -> usize {
        let new = findings.into_iter().filter(|f| may_be_forgiven(f) && !f.baselined);
        let mut grown = 0;
        for finding in new {
            let entry = Entry { about: about(finding), count: 0, span: None };
            self.entries.entry(key(finding)).or_insert(entry).count += 1;
            grown += 1;
        }
        grown
    }

    /// How many findings it forgives.
    pub fn len(&self) -> usize {
        self.entries.values().map(|entry| entry.count as usize).sum()
    }

    /// Whether it forgives nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file.
    pub fn text(&self) -> String {
        text::write(self)
    }
}

impl Stale {
    /// How many findings it forgives that are not there.
    pub const fn surplus(&self) -> usize {
        self.forgives.saturating_sub(self.occurs) as usize
    }

    /// The finding about it.
    pub fn finding(&self) -> Finding {
        let (rule, fingerprint) = &self.key;
        let subject = if self.about.is_empty() { fingerprint } else { &self.about };
        let (message, help) = if !self.known {
            let message = format!("the baseline forgives `{rule}`, and no rule is called that");
            (message, "delete the line, unless a newer loadpath wrote it".to_owned())
        } else if self.occurs == 0 {
            let message = format!("`{rule}` no longer occurs at `{subject}`");
            (message, "delete the line; a run outside of CI does".to_owned())
        } else {
            let (old, new) = (self.forgives, self.occurs);
            let message = format!("`{rule}` occurs {new}×, no longer {old}×, at `{subject}`");
            (message, format!("write `count: {new}`; a run outside of CI does"))
        };
        Finding::new(&STALE_BASELINE, self.span, message).help(help).about(rule).about(fingerprint)
    }
}

fn key(finding: &Finding) -> Key {
    (finding.rule.id.to_owned(), finding.fingerprint())
}

/// What a finding is about, in words.
fn about(finding: &Finding) -> String {
    if finding.subjects.is_empty() { finding.message.clone() } else { finding.subjects.join(", ") }
}

/// What a comment suppresses needs no other forgiveness, and the baseline does not forgive itself.
fn may_be_forgiven(finding: &Finding) -> bool {
    !finding.suppressed && *finding.rule != STALE_BASELINE
}

/// Says what to do about a baseline that cannot be read.
fn explain(reader: &mut Reader<'_>, before: usize) {
    let conflict = |sources: &Sources, f: &Finding| {
        let known = (f.primary.span.file.0 as usize) < sources.files().len();
        known && sources.file(f.primary.span.file).text.lines().any(|l| l.starts_with("<<<<<<<"))
    };
    for finding in reader.findings.iter_mut().skip(before).filter(|f| f.severity == Severity::Error) {
        if conflict(&reader.sources, finding) {
            finding.help = vec!["keep the lines of both sides of the merge".to_owned()];
        } else if *finding.rule == crate::spec::rules::UNREADABLE_FILE {
            finding.help.push("`--update-baseline` writes one with all findings there are now".to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
