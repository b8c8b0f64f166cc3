//! Who calls whom: the addresses that containers are told.

use super::names::{Names, Unit};
use super::workload::{Channel, Container, Told, Workload};
use crate::import::calls::{Calls, Clue};
use crate::import::clues::address::{Address, in_argument, in_value};
use crate::import::clues::config;
use crate::import::clues::keys::{is_address, is_never_called};
use crate::import::clues::roles::Role;
use crate::import::{EvidenceKind, Note};
use crate::spec::decode::shorten;
use std::collections::HashSet;

/// What the manifests show.
#[derive(Debug, Default)]
pub struct Edges {
    /// Calls; doubtful are addresses in maps that several workloads share whole: one of them is meant, nobody
    /// says which.
    pub calls: Calls,
    /// Names of Services that these files do not hold.
    pub notes: Vec<Note>,
}

struct Finder<'u, 'n> {
    names: &'u Names<'n>,
    found: Edges,
    dangling: HashSet<(usize, String)>,
}

/// Finds all calls; `roles` are those of the units.
pub fn find(names: &Names<'_>, workloads: &[Workload<'_>], roles: &[Role]) -> Edges {
    let ids = names.units.iter().map(|unit| unit.id.clone());
    let calls = Calls::new(ids.zip(roles.iter().copied()));
    let mut finder = Finder { names, found: Edges { calls, notes: Vec::new() }, dangling: HashSet::new() };
    for (from, unit) in names.units.iter().enumerate() {
        for workload in unit.workloads.iter().filter_map(|at| workloads.get(*at)) {
            for container in &workload.containers {
                finder.container(from, unit, container);
            }
        }
    }
    finder.found.calls.settle();
    finder.found
}

impl Finder<'_, '_> {
    fn container(&mut self, from: usize, unit: &Unit<'_>, container: &Container<'_>) {
        let init = container.init;
        for told in &container.told {
            match told.channel {
                Channel::File { shared } => {
                    for found in config::addresses(&told.value.text) {
                        let detail = format!("{} {}", told.key, found.key);
                        let clue = clue(EvidenceKind::Config, told, &found.address, detail.trim_end(), init);
                        self.found(from, unit, &found.address, clue, shared);
                    }
                }
                Channel::Variable | Channel::Shared if !is_never_called(&told.key) => {
                    for address in in_value(&told.value.text, is_address(&told.key)) {
                        let clue = clue(EvidenceKind::Environment, told, &address, &told.key, init);
                        let shared = told.channel == Channel::Shared;
                        if !self.found(from, unit, &address, clue, shared) && !init && !shared {
                            self.dangling(from, unit, &address, clue);
                        }
                    }
                }
                _ => {}
            }
        }
        let mut flag = None;
        for argument in &container.arguments {
            for address in in_argument(&argument.text, &mut flag) {
                let (kind, detail) = match init {
                    true => (EvidenceKind::DependsOn, container.name.to_owned()),
                    false => (EvidenceKind::Command, shorten(&argument.text)),
                };
                let span = argument.span(address.range.clone());
                let clue = Clue { kind, span, detail: &detail, protocol: address.protocol() };
                self.found(from, unit, &address, clue, false);
            }
        }
    }

    /// Notes what an address shows; `false` where nobody has it.
    fn found(
        &mut self,
        from: usize,
        unit: &Unit<'_>,
        address: &Address,
        clue: Clue<'_>,
        shared: bool,
    ) -> bool {
        let to = self.names.resolve(&address.host, unit.namespace).and_then(|to| self.names.units.get(to));
        let Some(to) = to else { return false };
        if shared {
            self.found.calls.doubt(from, &to.id.value, clue);
        } else {
            self.found.calls.add(from, &to.id.value, clue);
        }
        true
    }

    /// A variable that names a Service nobody defines.
    fn dangling(&mut self, from: usize, unit: &Unit<'_>, address: &Address, clue: Clue<'_>) {
        let host = address.host.to_lowercase();
        if Names::is_inside(&host) && is_address(clue.detail) && self.dangling.insert((from, host)) {
            let text = format!(
                "`{}` is told of `{}` ({}), which these files do not define",
                unit.id.value, address.host, clue.detail
            );
            self.found.notes.push(Note { text, span: Some(clue.span) });
        }
    }
}

/// What an address in something that a container is told shows. Who runs before the others waits.
fn clue<'c>(kind: EvidenceKind, told: &Told<'_>, address: &Address, detail: &'c str, init: bool) -> Clue<'c> {
    let kind = if init { EvidenceKind::DependsOn } else { kind };
    Clue { kind, span: told.value.span(address.range.clone()), detail, protocol: address.protocol() }
}
