//! The arithmetic of time in words.

use super::Context;
use crate::analysis::{Bounded, CallTime, Part, Term, Worst};
use crate::finding::Finding;
use crate::model::Edge;
use crate::source::Span;
use petgraph::graph::{EdgeIndex, NodeIndex};

/// So many calls of a path are named.
const SHOWN: usize = 6;

impl Context<'_> {
    /// Where the value stands that says how long a call may take.
    pub fn says(&self, edge: &Edge, by: Bounded) -> Span {
        let mesh = || self.arch.mesh.as_ref().map(|m| m.timeout.as_ref().map_or(m.span, |t| t.span));
        let said = match by {
            Bounded::ByTimeout => edge.timeout().map(|t| t.span),
            Bounded::ByAttempts => edge.per_try_timeout().map(|p| p.span),
            Bounded::ByMesh => mesh(),
        };
        said.unwrap_or(edge.span)
    }

    /// `2 attempts × 1s + 25ms back-off`, or `its timeout of 2s`.
    pub fn sum_of_call(&self, edge: &Edge, time: &CallTime) -> String {
        let own = edge.per_try_timeout().map(|p| p.value);
        let whole = || format!("its timeout of {}", time.total);
        let Some(attempt) = time.attempt.filter(|_| own.is_some() || time.by != Bounded::ByTimeout) else {
            return whole();
        };
        let plural = if time.attempts == 1 { "attempt" } else { "attempts" };
        let mesh = if own == time.attempt { "" } else { " that the mesh allows" };
        let pause = if time.backoff.0 == 0 { String::new() } else { format!(" + {} back-off", time.backoff) };
        let sum = format!("{} {plural} × {attempt}{mesh}{pause}", time.attempts);
        let all = attempt.0.saturating_mul(u64::from(time.attempts)).saturating_add(time.backoff.0);
        if all > time.total.0 { format!("{sum}, cut by {}", whole()) } else { sum }
    }

    /// `20ms + 3 × 500ms = 1.52s`; nothing more than the total where it is one number.
    pub fn sum(&self, worst: &Worst) -> String {
        let terms: Vec<String> = worst.terms.iter().map(product).collect();
        match terms.as_slice() {
            [one] if *one == worst.total.to_string() => one.clone(),
            _ => format!("{} = {}", terms.join(" + "), worst.total),
        }
    }

    /// The terms as steps of the proving path, made at `node`; of calls where their time is written.
    pub fn terms(&self, finding: Finding, node: NodeIndex, worst: &Worst) -> Finding {
        worst.terms.iter().fold(finding, |finding, term| match term.part {
            Part::Own => {
                let place = self.calls.graph[node];
                let endpoint = place.at().and_then(|at| self.arch.endpoint(at));
                let latency = endpoint.and_then(|e| e.latency.as_ref()).map(|l| l.span);
                let span = latency.unwrap_or(self.arch.graph[place.service].id.span);
                let id = self.id(place.service);
                finding.hop(span, id, id, format!("works for {}", product(term)))
            }
            Part::Call(edge) => {
                let (call, from, to) = self.edge(edge);
                let by = self.durations().call(call).map_or(Bounded::ByTimeout, |t| t.by);
                finding.hop(self.says(call, by), self.id(from), self.id(to), product(term))
            }
        })
    }

    /// `consistent along the path: web → cart 3.2s, cart → pricing 800ms`: what would make all timeouts fit
    /// around a call made at `from`.
    pub fn proposal(&self, call: EdgeIndex, from: NodeIndex) -> Option<String> {
        let proposal = self.consistent(call, from)?;
        // The middle of a long path is where the mistake was found.
        let at = proposal.path.iter().position(|w| w.edge == call)?;
        let first = at.saturating_sub(SHOWN / 2);
        let shown = proposal.path.iter().skip(first).take(SHOWN);
        let shown: Vec<String> = shown
            .map(|wait| {
                let (_, from, to) = self.edge(wait.edge);
                format!("{} → {} {}", self.id(from), self.id(to), wait.needs)
            })
            .collect();
        let outer = if first > 0 || proposal.is_cut { ", and so on outwards" } else { "" };
        Some(format!("consistent along the path: {}{outer}", shown.join(", ")))
    }
}

fn product(term: &Term) -> String {
    if term.times == 1 { term.each.to_string() } else { format!("{} × {}", term.times, term.each) }
}
