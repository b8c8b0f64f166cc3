//! What stands in the architecture: services, datastores, queues, topics.

use super::routes::Routes;
use crate::source::{Span, Spanned};
use crate::spec::units::{Duration, Share};
use crate::spec::vocabulary as spec;
use petgraph::graph::EdgeIndex;
use std::sync::Arc;

/// A node of the graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id and where it is defined.
    pub id: Spanned<String>,
    /// All the bytes that say something of it.
    pub whole: Span,
    /// The team.
    pub owner: Option<Spanned<String>>,
    /// Words of the user's.
    pub tags: Vec<String>,
    /// The zone of all copies.
    pub zone: Option<Spanned<String>>,
    /// What it trusts: what passes between two of these crosses a boundary.
    pub trust_zone: Option<Spanned<String>>,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A service, someone else's included.
    Service(Box<Service>),
    /// A datastore.
    Datastore(Box<spec::Datastore>),
    /// A queue: each message to one consumer.
    Queue(spec::Queue),
    /// A topic: each message to every group.
    Topic(spec::Topic),
}

impl Node {
    /// `service`, `external`, `datastore`, `queue` or `topic`.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Service(s) if s.external => "external",
            NodeKind::Service(_) => "service",
            NodeKind::Datastore(_) => "datastore",
            NodeKind::Queue(_) => "queue",
            NodeKind::Topic(_) => "topic",
        }
    }

    /// The service it is.
    pub fn service(&self) -> Option<&Service> {
        match &self.kind {
            NodeKind::Service(service) => Some(service),
            _ => None,
        }
    }

    /// What is noted down about it.
    pub fn metadata(&self) -> &[(Spanned<String>, Spanned<String>)] {
        match &self.kind {
            NodeKind::Service(service) => &service.metadata.0,
            NodeKind::Datastore(store) => store.metadata.as_ref().map_or(&[], |m| &m.value.0),
            NodeKind::Queue(_) | NodeKind::Topic(_) => &[],
        }
    }

    /// The variables of its processes.
    pub fn environment(&self) -> &[(Spanned<String>, Spanned<String>)] {
        match &self.kind {
            NodeKind::Service(service) => &service.environment.0,
            NodeKind::Datastore(store) => store.environment.as_ref().map_or(&[], |e| &e.value.0),
            NodeKind::Queue(_) | NodeKind::Topic(_) => &[],
        }
    }

    pub(super) fn service_mut(&mut self) -> Option<&mut Service> {
        match &mut self.kind {
            NodeKind::Service(service) => Some(service),
            _ => None,
        }
    }

    /// Copies at the least, where that is declared.
    pub fn copies_at_least(&self) -> Option<Spanned<u32>> {
        match &self.kind {
            NodeKind::Service(s) => {
                let least = s.autoscaling.as_ref().and_then(|a| a.value.min).map(|m| m.map(|m| m.0));
                least.or(s.replicas)
            }
            NodeKind::Datastore(d) => d.replicas.map(|r| r.map(|r| r.0)),
            NodeKind::Queue(_) | NodeKind::Topic(_) => None,
        }
    }

    /// Whether one copy of it is one too few: others see to what is external or survives by itself; a job is
    /// one by nature.
    pub fn can_be_single(&self) -> bool {
        match &self.kind {
            NodeKind::Service(s) => {
                !s.external && !matches!(s.kind, spec::ServiceKind::Job | spec::ServiceKind::Cron)
            }
            NodeKind::Datastore(d) => !d.ha.is_some_and(|ha| ha.value),
            NodeKind::Queue(_) | NodeKind::Topic(_) => false,
        }
    }

    /// Whether it is a queue or a topic.
    pub const fn is_channel(&self) -> bool {
        matches!(self.kind, NodeKind::Queue(_) | NodeKind::Topic(_))
    }
}

/// A service with the defaults of its file filled in. What nothing said stays `None`: "not said" and
/// "declared" are different; see [`super::builtin`] for what a simulation takes instead.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// The name people say.
    pub title: Option<String>,
    /// What it is for.
    pub kind: spec::ServiceKind,
    /// Its release.
    pub version: Option<String>,
    /// When it was first registered.
    pub created_at: Option<String>,
    /// Run by someone else.
    pub external: bool,
    /// Read from another format, which shows only some of what there is.
    pub imported: bool,
    /// Who may call.
    pub exposure: Option<Spanned<spec::Exposure>>,
    /// Who is asked who they are: `none`, or a word.
    pub auth: Option<Spanned<String>>,
    /// A word of the user's.
    pub layer: Option<Spanned<String>>,
    /// Criticality, 0 the highest.
    pub tier: Option<Spanned<u32>>,
    /// What it is made with.
    pub technology: Vec<String>,
    /// How it is; healthy where nothing is said.
    pub status: Option<Spanned<spec::Status>>,
    /// `starting` lasts so long.
    pub startup: Option<Spanned<Duration>>,
    /// Copies, where a number was said or a list given.
    pub replicas: Option<Spanned<u32>>,
    /// Copies one by one, where a list was given.
    pub instances: Vec<Spanned<spec::Instance>>,
    /// Own work done at once per instance.
    pub workers: Option<Spanned<u32>>,
    /// Requests inside an instance at once.
    pub concurrency: Option<Spanned<u32>>,
    /// Requests that may wait.
    pub queue_length: Option<Spanned<u32>>,
    /// Which waiting request is next.
    pub discipline: Option<Spanned<spec::QueueDiscipline>>,
    /// What an instance turns away.
    pub limits: Option<Spanned<Arc<spec::ServiceLimits>>>,
    /// An instance that has just started is slow.
    pub warm_up: Option<Spanned<spec::WarmUp>>,
    /// Copies are added under load.
    pub autoscaling: Option<Spanned<spec::Autoscaling>>,
    /// Whether an instance is asked if it lives.
    pub health_check: Option<Spanned<Arc<crate::spec::Switch<spec::HealthCheck>>>>,
    /// What it promises.
    pub slo: Option<Spanned<Arc<spec::Slo>>>,
    /// Its own availability alone.
    pub availability: Option<Spanned<Share>>,
    /// Anything of the user's.
    pub metadata: crate::spec::Map<String>,
    /// The variables of its processes, as they are written.
    pub environment: crate::spec::Map<String>,
    /// Own work of what it does where no endpoint is named; the file's where the service says none.
    pub latency: Option<Spanned<Arc<spec::Latency>>>,
    /// Share of requests that fail by its own fault, in the same way.
    pub error_rate: Option<Spanned<Share>>,
    /// Endpoints in document order, then the handlers of what it consumes.
    pub endpoints: Vec<Endpoint>,
    /// Calls that every endpoint makes after its own (`dependencies`, `communications` of the service).
    pub common: Vec<EdgeIndex>,
}

impl Service {
    /// An endpoint by the name a caller uses: the same words; a bare path, which is any method; a path
    /// with other words in place of `{…}`.
    pub fn endpoint(&self, name: &str) -> Option<usize> {
        let mut callable = self.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none());
        let exact = callable.find(|(_, e)| e.name.value == name);
        exact.map_or_else(|| Routes::of(&self.endpoints).find(name), |(i, _)| Some(i))
    }

    /// The path its health check asks for.
    pub fn health_path(&self) -> Option<&str> {
        let check = self.health_check.as_ref()?.value.on()?;
        check.path.as_ref().map(|p| p.value.as_str())
    }

    /// The only endpoint that can be called, if there is just one.
    pub fn only_endpoint(&self) -> Option<usize> {
        let mut callable = self.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none());
        match (callable.next(), callable.next()) {
            (Some((i, _)), None) => Some(i),
            _ => None,
        }
    }
}

/// Something a service does when asked, or when a message comes.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `GET /cart/{id}`, `Convert`; for a handler the id of the queue or topic.
    pub name: Spanned<String>,
    /// The queue or topic whose messages it handles.
    pub consumes: Option<Box<Consumption>>,
    /// How it travels.
    pub protocol: Option<Spanned<spec::Protocol>>,
    /// Own work; the endpoint's, else the service's, else the file's.
    pub latency: Option<Spanned<Arc<spec::Latency>>>,
    /// Share of requests that fail by its own fault.
    pub error_rate: Option<Spanned<Share>>,
    /// What it promises.
    pub slo: Option<Spanned<Arc<spec::Slo>>>,
    /// Safe to repeat.
    pub idempotent: Option<Spanned<bool>>,
    /// Who may call.
    pub exposure: Option<Spanned<spec::Exposure>>,
    /// Who is asked who they are: `none`, or a word.
    pub auth: Option<Spanned<String>>,
    /// Of its interface.
    pub version: Option<Spanned<String>>,
    /// Not to be used any more.
    pub deprecated: Option<Spanned<bool>>,
    /// Gone on that day.
    pub sunset: Option<Spanned<crate::finding::Date>>,
    /// Words of the user's.
    pub tags: Vec<String>,
    /// A request may come back to it so often and no more.
    pub max_recursion: Option<Spanned<u32>>,
    /// What it does after its own work, in order; the service's common calls come last.
    pub steps: Vec<Step>,
}

impl Endpoint {
    /// The mean of its own work, calls not counted, in seconds: its latency's, else the sum of its `work`
    /// steps (which are parts of a declared latency). `None` where nothing is said of either.
    pub fn mean_work_s(&self) -> Option<f64> {
        let declared = self.latency.as_ref().and_then(|l| super::distribution(&l.value));
        let work = |step: &Step| if let Step::Work(work) = step { Some(work.value.seconds()) } else { None };
        let between = self.steps.iter().filter_map(work).reduce(|a, b| a + b);
        declared.map(|d| d.mean().seconds()).or(between)
    }
}

/// How a handler consumes.
#[derive(Debug, Clone)]
pub struct Consumption {
    /// The edge from the queue or topic.
    pub edge: EdgeIndex,
    /// What was written.
    pub settings: spec::Consume,
}

/// One step of an endpoint.
#[derive(Debug, Clone)]
pub enum Step {
    /// A call, message or access: an edge of the graph. The request waits for it unless it is asynchronous.
    Edge(EdgeIndex),
    /// Steps at the same time.
    Parallel(Vec<Step>),
    /// More own work.
    Work(Spanned<Duration>),
}

/// Visits every edge of a script, in order.
pub fn edges_of(steps: &[Step], visit: &mut impl FnMut(EdgeIndex)) {
    for step in steps {
        match step {
            Step::Edge(edge) => visit(*edge),
            Step::Parallel(steps) => edges_of(steps, visit),
            Step::Work(_) => {}
        }
    }
}
