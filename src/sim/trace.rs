//! Traces of one replication: of a share of the requests, and of the slowest, every attempt under the work it was
//! made for.
//!
//! Owns which are kept. All that are open are recorded, since nobody knows which of them will be slow; what goes on
//! after the answer (abandoned work, messages) is cut off there.

use super::ids::{EdgeId, EndpointId, InstanceId, SourceId};
use super::probe::{Ending, Probe, Traced};
use crate::kernel::{Span, Time};
use std::collections::HashMap;

/// Requests that are recorded at once; more are not.
const OPEN: usize = 100_000;
/// Attempts of one request; more are not recorded.
const SPANS: usize = 10_000;
/// Traces that are kept of the sampled ones, and of the slowest.
const KEPT: usize = 10_000;

/// An attempt and what became of it at its instance.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSpan {
    /// The work it was made for, as a place in [`Trace::spans`]; `None` for what the client asked, and for the
    /// handling of a message.
    pub parent: Option<u32>,
    /// The call; `None` for the handling of a message.
    pub edge: Option<EdgeId>,
    /// What was asked.
    pub endpoint: EndpointId,
    /// Where.
    pub instance: InstanceId,
    /// It was tried before.
    pub retry: bool,
    /// When it was sent.
    pub sent: Time,
    /// When it reached its instance, if it did.
    pub arrived: Option<Time>,
    /// When it was done there, if it was.
    pub ended: Option<Time>,
    /// How, where it was.
    pub end: Ending,
}

/// A request with everything that was done for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its number in the replication.
    pub request: u32,
    /// Who asked.
    pub source: SourceId,
    /// When.
    pub began: Time,
    /// Until its final outcome.
    pub took: Span,
    /// That.
    pub end: Ending,
    /// It is kept because it was drawn, not because it was slow.
    pub sampled: bool,
    /// In the order in which they were sent.
    pub spans: Vec<TraceSpan>,
}

/// A probe that keeps the traces of some requests: those that are measured, in the order of their ends.
#[derive(Debug, Default)]
pub struct Tracer {
    share: f64,
    slowest: usize,
    open: HashMap<u32, Trace>,
    /// Request and span of each job.
    jobs: HashMap<u32, (u32, u32)>,
    sampled: Vec<Trace>,
    /// The slowest last.
    slow: Vec<Trace>,
}

impl Tracer {
    /// Keeps this share of all, and so many of the slowest beside.
    pub fn new(share: f64, slowest: usize) -> Self {
        Self { share, slowest: slowest.min(KEPT), ..Self::default() }
    }

    /// The traces: the sampled ones, then the slowest, the slowest first.
    pub fn traces(self) -> Vec<Trace> {
        self.sampled.into_iter().chain(self.slow.into_iter().rev()).collect()
    }

    /// Whether a request is drawn; its number decides, so that nothing else is disturbed.
    fn draws(&self, request: u32) -> bool {
        let mut z = u64::from(request).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64) < self.share * (1_u64 << 53) as f64
    }

    fn span(&mut self, job: u32) -> Option<&mut TraceSpan> {
        let (request, span) = self.jobs.get(&job)?;
        self.open.get_mut(request)?.spans.get_mut(*span as usize)
    }

    fn keep(&mut self, trace: Trace) {
        if trace.sampled && self.sampled.len() < KEPT {
            return self.sampled.push(trace);
        }
        let at = self.slow.partition_point(|known| known.took <= trace.took);
        if self.slow.len() < self.slowest {
            self.slow.insert(at, trace);
        } else if at > 0 {
            self.slow.insert(at, trace);
            self.slow.remove(0);
        }
    }
}

impl Probe for Tracer {
    const TRACES: bool = true;

    fn traced(&mut self, now: Time, what: Traced) {
        match what {
            Traced::Arrived { source, request, measured } if measured && self.open.len() < OPEN => {
                let sampled = self.draws(request);
                let (took, end, spans) = (Span::ZERO, None, Vec::new());
                self.open.insert(request, Trace { request, source, began: now, took, end, sampled, spans });
            }
            Traced::Ended { request, end, .. } => {
                let Some(mut trace) = self.open.remove(&request) else { return };
                (trace.took, trace.end) = (now.since(trace.began), end);
                self.keep(trace);
            }
            Traced::Sent { request, job, parent, edge, endpoint, instance, retry } => {
                let parent = self.jobs.get(&parent).filter(|(of, _)| *of == request).map(|(_, span)| *span);
                self.jobs.remove(&job);
                let Some(trace) = self.open.get_mut(&request).filter(|t| t.spans.len() < SPANS) else {
                    return;
                };
                self.jobs.insert(job, (request, trace.spans.len() as u32));
                let (arrived, ended, end) = (None, None, None);
                let sent = now;
                trace.spans.push(TraceSpan {
                    parent,
                    edge,
                    endpoint,
                    instance,
                    retry,
                    sent,
                    arrived,
                    ended,
                    end,
                });
            }
            Traced::Received { job, .. } => {
                if let Some(span) = self.span(job) {
                    span.arrived = Some(now);
                }
            }
            Traced::Replied { job, end, .. } => {
                if let Some(span) = self.span(job) {
                    (span.ended, span.end) = (Some(now), end);
                }
                self.jobs.remove(&job);
            }
            _ => {}
        }
    }
}
