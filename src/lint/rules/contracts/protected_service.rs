//! protected-service: something protected that others depend on than those who may.

use crate::finding::{Finding, RuleInfo};
use crate::lint::contracts::Says;
use crate::lint::{Context, Rule};

/// something protected that others depend on than those who may.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "protected-service",
        "something protected that others depend on than those who may",
        include_str!("protected-service.md"),
    )
    .reads(&[
        "lint.contracts.name",
        "lint.contracts.reason",
        "lint.contracts.level",
        "lint.contracts.protect.from",
        "lint.contracts.protect.to",
        "services.owner",
        "services.layer",
        "services.tags",
        "datastores.owner",
        "datastores.service",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for contract in &ctx.contracts().kept {
        let Says::Protect { from, to } = &contract.says else { continue };
        for dependency in ctx.dependencies().all.iter().filter(|d| to.has(d.to) && !d.own) {
            // Among themselves the protected are at home.
            if from.has(dependency.from) || to.has(dependency.from) {
                continue;
            }
            let (caller, used) = (ctx.id(dependency.from), ctx.id(dependency.to));
            let message =
                format!("`{caller}` depends on `{used}`, which is protected: only {} may", from.words());
            let finding = contract.broken(ctx, RULE.info, &[dependency], &message);
            out.extend(
                finding.map(|f| {
                    f.help("go through one of those who may, or let the contract name this one too")
                }),
            );
        }
    }
}
