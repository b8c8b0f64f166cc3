//! Who calls whom, and what shows it.
//!
//! An address in a variable or command is a call. `depends_on` is start order: it is taken for a call
//! where nothing better can be expected (see `start_order`). Must not know how a host name is resolved.

use super::names::{Meaning, Names};
use super::start_order::{Tally, is_call};
use super::unit::Unit;
use crate::import::calls::{Calls, Clue};
use crate::import::clues::address::{Address, in_argument, in_value};
use crate::import::clues::keys::{is_address, is_for_browsers, is_never_called};
use crate::import::{EvidenceKind, Note};
use crate::source::Span;
use crate::spec::decode::shorten;
use crate::spec::vocabulary::Protocol;
use std::collections::HashMap;

/// What the files show.
#[derive(Debug, Default)]
pub struct Edges {
    /// Calls; doubtful is start order that is taken for no call.
    pub calls: Calls,
    /// Names that mean several services.
    pub notes: Vec<Note>,
}

/// The host under which a container reaches the machine it runs on.
const DOCKER_HOST: &str = "host.docker.internal";

/// Finds all calls.
pub fn find(units: &[Unit], names: &Names) -> Edges {
    let calls = Calls::new(units.iter().map(|unit| (unit.id.clone(), unit.role)));
    let found = Edges { calls, notes: Vec::new() };
    let mut finder = Finder { units, names, published: Published::new(units), found };
    for (from, unit) in units.iter().enumerate() {
        finder.addresses(from, unit);
        finder.routes(from, unit);
        finder.links(from, unit);
    }
    let tallies: Vec<_> = units.iter().enumerate().map(|(from, unit)| finder.tally(from, unit)).collect();
    let files = tallies.iter().copied().fold(Tally::default(), Tally::and);
    for ((from, unit), tally) in units.iter().enumerate().zip(tallies) {
        finder.depends(from, unit, files.tells() && tally.tells());
    }
    finder.found.calls.settle();
    finder.found
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
    published: Published,
    found: Edges,
}

impl Finder<'_> {
    /// Addresses in `environment`, `entrypoint` and `command`.
    fn addresses(&mut self, from: usize, unit: &Unit) {
        for (key, value) in unit.environment.iter().filter(|(key, _)| !is_never_called(key)) {
            for address in in_value(value.as_str(), is_address(key)) {
                let span = value.span(address.range.clone());
                self.address(from, EvidenceKind::Environment, &address, span, key);
            }
        }
        for command in &unit.commands {
            let mut flag = None;
            for argument in command {
                for address in in_argument(argument.as_str(), &mut flag) {
                    let span = argument.span(address.range.clone());
                    self.address(from, EvidenceKind::Command, &address, span, &shorten(argument.as_str()));
                }
            }
        }
    }

    fn address(&mut self, from: usize, kind: EvidenceKind, address: &Address, span: Span, detail: &str) {
        let to = if address.host.eq_ignore_ascii_case(DOCKER_HOST) {
            let port = address.port.filter(|_| !is_for_browsers(detail));
            port.and_then(|port| self.published.only(port))
        } else {
            match self.names.resolve(self.units, from, &address.host) {
                Meaning::One(to) => Some(to),
                Meaning::Several(several) => {
                    self.ambiguous(from, &address.host, &several, span);
                    None
                }
                Meaning::Unknown => None,
            }
        };
        if let Some(to) = to.and_then(|to| self.units.get(to)) {
            let clue = Clue { kind, span, detail, protocol: address.protocol() };
            self.found.calls.add(from, &to.id.value, clue);
        }
    }

    fn ambiguous(&mut self, from: usize, host: &str, several: &[usize], span: Span) {
        if several.contains(&from) {
            return;
        }
        let units = several.iter().filter_map(|at| self.units.get(*at));
        let names: Vec<_> = units.map(|unit| format!("`{}`", unit.id.value)).collect();
        let text = format!("`{host}` is a name of {}: no edge is drawn for it", names.join(" and "));
        self.found.notes.push(Note { text, span: Some(span) });
    }

    /// Labels by which a Traefik of the file finds the services behind it.
    fn routes(&mut self, from: usize, unit: &Unit) {
        let name = unit.image.split(['@', ':']).next().unwrap_or_default();
        if name.rsplit('/').next() != Some("traefik") {
            return;
        }
        for to in self.units {
            let labels = &to.labels;
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
                let clue = Clue { kind: EvidenceKind::Label, span: key.span, detail: &key.value, protocol };
                self.found.calls.add(from, &to.id.value, clue);
            }
        }
    }

    fn links(&mut self, from: usize, unit: &Unit) {
        for link in &unit.links {
            let to = match self.names.global(&link.to.to_lowercase()) {
                Meaning::One(to) => self.units.get(to),
                _ => None,
            };
            if to.is_some() || !link.external {
                let clue =
                    Clue { kind: EvidenceKind::Link, span: link.span, detail: &link.to, protocol: None };
                self.found.calls.add(from, to.map_or(&link.to, |to| &to.id.value), clue);
            }
        }
    }

    fn tally(&self, from: usize, unit: &Unit) -> Tally {
        let unit_of = |id: &str| self.names.id(id).and_then(|at| self.units.get(at));
        Tally::of(unit, |id| self.found.calls.has(from, id), unit_of)
    }

    /// `depends_on`; `told` says that addresses tell whom this service calls.
    fn depends(&mut self, from: usize, unit: &Unit, told: bool) {
        for dependency in &unit.depends {
            let to = self.names.id(&dependency.on).and_then(|to| self.units.get(to));
            if to.is_none() && !dependency.required {
                continue;
            }
            let detail = &dependency.condition;
            let clue = Clue { kind: EvidenceKind::DependsOn, span: dependency.span, detail, protocol: None };
            let calls = &mut self.found.calls;
            if calls.has(from, &dependency.on) || is_call(dependency, to, told) {
                calls.add(from, &dependency.on, clue);
            } else {
                calls.doubt(from, &dependency.on, clue);
            }
        }
    }
}
