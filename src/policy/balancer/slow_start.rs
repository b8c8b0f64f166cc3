//! Slow start: a host that has just joined is given less than its weight.
//!
//! Not a balancer of its own: the weighted ones multiply a host's weight by [`SlowStart::factor`].

use super::{Host, PolicyInfo, Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "slow_start",
    summary: "a host that has just joined gets less than its weight (Envoy, HAProxy)",
    page: include_str!("slow_start.md"),
};

/// How the share grows with age.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// Envoy: max((age/window)^(1/aggression), minimum), age at least 1 ms.
    Power {
        /// 1 grows linearly; above, faster at first. Not above zero counts as 1.
        aggression: f64,
        /// The least share, in 0..=1.
        minimum: f64,
    },
    /// HAProxy `slowstart`: linear, in whole sixteenths of the weight, begun with one
    /// (`server_recalc_eweight`, 2.6).
    Linear,
}

/// Slow start over a window.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::balancer::SlowStart;
/// let slow = SlowStart::envoy(Span::from_secs(60));
/// assert_eq!(slow.factor(Span::from_secs(12)), 0.2);
/// assert_eq!(slow.factor(Span::from_secs(1)), 0.1);
/// assert_eq!(slow.factor(Span::from_secs(65)), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStart {
    /// How long it lasts; zero: none.
    pub window: Span,
    /// How the share grows.
    pub curve: Curve,
}

impl SlowStart {
    /// Envoy's defaults: aggression 1, at least 10%.
    pub const fn envoy(window: Span) -> Self {
        Self { window, curve: Curve::Power { aggression: 1.0, minimum: 0.1 } }
    }

    /// HAProxy's `slowstart`.
    pub const fn haproxy(window: Span) -> Self {
        Self { window, curve: Curve::Linear }
    }

    /// The share of its weight that a host of this age gets, in (0, 1]. Ages count in milliseconds for
    /// Envoy and in whole seconds for HAProxy, as there.
    pub fn factor(&self, age: Span) -> f64 {
        const MILLISECOND: u64 = 1_000_000;
        if age >= self.window {
            return 1.0;
        }
        match self.curve {
            Curve::Power { aggression, minimum } => {
                let (age, window) = (age.nanos() / MILLISECOND, self.window.nanos() / MILLISECOND);
                let share = (age.max(1) as f64 / window.max(1) as f64).min(1.0);
                // Not above zero, or not a number.
                let plain =
                    aggression.is_nan() || aggression <= 0.0 || aggression.to_bits() == 1f64.to_bits();
                let grown = if plain { share } else { libm::pow(share, 1.0 / aggression) };
                grown.max(minimum)
            }
            Curve::Linear => {
                let seconds = |span: Span| span.nanos() / (1_000 * MILLISECOND);
                let (age, window) = (seconds(age), seconds(self.window).max(1));
                (16 * age / window + 1).min(16) as f64 / 16.0
            }
        }
    }

    /// The share of its weight that this host gets now.
    pub fn share(&self, host: &Host, now: Time) -> f64 {
        host.since.map_or(1.0, |since| self.factor(now.since(since)))
    }

    /// The weight of a host now.
    pub fn weight(&self, host: &Host, now: Time) -> f64 {
        f64::from(host.weight) * self.share(host, now)
    }

    /// Whether a host is still in its window.
    pub fn is_young(&self, host: &Host, now: Time) -> bool {
        host.since.is_some_and(|since| now.since(since) <= self.window && !self.window.is_zero())
    }
}
