//! ack-shorter-than-work: a message that comes again while it is still being handled.

use crate::analysis::Stop;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;

/// a message that comes again while it is still being handled.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "ack-shorter-than-work",
        "a message that comes again while it is still being handled",
        include_str!("ack-shorter-than-work.md"),
    )
    .reads(&[
        "queues.visibility_timeout",
        "services.consumes.latency",
        "services.consumes.calls",
        "services.latency",
        "services.endpoints.calls.timeout",
        "services.endpoints.calls.retry",
        "services.endpoints.calls.times",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for at in ctx.arch.endpoints() {
        let Some(handler) = ctx.arch.endpoint(at).and_then(|e| e.consumes.as_ref()) else { continue };
        let queue = &ctx.arch.graph[ctx.arch.ends(handler.edge).0];
        let NodeKind::Queue(about) = &queue.kind else { continue };
        let (Some(visible), Some(node)) = (about.visibility_timeout, ctx.calls.stop(Stop::from(at))) else {
            continue;
        };
        let Some(spent) = ctx.budgets().get(node.index()).map(|b| &b.spent) else { continue };
        if visible.value >= spent.total {
            continue;
        }
        let (queue, service) = (&queue.id.value, ctx.id(at.service));
        let message = format!("a message of `{queue}` comes again while `{service}` still handles it");
        let mut finding = Finding::new(RULE.info, visible.span, message)
            .label(format!("what is not acknowledged within {} is delivered again", visible.value))
            .also(ctx.arch.graph[handler.edge].span, format!("this may take {}", spent.total))
            .note(format!("one after another: {}", ctx.sum(spent)));
        if let Some(unknown) = spent.unbounded.first() {
            let unknown = ctx.arch.edge_label(*unknown);
            finding = finding.note(format!("without `{unknown}`, which nothing bounds"));
        }
        finding = finding.hop(
            ctx.arch.graph[handler.edge].span,
            queue,
            service,
            format!("comes again after {}", visible.value),
        );
        finding = ctx.terms(finding, node, spent);
        out.push(
            finding
                .help(format!(
                    "raise `visibility_timeout` above {}, or shorten what the handler waits for",
                    spent.total
                ))
                .number("visibility_timeout_s", visible.value.seconds())
                .number("handler_s", spent.total.seconds())
                .about(queue)
                .about(ctx.arch.endpoint_id(at)),
        );
    }
}
