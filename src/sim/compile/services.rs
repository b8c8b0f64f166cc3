//! Services, datastores, queues and topics with their instances.

use super::super::ids::{QueueId, ServiceId};
use super::super::plan::{Consumer, Instance, Limits, Queue, Scaling, Step, WarmUp};
use super::limits::{adaptive, rate_limit};
use super::{Compiler, EndpointSpan, span};
use crate::kernel::{Distribution, Span, Time};
use crate::model::words::{self as spec, QueueDiscipline, Status};
use crate::model::{
    EdgeKind, EndpointRef, Node, NodeKind, Service, Step as ModelStep, builtin, distribution,
};
use crate::policy::discovery::ProbeSettings;
use crate::policy::queue;
use petgraph::graph::NodeIndex;

impl Compiler<'_> {
    /// All nodes, and the places their endpoints will have.
    pub(super) fn services(&mut self) {
        let mut next = 0;
        for (index, node) in self.arch.nodes() {
            let mut unnamed = 0;
            let (callable, all) = match &node.kind {
                NodeKind::Service(service) => {
                    self.service(index, node, service);
                    let handlers = service.endpoints.iter().filter(|e| e.consumes.is_some()).count();
                    let callable = service.endpoints.len() - handlers;
                    unnamed = u32::from(callable == 0);
                    (callable.max(1), service.endpoints.len() + unnamed as usize)
                }
                NodeKind::Datastore(store) if store.latency.is_some() => {
                    let replicas = store.replicas.map_or(1, |r| r.value.0);
                    let id = self.plan.add_service(&node.id.value, replicas);
                    self.plan.services[id.index()].workers = store.workers.map(|w| w.value.0);
                    let zone = node.zone.as_ref().map(|zone| zone_of(&mut self.zones, &zone.value));
                    for place in self.plan.services[id.index()].instances.clone() {
                        self.plan.instances[place as usize].zone = zone;
                    }
                    self.services.insert(index, id);
                    (1, 1)
                }
                NodeKind::Datastore(_) => {
                    self.assumptions.asked("no time for accesses|datastores", Some(&node.id.value));
                    continue;
                }
                NodeKind::Queue(_) | NodeKind::Topic(_) => {
                    self.queues.insert(index, QueueId(self.queues.len() as u32));
                    continue;
                }
            };
            self.spans.insert(index, EndpointSpan { first: next, callable: callable as u32, unnamed });
            next += all as u32;
        }
    }

    fn service(&mut self, index: NodeIndex, node: &Node, service: &Service) {
        let id = &node.id.value;
        if !service.external {
            let missing = |said: bool| (!said).then_some(id.as_str());
            self.assumptions.asked("replicas 1|services", missing(service.replicas.is_some()));
            self.assumptions.asked("workers 1|services", missing(service.workers.is_some()));
        }
        let copies = service.replicas.map_or(builtin::REPLICAS, |r| r.value);
        let most = service.autoscaling.as_ref().and_then(|a| a.max).map_or(copies, |m| m.value.0.max(copies));
        let at = self.plan.add_service(id, most);
        let planned = &mut self.plan.services[at.index()];
        // What is run by others is not ours to run out of workers.
        let workers = service.workers.map_or(builtin::WORKERS, |w| w.value);
        planned.workers = (!service.external || service.workers.is_some()).then_some(workers);
        planned.concurrency = service.concurrency.map(|c| c.value);
        planned.queue_max_length = service.queue_length.map(|q| q.value);
        let discipline = service.discipline.map_or(QueueDiscipline::Fifo, |d| d.value);
        if let Some(found) = queue::find(discipline.word()) {
            planned.discipline = found;
        }
        planned.limits = service.limits.as_ref().map_or_else(Limits::default, |limits| Limits {
            rate: limits.rate_limit.as_ref().map(|r| rate_limit(r)),
            adaptive: limits.adaptive.as_ref().map(|a| adaptive(a)),
            ..Limits::default()
        });
        planned.health_check = health_check(service);
        planned.warm_up = service.warm_up.as_ref().and_then(|w| warm_up(w));
        planned.scaling = service.autoscaling.as_ref().map(|a| scaling(a, copies));
        let range = self.plan.services[at.index()].instances.clone();
        let startup = service.startup.map_or(builtin::STARTUP, |s| s.value);
        for (n, place) in range.enumerate() {
            let written = service.instances.get(n).map(|i| &i.value);
            let instance = &mut self.plan.instances[place as usize];
            let own = written.and_then(|w| w.status).or(service.status).map_or(Status::Healthy, |s| s.value);
            describe(instance, own, span(startup));
            if n >= copies as usize {
                // The autoscaler's reserve: its delay holds the time that a start takes, unless that is said.
                (instance.up, instance.listed) = (false, false);
                instance.startup = service.startup.map_or(Span::ZERO, |s| span(s.value));
            }
            let zone = written.and_then(|w| w.zone.as_ref()).or(node.zone.as_ref());
            instance.zone = zone.map(|zone| zone_of(&mut self.zones, &zone.value));
            if let Some(written) = written {
                if let Some(name) = &written.id {
                    instance.name = format!("{id}/{}", name.value);
                }
                instance.weight = written.weight.map_or(1, |w| w.value.0);
                instance.speed = written.speed.map_or(1.0, |s| s.value).max(1e-6);
            }
        }
        self.services.insert(index, at);
    }

    /// Endpoints with their scripts, in the order of their places.
    pub(super) fn scripts(&mut self) {
        for (index, node) in self.arch.nodes() {
            let Some(at) = self.services.get(&index).copied() else { continue };
            match &node.kind {
                NodeKind::Datastore(store) => {
                    let work = store.latency.as_ref().and_then(|l| distribution(&l.value));
                    self.plan.add_endpoint(&node.id.value, at, work, 0.0, &[]);
                    self.endpoint_refs.push(None);
                }
                NodeKind::Service(service) => self.service_scripts(index, at, service),
                NodeKind::Queue(_) | NodeKind::Topic(_) => {}
            }
        }
        for (index, node) in self.arch.nodes() {
            self.channel(index, node);
        }
    }

    fn service_scripts(&mut self, index: NodeIndex, at: ServiceId, service: &Service) {
        if service.endpoints.iter().all(|e| e.consumes.is_some()) {
            let name = self.arch.id(index).to_owned();
            let handles = service.endpoints.iter().any(|e| e.consumes.is_some());
            let silent = service.latency.is_none() && !service.external && !handles;
            self.assumptions.asked("no own work|endpoints", silent.then_some(name.as_str()));
            let work = service.latency.as_ref().and_then(|l| distribution(&l.value));
            let error_rate = service.error_rate.map_or(0.0, |e| e.fraction());
            let steps: Vec<ModelStep> = service.common.iter().map(|e| ModelStep::Edge(*e)).collect();
            let steps = self.steps(&steps, 0.0);
            self.plan.add_endpoint(&name, at, work, error_rate, &steps);
            self.endpoint_refs.push(None);
        }
        for (i, endpoint) in service.endpoints.iter().enumerate() {
            let here = EndpointRef { service: index, endpoint: i };
            let name = self.arch.endpoint_id(here);
            let silent = endpoint.latency.is_none() && !service.external;
            self.assumptions.asked("no own work|endpoints", silent.then_some(name.as_str()));
            let declared = endpoint.latency.as_ref().and_then(|l| distribution(&l.value));
            let between: u64 = endpoint.steps.iter().map(work_of).sum();
            // Work between calls is a share of the one draw; without a latency it is all the work there is.
            let work =
                declared.or_else(|| (between > 0).then(|| Distribution::Constant(Span::from_nanos(between))));
            let whole = work.as_ref().map_or(0.0, |w| w.mean().seconds() * 1e9).max(between as f64);
            let steps = self.steps(&endpoint.steps, whole);
            let error_rate = endpoint.error_rate.map_or(0.0, |e| e.fraction());
            let id = self.plan.add_endpoint(&name, at, work, error_rate, &steps);
            self.plan.endpoints[id.index()].handler = endpoint.consumes.is_some();
            self.endpoint_refs.push(Some(here));
        }
    }

    /// A script's steps; `whole` is the mean own work in nanoseconds that `work:` steps are a share of.
    fn steps(&mut self, steps: &[ModelStep], whole: f64) -> Vec<Step> {
        let mut planned = Vec::new();
        for step in steps {
            match step {
                ModelStep::Work(work) => {
                    planned.push(Step::Work { share: work.value.0 as f64 / whole.max(1.0) });
                }
                ModelStep::Edge(edge) => self.edge_step(*edge, &mut planned),
                ModelStep::Parallel(steps) => {
                    let mut together = Vec::new();
                    self.parallel(steps, &mut together, &mut planned);
                    if !together.is_empty() {
                        planned.push(self.plan.add_group(&together));
                    }
                }
            }
        }
        planned
    }

    /// Calls of a parallel step go into one group; messages and work among them come before it.
    fn parallel(&mut self, steps: &[ModelStep], together: &mut Vec<super::EdgeId>, before: &mut Vec<Step>) {
        for step in steps {
            match step {
                ModelStep::Parallel(steps) => self.parallel(steps, together, before),
                ModelStep::Edge(edge) if self.edges.contains_key(edge) => {
                    together.extend(self.edges.get(edge));
                }
                ModelStep::Edge(edge) => self.edge_step(*edge, before),
                ModelStep::Work(_) => {
                    self.assumptions.leaves_out("work inside `parallel` is not simulated", "a script");
                }
            }
        }
    }

    fn edge_step(&mut self, edge: petgraph::graph::EdgeIndex, planned: &mut Vec<Step>) {
        if let Some(call) = self.edges.get(&edge).copied() {
            planned.push(self.plan.add_group(&[call]));
            return;
        }
        let data = &self.arch.graph[edge];
        let to = self.arch.ends(edge).1;
        if data.kind != EdgeKind::Publish {
            return;
        }
        match self.queues.get(&to) {
            Some(queue) => {
                let (probability, times) = (data.probability, data.times);
                planned.push(Step::Publish { queue: *queue, probability, times });
            }
            None => self
                .assumptions
                .leaves_out("asynchronous calls of services are not simulated", &self.arch.edge_label(edge)),
        }
    }

    fn channel(&mut self, index: NodeIndex, node: &Node) {
        let mut queue = Queue::new(&node.id.value);
        let dead_letter = match &node.kind {
            NodeKind::Queue(q) => {
                queue.max_length = q.max_length.map(|m| m.value.0);
                queue.max_deliveries = q.max_deliveries.map(|m| m.value.0);
                queue.ack_timeout = q.visibility_timeout.map(|v| span(v.value));
                q.dead_letter.as_ref()
            }
            NodeKind::Topic(t) => {
                queue.fan_out = true;
                queue.partitions = t.partitions.map(|p| p.value.0);
                let silent = queue.partitions.is_none().then_some(queue.name.as_str());
                self.assumptions.asked("as many partitions as readers|topics", silent);
                None
            }
            _ => return,
        };
        queue.dead_letter =
            dead_letter.and_then(|d| self.arch.find(d)).and_then(|d| self.queues.get(&d)).copied();
        for edge in self.arch.outgoing(index) {
            let (data, to) = (&self.arch.graph[edge], self.arch.ends(edge).1);
            let Some(endpoint) = data.to_endpoint else { continue };
            let here = EndpointRef { service: to, endpoint };
            let settings = self.arch.endpoint(here).and_then(|e| e.consumes.as_ref()).map(|c| &c.settings);
            let concurrency = settings.and_then(|s| s.concurrency).map_or(1, |c| c.value.0);
            let prefetch = settings.and_then(|s| s.prefetch).map(|p| p.value);
            let consumer = |endpoint| Consumer { prefetch, ..Consumer::new(endpoint, concurrency) };
            queue.consumers.extend(self.endpoint(here).map(consumer));
        }
        self.plan.queues.push(queue);
    }
}

/// How its instances are asked whether they are well: as the kubelet does.
fn health_check(service: &Service) -> Option<ProbeSettings> {
    let check = service.health_check.as_ref()?.value.on()?;
    let known = ProbeSettings::default();
    let period = check.interval.map_or(known.period, |i| span(i.value));
    Some(ProbeSettings {
        period: period.max(Span::from_millis(1)),
        timeout: check.timeout.map_or(known.timeout, |t| span(t.value)),
        failure_threshold: check.unhealthy_threshold.map_or(known.failure_threshold, |t| t.value.0),
        success_threshold: check.healthy_threshold.map_or(known.success_threshold, |t| t.value.0),
        ..known
    })
}

fn warm_up(written: &spec::WarmUp) -> Option<WarmUp> {
    let duration = span(written.duration?.value);
    let factor = written.factor?.value;
    (!duration.is_zero() && factor > 0.0).then_some(WarmUp { duration, factor })
}

/// Half a minute from the need to the copy, and half of the workers busy, where nobody says otherwise.
fn scaling(written: &spec::Autoscaling, copies: u32) -> Scaling {
    let min = written.min.map_or(1, |m| m.value.0);
    Scaling {
        min,
        max: written.max.map_or(copies, |m| m.value.0).max(min),
        target: written.target_utilization.map_or(0.5, |t| t.fraction()).max(0.01),
        delay: written.delay.map_or(Span::from_secs(30), |d| span(d.value)),
    }
}

/// The number of a zone.
fn zone_of(zones: &mut Vec<String>, name: &str) -> u32 {
    let known = zones.iter().position(|zone| zone == name);
    known.unwrap_or_else(|| {
        zones.push(name.to_owned());
        zones.len() - 1
    }) as u32
}

fn describe(instance: &mut Instance, status: Status, startup: Span) {
    instance.startup = startup;
    match status {
        Status::Healthy => {}
        Status::Stopped => instance.up = false,
        Status::Unhealthy => instance.listed = false,
        Status::Starting => {
            instance.listed = false;
            instance.listed_at = Some(Time::ZERO + startup);
        }
    }
}

/// Nanoseconds of `work:` steps.
fn work_of(step: &ModelStep) -> u64 {
    match step {
        ModelStep::Work(work) => work.value.0,
        _ => 0,
    }
}
