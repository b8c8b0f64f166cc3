//! Queues and topics.

mod ack_shorter_than_work;
mod consumers_exceed_partitions;
mod missing_dead_letter;
mod orphan_topic;
mod phantom_consumer;

use crate::lint::{Context, Rule};
use crate::model::{EdgeKind, NodeKind};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeSet;

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] = &[
    &orphan_topic::RULE,
    &phantom_consumer::RULE,
    &missing_dead_letter::RULE,
    &ack_shorter_than_work::RULE,
    &consumers_exceed_partitions::RULE,
];

/// Who takes the messages of a queue or topic, in document order.
fn consumers(ctx: &Context<'_>, channel: NodeIndex) -> Vec<EdgeIndex> {
    ctx.arch.outgoing(channel)
}

/// Who publishes to a queue or topic, in document order.
fn producers(ctx: &Context<'_>, channel: NodeIndex) -> Vec<EdgeIndex> {
    let mut edges = ctx.arch.incoming(channel);
    edges.retain(|edge| ctx.arch.graph[*edge].kind == EdgeKind::Publish);
    edges
}

/// The queues that dead messages of others go to.
fn dead_letters(ctx: &Context<'_>) -> BTreeSet<NodeIndex> {
    let names = ctx.arch.nodes().filter_map(|(_, node)| match &node.kind {
        NodeKind::Queue(queue) => queue.dead_letter.as_ref(),
        _ => None,
    });
    names.filter_map(|name| ctx.arch.find(&name.value)).collect()
}

/// Whether some service names what is not there: it may have meant any queue or topic.
fn is_named_wrong(ctx: &Context<'_>) -> bool {
    ctx.arch.services().any(|(_, node, _)| ctx.is_broken(node.whole))
}
