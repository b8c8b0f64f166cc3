//! Who depends on whom: what a Component depends on, and who provides what it consumes.

use super::entity::{Catalog, Entity, Key};
use super::nodes::{Nodes, api_name};
use crate::finding::{Finding, nearest};
use crate::import::Note;
use crate::import::notes::shown;
use crate::source::Span;
use crate::spec::decode::shorten;
use crate::spec::rules::INVALID_VALUE;
use crate::spec::tree::Node;
use std::collections::{BTreeMap, HashSet};

/// One call, by places among the entities.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub to: usize,
    /// The API by name, where it is that of a provider.
    pub api: Option<String>,
    /// Where it is said.
    pub span: Span,
}

/// Calls by caller.
#[derive(Debug, Default)]
pub struct Calls {
    by_caller: BTreeMap<usize, Vec<Call>>,
    seen: HashSet<(usize, usize, Option<String>)>,
}

impl Calls {
    fn add(&mut self, from: usize, call: Call) {
        if from != call.to && self.seen.insert((from, call.to, call.api.clone())) {
            self.by_caller.entry(from).or_default().push(call);
        }
    }

    /// The calls of one caller.
    pub fn of(&self, from: usize) -> impl Iterator<Item = &Call> {
        self.by_caller.get(&from).into_iter().flatten()
    }

    /// All.
    pub fn all(&self) -> impl Iterator<Item = &Call> {
        self.by_caller.values().flatten()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_caller.is_empty()
    }
}

/// So many names that are not defined are compared with those that are: more are not shown.
const MOST_HELPED: usize = 20;

/// Kinds that a reference may lead to by a call.
const CALLED: [&str; 3] = ["api", "component", "resource"];

struct Finder<'c, 'n> {
    catalog: &'c Catalog<'n>,
    known: &'c Nodes,
    findings: &'c mut Vec<Finding>,
    notes: &'c mut Vec<Note>,
    calls: Calls,
    /// What is named and not defined, with who names it.
    unknown: Vec<String>,
    first_unknown: Option<Span>,
}

/// Finds all calls.
pub fn find(
    catalog: &Catalog<'_>,
    known: &Nodes,
    findings: &mut Vec<Finding>,
    notes: &mut Vec<Note>,
) -> Calls {
    let (unknown, first_unknown) = (Vec::new(), None);
    let mut finder =
        Finder { catalog, known, findings, notes, calls: Calls::default(), unknown, first_unknown };
    for (from, entity) in catalog.entities.iter().enumerate() {
        finder.named(from, entity, "consumesApis", Some("api"));
        finder.named(from, entity, "dependsOn", None);
        finder.named(from, entity, "dependencyOf", None);
    }
    if !finder.unknown.is_empty() {
        let text = format!("named, and not defined in these files: {}", shown(&finder.unknown));
        finder.notes.push(Note { text, span: finder.first_unknown });
    }
    finder.calls
}

impl Finder<'_, '_> {
    fn named(&mut self, from: usize, entity: &Entity<'_>, list: &str, kind: Option<&str>) {
        for node in entity.listed(list) {
            let Some(written) = node.text() else { continue };
            let Some(key) = entity.refers(written, kind) else {
                self.no_reference(node, written, kind);
                continue;
            };
            if kind.is_some_and(|kind| kind != key.0) && CALLED.contains(&key.0.as_str()) {
                let text = format!(
                    "`{}` consumes `{written}`, which is no API but a {}: taken for a dependency on it",
                    entity.name.value, key.0
                );
                self.notes.push(Note { text, span: Some(node.span) });
            }
            if list == "dependencyOf" {
                let Some(caller) = self.catalog.place(&key) else { continue };
                self.call(caller, &entity.key, node.span);
            } else if !self.call(from, &key, node.span) {
                self.not_there(entity, &key, node, kind.is_some());
            }
        }
    }

    /// What leads to an API leads to those who provide it. Whether there is something it leads to.
    fn call(&mut self, from: usize, key: &Key, span: Span) -> bool {
        let providers = self.known.providers(key);
        let place = self.catalog.place(key);
        if self.known.calls(from) {
            for provider in providers {
                let api = Some(api_name(self.catalog, key));
                self.calls.add(from, Call { to: *provider, api, span });
            }
            if let Some(to) = place.filter(|to| providers.is_empty() && self.known.id(*to).is_some()) {
                self.calls.add(from, Call { to, api: None, span });
            }
        }
        place.is_some() || !providers.is_empty()
    }

    fn no_reference(&mut self, node: &Node, written: &str, kind: Option<&str>) {
        let message = format!("`{}` is no reference to an entity", shorten(written));
        let finding = Finding::new(&INVALID_VALUE, node.span, message).about(written);
        self.findings.push(if kind.is_none() && !written.contains(':') {
            finding.help("here a reference needs its kind: `component:NAME` or `resource:NAME`")
        } else {
            finding.help("write `[KIND:][NAMESPACE/]NAME`")
        });
    }

    fn not_there(&mut self, entity: &Entity<'_>, key: &Key, node: &Node, consumed: bool) {
        let component = ("component".to_owned(), key.1.clone(), key.2.clone());
        let (who, what) = (&entity.name.value, &key.2);
        if consumed && key.0 == "api" && self.catalog.find(&component).is_some() {
            let text = format!(
                "`{who}` consumes the API `{what}`, which is not defined; there is a component of that name: name the API it provides, or put `component:{what}` under `dependsOn`"
            );
            self.notes.push(Note { text, span: Some(node.span) });
            return;
        }
        if self.unknown.len() > MOST_HELPED {
            self.unknown.push(String::new());
            return;
        }
        let known = self.catalog.entities.iter().filter(|e| e.key.0 == key.0).map(|e| e.key.2.as_str());
        let near = nearest(what, known).map(|near| format!(", did they mean `{near}`?"));
        self.first_unknown.get_or_insert(node.span);
        self.unknown.push(format!("`{}:{what}` of `{who}`{}", key.0, near.unwrap_or_default()));
    }
}
