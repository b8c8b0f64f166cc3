//! What is promised against what it stands on.

mod single_point_of_failure;
mod slo_extra_nine;
mod slo_unachievable;
mod stopped_dependency;
mod tier_inversion;
mod unhealthy_dependency;

use crate::analysis::{Element, Factor, Promise, Said, percent};
use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;
use crate::model::words::Status;
use crate::source::Span;
use petgraph::graph::NodeIndex;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &slo_unachievable::RULE,
    &slo_extra_nine::RULE,
    &single_point_of_failure::RULE,
    &tier_inversion::RULE,
    &stopped_dependency::RULE,
    &unhealthy_dependency::RULE,
];

/// Where a number of availability is written.
fn written(ctx: &Context<'_>, node: NodeIndex, said: Said) -> Span {
    let data = &ctx.arch.graph[node];
    let span = match (&data.kind, said) {
        (NodeKind::Service(s), Said::Slo) => {
            s.slo.as_ref().map(|slo| slo.value.availability.map_or(slo.span, |a| a.span))
        }
        (NodeKind::Service(s), Said::EndpointSlo(endpoint)) => {
            let slo = s.endpoints.get(endpoint).and_then(|e| e.slo.as_ref());
            slo.map(|slo| slo.value.availability.map_or(slo.span, |a| a.span))
        }
        (NodeKind::Service(s), Said::Own) => s.availability.map(|a| a.span),
        (NodeKind::Datastore(d), _) => d.availability.map(|a| a.span),
        _ => None,
    };
    span.unwrap_or(data.id.span)
}

/// Where a promise is written.
fn promised(ctx: &Context<'_>, promise: &Promise) -> Span {
    let said = match promise.of {
        Element::Endpoint(at) => Said::EndpointSlo(at.endpoint),
        _ => Said::Slo,
    };
    written(ctx, promise.of.node(), said)
}

/// `` `cart` promises 99.9% ``, or what else its number says.
fn says(ctx: &Context<'_>, factor: &Factor) -> String {
    let id = ctx.id(factor.node);
    match factor.said {
        Said::Own => format!("`{id}` by itself is available {}", factor.number),
        Said::Slo | Said::EndpointSlo(_) => format!("`{id}` promises {}", factor.number),
    }
}

/// `, needed in 30% of the requests`, where it is not all of them.
fn needed_in(share: f64) -> String {
    if share < 1.0 { format!(", needed in {} of the requests", percent(share)) } else { String::new() }
}

/// One finding for each service that is declared to be so and is called: at `hard` where a request fails with
/// one of the calls, at `soft` where all of them only degrade.
fn calls_of(
    ctx: &Context<'_>,
    rule: &'static RuleInfo,
    state: Status,
    [hard, soft]: [Severity; 2],
    out: &mut Vec<Finding>,
) {
    for (index, node, service) in ctx.arch.services() {
        let Some(status) = service.status.filter(|s| s.value == state) else { continue };
        let calls: Vec<_> =
            ctx.arch.incoming(index).into_iter().filter(|e| ctx.arch.graph[*e].is_sync_call()).collect();
        let Some((first, rest)) = calls.split_first() else { continue };
        // What survives the failure only degrades.
        let fails = calls.iter().any(|e| ctx.arch.graph[*e].is_hard());
        let (id, word) = (&node.id.value, state.word());
        let caller = |edge| ctx.id(ctx.arch.ends(edge).0);
        let message = match rest.len() {
            0 => format!("`{}` calls `{id}`, which is {word}", caller(*first)),
            n => format!("{} calls go to `{id}`, which is {word}", n + 1),
        };
        let mut finding = Finding::new(rule, status.span, message)
            .label(format!("declared {word} here"))
            .severity(if fails { hard } else { soft });
        for edge in calls.iter().take(4) {
            finding = finding.also(ctx.arch.graph[*edge].span, format!("`{}` calls it", caller(*edge)));
        }
        if calls.len() > 4 {
            finding = finding.note(format!("and {} more", calls.len() - 4));
        }
        let verb = if state == Status::Stopped { "start" } else { "mend" };
        out.push(finding.help(format!("{verb} it, remove the calls, or give them a `fallback`")).about(id));
    }
}
