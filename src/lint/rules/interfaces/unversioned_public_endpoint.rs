//! unversioned-public-endpoint: an interface for others that cannot change.

use crate::finding::{Finding, RuleInfo};
use crate::lint::rules::route::{has_version, is_health, is_well_known, path};
use crate::lint::{Context, Rule};
use crate::model::EndpointRef;

/// an interface for others that cannot change.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "unversioned-public-endpoint",
        "a public endpoint without a version, where others have one",
        include_str!("unversioned-public-endpoint.md"),
    )
    .together("public endpoints have no version")
    .reads(&[
        "services.endpoints.version",
        "services.endpoints.exposure",
        "services.exposure",
        "services.external",
        "services.health_check.path",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let public: Vec<EndpointRef> = ctx.arch.endpoints().filter(|at| ctx.arch.is_public(*at)).collect();
    // Where none has a version they may all be pages for people.
    let endpoint = |at: &EndpointRef| ctx.arch.endpoint(*at);
    if !public.iter().filter_map(endpoint).any(|e| e.version.is_some() || has_version(&e.name)) {
        return;
    }
    for at in public {
        let (Some(endpoint), Some(service)) = (ctx.arch.endpoint(at), ctx.arch.graph[at.service].service())
        else {
            continue;
        };
        let name = endpoint.name.value.as_str();
        let checked = service.health_path();
        // Pages for people and questions that evolve by themselves have no version.
        let unversioned = matches!(path(name), Some("/" | "/graphql"));
        if endpoint.version.is_some()
            || service.external
            || has_version(name)
            || is_health(name, checked)
            || is_well_known(name)
            || unversioned
        {
            continue;
        }
        let id = ctx.arch.endpoint_id(at);
        let finding =
            Finding::new(RULE.info, endpoint.name.span, format!("`{id}` is public and has no version"));
        let finding = finding.label("who calls it from outside cannot be moved all at once");
        out.push(finding.help("add `version: v1` to it, or put a version into its path (`/v1/…`)").about(id));
    }
}
