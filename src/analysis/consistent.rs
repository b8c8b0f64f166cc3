//! Timeouts that fit inside each other along a path.

use super::duration::{Budget, CallTime, Durations, Part, Worst};
use super::endpoints::{EndpointGraph, Stop};
use crate::model::Architecture;
use crate::model::words::Duration;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// So many calls are followed up and as many down from where a timeout is too short.
const REACH: usize = 16;

/// A call of a path, and how long it should wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The call.
    pub edge: EdgeIndex,
    /// How long it waits now, all attempts together.
    pub now: Duration,
    /// How long it should: as it is, where that is enough.
    pub needs: Duration,
}

/// The smallest change of a path after which every call of it waits longer than its callee can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistent {
    /// Its calls, the outermost first.
    pub path: Vec<Wait>,
    /// Whether more would have to change beyond what was followed.
    pub is_cut: bool,
}

/// What is walked on.
#[derive(Clone, Copy)]
pub struct Budgets<'a> {
    /// The architecture.
    pub arch: &'a Architecture,
    /// Its graph of endpoints.
    pub calls: &'a EndpointGraph,
    /// What is spent at each node of the graph.
    pub all: &'a [Budget],
}

impl Budgets<'_> {
    /// The timeouts along the path through `call`, made at `from`, that would be consistent: what is below
    /// stays, what is above is raised to the next two significant digits above what it waits for, and so on
    /// up to a caller that waits long enough. Downwards the call that may take longest is followed, as far as
    /// timeouts are too short; upwards the caller that waits least. `None` where a call on the way is bounded
    /// by nothing, or comes back.
    pub fn consistent(&self, call: EdgeIndex, from: NodeIndex) -> Option<Consistent> {
        let durations = Durations::of(self.arch);
        let mut seen = BTreeSet::from([from]);
        let mut is_cut = false;
        let mut below = Vec::new();
        let mut next = Some(call);
        while let Some(edge) = next {
            let (to, waits) = (self.callee(edge)?, durations.call(&self.arch.graph[edge])?);
            let spent = self.spent(to)?;
            if below.len() >= REACH {
                is_cut = true;
                break;
            }
            if !seen.insert(to) {
                return None;
            }
            below.push((edge, to, waits));
            next = longest(spent).filter(|_| waits.total <= spent.total);
        }
        let mut path: Vec<Wait> = Vec::new();
        for (edge, to, waits) in below.into_iter().rev() {
            let takes = self.takes(&durations, to, path.last())?;
            path.push(raised(edge, waits, takes));
        }
        let (lowest, mut at) = (path.len(), from);
        loop {
            let takes = self.takes(&durations, at, path.last())?;
            let callers = self.all.get(at.index())?.callers.iter();
            let mut callers = callers.filter(|(edge, ..)| !self.arch.graph[*edge].propagates_deadline());
            let Some((edge, from, waits)) = callers.next().filter(|(.., waits)| waits.total <= takes) else {
                break;
            };
            if path.len() - lowest >= REACH || !seen.insert(*from) {
                is_cut = true;
                break;
            }
            path.push(raised(*edge, *waits, takes));
            at = *from;
        }
        path.reverse();
        Some(Consistent { path, is_cut })
    }

    fn callee(&self, edge: EdgeIndex) -> Option<NodeIndex> {
        let endpoint = self.arch.graph[edge].to_endpoint;
        self.calls.stop(Stop { service: self.arch.ends(edge).1, endpoint })
    }

    /// W as it is, where all of it is known.
    fn spent(&self, node: NodeIndex) -> Option<&Worst> {
        self.all.get(node.index()).map(|b| &b.spent).filter(|spent| spent.unbounded.is_empty())
    }

    /// W when the call below waits as long as it should.
    fn takes(&self, durations: &Durations<'_>, node: NodeIndex, below: Option<&Wait>) -> Option<Duration> {
        let spent = self.spent(node)?;
        let Some(below) = below.filter(|b| b.needs != b.now) else { return Some(spent.total) };
        let instead = |edge: EdgeIndex| (edge == below.edge).then_some(below.needs);
        Some(durations.worst_if(self.calls.graph[node], &instead).total)
    }
}

fn raised(edge: EdgeIndex, waits: CallTime, takes: Duration) -> Wait {
    let needs = if waits.total > takes { waits.total } else { next_above(takes) };
    Wait { edge, now: waits.total, needs }
}

/// The call that may take longest of a sum, the first of equals.
fn longest(worst: &Worst) -> Option<EdgeIndex> {
    let calls = worst.terms.iter().filter_map(|term| match term.part {
        Part::Call(edge) => Some((Reverse(term.total()), edge)),
        Part::Own => None,
    });
    calls.min().map(|(_, edge)| edge)
}

/// The next duration of two significant digits above one: 825ms → 830ms, 1s → 1.1s.
fn next_above(duration: Duration) -> Duration {
    let digits = duration.0.checked_ilog10().unwrap_or(0);
    let step = 10_u64.pow(digits.saturating_sub(1));
    Duration((duration.0 / step).saturating_add(1).saturating_mul(step))
}
