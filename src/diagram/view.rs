//! What part of a system a picture shows.

use crate::finding::nearest;
use crate::model::Architecture;
use petgraph::graph::NodeIndex;
use std::collections::BTreeSet;

/// What to show, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Id, alias or title of the node to look at; the whole system where none is named.
    pub focus: Option<String>,
    /// How many edges to go from the focus; 1 where nothing is said. Means nothing without a focus.
    pub depth: Option<usize>,
    /// Which way to go from the focus.
    pub direction: Direction,
    /// What to group nodes by.
    pub group_by: GroupBy,
}

/// Which way to go from the focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// What it depends on and what depends on it.
    #[default]
    Both,
    /// What depends on it: its callers, and theirs.
    Upstream,
    /// What it depends on.
    Downstream,
}

impl Direction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Both, Self::Upstream, Self::Downstream];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }
}

/// What nodes are grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// By owner, else by layer, if that tells most services apart; else not.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// The team.
    Owner,
    /// The layer.
    Layer,
    /// Where copies stand.
    Zone,
}

impl GroupBy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Auto, Self::None, Self::Owner, Self::Layer, Self::Zone];

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Owner => "owner",
            Self::Layer => "layer",
            Self::Zone => "zone",
        }
    }
}

/// A focus that names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFocus {
    /// The name.
    pub name: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl std::fmt::Display for UnknownFocus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no service, datastore, queue or topic is called `{}`", self.name)?;
        self.nearest.as_ref().map_or(Ok(()), |near| write!(f, ": did you mean `{near}`?"))
    }
}

impl std::error::Error for UnknownFocus {}

/// The node a focus names, by id, alias or title.
pub(super) fn focus(arch: &Architecture, name: &str) -> Result<NodeIndex, UnknownFocus> {
    let found = arch.find(name).or_else(|| arch.service_named(name));
    found.ok_or_else(|| {
        let titles = arch.services().filter_map(|(_, _, s)| s.title.as_deref());
        let known = arch.nodes().map(|(_, n)| n.id.value.as_str()).chain(titles);
        UnknownFocus { name: name.to_owned(), nearest: nearest(name, known).map(str::to_owned) }
    })
}

/// The nodes within `depth` edges of one, itself included. Upstream and downstream are walked apart: what
/// a caller calls besides is neither.
pub(super) fn neighbourhood(
    arch: &Architecture,
    start: NodeIndex,
    depth: usize,
    direction: Direction,
) -> BTreeSet<NodeIndex> {
    let mut shown = BTreeSet::from([start]);
    if direction != Direction::Upstream {
        shown.extend(reach(start, depth, |node| arch.dependencies(node)));
    }
    if direction != Direction::Downstream {
        shown.extend(reach(start, depth, |node| arch.dependents(node)));
    }
    shown
}

fn reach(start: NodeIndex, depth: usize, next: impl Fn(NodeIndex) -> Vec<NodeIndex>) -> BTreeSet<NodeIndex> {
    let mut seen = BTreeSet::from([start]);
    let mut frontier = vec![start];
    for _ in 0..depth {
        let reached: BTreeSet<_> = frontier.iter().flat_map(|node| next(*node)).collect();
        frontier = reached.into_iter().filter(|node| seen.insert(*node)).collect();
        if frontier.is_empty() {
            break;
        }
    }
    seen
}
