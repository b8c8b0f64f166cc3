//! consumers-exceed-partitions: consumers that never get a message.

use super::consumers;
use crate::finding::{Finding, RuleInfo};
use crate::lint::amounts::count;
use crate::lint::{Context, Rule};
use crate::model::{EndpointRef, NodeKind};
use petgraph::graph::EdgeIndex;
use std::collections::BTreeMap;

/// consumers that never get a message.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "consumers-exceed-partitions",
        "consumers that never get a message",
        include_str!("consumers-exceed-partitions.md"),
    )
    .reads(&["topics.partitions", "services.consumes.group", "services.replicas"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (index, node) in ctx.arch.nodes() {
        let NodeKind::Topic(topic) = &node.kind else { continue };
        let Some(partitions) = topic.partitions else { continue };
        let mut groups: BTreeMap<&str, Vec<EdgeIndex>> = BTreeMap::new();
        for edge in consumers(ctx, index) {
            groups.entry(group(ctx, edge)).or_default().push(edge);
        }
        for (name, members) in groups {
            let counts: Vec<_> = members.iter().map(|edge| (edge, instances(ctx, *edge))).collect();
            let all: u64 = counts.iter().map(|(_, n)| u64::from(*n)).sum();
            let most = u64::from(partitions.value.0);
            if all <= most {
                continue;
            }
            let id = &node.id.value;
            let idle = all - most;
            let message =
                format!("{} of group `{name}` never get a message of `{id}`", count(idle as f64, "instance"));
            let label = format!("{} can be read by so many at once", count(most as f64, "partition"));
            let mut finding = Finding::new(RULE.info, partitions.span, message).label(label);
            for (edge, n) in counts.iter().take(4) {
                let (data, _, consumer) = ctx.edge(**edge);
                let words =
                    format!("`{}` consumes with {}", ctx.id(consumer), count(f64::from(*n), "replica"));
                finding = finding.also(data.span, words);
            }
            out.push(
                finding
                    .help(format!("give the topic {all} partitions, or the group fewer replicas"))
                    .number("consumers", all as f64)
                    .number("partitions", most as f64)
                    .about(id)
                    .about(name),
            );
        }
    }
}

/// The consumer group: its name, else the service.
fn group<'a>(ctx: &Context<'a>, edge: EdgeIndex) -> &'a str {
    let (data, to) = (&ctx.arch.graph[edge], ctx.arch.ends(edge).1);
    let at = data.to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint });
    let handler = at.and_then(|at| ctx.arch.endpoint(at)?.consumes.as_ref());
    handler.and_then(|c| c.settings.group.as_ref()).map_or_else(|| ctx.arch.id(to), |g| &g.value)
}

/// Copies that are surely there.
fn instances(ctx: &Context<'_>, edge: EdgeIndex) -> u32 {
    let service = ctx.arch.graph[ctx.arch.ends(edge).1].service();
    service.and_then(|s| s.replicas).map_or(1, |r| r.value)
}
