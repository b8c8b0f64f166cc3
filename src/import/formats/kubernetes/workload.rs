//! What runs: workloads with the variables, arguments and files of their containers.

use super::objects::{Labels, Object, labels};
use crate::import::tree::{at, text_at};
use crate::source::Span;
use crate::spec::tree::Node;
use std::collections::HashMap;
use std::ops::Range;

/// A workload.
#[derive(Debug)]
pub struct Workload<'n> {
    /// The object that describes it.
    pub object: Object<'n>,
    /// The labels of its pods.
    pub labels: Labels<'n>,
    /// Its containers.
    pub containers: Vec<Container<'n>>,
}

/// One container of a pod.
#[derive(Debug)]
pub struct Container<'n> {
    /// Its name.
    pub name: &'n str,
    /// Its image.
    pub image: &'n str,
    /// All that is said of it.
    pub node: &'n Node,
    /// It runs before the others and ends.
    pub init: bool,
    /// What it is told: variables and mounted files, with where each came from.
    pub told: Vec<Told>,
    /// `command` and `args`.
    pub arguments: Vec<Value>,
}

/// One thing a container is told.
#[derive(Debug)]
pub struct Told {
    /// The name of the variable, or of the file.
    pub key: String,
    /// What it says.
    pub value: Value,
    /// Where it comes from.
    pub channel: Channel,
}

/// How something reaches a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A variable that names its value, or the key it takes it from.
    Variable,
    /// One of all variables of a map that several workloads take whole: meant for one of them.
    Shared,
    /// A file.
    File {
        /// Of a map that several workloads mount.
        shared: bool,
    },
}

/// A text, and where it stands.
#[derive(Debug, Clone)]
pub struct Value {
    /// The text, references to other variables put in.
    pub text: String,
    node: Node,
    /// Text and node say the same.
    exact: bool,
}

impl Value {
    fn of(node: &Node) -> Option<Self> {
        Some(Self { text: node.text()?.to_owned(), node: node.clone(), exact: true })
    }

    /// Where a part of it stands, as exactly as can be told.
    pub fn span(&self, range: Range<usize>) -> Span {
        if self.exact { self.node.part(range.start, range.end) } else { self.node.span }
    }
}

/// A map of texts, `ConfigMap`, by namespace and name.
pub type Maps<'n> = HashMap<(&'n str, &'n str), &'n Node>;

/// The maps among objects.
pub fn maps<'n>(objects: &[Object<'n>]) -> Maps<'n> {
    let maps = objects.iter().filter(|o| o.kind == "ConfigMap" && o.group.is_empty());
    maps.filter_map(|o| Some(((o.namespace, text_at(o.node, &["metadata", "name"])), o.at(&["data"])?)))
        .collect()
}

/// All workloads.
pub fn all<'n>(objects: &[Object<'n>], maps: &Maps<'n>) -> Vec<Workload<'n>> {
    let uses = uses(objects);
    objects.iter().filter_map(|object| read(object, maps, &uses)).collect()
}

/// The description of a workload's pods.
fn pod<'n>(object: &Object<'n>) -> Option<&'n Node> {
    match object.kind {
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job"
        | "Rollout"
        | "DeploymentConfig" => object.at(&["spec", "template"]),
        "Service" if object.group == "serving.knative.dev" => object.at(&["spec", "template"]),
        "CronJob" => object.at(&["spec", "jobTemplate", "spec", "template"]),
        "Pod" => Some(object.node),
        _ => None,
    }
}

/// How many workloads take a map whole, by namespace and name.
fn uses<'n>(objects: &[Object<'n>]) -> HashMap<(&'n str, &'n str), usize> {
    let mut uses = HashMap::new();
    for object in objects {
        let Some(spec) = pod(object).and_then(|pod| pod.get("spec")) else { continue };
        let mut taken: Vec<&str> = volumes(spec).map(|(_, map)| map).collect();
        for container in containers(spec) {
            let sources = container.1.get("envFrom").map_or(&[][..], Node::items);
            taken.extend(sources.iter().map(|s| text_at(s, &["configMapRef", "name"])));
        }
        taken.sort_unstable();
        taken.dedup();
        for map in taken {
            *uses.entry((object.namespace, map)).or_default() += 1;
        }
    }
    uses
}

fn containers(spec: &Node) -> impl Iterator<Item = (bool, &Node)> {
    let of = |key: &str, init| spec.get(key).map_or(&[][..], Node::items).iter().map(move |n| (init, n));
    of("initContainers", true).chain(of("containers", false))
}

/// Volumes that are maps: the name of the volume, the name of the map.
fn volumes(spec: &Node) -> impl Iterator<Item = (&str, &str)> {
    let volumes = spec.get("volumes").map_or(&[][..], Node::items);
    volumes.iter().flat_map(|volume| {
        let name = text_at(volume, &["name"]);
        let projected = at(volume, &["projected", "sources"]).map_or(&[][..], Node::items);
        std::iter::once(volume)
            .chain(projected)
            .filter_map(move |v| Some((name, at(v, &["configMap", "name"])?.text()?)))
    })
}

fn read<'n>(
    object: &Object<'n>,
    maps: &Maps<'n>,
    uses: &HashMap<(&'n str, &'n str), usize>,
) -> Option<Workload<'n>> {
    let pod = pod(object)?;
    let spec = pod.get("spec")?;
    let shared = |map: &'n str| uses.get(&(object.namespace, map)).is_some_and(|n| *n > 1);
    let container = |(init, node): (bool, &'n Node)| {
        let mut told = variables(node, object.namespace, maps, &shared);
        told.extend(files(spec, node, object.namespace, maps, &shared));
        let words = ["command", "args"].iter().filter_map(|key| node.get(key));
        let arguments = words.flat_map(Node::items).filter_map(Value::of).map(|value| {
            let text = put_in(&value.text, &told);
            Value { exact: text == value.text, text, ..value }
        });
        let arguments = arguments.collect();
        Container {
            name: text_at(node, &["name"]),
            image: text_at(node, &["image"]),
            node,
            init: init && text_at(node, &["restartPolicy"]) != "Always",
            told,
            arguments,
        }
    };
    Some(Workload {
        object: object.clone(),
        labels: labels(at(pod, &["metadata", "labels"])),
        containers: containers(spec).map(container).collect(),
    })
}

/// `envFrom`, then `env`; a later one of a name counts.
fn variables<'n>(
    container: &'n Node,
    namespace: &'n str,
    maps: &Maps<'n>,
    shared: &dyn Fn(&'n str) -> bool,
) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for source in container.get("envFrom").map_or(&[][..], Node::items) {
        let map = text_at(source, &["configMapRef", "name"]);
        let prefix = text_at(source, &["prefix"]);
        let channel = if shared(map) { Channel::Shared } else { Channel::Variable };
        for entry in maps.get(&(namespace, map)).map_or(&[][..], |data| data.entries()) {
            let key = format!("{prefix}{}", entry.key.value.as_str());
            told.extend(Value::of(&entry.value).map(|value| Told { key, value, channel }));
        }
    }
    for variable in container.get("env").map_or(&[][..], Node::items) {
        let key = text_at(variable, &["name"]).to_owned();
        told.retain(|known| known.key != key);
        let value = variable.get("value").or_else(|| {
            let from = at(variable, &["valueFrom", "configMapKeyRef"])?;
            maps.get(&(namespace, text_at(from, &["name"])))?.get(text_at(from, &["key"]))
        });
        let Some(value) = value.and_then(Value::of) else { continue };
        let text = put_in(&value.text, &told);
        let value = Value { exact: text == value.text, text, ..value };
        told.push(Told { key, value, channel: Channel::Variable });
    }
    told
}

/// The files of the maps that the container mounts.
fn files<'n>(
    spec: &'n Node,
    container: &'n Node,
    namespace: &'n str,
    maps: &Maps<'n>,
    shared: &dyn Fn(&'n str) -> bool,
) -> Vec<Told> {
    let mut told = Vec::new();
    for mount in container.get("volumeMounts").map_or(&[][..], Node::items) {
        let (name, only) = (text_at(mount, &["name"]), text_at(mount, &["subPath"]));
        for (_, map) in volumes(spec).filter(|(volume, _)| *volume == name) {
            let channel = Channel::File { shared: shared(map) };
            for entry in maps.get(&(namespace, map)).map_or(&[][..], |data| data.entries()) {
                if only.is_empty() || entry.key.value == only {
                    let key = entry.key.value.to_string();
                    told.extend(Value::of(&entry.value).map(|value| Told { key, value, channel }));
                }
            }
        }
    }
    told
}

/// Puts in `$(NAME)`: the variable of that name, or the host that Kubernetes gives every container for
/// every Service (`CARTS_SERVICE_HOST`); which port it is does not matter here. What nobody knows stays as it is, as Kubernetes does it.
fn put_in(text: &str, known: &[Told]) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("$(") {
        out.push_str(before);
        let Some((name, end)) = after.split_once(')') else {
            out.push_str("$(");
            rest = after;
            continue;
        };
        let value = known.iter().find(|told| told.key == name).map(|told| told.value.text.clone());
        let port = name.contains("_SERVICE_PORT").then(|| "80".to_owned());
        let host = || Some(name.strip_suffix("_SERVICE_HOST")?.to_lowercase().replace('_', "-"));
        match value.or_else(host).or(port) {
            Some(value) if out.len() + value.len() < LONGEST => out.push_str(&value),
            _ => out.extend(["$(", name, ")"]),
        }
        rest = end;
    }
    out + rest
}

/// A value is no longer than this, in bytes, with others put in.
const LONGEST: usize = 1 << 20;
