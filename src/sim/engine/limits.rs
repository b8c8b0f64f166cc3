//! Rate limits and adaptive concurrency limits, at a caller or in front of an instance.

use super::super::plan::{Adaptive as AdaptiveKind, Limits, RateLimit};
use super::super::probe::{Cause, Ending};
use crate::kernel::{Span, Stream, Time};
use crate::policy::limit::{Adaptive, Aimd, Gradient2, Limit, RateLimiter, TokenBucket, Vegas};

/// One rate limit.
pub(super) enum Rate {
    Bucket(TokenBucket),
    Cycles(RateLimiter),
}

impl Rate {
    fn new(settings: RateLimit, now: Time) -> Self {
        match settings {
            RateLimit::Bucket(settings) => Self::Bucket(TokenBucket::new(settings, now)),
            RateLimit::Cycles(settings) => Self::Cycles(RateLimiter::new(settings, now)),
        }
    }

    /// How long a request waits for its turn; `None`: it is turned away.
    pub(super) fn take(&mut self, now: Time) -> Option<Span> {
        match self {
            Self::Bucket(bucket) => bucket.try_take(1, now).then_some(Span::ZERO),
            Self::Cycles(limiter) => limiter.reserve(1, now),
        }
    }
}

enum Follows {
    Samples(Box<dyn Limit>),
    Timers(Adaptive),
}

/// One adaptive limit and how many it lets in.
pub(super) struct Crowd {
    follows: Follows,
    inside: u32,
    draws: Stream,
}

impl Crowd {
    fn new(settings: AdaptiveKind, mut draws: Stream, now: Time) -> Self {
        let follows = match settings {
            AdaptiveKind::Aimd(settings) => Follows::Samples(Box::new(Aimd::new(settings))),
            AdaptiveKind::Vegas(settings) => Follows::Samples(Box::new(Vegas::new(settings, draws.unit()))),
            AdaptiveKind::Gradient2(settings) => Follows::Samples(Box::new(Gradient2::new(settings))),
            AdaptiveKind::Envoy(settings) => Follows::Timers(Adaptive::new(settings, now)),
        };
        Self { follows, inside: 0, draws }
    }

    /// Lets one more in: how many there are with it, 0 when there is no room.
    pub(super) fn enter(&mut self, now: Time) -> u32 {
        let room = match &mut self.follows {
            Follows::Samples(limit) => self.inside < limit.limit(),
            Follows::Timers(limit) => {
                limit.poll(now);
                limit.try_acquire()
            }
        };
        self.inside += u32::from(room);
        if room { self.inside } else { 0 }
    }

    /// One that made them `crowd` is over. A timeout, or an answer that says "too many", is a drop to the
    /// limit; other failures tell it nothing, as in Netflix's filters.
    pub(super) fn leave(&mut self, crowd: u32, since: Time, now: Time, end: Ending, cancelled: bool) {
        self.inside = self.inside.saturating_sub(1);
        let dropped = matches!(end, Some(Cause::Timeout | Cause::Overflow | Cause::RateLimited));
        let counts = !cancelled && (end.is_none() || dropped);
        match &mut self.follows {
            Follows::Samples(limit) => {
                if counts {
                    limit.sample(now.since(since), crowd, dropped, self.draws.unit());
                }
            }
            Follows::Timers(limit) => {
                limit.poll(now);
                if counts {
                    limit.ended(since, now, self.draws.bits());
                } else {
                    limit.cancelled();
                }
            }
        }
    }
}

/// What one caller instance or one instance has of both.
pub(super) struct Turnstile {
    pub(super) rate: Option<Rate>,
    pub(super) crowd: Option<Crowd>,
}

impl Turnstile {
    /// `None` where nothing is limited.
    pub(super) fn new(limits: &Limits, draws: Stream, now: Time) -> Option<Box<Self>> {
        (limits.rate.is_some() || limits.adaptive.is_some()).then(|| {
            Box::new(Self {
                rate: limits.rate.map(|settings| Rate::new(settings, now)),
                crowd: limits.adaptive.map(|settings| Crowd::new(settings, draws, now)),
            })
        })
    }
}
