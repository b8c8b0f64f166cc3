//! slo-extra-nine: a dependency that is not ten times better than who promises.

use super::{needed_in, promised, says, written};
use crate::analysis::{Element, Factor, Promise, direct_dependencies, percent};
use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;

/// a dependency that is not ten times better than who promises.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "slo-extra-nine",
        "a dependency that is not ten times better than who promises",
        include_str!("slo-extra-nine.md"),
    )
    .settings(&[Setting::new("times", 10.0, "how much less a dependency may lose")])
    .reads(&[
        "services.slo.availability",
        "services.endpoints.slo.availability",
        "services.availability",
        "datastores.availability",
        "services.external",
        "services.health_check.path",
        "services.endpoints.calls.probability",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let times = ctx.number(RULE.info, "times");
    let broken: Vec<_> =
        ctx.promises().iter().filter(|p| p.broken_by().is_some()).map(|p| p.of.node()).collect();
    let mut found: Option<NodeIndex> = None;
    for promise in ctx.promises() {
        // What cannot be kept at all is slo-unachievable's; of a service and its endpoint one is enough.
        let node = promise.of.node();
        let said = matches!(promise.of, Element::Service(_)) && found == Some(node);
        if said || broken.binary_search(&node).is_ok() {
            continue;
        }
        let spare = 1.0 - promise.number.fraction();
        let mut weak = direct_dependencies(ctx.arch, ctx.failures(), promise.of);
        weak.retain(|(share, f)| share * (1.0 - f.number.fraction()) * times > spare + 1e-9);
        if !weak.is_empty() {
            found = Some(node);
            out.push(judge(ctx, promise, &weak, times));
        }
    }
}

fn judge(ctx: &Context<'_>, promise: &Promise, weak: &[(f64, Factor)], times: f64) -> Finding {
    let name = promise.of.name(ctx.arch);
    let spare = 1.0 - promise.number.fraction();
    let message = match weak {
        [(_, one)] => {
            format!("`{}` is not {times} times better than `{name}`, which needs it", ctx.id(one.node))
        }
        _ => format!("{} dependencies are not {times} times better than `{name}`", weak.len()),
    };
    let label = format!("promises {}", promise.number);
    let mut finding = Finding::new(RULE.info, promised(ctx, promise), message).label(label);
    for (nth, (share, factor)) in weak.iter().enumerate() {
        let part = needed_in(*share);
        let needed = percent(1.0 - spare / times / share.max(1e-9));
        if nth < 6 {
            let text = format!("{}{part}; {needed} would be {times} times better", says(ctx, factor));
            finding = finding.also(written(ctx, factor.node, factor.said), text);
        }
        if let Some(edge) = factor.by {
            finding = ctx.hop(finding, edge, format!("{}{part}", factor.number));
        }
    }
    finding
        .help("make what is needed fail less, or survive its failure with a `fallback` or `optional: true`")
        .number("promised", promise.number.fraction())
        .about(name)
}
