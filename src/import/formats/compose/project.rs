//! From compose files to one mapping of services: overlays, `include`, `extends`.
//!
//! Variables are not yet put in: nodes keep the bytes they were written in. Must not know what the keys
//! of a service mean.

use super::merge::{drop_resets, lay_service, lay_services, normalise};
use super::scope::{Scope, Scopes, load_vars};
use crate::finding::{Finding, nearest};
use crate::import::ImportFile;
use crate::source::{FileId, Span, join_path};
use crate::spec::Reader;
use crate::spec::rules::{INCLUDE_CYCLE, INVALID_VALUE, LIMIT_EXCEEDED};
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::HashMap;

/// How deep files include and services extend each other.
const DEEPEST: usize = 32;

/// Files on their way to one system.
pub struct Project<'r, 'l> {
    /// Where files come from.
    pub reader: &'r mut Reader<'l>,
    /// Their variables.
    pub scopes: Scopes,
    /// Files read by name, so that each is read once.
    read: HashMap<String, Option<(FileId, Node)>>,
    /// Services of other files that were extended, by file and name.
    extended: HashMap<(FileId, String), Node>,
}

/// Reads the files as compose does with `-f a -f b`: the mapping of services, in document order.
pub fn load<'r, 'l>(reader: &'r mut Reader<'l>, files: Vec<ImportFile>) -> (Vec<Entry>, Project<'r, 'l>) {
    let mut project =
        Project { reader, scopes: Scopes::default(), read: HashMap::new(), extended: HashMap::new() };
    let mut services = empty(files.first().map_or(FileId::default(), |f| f.file));
    let base = files.first().map(|f| project.reader.sources.file(f.file).name.clone()).unwrap_or_default();
    let vars = load_vars(project.reader, &join_path(&base, ".env"), &super::interpolate::Vars::new());
    let scope = Scope { base, vars: vars.into() };
    let mut seen: Vec<String> = Vec::new();
    for file in files {
        project.scopes.insert(file.file, scope.clone());
        let path = join_path("", &project.reader.sources.file(file.file).name.clone());
        seen.push(path.clone());
        let root = file.first();
        project.read.insert(path.clone(), Some((file.file, root.clone())));
        project.file(file.file, &root, &mut services, &mut vec![path]);
    }
    drop_resets(&mut services);
    let entries = match services.kind {
        Kind::Mapping(entries) => entries,
        _ => Vec::new(),
    };
    (entries, project)
}

fn empty(file: FileId) -> Node {
    Node::new(Span::new(file, 0, 0), Kind::Mapping(Vec::new()))
}

impl Project<'_, '_> {
    /// Lays the services of one file, and of what it includes, over `services`.
    fn file(&mut self, file: FileId, root: &Node, services: &mut Node, ancestors: &mut Vec<String>) {
        self.scopes.findings.extend(super::keys::of_file(root));
        if let Some(include) = root.get("include") {
            let items =
                if include.text().is_some() { std::slice::from_ref(include) } else { include.items() };
            for item in items {
                self.include(file, item, services, ancestors);
            }
        }
        let Some(own) = root.get("services") else { return };
        if !matches!(own.kind, Kind::Mapping(_) | Kind::Null) {
            let message = format!("`services` wants a mapping, found {}", own.what());
            self.scopes.findings.push(Finding::new(&INVALID_VALUE, own.span, message));
        }
        let mut resolved = Vec::with_capacity(own.entries().len());
        for entry in own.entries() {
            if !matches!(entry.value.kind, Kind::Mapping(_) | Kind::Null) {
                let message = format!(
                    "the service `{}` wants a mapping, found {}",
                    entry.key.value,
                    entry.value.what()
                );
                let finding = Finding::new(&INVALID_VALUE, entry.value.span, message);
                self.scopes.findings.push(finding.about(&entry.key.value));
                continue;
            }
            let value = self.service(file, own, services, entry, &mut Vec::new());
            resolved.push(Entry { key: entry.key.clone(), value });
        }
        lay_services(services, Node::new(own.span, Kind::Mapping(resolved)));
    }

    /// One item of `include`: a path, or `path` (one or several, overlaid), `env_file` and
    /// `project_directory`.
    fn include(&mut self, file: FileId, item: &Node, services: &mut Node, ancestors: &mut Vec<String>) {
        let outer = self.scopes.of(file);
        let here = self.reader.sources.file(file).name.clone();
        let paths = item.get("path").unwrap_or(item);
        let mut paths: Vec<_> =
            if paths.items().is_empty() { vec![paths] } else { paths.items().iter().collect() };
        paths.retain(|p| p.text().is_some());
        let mut inner: Option<Scope> = None;
        let mut included = empty(file);
        for path in paths {
            let Some(name) = self.scopes.string(path) else { continue };
            let name = join_path(&here, &name);
            if ancestors.len() >= DEEPEST {
                self.too_deep(path.span, "includes");
                continue;
            }
            if ancestors.contains(&name) {
                let finding = Finding::new(&INCLUDE_CYCLE, path.span, format!("`{name}` includes itself"));
                let finding = finding.label("closes the circle").about(&name);
                self.scopes.findings.push(finding.help("include a file from one side only"));
                continue;
            }
            let Some((id, root)) = self.open(&name, path.span) else { continue };
            let scope = match &inner {
                Some(scope) => scope.clone(),
                None => self.included_scope(item, &here, &name, &outer),
            };
            self.scopes.insert(id, scope.clone());
            inner = Some(scope);
            ancestors.push(name);
            self.file(id, &root, &mut included, ancestors);
            ancestors.pop();
        }
        // What is included twice is the same service; what the including file says lies on top.
        if let (Kind::Mapping(have), Kind::Mapping(new)) = (&mut services.kind, included.kind) {
            let known: std::collections::HashSet<_> = have.iter().map(|e| e.key.value.clone()).collect();
            have.extend(new.into_iter().filter(|e| !known.contains(&e.key.value)));
        }
    }

    fn included_scope(&mut self, item: &Node, here: &str, first: &str, outer: &Scope) -> Scope {
        let folder = item.get("project_directory").and_then(|n| self.scopes.string(n));
        let base = folder.map_or_else(|| first.to_owned(), |f| join_path(here, &format!("{f}/compose.yaml")));
        let mut vars = (*outer.vars).clone();
        match item.get("env_file") {
            Some(given) => {
                let given =
                    if given.items().is_empty() { std::slice::from_ref(given) } else { given.items() };
                for node in given {
                    let Some(path) = self.scopes.string(node) else { continue };
                    let path = join_path(here, &path);
                    if let Err(error) = self.reader.loader().load(&path) {
                        self.reader.unreadable(node.span, &path, &error);
                    }
                    vars = load_vars(self.reader, &path, &vars);
                }
            }
            None => vars = load_vars(self.reader, &join_path(&base, ".env"), &vars),
        }
        Scope { base, vars: vars.into() }
    }

    /// A file by name, read once.
    fn open(&mut self, path: &str, span: Span) -> Option<(FileId, Node)> {
        if let Some(read) = self.read.get(path) {
            return read.clone();
        }
        let read = ImportFile::load(self.reader, path, span).map(|file| (file.file, file.first()));
        self.read.insert(path.to_owned(), read.clone());
        read
    }

    /// A service with what it extends below it. `siblings` are the services of its own file, `below` those
    /// of the files before.
    fn service(
        &mut self,
        file: FileId,
        siblings: &Node,
        below: &Node,
        entry: &Entry,
        path: &mut Vec<Step>,
    ) -> Node {
        let mut own = entry.value.clone();
        normalise(&mut own);
        let Kind::Mapping(entries) = &mut own.kind else { return own };
        let Some(at) = entries.iter().position(|e| e.key.value == "extends") else { return own };
        let extends = entries.remove(at).value;
        let name_node = extends.get("service").unwrap_or(&extends).clone();
        let (Some(name), false) = (self.scopes.string(&name_node), extends.tag.as_deref() == Some("!reset"))
        else {
            return own;
        };
        path.push((file, entry.key.value.to_string()));
        let base = self.extended(file, siblings, below, &extends, (&name, name_node.span), path);
        path.pop();
        match base {
            Some(mut base) => {
                let tag = own.tag.take();
                lay_service(&mut base, own);
                Node { span: entry.value.span, tag, ..base }
            }
            None => own,
        }
    }

    fn extended(
        &mut self,
        file: FileId,
        siblings: &Node,
        below: &Node,
        extends: &Node,
        (name, span): (&str, Span),
        path: &mut Vec<Step>,
    ) -> Option<Node> {
        let other = match extends.get("file") {
            Some(node) => {
                let given = self.scopes.string(node)?;
                let from = join_path(&self.reader.sources.file(file).name.clone(), &given);
                let (id, root) = self.open(&from, node.span)?;
                if !self.scopes.knows(id) {
                    let vars = self.scopes.of(file).vars;
                    self.scopes.insert(id, Scope { base: from, vars });
                }
                Some((id, root.get("services").cloned().unwrap_or_else(|| empty(id))))
            }
            None => None,
        };
        let (id, services) = other.as_ref().map_or((file, siblings), |(id, services)| (*id, services));
        let step = (id, name.to_owned());
        if path.len() >= DEEPEST {
            self.too_deep(span, "extends");
            return None;
        }
        if path.contains(&step) {
            let finding = Finding::new(&INVALID_VALUE, span, format!("`{name}` extends itself"));
            self.scopes.findings.push(finding.label("closes the circle").about(name));
            return None;
        }
        if let Some(done) = self.extended.get(&step) {
            return Some(done.clone());
        }
        let found = services.entries().iter().find(|e| e.key.value == name);
        let Some(entry) = found else {
            // An overlay may extend what a file before it defines.
            let earlier = if other.is_none() { below.get(name).cloned() } else { None };
            return earlier.or_else(|| self.nothing_to_extend(name, span, services));
        };
        let done = self.service(id, services, below, entry, path);
        self.extended.insert(step, done.clone());
        Some(done)
    }

    fn too_deep(&mut self, span: Span, what: &str) {
        let message = format!("{what} more than {DEEPEST} levels deep");
        self.scopes.findings.push(Finding::new(&LIMIT_EXCEEDED, span, message).label("not followed"));
    }

    fn nothing_to_extend(&mut self, name: &str, span: Span, services: &Node) -> Option<Node> {
        let near = nearest(name, services.entries().iter().map(|e| e.key.value.as_str()));
        let mut finding =
            Finding::new(&INVALID_VALUE, span, format!("there is no service `{name}` to extend"));
        finding.help.extend(near.map(|near| format!("did you mean `{near}`?")));
        self.scopes.findings.push(finding.label("extended here").about(name));
        None
    }
}

/// A service on the way through `extends`.
type Step = (FileId, String);
