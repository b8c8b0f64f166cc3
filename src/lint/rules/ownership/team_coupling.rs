//! team-coupling: two teams that wait for each other.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// two teams that wait for each other.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "team-coupling",
        "two teams whose services need each other, both ways",
        include_str!("team-coupling.md"),
    )
    .settings(&[Setting::new("max", 1.0, "connections of the lesser direction that are still fine")])
    .reads(&[
        "services.owner",
        "services.kind",
        "services.tags",
        "services.external",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
    ]),
    check,
};

/// The first edge of each pair of services, by pair, in document order.
type Connections = BTreeMap<(NodeIndex, NodeIndex), EdgeIndex>;

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    let mut teams: BTreeMap<(&str, &str), Connections> = BTreeMap::new();
    for (index, edge) in ctx.arch.edges() {
        if !edge.is_hard() {
            continue;
        }
        let (from, to) = ctx.arch.ends(index);
        if let Some(pair) = between(ctx, from, to) {
            teams.entry(pair).or_default().entry((from, to)).or_insert(index);
        }
    }
    for ((a, b), there) in &teams {
        let Some(back) = teams.get(&(*b, *a)).filter(|_| a < b) else { continue };
        if there.len().min(back.len()) as f64 <= max {
            continue;
        }
        out.extend(finding(ctx, (*a, *b), there, back, max));
    }
}

/// The teams of two services, where they are two and one of them must know the other.
fn between<'a>(ctx: &'a Context<'_>, from: NodeIndex, to: NodeIndex) -> Option<(&'a str, &'a str)> {
    let (caller, target) = (&ctx.arch.graph[from], &ctx.arch.graph[to]);
    let (service, other) = (caller.service()?, target.service()?);
    // To call everybody, and to be called by everybody, is what these are for.
    let front = matches!(service.kind, ServiceKind::Gateway | ServiceKind::Bff);
    let shared = target.tags.iter().any(|t| t == "platform");
    let teams = (caller.owner.as_ref()?.value.as_str(), target.owner.as_ref()?.value.as_str());
    (!front && !shared && !other.external && teams.0 != teams.1).then_some(teams)
}

fn finding(
    ctx: &Context<'_>,
    (a, b): (&str, &str),
    there: &Connections,
    back: &Connections,
    max: f64,
) -> Option<Finding> {
    let say = |team: &str, (from, to): &(NodeIndex, NodeIndex)| {
        format!("`{}` of `{team}` needs `{}`", ctx.id(*from), ctx.id(*to))
    };
    // The lesser direction is the one to be dissolved: it is told first.
    let ((less, by), (more, of)) =
        if back.len() < there.len() { ((back, b), (there, a)) } else { ((there, a), (back, b)) };
    let (first, edge) = less.iter().next()?;
    let mut finding = Finding::new(
        RULE.info,
        ctx.arch.graph[*edge].span,
        format!("teams `{a}` and `{b}` need each other, {} and {} connections", there.len(), back.len()),
    )
    .label(say(by, first));
    for (pair, edge) in less.iter().skip(1).take(3) {
        finding = finding.also(ctx.arch.graph[*edge].span, say(by, pair));
    }
    for (pair, edge) in more.iter().take(2) {
        finding = finding.also(ctx.arch.graph[*edge].span, say(of, pair));
    }
    Some(
        finding
            .help(format!(
                "turn what `{by}` needs of `{of}` round: publish events, make the calls `optional`, or move a service to the team that changes it"
            ))
            .number("connections", less.len() as f64)
            .number("max", max)
            .about(a)
            .about(b),
    )
}
