//! missing-owner: a service nobody answers for, where others have a team.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a service nobody answers for, where others have a team.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "missing-owner",
        "a service nobody answers for, where others have a team",
        include_str!("missing-owner.md"),
    )
    .together("services have no owner")
    .reads(&["services.owner", "defaults.service.owner", "services.external"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // A document that names no team does not speak of teams.
    if !ctx.arch.services().any(|(_, node, _)| node.owner.is_some()) {
        return;
    }
    for (_, node, service) in ctx.arch.services() {
        // What is read from another format shows only some of what there is.
        if node.owner.is_some() || service.external || service.imported || ctx.is_broken(node.whole) {
            continue;
        }
        let id = &node.id.value;
        let finding = Finding::new(RULE.info, node.id.span, format!("`{id}` has no owner"));
        let finding = finding.label("whom to ask about it is not said");
        out.push(finding.help("add `owner: …`, the team that is called when it fails").about(id));
    }
}
