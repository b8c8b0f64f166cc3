//! Arithmetic on the model: the graph of endpoints, cycles, durations, amplification.
//!
//! Every answer carries the path that proves it. Must not judge (that is `lint`'s) nor know of findings.

mod amplification;
mod consistent;
mod cycles;
mod dependencies;
mod depth;
mod duration;
mod endpoints;

pub use amplification::{
    AmplifiedPath, Layers, RetryHop, entries, factor, factor_of_failures, retry_layers, worst_path_of_each,
    worst_paths,
};
pub use consistent::{Budgets, Consistent, Wait};
pub use cycles::{Component, components, shortest_cycle, smallest_cut};
pub use dependencies::{Dependencies, Dependency, Parts};
pub use depth::{DeepPath, counts, deep_paths, depths};
pub use duration::{Bounded, Budget, CallTime, Durations, Part, Term, Worst};
pub use endpoints::{EndpointGraph, Stop};
