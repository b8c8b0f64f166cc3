//! gRPC's retry throttle: a client that mostly fails stops retrying.

use super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "grpc_throttle",
    summary: "retries only while more than half of the tokens are left: gRPC",
    page: include_str!("throttle.md"),
};

/// Tokens are counted in thousandths, as gRPC does: no failure is lost in a rounding.
const MILLI: u32 = 1_000;

/// Tokens of one client for one server name (`retryThrottling` of a gRPC service config).
///
/// ```
/// use loadpath::policy::retry::GrpcThrottle;
/// let mut throttle = GrpcThrottle::new(10, 0.5);
/// assert_eq!((0..5).filter(|_| throttle.failure()).count(), 4, "10 tokens: at 5 it stops");
/// throttle.success();
/// assert_eq!(throttle.tokens(), 5.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrpcThrottle {
    max: u32,
    ratio: u32,
    tokens: u32,
}

impl GrpcThrottle {
    /// Full. gRPC takes 1 to 1000 tokens and a ratio above zero of three decimals, the rest is cut off;
    /// neither has a default: without `retryThrottling` nothing throttles.
    pub fn new(max_tokens: u32, token_ratio: f64) -> Self {
        let max = max_tokens.clamp(1, 1_000) * MILLI;
        // The hair keeps 0.001, which is not exact in binary, at one. `as` saturates.
        let ratio = (token_ratio * f64::from(MILLI) + 1e-6) as u32;
        Self { max, ratio, tokens: max }
    }

    /// A new service config came: as full as before, with other tokens (grpc core).
    #[must_use]
    pub fn replaced(self, max_tokens: u32, token_ratio: f64) -> Self {
        let new = Self::new(max_tokens, token_ratio);
        let tokens = u64::from(new.max) * u64::from(self.tokens) / u64::from(self.max);
        // No more than `max`, which is a `u32`.
        Self { tokens: tokens as u32, ..new }
    }

    /// An attempt failed with a retryable status, or was told not to be retried: one token less.
    /// Whether a retry may follow.
    pub fn failure(&mut self) -> bool {
        self.tokens = self.tokens.saturating_sub(MILLI);
        self.allows()
    }

    /// An attempt succeeded.
    pub fn success(&mut self) {
        self.tokens = self.tokens.saturating_add(self.ratio).min(self.max);
    }

    /// Whether a retry or a hedge may start: more than half of the tokens are left.
    pub fn allows(&self) -> bool {
        self.tokens > self.max / 2
    }

    /// Tokens left.
    pub fn tokens(&self) -> f64 {
        f64::from(self.tokens) / f64::from(MILLI)
    }

    /// Tokens left, in thousandths: exact.
    pub fn milli_tokens(&self) -> u32 {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tokens_stay_bounded(max in 1u32..=1_000, ratio in 0.001f64..5.0, ends in prop::collection::vec(any::<bool>(), 0..300)) {
            let mut throttle = GrpcThrottle::new(max, ratio);
            for ok in ends {
                let before = throttle.tokens();
                if ok { throttle.success() } else { prop_assert_eq!(throttle.failure(), (before - 1.0).max(0.0) > f64::from(max) / 2.0); }
                prop_assert!((0.0..=f64::from(max)).contains(&throttle.tokens()));
            }
        }
    }

    #[test]
    fn a_ratio_has_three_decimals() {
        let mut throttle = GrpcThrottle::new(10, 0.5466);
        throttle.failure();
        throttle.success();
        assert_eq!(throttle.milli_tokens(), 9_546);
    }
}
