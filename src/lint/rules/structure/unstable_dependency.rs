//! unstable-dependency: a service that many depend on, and that depends on one with more reasons to change.

use crate::analysis::Dependency;
use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::Service;

/// a service that many depend on, and that depends on one with more reasons to change.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "unstable-dependency",
        "a service that many depend on, and that depends on one with more reasons to change",
        include_str!("unstable-dependency.md"),
    )
    .pedantic()
    .settings(&[
        Setting::new("callers", 3.0, "services that depend on it, at the least"),
        Setting::new("gap", 0.3, "how much more unstable what it depends on is, at the least"),
    ])
    .reads(&["services.dependencies", "services.endpoints.calls.call", "services.external"]),
    check,
};

/// Whether all that it depends on is known: not of third parties, nor of what an import shows in part.
const fn is_known(service: &Service) -> bool {
    !service.external && !service.imported
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let (callers, gap) = (ctx.number(RULE.info, "callers"), ctx.number(RULE.info, "gap"));
    for (index, node, service) in ctx.arch.services() {
        let own = ctx.coupling(index);
        let Some(stable) = own.instability().filter(|_| is_known(service) && own.afferent as f64 >= callers)
        else {
            continue;
        };
        let known = |d: &&Dependency| ctx.arch.graph[d.to].service().is_some_and(is_known);
        let others = ctx.dependencies().outgoing(index).filter(known);
        let worse: Vec<(&Dependency, f64)> = others
            .filter_map(|d| Some((d, ctx.coupling(d.to).instability()?)))
            // Thirds and tenths are no exact numbers.
            .filter(|(_, instability)| instability - stable >= gap - 1e-9)
            .collect();
        let Some((first, rest)) = worse.split_first() else { continue };
        let id = &node.id.value;
        let sum = |node| {
            let coupling = ctx.coupling(node);
            let all = coupling.afferent + coupling.efferent;
            let value = coupling.instability().unwrap_or_default();
            format!(
                "{}/({} + {}) = {value:.2}",
                coupling.efferent,
                all - coupling.efferent,
                coupling.efferent
            )
        };
        let message = match rest.len() {
            0 => format!("`{id}` is stable and depends on `{}`, which is not", ctx.id(first.0.to)),
            n => format!("`{id}` is stable and depends on {} services that are not", n + 1),
        };
        let mut finding = Finding::new(RULE.info, node.id.span, message)
            .label(format!("{} services depend on it", own.afferent));
        for (dependency, _) in worse.iter().take(6) {
            let Some(edge) = dependency.edges.first() else { continue };
            let (name, sum) = (ctx.id(dependency.to), sum(dependency.to));
            finding = finding.also(ctx.arch.graph[*edge].span, format!("`{name}`: instability {sum}"));
        }
        out.push(
            finding
                .note(format!("instability Ce/(Ca + Ce) of `{id}`: {}", sum(index)))
                .help("turn the dependency around with a message, or move what both need into a service of its own")
                .number("instability", stable)
                .about(id),
        );
    }
}
