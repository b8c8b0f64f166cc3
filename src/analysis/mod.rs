//! Arithmetic on the model: the graph of endpoints, cycles, durations, amplification,
//! failure and availability, load.
//!
//! Every answer carries the path that proves it. Must not judge (that is `lint`'s) nor know of findings.

mod amplification;
mod availability;
mod consistent;
mod coupling;
mod cycles;
mod dependencies;
mod depth;
mod duration;
mod endpoints;
mod events;
mod failure;
mod footprint;
mod load;

pub use amplification::{
    AmplifiedPath, Layers, RetryHop, entries, factor, factor_of_clients, factor_of_failures, retry_layers,
    worst_path_of_each, worst_paths,
};
pub use availability::{
    Ceiling, Factor, Group, Promise, Said, ceiling, covered, direct_dependencies, percent, promises,
};
pub use consistent::{Budgets, Consistent, Wait};
pub use coupling::Coupling;
pub use cycles::{Component, components, shortest_cycle, smallest_cut};
pub use dependencies::{Dependencies, Dependency, Parts};
pub use depth::{DeepPath, counts, deep_paths, depths};
pub use duration::{Bounded, Budget, CallTime, Durations, Part, Term, Worst};
pub use endpoints::{EndpointGraph, Stop};
pub use events::{EventCycle, event_cycles};
pub use failure::{
    Blast, Closure, Element, FailedStep, Failure, FailureGraph, alternatives, only_zone, traffic_share,
};
pub use footprint::{Footprint, widest_request};
pub use load::{Answer, By, Carrier, Flow, Inflow, Kind, Load, Loss, Place, Station, Work, replicas};
