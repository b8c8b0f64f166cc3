//! Findings: what loadpath has to say, each pointing at bytes of the user's file.
//!
//! Owns the shape of a finding and of a rule's descriptor, the total order of findings, their identity
//! and the comments that suppress them. Must not know any rule, nor how findings are printed.

mod date;
mod directive;
mod distance;
mod fix;
mod names;
mod rule;
mod secrets;
mod suppress;
mod suppress_rules;

pub use date::Date;
pub use fix::{Edit, Fixed, apply_fixes};
pub use names::{Names, nearest, same_word};
pub use rule::{RuleInfo, Setting};
pub use secrets::Secrets;
pub use suppress::Suppressions;
pub use suppress_rules::RULES;

use crate::source::{Fnv, Span};
use rayon::prelude::*;

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely to hurt.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// `info`, `warning` or `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes with a few words about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The bytes.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// One step of the path that proves a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// Where the step is written, if it is.
    pub span: Option<Span>,
    /// Id of where the step starts, as in `graph -f json`.
    pub from: String,
    /// Id of where it ends.
    pub to: String,
    /// What the step adds to the sum or product, as text (`3 attempts`, `250ms`); may be empty.
    pub value: String,
}

/// One thing loadpath has to say.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule that raised it.
    pub rule: &'static RuleInfo,
    /// How bad, after the user's levels.
    pub severity: Severity,
    /// How bad was said of it alone: the level of its rule changes nothing.
    pub fixed: bool,
    /// The headline, lower-case, without a full stop.
    pub message: String,
    /// The bytes it is about; `None` for a finding about a file that could not be read.
    pub primary: Label,
    /// Other bytes that tell the story, in telling order.
    pub secondary: Vec<Label>,
    /// What to do.
    pub help: Vec<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// Ids of what it is about: its identity, whatever the file it stands in.
    pub subjects: Vec<String>,
    /// Who owns what it is about, sorted; filled in by `lint`, which knows the owners.
    pub owners: Vec<String>,
    /// The path that proves it.
    pub path: Vec<Hop>,
    /// Bytes that no report may show, wherever a finding points.
    pub secrets: Vec<Span>,
    /// The figures behind it, in SI units (`_s`, `_per_s` in the name).
    pub numbers: Vec<(&'static str, f64)>,
    /// The one edit that mends it, where only one does.
    pub fix: Option<Edit>,
    /// A comment suppresses it.
    pub suppressed: bool,
    /// Why, as the comment says; may be empty.
    pub justification: String,
    /// It was there before: the baseline forgives it.
    pub baselined: bool,
}

impl Finding {
    /// A finding of `rule` at its default severity, about `span`.
    pub fn new(rule: &'static RuleInfo, span: Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            fixed: false,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
            subjects: Vec::new(),
            owners: Vec::new(),
            path: Vec::new(),
            secrets: Vec::new(),
            numbers: Vec::new(),
            fix: None,
            suppressed: false,
            justification: String::new(),
            baselined: false,
        }
    }

    /// Says a few words at the primary span.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Points at other bytes too.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Says what else is to be known.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Names what it is about (an id); several calls add up.
    #[must_use]
    pub fn about(mut self, id: impl Into<String>) -> Self {
        self.subjects.push(id.into());
        self
    }

    /// Another severity than the rule's default.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Keeps bytes out of every report: snippets show `*` in their place. Messages, labels and ids must not
    /// repeat them.
    #[must_use]
    pub fn secret(mut self, span: Span) -> Self {
        self.secrets.push(span);
        self
    }

    /// A severity that was said of it alone, whatever its rule weighs.
    #[must_use]
    pub fn fixed(mut self, severity: Severity) -> Self {
        (self.severity, self.fixed) = (severity, true);
        self
    }

    /// A figure behind it.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: f64) -> Self {
        self.numbers.push((name, value));
        self
    }

    /// A step of the proving path, written at `span`.
    #[must_use]
    pub fn hop(
        mut self,
        span: impl Into<Option<Span>>,
        from: impl Into<String>,
        to: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.path.push(Hop { span: span.into(), from: from.into(), to: to.into(), value: value.into() });
        self
    }

    /// Whether nothing forgives it: it is to be mended.
    pub const fn counts(&self) -> bool {
        !self.suppressed && !self.baselined
    }

    /// All spans, the primary one first.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        std::iter::once(self.primary.span).chain(self.secondary.iter().map(|l| l.span))
    }

    /// Identity: rule + the ids of what it is about, as 16 hexadecimal digits. Moving or splitting files
    /// changes nothing; a finding that names no subject is identified by its message.
    pub fn fingerprint(&self) -> String {
        let mut hash = Fnv::default();
        hash.part(self.rule.id);
        if self.subjects.is_empty() {
            hash.part(&self.message);
        }
        for subject in &self.subjects {
            hash.part(subject);
        }
        hash.hex()
    }

    fn order(&self) -> (Span, &'static str, &str) {
        (self.primary.span, self.rule.id, &self.message)
    }
}

/// The one order of findings: by file in reading order, then position, rule and message. The same thing
/// said twice about all the same bytes (an alias read twice) is kept once.
pub fn sort(findings: &mut Vec<Finding>) {
    // A finding is large: numbers are sorted, and each finding is moved once.
    let mut order: Vec<usize> = (0..findings.len()).collect();
    let compare =
        |a: &Finding, b: &Finding| a.order().cmp(&b.order()).then_with(|| a.subjects.cmp(&b.subjects));
    order.par_sort_by(|a, b| compare(&findings[*a], &findings[*b]));
    let mut taken: Vec<Option<Finding>> = std::mem::take(findings).into_iter().map(Some).collect();
    findings.extend(order.into_iter().filter_map(|at| taken[at].take()));
    findings.dedup_by(|a, b| a.order() == b.order() && a.secondary == b.secondary);
}
