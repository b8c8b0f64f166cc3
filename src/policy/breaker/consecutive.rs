//! The classic breaker: so many failures in a row, then a pause, then probes.

use super::{Breaker, Permit, PolicyInfo, State, Time, Verdict};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "consecutive",
    summary: "opens after so many failures in a row, probes after a pause",
    page: include_str!("consecutive.md"),
};

/// When it opens, for how long, and what it takes to close again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsecutiveSettings {
    /// Failures in a row that open it. Default 5.
    pub failure_threshold: u32,
    /// How long it rejects everything. Default 60 s.
    pub open_duration: Span,
    /// Probes let through half-open, all of which must succeed to close it. Default 1.
    pub permitted_calls: u32,
    /// While closed, the count starts anew so often. Default never.
    pub interval: Option<Span>,
}

impl Default for ConsecutiveSettings {
    fn default() -> Self {
        Self { failure_threshold: 5, open_duration: Span::from_secs(60), permitted_calls: 1, interval: None }
    }
}

/// `CLOSED` → `OPEN` → `HALF_OPEN` → `CLOSED`.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::breaker::{Breaker, Consecutive, ConsecutiveSettings, Verdict};
/// let mut breaker = Consecutive::new(ConsecutiveSettings { failure_threshold: 1, ..Default::default() });
/// let permit = breaker.admit(Time::ZERO).expect("closed");
/// breaker.record(Time::ZERO, permit, Verdict::Failure);
/// assert!(breaker.admit(Time::ZERO + Span::from_secs(60)).is_none(), "not after the pause, but when it is over");
/// assert!(breaker.admit(Time::ZERO + Span::from_secs(61)).is_some(), "a probe");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consecutive {
    settings: ConsecutiveSettings,
    state: State,
    generation: u32,
    /// When the generation ends by itself; `Time::MAX` for never.
    expires: Time,
    /// Calls admitted in this generation and not ignored.
    admitted: u32,
    /// Failures in a row (closed), successes in a row (half-open).
    run: u32,
}

impl Consecutive {
    /// Closed, nothing counted.
    pub fn new(settings: ConsecutiveSettings) -> Self {
        let mut breaker =
            Self { settings, state: State::Closed, generation: 0, expires: Time::MAX, admitted: 0, run: 0 };
        breaker.enter(State::Closed, Time::ZERO);
        breaker
    }

    /// Permits given half-open and not handed back.
    pub fn probes(&self) -> u32 {
        if self.state == State::HalfOpen { self.admitted - self.run } else { 0 }
    }

    /// A new generation: all counts clear.
    fn enter(&mut self, state: State, now: Time) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1).max(1);
        self.admitted = 0;
        self.run = 0;
        self.expires = match state {
            State::Closed => self.settings.interval.map_or(Time::MAX, |interval| now + interval),
            State::Open => now + self.settings.open_duration,
            State::HalfOpen => Time::MAX,
        };
    }

    /// What the clock alone changes; nothing watches it, so this comes with the next call.
    fn catch_up(&mut self, now: Time) {
        if now > self.expires {
            let next = if self.state == State::Open { State::HalfOpen } else { State::Closed };
            self.enter(next, now);
        }
    }
}

impl Breaker for Consecutive {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        self.catch_up(now);
        match self.state {
            State::Open => return None,
            State::HalfOpen if self.admitted >= self.settings.permitted_calls.max(1) => return None,
            State::HalfOpen => self.admitted += 1,
            State::Closed => {}
        }
        Some(Permit { generation: self.generation })
    }

    fn record(&mut self, now: Time, permit: Permit, verdict: Verdict) {
        self.catch_up(now);
        if permit.generation != self.generation {
            return;
        }
        match (self.state, verdict) {
            (State::Closed, Verdict::Success) => self.run = 0,
            (State::Closed, Verdict::Failure) => {
                self.run += 1;
                if self.run >= self.settings.failure_threshold.max(1) {
                    self.enter(State::Open, now);
                }
            }
            (State::HalfOpen, Verdict::Success) => {
                self.run += 1;
                if self.run >= self.settings.permitted_calls.max(1) {
                    self.enter(State::Closed, now);
                }
            }
            (State::HalfOpen, Verdict::Failure) => self.enter(State::Open, now),
            (State::HalfOpen, Verdict::Ignored) => self.admitted = self.admitted.saturating_sub(1),
            (State::Closed, Verdict::Ignored) | (State::Open, _) => {}
        }
    }

    fn state(&self) -> State {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SETTINGS: ConsecutiveSettings = ConsecutiveSettings {
        failure_threshold: 3,
        open_duration: Span::from_nanos(10),
        permitted_calls: 2,
        interval: None,
    };

    /// The obvious breaker: keeps everything that ever happened in the current state as a list.
    struct Slow {
        state: State,
        since: u64,
        generation: usize,
        /// Half-open: every permit, and how it ended.
        probes: Vec<Option<Verdict>>,
        /// Closed: how the calls ended.
        ends: Vec<Verdict>,
    }

    impl Slow {
        fn go(&mut self, state: State, now: u64) {
            (self.state, self.since, self.generation) = (state, now, self.generation + 1);
            self.probes.clear();
            self.ends.clear();
        }

        fn admit(&mut self, now: u64) -> Option<(usize, usize)> {
            if self.state == State::Open && now > self.since + 10 {
                self.go(State::HalfOpen, now);
            }
            if self.state == State::Open {
                return None;
            }
            if self.state == State::HalfOpen {
                if self.probes.iter().filter(|end| **end != Some(Verdict::Ignored)).count() >= 2 {
                    return None;
                }
                self.probes.push(None);
            }
            Some((self.generation, self.probes.len()))
        }

        fn record(&mut self, now: u64, permit: (usize, usize), verdict: Verdict) {
            if self.state == State::Open && now > self.since + 10 {
                self.go(State::HalfOpen, now);
            }
            if permit.0 != self.generation {
                return;
            }
            if self.state == State::Closed {
                if verdict != Verdict::Ignored {
                    self.ends.push(verdict);
                }
                if self.ends.len() >= 3
                    && self.ends[self.ends.len() - 3..].iter().all(|end| *end == Verdict::Failure)
                {
                    self.go(State::Open, now);
                }
            } else if self.state == State::HalfOpen {
                self.probes[permit.1 - 1] = Some(verdict);
                if verdict == Verdict::Failure {
                    self.go(State::Open, now);
                } else if self.probes.iter().filter(|end| **end == Some(Verdict::Success)).count() == 2 {
                    self.go(State::Closed, now);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_obvious_one_does(ops in prop::collection::vec((0u64..6, 0u8..4, any::<prop::sample::Index>()), 1..200)) {
            let mut fast = Consecutive::new(SETTINGS);
            let mut slow = Slow { state: State::Closed, since: 0, generation: 0, probes: vec![], ends: vec![] };
            let mut open = Vec::new();
            let mut now = 0;
            for (wait, op, which) in ops {
                now += wait;
                let at = Time::from_nanos(now);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                match verdict {
                    Some(verdict) if !open.is_empty() => {
                        let (a, b) = open.swap_remove(which.index(open.len()));
                        fast.record(at, a, verdict);
                        slow.record(now, b, verdict);
                    }
                    _ => match (fast.admit(at), slow.admit(now)) {
                        (Some(a), Some(b)) => open.push((a, b)),
                        (a, b) => prop_assert_eq!(a.is_none(), b.is_none()),
                    },
                }
                prop_assert_eq!(fast.state(), slow.state);
                prop_assert!(fast.probes() <= SETTINGS.permitted_calls);
            }
            // No permit leaks: when all calls have ended and the pause is over, a probe is admitted.
            for (a, _) in open {
                fast.record(Time::from_nanos(now), a, Verdict::Ignored);
            }
            prop_assert!(fast.admit(Time::from_nanos(now + 11)).is_some());
        }
    }

    #[test]
    fn an_interval_forgets_while_closed() {
        let settings = ConsecutiveSettings { interval: Some(Span::from_nanos(100)), ..SETTINGS };
        let mut breaker = Consecutive::new(settings);
        for now in [1, 2, 150, 151] {
            let permit = breaker.admit(Time::from_nanos(now)).expect("closed");
            breaker.record(Time::from_nanos(now), permit, Verdict::Failure);
        }
        assert_eq!(breaker.state(), State::Closed);
    }
}
