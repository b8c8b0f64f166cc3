//! unused-endpoint: an endpoint that nobody calls.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use crate::model::{Endpoint, EndpointRef, Service, Traffic};
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// an endpoint that nobody calls.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "unused-endpoint",
        "an endpoint that nobody calls",
        include_str!("unused-endpoint.md"),
    )
    .pedantic()
    .together("endpoints have no caller")
    .reads(&[
        "communications.to",
        "scenarios.traffic.to",
        "scenarios.traffic.classes.to",
        "services.endpoints.calls.call",
        "services.endpoints.exposure",
        "services.exposure",
        "services.external",
        "services.health_check.path",
        "services.kind",
        "traffic.to",
        "traffic.classes.to",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let arch = ctx.arch;
    let entered: Vec<&Traffic> = arch
        .traffic
        .iter()
        .chain(arch.scenarios.iter().filter_map(|s| s.traffic.as_ref()).flatten())
        .collect();
    // Where nothing says what comes from outside, it may come to any of them.
    if entered.is_empty() && !arch.endpoints().any(|at| arch.is_public(at)) {
        return;
    }
    let calls = arch.edges().map(|(index, edge)| (arch.ends(index).1, edge.to_endpoint));
    let outside = entered.iter().map(|t| (t.to.node, t.to.endpoint_ref().map(|at| at.endpoint)));
    let used: BTreeSet<(NodeIndex, Option<usize>)> = calls.chain(outside).collect();
    for (index, node, service) in arch.services() {
        // What is called as a whole may be asked for anything; what is alone is orphan-service's.
        let whole = used.contains(&(index, None));
        let alone = arch.graph.neighbors_undirected(index).next().is_none();
        if unsaid(service) || whole || alone || ctx.is_broken(node.whole) {
            continue;
        }
        for (at, endpoint) in service.endpoints.iter().enumerate() {
            let known = EndpointRef { service: index, endpoint: at };
            let called = used.contains(&(index, Some(at))) || endpoint.consumes.is_some();
            if called || arch.is_public(known) || is_asked_for_health(service, endpoint) {
                continue;
            }
            let name = arch.endpoint_id(known);
            let finding = Finding::new(RULE.info, endpoint.name.span, format!("nobody calls `{name}`"));
            out.push(
                finding
                    .label("no caller, no traffic, not public")
                    .help("remove it, add who calls it, or say `exposure: public`")
                    .about(name),
            );
        }
    }
}

/// Gateways and back ends for front ends are there for those outside; an import shows only some calls.
const fn unsaid(service: &Service) -> bool {
    service.external || service.imported || matches!(service.kind, ServiceKind::Gateway | ServiceKind::Bff)
}

fn is_asked_for_health(service: &Service, endpoint: &Endpoint) -> bool {
    let check = service.health_check.as_ref().and_then(|h| h.value.on());
    let path = check.and_then(|c| c.path.as_ref());
    path.is_some_and(|path| endpoint.name.split_whitespace().last() == Some(path.as_str()))
}
