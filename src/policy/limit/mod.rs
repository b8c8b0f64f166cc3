//! Limits: how many requests may be under way, and how many may come per second.
//!
//! Owns permits, tokens and limits that adapt. Must not know what a request is: it is admitted, and it
//! ends.

mod adaptive;
mod admission;
mod aimd;
mod bulkhead;
mod caps;
mod gradient2;
mod histogram;
mod rate_limiter;
mod token_bucket;
mod vegas;

use super::PolicyInfo;
use crate::kernel::Span;

pub use adaptive::{Adaptive, AdaptiveSettings};
pub use admission::{Admission, AdmissionSettings};
pub use aimd::{Aimd, AimdSettings};
pub use bulkhead::{Bulkhead, BulkheadSettings};
pub use caps::{CapKind, CapSettings, Caps};
pub use gradient2::{Gradient2, Gradient2Settings};
pub use rate_limiter::{RateLimiter, RateLimiterSettings};
pub use token_bucket::{Fill, TokenBucket, TokenBucketSettings};
pub use vegas::{Vegas, VegasSettings};

/// All limits.
pub static LIMITS: &[PolicyInfo] = &[
    bulkhead::INFO,
    caps::INFO,
    token_bucket::INFO,
    rate_limiter::INFO,
    aimd::INFO,
    vegas::INFO,
    gradient2::INFO,
    adaptive::INFO,
    admission::INFO,
];

/// A concurrency limit that follows what requests tell (Netflix `concurrency-limits`).
pub trait Limit {
    /// A request ended: how long it took, how many were under way when it *started*, itself included,
    /// and whether it was dropped or timed out. `unit` is uniform in [0, 1). The limit from here on.
    fn sample(&mut self, rtt: Span, in_flight: u32, dropped: bool, unit: f64) -> u32;

    /// How many may be under way.
    fn limit(&self) -> u32;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_limit_stays_in_its_bounds(samples in prop::collection::vec((1u64..100_000, 0u32..300, any::<bool>(), 0.0f64..1.0), 1..500)) {
            let mut limits: [(Box<dyn Limit>, u32, u32); 3] = [
                (Box::new(Aimd::new(AimdSettings::default())), 20, 200),
                (Box::new(Vegas::new(VegasSettings::default(), 0.5)), 1, 1_000),
                (Box::new(Gradient2::new(Gradient2Settings::default())), 20, 200),
            ];
            for (rtt, in_flight, dropped, unit) in samples {
                for (limit, least, most) in &mut limits {
                    let new = limit.sample(Span::from_micros(rtt), in_flight, dropped, unit);
                    prop_assert!(*least <= new && new <= *most);
                    prop_assert_eq!(new, limit.limit());
                }
            }
        }
    }
}
