//! phantom-consumer: a consumer of messages that nobody sends.

use super::{consumers, dead_letters, is_named_wrong, producers};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;

/// a consumer of messages that nobody sends.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "phantom-consumer",
        "a consumer of messages that nobody sends",
        include_str!("phantom-consumer.md"),
    )
    .reads(&[
        "services.endpoints.calls.publish",
        "services.consumes",
        "queues.dead_letter",
        "queues.external_producers",
        "topics.external_producers",
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
            NodeKind::Queue(queue) => queue.external_producers,
            NodeKind::Topic(topic) => topic.external_producers,
            NodeKind::Service(_) | NodeKind::Datastore(_) => continue,
        };
        let takers = consumers(ctx, index);
        let Some((first, rest)) = takers.split_first() else { continue };
        if outside.is_some_and(|o| o.value) || dead.contains(&index) || !producers(ctx, index).is_empty() {
            continue;
        }
        let id = &node.id.value;
        let (edge, _, consumer) = ctx.edge(*first);
        let message = match rest.len() {
            0 => format!("`{}` consumes `{id}`, to which nobody publishes", ctx.id(consumer)),
            n => format!("{} services consume `{id}`, to which nobody publishes", n + 1),
        };
        let mut finding = Finding::new(RULE.info, edge.span, message).label("waits for messages here");
        for edge in rest.iter().take(4) {
            let (data, _, consumer) = ctx.edge(*edge);
            finding = finding.also(data.span, format!("`{}` waits too", ctx.id(consumer)));
        }
        let help = "publish to it, say `external_producers: true`, or remove the consumer";
        let finding = finding.also(node.id.span, format!("this {} has no producer", node.kind_name()));
        out.push(finding.help(help).about(id));
    }
}
