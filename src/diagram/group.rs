//! Which nodes stand together.

use super::{Cluster, GroupBy, Node};
use crate::model::Architecture;
use std::collections::{BTreeSet, HashMap};

/// What nodes are grouped by, once `auto` is settled.
pub(super) fn chosen(nodes: &[Node], wanted: GroupBy) -> GroupBy {
    if wanted != GroupBy::Auto {
        return wanted;
    }
    let own: Vec<_> = nodes.iter().filter(|n| n.kind == "service").collect();
    let tells_apart = |by: GroupBy| {
        let named: Vec<_> = own.iter().filter_map(|n| group(n, by)).collect();
        let groups: BTreeSet<_> = named.iter().collect();
        // A frame around every single node, or around all of them, says nothing.
        groups.len() >= 2 && groups.len() < named.len() && named.len() * 2 > own.len()
    };
    [GroupBy::Owner, GroupBy::Layer].into_iter().find(|by| tells_apart(*by)).unwrap_or(GroupBy::None)
}

/// The group a node belongs to.
const fn group(node: &Node, by: GroupBy) -> Option<&String> {
    match by {
        GroupBy::Owner => node.owner.as_ref(),
        GroupBy::Layer => node.layer.as_ref(),
        GroupBy::Zone => node.zone.as_ref(),
        GroupBy::Auto | GroupBy::None => None,
    }
}

/// The groups of the nodes; a node that does not say is in none.
pub(super) fn clusters(arch: &Architecture, nodes: &[Node], by: GroupBy) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let Some(name) = group(node, by) else { continue };
        let cluster = *known.entry(name).or_insert_with(|| {
            clusters.push(Cluster { name: name.clone(), nodes: Vec::new() });
            clusters.len() - 1
        });
        if let Some(cluster) = clusters.get_mut(cluster) {
            cluster.nodes.push(at);
        }
    }
    if let (GroupBy::Layer, Some(order)) = (by, &arch.lint.layers) {
        clusters.sort_by_key(|c| order.iter().position(|l| l.value == c.name).unwrap_or(usize::MAX));
    }
    clusters
}
