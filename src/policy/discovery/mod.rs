//! Service discovery: who is there, who a caller believes is there, and how old that belief is.
//!
//! A [`Registry`] holds leases, a view ([`ClientCache`], [`Periodic`], [`Delayed`]) what one reader last saw
//! of it, a [`HealthCheck`] what one checker makes of one instance, and [`Staleness`] adds it all up.
//! Instances and services are numbers; it must not know what they stand for.

mod cache;
mod health;
mod registry;
mod staleness;
mod view;

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub use cache::{CacheSettings, ClientCache, Lookup};
pub use health::{
    CheckResult, ConsulHealth, ConsulSettings, ConsulStatus, EnvoyHealth, EnvoySettings, HaproxyHealth,
    HaproxySettings, HealthCheck, Probe, ProbeKind, ProbeResult, ProbeSettings, Transition, TtlCheck,
};
pub use registry::{Change, Event, Lease, Registry, RegistrySettings, SelfPreservation, Status, WatcherId};
pub use staleness::{Staleness, Term};
pub use view::{Delayed, Periodic, dns_refresh};

/// Registries and views, the default first.
pub static DISCOVERIES: &[&PolicyInfo] = &[&registry::INFO, &cache::INFO, &view::INFO, &staleness::INFO];

/// Active health checks.
pub static HEALTH_CHECKS: &[&PolicyInfo] = health::ALL;
