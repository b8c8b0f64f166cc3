//! Circuit breakers: whether a call is let through, judged by how the earlier ones ended.
//!
//! A breaker belongs to one call site of one caller instance. Every call that it admits hands its
//! [`Permit`] back exactly once, with a [`Verdict`]. A rejected call has no permit and is no failure.
//! Must not know what a call is.

mod consecutive;
mod hystrix;
mod polly;
mod rate;
mod sentinel;
mod window;

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub use consecutive::{Consecutive, ConsecutiveSettings, Counts, TripRatio};
pub use hystrix::{Health, Hystrix, HystrixSettings};
pub use polly::{Polly, PollySettings};
pub use rate::{Rate, RateSettings};
pub use sentinel::{Sentinel, SentinelGrade, SentinelSettings};
pub use window::{Tally, WindowKind};

/// The three states of the classic breaker, and those an operator puts it into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected.
    Open,
    /// A few calls pass, as probes.
    HalfOpen,
    /// Put there by hand: calls pass, nothing is counted (resilience4j).
    Disabled,
    /// Put there by hand: calls pass and are counted, nothing opens (resilience4j).
    MetricsOnly,
    /// Put there by hand: calls are rejected until it is taken out again (resilience4j, Hystrix; Polly's
    /// isolated).
    ForcedOpen,
}

impl State {
    /// `closed`, `open`, `half_open`, `disabled`, `metrics_only` or `forced_open`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Disabled => "disabled",
            Self::MetricsOnly => "metrics_only",
            Self::ForcedOpen => "forced_open",
        }
    }
}

/// The right to make one call; remembers the generation (the stay in one state) that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    generation: u32,
    /// Which bucket of the generation its call began in.
    bucket: u32,
}

impl Permit {
    /// No generation has this number: a permit that no breaker gave.
    pub const NONE: Self = Self { generation: 0, bucket: 0 };

    /// Of a product without generations: whatever comes back counts where it comes back to.
    const ANY: Self = Self { generation: 1, bucket: 0 };
}

/// How a call ended, for the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It worked.
    Success,
    /// It did not.
    Failure,
    /// It says nothing about the callee (a client's error, a cancellation): the permit comes back.
    Ignored,
}

/// What a breaker learns from one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// How long it took, from the permit to the end. Only breakers that judge slow calls look at it.
    pub duration: Span,
}

impl From<Verdict> for Outcome {
    /// A call that took no time.
    fn from(verdict: Verdict) -> Self {
        Self { verdict, duration: Span::from_nanos(0) }
    }
}

/// The state of one breaker.
pub trait Breaker: Send {
    /// Lets a call through, or rejects it (`None`).
    fn admit(&mut self, now: Time) -> Option<Permit>;

    /// An admitted call ended.
    fn record(&mut self, now: Time, permit: Permit, outcome: Outcome);

    /// Where it is, as of the last call: a breaker leaves `Open` lazily.
    fn state(&self) -> State;

    /// What the product's own getter of the state answers now; where that getter moves it, so does this.
    fn look(&mut self, now: Time) -> State;
}

/// What a breaker is told; a variant per member of the family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settings {
    /// `consecutive`
    Consecutive(ConsecutiveSettings),
    /// `rate`
    Rate(RateSettings),
    /// `polly`
    Polly(PollySettings),
    /// `hystrix`
    Hystrix(HystrixSettings),
    /// `sentinel`
    Sentinel(SentinelSettings),
}

impl Settings {
    /// A closed breaker with these settings.
    pub fn build(&self) -> Box<dyn Breaker> {
        match self {
            Self::Consecutive(settings) => Box::new(Consecutive::new(*settings)),
            Self::Rate(settings) => Box::new(Rate::new(*settings)),
            Self::Polly(settings) => Box::new(Polly::new(*settings)),
            Self::Hystrix(settings) => Box::new(Hystrix::new(*settings)),
            Self::Sentinel(settings) => Box::new(Sentinel::new(*settings)),
        }
    }
}

/// All breakers, the default first.
pub static BREAKERS: &[PolicyInfo] =
    &[consecutive::INFO, rate::INFO, polly::INFO, hystrix::INFO, sentinel::INFO];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One of each, so small that a few calls take it through all its states.
    fn members() -> [Settings; 5] {
        let second = Span::from_secs(1);
        [
            Settings::Consecutive(ConsecutiveSettings {
                failure_threshold: 2,
                open_duration: second,
                ..Default::default()
            }),
            Settings::Rate(RateSettings {
                minimum_calls: 2,
                permitted_calls: 2,
                open_duration: second,
                ..Default::default()
            }),
            Settings::Polly(PollySettings {
                minimum_throughput: 2,
                break_duration: second,
                ..Default::default()
            }),
            Settings::Hystrix(HystrixSettings {
                request_volume_threshold: 2,
                sleep_window: second,
                ..Default::default()
            }),
            Settings::Sentinel(SentinelSettings {
                minimum_calls: 2,
                open_duration: second,
                ..Default::default()
            }),
        ]
    }

    proptest! {
        #[test]
        fn no_permit_leaks(member in 0usize..5, ops in prop::collection::vec((0u64..600, 0u8..6), 1..200)) {
            let mut breaker = members()[member].build();
            let (mut held, mut now) = (Vec::new(), Time::ZERO);
            for (millis, op) in ops {
                now = now + Span::from_millis(millis);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                match (verdict, held.pop()) {
                    (Some(verdict), Some(permit)) => breaker.record(now, permit, verdict.into()),
                    (_, back) => {
                        held.extend(back);
                        held.extend(breaker.admit(now));
                    }
                }
            }
            for permit in held {
                breaker.record(now, permit, Verdict::Ignored.into());
            }
            // Hystrix may still open while its ten seconds roll on.
            prop_assert!(breaker.admit(now + Span::from_secs(20)).is_some());
        }
    }
}
