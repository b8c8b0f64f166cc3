//! Who calls whom: the addresses that containers are told.

use super::names::{Names, Unit};
use super::workload::{Channel, Container, Told, Value, Workload};
use crate::import::calls::Calls;
use crate::import::clues::address::{Address, in_argument, in_value};
use crate::import::clues::config;
use crate::import::clues::keys::{is_address, is_never_called, is_telemetry};
use crate::import::clues::roles::Role;
use crate::import::{Evidence, EvidenceKind, Note};
use crate::source::Span;
use crate::spec::decode::shorten;
use crate::spec::vocabulary::Protocol;
use std::collections::HashSet;

/// What the manifests show.
#[derive(Debug, Default)]
pub struct Edges {
    /// Calls.
    pub calls: Calls,
    /// Addresses in maps that several workloads share whole: one of them is meant, nobody says which.
    pub doubtful: Vec<Evidence>,
    /// Names of Services that these files do not hold.
    pub notes: Vec<Note>,
}

struct Finder<'u, 'n> {
    names: &'u Names<'n>,
    roles: &'u [Role],
    found: Edges,
    dangling: HashSet<(usize, String)>,
}

/// Finds all calls; `roles` are those of the units.
pub fn find(names: &Names<'_>, workloads: &[Workload<'_>], roles: &[Role]) -> Edges {
    let mut finder = Finder { names, roles, found: Edges::default(), dangling: HashSet::new() };
    for (from, unit) in names.units.iter().enumerate() {
        for workload in unit.workloads.iter().filter_map(|at| workloads.get(*at)) {
            for container in &workload.containers {
                finder.container(from, unit, container);
            }
        }
    }
    let mut found = finder.found;
    let calls = &found.calls;
    let mut doubtful: Vec<_> = found.doubtful.into_iter().partition(|e| calls.has(&e.from, &e.to)).1;
    doubtful.dedup_by(|a, b| a.from == b.from && a.to == b.to);
    found.doubtful = doubtful;
    found.calls.sort();
    found
}

impl Finder<'_, '_> {
    fn container(&mut self, from: usize, unit: &Unit<'_>, container: &Container<'_>) {
        for told in &container.told {
            match told.channel {
                Channel::File { .. } => {
                    for found in config::addresses(&told.value.text) {
                        let detail = if found.key.is_empty() {
                            told.key.clone()
                        } else {
                            format!("{} {}", told.key, found.key)
                        };
                        self.address(
                            from,
                            unit,
                            container,
                            told,
                            EvidenceKind::Config,
                            &found.address,
                            &detail,
                        );
                    }
                }
                Channel::Variable | Channel::Shared if !is_never_called(&told.key) => {
                    for address in in_value(&told.value.text, is_address(&told.key)) {
                        self.address(
                            from,
                            unit,
                            container,
                            told,
                            EvidenceKind::Environment,
                            &address,
                            &told.key,
                        );
                    }
                }
                _ => {}
            }
        }
        let mut flag = None;
        for argument in &container.arguments {
            for address in in_argument(&argument.text, &mut flag) {
                let detail = shorten(&argument.text);
                let to = self.names.resolve(&address.host, unit.namespace);
                if let Some(to) = to {
                    let kind = if container.init { EvidenceKind::DependsOn } else { EvidenceKind::Command };
                    let detail = if container.init { container.name.to_owned() } else { detail };
                    let span = argument.span(address.range.clone());
                    self.add(from, to, kind, span, &detail, address.protocol(), false);
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one address, and everything around it")]
    fn address(
        &mut self,
        from: usize,
        unit: &Unit<'_>,
        container: &Container<'_>,
        told: &Told,
        kind: EvidenceKind,
        address: &Address,
        detail: &str,
    ) {
        let span = told.value.span(address.range.clone());
        let shared = matches!(told.channel, Channel::Shared | Channel::File { shared: true });
        let kind = if container.init { EvidenceKind::DependsOn } else { kind };
        match self.names.resolve(&address.host, unit.namespace) {
            Some(to) => self.add(from, to, kind, span, detail, address.protocol(), shared),
            None if kind == EvidenceKind::Environment && !shared => {
                self.dangling(from, unit, &told.value, address, &told.key);
            }
            None => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one edge, and what shows it")]
    fn add(
        &mut self,
        from: usize,
        to: usize,
        kind: EvidenceKind,
        span: Span,
        detail: &str,
        protocol: Option<Protocol>,
        shared: bool,
    ) {
        let (Some(from_unit), Some(to_unit), false) =
            (self.names.units.get(from), self.names.units.get(to), from == to)
        else {
            return;
        };
        let role = self.roles.get(to).copied().unwrap_or(Role::Service);
        let collects = role == Role::Telemetry || self.roles.get(from) == Some(&Role::Telemetry);
        let evidence = Evidence {
            from: from_unit.id.value.clone(),
            to: to_unit.id.value.clone(),
            kind,
            span,
            detail: detail.to_owned(),
            telemetry: collects || is_telemetry(detail),
        };
        if shared {
            self.found.doubtful.push(evidence);
            return;
        }
        let protocol = match role {
            Role::Broker(_, protocol) => Some(protocol),
            Role::Datastore(_) => None,
            _ => protocol,
        };
        self.found.calls.add(evidence, from_unit.id.span, protocol);
    }

    /// A variable that names a Service nobody defines.
    fn dangling(&mut self, from: usize, unit: &Unit<'_>, value: &Value, address: &Address, key: &str) {
        let host = address.host.to_lowercase();
        if Names::is_inside(&host) && is_address(key) && self.dangling.insert((from, host)) {
            let text = format!(
                "`{}` is told of `{}` ({key}), which these files do not define",
                unit.id.value, address.host
            );
            self.found.notes.push(Note { text, span: Some(value.span(address.range.clone())) });
        }
    }
}
