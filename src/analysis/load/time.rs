//! How long answers take on average when nothing queues: own work and what is waited for.

use super::flow::Flows;
use super::solve::Groups;
use super::{Place, flow};
use crate::model::{Architecture, Edge, EdgeKind, EndpointRef, NodeKind, Step, distribution};
use petgraph::graph::NodeIndex;

/// A mean time. A mean of parallel calls is at least that of the slowest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Answer {
    /// At least this, in seconds.
    pub seconds: f64,
    /// Whether every part of it is known.
    pub complete: bool,
}

/// The answer time of every place, callees before callers. What goes round in a circle counts once.
pub(super) fn answers(arch: &Architecture, flows: &Flows, groups: &Groups) -> Vec<Answer> {
    let mut times = Times { arch, flows, groups, answers: vec![Answer::default(); flows.graph.node_count()] };
    for group in &groups.groups {
        let known: Vec<(usize, Answer)> = group.iter().map(|n| (n.index(), times.place(*n))).collect();
        for (at, answer) in known {
            times.answers[at] = answer;
        }
    }
    times.answers
}

struct Times<'a> {
    arch: &'a Architecture,
    flows: &'a Flows,
    groups: &'a Groups,
    answers: Vec<Answer>,
}

impl Times<'_> {
    fn place(&self, node: NodeIndex) -> Answer {
        match self.flows.graph[node] {
            Place::Endpoint(at) => self.endpoint(node, at),
            Place::Node(of) => match &self.arch.graph[of].kind {
                NodeKind::Service(service) => {
                    let all: Vec<usize> = flow::callable(service).map(|i| node.index() + 1 + i).collect();
                    if all.is_empty() {
                        let own = service.latency.as_ref().and_then(|l| distribution(&l.value));
                        let own = work(own.map(|d| d.mean().seconds()));
                        let calls = service.common.iter().map(|e| self.edge(node, *e));
                        return calls.fold(own, plus);
                    }
                    let share = 1.0 / all.len() as f64;
                    let each = all.iter().map(|at| self.at(node, *at));
                    let sum = each.fold(work(Some(0.0)), plus);
                    Answer { seconds: sum.seconds * share, ..sum }
                }
                NodeKind::Datastore(store) => {
                    let latency = store.latency.as_ref().and_then(|l| distribution(&l.value));
                    work(latency.map(|d| d.mean().seconds()))
                }
                NodeKind::Queue(_) | NodeKind::Topic(_) => work(Some(0.0)),
            },
        }
    }

    fn endpoint(&self, node: NodeIndex, at: EndpointRef) -> Answer {
        let Some(endpoint) = self.arch.endpoint(at) else { return Answer::default() };
        plus(work(endpoint.mean_work_s()), self.steps(node, &endpoint.steps))
    }

    /// Steps one after another.
    fn steps(&self, node: NodeIndex, steps: &[Step]) -> Answer {
        steps.iter().map(|step| self.step(node, step)).fold(work(Some(0.0)), plus)
    }

    fn step(&self, node: NodeIndex, step: &Step) -> Answer {
        match step {
            Step::Edge(edge) => self.edge(node, *edge),
            // The longest on average: what all of them take is at least that.
            Step::Parallel(steps) => {
                let longest = |a: Answer, b: Answer| Answer {
                    seconds: a.seconds.max(b.seconds),
                    complete: a.complete && b.complete,
                };
                steps.iter().map(|step| self.step(node, step)).fold(work(Some(0.0)), longest)
            }
            // A part of the own work.
            Step::Work(_) => work(Some(0.0)),
        }
    }

    fn edge(&self, node: NodeIndex, edge: petgraph::graph::EdgeIndex) -> Answer {
        let (data, to) = (&self.arch.graph[edge], self.arch.ends(edge).1);
        if data.is_telemetry() || matches!(data.kind, EdgeKind::Publish | EdgeKind::Consume) {
            return work(Some(0.0));
        }
        let place = match data.to_endpoint {
            Some(endpoint) => self.flows.endpoint(EndpointRef { service: to, endpoint }),
            None => self.flows.node(to),
        };
        let one = call(self.arch, data, self.at(node, place));
        let often = if flow::says_how_often(data) { data.probability * f64::from(data.times) } else { 0.0 };
        Answer { seconds: one.seconds * often, complete: one.complete && often > 0.0 }
    }

    /// What another place takes; on the same circle that is not known yet.
    fn at(&self, node: NodeIndex, place: usize) -> Answer {
        if self.groups.together(node, NodeIndex::new(place)) {
            return Answer::default();
        }
        self.answers.get(place).copied().unwrap_or_default()
    }
}

/// A call to what answers so: there and back, at the most as long as the caller waits.
pub(super) fn call(arch: &Architecture, edge: &Edge, answer: Answer) -> Answer {
    let there_and_back = if edge.kind == EdgeKind::Call { 2.0 * arch.network_latency_s } else { 0.0 };
    let seconds = answer.seconds + there_and_back;
    let bound = edge.bound().map_or(f64::INFINITY, crate::model::words::Duration::seconds);
    Answer { seconds: seconds.min(bound), ..answer }
}

fn work(seconds: Option<f64>) -> Answer {
    Answer { seconds: seconds.unwrap_or(0.0), complete: seconds.is_some() }
}

fn plus(a: Answer, b: Answer) -> Answer {
    Answer { seconds: a.seconds + b.seconds, complete: a.complete && b.complete }
}
