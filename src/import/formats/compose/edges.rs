//! Who calls whom, and what shows it.
//!
//! An address in a variable or command is a call. `depends_on` is start order: it is taken for a call
//! where nothing better can be expected (see `start_order`). Must not know how a host name is resolved.

use super::names::{Meaning, Names};
use super::start_order::{Tally, is_call};
use super::unit::Unit;
use crate::import::clues::address::{Address, in_argument, in_value};
use crate::import::clues::keys::{is_address, is_for_browsers, is_never_called, is_telemetry};
use crate::import::clues::roles::Role;
use crate::import::{Evidence, EvidenceKind, Note};
use crate::source::Span;
use crate::spec::decode::shorten;
use crate::spec::vocabulary::Protocol;
use std::collections::HashMap;

/// A call that was found.
#[derive(Debug)]
pub struct Edge {
    /// The caller's place.
    pub from: usize,
    /// The called service's place; `None` for one that is not defined.
    pub to: Option<usize>,
    /// How it travels, where that is evident.
    pub protocol: Option<Protocol>,
    /// What shows it, strongest first; never empty.
    pub evidence: Vec<Evidence>,
}

/// What the files show.
#[derive(Debug, Default)]
pub struct Edges {
    /// Calls, by caller in document order, then in the order in which they were found.
    pub calls: Vec<Edge>,
    /// Start order that is taken for no call.
    pub doubtful: Vec<Evidence>,
    /// Names that mean several services.
    pub notes: Vec<Note>,
}

/// The host under which a container reaches the machine it runs on.
const DOCKER_HOST: &str = "host.docker.internal";

/// Finds all calls.
pub fn find(units: &[Unit], names: &Names) -> Edges {
    let published = Published::new(units);
    let mut finders: Vec<_> =
        (0..units.len()).map(|from| Finder::new(units, names, &published, from)).collect();
    for finder in &mut finders {
        finder.addresses();
        finder.routes();
        finder.links();
    }
    let files = finders.iter().map(Finder::tally).fold(Tally::default(), Tally::and);
    let mut all = Edges::default();
    for mut finder in finders {
        finder.depends(files.tells() && finder.tally().tells(), &mut all.doubtful);
        for edge in &mut finder.edges {
            edge.evidence.sort_by_key(|e| e.kind);
        }
        all.calls.append(&mut finder.edges);
        all.notes.append(&mut finder.notes);
    }
    all
}

/// Whether it is an address that the caller itself was given.
pub const fn is_spelled(kind: EvidenceKind) -> bool {
    matches!(kind, EvidenceKind::Environment | EvidenceKind::Command)
}

/// Which service a port of the host leads to.
struct Published(HashMap<u16, Vec<usize>>);

impl Published {
    fn new(units: &[Unit]) -> Self {
        let mut ports: HashMap<u16, Vec<usize>> = HashMap::new();
        for (at, unit) in units.iter().enumerate() {
            for port in unit.published.iter().cloned().flatten() {
                ports.entry(port).or_default().push(at);
            }
        }
        Self(ports)
    }

    fn only(&self, port: u16) -> Option<usize> {
        match self.0.get(&port).map(Vec::as_slice) {
            Some([at]) => Some(*at),
            _ => None,
        }
    }
}

struct Finder<'u> {
    units: &'u [Unit],
    names: &'u Names,
    published: &'u Published,
    from: usize,
    edges: Vec<Edge>,
    /// Place in `edges` by the id that is called.
    index: HashMap<String, usize>,
    notes: Vec<Note>,
}

impl<'u> Finder<'u> {
    fn new(units: &'u [Unit], names: &'u Names, published: &'u Published, from: usize) -> Self {
        Self { units, names, published, from, edges: Vec::new(), index: HashMap::new(), notes: Vec::new() }
    }

    /// Addresses in `environment`, `entrypoint` and `command`.
    fn addresses(&mut self) {
        let unit = &self.units[self.from];
        for (key, value) in unit.environment.iter().filter(|(key, _)| !is_never_called(key)) {
            for address in in_value(value.as_str(), is_address(key)) {
                let span = value.span(address.range.clone());
                self.address(EvidenceKind::Environment, &address, span, key);
            }
        }
        for command in &unit.commands {
            let mut flag = None;
            for argument in command {
                for address in in_argument(argument.as_str(), &mut flag) {
                    let span = argument.span(address.range.clone());
                    self.address(EvidenceKind::Command, &address, span, &shorten(argument.as_str()));
                }
            }
        }
    }

    fn address(&mut self, kind: EvidenceKind, address: &Address, span: Span, detail: &str) {
        let to = if address.host.eq_ignore_ascii_case(DOCKER_HOST) {
            let port = address.port.filter(|_| !is_for_browsers(detail));
            port.and_then(|port| self.published.only(port))
        } else {
            match self.names.resolve(self.units, self.from, &address.host) {
                Meaning::One(to) => Some(to),
                Meaning::Several(several) => {
                    self.ambiguous(&address.host, &several, span);
                    None
                }
                Meaning::Unknown => None,
            }
        };
        if let Some(to) = to {
            let protocol = address.protocol();
            self.add(Some(to), &self.units[to].id.value.clone(), kind, span, detail, protocol);
        }
    }

    fn ambiguous(&mut self, host: &str, several: &[usize], span: Span) {
        if several.contains(&self.from) {
            return;
        }
        let names: Vec<_> = several.iter().map(|at| format!("`{}`", self.units[*at].id.value)).collect();
        let text = format!("`{host}` is a name of {}: no edge is drawn for it", names.join(" and "));
        self.notes.push(Note { text, span: Some(span) });
    }

    /// Labels by which a Traefik of the file finds the services behind it.
    fn routes(&mut self) {
        let image = &self.units[self.from].image;
        let name = image.split(['@', ':']).next().unwrap_or_default();
        if name.rsplit('/').next() != Some("traefik") {
            return;
        }
        let from = self.from;
        for to in (0..self.units.len()).filter(|to| *to != from) {
            let labels = &self.units[to].labels;
            let enabled = labels.iter().find(|(key, _)| key.value == "traefik.enable");
            let router = labels.iter().find(|(key, _)| {
                ["traefik.http.", "traefik.tcp.", "traefik.udp."]
                    .iter()
                    .any(|start| key.value.starts_with(start))
                    && (key.value.contains(".routers.") || key.value.contains(".services."))
            });
            let off = enabled.is_some_and(|(_, value)| value.eq_ignore_ascii_case("false"));
            if let Some((key, _)) = router.or(enabled).filter(|_| !off) {
                let protocol = key.value.starts_with("traefik.http.").then_some(Protocol::Http);
                let id = self.units[to].id.value.clone();
                self.add(Some(to), &id, EvidenceKind::Label, key.span, &key.value, protocol);
            }
        }
    }

    fn links(&mut self) {
        for link in &self.units[self.from].links {
            let to = match self.names.global(&link.to.to_lowercase()) {
                Meaning::One(to) => Some(to),
                _ => None,
            };
            if to.is_some() || !link.external {
                self.add(to, &link.to, EvidenceKind::Link, link.span, &link.to, None);
            }
        }
    }

    fn tally(&self) -> Tally {
        let unit_of = |id: &str| self.names.id(id).and_then(|at| self.units.get(at));
        Tally::of(&self.units[self.from], |id| self.knows(id), unit_of)
    }

    /// `depends_on`; `told` says that addresses tell whom this service calls.
    fn depends(&mut self, told: bool, doubtful: &mut Vec<Evidence>) {
        for dependency in &self.units[self.from].depends {
            let to = self.names.id(&dependency.on);
            if to.is_none() && !dependency.required {
                continue;
            }
            let (target, detail) = (to.map(|to| &self.units[to]), &dependency.condition);
            if self.knows(&dependency.on) || is_call(dependency, target, told) {
                self.add(to, &dependency.on, EvidenceKind::DependsOn, dependency.span, detail, None);
            } else if to != Some(self.from) {
                doubtful.push(self.evidence(
                    to,
                    &dependency.on,
                    EvidenceKind::DependsOn,
                    dependency.span,
                    detail,
                ));
            }
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.index.contains_key(id)
    }

    fn evidence(
        &self,
        to: Option<usize>,
        id: &str,
        kind: EvidenceKind,
        span: Span,
        detail: &str,
    ) -> Evidence {
        let from = self.units[self.from].id.value.clone();
        let collects = to.is_some_and(|to| self.units[to].role == Role::Telemetry);
        let named = kind == EvidenceKind::Environment && is_telemetry(detail);
        Evidence {
            from,
            to: id.to_owned(),
            kind,
            span,
            detail: detail.to_owned(),
            telemetry: collects || named,
        }
    }

    fn add(
        &mut self,
        to: Option<usize>,
        id: &str,
        kind: EvidenceKind,
        span: Span,
        detail: &str,
        protocol: Option<Protocol>,
    ) {
        if to == Some(self.from) {
            return;
        }
        let evidence = self.evidence(to, id, kind, span, detail);
        let protocol = match to.map(|to| self.units[to].role) {
            Some(Role::Broker(_, protocol)) => Some(protocol),
            Some(Role::Datastore(_)) => None,
            _ => protocol,
        };
        if let Some(edge) = self.index.get(id).and_then(|at| self.edges.get_mut(*at)) {
            edge.protocol = edge.protocol.or(protocol);
            edge.evidence.push(evidence);
        } else {
            self.index.insert(id.to_owned(), self.edges.len());
            self.edges.push(Edge { from: self.from, to, protocol, evidence: vec![evidence] });
        }
    }
}
