//! Whose data it is: who writes it, who reaches it, and whether it goes together with its messages.

mod dual_write;
mod foreign_datastore_access;
mod public_datastore;
mod shared_datastore;

use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;
use crate::model::{EdgeKind, NodeKind};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// The rules of this family, in the order of the catalogue.
pub static RULES: &[&Rule] =
    &[&shared_datastore::RULE, &foreign_datastore_access::RULE, &dual_write::RULE, &public_datastore::RULE];

/// Who writes each datastore, with the first place where it does. A replica is what it is a copy of; a job
/// that migrates it does not share it.
fn writers(ctx: &Context<'_>) -> BTreeMap<NodeIndex, BTreeMap<NodeIndex, EdgeIndex>> {
    let mut writers: BTreeMap<NodeIndex, BTreeMap<NodeIndex, EdgeIndex>> = BTreeMap::new();
    for (index, _) in ctx.arch.edges().filter(|(_, e)| e.kind == EdgeKind::Write) {
        let (from, to) = ctx.arch.ends(index);
        if ctx.arch.graph[from].service().is_some_and(|s| s.kind != ServiceKind::Job) {
            writers.entry(original(ctx, to)).or_default().entry(from).or_insert(index);
        }
    }
    writers
}

/// What a replica is a copy of in the end; the datastore itself where it is no copy.
fn original(ctx: &Context<'_>, store: NodeIndex) -> NodeIndex {
    let mut at = store;
    let mut seen = BTreeSet::from([store]);
    while let NodeKind::Datastore(data) = &ctx.arch.graph[at].kind {
        match data.replica_of.as_ref().and_then(|of| ctx.arch.find(of)) {
            Some(of) if seen.insert(of) => at = of,
            _ => break,
        }
    }
    at
}
