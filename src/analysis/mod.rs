//! Arithmetic on the model: the graph of endpoints, cycles, durations, amplification,
//! failure and availability.
//!
//! Every answer carries the path that proves it. Must not judge (that is `lint`'s) nor know of findings.

mod amplification;
mod availability;
mod cycles;
mod dependencies;
mod duration;
mod endpoints;
mod failure;

pub use amplification::{AmplifiedPath, RetryHop, worst_paths};
pub use availability::{
    Ceiling, Factor, Group, Promise, Said, ceiling, direct_dependencies, percent, promises,
};
pub use cycles::{Component, components, shortest_cycle, smallest_cut};
pub use dependencies::{Dependencies, Dependency, Parts};
pub use duration::{Unbounded, single_call_bound};
pub use endpoints::EndpointGraph;
pub use failure::{
    Blast, Closure, FailedStep, Failure, FailureGraph, Part, alternatives, only_zone, traffic_share,
};
