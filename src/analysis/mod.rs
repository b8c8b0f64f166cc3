//! Arithmetic on the model: the graph of endpoints, cycles, durations, amplification,
//! load.
//!
//! Every answer carries the path that proves it. Must not judge (that is `lint`'s) nor know of findings.

mod amplification;
mod cycles;
mod dependencies;
mod duration;
mod endpoints;
mod load;

pub use amplification::{AmplifiedPath, RetryHop, factor, worst_paths};
pub use cycles::{Component, components, shortest_cycle, smallest_cut};
pub use dependencies::{Dependencies, Dependency, Parts};
pub use duration::{Unbounded, single_call_bound};
pub use endpoints::EndpointGraph;
pub use load::{Answer, By, Carrier, Flow, Kind, Load, Loss, Place, Station, Term, Work, replicas};
