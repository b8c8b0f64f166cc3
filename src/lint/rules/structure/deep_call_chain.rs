//! deep-call-chain: a request that waits for many calls in a row.

use crate::analysis::{DeepPath, counts, deep_paths};
use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};

/// a request that waits for many calls in a row.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "deep-call-chain",
        "a request that waits for many calls in a row",
        include_str!("deep-call-chain.md"),
    )
    .settings(&[Setting::new("max", 5.0, "calls in a row that are still fine")])
    .reads(&[
        "services.kind",
        "services.endpoints.calls.call",
        "services.endpoints.calls.protocol",
        "services.dependencies",
        "communications.to",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    // What an import shows of a service is not what one of its requests does.
    let certain = |edge| {
        let (call, from, _) = ctx.edge(edge);
        call.is_detailed() || !ctx.arch.graph[from].service().is_some_and(|s| s.imported)
    };
    let deep = deep_paths(ctx.arch, &ctx.calls, max.max(0.0) as usize, certain);
    out.extend(deep.iter().filter_map(|path| finding(ctx, path, max)));
}

fn finding(ctx: &Context<'_>, path: &DeepPath, max: f64) -> Option<Finding> {
    let (first, last) = (path.hops.first()?, path.hops.last()?);
    let start = path.start.id(ctx.arch);
    let message = format!("a request to `{start}` waits for {} calls in a row, more than {max}", path.depth);
    let mut finding =
        Finding::new(RULE.info, ctx.arch.graph[*first].span, message).label("the first of them");
    for edge in path.hops.iter().skip(1) {
        let (call, from, to) = ctx.edge(*edge);
        finding = finding.also(call.span, format!("then `{}` calls `{}`", ctx.id(from), ctx.id(to)));
    }
    let mut nth = 0;
    for edge in &path.hops {
        nth += usize::from(counts(ctx.arch, *edge));
        let value =
            if counts(ctx.arch, *edge) { nth.to_string() } else { "passed on by a gateway".to_owned() };
        finding = ctx.hop(finding, *edge, value);
    }
    let services = std::iter::once(ctx.edge(*first).1).chain(path.hops.iter().map(|e| ctx.edge(*e).2));
    let services: Vec<&str> = services.map(|n| ctx.id(n)).collect();
    Some(
        finding
            .note(services.join(" → "))
            .help("join services that are always called together, call in parallel, or answer with a message instead of a call")
            .number("depth", path.depth as f64)
            .number("max", max)
            .about(services.last().copied().unwrap_or_default())
            .about(ctx.arch.edge_label(*last)),
    )
}
