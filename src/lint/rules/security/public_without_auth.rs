//! public-without-auth: open to anyone, and nobody is asked who they are.

use crate::finding::{Finding, RuleInfo};
use crate::lint::rules::route::{is_health, is_sign_in, is_well_known};
use crate::lint::{Context, Rule};
use crate::model::words::Exposure;
use crate::model::{EndpointRef, Service};
use crate::source::Spanned;
use petgraph::graph::NodeIndex;

/// open to anyone, and nobody is asked who they are.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "public-without-auth",
        "open to anyone, and nobody is asked who they are",
        include_str!("public-without-auth.md"),
    )
    .reads(&[
        "services.auth",
        "services.exposure",
        "services.endpoints.auth",
        "services.endpoints.exposure",
        "services.health_check.path",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, node, service) in ctx.arch.services() {
        let id = &node.id.value;
        let mut inherit: Vec<EndpointRef> = Vec::new();
        for at in open(ctx, index, service) {
            let Some(endpoint) = ctx.arch.endpoint(at) else { continue };
            match &endpoint.auth {
                Some(auth) if is_none(auth) => {
                    let name = ctx.arch.endpoint_id(at);
                    let message = format!("`{name}` is public and asks nobody who they are");
                    let finding = Finding::new(RULE.info, auth.span, message).label("switched off here");
                    let exposure = endpoint.exposure.or(service.exposure);
                    let finding = where_public(finding, exposure);
                    out.push(finding.help(HELP).about(name));
                }
                Some(_) => {}
                None => inherit.push(at),
            }
        }
        let Some(auth) = service.auth.as_ref().filter(|auth| is_none(auth)) else { continue };
        let whole = service.endpoints.is_empty() && is_public(service);
        if inherit.is_empty() && !whole {
            continue;
        }
        // One word switches it off for all of them.
        let message = match inherit.as_slice() {
            [] => format!("`{id}` is public and asks nobody who they are"),
            [at] => format!("`{}` is public and asks nobody who they are", ctx.arch.endpoint_id(*at)),
            more => format!("{} public endpoints of `{id}` ask nobody who they are", more.len()),
        };
        let finding = Finding::new(RULE.info, auth.span, message).label("switched off here");
        let exposure = inherit.first().and_then(|at| ctx.arch.endpoint(*at)?.exposure).or(service.exposure);
        let finding = where_public(finding, exposure);
        out.push(finding.help(HELP).about(id));
    }
}

fn where_public(finding: Finding, exposure: Option<Spanned<Exposure>>) -> Finding {
    match exposure {
        Some(exposure) => finding.also(exposure.span, "public here"),
        None => finding,
    }
}

const HELP: &str = "say how callers prove who they are (`auth: oidc`), or make it `exposure: internal`";

/// The endpoints of a service that are open to anyone and would have to ask: not those that tell if it lives,
/// where people sign in, or that every site has.
pub(super) fn open(ctx: &Context<'_>, index: NodeIndex, service: &Service) -> Vec<EndpointRef> {
    let all = (0..service.endpoints.len()).map(|endpoint| EndpointRef { service: index, endpoint });
    let asks = |at: &EndpointRef| {
        ctx.arch.endpoint(*at).is_some_and(|e| {
            let name = e.name.value.as_str();
            !is_health(name, service.health_path()) && !is_sign_in(name) && !is_well_known(name)
        })
    };
    all.filter(|at| ctx.arch.is_public(*at)).filter(asks).collect()
}

/// Whether a whole service is open to anyone.
pub(super) fn is_public(service: &Service) -> bool {
    service.exposure.is_some_and(|e| e.value == Exposure::Public)
}

fn is_none(auth: &Spanned<String>) -> bool {
    auth.value == "none"
}
