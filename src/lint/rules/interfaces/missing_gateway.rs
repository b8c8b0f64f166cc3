//! missing-gateway: many services that anyone may call, and no single way in.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use crate::model::{EndpointRef, Service};
use crate::source::Span;
use petgraph::graph::NodeIndex;

/// many services that anyone may call, and no single way in.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "missing-gateway",
        "many services that anyone may call, and no single way in",
        include_str!("missing-gateway.md"),
    )
    .settings(&[Setting::new("max", 2.0, "public services that are still fine without a gateway")])
    .reads(&["services.exposure", "services.endpoints.exposure", "services.kind", "services.external"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    let lets_in = |s: &Service| matches!(s.kind, ServiceKind::Gateway | ServiceKind::Bff);
    if ctx.arch.services().any(|(_, _, s)| lets_in(s)) {
        return;
    }
    let own = ctx.arch.services().filter(|(_, _, s)| !s.external);
    let public: Vec<(NodeIndex, Span)> =
        own.filter_map(|(index, _, s)| Some((index, public(ctx, index, s)?))).collect();
    let Some(((_, first), rest)) = public.split_first().filter(|_| public.len() as f64 > max) else { return };
    let message = format!("{} services are public, and none is a gateway", public.len());
    let mut finding = Finding::new(RULE.info, *first, message).label("open to anyone");
    for (_, span) in rest.iter().take(3) {
        finding = finding.also(*span, "and here");
    }
    let names: Vec<_> = public.iter().map(|(node, _)| format!("`{}`", ctx.id(*node))).collect();
    out.push(
        finding
            .note(format!("open to anyone: {}", names.join(", ")))
            .help("let requests in through one service with `kind: gateway`, or mark the one that does so")
            .number("public", public.len() as f64)
            .number("max", max)
            .about("public services"),
    );
}

/// Where a service says that anyone may call it or one of its endpoints.
fn public(ctx: &Context<'_>, index: NodeIndex, service: &Service) -> Option<Span> {
    let mut endpoints = (0..service.endpoints.len()).map(|endpoint| EndpointRef { service: index, endpoint });
    let at = endpoints.find(|at| ctx.arch.is_public(*at));
    let own = at.and_then(|at| ctx.arch.endpoint(at)?.exposure).or(service.exposure);
    let open = at.is_some() || service.endpoints.is_empty();
    own.filter(|e| open && e.value == crate::model::words::Exposure::Public).map(|e| e.span)
}
