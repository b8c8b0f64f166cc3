//! orphan-service: a service with no edge in or out.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// a service with no edge in or out.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "orphan-service",
        "a service with no edge in or out",
        include_str!("orphan-service.md"),
    )
    .reads(&[
        "services.kind",
        "services.dependencies",
        "services.consumes",
        "services.endpoints.calls.call",
        "traffic.to",
        "traffic.classes.to",
        "scenarios.traffic.to",
        "scenarios.traffic.classes.to",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let arch = ctx.arch;
    if arch.services().count() < 2 {
        return;
    }
    let of_scenarios = arch.scenarios.iter().filter_map(|s| s.traffic.as_ref()).flatten();
    let traffic: BTreeSet<NodeIndex> = arch.traffic.iter().chain(of_scenarios).map(|t| t.to.node).collect();
    for (index, node, service) in arch.services() {
        // Jobs and crons run alone; what traffic enters is not alone; an import shows only some edges.
        let alone = matches!(service.kind, ServiceKind::Job | ServiceKind::Cron);
        let entered = traffic.contains(&index);
        let unsaid = service.imported || ctx.is_broken(node.whole);
        if alone || entered || unsaid || arch.graph.neighbors_undirected(index).next().is_some() {
            continue;
        }
        let id = &node.id.value;
        let finding =
            Finding::new(RULE.info, node.id.span, format!("nothing calls `{id}`, and it calls nothing"));
        out.push(
            finding
                .label("no edge in or out")
                .help("add its calls, mark it `kind: job` or `kind: cron`, or remove it")
                .about(id),
        );
    }
}
