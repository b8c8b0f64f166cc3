//! Which hosts a balancer picks among: priority levels, panic, zones and subsets, as Envoy has them.
//!
//! Pure arithmetic on counts, so that a caller composes what it needs: [`Priorities`] says which level
//! and which of its hosts, [`ZoneRouting`] which zone of level 0, [`Subsets`] which hosts belong to a
//! request; [`Cluster`] puts priorities, panic and a balancer together.

mod cluster;
mod priority;
mod subset;
mod zone;

use super::{PolicyInfo, slow_start};

pub use cluster::{Cluster, Health, Selection};
pub use priority::{Level, Panic, Priorities, Rules, Share, Source, Target, Weights};
pub use subset::{Choice, Fallback, Selector, Subsets};
pub use zone::{Off, Zone, ZoneAware, ZoneRouting};

/// What they are, with their pages; and slow start, which says how much of its share a host gets.
pub static TIERS: &[PolicyInfo] =
    &[priority::PRIORITIES, priority::PANIC, zone::INFO, subset::INFO, slow_start::INFO];
