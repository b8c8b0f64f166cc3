//! calls-deprecated: a call of an endpoint that is going away.

use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::{Endpoint, EndpointRef};
use crate::source::Spanned;
use petgraph::graph::NodeIndex;

/// a call of an endpoint that is going away.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "calls-deprecated",
        "a call of an endpoint that is going away, or gone",
        include_str!("calls-deprecated.md"),
    )
    .reads(&["services.endpoints.deprecated", "services.endpoints.sunset", "services.owner"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, edge) in ctx.arch.edges() {
        let (from, to) = ctx.arch.ends(index);
        let Some(at) = edge.to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint }) else {
            continue;
        };
        let Some(endpoint) = ctx.arch.endpoint(at).filter(|e| is_leaving(e)) else { continue };
        if from == to || same_team(ctx, from, to) {
            continue;
        }
        let gone = endpoint.sunset.filter(|s| s.value <= ctx.today);
        // What is leaving itself need not move before it does.
        let caller_endpoint =
            edge.from_endpoint.and_then(|e| ctx.arch.endpoint(EndpointRef { service: from, endpoint: e }));
        if gone.is_none() && caller_endpoint.is_some_and(is_leaving) {
            continue;
        }
        let (caller, target) = (ctx.id(from), ctx.arch.endpoint_id(at));
        let finding = if let Some(day) = gone {
            let message = format!("`{caller}` calls `{target}`, which is gone since {}", day.value);
            Finding::new(RULE.info, edge.span, message)
                .also(day.span, "its last day was the one before")
                .severity(Severity::Error)
                .help(format!("call what replaces it{}", ask(ctx, to)))
        } else {
            let until = endpoint.sunset.map(|day| format!(" until {}", day.value)).unwrap_or_default();
            let message = format!("`{caller}` calls `{target}`, which is deprecated");
            let finding = Finding::new(RULE.info, edge.span, message)
                .help(format!("call what replaces it{until}{}", ask(ctx, to)));
            match endpoint.deprecated.map(|d| d.span).or(endpoint.sunset.map(|s| s.span)) {
                Some(said) => finding.also(said, "said here"),
                None => finding,
            }
        };
        let finding = finding.label("called here");
        out.push(finding.about(ctx.arch.edge_id(index)));
    }
}

/// Whether it says so, or has a last day and does not deny it.
fn is_leaving(endpoint: &Endpoint) -> bool {
    endpoint.deprecated.map_or(endpoint.sunset.is_some(), |d| d.value)
}

/// Who has both sides knows.
fn same_team(ctx: &Context<'_>, from: NodeIndex, to: NodeIndex) -> bool {
    let owner = |node: NodeIndex| ctx.arch.graph[node].owner.as_ref().map(|o| &o.value);
    owner(from).is_some() && owner(from) == owner(to)
}

fn ask(ctx: &Context<'_>, service: NodeIndex) -> String {
    let owner: Option<&Spanned<String>> = ctx.arch.graph[service].owner.as_ref();
    owner.map_or_else(String::new, |owner| format!("; `{}` knows what does", owner.value))
}
