//! Services, their instances and endpoints.

use super::call::{CallDefaults, Step};
use super::data::Consume;
use super::latency::Latency;
use super::limits::ServiceLimits;
use super::policy::{HealthCheck, QueueSettings};
use super::target::Target;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, Ids, Map, Switch, choice, record};
use crate::spec::facts::Facts;
use crate::spec::scalar::{Date, Positive};
use crate::spec::schema::Defs;
use crate::spec::tree::{Kind, Node};
use crate::spec::units::{Duration, Share};
use serde_json::{Value, json};
use std::sync::Arc;

choice! {
    /// What a service is for.
    ServiceKind {
        /// Answers requests.
        #[default] Service = "service",
        /// Lets requests in.
        Gateway = "gateway",
        /// Answers one kind of client.
        Bff = "bff",
        /// Runs once.
        Job = "job",
        /// Runs on a schedule.
        Cron = "cron",
    }
}

choice! {
    /// Who may call.
    Exposure {
        /// Only services of this system.
        #[default] Internal = "internal",
        /// Anyone.
        Public = "public",
    }
}

choice! {
    /// How a service is.
    Status {
        /// It answers.
        #[default] Healthy = "healthy",
        /// It runs and is not called.
        Unhealthy = "unhealthy",
        /// It will be healthy after `startup`.
        Starting = "starting",
        /// It does not run.
        Stopped = "stopped",
    }
}

record! {
    /// What is promised at the interface, dependencies included.
    Slo {
        /// Share of requests that succeed.
        availability: Share,
        /// Half are faster.
        p50: Duration,
        /// Nine in ten are faster.
        p90: Duration,
        /// All but one in twenty are faster.
        p95: Duration,
        /// All but one in a hundred are faster.
        p99: Duration,
        /// All but one in a thousand are faster.
        p999: Duration,
    }
}

record! {
    /// One running copy.
    Instance {
        /// Its name.
        id: String,
        /// Its address.
        host: String,
        /// Its port.
        port: u32,
        /// Its share of the traffic, relative to the others.
        weight: Positive,
        /// The zone it stands in.
        zone: String,
        /// 2 works twice as fast.
        speed: f64,
        /// How it is.
        status: Status,
    }
}

record! {
    /// More copies under load.
    Autoscaling {
        /// At least.
        min: Positive,
        /// At most.
        max: Positive,
        /// Copies are added above this.
        target_utilization: Share,
        /// From the need to the copy.
        delay: Duration,
    }
}

record! {
    /// An instance that has just started is slow.
    WarmUp {
        /// It takes so long until it is as fast as the others.
        duration: Duration = required,
        /// At first its work takes so many times as long; it falls evenly from there.
        factor: f64 = required,
    }
}

/// One text or several: `node` or `[typescript, node]`.
#[derive(Debug, Clone, Default)]
pub struct Texts(pub Vec<Spanned<String>>);

impl Decode for Texts {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        match (&node.kind, node.text()) {
            (_, Some(text)) => Some(Self(vec![Spanned::new(text.to_owned(), node.span)])),
            (Kind::Sequence(_), _) => Decode::decode(node, ctx).map(Self),
            _ => ctx.expected(node, "a text or a list of texts"),
        }
    }
    fn schema(defs: &mut Defs) -> Value {
        let text = String::schema(defs);
        json!({ "anyOf": [text, { "type": "array", "items": text }] })
    }
    fn tell(&self, facts: &mut Facts) {
        self.0.tell(facts);
    }
}

record! {
    /// One thing a service can be asked.
    Endpoint {
        /// A sentence.
        description: String,
        /// Of its interface.
        version: String,
        /// How it travels.
        protocol: super::policy::Protocol,
        /// Own work, without calls.
        latency: Arc<Latency>,
        /// Share of requests that fail by its own fault.
        error_rate: Share,
        /// What it promises.
        slo: Arc<Slo>,
        /// What it does, in order.
        calls: Vec<Spanned<Step>>,
        /// Safe to repeat.
        idempotent: bool,
        /// Who may call.
        exposure: Exposure,
        /// Who is asked who they are.
        auth: String,
        /// Not to be used any more.
        deprecated: bool,
        /// Gone on that day.
        sunset: Date,
        /// A request may come back to it so often and no more.
        max_recursion: Positive,
        /// Words of yours.
        tags: Texts,
    }
}

/// Endpoints: names with details, or a list of names.
#[derive(Debug, Clone, Default)]
pub struct Endpoints(pub Vec<(Spanned<String>, Spanned<Endpoint>)>);

impl Decode for Endpoints {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let Kind::Sequence(items) = &node.kind else {
            return Map::decode(node, ctx).map(|map| Self(map.0));
        };
        let names = items.iter().filter_map(|item| ctx.spanned::<String>(item));
        let endpoints: Vec<_> = names
            .map(|name| {
                let span = name.span;
                (name, Spanned::new(Endpoint::default(), span))
            })
            .collect();
        for (i, (name, _)) in endpoints.iter().enumerate() {
            if endpoints.iter().take(i).any(|(n, _)| n.value == name.value) {
                ctx.reject(name.span, format!("the endpoint `{}` is listed twice", name.value));
            }
        }
        Some(Self(endpoints))
    }
    fn schema(defs: &mut Defs) -> Value {
        let names = String::schema(defs);
        let details = Map::<Endpoint>::schema(defs);
        json!({ "anyOf": [{ "type": "array", "items": names, "uniqueItems": true }, details] })
    }
    fn tell(&self, facts: &mut Facts) {
        for (name, endpoint) in &self.0 {
            facts.at(name, endpoint.span, |facts| endpoint.value.tell(facts));
        }
    }
}

record! {
    /// What holds for the calls a service makes.
    CallsDefaults {
        /// For calls that say nothing.
        call: CallDefaults,
    }
}

record! {
    /// A service.
    Service {
        /// Lies on top of the definition of the same id.
        overlay: bool,
        /// The name people say.
        title: String,
        /// What it is for.
        kind: ServiceKind,
        /// A sentence.
        description: String,
        /// Its release.
        version: String,
        /// When it was first registered.
        created_at: String,
        /// The team.
        owner: String,
        /// A word of yours; order and contracts under `lint`.
        layer: String,
        /// Criticality, 0 the highest.
        tier: u32,
        /// Words of yours.
        tags: Texts,
        /// What it is made with.
        technology: Texts,
        /// Run by someone else.
        external: bool,
        /// Who may call.
        exposure: Exposure,
        /// Who is asked who they are: `none`, or a word.
        auth: String,
        /// What it trusts: calls between two of these cross a boundary.
        trust_zone: String,
        /// How it is.
        status: Status,
        /// `starting` lasts so long.
        startup: Duration,
        /// Copies.
        replicas: Positive,
        /// Copies, one by one.
        instances: Vec<Spanned<Instance>>,
        /// The zone of all copies.
        zone: String,
        /// Own work done at once per instance.
        workers: Positive,
        /// Requests inside an instance at once, from admission to reply.
        concurrency: Positive,
        /// What waits.
        queue: QueueSettings,
        /// What an instance turns away.
        limits: Arc<ServiceLimits>,
        /// An instance that has just started is slow.
        warm_up: WarmUp,
        /// Whether an instance is asked if it lives.
        health_check: Arc<Switch<HealthCheck>>,
        /// More copies under load.
        autoscaling: Arc<Switch<Autoscaling>>,
        /// What it promises, dependencies included.
        slo: Arc<Slo>,
        /// Its own alone.
        availability: Share,
        /// For endpoints that say nothing.
        latency: Arc<Latency>,
        /// For endpoints that say nothing.
        error_rate: Share,
        /// Edges without detail.
        dependencies: Vec<Spanned<Target>>,
        /// Anything of yours.
        metadata: Map<String>,
        /// The variables of its processes.
        environment: Map<String>,
        /// For the calls this service makes.
        defaults: Arc<CallsDefaults>,
        /// What it can be asked.
        endpoints: Endpoints,
        /// What it consumes.
        consumes: Ids<Consume>,
    }
    validate: replicas_once;
    mend: any_endpoint;
}

/// Nobody is to blame for naming an endpoint of a service whose endpoints cannot be read: like that of
/// someone else, it has whatever it is asked for.
fn any_endpoint(service: &mut Service, node: &Node) {
    let unread = matches!(node.kind, Kind::Scalar { .. } | Kind::Sequence(_));
    if unread || (node.get("endpoints").is_some() && service.endpoints.is_none()) {
        service.external = Some(Spanned::new(true, node.span));
    }
}

fn replicas_once<'n>(service: &Service, node: &'n Node, ctx: &mut Ctx<'n>) {
    let (Some(replicas), Some(instances)) = (&service.replicas, &service.instances) else { return };
    // One that cannot be read counts as well.
    let listed = node.get("instances").map_or(instances.len(), |list| list.items().len());
    if replicas.value.0 as usize != listed {
        let message = format!("`replicas` says {}, `instances` lists {listed}", replicas.value.0);
        ctx.reject_with(replicas.span, message, Some("keep one of the two".to_owned()));
    }
}
