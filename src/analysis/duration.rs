//! How long calls and endpoints may take at the worst.
//!
//! A call takes D(e) = min(T, n·p + b): `timeout` T, `per_try_timeout` p, n attempts with the first, b the
//! back-off between them before jitter; D = T where p is not declared. A timeout of the mesh bounds every
//! attempt, as a p does. An endpoint takes W = own time + Σ over sequential steps (of parallel ones the
//! longest) of m·D, m being `times`.

use super::endpoints::{EndpointGraph, Stop, with_stand_ins};
use crate::model::words::Duration;
use crate::model::{Architecture, Edge, EdgeKind, Step, p99};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::cmp::Reverse;

/// Which value says how long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounded {
    /// Its `timeout`.
    ByTimeout,
    /// Its `per_try_timeout`, with attempts and back-off.
    ByAttempts,
    /// A timeout of the mesh, for each of its attempts.
    ByMesh,
}

/// The longest one call can take, and what that is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTime {
    /// D(e).
    pub total: Duration,
    /// What decides.
    pub by: Bounded,
    /// p: what bounds one attempt, where it is not T.
    pub attempt: Option<Duration>,
    /// n: attempts, the first included.
    pub attempts: u32,
    /// b: the back-off between them.
    pub backoff: Duration,
}

/// What a term of a sum is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The endpoint's own work.
    Own,
    /// A call, or one that stands in for it.
    Call(EdgeIndex),
}

/// A term of a sum: `times` × `each`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// What takes the time.
    pub part: Part,
    /// So often, one after another.
    pub times: u64,
    /// So long each time.
    pub each: Duration,
}

impl Term {
    /// The product.
    pub fn total(&self) -> Duration {
        Duration(self.each.0.saturating_mul(self.times))
    }
}

/// The longest an endpoint may take, W.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worst {
    /// The sum of the terms.
    pub total: Duration,
    /// What is added up, in the order of the script; of parallel steps the longest. Nothing that takes no time.
    pub terms: Vec<Term>,
    /// Calls that nothing bounds: how long they take is not known, and not in the sum.
    pub unbounded: Vec<EdgeIndex>,
}

/// What is spent at an endpoint, and how long those that wait for it do.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The endpoint.
    pub node: NodeIndex,
    /// W.
    pub spent: Worst,
    /// The single call made there that may take longest, the first of equals; of those that do not carry
    /// the deadline on, which end with it.
    pub longest: Option<(EdgeIndex, CallTime)>,
    /// The calls of it that something bounds, each with where it comes from; what waits least is first.
    pub callers: Vec<(EdgeIndex, NodeIndex, CallTime)>,
}

/// The arithmetic of time on an architecture.
#[derive(Debug, Clone, Copy)]
pub struct Durations<'a> {
    arch: &'a Architecture,
    /// How long the mesh lets an attempt take.
    mesh: Option<Duration>,
}

impl<'a> Durations<'a> {
    /// Reads what holds for all calls.
    pub fn of(arch: &'a Architecture) -> Self {
        // The proxy's attempts are a call like any other.
        let mesh = arch.mesh.as_ref().and_then(|mesh| {
            let mut proxied = Edge::new(EdgeKind::Call, mesh.span, "mesh");
            proxied.policy.timeout.clone_from(&mesh.timeout);
            proxied.policy.retry.clone_from(&mesh.retry);
            proxied.bound()
        });
        Self { arch, mesh }
    }

    /// D(e); `None` where nothing bounds the call.
    pub fn call(&self, edge: &Edge) -> Option<CallTime> {
        let (timeout, own) = (edge.timeout().map(|t| t.value), edge.per_try_timeout().map(|p| p.value));
        let attempt = own.into_iter().chain(self.mesh).min();
        let (attempts, backoff) = (edge.attempts(), edge.total_backoff());
        let all =
            attempt.map(|p| Duration(p.0.saturating_mul(u64::from(attempts)).saturating_add(backoff.0)));
        let total = timeout.into_iter().chain(all).min()?;
        let by = match timeout {
            Some(timeout) if timeout == total => Bounded::ByTimeout,
            _ if own == attempt => Bounded::ByAttempts,
            _ => Bounded::ByMesh,
        };
        Some(CallTime { total, by, attempt, attempts, backoff })
    }

    /// What bounds one attempt of a call: the least of p, T and what the mesh allows.
    pub fn attempt(&self, edge: &Edge) -> Option<(Duration, Bounded)> {
        let own = edge.per_try_timeout().map(|p| (p.value, Bounded::ByAttempts));
        let whole = edge.timeout().map(|t| (t.value, Bounded::ByTimeout));
        let mesh = self.mesh.map(|m| (m, Bounded::ByMesh));
        own.into_iter().chain(whole).chain(mesh).min_by_key(|(duration, _)| *duration)
    }

    /// The own time of an endpoint: its p99 as declared, else that of its distribution.
    pub fn own(&self, stop: Stop) -> Option<Duration> {
        let service = self.arch.graph[stop.service].service()?;
        let latency = match stop.at() {
            Some(at) => self.arch.endpoint(at)?.latency.as_ref(),
            // With endpoints of their own it is not said which of them works.
            None => {
                service.latency.as_ref().filter(|_| service.endpoints.iter().all(|e| e.consumes.is_some()))
            }
        };
        p99(&latency?.value)
    }

    /// W of an endpoint. Linear in its steps.
    pub fn worst(&self, stop: Stop) -> Worst {
        self.worst_if(stop, &|_| None)
    }

    /// The same, some calls taking another time than the document says.
    pub fn worst_if(&self, stop: Stop, instead: &dyn Fn(EdgeIndex) -> Option<Duration>) -> Worst {
        let mut worst = Worst::default();
        let own = self.own(stop);
        worst.add(Part::Own, 1, own.unwrap_or_default());
        for step in stop.steps(self.arch).iter() {
            // Work between calls is part of the own time that is declared.
            self.step(step, own.is_none(), instead, &mut worst);
        }
        worst
    }

    fn step(
        &self,
        step: &Step,
        works: bool,
        instead: &dyn Fn(EdgeIndex) -> Option<Duration>,
        worst: &mut Worst,
    ) {
        match step {
            Step::Work(work) if works => worst.add(Part::Own, 1, work.value),
            Step::Work(_) => {}
            Step::Edge(edge) => {
                let mut times = 1_u64;
                for call in with_stand_ins(self.arch, *edge) {
                    let data = &self.arch.graph[call];
                    // One that stands in is made whenever the one before it has failed.
                    times = times.saturating_mul(u64::from(data.times));
                    if !data.is_sync_call() {
                        continue;
                    }
                    match instead(call).or_else(|| self.call(data).map(|time| time.total)) {
                        Some(time) => worst.add(Part::Call(call), times, time),
                        None => worst.unbounded.push(call),
                    }
                }
            }
            Step::Parallel(steps) => {
                let branches = steps.iter().map(|step| {
                    let mut branch = Worst::default();
                    self.step(step, works, instead, &mut branch);
                    branch
                });
                let (mut longest, mut unbounded) = (Worst::default(), Vec::new());
                for mut branch in branches {
                    unbounded.append(&mut branch.unbounded);
                    if branch.total > longest.total {
                        longest = branch;
                    }
                }
                worst.total = Duration(worst.total.0.saturating_add(longest.total.0));
                worst.terms.append(&mut longest.terms);
                worst.unbounded.append(&mut unbounded);
            }
        }
    }

    /// For every endpoint what is spent there and how long its callers wait, in the order of the graph's
    /// nodes. Linear in steps and calls.
    pub fn budgets(&self, calls: &EndpointGraph) -> Vec<Budget> {
        let bounded = |edge: EdgeIndex| self.call(&self.arch.graph[edge]);
        let budget = |node: NodeIndex| {
            let callers = calls.callers(node).into_iter();
            let mut callers: Vec<_> =
                callers.filter_map(|(edge, from)| Some((edge, from, bounded(edge)?))).collect();
            callers.sort_by_key(|(edge, _, time)| (time.total, *edge));
            let made = calls.calls(node).into_iter();
            let longest = made
                .filter(|(edge, _)| !self.arch.graph[*edge].propagates_deadline())
                .filter_map(|(edge, _)| Some((edge, bounded(edge)?)))
                .min_by_key(|(edge, time)| (Reverse(time.total), *edge));
            Budget { node, spent: self.worst(calls.graph[node]), longest, callers }
        };
        calls.graph.node_indices().map(budget).collect()
    }
}

impl Worst {
    fn add(&mut self, part: Part, times: u64, each: Duration) {
        let term = Term { part, times, each };
        if term.total().0 > 0 {
            self.total = Duration(self.total.0.saturating_add(term.total().0));
            self.terms.push(term);
        }
    }
}
