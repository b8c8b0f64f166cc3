//! Who owns what a finding is about.

use crate::finding::Finding;
use crate::model::Architecture;
use crate::source::Span;
use petgraph::graph::NodeIndex;
use rayon::prelude::*;

/// Notes in every finding the owners of what it is about: of the nodes its subjects name (an edge names
/// both its ends), else of the one it stands in. Sorted, each once; empty where nobody is named.
pub fn assign(arch: &Architecture, findings: &mut [Finding]) {
    let mut places: Vec<(Span, NodeIndex)> = arch.nodes().map(|(index, node)| (node.whole, index)).collect();
    places.sort_unstable();
    findings.par_iter_mut().for_each(|finding| {
        let mut about: Vec<NodeIndex> = finding
            .subjects
            .iter()
            .flat_map(|id| id.split(" → "))
            .filter_map(|end| node(arch, end))
            .collect();
        if about.is_empty() {
            about.extend(around(&places, finding.primary.span));
        }
        let owners = about.into_iter().filter_map(|index| arch.graph[index].owner.as_ref());
        finding.owners = owners.map(|owner| owner.value.clone()).collect();
        finding.owners.sort_unstable();
        finding.owners.dedup();
    });
}

/// The node of an id, or of an end of an edge: `web`, `web GET /`, `web GET / #2`. Ids may hold blanks.
fn node(arch: &Architecture, end: &str) -> Option<NodeIndex> {
    let blanks = end.match_indices(' ').map(|(at, _)| at);
    let mut names = std::iter::once(end.len()).chain(blanks).filter_map(|at| end.get(..at));
    names.find_map(|name| arch.find(name))
}

/// The node whose definition holds these bytes.
fn around(places: &[(Span, NodeIndex)], span: Span) -> Option<NodeIndex> {
    let until = places.partition_point(|(whole, _)| (whole.file, whole.start) <= (span.file, span.start));
    let (whole, index) = places.get(until.checked_sub(1)?)?;
    whole.contains(span).then_some(*index)
}
