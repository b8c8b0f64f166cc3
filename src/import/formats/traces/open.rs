//! Traces that are not whole yet: the spans of one trace may be spread over files.

use super::span::Span;
use std::collections::{BTreeMap, HashMap};

/// Traces by the order in which they were first met.
#[derive(Debug)]
pub struct Open {
    /// Where a trace is.
    known: HashMap<u128, u64>,
    traces: BTreeMap<u64, (u128, Vec<Span>)>,
    next: u64,
    held: usize,
    most: usize,
    /// Traces that had to go before the end.
    pub early: u64,
    last: Option<(u128, u64)>,
}

impl Open {
    /// A place for so many spans.
    pub fn new(most: usize) -> Self {
        let (known, traces) = (HashMap::new(), BTreeMap::new());
        Self { known, traces, next: 0, held: 0, most, early: 0, last: None }
    }

    /// Takes a span of a trace in. What no longer fits is handed out: the trace that is open for the longest.
    pub fn add(&mut self, trace: u128, span: Span) -> Option<Vec<Span>> {
        let at = match self.last {
            Some((last, at)) if last == trace => at,
            _ => *self.known.entry(trace).or_insert_with(|| {
                self.next += 1;
                self.next
            }),
        };
        self.last = Some((trace, at));
        self.traces.entry(at).or_insert_with(|| (trace, Vec::new())).1.push(span);
        self.held += 1;
        if self.held <= self.most {
            return None;
        }
        self.early += 1;
        self.oldest()
    }

    /// Hands the trace out that was met first.
    pub fn oldest(&mut self) -> Option<Vec<Span>> {
        let (_, (trace, spans)) = self.traces.pop_first()?;
        self.known.remove(&trace);
        self.last = None;
        self.held -= spans.len();
        Some(spans)
    }
}
