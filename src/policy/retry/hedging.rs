//! Hedging: another attempt before the first has answered.

use super::{PolicyInfo, Pushback};
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "hedging",
    summary: "another attempt each delay until one answers: gRPC",
    page: include_str!("hedging.md"),
};

/// No gRPC client makes more attempts.
const MOST_ATTEMPTS: u32 = 5;

/// `hedgingPolicy` of a gRPC service config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HedgingPolicy {
    /// Attempts, the first included; at most 5 count. Required in gRPC, here 2.
    pub max_attempts: u32,
    /// Between one attempt and the next. Default zero: all at once.
    pub delay: Span,
}

impl Default for HedgingPolicy {
    fn default() -> Self {
        Self { max_attempts: 2, delay: Span::ZERO }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With success, or with a status that is not in the non-fatal list: the call is over.
    Final,
    /// With a status of `non_fatal_status_codes`: the others may still answer.
    NonFatal,
}

/// The attempts of one call.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::retry::{Answer, Hedging, HedgingPolicy, Pushback};
/// let delay = Span::from_millis(10);
/// let mut call = Hedging::new(HedgingPolicy { max_attempts: 2, delay }, Time::ZERO);
/// assert!(call.start(Time::ZERO, true) && !call.start(Time::ZERO, true));
/// assert!(call.start(Time::ZERO + delay, true));
/// assert!(call.ended(Time::ZERO + delay, Answer::Final, Pushback::Silent, true));
/// assert_eq!(call.pending(), 1, "one to cancel");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hedging {
    policy: HedgingPolicy,
    started: u32,
    pending: u32,
    next: Option<Time>,
    over: bool,
}

impl Hedging {
    /// No attempt started; the first is due at once.
    pub fn new(policy: HedgingPolicy, now: Time) -> Self {
        Self { policy, started: 0, pending: 0, next: Some(now), over: false }
    }

    /// When the next attempt is due; `None` when none will be.
    pub fn next(&self) -> Option<Time> {
        self.next
    }

    /// Attempts started.
    pub fn started(&self) -> u32 {
        self.started
    }

    /// Attempts without an end: those to cancel when the call is over.
    pub fn pending(&self) -> u32 {
        self.pending
    }

    /// Whether the call has its result.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Starts the next attempt if it is due; `false` when it is not. The first one always may; when
    /// `allowed` (by the throttle) is false, no further one ever starts.
    pub fn start(&mut self, now: Time, allowed: bool) -> bool {
        if self.next.is_none_or(|due| now < due) {
            return false;
        }
        if self.started > 0 && !allowed {
            self.next = None;
            self.over = self.pending == 0;
            return false;
        }
        self.started += 1;
        self.pending += 1;
        let more = self.started < self.policy.max_attempts.clamp(1, MOST_ATTEMPTS);
        self.next = more.then(|| now + self.policy.delay);
        true
    }

    /// An attempt ended; whether the call is over with it. A non-fatal answer makes the next attempt
    /// due at once, or when the server says; the last one of all is the result.
    pub fn ended(&mut self, now: Time, answer: Answer, pushback: Pushback, allowed: bool) -> bool {
        self.pending = self.pending.saturating_sub(1);
        let due = match pushback {
            Pushback::Silent => Some(now),
            Pushback::After(delay) => Some(now + delay),
            Pushback::Never => None,
        };
        self.next = self.next.and(due).filter(|_| allowed && answer == Answer::NonFatal);
        self.over |= answer == Answer::Final || (self.pending == 0 && self.next.is_none());
        if self.over {
            self.next = None;
        }
        self.over
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_than_allowed(max in 1u32..9, ops in prop::collection::vec((0u64..30, 0u8..5, any::<bool>()), 1..100)) {
            let mut call = Hedging::new(HedgingPolicy { max_attempts: max, delay: Span::from_nanos(10) }, Time::ZERO);
            let mut now = Time::ZERO;
            for (wait, op, allowed) in ops {
                now = now + Span::from_nanos(wait);
                let over = call.is_over();
                if op < 2 { prop_assert!(!(call.start(now, allowed) && over)); }
                else if call.pending() > 0 {
                    let answer = if op == 4 { Answer::Final } else { Answer::NonFatal };
                    call.ended(now, answer, Pushback::Silent, allowed);
                }
                prop_assert!(call.started() <= max.min(5) && call.pending() <= call.started());
                // Never stuck: something is due, under way, or it is over.
                prop_assert!(call.is_over() || call.pending() > 0 || call.next().is_some());
            }
        }
    }

    #[test]
    fn a_non_fatal_answer_hurries_the_next() {
        let policy = HedgingPolicy { max_attempts: 3, delay: Span::from_secs(1) };
        let mut call = Hedging::new(policy, Time::ZERO);
        assert!(call.start(Time::ZERO, true));
        let now = Time::from_nanos(5);
        assert!(!call.ended(now, Answer::NonFatal, Pushback::Silent, true));
        assert!(call.start(now, true));
        assert!(call.ended(now, Answer::NonFatal, Pushback::Never, true), "nothing is left to wait for");
    }
}
