//! missing-dead-letter: failed messages that are delivered again and then have nowhere to go.

use super::dead_letters;
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;

/// failed messages that are delivered again and then have nowhere to go.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "missing-dead-letter",
        "failed messages that are delivered again and then have nowhere to go",
        include_str!("missing-dead-letter.md"),
    )
    .reads(&["queues.max_deliveries", "queues.visibility_timeout", "queues.dead_letter"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let dead = dead_letters(ctx);
    for (index, node) in ctx.arch.nodes() {
        let NodeKind::Queue(queue) = &node.kind else { continue };
        // A queue of dead messages is the end of the way itself.
        if queue.dead_letter.is_some() || dead.contains(&index) || ctx.is_broken(node.whole) {
            continue;
        }
        let id = &node.id.value;
        let (span, label, message) = match (queue.max_deliveries, queue.visibility_timeout) {
            (Some(max), _) if max.value.0 > 1 => {
                let label = format!("after {} deliveries it is dropped", max.value.0);
                (max.span, label, format!("a message of `{id}` that keeps failing is lost"))
            }
            (None, Some(timeout)) => {
                let label = format!("delivered again after {}, without end", timeout.value);
                (timeout.span, label, format!("a message of `{id}` that keeps failing never goes away"))
            }
            _ => continue,
        };
        let help = match queue.max_deliveries {
            Some(_) => "name a queue for such messages: `dead_letter: …`",
            None => "name a queue for such messages: `max_deliveries: 5` and `dead_letter: …`",
        };
        out.push(Finding::new(RULE.info, span, message).label(label).help(help).about(id));
    }
}
