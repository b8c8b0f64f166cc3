//! The document as a whole.

use super::call::{CallDefaults, Communication};
use super::data::{Datastore, Queue, Topic};
use super::fits;
use super::latency::Latency;
use super::lint::LintSettings;
use super::policy::{CircuitBreaker, OutlierDetection, Policy, Preset, QueueSettings, Retry};
use super::scenario::Scenario;
use super::service::{Service, Texts};
use super::traffic::Traffic;
use crate::source::Spanned;
use crate::spec::decode::{Ids, Map, Switch, record};
use crate::spec::presets;
use crate::spec::scalar::Positive;
use crate::spec::units::{Duration, Share};
use std::sync::Arc;

record! {
    /// Facts from what already exists.
    Import {
        /// Compose files, overlaid in the order given.
        compose: Texts,
        /// Kubernetes manifests.
        kubernetes: Texts,
        /// Isotope topologies.
        isotope: Texts,
        /// `AsyncAPI` files, one application each.
        asyncapi: Texts,
        /// Backstage catalogs.
        backstage: Texts,
        /// Structurizr workspaces, JSON or DSL.
        structurizr: Texts,
        /// Traces of any known format.
        traces: Texts,
    }
}

record! {
    /// What holds for services of this file that say nothing.
    ServiceDefaults {
        /// Copies.
        replicas: Positive,
        /// Own work done at once per instance.
        workers: Positive,
        /// Requests inside an instance at once.
        concurrency: Positive,
        /// What waits.
        queue: QueueSettings,
        /// The team.
        owner: String,
        /// A word of yours.
        layer: String,
        /// Criticality, 0 the highest.
        tier: u32,
        /// Own work of endpoints that say nothing.
        latency: Arc<Latency>,
        /// Share of requests that fail by a service's own fault.
        error_rate: Share,
        /// What it is made with.
        technology: Texts,
    }
}

record! {
    /// What holds for this file.
    Defaults {
        /// For services that say nothing.
        service: ServiceDefaults,
        /// For calls that say nothing.
        call: CallDefaults,
    }
}

record! {
    /// A proxy's own policies, on top of the library's.
    Mesh {
        /// For all attempts.
        timeout: Switch<Duration>,
        /// Attempts multiply with the library's.
        retry: Arc<Switch<Retry>>,
        /// Stops calling what keeps failing.
        circuit_breaker: Arc<Switch<CircuitBreaker>>,
        /// Takes instances that fail out of the balancing.
        outlier_detection: Arc<Switch<OutlierDetection>>,
        /// Encrypted between all services.
        mtls: bool,
    }
}

record! {
    /// How callers learn where instances are.
    Discovery {
        /// Defaults of a product under its name: `eureka`.
        preset: Preset,
        /// An instance says so often that it lives.
        heartbeat: Duration,
        /// Without a heartbeat it is gone after.
        lease: Duration,
        /// The registry looks for expired leases.
        sweep: Duration,
        /// A caller believes what it knows for so long.
        client_cache_ttl: Duration,
    }
    validate: fits::discovery;
    mend: presets::discovery;
}

record! {
    /// What is recorded.
    Monitoring {
        /// Between two samples.
        interval: Duration,
        /// Samples kept.
        history: Positive,
        /// Share of requests that are traced.
        sample_traces: Share,
        /// The slowest requests that are traced besides.
        slowest: u32,
    }
}

record! {
    /// What lies between instances.
    Network {
        /// One way.
        latency: Duration,
        /// One way between zones.
        between_zones: Duration,
        /// Lost messages.
        loss: Share,
    }
}

record! {
    /// A loadpath document.
    Document {
        /// Of the system.
        name: String,
        /// A sentence.
        description: String,
        /// The whole file lies on top of others.
        overlay: bool,
        /// Other files of the same system: paths or globs, seen from this file.
        include: Texts,
        /// Facts from what already exists.
        import: Vec<Spanned<Import>>,
        /// Other names for the same service.
        aliases: Map<String>,
        /// What holds for this file.
        defaults: Defaults,
        /// Services by id.
        services: Ids<Service>,
        /// Datastores by id.
        datastores: Ids<Datastore>,
        /// Queues by id.
        queues: Ids<Queue>,
        /// Topics by id.
        topics: Ids<Topic>,
        /// Edges listed on their own.
        communications: Vec<Spanned<Communication>>,
        /// How callers reach a service, by its id.
        upstreams: Map<Policy>,
        /// A proxy's own policies.
        mesh: Mesh,
        /// How callers learn where instances are.
        discovery: Discovery,
        /// What is recorded.
        monitoring: Monitoring,
        /// What lies between instances.
        network: Network,
        /// Requests from outside.
        traffic: Vec<Spanned<Traffic>>,
        /// What is tried.
        scenarios: Map<Scenario>,
        /// What the linter is told.
        lint: LintSettings,
    }
}
