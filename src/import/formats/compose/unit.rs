//! One service of a compose file, read: its variables, arguments, names, ports and dependencies, with
//! variables put in.

use super::dotenv;
use super::project::Project;
use super::scope::Text;
use crate::finding::Finding;
use crate::import::clues::roles::{Role, role};
use crate::source::{Span, Spanned, join_path};
use crate::spec::rules::INVALID_VALUE;
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::{HashMap, HashSet};

/// A service of the files.
#[derive(Debug)]
pub struct Unit {
    /// Its key.
    pub id: Spanned<String>,
    /// What is said of it, merged, before variables are put in.
    pub node: Node,
    /// What it is.
    pub role: Role,
    /// Its image with the tag; empty where it is built.
    pub image: String,
    /// `environment` over `env_file`.
    pub environment: Vec<(String, Text)>,
    /// `entrypoint` and `command`, each with its arguments.
    pub commands: Vec<Vec<Text>>,
    /// `depends_on`.
    pub depends: Vec<Dependency>,
    /// `links` and `external_links`: target and alias.
    pub links: Vec<Link>,
    /// `container_name` and `hostname`.
    pub names: Vec<String>,
    /// Networks with the aliases there.
    pub networks: Vec<(String, Vec<String>)>,
    /// Ports of the host that lead to it.
    pub published: Vec<std::ops::RangeInclusive<u16>>,
    /// Labels by name.
    pub labels: Vec<(Spanned<String>, String)>,
    /// Profiles it belongs to.
    pub profiles: Vec<String>,
}

/// One entry of `depends_on`.
#[derive(Debug)]
pub struct Dependency {
    /// The service.
    pub on: String,
    /// Where it is named.
    pub span: Span,
    /// `service_started`, …; empty where none is said.
    pub condition: String,
    /// Compose refuses to start without it.
    pub required: bool,
}

/// One link.
#[derive(Debug)]
pub struct Link {
    /// A service, or for an external link a container.
    pub to: String,
    /// Another name for it, here only.
    pub alias: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// To a container outside of the files.
    pub external: bool,
}

/// Reads a service.
pub fn read(project: &mut Project<'_, '_>, entry: &Entry) -> Unit {
    let node = &entry.value;
    let image = string(project, node, "image");
    let environment = environment(project, node);
    let has_variable = |name: &str| environment.iter().any(|(key, _)| key == name);
    let role = role(&entry.key.value, &image, &has_variable);
    let names = ["container_name", "hostname"].iter().map(|key| string(project, node, key));
    let names = names.filter(|name| !name.is_empty()).collect();
    let labels = node.get("labels").map_or(&[][..], Node::entries);
    let deployed = node.get("deploy").and_then(|d| d.get("labels")).map_or(&[][..], Node::entries);
    let labels = labels.iter().chain(deployed);
    let labels = labels
        .map(|e| {
            (e.key.clone().map(|key| key.to_string()), project.scopes.string(&e.value).unwrap_or_default())
        })
        .collect();
    Unit {
        id: entry.key.clone().map(|id| id.to_string()),
        role,
        image,
        environment,
        commands: ["entrypoint", "command"]
            .iter()
            .filter_map(|key| command(project, node.get(key)?))
            .collect(),
        depends: depends(project, node),
        links: links(project, node),
        names,
        networks: networks(project, node),
        published: published(project, node),
        labels,
        profiles: strings(project, node.get("profiles")),
        node: node.clone(),
    }
}

fn string(project: &mut Project<'_, '_>, node: &Node, key: &str) -> String {
    node.get(key).and_then(|value| project.scopes.string(value)).unwrap_or_default()
}

fn strings(project: &mut Project<'_, '_>, node: Option<&Node>) -> Vec<String> {
    let items = node.map_or(&[][..], Node::items);
    items.iter().filter_map(|item| project.scopes.string(item)).collect()
}

/// The container's variables: files first, in order, then `environment`; a later one of a name counts.
fn environment(project: &mut Project<'_, '_>, node: &Node) -> Vec<(String, Text)> {
    let mut found: Vec<(String, Text)> = Vec::new();
    for item in node.get("env_file").map_or(&[][..], Node::items) {
        env_file(project, item, &mut found);
    }
    let Some(own) = node.get("environment") else { return found };
    if own.text().is_some() {
        wrong_shape(project, own, "environment", "a list `- NAME=value` or a mapping");
    }
    let mut given: Vec<(String, Option<Text>)> = Vec::with_capacity(own.entries().len());
    for entry in own.entries() {
        let name = project.scopes.key(&entry.key);
        // Without a value it comes from where compose runs: of that only `.env` is known.
        let value = if entry.value.is_null() {
            let vars = project.scopes.of(entry.key.span.file).vars;
            vars.get(&name).map(|value| Text::opaque(value.clone(), entry.key.span))
        } else {
            project.scopes.text(&entry.value)
        };
        given.push((name, value));
    }
    let names: HashSet<_> = given.iter().map(|(name, _)| name.clone()).collect();
    found.retain(|(known, _)| !names.contains(known));
    found.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    found
}

/// One item of `env_file`: a path, or `path` with `required`.
fn env_file(project: &mut Project<'_, '_>, item: &Node, found: &mut Vec<(String, Text)>) {
    let node = item.get("path").unwrap_or(item);
    let Some(path) = project.scopes.string(node).filter(|path| !path.is_empty()) else { return };
    let scope = project.scopes.of(node.span.file);
    let path = join_path(&scope.base, &path);
    let file = match project.reader.loader().load(&path) {
        Ok(bytes) => project.reader.utf8(&path, bytes),
        Err(error) => {
            if item.get("required").and_then(Node::plain) != Some("false") {
                project.reader.unreadable(node.span, &path, &error);
            }
            None
        }
    };
    let Some(file) = file else { return };
    let read = dotenv::parse(&project.reader.sources.file(file).text, &scope.vars);
    let names: HashSet<_> = read.iter().map(|a| a.name.clone()).collect();
    found.retain(|(known, _)| !names.contains(known));
    let mut at = HashMap::new();
    for assignment in read {
        let span = Span::new(file, assignment.span.start as u32, assignment.span.end as u32);
        let new = (assignment.name.clone(), Text::opaque(assignment.value, span));
        if let Some(old) = at.get(&assignment.name).and_then(|at: &usize| found.get_mut(*at)) {
            *old = new;
        } else {
            at.insert(assignment.name, found.len());
            found.push(new);
        }
    }
}

fn wrong_shape(project: &mut Project<'_, '_>, node: &Node, key: &str, wanted: &str) {
    let message = format!("`{key}` wants {wanted}, found {}", node.what());
    project.scopes.findings.push(Finding::new(&INVALID_VALUE, node.span, message));
}

fn command(project: &mut Project<'_, '_>, node: &Node) -> Option<Vec<Text>> {
    let items = match &node.kind {
        Kind::Sequence(items) => items.as_slice(),
        Kind::Scalar { .. } => std::slice::from_ref(node),
        _ => return None,
    };
    Some(items.iter().filter_map(|item| project.scopes.text(item)).collect())
}

fn depends(project: &mut Project<'_, '_>, node: &Node) -> Vec<Dependency> {
    let Some(depends) = node.get("depends_on") else { return Vec::new() };
    if depends.text().is_some() {
        wrong_shape(project, depends, "depends_on", "a list or a mapping of services");
        let kind = Kind::Null;
        let on = Spanned::new(depends.text().unwrap_or_default().into(), depends.span);
        return vec![dependency(project, &Entry { key: on, value: Node::new(depends.span, kind) })];
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for entry in depends.entries() {
        let new = dependency(project, entry);
        if !new.on.is_empty() && seen.insert(new.on.clone()) {
            found.push(new);
        }
    }
    found
}

fn dependency(project: &mut Project<'_, '_>, entry: &Entry) -> Dependency {
    let required = entry.value.get("required").and_then(Node::plain) != Some("false");
    let condition = string(project, &entry.value, "condition");
    Dependency { on: project.scopes.key(&entry.key), span: entry.key.span, condition, required }
}

fn links(project: &mut Project<'_, '_>, node: &Node) -> Vec<Link> {
    let mut found = Vec::new();
    for (key, external) in [("links", false), ("external_links", true)] {
        for item in node.get(key).map_or(&[][..], Node::items) {
            let Some(text) = project.scopes.string(item).filter(|t| !t.is_empty()) else { continue };
            let (to, alias) =
                text.split_once(':').map_or((text.as_str(), None), |(to, a)| (to, Some(a.to_owned())));
            found.push(Link { to: to.to_owned(), alias, span: item.span, external });
        }
    }
    found
}

fn networks(project: &mut Project<'_, '_>, node: &Node) -> Vec<(String, Vec<String>)> {
    let entries = node.get("networks").map_or(&[][..], Node::entries);
    let found: Vec<_> = entries
        .iter()
        .map(|e| (project.scopes.key(&e.key), strings(project, e.value.get("aliases"))))
        .collect();
    if found.is_empty() { vec![("default".to_owned(), Vec::new())] } else { found }
}

/// Ports of the host: `8080:80`, `127.0.0.1:8080-8090:80-90/tcp`, or `published` of the long form.
fn published(project: &mut Project<'_, '_>, node: &Node) -> Vec<std::ops::RangeInclusive<u16>> {
    let mut found = Vec::new();
    for item in node.get("ports").map_or(&[][..], Node::items) {
        let range = match item.get("published") {
            Some(published) => project.scopes.string(published),
            None => project.scopes.string(item).and_then(|text| {
                let mut parts = text.rsplit(':');
                let _container = parts.next();
                parts.next().map(str::to_owned)
            }),
        };
        let Some(range) = range else { continue };
        let (first, last) = range.split_once('-').unwrap_or((&range, &range));
        if let (Ok(first), Ok(last)) = (first.parse(), last.parse()) {
            found.push(first..=last);
        }
    }
    found
}
