//! The ground under everything: simulated time, deterministic random streams, distributions, the
//! statistics of replications and the closed forms of queueing theory.
//!
//! Knows nothing of the rest of the crate. No clock, no environment, no threads, and no
//! transcendental function of `std` (they differ between platforms): `libm` only.

mod distribution;
pub mod queueing;
mod random;
pub mod stats;
mod time;
mod ziggurat;

pub use distribution::{Distribution, DistributionError};
pub use random::Stream;
pub use time::{Span, Time};
