//! readiness-checks-dependency: a service that is taken out because another one fails.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a health check that asks others as well.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "readiness-checks-dependency",
        "a health check that asks others as well",
        include_str!("readiness-checks-dependency.md"),
    )
    .reads(&["services.health_check.checks"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, node, service) in ctx.arch.services() {
        let check = service.health_check.as_ref().and_then(|h| h.value.on());
        let named = check.and_then(|c| c.checks.as_ref()).into_iter().flat_map(|c| c.iter());
        // A name that nothing defines is undefined-service's.
        let known = named.filter_map(|name| Some((ctx.arch.find(name)?, name.span)));
        let others: Vec<_> = known.filter(|(other, _)| *other != index).collect();
        let Some(((first, span), rest)) = others.split_first() else { continue };
        let id = &node.id.value;
        let more = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let message = format!("the health check of `{id}` asks `{}`{more} as well", ctx.id(*first));
        let mut finding = Finding::new(RULE.info, *span, message)
            .label(format!("every copy of `{id}` is taken out when this fails"));
        for (other, span) in rest.iter().take(4) {
            finding = finding.also(*span, format!("or when `{}` does", ctx.id(*other)));
        }
        out.push(
            finding
                .help("let the check speak of its own process only, and let calls fail by themselves")
                .about(id),
        );
    }
}
