//! layer-violation: a service that depends on one of a layer further out.

use crate::finding::{Finding, RuleInfo};
use crate::lint::contracts::way_finding;
use crate::lint::{Context, Rule};
use crate::source::Spanned;
use petgraph::graph::NodeIndex;
use std::collections::HashMap;

/// a service that depends on one of a layer further out.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "layer-violation",
        "a service that depends on one of a layer further out",
        include_str!("layer-violation.md"),
    )
    .reads(&["lint.layers", "services.layer"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(layers) = &ctx.arch.lint.layers else { return };
    let mut depth: HashMap<&str, usize> = HashMap::new();
    for (at, layer) in layers.iter().enumerate() {
        depth.entry(layer.value.as_str()).or_insert(at);
    }
    let order = layers.iter().map(|l| l.value.as_str()).collect::<Vec<_>>().join(" → ");
    for dependency in &ctx.dependencies().all {
        let ends = layer(ctx, dependency.from).zip(layer(ctx, dependency.to));
        let Some((caller, used)) = ends else { continue };
        let (Some(inner), Some(outer)) = (depth.get(caller.value.as_str()), depth.get(used.value.as_str()))
        else {
            continue;
        };
        if inner <= outer {
            continue;
        }
        let message = format!(
            "`{}` in layer `{}` depends on `{}` in layer `{}`",
            ctx.id(dependency.from),
            caller.value,
            ctx.id(dependency.to),
            used.value
        );
        let finding = way_finding(ctx, RULE.info, &[dependency], message);
        out.extend(finding.map(|f| {
            f.also(caller.span, format!("from layer `{}`{}", caller.value, ctx.origin(caller.span)))
                .also(used.span, format!("to layer `{}`{}", used.value, ctx.origin(used.span)))
                .note(format!("the layers from the outside in: {order}"))
                .help("answer with a message instead of a call, or move one of the two to another layer")
        }));
    }
}

fn layer<'a>(ctx: &Context<'a>, node: NodeIndex) -> Option<&'a Spanned<String>> {
    ctx.arch.graph[node].service()?.layer.as_ref()
}
