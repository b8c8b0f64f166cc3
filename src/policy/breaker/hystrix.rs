//! The breaker of Hystrix: a share of errors over ten seconds, as the last health snapshot saw it.

use std::collections::VecDeque;

use super::{Breaker, Outcome, Permit, PolicyInfo, State, Time, Verdict};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "hystrix",
    summary: "opens when a health snapshot shows a share of errors, probes with one call (Hystrix)",
    page: include_str!("hystrix.md"),
};

/// Hystrix's command properties `circuitBreaker.*` and `metrics.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HystrixSettings {
    /// Below so many calls in the rolling time nothing is decided. Default 20.
    pub request_volume_threshold: u32,
    /// Errors in whole percent, rounded down, that open it. Default 50.
    pub error_threshold_percentage: u32,
    /// How long it rejects everything. Default 5 s.
    pub sleep_window: Span,
    /// What is counted. Default 10 s.
    pub rolling: Span,
    /// A snapshot is taken, and a bucket ends, so often. Default 500 ms.
    pub snapshot_interval: Span,
}

impl Default for HystrixSettings {
    fn default() -> Self {
        Self {
            request_volume_threshold: 20,
            error_threshold_percentage: 50,
            sleep_window: Span::from_secs(5),
            rolling: Span::from_secs(10),
            snapshot_interval: Span::from_millis(500),
        }
    }
}

/// What a snapshot shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Calls that ended.
    pub calls: u32,
    /// Errors among them.
    pub errors: u32,
}

impl Health {
    /// Whole percent, rounded down; 0 of no calls.
    pub fn error_percentage(self) -> u32 {
        let percent = u64::from(self.errors) * 100 / u64::from(self.calls.max(1));
        u32::try_from(percent).unwrap_or(u32::MAX)
    }
}

/// Hystrix's state machine.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::breaker::{Breaker, Hystrix, HystrixSettings, State, Verdict};
/// let mut breaker = Hystrix::new(HystrixSettings { request_volume_threshold: 1, ..Default::default() });
/// let permit = breaker.admit(Time::ZERO).expect("closed");
/// breaker.record(Time::ZERO, permit, Verdict::Failure.into());
/// assert_eq!(breaker.look(Time::ZERO + Span::from_millis(499)), State::Closed, "no snapshot yet");
/// assert_eq!(breaker.look(Time::ZERO + Span::from_millis(500)), State::Open);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hystrix {
    settings: HystrixSettings,
    state: State,
    opened: Time,
    /// When the bucket under way ends.
    tick: Time,
    current: Health,
    /// The ended buckets of the rolling time, and their sum: the snapshot.
    buckets: VecDeque<Health>,
    snapshot: Health,
}

impl Hystrix {
    /// Closed, nothing counted; the first snapshot comes an interval after `Time::ZERO`.
    pub fn new(settings: HystrixSettings) -> Self {
        let mut breaker = Self {
            settings,
            state: State::Closed,
            opened: Time::ZERO,
            tick: Time::ZERO,
            current: Health::default(),
            buckets: VecDeque::new(),
            snapshot: Health::default(),
        };
        breaker.buckets = VecDeque::with_capacity(breaker.size() + 1);
        breaker.restart(Time::ZERO);
        breaker
    }

    /// The latest snapshot.
    pub fn health(&mut self, now: Time) -> Health {
        self.catch_up(now);
        self.snapshot
    }

    fn interval(&self) -> Span {
        self.settings.snapshot_interval.max(Span::from_nanos(1))
    }

    fn size(&self) -> usize {
        let size = self.settings.rolling.nanos() / self.interval().nanos();
        usize::try_from(size.clamp(1, 100_000)).unwrap_or(1)
    }

    fn restart(&mut self, now: Time) {
        self.tick = now + self.interval();
        self.current = Health::default();
        self.snapshot = Health::default();
        self.buckets.clear();
    }

    /// Takes the snapshots that are due.
    fn catch_up(&mut self, now: Time) {
        if now < self.tick {
            return;
        }
        let (size, interval) = (self.size(), self.interval());
        let due = 1 + now.since(self.tick).nanos() / interval.nanos();
        for turn in 0..due.min(size as u64 + 1) {
            let ended = std::mem::take(&mut self.current);
            self.snapshot.calls = self.snapshot.calls.saturating_add(ended.calls);
            self.snapshot.errors = self.snapshot.errors.saturating_add(ended.errors);
            self.buckets.push_back(ended);
            if self.buckets.len() > size
                && let Some(old) = self.buckets.pop_front()
            {
                self.snapshot.calls = self.snapshot.calls.saturating_sub(old.calls);
                self.snapshot.errors = self.snapshot.errors.saturating_sub(old.errors);
            }
            if self.state == State::Closed
                && self.snapshot.calls >= self.settings.request_volume_threshold
                && self.snapshot.error_percentage() >= self.settings.error_threshold_percentage
            {
                self.state = State::Open;
                self.opened = self.tick + interval.times(turn);
            }
        }
        self.tick = self.tick + interval.times(due);
    }
}

impl Breaker for Hystrix {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        self.catch_up(now);
        match self.state {
            State::Closed => {}
            State::Open if now > self.opened + self.settings.sleep_window => self.state = State::HalfOpen,
            _ => return None,
        }
        Some(Permit::ANY)
    }

    fn record(&mut self, now: Time, _: Permit, outcome: Outcome) {
        self.catch_up(now);
        match (self.state, outcome.verdict) {
            // Its own success is told after the stream was reset: the first of the new counts.
            (State::HalfOpen, Verdict::Success) => {
                self.state = State::Closed;
                self.restart(now);
            }
            (State::HalfOpen, _) => {
                self.state = State::Open;
                self.opened = now;
            }
            _ => {}
        }
        if outcome.verdict != Verdict::Ignored {
            self.current.calls = self.current.calls.saturating_add(1);
            self.current.errors =
                self.current.errors.saturating_add((outcome.verdict == Verdict::Failure).into());
        }
    }

    fn state(&self) -> State {
        self.state
    }

    fn look(&mut self, now: Time) -> State {
        self.catch_up(now);
        self.state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The obvious breaker: a list of everything that ended since the last reset, looked through at every tick.
    struct Slow {
        state: State,
        opened: u64,
        reset: u64,
        /// Ticks looked at since the reset.
        ticks: u64,
        ends: Vec<(u64, bool)>,
    }

    /// Four buckets of three.
    const TICK: u64 = 3;

    impl Slow {
        /// The snapshot of the nth tick.
        fn snapshot(&self, n: u64) -> Health {
            let buckets = n.saturating_sub(4)..n;
            let seen = self.ends.iter().filter(|(at, _)| buckets.contains(&((at - self.reset) / TICK)));
            let (mut calls, mut errors) = (0, 0);
            seen.for_each(|(_, failed)| (calls, errors) = (calls + 1, errors + u32::from(*failed)));
            Health { calls, errors }
        }

        fn look(&mut self, now: u64) {
            while self.reset + (self.ticks + 1) * TICK <= now {
                self.ticks += 1;
                let health = self.snapshot(self.ticks);
                if self.state == State::Closed && health.calls >= 2 && health.errors * 2 >= health.calls {
                    (self.state, self.opened) = (State::Open, self.reset + self.ticks * TICK);
                }
            }
        }

        fn admit(&mut self, now: u64) -> bool {
            self.look(now);
            if self.state == State::Open && now > self.opened + 5 {
                self.state = State::HalfOpen;
                return true;
            }
            self.state == State::Closed
        }

        fn record(&mut self, now: u64, verdict: Verdict) {
            self.look(now);
            if self.state == State::HalfOpen {
                if verdict == Verdict::Success {
                    (self.state, self.reset, self.ticks) = (State::Closed, now, 0);
                    self.ends.clear();
                } else {
                    (self.state, self.opened) = (State::Open, now);
                }
            }
            if verdict != Verdict::Ignored {
                self.ends.push((now, verdict == Verdict::Failure));
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_obvious_one_does(ops in prop::collection::vec((0u64..9, 0u8..5), 1..200)) {
            let mut fast = Hystrix::new(HystrixSettings {
                request_volume_threshold: 2, error_threshold_percentage: 50, sleep_window: Span::from_nanos(5),
                rolling: Span::from_nanos(4 * TICK), snapshot_interval: Span::from_nanos(TICK),
            });
            let mut slow = Slow { state: State::Closed, opened: 0, reset: 0, ticks: 0, ends: vec![] };
            let (mut held, mut now) = (Vec::new(), 0);
            for (wait, op) in ops {
                now += wait;
                let at = Time::from_nanos(now);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                if let (Some(verdict), Some(permit)) = (verdict, held.pop()) {
                    fast.record(at, permit, verdict.into());
                    slow.record(now, verdict);
                } else {
                    let permit = fast.admit(at);
                    prop_assert_eq!(permit.is_some(), slow.admit(now));
                    held.extend(permit);
                }
                prop_assert_eq!(fast.look(at), slow.state);
                prop_assert_eq!(fast.health(at), slow.snapshot(slow.ticks));
            }
        }
    }

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    fn end(breaker: &mut Hystrix, millis: u64, verdict: Verdict) {
        let permit = breaker.admit(at(millis)).expect("admitted");
        breaker.record(at(millis), permit, verdict.into());
    }

    #[test]
    fn it_opens_at_half_of_twenty_and_not_of_nineteen() {
        for (failures, successes, state) in
            [(10, 10, State::Open), (10, 9, State::Closed), (9, 11, State::Closed)]
        {
            let mut breaker = Hystrix::new(HystrixSettings::default());
            (0..failures).for_each(|_| end(&mut breaker, 1, Verdict::Failure));
            (0..successes).for_each(|_| end(&mut breaker, 2, Verdict::Success));
            assert_eq!(breaker.look(at(500)), state, "{failures} of {}", failures + successes);
            assert_eq!(breaker.health(at(10_499)).calls, failures + successes, "ten seconds of buckets");
            assert_eq!(breaker.health(at(10_500)).calls, 0);
        }
    }

    #[test]
    fn one_probe_after_the_sleep_window_decides() {
        let mut breaker = Hystrix::new(HystrixSettings::default());
        (0..20).for_each(|_| end(&mut breaker, 1, Verdict::Failure));
        assert!(breaker.admit(at(5_500)).is_none(), "the window must be over");
        let probe = breaker.admit(at(5_501)).expect("a probe");
        assert!(breaker.admit(at(5_501)).is_none(), "one");
        breaker.record(at(5_600), probe, Verdict::Failure.into());
        assert!(breaker.admit(at(10_600)).is_none());
        end(&mut breaker, 10_601, Verdict::Success);
        assert_eq!((breaker.state(), breaker.health(at(10_601)).calls), (State::Closed, 0));
    }
}
