//! From units and edges to a document of our own vocabulary, every part with the bytes it came from.

use super::project::Project;
use super::unit::Unit;
use crate::finding::Finding;
use crate::import::clues::roles::Role;
use crate::source::{Span, Spanned};
use crate::spec::rules::INVALID_VALUE;
use crate::spec::scalar::Positive;
use crate::spec::tree::Node;
use crate::spec::units::Duration;
use crate::spec::vocabulary::{Datastore, Document, HealthCheck, Service, Status, Texts};
use crate::spec::{Ids, Map, Switch};
use std::sync::Arc;

/// The units as services and datastores. Which are datastores was settled before.
pub fn nodes(project: &mut Project<'_, '_>, units: &[Unit], root: Span, document: &mut Document) {
    let (mut services, mut datastores) = (Vec::new(), Vec::new());
    for unit in units {
        let span = unit.node.span;
        let replicas = replicas(project, unit);
        let copies = replicas.and_then(|r| (r.value > 0).then(|| r.map(Positive)));
        if let Role::Datastore(kind) = unit.role {
            let at = unit.node.get("image").map_or(unit.id.span, |n| n.span);
            let store = Datastore {
                kind: Some(Spanned::new(kind, at)),
                replicas: copies,
                environment: environment(unit),
                ..Datastore::default()
            };
            datastores.push((unit.id.clone(), Spanned::new(store, span)));
            continue;
        }
        let stopped = replicas.filter(|r| r.value == 0).map(|r| r.map(|_| Status::Stopped));
        let technology = match unit.role {
            Role::Broker(name, _) => {
                let at = unit.node.get("image").map_or(unit.id.span, |n| n.span);
                Some(Spanned::new(Texts(vec![Spanned::new(name.to_owned(), at)]), at))
            }
            _ => None,
        };
        let health_check = unit.node.get("healthcheck").and_then(|node| health_check(project, node));
        let service = Service {
            replicas: copies,
            status: stopped,
            technology,
            health_check,
            environment: environment(unit),
            ..Service::default()
        };
        services.push((unit.id.clone(), Spanned::new(service, span)));
    }
    document.services = (!services.is_empty()).then(|| Spanned::new(Ids(Map(services)), root));
    document.datastores = (!datastores.is_empty()).then(|| Spanned::new(Ids(Map(datastores)), root));
}

/// The variables whose values stand in the file, as they are written there: what `$NAME` stands for is said
/// elsewhere.
fn environment(unit: &Unit) -> Option<Spanned<Map<String>>> {
    let node = unit.node.get("environment")?;
    let written = node.entries().iter().filter_map(|entry| {
        let value = entry.value.text()?;
        let name = Spanned::new(String::from(&entry.key.value), entry.key.span);
        Some((name, Spanned::new(value.to_owned(), entry.value.span)))
    });
    Some(Spanned::new(Map(written.collect()), node.span))
}

/// `deploy.replicas`, else `scale`.
fn replicas(project: &mut Project<'_, '_>, unit: &Unit) -> Option<Spanned<u32>> {
    let node = unit.node.get("deploy").and_then(|d| d.get("replicas")).or_else(|| unit.node.get("scale"))?;
    let text = project.scopes.string(node)?;
    match text.trim().parse::<u32>() {
        Ok(count) if count <= 1_000_000 => Some(Spanned::new(count, node.span)),
        // A variable that is not set says nothing.
        _ if text.trim().is_empty() => None,
        _ => {
            let message =
                format!("replicas are a whole number, found `{}`", crate::spec::decode::shorten(&text));
            project
                .scopes
                .findings
                .push(Finding::new(&INVALID_VALUE, node.span, message).about(&unit.id.value));
            None
        }
    }
}

fn health_check(project: &mut Project<'_, '_>, node: &Node) -> Option<Spanned<Arc<Switch<HealthCheck>>>> {
    let test = node.get("test");
    let words: Vec<_> = match test {
        Some(test) if test.text().is_some() => project.scopes.string(test).into_iter().collect(),
        Some(test) => test.items().iter().filter_map(|item| project.scopes.string(item)).collect(),
        None => Vec::new(),
    };
    let disabled = node.get("disable").and_then(Node::plain) == Some("true");
    if disabled || words.first().is_some_and(|word| word == "NONE") {
        return Some(Spanned::new(Arc::new(Switch::Off), node.span));
    }
    if node.entries().is_empty() {
        return None;
    }
    let path = words.iter().find_map(|word| url_path(word));
    let threshold = node.get("retries").and_then(|n| {
        let count = project.scopes.string(n)?.trim().parse::<u32>().ok()?;
        (1..=1_000_000).contains(&count).then(|| Spanned::new(Positive(count), n.span))
    });
    let check = HealthCheck {
        path: path.zip(test).map(|(path, test)| Spanned::new(path, test.span)),
        interval: duration(project, node.get("interval")),
        timeout: duration(project, node.get("timeout")),
        unhealthy_threshold: threshold,
        ..HealthCheck::default()
    };
    Some(Spanned::new(Arc::new(Switch::On(check)), node.span))
}

/// The path of the first URL of a text.
fn url_path(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let path = rest.get(rest.find(|c: char| c == '/' || c.is_whitespace())?..)?;
    let end = path.find(|c: char| c.is_whitespace() || "\"';|)?#".contains(c)).unwrap_or(path.len());
    path.get(..end).filter(|p| p.starts_with('/')).map(str::to_owned)
}

fn duration(project: &mut Project<'_, '_>, node: Option<&Node>) -> Option<Spanned<Duration>> {
    let node = node?;
    let text = project.scopes.string(node).filter(|t| !t.trim().is_empty())?;
    match Duration::parse(text.trim()) {
        Ok(duration) => Some(Spanned::new(duration, node.span)),
        Err(message) => {
            project.scopes.findings.push(Finding::new(&INVALID_VALUE, node.span, message));
            None
        }
    }
}
