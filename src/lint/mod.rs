//! Judgement: rules, levels, thresholds.
//!
//! Owns the one list that joins the rules of every module, and what the user sets of them. A rule is a
//! descriptor and a function; adding one is: write its file and its page in the folder of its family, add its
//! `mod` line and its line in the family's slice. Must not read files or print.

mod amounts;
pub mod baseline;
mod context;
mod contracts;
mod durations;
mod inherited;
mod owners;
pub mod rules;
mod settings;

pub use baseline::Baseline;
pub use context::Context;
pub use settings::Settings;

use crate::finding::{self, Date, Finding, RuleInfo, Suppressions};
use crate::model::Architecture;
use crate::source::Sources;
use rayon::prelude::*;

/// A rule: what it says of itself, and how it judges.
pub struct Rule {
    /// Its descriptor.
    pub info: &'static RuleInfo,
    /// Its judgement: findings at the rule's own severity; levels are applied afterwards.
    pub check: fn(&Context<'_>, &mut Vec<Finding>),
}

/// Every rule there is, whoever judges it: reading, reference, architecture, suppression.
pub fn all_rules() -> impl Iterator<Item = &'static RuleInfo> {
    let own = rules::all().map(|r| r.info);
    let reading = crate::spec::rules::RULES.iter().copied();
    let reference = crate::model::rules::RULES.iter().copied();
    let suppression = finding::RULES.iter().copied();
    reading.chain(reference).chain(own).chain(suppression).chain([&baseline::STALE_BASELINE])
}

/// The rule of an id.
pub fn rule(id: &str) -> Option<&'static RuleInfo> {
    all_rules().find(|r| r.id == id)
}

/// What a run of the rules gives.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Findings in their order: levels applied, suppressed ones flagged.
    pub findings: Vec<Finding>,
    /// Ids of the rules that ran.
    pub ran: Vec<&'static str>,
}

/// What a run depends on beside the texts.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// The day on which it is judged: suppressions and interfaces have a last one.
    pub today: Date,
    /// Whether every file could be read. If not, only what was read is spoken of: what defines a name may
    /// stand in the file that is broken.
    pub complete: bool,
}

/// What each rule finds, in the order of the rules, whichever is done first.
fn side_by_side(rules: &[&Rule], context: &Context<'_>) -> Vec<Vec<Finding>> {
    let found = |rule: &&Rule| {
        let mut found = Vec::new();
        (rule.check)(context, &mut found);
        found
    };
    // One at a time: rules differ a thousandfold in what they cost.
    rules.par_iter().with_max_len(1).map(found).collect()
}

/// Judges an architecture. `said` are the findings of reading and building it, which are subject to the
/// same levels and comments.
pub fn judge(arch: &Architecture, sources: &Sources, said: Vec<Finding>, occasion: Occasion) -> Judgement {
    let mut findings = said;
    if !occasion.complete {
        let reference = |f: &Finding| crate::model::rules::RULES.contains(&f.rule);
        findings.retain(|f| !reference(f));
    }
    let settings = Settings::new(&arch.lint, &mut findings);
    let context = Context::new(arch, sources, &settings, &findings, occasion.today);
    let mut ran: Vec<&'static str> = Vec::new();
    let on: Vec<&Rule> = rules::all().filter(|rule| settings.is_on(rule.info) && occasion.complete).collect();
    ran.extend(on.iter().map(|rule| rule.info.id));
    findings.extend(side_by_side(&on, &context).into_iter().flatten());
    for rule in crate::spec::rules::RULES.iter().chain(crate::model::rules::RULES) {
        if settings.is_on(rule) {
            ran.push(rule.id);
        }
    }
    let mut suppressions = Suppressions::collect(sources);
    suppressions.apply(&mut findings, sources, occasion.today);
    let known: Vec<&str> = all_rules().map(|r| r.id).collect();
    findings.extend(suppressions.report(&known, &|id| ran.contains(&id)));
    settings.weigh(&mut findings);
    finding::sort(&mut findings);
    owners::assign(arch, &mut findings);
    Judgement { findings, ran }
}
