//! When `depends_on`, which is start order, is taken for a call.
//!
//! Must not know how calls are found by other evidence, only which were.

use super::unit::{Dependency, Unit};
use crate::import::clues::roles::{Role, is_one_shot};

/// How much of what services wait for is confirmed by an address, a label or a link.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Waits for services that are also called.
    confirmed: usize,
    /// Waits for services that could be called.
    awaited: usize,
}

impl Tally {
    /// Of one service: `calls` says whether it calls the service of an id, `unit_of` finds that service.
    pub fn of<'u>(
        unit: &'u Unit,
        calls: impl Fn(&str) -> bool,
        unit_of: impl Fn(&str) -> Option<&'u Unit>,
    ) -> Self {
        let mut tally = Self::default();
        for dependency in &unit.depends {
            if unit_of(&dependency.on).is_some_and(|target| !is_set_up(dependency, target)) {
                tally.awaited += 1;
                tally.confirmed += usize::from(calls(&dependency.on));
            }
        }
        tally
    }

    /// Of several together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { confirmed: self.confirmed + other.confirmed, awaited: self.awaited + other.awaited }
    }

    /// Whether at least half is confirmed, so that the rest is doubtful.
    pub const fn tells(self) -> bool {
        self.confirmed > 0 && self.confirmed * 2 >= self.awaited
    }
}

/// Whether a `depends_on` that nothing else confirms is taken for a call.
///
/// - What is not defined is kept, so that it is reported.
/// - Nobody calls what sets something up and exits.
/// - Nobody waits for a datastore or broker without using it.
/// - Between other services it counts, unless addresses and links tell whom is called (`told`): they
///   confirm at least half of what this service waits for, and of what all services wait for. Then
///   the files spell out calls, and the rest is start order.
pub fn is_call(dependency: &Dependency, to: Option<&Unit>, told: bool) -> bool {
    let Some(unit) = to else { return true };
    let stateful = matches!(unit.role, Role::Datastore(_) | Role::Broker(..));
    !is_set_up(dependency, unit) && (stateful || !told)
}

fn is_set_up(dependency: &Dependency, unit: &Unit) -> bool {
    is_one_shot(&unit.id.value) || dependency.condition == "service_completed_successfully"
}
