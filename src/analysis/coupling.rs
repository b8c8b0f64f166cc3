//! How many depend on a service, and on how many it depends.

use super::dependencies::{Dependencies, Dependency};
use crate::model::Architecture;

/// The couplings of a service to other services, each counted once (R. C. Martin, "OO Design Quality
/// Metrics: An Analysis of Dependencies", 1994).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coupling {
    /// Ca: services that depend on it.
    pub afferent: usize,
    /// Ce: services it depends on.
    pub efferent: usize,
}

impl Coupling {
    /// Those of every node, by node index; datastores, queues and topics are no services and do not count.
    pub fn all(arch: &Architecture, dependencies: &Dependencies) -> Vec<Self> {
        let mut all = vec![Self { afferent: 0, efferent: 0 }; arch.graph.node_count()];
        for Dependency { from, to, .. } in &dependencies.all {
            if arch.graph[*from].service().and(arch.graph[*to].service()).is_some() {
                all[from.index()].efferent += 1;
                all[to.index()].afferent += 1;
            }
        }
        all
    }

    /// I = Ce / (Ca + Ce): 0 where others depend on it and it on none, 1 where it is the other way round;
    /// `None` for a service alone.
    pub fn instability(self) -> Option<f64> {
        let all = self.afferent + self.efferent;
        (all > 0).then(|| self.efferent as f64 / all as f64)
    }
}
