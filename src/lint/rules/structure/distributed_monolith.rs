//! distributed-monolith: one request that needs nearly all services at once.

use crate::analysis::widest_request;
use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};

/// one request that needs nearly all services at once.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "distributed-monolith",
        "one request that needs nearly all services at once",
        include_str!("distributed-monolith.md"),
    )
    .pedantic()
    .settings(&[
        Setting::new("services", 8.0, "services of the system, at the least"),
        Setting::new("share", 0.8, "part of them that one request needs, at the least"),
    ])
    .reads(&[
        "services.endpoints.calls.call",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.optional",
        "services.external",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let (floor, share) = (ctx.number(RULE.info, "services"), ctx.number(RULE.info, "share"));
    let all = ctx.arch.services().filter(|(_, _, s)| !s.external).count();
    if (all as f64) < floor {
        return;
    }
    // What an import shows of a service is not what one of its requests does.
    let certain = |edge| {
        let (call, from, _) = ctx.edge(edge);
        call.is_detailed() || !ctx.arch.graph[from].service().is_some_and(|s| s.imported)
    };
    let Some(widest) = widest_request(ctx.arch, &ctx.calls, certain) else { return };
    let needed = widest.services.len();
    let Some(first) = widest.calls.first().filter(|_| needed as f64 >= share * all as f64 - 1e-9) else {
        return;
    };
    let entry = widest.entry.id(ctx.arch);
    let message = format!("a request to `{entry}` needs {needed} of {all} services at once");
    let mut finding =
        Finding::new(RULE.info, ctx.arch.graph[*first].span, message).label("the first call of it");
    for edge in &widest.calls {
        finding = ctx.hop(finding, *edge, "");
    }
    out.push(
        finding
            .note("each of these calls is waited for, and without its answer there is none")
            .help("pass on by message what can come later, keep a copy of what others know, or give calls a fallback")
            .number("needed", needed as f64)
            .number("services", all as f64)
            .about(entry),
    );
}
