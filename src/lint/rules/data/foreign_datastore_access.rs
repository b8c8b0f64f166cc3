//! foreign-datastore-access: a service that uses a datastore of another team.

use crate::analysis::Dependency;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;
use crate::model::words::ServiceKind;
use crate::source::Spanned;
use petgraph::graph::NodeIndex;

/// a service that uses a datastore of another team.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "foreign-datastore-access",
        "a service that uses a datastore of another team",
        include_str!("foreign-datastore-access.md"),
    )
    .reads(&["services.owner", "services.kind", "datastores.owner", "datastores.service"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let writers = super::writers(ctx);
    for dependency in &ctx.dependencies().all {
        let Dependency { from, to, own, .. } = dependency;
        let Some(owner) = owner(ctx, *to) else { continue };
        let Some(team) = ctx.arch.graph[*from].owner.as_ref().filter(|t| t.value != owner.value) else {
            continue;
        };
        // Migrations are run by whoever can; what several write is shared-datastore's.
        let job = ctx.arch.graph[*from].service().is_none_or(|s| s.kind == ServiceKind::Job);
        let shared =
            writers.get(&super::original(ctx, *to)).is_some_and(|w| w.len() > 1 && w.contains_key(from));
        if *own || job || shared {
            continue;
        }
        out.extend(finding(ctx, dependency, team, owner));
    }
}

/// The team of a datastore: its own `owner`, else that of the service it belongs to.
fn owner<'a>(ctx: &Context<'a>, node: NodeIndex) -> Option<&'a Spanned<String>> {
    let NodeKind::Datastore(store) = &ctx.arch.graph[node].kind else { return None };
    let of = |service: &Spanned<String>| ctx.arch.graph[ctx.arch.find(service)?].owner.as_ref();
    store.owner.as_ref().or_else(|| store.service.as_ref().and_then(of))
}

fn finding(
    ctx: &Context<'_>,
    dependency: &Dependency,
    team: &Spanned<String>,
    owner: &Spanned<String>,
) -> Option<Finding> {
    let (edge, again) = dependency.edges.split_first()?;
    let (user, store) = (ctx.id(dependency.from), ctx.id(dependency.to));
    let message = format!("`{user}` of `{}` uses `{store}`, a datastore of `{}`", team.value, owner.value);
    let mut finding =
        Finding::new(RULE.info, ctx.arch.graph[*edge].span, message).label("not its team's data");
    for edge in again.iter().take(4) {
        finding = finding.also(ctx.arch.graph[*edge].span, "and here");
    }
    finding = finding.also(owner.span, format!("`{store}` is of `{}`", owner.value));
    finding = finding.also(team.span, format!("`{user}` is of `{}`{}", team.value, ctx.origin(team.span)));
    let ask = match &ctx.arch.graph[dependency.to].kind {
        NodeKind::Datastore(d) => d.service.as_ref().map(|s| format!("ask `{}` for it", s.value)),
        _ => None,
    };
    let ask = ask.unwrap_or_else(|| "ask a service of that team for it".to_owned());
    Some(finding.help(format!("{ask}, or keep a copy that its events fill")).about(user).about(store))
}
