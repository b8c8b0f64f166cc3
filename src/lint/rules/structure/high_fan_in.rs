//! high-fan-in: a service that many others call.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// a service that many others call.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info("high-fan-in", "a service that many others call", include_str!("high-fan-in.md"))
        .pedantic()
        .settings(&[Setting::new("max", 8.0, "calling services that are still fine")])
        .reads(&[
            "services.dependencies",
            "services.endpoints.calls.call",
            "services.tags",
            "services.external",
        ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    for (index, node, service) in ctx.arch.services() {
        // To be called by many is what a shared platform is for.
        if service.external || node.tags.iter().any(|t| t == "platform") {
            continue;
        }
        let callers: BTreeSet<NodeIndex> = ctx
            .arch
            .incoming(index)
            .into_iter()
            .filter(|e| !ctx.arch.graph[*e].is_telemetry())
            .map(|e| ctx.arch.ends(e).0)
            .filter(|from| *from != index && ctx.arch.graph[*from].service().is_some())
            .collect();
        if callers.len() as f64 <= max {
            continue;
        }
        let id = &node.id.value;
        let names: Vec<_> = callers.iter().map(|n| ctx.id(*n)).collect();
        let message = format!("{} services call `{id}`, more than {max}", callers.len());
        let finding =
            Finding::new(RULE.info, node.id.span, message).label(format!("called by {}", names.join(", ")));
        out.push(
            finding
                .help(
                    "a failure here is felt by all of them: split it, or tag it `platform` and run it as one",
                )
                .number("fan_in", callers.len() as f64)
                .number("max", max)
                .about(id),
        );
    }
}
