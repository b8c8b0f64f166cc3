//! The breaker of resilience4j: rates of failed and of slow calls over a window.

use super::window::Window;
use super::{Breaker, Outcome, Permit, PolicyInfo, State, Tally, Time, Verdict, WindowKind};
use crate::kernel::Span;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "rate",
    summary: "opens when a share of the calls in a window failed or were slow (resilience4j)",
    page: include_str!("rate.md"),
};

/// resilience4j's `CircuitBreakerConfig`, under the document's names where it has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateSettings {
    /// Failed calls, in percent, that open it. Default 50.
    pub failure_rate_threshold: f64,
    /// Slow calls, in percent, that open it. Default 100.
    pub slow_call_rate_threshold: f64,
    /// A call longer than this is slow. Default 60 s.
    pub slow_call_duration: Span,
    /// What the rates are taken over. Default the last 100 calls.
    pub window: WindowKind,
    /// Below so many calls in the window nothing is decided. Default 100; a window of calls caps it.
    pub minimum_calls: u32,
    /// Calls let through half-open. Default 10.
    pub permitted_calls: u32,
    /// How long it rejects everything. Default 60 s.
    pub open_duration: Span,
    /// Each opening in a row lasts so many times the one before it. Default 1.
    pub open_multiplier: f64,
    /// No opening lasts longer. Default no limit.
    pub max_open_duration: Option<Span>,
    /// Half-open for so long without a decision, it opens again. Default never.
    pub max_half_open: Option<Span>,
    /// Whether it turns half-open by a timer, and not with the first call after the pause. Default no.
    pub automatic: bool,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            failure_rate_threshold: 50.0,
            slow_call_rate_threshold: 100.0,
            slow_call_duration: Span::from_secs(60),
            window: WindowKind::Calls(100),
            minimum_calls: 100,
            permitted_calls: 10,
            open_duration: Span::from_secs(60),
            open_multiplier: 1.0,
            max_open_duration: None,
            max_half_open: None,
            automatic: false,
        }
    }
}

/// resilience4j's state machine.
///
/// ```
/// use loadpath::kernel::Time;
/// use loadpath::policy::breaker::{Breaker, Rate, RateSettings, State, Verdict};
/// let mut breaker = Rate::new(RateSettings { minimum_calls: 2, ..Default::default() });
/// for verdict in [Verdict::Failure, Verdict::Success] {
///     let permit = breaker.admit(Time::ZERO).expect("closed");
///     breaker.record(Time::ZERO, permit, verdict.into());
/// }
/// assert_eq!(breaker.state(), State::Open, "one of two is 50%: a success can open it");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    settings: RateSettings,
    state: State,
    /// Openings without a `Closed` between them.
    attempts: u32,
    /// When the clock ends the state; `Time::MAX` for never.
    expires: Time,
    /// The window of the settings, and the one of the probes.
    windows: [Window; 2],
    /// The probes' window is the one shown: half-open, and open again after that.
    probing: bool,
    permits: u32,
    not_permitted: u64,
}

impl Rate {
    /// Closed, nothing counted.
    pub fn new(settings: RateSettings) -> Self {
        let probes = WindowKind::Calls(settings.permitted_calls.max(1));
        Self {
            settings,
            state: State::Closed,
            attempts: 0,
            expires: Time::MAX,
            windows: [Window::new(settings.window), Window::new(probes)],
            probing: false,
            permits: 0,
            not_permitted: 0,
        }
    }

    /// Moves it by hand, as the product's `transitionTo…State` methods do.
    pub fn transition(&mut self, now: Time, to: State) {
        self.catch_up(now);
        self.enter(to, now);
    }

    /// The sums over the window shown: of the settings, or of the probes.
    pub fn tally(&mut self, now: Time) -> Tally {
        self.catch_up(now);
        self.window().sum(now)
    }

    /// Failed calls in percent; `None` (the product says −1) below the minimum.
    pub fn failure_rate(&mut self, now: Time) -> Option<f64> {
        let tally = self.tally(now);
        (tally.calls > 0 && tally.calls >= self.minimum()).then(|| percent(tally.failed, tally.calls))
    }

    /// Slow calls in percent; `None` below the minimum.
    pub fn slow_call_rate(&mut self, now: Time) -> Option<f64> {
        let tally = self.tally(now);
        (tally.calls > 0 && tally.calls >= self.minimum()).then(|| percent(tally.slow, tally.calls))
    }

    /// Calls rejected since the window shown began.
    pub fn not_permitted_calls(&self) -> u64 {
        self.not_permitted
    }

    /// Permits left half-open; 0 in every other state.
    pub fn permits(&self) -> u32 {
        if self.state == State::HalfOpen { self.permits } else { 0 }
    }

    /// Openings in a row.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    fn window(&mut self) -> &mut Window {
        let [calls, probes] = &mut self.windows;
        if self.probing { probes } else { calls }
    }

    fn minimum(&self) -> u32 {
        match self.settings.window {
            _ if self.probing => self.settings.minimum_calls.min(self.settings.permitted_calls.max(1)),
            WindowKind::Calls(size) => self.settings.minimum_calls.min(size.max(1)),
            WindowKind::Seconds(_) => self.settings.minimum_calls,
        }
    }

    fn pause(&self) -> Span {
        let growth = (1..self.attempts.min(1024)).fold(1.0, |all, _| all * self.settings.open_multiplier);
        let pause = self.settings.open_duration.scaled(growth);
        self.settings.max_open_duration.map_or(pause, |most| pause.min(most))
    }

    fn enter(&mut self, state: State, now: Time) {
        self.expires = Time::MAX;
        match state {
            // What was measured stays on show while it rejects.
            State::Open => {
                self.attempts = self.attempts.saturating_add(1);
                self.expires = now + self.pause();
            }
            State::HalfOpen => {
                self.permits = self.settings.permitted_calls.max(1);
                self.expires = self.settings.max_half_open.map_or(Time::MAX, |most| now + most);
                self.measure_anew(true);
            }
            _ => {
                self.attempts = 0;
                self.measure_anew(false);
            }
        }
        self.state = state;
    }

    fn measure_anew(&mut self, probing: bool) {
        self.probing = probing;
        self.not_permitted = 0;
        self.window().clear();
    }

    /// What the product's timers have done by now.
    fn catch_up(&mut self, now: Time) {
        while now >= self.expires {
            let at = self.expires;
            match self.state {
                State::Open if self.settings.automatic => self.enter(State::HalfOpen, at),
                State::HalfOpen => self.enter(State::Open, at),
                _ => return,
            }
            // Timers of no length would never end this.
            if self.expires == at {
                return;
            }
        }
    }

    fn judge(&mut self, now: Time) {
        let (Some(failed), Some(slow)) = (self.failure_rate(now), self.slow_call_rate(now)) else { return };
        let above =
            failed >= self.settings.failure_rate_threshold || slow >= self.settings.slow_call_rate_threshold;
        match self.state {
            State::Closed | State::HalfOpen if above => self.enter(State::Open, now),
            State::HalfOpen => self.enter(State::Closed, now),
            _ => {}
        }
    }
}

fn percent(part: u32, whole: u32) -> f64 {
    f64::from(part) * 100.0 / f64::from(whole)
}

impl Breaker for Rate {
    fn admit(&mut self, now: Time) -> Option<Permit> {
        self.catch_up(now);
        if self.state == State::Open && now > self.expires {
            self.enter(State::HalfOpen, now);
        }
        let pass = match self.state {
            State::Closed | State::Disabled | State::MetricsOnly => true,
            State::HalfOpen if self.permits > 0 => {
                self.permits -= 1;
                true
            }
            _ => false,
        };
        if !pass {
            self.not_permitted = self.not_permitted.saturating_add(1);
        }
        pass.then_some(Permit::ANY)
    }

    fn record(&mut self, now: Time, _: Permit, outcome: Outcome) {
        self.catch_up(now);
        let failed = match outcome.verdict {
            _ if matches!(self.state, State::Disabled | State::ForcedOpen) => return,
            Verdict::Ignored => {
                self.permits = self.permits.saturating_add(1);
                return;
            }
            Verdict::Success => false,
            Verdict::Failure => true,
        };
        let slow = outcome.duration > self.settings.slow_call_duration;
        self.window().add(now, Tally::one(failed, slow));
        self.judge(now);
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

    const SECOND: u64 = 1_000_000_000;

    fn settings(window: WindowKind) -> RateSettings {
        RateSettings {
            slow_call_rate_threshold: 75.0,
            slow_call_duration: Span::from_nanos(1),
            window,
            minimum_calls: 3,
            permitted_calls: 2,
            open_duration: Span::from_secs(3),
            ..Default::default()
        }
    }

    /// The obvious breaker: a list of everything measured since the state began, in half seconds.
    struct Slow {
        window: WindowKind,
        state: State,
        since: u64,
        permits: u32,
        probing: bool,
        /// When, failed, slow.
        ends: Vec<(u64, bool, bool)>,
    }

    impl Slow {
        fn shown(&self, now: u64) -> Vec<(u64, bool, bool)> {
            let last = |n: u32| self.ends.iter().rev().take(n as usize).copied().collect();
            match self.window {
                _ if self.probing => last(2),
                WindowKind::Calls(n) => last(n),
                WindowKind::Seconds(n) => {
                    self.ends.iter().filter(|end| end.0 / 2 + u64::from(n) > now / 2).copied().collect()
                }
            }
        }

        fn go(&mut self, state: State, now: u64) {
            (self.state, self.since) = (state, now);
            if state != State::Open {
                self.ends.clear();
                self.probing = state == State::HalfOpen;
                self.permits = 2;
            }
        }

        fn admit(&mut self, now: u64) -> bool {
            if self.state == State::Open && now > self.since + 6 {
                self.go(State::HalfOpen, now);
            }
            match self.state {
                State::HalfOpen if self.permits == 0 => false,
                State::HalfOpen => {
                    self.permits -= 1;
                    true
                }
                state => state == State::Closed,
            }
        }

        fn record(&mut self, now: u64, verdict: Verdict, slow: bool) {
            if verdict == Verdict::Ignored {
                self.permits += 1;
                return;
            }
            self.ends.push((now, verdict == Verdict::Failure, slow));
            let shown = self.shown(now);
            if self.state == State::Open || shown.len() < if self.probing { 2 } else { 3 } {
                return;
            }
            let (failed, slow) =
                (shown.iter().filter(|end| end.1).count(), shown.iter().filter(|end| end.2).count());
            if failed * 2 >= shown.len() || slow * 4 >= shown.len() * 3 {
                self.go(State::Open, now);
            } else if self.state == State::HalfOpen {
                self.go(State::Closed, now);
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_what_the_obvious_one_does(
            by_time: bool,
            size in 1u32..6,
            ops in prop::collection::vec((0u64..5, 0u8..6, any::<bool>()), 1..200),
        ) {
            let window = if by_time { WindowKind::Seconds(size) } else { WindowKind::Calls(size + 2) };
            let mut fast = Rate::new(settings(window));
            let mut slow = Slow {
                window, state: State::Closed, since: 0, permits: 0, probing: false, ends: vec![],
            };
            let (mut held, mut now) = (Vec::new(), 0);
            for (wait, op, dawdles) in ops {
                now += wait;
                let at = Time::from_nanos(now * SECOND / 2);
                let verdict = [Verdict::Success, Verdict::Failure, Verdict::Ignored].get(usize::from(op)).copied();
                if let (Some(verdict), Some(permit)) = (verdict, held.last().copied()) {
                    held.pop();
                    let duration = Span::from_nanos(1 + u64::from(dawdles));
                    fast.record(at, permit, Outcome { verdict, duration });
                    slow.record(now, verdict, dawdles);
                } else {
                    let permit = fast.admit(at);
                    prop_assert_eq!(permit.is_some(), slow.admit(now));
                    held.extend(permit);
                }
                prop_assert_eq!(fast.state(), slow.state);
                let shown = slow.shown(now);
                let tally = fast.tally(at);
                prop_assert_eq!(tally.calls as usize, shown.len());
                prop_assert_eq!(tally.failed as usize, shown.iter().filter(|end| end.1).count());
                prop_assert_eq!(tally.slow_failed as usize, shown.iter().filter(|end| end.1 && end.2).count());
                prop_assert_eq!(fast.permits(), if slow.state == State::HalfOpen { slow.permits } else { 0 });
            }
        }
    }

    fn at(second: u64) -> Time {
        Time::ZERO + Span::from_secs(second)
    }

    #[test]
    fn timers_open_and_half_open_it_without_a_call() {
        let mut breaker = Rate::new(RateSettings {
            automatic: true,
            max_half_open: Some(Span::from_secs(2)),
            open_multiplier: 2.0,
            max_open_duration: Some(Span::from_secs(10)),
            ..settings(WindowKind::Calls(3))
        });
        breaker.transition(at(0), State::Open);
        // Open 3 s, 6 s and, capped, 10 s, each followed by 2 s half-open.
        for (second, state) in [
            (2, State::Open),
            (3, State::HalfOpen),
            (5, State::Open),
            (11, State::HalfOpen),
            (13, State::Open),
            (22, State::Open),
            (23, State::HalfOpen),
        ] {
            assert_eq!(breaker.look(at(second)), state, "at {second} s");
        }
        assert_eq!(breaker.attempts(), 3);
    }

    #[test]
    fn states_set_by_hand_hold() {
        for (state, passes, counted) in
            [(State::Disabled, true, 0), (State::MetricsOnly, true, 9), (State::ForcedOpen, false, 0)]
        {
            let mut breaker = Rate::new(settings(WindowKind::Calls(9)));
            breaker.transition(at(0), state);
            for second in 0..9 {
                assert_eq!(breaker.admit(at(second)).is_some(), passes);
                breaker.record(at(second), Permit::NONE, Verdict::Failure.into());
            }
            assert_eq!((breaker.state(), breaker.tally(at(9)).calls), (state, counted));
        }
    }
}
