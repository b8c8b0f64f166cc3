//! orphan-topic: messages that nobody takes.

use super::{consumers, dead_letters, is_named_wrong, producers};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;

/// messages that nobody takes.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning("orphan-topic", "messages that nobody takes", include_str!("orphan-topic.md"))
        .reads(&[
            "services.consumes",
            "queues.dead_letter",
            "queues.external_consumers",
            "topics.external_consumers",
        ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let dead = dead_letters(ctx);
    if is_named_wrong(ctx) {
        return;
    }
    for (index, node) in ctx.arch.nodes() {
        let outside = match &node.kind {
            NodeKind::Queue(queue) => queue.external_consumers,
            NodeKind::Topic(topic) => topic.external_consumers,
            NodeKind::Service(_) | NodeKind::Datastore(_) => continue,
        };
        // Whoever looks at dead messages is no service.
        if outside.is_some_and(|o| o.value) || dead.contains(&index) || !consumers(ctx, index).is_empty() {
            continue;
        }
        let (id, kind) = (&node.id.value, node.kind_name());
        let mut finding = Finding::new(RULE.info, node.id.span, format!("nobody consumes `{id}`"))
            .label(format!("this {kind} has no consumer"));
        let from = producers(ctx, index);
        for edge in from.iter().take(4) {
            let (data, producer, _) = ctx.edge(*edge);
            finding = finding.also(data.span, format!("`{}` publishes to it", ctx.id(producer)));
        }
        if from.len() > 4 {
            finding = finding.note(format!("and {} more", from.len() - 4));
        }
        let help = "add it to the `consumes` of a service, say `external_consumers: true`, or remove it";
        out.push(finding.help(help).about(id));
    }
}
