//! hub-service: a service that many call and that calls many.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;

/// a service that many call and that calls many.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "hub-service",
        "a service that many call and that calls many",
        include_str!("hub-service.md"),
    )
    .pedantic()
    .settings(&[
        Setting::new("callers", 5.0, "services that depend on it, at the least"),
        Setting::new("called", 5.0, "services it depends on, at the least"),
    ])
    .reads(&["services.external", "services.kind", "services.tags"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let (callers, called) = (ctx.number(RULE.info, "callers"), ctx.number(RULE.info, "called"));
    for (index, node, service) in ctx.arch.services() {
        // To stand between many is what gateways, back ends for front ends and platforms are for.
        let middle = matches!(service.kind, ServiceKind::Gateway | ServiceKind::Bff);
        if middle || service.external || node.tags.iter().any(|t| t == "platform") {
            continue;
        }
        let coupling = ctx.coupling(index);
        let (before, after) = (coupling.afferent, coupling.efferent);
        if (before as f64) < callers || (after as f64) < called {
            continue;
        }
        let id = &node.id.value;
        let message = format!("{before} services depend on `{id}`, and it depends on {after}");
        out.push(
            Finding::new(RULE.info, node.id.span, message)
                .label("everything passes here")
                .help("split it by what its callers need, let them call the others directly, or tag it `platform`")
                .number("fan_in", before as f64)
                .number("fan_out", after as f64)
                .about(id),
        );
    }
}
