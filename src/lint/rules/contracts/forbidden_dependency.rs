//! forbidden-dependency: a dependency that a contract of yours forbids.

use crate::analysis::Dependency;
use crate::finding::{Finding, RuleInfo};
use crate::lint::contracts::{Group, Kept, Says};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// a dependency that a contract of yours forbids.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "forbidden-dependency",
        "a dependency that a contract of yours forbids",
        include_str!("forbidden-dependency.md"),
    )
    .reads(&[
        "lint.contracts.name",
        "lint.contracts.reason",
        "lint.contracts.level",
        "lint.contracts.forbid.from",
        "lint.contracts.forbid.to",
        "lint.contracts.forbid.transitive",
        "lint.contracts.allow_only.from",
        "lint.contracts.allow_only.to",
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
        match &contract.says {
            Says::Forbid { from, to, transitive } => forbid(ctx, contract, (from, to), *transitive, out),
            Says::AllowOnly { from, to } => allow_only(ctx, contract, from, to, out),
            Says::Protect { .. } | Says::Independent { .. } => {}
        }
    }
}

fn forbid(
    ctx: &Context<'_>,
    contract: &Kept<'_>,
    (from, to): (&Group<'_>, &Group<'_>),
    transitive: bool,
    out: &mut Vec<Finding>,
) {
    let all = ctx.dependencies();
    let mut told: BTreeSet<NodeIndex> = BTreeSet::new();
    for dependency in all.all.iter().filter(|d| from.has(d.from) && to.has(d.to) && !d.own) {
        told.insert(dependency.from);
        let (caller, used) = (ctx.id(dependency.from), ctx.id(dependency.to));
        let message = format!("`{caller}` must not depend on `{used}`");
        let finding = contract.broken(ctx, RULE.info, &[dependency], &message);
        out.extend(finding.map(|f| f.help(HELP)));
    }
    if !transitive {
        return;
    }
    for way in all.ways(&from.apart(), &to.apart()) {
        // What is forbidden already needs no longer way.
        if let Some((message, _)) = by_way_of(ctx, &way).filter(|(_, caller)| !told.contains(caller)) {
            let finding = contract.broken(ctx, RULE.info, &way, &message);
            out.extend(finding.map(|f| f.help("cut the path at one of its steps, or change the contract")));
        }
    }
}

const HELP: &str = "go through a service that may, or change the contract";

fn by_way_of(ctx: &Context<'_>, way: &[&Dependency]) -> Option<(String, NodeIndex)> {
    let (first, last) = (way.first()?, way.last()?);
    let (caller, used) = (ctx.id(first.from), ctx.id(last.to));
    let more = match way.len().saturating_sub(2) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let message =
        format!("`{caller}` must not depend on `{used}`, not even by way of `{}`{more}", ctx.id(first.to));
    Some((message, first.from))
}

fn allow_only(
    ctx: &Context<'_>,
    contract: &Kept<'_>,
    from: &Group<'_>,
    to: &Group<'_>,
    out: &mut Vec<Finding>,
) {
    for dependency in ctx.dependencies().all.iter().filter(|d| from.has(d.from) && !d.own) {
        if from.has(dependency.to) || to.has(dependency.to) {
            continue;
        }
        let (caller, used) = (ctx.id(dependency.from), ctx.id(dependency.to));
        let message = format!("`{caller}` depends on `{used}`, and may depend on {} only", to.words());
        let finding = contract.broken(ctx, RULE.info, &[dependency], &message);
        out.extend(finding.map(|f| f.help(format!("{HELP}: `allow_only` names all it may use"))));
    }
}
