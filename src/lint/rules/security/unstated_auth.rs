//! unstated-auth: open to anyone, and who is let in is not said.

use super::public_without_auth::{is_public, open};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// open to anyone, and who is let in is not said.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "unstated-auth",
        "open to anyone, and who is let in is not said",
        include_str!("unstated-auth.md"),
    )
    .pedantic()
    .together("public services do not say whom they let in")
    .reads(&[
        "services.auth",
        "services.exposure",
        "services.endpoints.auth",
        "services.endpoints.exposure",
        "services.external",
        "services.health_check.path",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, node, service) in ctx.arch.services() {
        if service.auth.is_some() || service.external || service.imported {
            continue;
        }
        let silent: Vec<_> = open(ctx, index, service)
            .into_iter()
            .filter_map(|at| ctx.arch.endpoint(at).filter(|e| e.auth.is_none()))
            .collect();
        let whole = service.endpoints.is_empty() && is_public(service);
        if silent.is_empty() && !whole {
            continue;
        }
        let id = &node.id.value;
        let exposure = silent.iter().find_map(|e| e.exposure).or(service.exposure);
        let span = exposure.map_or(node.id.span, |e| e.span);
        let finding =
            Finding::new(RULE.info, span, format!("`{id}` is public and does not say whom it lets in"));
        let finding = finding.label("public here").help("add `auth: …`; `none` where anyone is meant");
        out.push(finding.about(id));
    }
}
