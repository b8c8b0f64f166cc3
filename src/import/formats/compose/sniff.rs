//! Whether a tree is a compose file. A `loadpath` document, which also has `services`, never is.

use crate::import::Candidate;
use crate::spec::decode::Record;
use crate::spec::tree::{Entry, Kind, Node};
use crate::spec::vocabulary::{Document, Service};

/// Keys that only a service of a compose file has. None of them is a key of ours.
const SERVICE_KEYS: [&str; 45] = [
    "image",
    "build",
    "command",
    "entrypoint",
    "env_file",
    "depends_on",
    "extends",
    "ports",
    "expose",
    "container_name",
    "hostname",
    "volumes",
    "volumes_from",
    "networks",
    "network_mode",
    "links",
    "external_links",
    "restart",
    "deploy",
    "scale",
    "healthcheck",
    "profiles",
    "logging",
    "secrets",
    "configs",
    "cap_add",
    "cap_drop",
    "security_opt",
    "privileged",
    "read_only",
    "user",
    "working_dir",
    "stdin_open",
    "tty",
    "ulimits",
    "sysctls",
    "extra_hosts",
    "dns",
    "init",
    "platform",
    "pull_policy",
    "stop_grace_period",
    "mem_limit",
    "tmpfs",
    "labels",
];

/// Top-level keys that only a compose file has.
const TOP_KEYS: [&str; 4] = ["volumes", "networks", "secrets", "configs"];

/// See [`Format::recognise`](crate::import::Format::recognise).
pub fn is_compose(file: &Candidate<'_>) -> bool {
    let named = is_compose_name(file.name);
    match &file.first.kind {
        Kind::Null => named && file.documents().all(|document| document.is_null() || judge(named, document)),
        Kind::Mapping(_) => judge(named, file.first),
        _ => false,
    }
}

/// Whether a file has a name that Compose looks for by itself.
pub fn is_usual(name: &str) -> bool {
    matches!(name, "compose.yaml" | "compose.yml" | "docker-compose.yaml" | "docker-compose.yml")
}

/// `compose.yaml`, `docker-compose.prod.yml`, `compose-dev.yaml`.
fn is_compose_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let yaml = [".yml", ".yaml", ".json"].iter().find_map(|end| lower.strip_suffix(end));
    let Some(stem) = yaml else { return false };
    stem.split(['.', '-', '_']).any(|part| part == "compose") || stem == "dockercompose"
}

fn judge(named: bool, root: &Node) -> bool {
    let (mut ours, mut our_services) = (Vec::new(), Vec::new());
    Document::keys(&mut ours);
    Service::keys(&mut our_services);
    let shared = ["name", "include", "services"];
    let native = |key: &str| ours.contains(&key) && !shared.contains(&key);
    if root.entries().iter().any(|e| native(&e.key.value)) {
        return false;
    }
    let top = root.entries().iter().any(|e| TOP_KEYS.contains(&e.key.value.as_str()));
    match root.get("services") {
        Some(services) => {
            let keys = || services.entries().iter().flat_map(|s| s.value.entries());
            // Both know `environment`; as a list it is theirs.
            let environment = |e: &&Entry| &*e.key.value == "environment";
            let listed = keys().filter(environment).filter(|e| !e.value.items().is_empty()).count();
            let theirs = keys().filter(|e| SERVICE_KEYS.contains(&e.key.value.as_str())).count() + listed;
            let known = |e: &&Entry| our_services.contains(&e.key.value.as_str());
            let ours = keys().filter(|e| known(e) && !environment(e)).count();
            let nothing = theirs == 0 && ours == 0;
            theirs > ours || (nothing && (named || top) && !matches!(services.kind, Kind::Sequence(_)))
        }
        None => includes_compose(root, named) || (named && no_documents(root)),
    }
}

/// `include:` with `path:`, or of files that are named like compose files.
fn includes_compose(root: &Node, named: bool) -> bool {
    let Some(include) = root.get("include") else { return false };
    include.items().iter().any(|item| match item.text() {
        Some(path) => named || is_compose_name(path.rsplit('/').next().unwrap_or_default()),
        None => item.get("path").is_some(),
    })
}

/// A file that is named like a compose file and holds only what surrounds services.
fn no_documents(root: &Node) -> bool {
    let known =
        |key: &str| TOP_KEYS.contains(&key) || matches!(key, "name" | "version") || key.starts_with("x-");
    root.entries().iter().all(|e| known(&e.key.value))
}
