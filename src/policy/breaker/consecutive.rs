//! The classic breaker: so many failures in a row, then a pause, then probes.

use super::{Breaker, Outcome, Permit, PolicyInfo, State, Time, Verdict};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "consecutive",
    summary: "opens after so many failures in a row, probes after a pause",
    page: include_str!("consecutive.md"),
};

/// When it opens, for how long, and what it takes to close again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConsecutiveSettings {
    /// Failures in a row that open it. Default 5.
    pub failure_threshold: u32,
    /// Opens on this instead of failures in a row: gobreaker's `ReadyToTrip` on a ratio. Default none.
    pub ratio: Option<TripRatio>,
    /// How long it rejects everything. Default 60 s.
    pub open_duration: Span,
    /// Probes let through half-open, all of which must succeed to close it. Default 1.
    pub permitted_calls: u32,
    /// While closed, the count starts anew so often. Default never.
    pub interval: Option<Span>,
    /// Cuts the interval, rounded up to a multiple of it, into buckets that go one by one: a rolling window in
    /// place of a count that starts anew. Default none.
    pub bucket_period: Option<Span>,
}

impl Default for ConsecutiveSettings {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            ratio: None,
            open_duration: Span::from_secs(60),
            permitted_calls: 1,
            interval: None,
            bucket_period: None,
        }
    }
}

impl ConsecutiveSettings {
    /// More buckets than this are no window anybody meant, and memory.
    const MOST_BUCKETS: u64 = 1 << 16;

    /// How many buckets the window has, and how long one is; none where nothing rolls.
    fn buckets(&self) -> (usize, Span) {
        let (Some(interval), Some(period)) = (self.interval, self.bucket_period) else {
            return (0, Span::ZERO);
        };
        let buckets = interval.nanos().div_ceil(period.nanos().max(1));
        if buckets < 2 { (0, Span::ZERO) } else { (buckets.min(Self::MOST_BUCKETS) as usize, period) }
    }
}

/// A share of failures that opens it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TripRatio {
    /// Below so many calls (ignored ones apart) nothing is decided.
    pub minimum_calls: u32,
    /// Failures over calls, 0 to 1; reaching it is enough.
    pub ratio: f64,
}

/// What one generation has seen; gobreaker hands the same to `ReadyToTrip`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls admitted, those still under way among them.
    pub requests: u32,
    /// Calls that worked.
    pub successes: u32,
    /// Calls that did not.
    pub failures: u32,
    /// Calls that say nothing.
    pub ignored: u32,
    /// Successes since the last failure.
    pub successes_in_a_row: u32,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
}

impl Counts {
    /// The calls that count: all but the ignored.
    pub fn valid(&self) -> u32 {
        self.requests.saturating_sub(self.ignored)
    }

    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Success => {
                self.successes = self.successes.saturating_add(1);
                self.successes_in_a_row = self.successes_in_a_row.saturating_add(1);
                self.failures_in_a_row = 0;
            }
            Verdict::Failure => {
                self.failures = self.failures.saturating_add(1);
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                self.successes_in_a_row = 0;
            }
            Verdict::Ignored => self.ignored = self.ignored.saturating_add(1),
        }
    }

    /// Takes the oldest bucket out. A row that fills the whole window loses what it had in there.
    fn forget(&mut self, oldest: Self, others: &[Self]) {
        let in_a_row = |row: u32, in_oldest: u32, total: fn(&Self) -> u32| {
            let all = others.iter().fold(in_oldest, |sum, bucket| sum.saturating_add(total(bucket)));
            if row == all { row.saturating_sub(in_oldest) } else { row }
        };
        self.successes_in_a_row =
            in_a_row(self.successes_in_a_row, oldest.successes_in_a_row, |bucket| bucket.successes);
        self.failures_in_a_row =
            in_a_row(self.failures_in_a_row, oldest.failures_in_a_row, |bucket| bucket.failures);
        self.requests = self.requests.saturating_sub(oldest.requests);
        self.successes = self.successes.saturating_sub(oldest.successes);
        self.failures = self.failures.saturating_sub(oldest.failures);
        self.ignored = self.ignored.saturating_sub(oldest.ignored);
    }
}

/// `CLOSED` → `OPEN` → `HALF_OPEN` → `CLOSED`.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::breaker::{Breaker, Consecutive, ConsecutiveSettings, Verdict};
/// let mut breaker = Consecutive::new(ConsecutiveSettings { failure_threshold: 1, ..Default::default() });
/// let permit = breaker.admit(Time::ZERO).expect("closed");
/// breaker.record(Time::ZERO, permit, Verdict::Failure.into());
/// assert!(breaker.admit(Time::ZERO + Span::from_secs(60)).is_none(), "not after the pause, but when it is over");
/// assert!(breaker.admit(Time::ZERO + Span::from_secs(61)).is_some(), "a probe");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Consecutive {
    settings: ConsecutiveSettings,
    state: State,
    generation: u32,
    /// When the generation ends by itself; `Time::MAX` for never.
    expires: Time,
    counts: Counts,
    /// The buckets of a rolling window, a ring; empty where nothing rolls. The sum of them is `counts`.
    buckets: Vec<Counts>,
    /// Of the generation: when it began, and the number of the bucket under way.
    began: Time,
    age: u64,
}

impl Consecutive {
    /// Closed, nothing counted.
    pub fn new(settings: ConsecutiveSettings) -> Self {
        let mut breaker = Self {
            settings,
            state: State::Closed,
            generation: 0,
            expires: Time::MAX,
            counts: Counts::default(),
            buckets: vec![Counts::default(); settings.buckets().0],
            began: Time::ZERO,
            age: 0,
        };
        breaker.enter(State::Closed, Time::ZERO);
        breaker
    }

    /// Permits given half-open and not handed back.
    pub fn probes(&self) -> u32 {
        if self.state == State::HalfOpen {
            self.counts.valid().saturating_sub(self.counts.successes)
        } else {
            0
        }
    }

    /// What this generation has seen, as of the last call.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The number of the stay in one state; it changes with the state and with every interval.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// A new generation: all counts clear.
    fn enter(&mut self, state: State, now: Time) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1).max(1);
        self.counts = Counts::default();
        self.buckets.fill(Counts::default());
        (self.began, self.age) = (now, 0);
        self.expires = match state {
            State::Open => now + self.settings.open_duration,
            State::HalfOpen => Time::MAX,
            _ if !self.buckets.is_empty() => Time::MAX,
            _ => self.settings.interval.map_or(Time::MAX, |interval| now + interval),
        };
    }

    /// What the clock alone changes; nothing watches it, so this comes with the next call.
    fn catch_up(&mut self, now: Time) {
        if now > self.expires {
            let next = if self.state == State::Open { State::HalfOpen } else { State::Closed };
            self.enter(next, now);
        } else if self.state == State::Closed && !self.buckets.is_empty() {
            self.roll(now);
        }
    }

    /// Buckets that are over take their counts with them.
    fn roll(&mut self, now: Time) {
        let age = now.since(self.began).nanos() / self.settings.buckets().1.nanos().max(1);
        let size = self.buckets.len() as u64;
        if age.saturating_sub(self.age) >= size {
            self.counts = Counts::default();
            self.buckets.fill(Counts::default());
            self.age = age;
        }
        while self.age < age {
            self.age += 1;
            let slot = (self.age % size) as usize;
            let oldest = self.buckets.get_mut(slot).map(std::mem::take).unwrap_or_default();
            self.counts.forget(oldest, &self.buckets);
        }
    }

    /// The bucket of a generation's call, as long as the window still holds it.
    fn bucket(&mut self, age: u64) -> Option<&mut Counts> {
        let size = self.buckets.len() as u64;
        let held = age <= self.age && self.age - age < size;
        self.buckets.get_mut((age % size.max(1)) as usize).filter(|_| held)
    }

    fn trips(&self) -> bool {
        let valid = self.counts.valid();
        match self.settings.ratio {
            None => self.counts.failures_in_a_row >= self.settings.failure_threshold.max(1),
            Some(trip) => {
                valid >= trip.minimum_calls
                    && f64::from(self.counts.failures) / f64::from(valid.max(1)) >= trip.ratio
            }
        }
    }
}

impl Breaker for Consecutive {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        self.catch_up(now);
        let full = self.counts.valid() >= self.settings.permitted_calls.max(1);
        if self.state == State::Open || (self.state == State::HalfOpen && full) {
            return None;
        }
        self.counts.requests = self.counts.requests.saturating_add(1);
        let age = self.age;
        if let Some(bucket) = self.bucket(age) {
            bucket.requests = bucket.requests.saturating_add(1);
        }
        Some(Permit { generation: self.generation, bucket: age as u32 })
    }

    fn record(&mut self, now: Time, permit: Permit, outcome: Outcome) {
        self.catch_up(now);
        if permit.generation != self.generation || self.state == State::Open {
            return;
        }
        // What began in a bucket that is gone is gone with it; the rule is asked all the same.
        let bucket = self.bucket(u64::from(permit.bucket));
        let counts = bucket.map(|bucket| bucket.add(outcome.verdict)).is_some() || self.buckets.is_empty();
        if counts {
            self.counts.add(outcome.verdict);
        }
        let half_open = self.state == State::HalfOpen;
        match outcome.verdict {
            Verdict::Failure if half_open || self.trips() => self.enter(State::Open, now),
            Verdict::Success
                if half_open && self.counts.successes_in_a_row >= self.settings.permitted_calls.max(1) =>
            {
                self.enter(State::Closed, now);
            }
            _ => {}
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

    const SETTINGS: ConsecutiveSettings = ConsecutiveSettings {
        failure_threshold: 3,
        open_duration: Span::from_nanos(10),
        permitted_calls: 2,
        interval: None,
        bucket_period: None,
        ratio: None,
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
                        fast.record(at, a, verdict.into());
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
                fast.record(Time::from_nanos(now), a, Verdict::Ignored.into());
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
            breaker.record(Time::from_nanos(now), permit, Verdict::Failure.into());
        }
        assert_eq!(breaker.state(), State::Closed);
    }
}
