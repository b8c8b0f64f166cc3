//! missing-circuit-breaker: a call that goes on calling what fails.

use super::is_on;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};

/// a call that goes on calling what fails.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "missing-circuit-breaker",
        "a call that goes on calling what fails",
        include_str!("missing-circuit-breaker.md"),
    )
    .pedantic()
    .together("calls have no circuit breaker")
    .reads(&[
        "services.endpoints.calls.circuit_breaker",
        "services.endpoints.calls.outlier_detection",
        "services.endpoints.calls.preset",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
        "services.defaults.call.circuit_breaker",
        "upstreams.circuit_breaker",
        "upstreams.outlier_detection",
        "defaults.call.circuit_breaker",
        "defaults.call.outlier_detection",
        "mesh.circuit_breaker",
        "mesh.outlier_detection",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mesh = ctx.arch.mesh.as_ref();
    if mesh.is_some_and(|m| is_on(m.circuit_breaker.as_ref()) || is_on(m.outlier_detection.as_ref())) {
        return;
    }
    for (index, edge) in ctx.arch.edges() {
        let policy = &edge.policy;
        let ejects = is_on(policy.outlier_detection.as_ref());
        let off = policy.circuit_breaker.as_ref();
        let silent = edge.breaker().is_some() || ejects;
        if silent || !edge.is_hard() || !edge.is_detailed() || ctx.is_broken(edge.whole) {
            continue;
        }
        let label = ctx.arch.edge_label(index);
        let finding = Finding::new(
            RULE.info,
            off.map_or(edge.span, |b| b.span),
            format!("`{label}` has no circuit breaker"),
        );
        let finding = match off {
            Some(breaker) => finding.label(format!("switched off here{}", ctx.origin(breaker.span))),
            None => finding.label("goes on calling when it fails"),
        };
        out.push(
            finding
                .help("add `circuit_breaker: {}` to the call or to `defaults: { call: … }`, or say that the `mesh` has one")
                .about(ctx.arch.edge_id(index)),
        );
    }
}
