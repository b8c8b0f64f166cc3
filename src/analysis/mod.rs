//! Arithmetic on the model: the graph of endpoints, cycles, durations, amplification.
//!
//! Every answer carries the path that proves it. Must not judge (that is `lint`'s) nor know of findings.

mod amplification;
mod cycles;
mod dependencies;
mod duration;
mod endpoints;

pub use amplification::{AmplifiedPath, RetryHop, worst_paths};
pub use cycles::{Component, components, shortest_cycle, smallest_cut};
pub use dependencies::{Dependencies, Dependency, Parts};
pub use duration::{Unbounded, single_call_bound};
pub use endpoints::EndpointGraph;
