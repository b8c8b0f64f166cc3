//! The rules that judge suppression comments themselves.
//!
//! Owns four rules: comments that are wrong, of no use, out of date, or say no reason. Must not know the
//! other rules: which exist and which of them ran is handed in.
//!
//! One finding per cause: an expired comment is not called unused as well, and one that is of no use is
//! not asked for its reason. A comment may allow these rules too, about itself.

use super::directive::Allow;
use super::suppress::{Suppression, Suppressions};
use super::{Edit, Finding, RuleInfo, nearest};
use crate::source::Span;

/// The rules of this module.
pub static RULES: &[&RuleInfo] = &[&UNUSED, &INVALID, &EXPIRED, &WITHOUT_REASON];

static UNUSED: RuleInfo = RuleInfo::warning(
    "unused-suppression",
    "a suppression comment that suppresses nothing",
    include_str!("pages/unused-suppression.md"),
);

static INVALID: RuleInfo = RuleInfo::warning(
    "invalid-suppression",
    "a suppression comment that cannot be read or names a rule that does not exist",
    include_str!("pages/invalid-suppression.md"),
);

static EXPIRED: RuleInfo = RuleInfo::warning(
    "expired-suppression",
    "a suppression comment whose last day has passed",
    include_str!("pages/expired-suppression.md"),
);

static WITHOUT_REASON: RuleInfo = RuleInfo::info(
    "suppression-without-reason",
    "a suppression comment that does not say why",
    include_str!("pages/suppression-without-reason.md"),
);

impl Suppressions {
    /// What is wrong with the comments themselves, after [`apply`](Self::apply) has seen every finding.
    /// `known` are the ids of all rules there are; `ran` says whether a rule was judged in this run: a
    /// comment is never called unused on account of a rule that was not. Findings come at their default
    /// severities, in reading order; the ones whose own comment allows them are marked suppressed.
    pub fn report(&self, known: &[&str], ran: &dyn Fn(&str) -> bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        for one in &self.all {
            let from = findings.len();
            match &one.said {
                Err(bad) => findings.push(
                    Finding::new(&INVALID, bad.span, bad.message.clone())
                        .help(bad.help.clone())
                        .about(&one.target_text),
                ),
                Ok(allow) => judge(one, allow, known, ran, &mut findings),
            }
            for finding in findings.iter_mut().skip(from) {
                finding.suppressed = one.names(finding.rule.id);
            }
        }
        findings
    }
}

fn judge(
    one: &Suppression,
    allow: &Allow,
    known: &[&str],
    ran: &dyn Fn(&str) -> bool,
    out: &mut Vec<Finding>,
) {
    for name in allow.rules.iter().filter(|name| !known.contains(&name.as_str())) {
        let finding = Finding::new(&INVALID, name.span, format!("no rule is called `{}`", name.value))
            .about(&name.value)
            .about(&one.target_text);
        out.push(match nearest(name, known.iter().copied()) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")),
            None => {
                finding.help("a rule's id is what a finding shows in brackets: `warning[missing-timeout]`")
            }
        });
    }
    if let (true, Some(until)) = (one.expired, allow.until) {
        out.push(
            Finding::new(&EXPIRED, until.span, format!("this suppression ended on {}", until.value))
                .label("it suppresses nothing any more")
                .help("mend what it allowed and delete the comment, or agree on a later day")
                .about(&one.target_text)
                .fix(Edit { span: one.removal, text: String::new() }),
        );
        return;
    }
    // A comment about itself has nothing else to suppress.
    let about_itself = |name: &str| RULES.iter().any(|rule| rule.id == name);
    let judged = |name: &str| known.contains(&name) && ran(name) && !about_itself(name);
    let names = || allow.rules.iter().zip(&one.used);
    let (idle, kept): (Vec<_>, Vec<_>) = names().partition(|(name, used)| judged(name) && !**used);
    let of_use = kept.iter().any(|(name, used)| **used || known.contains(&name.as_str()));
    let kept: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    out.extend(idle.iter().map(|(name, _)| unused(one, allow, name).fix(without(one, allow, &kept))));
    if of_use && allow.reason.is_empty() {
        out.push(
            Finding::new(&WITHOUT_REASON, one.span, "this suppression does not say why")
                .help("write the reason behind the brackets: who will read this wants to know if it still holds")
                .about(&one.target_text),
        );
    }
}

/// The comment with only these names left in its brackets, or no comment.
fn without(one: &Suppression, allow: &Allow, kept: &[&str]) -> Option<Edit> {
    let (first, last) = (allow.rules.first()?, allow.rules.last()?);
    if kept.is_empty() {
        return Some(Edit { span: one.removal, text: String::new() });
    }
    Some(Edit { span: Span { end: last.span.end, ..first.span }, text: kept.join(", ") })
}

fn unused(one: &Suppression, allow: &Allow, name: &crate::source::Spanned<String>) -> Finding {
    let label = match one.target {
        Some(line) => format!("not raised on line {}", line + 1),
        None => "no line follows that it could speak of".to_owned(),
    };
    let help = if allow.rules.len() > 1 {
        format!("take `{}` out of the brackets", name.value)
    } else {
        "delete the comment".to_owned()
    };
    Finding::new(
        &UNUSED,
        name.span,
        format!("`{}` is allowed here, but there is nothing to allow", name.value),
    )
    .label(label)
    .help(help)
    .about(&name.value)
    .about(&one.target_text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Date;
    use crate::source::Sources;

    static RULE: RuleInfo = RuleInfo::warning("a-rule", "", "");

    /// `a-rule` is raised at every `HERE`; `slow-rule` exists and did not run, `quiet-rule` did and found
    /// nothing. Expected: `rule at the bytes it points at`, a star behind those suppressed.
    fn check(text: &str, expected: &[&str]) {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let mut raised: Vec<Finding> = text
            .match_indices("HERE")
            .map(|(at, _)| Finding::new(&RULE, Span::new(id, at as u32, at as u32 + 4), "bad"))
            .collect();
        let mut all = Suppressions::collect(&sources);
        all.apply(&mut raised, &sources, Date::new(2026, 6, 1).unwrap());
        let mut known = vec!["a-rule", "slow-rule", "quiet-rule"];
        known.extend(RULES.iter().map(|rule| rule.id));
        let found = all.report(&known, &|rule| rule != "slow-rule");
        let said: Vec<String> = found
            .iter()
            .map(|f| {
                let star = if f.suppressed { "*" } else { "" };
                format!("{} at {}{star}", f.rule.id, sources.text(f.primary.span))
            })
            .collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn comments_are_judged_once_each() {
        for (text, expected) in [
            ("x: HERE # loadpath: allow[a-rule] why", &[][..]),
            (
                "x: HERE # loadpath: allow[a-rule]",
                &["suppression-without-reason at # loadpath: allow[a-rule]"],
            ),
            ("x: 1 # loadpath: allow[a-rule] why", &["unused-suppression at a-rule"]),
            ("x: 1 # loadpath: allow[a-rule]", &["unused-suppression at a-rule"]),
            ("x: 1\n# loadpath: allow[a-rule] why", &["unused-suppression at a-rule"]),
            ("x: HERE # loadpath: allow[a-rule, quiet-rule] why", &["unused-suppression at quiet-rule"]),
            ("x: 1 # loadpath: allow[slow-rule] why", &[]),
            (
                "x: 1 # loadpath: allow[slow-rule]",
                &["suppression-without-reason at # loadpath: allow[slow-rule]"],
            ),
            ("x: HERE # loadpath: allow[a-rule] until 2026-06-01 why", &[]),
            (
                "x: HERE # loadpath: allow[a-rule] until 2026-05-31 why",
                &["expired-suppression at 2026-05-31"],
            ),
            ("x: 1 # loadpath: allow[a-rule] until 2026-05-31", &["expired-suppression at 2026-05-31"]),
            ("x: HERE # loadpath: allow[a-rul] why", &["invalid-suppression at a-rul"]),
            ("x: HERE # loadpath: allow[a-rule, zebra] why", &["invalid-suppression at zebra"]),
            ("x: HERE # loadpath: alow[a-rule] why", &["invalid-suppression at alow"]),
            ("x: 1 # loadpath: allow[a-rule, unused-suppression] why", &["unused-suppression at a-rule*"]),
            (
                "x: HERE # loadpath: allow[a-rule, suppression-without-reason]",
                &["suppression-without-reason at # loadpath: allow[a-rule, suppression-without-reason]*"],
            ),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn misspelt_rules_get_a_suggestion() {
        let mut sources = Sources::default();
        sources.add("a.yaml", "x: 1 # loadpath: allow[quiet-rul, zebra] why");
        let all = Suppressions::collect(&sources);
        let found = all.report(&["a-rule", "quiet-rule"], &|_| false);
        assert_eq!(found[0].help, ["did you mean `quiet-rule`?"]);
        assert_eq!(
            found[1].help,
            ["a rule's id is what a finding shows in brackets: `warning[missing-timeout]`"]
        );
    }

    /// The findings of these rules about a document in which every call without a timeout is raised.
    fn judged(text: &str) -> Vec<&'static str> {
        static MISSING: RuleInfo = RuleInfo { id: "missing-timeout", ..RULE };
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let calls = text.match_indices("call: ").map(|(at, _)| at).filter(|_| !text.contains("timeout: "));
        let span = |at: usize| Span::new(id, at as u32, at as u32 + 4);
        let mut raised: Vec<Finding> = calls.map(|at| Finding::new(&MISSING, span(at), "bad")).collect();
        let mut all = Suppressions::collect(&sources);
        all.apply(&mut raised, &sources, Date::new(2026, 6, 1).unwrap());
        raised.extend(all.report(&["missing-timeout", "missing-fallback"], &|_| true));
        raised.retain(|finding| !finding.suppressed);
        raised.iter().map(|finding| finding.rule.id).collect()
    }

    #[test]
    fn examples_raise_their_rule_and_nothing_else() {
        for rule in RULES {
            let blocks: Vec<&str> = rule.page.split("```yaml\n").skip(1).collect();
            let blocks: Vec<&str> = blocks.iter().filter_map(|block| block.split("```").next()).collect();
            let [example, instead] = blocks[..] else { panic!("{} has {} blocks", rule.id, blocks.len()) };
            assert_eq!(judged(example), [rule.id], "{example}");
            assert!(judged(instead).is_empty(), "{instead}");
            let headings: Vec<&str> = rule.page.lines().filter(|line| line.starts_with('#')).collect();
            let title = format!("# {}", rule.id);
            let sections =
                ["What it does", "Why it matters", "Example", "Use instead", "Limits", "References"];
            let expected: Vec<String> =
                std::iter::once(title).chain(sections.map(|section| format!("## {section}"))).collect();
            assert_eq!(headings, expected);
        }
    }
}
