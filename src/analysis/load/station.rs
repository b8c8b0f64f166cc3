//! What works, how much of it at once, and how busy the load keeps it.

use super::{Flow, Load, Place, flow};
use crate::model::words::Status;
use crate::model::{Architecture, EndpointRef, NodeKind, Service, builtin, distribution};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// What has a number of things it can do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A service: the workers of its instances.
    Service(NodeIndex),
    /// A handler: the messages its instances take at once.
    Handler(EndpointRef),
    /// A datastore: the accesses its copies take at once.
    Datastore(NodeIndex),
}

impl Carrier {
    /// The service or datastore.
    pub const fn node(self) -> NodeIndex {
        match self {
            Self::Service(node) | Self::Datastore(node) => node,
            Self::Handler(at) => at.service,
        }
    }
}

/// What can be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The instance that does most.
    Replica,
    /// All instances of the zone where most is done.
    Zone(String),
}

/// One kind of work a station does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// What is asked.
    pub place: Place,
    /// How often.
    pub flow: Flow,
    /// How long one takes on average, in seconds.
    pub seconds: f64,
}

/// A service, handler or datastore of which copies, things done at once and the time of one are said.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// What it is.
    pub carrier: Carrier,
    /// Copies that take part, as many as there may be under load.
    pub replicas: u32,
    /// Things done at once by all of them; an instance of speed 2 counts twice.
    pub servers: f64,
    /// Whether copies are added under load.
    pub scales: bool,
    /// Whether replicas or workers are not said, and the built-in numbers are taken.
    pub assumed: bool,
    /// What is left of `servers` after the worst loss; `None` with one copy, and where copies are added.
    pub after_loss: Option<(Loss, f64)>,
    /// What it does, in document order; what is known of it.
    pub works: Vec<Work>,
    /// Things being done at once, on average: Σ rate · seconds, for each of the rates.
    pub busy: Flow,
}

impl Station {
    /// ρ = λ/(replicas·capacity), at the base rate.
    pub fn utilization(&self) -> Option<f64> {
        Some(self.busy.base? / self.servers)
    }
}

/// Copies of something: what each does, where that is said.
struct Copies {
    count: u32,
    speeds: f64,
    left: Option<(Loss, f64)>,
    scales: bool,
}

/// All stations, in document order.
pub(super) fn stations(arch: &Architecture, load: &Load) -> Vec<Station> {
    let mut found = Vec::new();
    for (index, node) in arch.nodes() {
        match &node.kind {
            NodeKind::Service(service) => {
                let known = copies(node.zone.as_ref().map(|z| z.value.as_str()), service);
                let assumed = assumed_copies(service);
                let judged = known.as_ref().or(assumed.as_ref());
                if let Some(copies) = judged.filter(|_| service.workers.is_some() || !service.external) {
                    let works = services_work(load, index, service);
                    let workers = service.workers.map_or(builtin::WORKERS, |w| w.value);
                    let mut station = station(Carrier::Service(index), copies, workers, works);
                    if let Some(station) = &mut station {
                        station.assumed = known.is_none() || service.workers.is_none();
                    }
                    found.extend(station);
                }
                let Some(copies) = known else { continue };
                for (endpoint, handler) in service.endpoints.iter().enumerate() {
                    let settings = handler.consumes.as_ref().map(|c| &c.settings);
                    let Some(at_once) = settings.and_then(|s| s.concurrency) else { continue };
                    let at = EndpointRef { service: index, endpoint };
                    let place = Place::Endpoint(at);
                    // A message is held until all is done with it.
                    let work = Work { place, flow: load.at(place), seconds: load.answer(place).seconds };
                    found.extend(station(Carrier::Handler(at), &copies, at_once.value.0, vec![work]));
                }
            }
            NodeKind::Datastore(store) => {
                let (Some(workers), Some(replicas)) = (store.workers, store.replicas) else { continue };
                let latency = store.latency.as_ref().and_then(|l| distribution(&l.value));
                let seconds = latency.map(|d| d.mean().seconds());
                let place = Place::Node(index);
                let works = seconds.map(|seconds| Work { place, flow: load.at(place), seconds });
                let copies = even(replicas.value.0, false);
                let works = works.into_iter().collect();
                found.extend(station(Carrier::Datastore(index), &copies, workers.value.0, works));
            }
            NodeKind::Queue(_) | NodeKind::Topic(_) => {}
        }
    }
    found
}

fn services_work(load: &Load, index: NodeIndex, service: &Service) -> Vec<Work> {
    let known = |place: Place, seconds: Option<f64>| {
        seconds.map(|seconds| Work { place, flow: load.at(place), seconds })
    };
    let callable = flow::callable(service).filter_map(|endpoint| {
        let place = Place::Endpoint(EndpointRef { service: index, endpoint });
        known(place, service.endpoints.get(endpoint)?.mean_work_s())
    });
    let works: Vec<Work> = callable.collect();
    if flow::callable(service).next().is_some() {
        return works;
    }
    let latency = service.latency.as_ref().and_then(|l| distribution(&l.value));
    known(Place::Node(index), latency.map(|d| d.mean().seconds())).into_iter().collect()
}

fn station(carrier: Carrier, copies: &Copies, at_once: u32, works: Vec<Work>) -> Option<Station> {
    let works: Vec<Work> = works.into_iter().filter(|w| w.seconds > 0.0).collect();
    if works.is_empty() {
        return None;
    }
    let sum = |of: fn(&Flow) -> Option<f64>| {
        works.iter().map(|w| Some(of(&w.flow)? * w.seconds)).sum::<Option<f64>>()
    };
    let busy = Flow {
        base: sum(|f| f.base),
        users: sum(|f| f.users),
        peak: sum(|f| f.peak),
        storm: sum(|f| f.storm),
        complete: works.iter().all(|w| w.flow.complete),
    };
    let each = f64::from(at_once);
    let after_loss = copies.left.clone().map(|(loss, speeds)| (loss, speeds * each));
    let servers = copies.speeds * each;
    let (replicas, scales) = (copies.count, copies.scales);
    Some(Station { carrier, replicas, servers, scales, assumed: false, after_loss, works, busy })
}

fn even(count: u32, scales: bool) -> Copies {
    let speeds = f64::from(count);
    let left = (count > 1 && !scales).then_some((Loss::Replica, speeds - 1.0));
    Copies { count, speeds, left, scales }
}

/// Copies of a service that may be called, as many as there may be under load; `None` where that is not said.
pub fn replicas(service: &Service) -> Option<u32> {
    copies(None, service).map(|c| c.count)
}

/// One, where nothing at all is said of how many there are.
fn assumed_copies(service: &Service) -> Option<Copies> {
    let out = matches!(service.status.map(|s| s.value), Some(Status::Stopped | Status::Unhealthy));
    let silent = service.replicas.is_none() && service.instances.is_empty() && service.autoscaling.is_none();
    (silent && !service.external && !out).then(|| even(builtin::REPLICAS, false))
}

/// The copies of a service that may be called; `None` where their number is not said, or none is there.
fn copies(zone: Option<&str>, service: &Service) -> Option<Copies> {
    let own = service.status.map(|s| s.value);
    let out = |status: Option<Status>| matches!(status, Some(Status::Stopped | Status::Unhealthy));
    if let Some(scaling) = &service.autoscaling {
        let max = scaling.max.map(|m| m.value.0)?.max(service.replicas.map_or(1, |r| r.value));
        return (!out(own)).then(|| even(max, true));
    }
    if service.instances.is_empty() {
        return service.replicas.filter(|_| !out(own)).map(|r| even(r.value, false));
    }
    let up = service.instances.iter().filter(|i| !out(i.status.map(|s| s.value).or(own)));
    let up: Vec<_> = up
        .map(|i| (i.speed.map_or(1.0, |s| s.value), i.zone.as_ref().map_or(zone, |z| Some(z.value.as_str()))))
        .collect();
    if up.is_empty() {
        return None;
    }
    let speeds: f64 = up.iter().map(|(speed, _)| speed).sum();
    let fastest = up.iter().map(|(speed, _)| *speed).fold(0.0, f64::max);
    let mut zones: BTreeMap<&str, f64> = BTreeMap::new();
    for (speed, zone) in &up {
        *zones.entry(zone.unwrap_or_default()).or_default() += speed;
    }
    let largest = zones.iter().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let placed = zones.len() > 1 && !zones.contains_key("");
    let left = match largest.filter(|_| placed) {
        Some((zone, lost)) => Some((Loss::Zone((*zone).to_owned()), speeds - lost)),
        None => (up.len() > 1).then_some((Loss::Replica, speeds - fastest)),
    };
    Some(Copies { count: up.len() as u32, speeds, left, scales: false })
}
