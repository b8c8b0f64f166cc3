//! The breaker of Polly v8: a share of failures in a sampling time.

use std::collections::VecDeque;

use super::{Breaker, Outcome, Permit, PolicyInfo, State, Time, Verdict};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "polly",
    summary: "opens when a share of the calls sampled failed, probes with one call (Polly v8)",
    page: include_str!("polly.md"),
};

/// Windows that the sampling time is cut into, and the time below which it is not cut.
const WINDOWS: u64 = 10;
const SHORTEST: Span = Span::from_millis(200);

/// Polly's `CircuitBreakerStrategyOptions`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollySettings {
    /// Failures over calls, 0 to 1, that opens it. Default 0.1.
    pub failure_ratio: f64,
    /// Below so many calls sampled nothing is decided. Default 100.
    pub minimum_throughput: u32,
    /// What is sampled. Default 30 s.
    pub sampling_duration: Span,
    /// How long it rejects everything. Default 5 s.
    pub break_duration: Span,
    /// Each break in a row lasts so many times the one before it (a `BreakDurationGenerator` on
    /// `HalfOpenAttempts`). Default 1.
    pub break_multiplier: f64,
}

impl Default for PollySettings {
    fn default() -> Self {
        Self {
            failure_ratio: 0.1,
            minimum_throughput: 100,
            sampling_duration: Span::from_secs(30),
            break_duration: Span::from_secs(5),
            break_multiplier: 1.0,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    begun: Time,
    successes: u32,
    failures: u32,
}

/// Polly's state machine.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::breaker::{Breaker, Polly, PollySettings, Verdict};
/// let mut breaker = Polly::new(PollySettings { minimum_throughput: 2, ..Default::default() });
/// for _ in 0..2 {
///     let permit = breaker.admit(Time::ZERO).expect("closed");
///     breaker.record(Time::ZERO, permit, Verdict::Failure.into());
/// }
/// assert_eq!(breaker.retry_after(Time::ZERO), Some(Span::from_secs(5)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Polly {
    settings: PollySettings,
    state: State,
    blocked_until: Time,
    half_open_attempts: u32,
    samples: VecDeque<Sample>,
}

impl Polly {
    /// Closed, nothing counted.
    pub fn new(settings: PollySettings) -> Self {
        Self {
            settings,
            state: State::Closed,
            blocked_until: Time::ZERO,
            half_open_attempts: 0,
            samples: VecDeque::with_capacity(WINDOWS as usize + 2),
        }
    }

    /// Rejects everything until [`Polly::close`] (`CircuitBreakerManualControl.IsolateAsync`).
    pub fn isolate(&mut self) {
        self.state = State::ForcedOpen;
        self.blocked_until = Time::MAX;
    }

    /// Closed by hand, nothing counted.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.blocked_until = Time::ZERO;
        self.half_open_attempts = 0;
        self.samples.clear();
    }

    /// What a rejected call is told: the rest of the break.
    pub fn retry_after(&self, now: Time) -> Option<Span> {
        matches!(self.state, State::Open | State::HalfOpen).then(|| self.blocked_until.since(now))
    }

    /// Probes since it was closed.
    pub fn half_open_attempts(&self) -> u32 {
        self.half_open_attempts
    }

    /// Calls sampled and failures among them (`GetHealthInfo`).
    pub fn throughput(&mut self, now: Time) -> (u32, u32) {
        self.advance(now);
        self.samples.iter().fold((0, 0), |(calls, failures), sample| {
            (calls + sample.successes + sample.failures, failures + sample.failures)
        })
    }

    /// Begins a new sample where the last one is over, and forgets those that are too old.
    fn advance(&mut self, now: Time) {
        let whole = self.settings.sampling_duration;
        let step = if whole < SHORTEST { whole } else { Span::from_nanos(whole.nanos() / WINDOWS) };
        if self.samples.back().is_none_or(|last| now.since(last.begun) >= step) {
            self.samples.push_back(Sample { begun: now, successes: 0, failures: 0 });
        }
        while self.samples.len() > 1
            && self.samples.front().is_some_and(|first| now.since(first.begun) >= whole)
        {
            self.samples.pop_front();
        }
    }

    fn sample(&mut self, now: Time, verdict: Verdict) {
        self.advance(now);
        if let Some(last) = self.samples.back_mut() {
            let count = if verdict == Verdict::Failure { &mut last.failures } else { &mut last.successes };
            *count = count.saturating_add(1);
        }
    }

    fn open(&mut self, now: Time) {
        let growth =
            (0..self.half_open_attempts.min(1024)).fold(1.0, |all, _| all * self.settings.break_multiplier);
        self.state = State::Open;
        self.blocked_until = now + self.settings.break_duration.scaled(growth);
    }

    fn breaks(&mut self, now: Time) -> bool {
        let (calls, failures) = self.throughput(now);
        calls >= self.settings.minimum_throughput
            && f64::from(failures) / f64::from(calls.max(1)) >= self.settings.failure_ratio
    }
}

impl Breaker for Polly {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        match self.state {
            State::Open if now >= self.blocked_until => {
                self.state = State::HalfOpen;
                self.half_open_attempts = self.half_open_attempts.saturating_add(1);
                self.blocked_until = now + self.settings.break_duration;
            }
            State::Closed => {}
            _ => return None,
        }
        Some(Permit::ANY)
    }

    fn record(&mut self, now: Time, _: Permit, outcome: Outcome) {
        self.sample(now, outcome.verdict);
        match (self.state, outcome.verdict) {
            (State::HalfOpen, Verdict::Failure) => self.open(now),
            (State::Closed, Verdict::Failure) if self.breaks(now) => self.open(now),
            (State::HalfOpen, _) => self.close(),
            _ => {}
        }
    }

    fn state(&self) -> State {
        self.state
    }

    fn look(&mut self, _: Time) -> State {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious breaker: a list of everything that ended since it closed, each with the window it fell into.
    struct Slow {
        state: State,
        until: u64,
        begun: Vec<u64>,
        ends: Vec<(u64, bool)>,
    }

    impl Slow {
        /// Two seconds in ten windows, in tenths.
        fn window(&mut self, now: u64) -> u64 {
            match self.begun.last() {
                Some(begun) if now - begun < 2 => *begun,
                _ => {
                    self.begun.push(now);
                    now
                }
            }
        }

        fn sampled(&mut self, now: u64) -> (u32, u32) {
            self.window(now);
            let in_time = self.ends.iter().filter(|(begun, _)| now - begun < 20);
            in_time.fold((0, 0), |(calls, failures), (_, failed)| (calls + 1, failures + u32::from(*failed)))
        }

        fn admit(&mut self, now: u64) -> bool {
            if self.state == State::Open && now >= self.until {
                self.state = State::HalfOpen;
                return true;
            }
            self.state == State::Closed
        }

        fn record(&mut self, now: u64, failed: bool) {
            let window = self.window(now);
            self.ends.push((window, failed));
            let (calls, failures) = self.sampled(now);
            let breaks = match self.state {
                State::Closed => failed && calls >= 3 && failures * 2 >= calls,
                State::HalfOpen => failed,
                _ => false,
            };
            if breaks {
                (self.state, self.until) = (State::Open, now + 5);
            } else if self.state == State::HalfOpen {
                self.state = State::Closed;
                self.begun.clear();
                self.ends.clear();
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_obvious_one_does(ops in prop::collection::vec((0u64..6, 0u8..5), 1..200)) {
            let tenths = |n: u64| Span::from_millis(100 * n);
            let mut fast = Polly::new(PollySettings {
                failure_ratio: 0.5, minimum_throughput: 3, sampling_duration: tenths(20), break_duration: tenths(5),
                ..Default::default()
            });
            let mut slow = Slow { state: State::Closed, until: 0, begun: vec![], ends: vec![] };
            let (mut held, mut now) = (Vec::new(), 0);
            for (wait, op) in ops {
                now += wait;
                let at = Time::ZERO + tenths(now);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                if let (Some(verdict), Some(permit)) = (verdict, held.pop()) {
                    fast.record(at, permit, verdict.into());
                    slow.record(now, verdict == Verdict::Failure);
                } else {
                    let permit = fast.admit(at);
                    prop_assert_eq!(permit.is_some(), slow.admit(now));
                    held.extend(permit);
                }
                prop_assert_eq!(fast.state(), slow.state);
                prop_assert_eq!(fast.throughput(at), slow.sampled(now));
            }
        }
    }

    #[test]
    fn a_sample_older_than_the_sampling_time_is_forgotten() {
        let mut breaker =
            Polly::new(PollySettings { minimum_throughput: 2, failure_ratio: 1.0, ..Default::default() });
        for (second, state) in [(0, State::Closed), (30, State::Closed), (59, State::Open)] {
            let now = Time::ZERO + Span::from_secs(second);
            let permit = breaker.admit(now).expect("closed");
            breaker.record(now, permit, Verdict::Failure.into());
            assert_eq!(breaker.state(), state, "at {second} s");
        }
    }

    #[test]
    fn isolated_until_closed_by_hand() {
        let mut breaker = Polly::new(PollySettings::default());
        breaker.isolate();
        assert!(breaker.admit(Time::ZERO + Span::from_secs(1_000_000)).is_none());
        breaker.close();
        assert!(breaker.admit(Time::ZERO).is_some());
    }
}
