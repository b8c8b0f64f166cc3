//! unmatched-pattern: a pattern of a contract that matches nothing.

use crate::finding::{Finding, RuleInfo, nearest};
use crate::lint::{Context, Rule};
use std::collections::BTreeSet;

/// a pattern of a contract that matches nothing.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "unmatched-pattern",
        "a pattern of a contract that matches nothing",
        include_str!("unmatched-pattern.md"),
    )
    .reads(&["lint.contracts.name", "lint.layers", "services.owner", "services.layer", "services.tags"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for miss in &ctx.contracts().unmatched {
        let pattern = &miss.pattern.value;
        let message = match pattern.as_str() {
            "" => "a contract about nothing".to_owned(),
            _ => format!("`{pattern}` matches nothing"),
        };
        let finding = Finding::new(RULE.info, miss.pattern.span, message).help(&miss.help);
        let finding = match &miss.contract.name {
            Some(name) => finding.label(format!("in the contract `{}`", name.value)).about(&name.value),
            None => finding.label("names no service, datastore, queue or topic"),
        };
        out.push(finding.about(format!("lint.contracts {pattern}")));
    }
    layers(ctx, out);
}

/// A service whose layer is nearly one of the order: misspelt, it would stand outside of it unseen.
fn layers(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(layers) = &ctx.arch.lint.layers else { return };
    let known: BTreeSet<&str> = layers.iter().map(|l| l.value.as_str()).collect();
    for (index, _, service) in ctx.arch.services() {
        let Some(layer) = service.layer.as_ref().filter(|l| !known.contains(l.value.as_str())) else {
            continue;
        };
        let Some(near) = nearest(&layer.value, layers.iter().map(|l| l.value.as_str())) else { continue };
        let message = format!("`{}` is no layer of `lint.layers`", layer.value);
        let finding = Finding::new(RULE.info, layer.span, message).label("so no order holds for it");
        let finding = finding.help(format!("did you mean `{near}`?"));
        out.push(finding.about(format!("lint.layers {}", layer.value)).about(ctx.id(index)));
    }
}
