//! missing-health-check: a service that others need and nobody asks if it lives.

use super::is_on;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a service that others need and nobody asks if it lives.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "missing-health-check",
        "a service that others need and nobody asks if it lives",
        include_str!("missing-health-check.md"),
    )
    .pedantic()
    .together("services are needed by others, and nobody asks if they live")
    .reads(&[
        "services.health_check",
        "services.external",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
        "upstreams.outlier_detection",
        "mesh.outlier_detection",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // A proxy that takes out what fails asks in its own way.
    if ctx.arch.mesh.as_ref().is_some_and(|m| is_on(m.outlier_detection.as_ref())) {
        return;
    }
    for (index, node, service) in ctx.arch.services() {
        let watched = ctx.arch.upstream(index).is_some_and(|u| is_on(u.outlier_detection.as_ref()));
        let needed = ctx.arch.incoming(index).into_iter().any(|e| ctx.arch.graph[e].is_hard());
        let declared = service.health_check.as_ref();
        // An image may bring a check of its own.
        if service.external
            || service.imported
            || watched
            || !needed
            || declared.is_some_and(|h| h.value.on().is_some())
        {
            continue;
        }
        let id = &node.id.value;
        let span = declared.map_or(node.id.span, |h| h.span);
        let label = if declared.is_some() { "switched off here" } else { "no `health_check`" };
        let finding =
            Finding::new(RULE.info, span, format!("nobody asks `{id}` if it lives, and others need it"));
        out.push(
            finding.label(label).help("add `health_check: { path: /healthz, interval: 10s }`").about(id),
        );
    }
}
