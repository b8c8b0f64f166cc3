//! The breakers of Sentinel: slow calls, failures, or their number, in one bucket of time.

use super::{Breaker, Outcome, Permit, PolicyInfo, State, Time, Verdict};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "sentinel",
    summary: "opens when slow or failed calls of a bucket of time exceed a share or a number (Sentinel)",
    page: include_str!("sentinel.md"),
};

/// What opens it: Sentinel's grade, with its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SentinelGrade {
    /// The share (0 to 1) of calls that took longer than `limit`, in whole milliseconds.
    SlowRatio {
        /// A call longer than this is slow.
        limit: Span,
        /// The share to exceed; 1 is enough when reached.
        ratio: f64,
    },
    /// The share (0 to 1) of failed calls to exceed.
    ErrorRatio(f64),
    /// The number of failed calls to exceed.
    ErrorCount(f64),
}

/// Sentinel's `DegradeRule`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentinelSettings {
    /// What opens it. The product has no default; here half of the calls failed.
    pub grade: SentinelGrade,
    /// Below so many calls in the bucket nothing is decided. Default 5.
    pub minimum_calls: u32,
    /// The bucket, aligned to its own length. Default 1 s.
    pub interval: Span,
    /// How long it rejects everything (`timeWindow`). The product has no default; here 10 s.
    pub open_duration: Span,
}

impl Default for SentinelSettings {
    fn default() -> Self {
        Self {
            grade: SentinelGrade::ErrorRatio(0.5),
            minimum_calls: 5,
            interval: Span::from_secs(1),
            open_duration: Span::from_secs(10),
        }
    }
}

/// Sentinel's state machine; its clock counts whole milliseconds.
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::breaker::{Breaker, Sentinel, SentinelSettings, State, Verdict};
/// let mut breaker = Sentinel::new(SentinelSettings { minimum_calls: 1, ..Default::default() });
/// let permit = breaker.admit(Time::ZERO).expect("closed");
/// breaker.record(Time::ZERO, permit, Verdict::Failure.into());
/// assert_eq!(breaker.state(), State::Open);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sentinel {
    settings: SentinelSettings,
    state: State,
    /// In milliseconds, like the bucket.
    retry_at: u64,
    bucket: u64,
    calls: u32,
    bad: u32,
}

fn millis(span: Span) -> u64 {
    span.nanos() / Span::from_millis(1).nanos()
}

impl Sentinel {
    /// Closed, nothing counted.
    pub fn new(settings: SentinelSettings) -> Self {
        Self { settings, state: State::Closed, retry_at: 0, bucket: 0, calls: 0, bad: 0 }
    }

    /// Calls of the bucket, and those among them that are failed or slow.
    pub fn counts(&mut self, now: Time) -> (u32, u32) {
        let bucket = millis(now.since(Time::ZERO)) / millis(self.settings.interval).max(1);
        if bucket != self.bucket {
            (self.bucket, self.calls, self.bad) = (bucket, 0, 0);
        }
        (self.calls, self.bad)
    }

    fn open(&mut self, now: Time) {
        self.state = State::Open;
        self.retry_at = millis(now.since(Time::ZERO)).saturating_add(millis(self.settings.open_duration));
    }

    fn exceeded(&self) -> bool {
        let share = f64::from(self.bad) / f64::from(self.calls.max(1));
        self.calls >= self.settings.minimum_calls
            && match self.settings.grade {
                SentinelGrade::SlowRatio { ratio, .. } => share > ratio || (ratio >= 1.0 && share >= ratio),
                SentinelGrade::ErrorRatio(ratio) => share > ratio,
                SentinelGrade::ErrorCount(count) => f64::from(self.bad) > count,
            }
    }
}

impl Breaker for Sentinel {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        match self.state {
            State::Closed => {}
            State::Open if millis(now.since(Time::ZERO)) >= self.retry_at => self.state = State::HalfOpen,
            _ => return None,
        }
        Some(Permit::ANY)
    }

    fn record(&mut self, now: Time, _: Permit, outcome: Outcome) {
        if outcome.verdict == Verdict::Ignored {
            // A probe that another rule blocked: open as before, the next call may try.
            if self.state == State::HalfOpen {
                self.state = State::Open;
            }
            return;
        }
        let bad = match self.settings.grade {
            SentinelGrade::SlowRatio { limit, .. } => millis(outcome.duration) > millis(limit),
            _ => outcome.verdict == Verdict::Failure,
        };
        self.counts(now);
        self.calls = self.calls.saturating_add(1);
        self.bad = self.bad.saturating_add(bad.into());
        match self.state {
            State::HalfOpen if bad => self.open(now),
            State::HalfOpen => {
                self.state = State::Closed;
                (self.calls, self.bad) = (0, 0);
            }
            State::Closed if self.exceeded() => self.open(now),
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

    proptest! {
        /// The obvious breaker keeps all that ended since it closed and looks for those of the same bucket of 10 ms.
        #[test]
        fn it_does_what_the_obvious_one_does(
            grade in 0usize..3, ops in prop::collection::vec((0u64..8, 0u8..5, 0u64..9), 1..200),
        ) {
            let grade = [
                SentinelGrade::SlowRatio { limit: Span::from_millis(4), ratio: 1.0 },
                SentinelGrade::ErrorRatio(0.5),
                SentinelGrade::ErrorCount(2.0),
            ][grade];
            let mut fast = Sentinel::new(SentinelSettings {
                grade, minimum_calls: 2, interval: Span::from_millis(10), open_duration: Span::from_millis(6),
            });
            let (mut state, mut until, mut ends) = (State::Closed, 0, Vec::<(u64, bool)>::new());
            let (mut held, mut now) = (Vec::new(), 0);
            for (wait, op, took) in ops {
                now += wait;
                let at = Time::ZERO + Span::from_millis(now);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                let (Some(verdict), Some(permit)) = (verdict, held.pop()) else {
                    let passes = match state {
                        State::Open if now >= until => { state = State::HalfOpen; true }
                        other => other == State::Closed,
                    };
                    let permit = fast.admit(at);
                    prop_assert_eq!((permit.is_some(), fast.state()), (passes, state));
                    held.extend(permit);
                    continue;
                };
                fast.record(at, permit, Outcome { verdict, duration: Span::from_millis(took) });
                let slow_calls = matches!(grade, SentinelGrade::SlowRatio { .. });
                let bad = if slow_calls { took > 4 } else { verdict == Verdict::Failure };
                if verdict == Verdict::Ignored {
                    state = if state == State::HalfOpen { State::Open } else { state };
                } else {
                    ends.push((now / 10, bad));
                    let (all, worse) = ends.iter().filter(|end| end.0 == now / 10)
                        .fold((0u32, 0u32), |(all, worse), end| (all + 1, worse + u32::from(end.1)));
                    let exceeded = all >= 2 && match grade {
                        SentinelGrade::SlowRatio { .. } => worse == all,
                        SentinelGrade::ErrorRatio(_) => worse * 2 > all,
                        SentinelGrade::ErrorCount(_) => worse > 2,
                    };
                    if state == State::HalfOpen && !bad {
                        state = State::Closed;
                        ends.clear();
                    } else if state == State::HalfOpen || state == State::Closed && exceeded {
                        (state, until) = (State::Open, now + 6);
                    }
                }
                prop_assert_eq!(fast.state(), state);
            }
        }
    }

    fn ends(breaker: &mut Sentinel, millis: u64, took: u64, verdict: Verdict) -> State {
        let now = Time::ZERO + Span::from_millis(millis);
        let permit = breaker.admit(now).expect("admitted");
        breaker.record(now, permit, Outcome { verdict, duration: Span::from_millis(took) });
        breaker.state()
    }

    #[test]
    fn a_slow_share_of_one_is_enough_when_reached() {
        let grade = SentinelGrade::SlowRatio { limit: Span::from_millis(50), ratio: 1.0 };
        let mut breaker = Sentinel::new(SentinelSettings { grade, minimum_calls: 2, ..Default::default() });
        assert_eq!(ends(&mut breaker, 0, 51, Verdict::Success), State::Closed);
        assert_eq!(ends(&mut breaker, 0, 51, Verdict::Success), State::Open);
        assert_eq!(ends(&mut breaker, 10_000, 50, Verdict::Failure), State::Closed, "only slowness counts");
    }

    #[test]
    fn a_number_of_failures_is_exceeded_within_one_bucket() {
        let grade = SentinelGrade::ErrorCount(1.0);
        let mut breaker = Sentinel::new(SentinelSettings { grade, minimum_calls: 1, ..Default::default() });
        assert_eq!(ends(&mut breaker, 999, 0, Verdict::Failure), State::Closed);
        assert_eq!(ends(&mut breaker, 1000, 0, Verdict::Failure), State::Closed, "another bucket");
        assert_eq!(ends(&mut breaker, 1999, 0, Verdict::Failure), State::Open);
    }

    #[test]
    fn a_blocked_probe_leaves_it_open_for_the_next_call() {
        let mut breaker = Sentinel::new(SentinelSettings { minimum_calls: 1, ..Default::default() });
        ends(&mut breaker, 0, 0, Verdict::Failure);
        assert_eq!(ends(&mut breaker, 10_000, 0, Verdict::Ignored), State::Open);
        assert_eq!(ends(&mut breaker, 10_000, 0, Verdict::Success), State::Closed);
    }
}
