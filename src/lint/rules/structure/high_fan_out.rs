//! high-fan-out: a service that calls many others.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// a service that calls many others.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "high-fan-out",
        "a service that calls many others",
        include_str!("high-fan-out.md"),
    )
    .settings(&[Setting::new("max", 8.0, "called services that are still fine")])
    .reads(&["services.kind", "services.dependencies", "services.endpoints.calls.call"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    for (index, node, service) in ctx.arch.services() {
        // To call many is what gateways and back ends for front ends are for.
        if matches!(service.kind, ServiceKind::Gateway | ServiceKind::Bff) {
            continue;
        }
        let called: BTreeSet<NodeIndex> = ctx
            .arch
            .outgoing(index)
            .into_iter()
            .filter(|e| !ctx.arch.graph[*e].is_telemetry())
            .map(|e| ctx.arch.ends(e).1)
            .filter(|to| *to != index && ctx.arch.graph[*to].service().is_some())
            .collect();
        if called.len() as f64 <= max {
            continue;
        }
        let id = &node.id.value;
        let names: Vec<_> = called.iter().map(|n| ctx.id(*n)).collect();
        let message = format!("`{id}` calls {} services, more than {max}", called.len());
        let finding =
            Finding::new(RULE.info, node.id.span, message).label(format!("calls {}", names.join(", ")));
        out.push(
            finding
                .help("split it, call fewer through one of them, or mark it `kind: gateway` or `kind: bff`")
                .number("fan_out", called.len() as f64)
                .number("max", max)
                .about(id),
        );
    }
}
