//! Levels and thresholds: what the user sets under `lint.rules`.

use crate::finding::{Finding, RuleInfo, Severity, nearest};
use crate::model::words::{Level, LintSettings, RuleSettings};
use crate::spec::rules::{INVALID_VALUE, UNKNOWN_FIELD};
use std::collections::HashMap;

/// What was set, by rule.
#[derive(Debug, Clone, Default)]
pub struct Settings<'s> {
    rules: HashMap<&'s str, &'s RuleSettings>,
}

impl<'s> Settings<'s> {
    /// Takes the settings in; unknown rules and thresholds are findings.
    pub fn new(lint: &'s LintSettings, findings: &mut Vec<Finding>) -> Self {
        let mut rules = HashMap::new();
        for (id, settings) in lint.rules.iter().flat_map(|r| r.iter()) {
            let Some(rule) = super::rule(id) else {
                findings.push(unknown_rule(&id.value, id.span));
                continue;
            };
            for (name, _) in &settings.numbers {
                if !rule.settings.iter().any(|s| s.name == name.value) {
                    findings.push(unknown_setting(rule, &name.value, name.span));
                }
            }
            rules.insert(id.value.as_str(), &settings.value);
        }
        Self { rules }
    }

    /// The level that was set.
    pub fn level(&self, rule: &RuleInfo) -> Option<Level> {
        self.rules.get(rule.id)?.level.as_ref().map(|l| l.value)
    }

    /// Whether a rule is to be run: pedantic ones only where a level above `allow` asks for them.
    pub fn is_on(&self, rule: &RuleInfo) -> bool {
        match self.level(rule) {
            Some(level) => level != Level::Allow,
            None => !rule.pedantic,
        }
    }

    /// Gives findings the severities that were set; those of rules that are off go.
    pub fn weigh(&self, findings: &mut Vec<Finding>) {
        findings.retain_mut(|finding| match self.level(finding.rule) {
            Some(Level::Allow) => false,
            Some(_) if finding.fixed => true,
            Some(level) => {
                finding.severity = severity(level);
                true
            }
            None => true,
        });
    }

    /// A threshold: what was set, else the rule's default.
    pub fn number(&self, rule: &RuleInfo, name: &str) -> f64 {
        let set = self.rules.get(rule.id).and_then(|s| s.numbers.iter().find(|(key, _)| key.value == name));
        let default = rule.settings.iter().find(|s| s.name == name).map_or(0.0, |s| s.default);
        set.map_or(default, |(_, value)| value.value)
    }
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Allow | Level::Info => Severity::Info,
    }
}

fn unknown_rule(id: &str, span: crate::source::Span) -> Finding {
    let finding = Finding::new(&INVALID_VALUE, span, format!("no rule is called `{id}`"))
        .about(format!("lint.rules.{id}"));
    match nearest(id, super::all_rules().map(|r| r.id)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`loadpath explain --list` names all rules"),
    }
}

fn unknown_setting(rule: &RuleInfo, name: &str, span: crate::source::Span) -> Finding {
    let finding = Finding::new(&UNKNOWN_FIELD, span, format!("`{}` has no setting `{name}`", rule.id));
    let finding = finding.about(format!("lint.rules.{}.{name}", rule.id));
    let known = || std::iter::once("level").chain(rule.settings.iter().map(|s| s.name));
    match nearest(name, known()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("it has: {}", known().collect::<Vec<_>>().join(", "))),
    }
}
