//! Units as services and datastores of our own vocabulary, as a tree.

use super::left_out::LeftOut;
use super::names::Unit;
use super::objects::Object;
use super::workload::Workload;
use crate::import::clues::roles::Role;
use crate::import::tree::{at, entry, mapping, section, text, text_at, word};
use crate::source::Span;
use crate::spec::tree::{Entry, Node};
use std::collections::HashMap;

/// Everything a unit is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'p, 'n> {
    /// It.
    pub unit: &'p Unit<'n>,
    /// All objects.
    pub objects: &'p [Object<'n>],
    /// All workloads.
    pub workloads: &'p [Workload<'n>],
    /// Where somebody outside is let in to it.
    pub public: Option<Span>,
    /// What it is.
    pub role: Role,
}

impl<'p, 'n> Parts<'p, 'n> {
    fn workloads(&self) -> impl Iterator<Item = &'p Workload<'n>> {
        let all = self.workloads;
        self.unit.workloads.iter().filter_map(move |at| all.get(*at))
    }

    fn first(&self) -> Option<&'p Workload<'n>> {
        self.workloads().next()
    }

    fn services(&self) -> impl Iterator<Item = &'p Object<'n>> {
        let all = self.objects;
        self.unit.services.iter().filter_map(move |at| all.get(*at))
    }
}

/// What scales workloads, by namespace, kind and name of the workload.
pub type Scalers<'s, 'n> = HashMap<(&'n str, &'n str, &'n str), &'s Object<'n>>;

/// What scales workloads; of several for one the first.
pub fn scalers<'s, 'n>(objects: &'s [Object<'n>]) -> Scalers<'s, 'n> {
    let mut all = Scalers::new();
    for object in objects.iter().filter(|o| o.kind == "HorizontalPodAutoscaler") {
        let target = |key| object.text(&["spec", "scaleTargetRef", key]);
        all.entry((object.namespace, target("kind"), target("name"))).or_insert(object);
    }
    all
}

/// The entry of a unit under `services` or `datastores`.
pub fn node(parts: &Parts<'_, '_>, scalers: &Scalers<'_, '_>, left_out: &mut LeftOut) -> Entry {
    let id = &parts.unit.id;
    let whole = parts.first().map_or(id.span, |w| w.object.node.span);
    let first = parts.first();
    let value = if let Role::Datastore(kind) = parts.role {
        let kind = word(kind.word(), image(parts).unwrap_or(id.span));
        mapping(
            whole,
            [("kind", Some(kind)), ("replicas", replicas(parts)), ("environment", environment(parts))],
        )
    } else {
        let external = first.is_none() && parts.services().all(is_outside);
        let technology = match parts.role {
            Role::Broker(name, _) => Some(word(name, image(parts).unwrap_or(id.span))),
            _ => None,
        };
        mapping(
            whole,
            [
                ("kind", kind(parts)),
                ("external", external.then(|| word("true", id.span))),
                ("version", first.and_then(|w| version(w))),
                ("owner", owner(parts)),
                ("technology", technology),
                ("exposure", parts.public.map(|span| word("public", span))),
                ("status", stopped(parts)),
                ("replicas", replicas(parts)),
                ("health_check", health_check(parts)),
                ("autoscaling", autoscaling(parts, scalers, left_out)),
                ("environment", environment(parts)),
            ],
        )
    };
    let empty = Node::new(whole, crate::spec::tree::Kind::Mapping(Vec::new()));
    entry(&id.value, id.span, value.unwrap_or(empty))
}

/// Whether a Service stands for something that runs elsewhere.
pub fn is_outside(object: &Object<'_>) -> bool {
    object.kind == "ServiceEntry" || object.text(&["spec", "type"]) == "ExternalName"
}

fn image(parts: &Parts<'_, '_>) -> Option<Span> {
    let container = parts.first()?.containers.iter().find(|c| !c.init)?;
    container.node.get("image").map(|n| n.span)
}

fn kind(parts: &Parts<'_, '_>) -> Option<Node> {
    let object = &parts.first()?.object;
    let kind = match object.kind {
        "Job" => "job",
        "CronJob" => "cron",
        _ => return None,
    };
    Some(word(kind, object.at(&["kind"])?.span))
}

fn version(workload: &Workload<'_>) -> Option<Node> {
    let labels = workload.object.at(&["metadata", "labels"])?;
    let version = labels.get("app.kubernetes.io/version")?;
    Some(text(version.text()?, version.span))
}

/// A label or annotation that names the team.
fn owner(parts: &Parts<'_, '_>) -> Option<Node> {
    let objects = parts.workloads().map(|w| &w.object).chain(parts.services());
    let metadata = objects.filter_map(|o| o.at(&["metadata"]));
    let mut places = metadata.flat_map(|m| ["labels", "annotations"].iter().filter_map(|key| m.get(key)));
    places.find_map(|labels| {
        let named = ["owner", "team", "app.kubernetes.io/owner", "backstage.io/owner"];
        let owner = named.iter().find_map(|key| labels.get(key))?;
        Some(text(owner.text().filter(|t| !t.is_empty())?, owner.span))
    })
}

fn stopped(parts: &Parts<'_, '_>) -> Option<Node> {
    let counts: Vec<_> = parts.workloads().map(|w| w.object.at(&["spec", "replicas"])).collect();
    let none = counts.iter().all(|c| c.and_then(Node::text) == Some("0"));
    let first = counts.first().copied().flatten().filter(|_| none)?;
    Some(word("stopped", first.span))
}

/// The copies of all workloads together, where the files say how many.
fn replicas(parts: &Parts<'_, '_>) -> Option<Node> {
    let said: Vec<_> = parts.workloads().map(|w| w.object.at(&["spec", "replicas"])).collect();
    if let [one] = said.as_slice() {
        return one.filter(|n| n.text() != Some("0")).cloned();
    }
    let first = said.iter().flatten().next().or(None)?;
    let count = |n: Option<&Node>| n.map_or(Some(1), |n| n.text()?.parse::<u64>().ok());
    let sum = said.iter().try_fold(0_u64, |sum, n| Some(sum.saturating_add(count(*n)?)))?;
    (sum > 0).then(|| word(sum.to_string(), first.span))
}

/// The readiness probe, else the liveness probe, of the first container that has one.
fn health_check(parts: &Parts<'_, '_>) -> Option<Node> {
    let containers = || parts.workloads().flat_map(|w| &w.containers).filter(|c| !c.init);
    let probe = |key: &str| containers().find_map(|c| c.node.get(key));
    let probe = probe("readinessProbe").or_else(|| probe("livenessProbe"))?;
    let seconds = |key: &str| {
        let node = probe.get(key)?;
        Some(word(format!("{}s", node.text()?), node.span))
    };
    let path = at(probe, &["httpGet", "path"]).filter(|p| p.text().is_some_and(|t| t.starts_with('/')));
    mapping(
        probe.span,
        [
            ("preset", Some(word("kubernetes", probe.span))),
            ("path", path.cloned()),
            ("interval", seconds("periodSeconds")),
            ("timeout", seconds("timeoutSeconds")),
            ("unhealthy_threshold", probe.get("failureThreshold").cloned()),
            ("healthy_threshold", probe.get("successThreshold").cloned()),
        ],
    )
}

fn autoscaling(parts: &Parts<'_, '_>, scalers: &Scalers<'_, '_>, left_out: &mut LeftOut) -> Option<Node> {
    let scaler = parts.workloads().find_map(|w| {
        let object = &w.object;
        scalers.get(&(object.namespace, object.kind, object.name.value.as_str()))
    })?;
    let spec = scaler.at(&["spec"])?;
    let mut target = spec.get("targetCPUUtilizationPercentage");
    let metrics = spec.get("metrics").map_or(&[][..], Node::items);
    // What a service is scaled by is its processor first; of other resources the first.
    for metric in metrics.iter().filter_map(|m| m.get("resource").or_else(|| m.get("containerResource"))) {
        let given = at(metric, &["target", "averageUtilization"]);
        let given = given.or_else(|| metric.get("targetAverageUtilization"));
        if given.is_some() && (target.is_none() || text_at(metric, &["name"]) == "cpu") {
            target = given;
        }
    }
    // It is a share of what was requested, and may be more; ours is one of what there is.
    let beyond =
        |n: &&Node| n.text().and_then(|t| t.parse::<u64>().ok()).is_some_and(|percent| percent > 100);
    if let Some(node) = target.filter(beyond) {
        left_out.add(scaler, "averageUtilization above 100", node);
        target = None;
    }
    mapping(
        spec.span,
        [
            ("min", spec.get("minReplicas").cloned()),
            ("max", spec.get("maxReplicas").cloned()),
            ("target_utilization", target.and_then(|n| Some(word(format!("{}%", n.text()?), n.span)))),
        ],
    )
}

/// The variables whose values stand in the manifest. A later one of a name counts, of several containers the
/// first that has it.
fn environment(parts: &Parts<'_, '_>) -> Option<Node> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: HashMap<&str, (usize, usize)> = HashMap::new();
    let containers = parts.workloads().flat_map(|w| &w.containers);
    for (container, variable) in containers
        .enumerate()
        .flat_map(|(at, c)| c.node.get("env").map_or(&[][..], Node::items).iter().map(move |v| (at, v)))
    {
        let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) else { continue };
        let (Some(key), Some(_)) = (name.text(), value.text()) else { continue };
        match known.get(key) {
            Some((of, at)) if *of == container => {
                entries.splice(*at..=*at, [entry(key, name.span, value.clone())]);
            }
            Some(_) => {}
            None => {
                known.insert(key, (container, entries.len()));
                entries.push(entry(key, name.span, value.clone()));
            }
        }
    }
    let span = entries.first()?.key.span;
    section(span, entries)
}

/// Other names of a service, so that documents and traces beside the files may use them: its workloads and
/// its further Services.
pub fn other_names(parts: &Parts<'_, '_>) -> Vec<(String, Span)> {
    let workloads = parts.workloads().map(|w| &w.object.name);
    let services = parts.services().filter(|o| o.kind == "Service").map(|o| &o.name);
    let names = workloads.chain(services).filter(|n| n.value != parts.unit.id.value);
    let mut names: Vec<_> = names.map(|n| (n.value.clone(), n.span)).collect();
    names.sort();
    names.dedup_by(|a, b| a.0 == b.0);
    names
}

/// Services that an entry lets in from outside: of type `LoadBalancer` or `NodePort`, or behind an Ingress.
pub fn public_services<'n>(objects: &[Object<'n>]) -> Vec<(&'n str, &'n str, Span)> {
    let mut found = Vec::new();
    for object in objects {
        match object.kind {
            "Service"
                if object.group.is_empty()
                    && matches!(object.text(&["spec", "type"]), "LoadBalancer" | "NodePort") =>
            {
                let span = object.at(&["spec", "type"]).map_or(object.name.span, |n| n.span);
                found.push((text_at(object.node, &["metadata", "name"]), object.namespace, span));
            }
            "Ingress" => {
                let paths = object.at(&["spec", "rules"]).map_or(&[][..], Node::items).iter();
                let paths = paths.filter_map(|r| at(r, &["http", "paths"])).flat_map(Node::items);
                let backends = paths.filter_map(|p| p.get("backend"));
                let default = ["defaultBackend", "backend"].iter().filter_map(|k| object.at(&["spec", k]));
                for backend in backends.chain(default) {
                    let name = at(backend, &["service", "name"]).or_else(|| backend.get("serviceName"));
                    found.extend(name.and_then(|n| Some((n.text()?, object.namespace, n.span))));
                }
            }
            _ => {}
        }
    }
    found
}
