//! Putting a plan together by hand: what tests, benches and the compiler of the model share.

use std::ops::Range;

use super::{
    Arrivals, Caller, Cancellation, Consumer, Edge, EdgeId, Endpoint, EndpointId, Fallback, Guards, Instance,
    Limits, Plan, Queue, RatePoint, Retry, Service, ServiceId, Source, SourceId, Step, Target, Upstream,
    UpstreamId,
};
use crate::kernel::{Distribution, Span, Time};
use crate::policy::balancer::{self, BalancerInfo};
use crate::policy::queue;
use crate::policy::retry::Backoff;
use crate::sim::CauseSet;

impl Plan {
    /// Nothing at all, for so long.
    pub fn new(warm_up: Span, duration: Span) -> Self {
        Self {
            services: Vec::new(),
            instances: Vec::new(),
            endpoints: Vec::new(),
            steps: Vec::new(),
            groups: Vec::new(),
            edges: Vec::new(),
            upstreams: Vec::new(),
            breakers: Vec::new(),
            queues: Vec::new(),
            sources: Vec::new(),
            events: Vec::new(),
            discovery: None,
            warm_up,
            duration,
            drain: Span::from_secs(30),
            window: Span::from_secs(1),
        }
    }

    /// Adds a service with so many instances `name/0`, `name/1`, …: weight and speed 1, healthy.
    pub fn add_service(&mut self, name: &str, instances: u32) -> ServiceId {
        let service = ServiceId(self.services.len() as u32);
        let first = self.instances.len() as u32;
        for n in 0..instances {
            self.instances.push(Instance::new(format!("{name}/{n}"), service));
        }
        self.services.push(Service::new(name, first..first + instances));
        service
    }

    /// Adds an endpoint. Its script is its own work (if any), the error check, then `then`; a
    /// [`Step::Work`] among `then` takes its share away from the work in front.
    pub fn add_endpoint(
        &mut self,
        name: &str,
        service: ServiceId,
        work: Option<Distribution>,
        error_rate: f64,
        then: &[Step],
    ) -> EndpointId {
        let script = self.steps.len() as u32;
        let later: f64 =
            then.iter().map(|step| if let Step::Work { share } = step { *share } else { 0.0 }).sum();
        if work.is_some() && later < 1.0 {
            self.steps.push(Step::Work { share: 1.0 - later });
        }
        self.steps.push(Step::Check);
        self.steps.extend_from_slice(then);
        self.steps.push(Step::Done);
        let id = EndpointId(self.endpoints.len() as u32);
        self.endpoints.push(Endpoint {
            name: name.to_owned(),
            service,
            work,
            error_rate,
            script,
            handler: false,
        });
        id
    }

    /// Adds a group of calls made at once.
    pub fn add_group(&mut self, edges: &[EdgeId]) -> Step {
        let first = self.groups.len() as u32;
        self.groups.extend_from_slice(edges);
        Step::Calls { first, count: edges.len() as u32 }
    }

    /// Adds an upstream.
    pub fn add_upstream(
        &mut self,
        name: &str,
        caller: Caller,
        service: ServiceId,
        balancer: &'static BalancerInfo,
    ) -> UpstreamId {
        let settings = balancer::Settings::default();
        let name = name.to_owned();
        self.upstreams.push(Upstream {
            name,
            caller,
            service,
            balancer,
            settings,
            guards: Guards::default(),
        });
        UpstreamId(self.upstreams.len() as u32 - 1)
    }

    /// Adds a call with no policy at all; set its fields afterwards.
    pub fn add_edge(&mut self, name: &str, target: EndpointId, upstream: UpstreamId) -> EdgeId {
        self.edges.push(Edge::new(name, Target::One(target), upstream));
        EdgeId(self.edges.len() as u32 - 1)
    }

    /// Adds a source.
    pub fn add_source(&mut self, name: &str, edge: EdgeId, arrivals: Arrivals) -> SourceId {
        self.sources.push(Source {
            name: name.to_owned(),
            edge,
            arrivals,
            clients: 1,
            keys: 0,
            key_skew: 0.0,
            share: 1.0,
        });
        SourceId(self.sources.len() as u32 - 1)
    }

    /// The instances a caller consists of.
    pub fn callers(&self, caller: Caller) -> u32 {
        match caller {
            Caller::Service(service) => self.services[service.index()].instances.len() as u32,
            Caller::Source(source) => self.sources[source.index()].clients.max(1),
        }
    }
}

impl Service {
    /// One worker, nothing else limited.
    pub fn new(name: &str, instances: Range<u32>) -> Self {
        Self {
            name: name.to_owned(),
            instances,
            workers: Some(1),
            concurrency: None,
            queue_max_length: None,
            discipline: &queue::QUEUES[0],
            scaling: None,
            warm_up: None,
            health_check: None,
            limits: Limits::default(),
        }
    }
}

impl Instance {
    /// Healthy, weight and speed 1.
    pub fn new(name: String, service: ServiceId) -> Self {
        Self {
            name,
            service,
            weight: 1,
            zone: None,
            speed: 1.0,
            up: true,
            listed: true,
            listed_at: None,
            startup: Span::ZERO,
        }
    }
}

impl Edge {
    /// One attempt without a limit, over a network that takes no time.
    pub fn new(name: &str, target: Target, upstream: UpstreamId) -> Self {
        Self {
            name: name.to_owned(),
            target,
            upstream,
            breaker: None,
            breaker_counts_calls: false,
            latency_out: Span::ZERO,
            latency_back: Span::ZERO,
            latency_across: None,
            loss: 0.0,
            probability: 1.0,
            times: 1,
            timeout: None,
            per_try_timeout: None,
            retry: Retry {
                num_retries: 0,
                on: CauseSet::ALL,
                backoff: Backoff::default(),
                avoids_tried: true,
            },
            hedging: None,
            optional: false,
            fallback: Fallback::None,
            cancellation: Cancellation::None,
            propagate_deadline: false,
        }
    }
}

/// One rate for the whole run.
impl From<f64> for RatePoint {
    fn from(rate: f64) -> Self {
        Self { at: Time::ZERO, rate, ramp: false }
    }
}

impl Arrivals {
    /// A Poisson process at one rate, per second.
    pub fn poisson(rate: f64) -> Self {
        Self::Poisson(vec![rate.into()])
    }
}

impl Queue {
    /// A queue that nobody consumes, without any limit.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            fan_out: false,
            partitions: None,
            max_length: None,
            max_deliveries: None,
            ack_timeout: None,
            dead_letter: None,
            consumers: Vec::new(),
        }
    }
}

impl Consumer {
    /// So many messages at once per instance, and none fetched ahead.
    pub fn new(endpoint: EndpointId, concurrency: u32) -> Self {
        Self { endpoint, concurrency, prefetch: None }
    }
}
