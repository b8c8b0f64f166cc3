//! One finding where many calls inherit what is wrong with them.

use super::Context;
use crate::finding::Finding;
use crate::model::Origin;
use crate::source::Span;
use petgraph::graph::EdgeIndex;
use std::collections::BTreeMap;

/// Findings about calls by the bytes that are their cause: what is inherited is one cause, however many calls
/// inherit it.
#[derive(Default)]
pub struct Inherited {
    shared: BTreeMap<(Vec<Span>, String), (Finding, usize)>,
    own: Vec<Finding>,
}

impl Inherited {
    /// Adds the finding about `call` of which the values at `cause` are the cause. Its identity is the call;
    /// where all of them are inherited, the blocks they come from and `apart`, an id that tells apart what
    /// has the same cause and is to be mended in different places.
    pub fn add(
        &mut self,
        ctx: &Context<'_>,
        call: EdgeIndex,
        cause: &[Span],
        apart: Option<String>,
        finding: impl FnOnce() -> Finding,
    ) {
        let blocks: Option<Vec<String>> = cause
            .iter()
            .map(|span| match ctx.arch.layers.origin(*span) {
                Origin::Inherited(block) => Some(block),
                Origin::Own => None,
            })
            .collect();
        let Some(mut blocks) = blocks else {
            self.own.push(finding().about(ctx.arch.edge_id(call)));
            return;
        };
        blocks.dedup();
        blocks.extend(apart.clone());
        let key = (cause.to_vec(), apart.unwrap_or_default());
        let first = || (blocks.into_iter().fold(finding(), Finding::about), 0);
        self.shared.entry(key).and_modify(|(_, more)| *more += 1).or_insert_with(first);
    }

    /// Hands them over; `more` says of how many others the same is true.
    pub fn finish(self, out: &mut Vec<Finding>, more: impl Fn(usize) -> String) {
        out.extend(self.own);
        for (finding, others) in self.shared.into_values() {
            out.push(if others == 0 { finding } else { finding.note(more(others)) });
        }
    }
}

/// `so does 1 more call`, `so do 3 more calls`.
pub fn more_calls(others: usize) -> String {
    match others {
        1 => "so does 1 more call that inherits it".to_owned(),
        n => format!("so do {n} more calls that inherit it"),
    }
}
