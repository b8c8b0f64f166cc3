//! nano-service: a service that is less work than calling it.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use crate::model::{EndpointRef, Node, Service};
use petgraph::graph::NodeIndex;

/// a service that is less work than calling it.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "nano-service",
        "a service that is less work than calling it",
        include_str!("nano-service.md"),
    )
    .pedantic()
    .settings(&[Setting::new("max", 1.0, "endpoints that are still too few")])
    .reads(&[
        "datastores.service",
        "services.consumes",
        "services.endpoints",
        "services.exposure",
        "services.external",
        "services.kind",
        "services.owner",
        "services.technology",
        "traffic.to",
        "traffic.classes.to",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    for (index, node, service) in ctx.arch.services() {
        let few = !service.endpoints.is_empty() && service.endpoints.len() as f64 <= max;
        if !few || stands_for_itself(ctx, index, service) || ctx.is_broken(node.whole) {
            continue;
        }
        let mut callers = ctx.dependencies().incoming(index);
        let (Some(only), None) = (callers.next(), callers.next()) else { continue };
        let caller = &ctx.arch.graph[only.from];
        if !could_be_one(node, service, caller) {
            continue;
        }
        let (id, caller) = (&node.id.value, &caller.id.value);
        let count = match service.endpoints.len() {
            1 => "one endpoint".to_owned(),
            n => format!("{n} endpoints"),
        };
        let message = format!("`{id}` has {count}, no data, and no caller but `{caller}`");
        let mut finding = Finding::new(RULE.info, node.id.span, message);
        if let Some(edge) = only.edges.first() {
            finding = finding.also(ctx.arch.graph[*edge].span, "its only caller");
        }
        out.push(
            finding
                .help(format!(
                    "make it a part of `{caller}`: it costs a deployment and a call, and saves neither"
                ))
                .number("endpoints", service.endpoints.len() as f64)
                .about(id),
        );
    }
}

/// Whether it has a reason to be: it is reached from outside, runs by itself, or has to do with data, messages
/// or third parties.
fn stands_for_itself(ctx: &Context<'_>, index: NodeIndex, service: &Service) -> bool {
    let plain = service.kind == ServiceKind::Service && !service.external && !service.imported;
    let endpoints = || (0..service.endpoints.len()).map(|endpoint| EndpointRef { service: index, endpoint });
    let public = endpoints().any(|at| ctx.arch.is_public(at));
    let handles = service.endpoints.iter().any(|e| e.consumes.is_some());
    let entered = ctx.arch.traffic.iter().any(|t| t.to.node == index);
    let works = ctx.dependencies().outgoing(index).any(|d| {
        let to = &ctx.arch.graph[d.to];
        to.service().is_none_or(|s| s.external)
    });
    !plain || public || handles || entered || works
}

/// Whether nothing that is said keeps it apart from its caller: not the team, nor what it is made with.
fn could_be_one(node: &Node, service: &Service, caller: &Node) -> bool {
    let Some(other) = caller.service().filter(|s| !s.external && s.kind != ServiceKind::Gateway) else {
        return false;
    };
    let teams = node.owner.as_ref().zip(caller.owner.as_ref());
    let same_team = teams.is_none_or(|(a, b)| a.value == b.value);
    let said = !service.technology.is_empty() && !other.technology.is_empty();
    same_team && (!said || service.technology.iter().any(|t| other.technology.contains(t)))
}
