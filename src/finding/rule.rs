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

impl Setting {
    /// A threshold with what counts when nothing is said.
    pub const fn new(name: &'static str, default: f64, about: &'static str) -> Self {
        Self { name, default, about }
    }
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
    /// The fields of a document that its inputs and guards come from, by their keys from the top
    /// (`services.endpoints.calls.timeout`). Names and list items are left out.
    pub reads: &'static [&'static str],
    /// Its page, Markdown: what it does, why it matters, example, use instead, limits, references.
    pub page: &'static str,
}

impl RuleInfo {
    /// A rule whose findings are wrong.
    pub const fn error(id: &'static str, summary: &'static str, page: &'static str) -> Self {
        Self {
            id,
            summary,
            severity: Severity::Error,
            pedantic: false,
            together: "",
            settings: &[],
            reads: &[],
            page,
        }
    }

    /// A rule whose findings are likely to hurt.
    pub const fn warning(id: &'static str, summary: &'static str, page: &'static str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(id, summary, page) }
    }

    /// A rule whose findings are worth knowing.
    pub const fn info(id: &'static str, summary: &'static str, page: &'static str) -> Self {
        Self { severity: Severity::Info, ..Self::error(id, summary, page) }
    }

    /// Off unless asked for.
    #[must_use]
    pub const fn pedantic(mut self) -> Self {
        self.pedantic = true;
        self
    }

    /// What many of its findings are called together.
    #[must_use]
    pub const fn together(mut self, words: &'static str) -> Self {
        self.together = words;
        self
    }

    /// Its thresholds.
    #[must_use]
    pub const fn settings(mut self, settings: &'static [Setting]) -> Self {
        self.settings = settings;
        self
    }

    /// The fields its inputs and guards come from.
    #[must_use]
    pub const fn reads(mut self, fields: &'static [&'static str]) -> Self {
        self.reads = fields;
        self
    }
}

impl PartialEq for RuleInfo {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
