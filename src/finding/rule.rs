//! What a rule says of itself.

use super::Severity;

/// A number a user may set under `lint: { rules: { ID: { NAME: … } } }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Its key.
    pub name: &'static str,
    /// What counts when nothing is said.
    pub default: f64,
    /// One line.
    pub about: &'static str,
}

/// A rule's descriptor: everything but its judgement. `explain`, the tables and the pages read it.
#[derive(Debug)]
pub struct RuleInfo {
    /// kebab-case, named after the bad thing.
    pub id: &'static str,
    /// One line, lower-case: what it finds.
    pub summary: &'static str,
    /// What it weighs when nothing else is said.
    pub severity: Severity,
    /// Off unless asked for.
    pub pedantic: bool,
    /// What many of its findings are called together (`calls have no timeout`), where they have one cause:
    /// that nobody said it. Empty for a rule whose findings each stand alone.
    pub together: &'static str,
    /// Its thresholds.
    pub settings: &'static [Setting],
    /// Its page, Markdown: what it does, why it matters, example, use instead, limits, references.
    pub page: &'static str,
}

impl PartialEq for RuleInfo {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
