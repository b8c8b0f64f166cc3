//! What comes in, and what happens meanwhile.

use super::{EdgeId, InstanceId, SourceId};
use crate::kernel::{Distribution, Span, Time};
use std::sync::Arc;

/// Traffic.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its id: unique, names the random streams.
    pub name: String,
    /// The call it makes; its upstream's caller is this source.
    pub edge: EdgeId,
    /// When.
    pub arrivals: Arrivals,
    /// Client instances, each with its own policy state. Default 1.
    pub clients: u32,
    /// Keys that are hashed (end users), drawn per request; 0: each client instance is one.
    pub keys: u32,
    /// How unevenly: the nth key comes 1/n^skew as often as the first. 0: evenly.
    pub key_skew: f64,
    /// How much of the arrivals is its own, where others are [`Arrivals::Shared`] with it; else 1.
    pub share: f64,
}

/// When requests arrive.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// A Poisson process with this rate over time.
    Poisson(Vec<RatePoint>),
    /// Evenly spaced at this rate over time.
    Constant(Vec<RatePoint>),
    /// Users who think, ask, wait for the answer and think again; they start with thinking.
    Closed {
        /// How many.
        users: u32,
        /// How long they think.
        think: Distribution,
    },
    /// A Poisson process whose rate changes at random (MMPP), in its steady state from the start.
    Bursts(Vec<BurstState>),
    /// At these times, rising.
    Replay(Arc<[Time]>),
    /// So much (`share`) of the arrivals of this source, drawn one by one: another class of its requests.
    Shared(SourceId),
}

impl Arrivals {
    /// The rate it settles at, and the highest, per second; `None` in a closed loop, and where it is another's.
    pub fn rates(&self) -> Option<(f64, f64)> {
        match self {
            Self::Poisson(points) | Self::Constant(points) => {
                let top = points.iter().map(|p| p.rate).fold(0.0, f64::max);
                Some((points.last().map_or(0.0, |p| p.rate), top))
            }
            Self::Bursts(states) => {
                let mean = states.iter().map(|s| s.rate * s.share).sum();
                Some((mean, states.iter().map(|s| s.rate).fold(0.0, f64::max)))
            }
            Self::Replay(times) => {
                let last = times.last().map_or(0.0, |last| last.seconds());
                let mean = if last > 0.0 { times.len() as f64 / last } else { 0.0 };
                Some((mean, mean))
            }
            Self::Closed { .. } | Self::Shared(_) => None,
        }
    }
}

/// A state of [`Arrivals::Bursts`].
#[derive(Debug, Clone, PartialEq)]
pub struct BurstState {
    /// Requests per second while it lasts.
    pub rate: f64,
    /// How long it lasts on average; exponential.
    pub lasts: Span,
    /// The probability that the state of this place or one before follows.
    pub next: Vec<f64>,
    /// The share of the time it is this one.
    pub share: f64,
}

/// From this time on the rate is this, until the next point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePoint {
    /// When; the points rise, the first is at 0.
    pub at: Time,
    /// Requests per second.
    pub rate: f64,
    /// Whether the rate goes in a straight line to the next point's, instead of staying.
    pub ramp: bool,
}

/// Something that happens to instances.
#[derive(Debug, Clone)]
pub struct ScenarioEvent {
    /// When.
    pub at: Time,
    /// For how long; `None`: to the end. A kill is followed by a restart, the rest is taken back.
    pub lasts: Option<Span>,
    /// What.
    pub action: Action,
    /// To whom.
    pub instances: Vec<InstanceId>,
}

/// As an [`Action::Slow`], work that stands still: of 10 s it does 100 ns.
pub const STALL: f64 = 1e8;

/// What happens to an instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// It stops: what it holds is reset, what comes is refused. Callers go on picking it until
    /// `unlisted_after` has passed (discovery, health checks); `None`: always.
    Kill {
        /// How long callers do not know.
        unlisted_after: Option<Span>,
    },
    /// Callers no longer pick it; it goes on with what it has.
    Drain,
    /// It is up again, empty, and listed after its `startup`.
    Restart,
    /// Its own work takes so many times as long, work under way included.
    Slow(f64),
    /// All its endpoints fail with this probability instead of their own.
    ErrorRate(f64),
    /// Its messages, of either kind and direction, take longer and get lost. A loss of 1 is a partition: the
    /// instance goes on and nobody hears of it.
    Network {
        /// Added to each.
        lag: Span,
        /// The probability that one is lost, beside the edge's own.
        loss: f64,
    },
}

impl Action {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Drain => "drain",
            Self::Restart => "restart",
            Self::Slow(factor) if factor >= STALL => "stall",
            Self::Slow(_) => "slow",
            Self::ErrorRate(_) => "errors",
            Self::Network { loss, .. } if loss >= 1.0 => "partition",
            Self::Network { .. } => "network",
        }
    }
}
