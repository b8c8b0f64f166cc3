//! independence-violation: parts that a contract of yours keeps apart, and one depends on another.

use crate::analysis::Dependency;
use crate::finding::{Finding, RuleInfo};
use crate::lint::contracts::Says;
use crate::lint::{Context, Rule};

/// parts that a contract of yours keeps apart, and one depends on another.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "independence-violation",
        "parts that a contract of yours keeps apart, and one depends on another",
        include_str!("independence-violation.md"),
    )
    .reads(&[
        "lint.contracts.name",
        "lint.contracts.reason",
        "lint.contracts.level",
        "lint.contracts.independent.services",
        "lint.contracts.independent.transitive",
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
        let Says::Independent { parts, transitive } = &contract.says else { continue };
        let part = |node: petgraph::graph::NodeIndex| parts.parts.get(node.index()).copied().flatten();
        let apart = |d: &&Dependency| {
            let ends = part(d.from).zip(part(d.to));
            !d.own && ends.is_some_and(|(from, to)| from != to)
        };
        let mut ways: Vec<Vec<&Dependency>> =
            ctx.dependencies().all.iter().filter(apart).map(|d| vec![d]).collect();
        if *transitive {
            let longer = ctx.dependencies().ways(&parts.parts, &parts.parts);
            let told: std::collections::BTreeSet<_> = ways.iter().flatten().map(|d| d.from).collect();
            ways.extend(longer.into_iter().filter(|w| w.first().is_some_and(|d| !told.contains(&d.from))));
        }
        for way in ways {
            let (Some(first), Some(last)) = (way.first(), way.last()) else { continue };
            let (caller, used) = (ctx.id(first.from), ctx.id(last.to));
            let by = match way.len().saturating_sub(2) {
                _ if way.len() == 1 => String::new(),
                0 => format!(" by way of `{}`", ctx.id(first.to)),
                n => format!(" by way of `{}` and {n} more", ctx.id(first.to)),
            };
            let message = format!("`{caller}` is to be independent of `{used}` and depends on it{by}");
            let finding = contract.broken(ctx, RULE.info, &way, &message);
            out.extend(finding.map(|f| {
                f.help("pass a message through a topic, move what both need into a service of its own, or change the contract")
            }));
        }
    }
}
