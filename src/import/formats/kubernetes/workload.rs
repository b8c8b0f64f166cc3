//! What runs: workloads with the variables, arguments and files of their containers.

use super::objects::{Labels, Object, labels};
use crate::finding::Finding;
use crate::import::tree::{at, text_at};
use crate::source::Span;
use crate::spec::rules::LIMIT_EXCEEDED;
use crate::spec::tree::Node;
use std::borrow::Cow;
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
    pub told: Vec<Told<'n>>,
    /// `command` and `args`.
    pub arguments: Vec<Value<'n>>,
}

/// One thing a container is told.
#[derive(Debug)]
pub struct Told<'n> {
    /// The name of the variable, or of the file.
    pub key: Cow<'n, str>,
    /// What it says.
    pub value: Value<'n>,
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
pub struct Value<'n> {
    /// The text, references to other variables put in.
    pub text: Cow<'n, str>,
    node: &'n Node,
}

impl<'n> Value<'n> {
    fn of(node: &'n Node) -> Option<Self> {
        Some(Self { text: Cow::Borrowed(node.text()?), node })
    }

    /// Where a part of it stands, as exactly as can be told.
    pub fn span(&self, range: Range<usize>) -> Span {
        match self.text {
            Cow::Borrowed(_) => self.node.part(range.start, range.end),
            Cow::Owned(_) => self.node.span,
        }
    }
}

/// How much all containers together may be told, in bytes: a map is told to whoever takes it.
const LONGEST: usize = 64 << 20;

/// What is left of it.
#[derive(Debug)]
struct Budget(usize);

impl Budget {
    /// Whether so many bytes are left; they are taken then, and none after the first refusal.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(0);
        left.is_some() && self.0 > 0
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
pub fn all<'n>(objects: &[Object<'n>], maps: &Maps<'n>, findings: &mut Vec<Finding>) -> Vec<Workload<'n>> {
    let (uses, mut left, mut said) = (uses(objects), Budget(LONGEST), false);
    let read = |object| {
        let workload = read(object, maps, &uses, &mut left);
        if left.0 == 0 && !std::mem::replace(&mut said, true) {
            let message = "maps and variables tell the containers more than is read";
            let finding = Finding::new(&LIMIT_EXCEEDED, object.name.span, message);
            findings.push(finding.label("from here on nothing more is told"));
        }
        workload
    };
    objects.iter().filter_map(read).collect()
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
    left: &mut Budget,
) -> Option<Workload<'n>> {
    let pod = pod(object)?;
    let spec = pod.get("spec")?;
    let namespace = object.namespace;
    let shared = |map: &'n str| uses.get(&(namespace, map)).is_some_and(|n| *n > 1);
    let container = |(init, node): (bool, &'n Node)| {
        let mut known = Known { told: Vec::new(), index: HashMap::new(), left };
        known.variables(node, namespace, maps, &shared);
        let words = ["command", "args"].iter().filter_map(|key| node.get(key));
        let arguments = words.flat_map(Node::items).filter_map(Value::of);
        let arguments = arguments.map(|value| known.put_in(value)).collect();
        known.files(spec, node, namespace, maps, &shared);
        Container {
            name: text_at(node, &["name"]),
            image: text_at(node, &["image"]),
            node,
            init: init && text_at(node, &["restartPolicy"]) != "Always",
            told: known.told,
            arguments,
        }
    };
    Some(Workload {
        object: object.clone(),
        labels: labels(at(pod, &["metadata", "labels"])),
        containers: containers(spec).map(container).collect(),
    })
}

/// What a container is told, as it becomes known.
struct Known<'n, 'b> {
    told: Vec<Told<'n>>,
    /// Places of the variables.
    index: HashMap<Cow<'n, str>, usize>,
    left: &'b mut Budget,
}

impl<'n> Known<'n, '_> {
    /// Notes a variable; a later one of a name counts. Without a value nobody here knows it.
    fn variable(&mut self, key: Cow<'n, str>, value: Option<Value<'n>>, channel: Channel) {
        let Some(value) = value.filter(|value| self.left.take(key.len() + value.text.len() + 1)) else {
            // What is told otherwise is not what the map said.
            if let Some(told) = self.index.remove(&key).and_then(|at| self.told.get_mut(at)) {
                told.value.text = Cow::Borrowed("");
            }
            return;
        };
        let told = Told { key: key.clone(), value, channel };
        match self.index.get(&key).and_then(|at| self.told.get_mut(*at)) {
            Some(known) => *known = told,
            None => {
                self.index.insert(key, self.told.len());
                self.told.push(told);
            }
        }
    }

    /// `envFrom`, then `env`.
    fn variables(
        &mut self,
        container: &'n Node,
        namespace: &'n str,
        maps: &Maps<'n>,
        shared: &dyn Fn(&'n str) -> bool,
    ) {
        for source in container.get("envFrom").map_or(&[][..], Node::items) {
            let map = text_at(source, &["configMapRef", "name"]);
            let prefix = text_at(source, &["prefix"]);
            let channel = if shared(map) { Channel::Shared } else { Channel::Variable };
            for entry in maps.get(&(namespace, map)).map_or(&[][..], |data| data.entries()) {
                let name = entry.key.value.as_str();
                let key = match prefix {
                    "" => Cow::Borrowed(name),
                    _ => Cow::Owned(format!("{prefix}{name}")),
                };
                self.variable(key, Value::of(&entry.value), channel);
            }
        }
        for variable in container.get("env").map_or(&[][..], Node::items) {
            let value = variable.get("value").or_else(|| {
                let from = at(variable, &["valueFrom", "configMapKeyRef"])?;
                maps.get(&(namespace, text_at(from, &["name"])))?.get(text_at(from, &["key"]))
            });
            let value = value.and_then(Value::of).map(|value| self.put_in(value));
            self.variable(Cow::Borrowed(text_at(variable, &["name"])), value, Channel::Variable);
        }
    }

    /// The files of the maps that the container mounts.
    fn files(
        &mut self,
        spec: &'n Node,
        container: &'n Node,
        namespace: &'n str,
        maps: &Maps<'n>,
        shared: &dyn Fn(&'n str) -> bool,
    ) {
        for mount in container.get("volumeMounts").map_or(&[][..], Node::items) {
            let (name, only) = (text_at(mount, &["name"]), text_at(mount, &["subPath"]));
            for (_, map) in volumes(spec).filter(|(volume, _)| *volume == name) {
                let channel = Channel::File { shared: shared(map) };
                for entry in maps.get(&(namespace, map)).map_or(&[][..], |data| data.entries()) {
                    let key = entry.key.value.as_str();
                    let Some(value) = Value::of(&entry.value) else { continue };
                    if (only.is_empty() || key == only) && self.left.take(key.len() + value.text.len() + 1) {
                        self.told.push(Told { key: Cow::Borrowed(key), value, channel });
                    }
                }
            }
        }
    }

    /// Puts in `$(NAME)`: the variable of that name, or the host that Kubernetes gives every container for
    /// every Service (`CARTS_SERVICE_HOST`); which port it is does not matter here. What nobody knows stays as
    /// it is, and `$$` is a dollar sign, as Kubernetes has it.
    fn put_in(&mut self, value: Value<'n>) -> Value<'n> {
        if !value.text.contains('$') {
            return value;
        }
        let (mut out, mut rest) = (String::new(), value.text.as_ref());
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let Some((name, end)) = after.strip_prefix('(').and_then(|after| after.split_once(')')) else {
                out.push('$');
                rest = after;
                continue;
            };
            let told = self.index.get(name).and_then(|at| self.told.get(*at));
            let port = || name.contains("_SERVICE_PORT").then(|| Cow::Borrowed("80"));
            let host =
                || Some(Cow::Owned(name.strip_suffix("_SERVICE_HOST")?.to_lowercase().replace('_', "-")));
            let found = told.map(|told| Cow::Borrowed(told.value.text.as_ref())).or_else(host).or_else(port);
            match found.filter(|found| self.left.take(found.len())) {
                Some(found) => out.push_str(&found),
                None => out.extend(["$(", name, ")"]),
            }
            rest = end;
        }
        out.push_str(rest);
        if out == value.text { value } else { Value { text: Cow::Owned(out), ..value } }
    }
}
