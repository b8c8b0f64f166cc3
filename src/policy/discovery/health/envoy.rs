//! Envoy's active health checker: thresholds on both sides, with two short cuts.

use super::{CheckResult, HealthCheck, PolicyInfo, Span};
use crate::kernel::Stream;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "envoy_active_health_check",
    summary: "a host enters on its first success; a bad answer ejects at once, silence after a threshold",
    page: include_str!("envoy.md"),
};

/// Thresholds and pace. Envoy requires `timeout`, `interval` and both thresholds to be written down, so
/// their values here are those of its documentation's examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvoySettings {
    /// How long a check waits for its answer. 1 s here.
    pub timeout: Span,
    /// Between the end of a check and the next. 5 s here.
    pub interval: Span,
    /// Network failures in a row that make a healthy host unhealthy; at least 1. 3 here.
    pub unhealthy_threshold: u32,
    /// Successes in a row that make an unhealthy host healthy again; at least 1. 2 here.
    pub healthy_threshold: u32,
    /// While the cluster has never had traffic. Default 60 s.
    pub no_traffic_interval: Span,
    /// The same after a good check. Default: `no_traffic_interval`.
    pub no_traffic_healthy_interval: Option<Span>,
    /// After a failed check. Default: `interval`.
    pub unhealthy_interval: Option<Span>,
    /// After a failed check that does not decide yet. Default: `unhealthy_interval`.
    pub unhealthy_edge_interval: Option<Span>,
    /// After a good check that does not decide yet. Default: `interval`.
    pub healthy_edge_interval: Option<Span>,
    /// Before the first check, uniform below this. Default none.
    pub initial_jitter: Span,
    /// Added to each interval, uniform below this. Default none.
    pub interval_jitter: Span,
    /// Added to each interval, uniform below this share of it, in percent. Default none.
    pub interval_jitter_percent: u32,
}

impl Default for EnvoySettings {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(1),
            interval: Span::from_secs(5),
            unhealthy_threshold: 3,
            healthy_threshold: 2,
            no_traffic_interval: Span::from_secs(60),
            no_traffic_healthy_interval: None,
            unhealthy_interval: None,
            unhealthy_edge_interval: None,
            healthy_edge_interval: None,
            initial_jitter: Span::ZERO,
            interval_jitter: Span::ZERO,
            interval_jitter_percent: 0,
        }
    }
}

/// What a check did to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// Nothing.
    Unchanged,
    /// It counts towards a change.
    ChangePending,
    /// The host changed sides, or was checked for the first time.
    Changed,
}

/// One host as one Envoy checks it.
///
/// ```
/// use loadpath::policy::discovery::{CheckResult, EnvoyHealth, EnvoySettings, HealthCheck};
/// let mut host = EnvoyHealth::pending(EnvoySettings::default());
/// assert!(!host.healthy(), "no requests before the first check");
/// assert!(host.record(CheckResult::Ok) && host.healthy(), "the first success is enough");
/// assert!(host.record(CheckResult::Error) && !host.healthy(), "and so is one bad answer");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvoyHealth {
    settings: EnvoySettings,
    healthy: bool,
    pending: bool,
    first: bool,
    good: u32,
    bad: u32,
    last: Transition,
    passed: bool,
    timed_out: bool,
}

impl EnvoyHealth {
    /// A host just added to a cluster with health checks: unhealthy until it is checked.
    pub fn pending(settings: EnvoySettings) -> Self {
        Self {
            settings,
            healthy: false,
            pending: true,
            first: true,
            good: 0,
            bad: 0,
            last: Transition::Unchanged,
            passed: false,
            timed_out: false,
        }
    }

    /// A host that counts as healthy (or not) before its first check, as in Envoy's own tests.
    pub fn started(settings: EnvoySettings, healthy: bool) -> Self {
        Self { healthy, pending: false, ..Self::pending(settings) }
    }

    /// Whether it has not been checked yet.
    pub const fn is_pending(&self) -> bool {
        self.pending
    }

    /// Whether it is unhealthy and the last failure was silence.
    pub const fn timed_out(&self) -> bool {
        self.timed_out
    }

    /// Network failures in a row, successes in a row, as counted towards the thresholds.
    pub const fn counts(&self) -> (u32, u32) {
        (self.bad, self.good)
    }

    /// What the last check did.
    pub const fn transition(&self) -> Transition {
        self.last
    }

    /// Until the next check. `traffic`: whether the cluster ever had a connection of a request.
    pub fn wait(&self, traffic: bool, draws: &mut Stream) -> Span {
        let s = &self.settings;
        let edge = self.last == Transition::ChangePending;
        let unhealthy = s.unhealthy_interval.unwrap_or(s.interval);
        let base = match (traffic, self.passed) {
            (false, true) => s.no_traffic_healthy_interval.unwrap_or(s.no_traffic_interval),
            (false, false) => s.no_traffic_interval,
            (true, true) if edge => s.healthy_edge_interval.unwrap_or(s.interval),
            (true, true) => s.interval,
            (true, false) if edge => s.unhealthy_edge_interval.unwrap_or(unhealthy),
            (true, false) => unhealthy,
        };
        let share = (u128::from(base.nanos()) * u128::from(s.interval_jitter_percent) / 100)
            .try_into()
            .unwrap_or(u64::MAX);
        let by_share = if share > 0 { draws.below(share) } else { 0 };
        let fixed = if s.interval_jitter.is_zero() { 0 } else { draws.below(s.interval_jitter.nanos()) };
        base + Span::from_nanos(by_share) + Span::from_nanos(fixed)
    }

    /// Before the first check.
    pub fn initial_wait(&self, draws: &mut Stream) -> Span {
        let bound = self.settings.initial_jitter;
        if bound.is_zero() { Span::ZERO } else { Span::from_nanos(draws.below(bound.nanos())) }
    }

    fn success(&mut self) -> Transition {
        self.bad = 0;
        if self.healthy {
            return Transition::Unchanged;
        }
        self.good = self.good.saturating_add(1);
        if self.first || self.good >= self.settings.healthy_threshold {
            self.healthy = true;
            self.timed_out = false;
            return Transition::Changed;
        }
        Transition::ChangePending
    }

    fn failure(&mut self, result: CheckResult) -> Transition {
        self.good = 0;
        let mut change = Transition::Unchanged;
        if self.healthy {
            let at_once = result == CheckResult::Error;
            if !at_once {
                self.bad = self.bad.saturating_add(1);
            }
            if at_once || self.bad >= self.settings.unhealthy_threshold {
                self.healthy = false;
                change = Transition::Changed;
            } else {
                change = Transition::ChangePending;
            }
        }
        self.timed_out = !self.healthy && result == CheckResult::Timeout;
        change
    }
}

impl HealthCheck for EnvoyHealth {
    fn record(&mut self, result: CheckResult) -> bool {
        let before = self.healthy;
        self.passed = result.passed();
        self.last = if self.passed { self.success() } else { self.failure(result) };
        if self.pending {
            // A cluster that warms waits for exactly this.
            self.pending = false;
            self.last = Transition::Changed;
        }
        self.first = false;
        before != self.healthy
    }

    fn healthy(&self) -> bool {
        self.healthy
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::discovery::HealthCheck;

    const RESULTS: [CheckResult; 5] = [
        CheckResult::Ok,
        CheckResult::Timeout,
        CheckResult::Network,
        CheckResult::Retriable,
        CheckResult::Error,
    ];

    /// Looks at the whole history after every check: the state before, and the row that ends it.
    fn obvious(history: &[CheckResult], start: bool, bad: usize, good: usize) -> bool {
        let mut healthy = start;
        let mut since = 0;
        for now in 0..history.len() {
            let row =
                |passed: bool| history[since..=now].iter().rev().take_while(|r| r.passed() == passed).count();
            let next = if healthy {
                history[now] != CheckResult::Error && row(false) < bad
            } else {
                history[now].passed() && (now == 0 || row(true) >= good)
            };
            if next != healthy {
                (healthy, since) = (next, now + 1);
            }
        }
        healthy
    }

    proptest! {
        #[test]
        fn it_does_what_the_obvious_one_does(
            rolls in prop::collection::vec(0usize..5, 1..60), start: bool, bad in 1u32..5, good in 1u32..5,
        ) {
            let settings = EnvoySettings { unhealthy_threshold: bad, healthy_threshold: good, ..Default::default() };
            let mut host = EnvoyHealth::started(settings, start);
            let history: Vec<CheckResult> = rolls.iter().map(|roll| RESULTS[*roll]).collect();
            for end in 1..=history.len() {
                host.record(history[end - 1]);
                prop_assert_eq!(host.healthy(), obvious(&history[..end], start, bad as usize, good as usize));
            }
        }

        #[test]
        fn jitter_stays_below_its_bounds(seed: u64, percent in 0u32..100) {
            let settings = EnvoySettings {
                interval_jitter: Span::from_millis(7), interval_jitter_percent: percent, ..Default::default()
            };
            let mut draws = Stream::new(seed, 0, "test", "jitter");
            let wait = EnvoyHealth::pending(settings).wait(true, &mut draws);
            let most = settings.interval.scaled(1.0 + f64::from(percent) / 100.0) + Span::from_millis(7);
            prop_assert!(wait >= settings.interval && wait <= most);
        }
    }

    #[test]
    fn each_side_has_its_interval() {
        use CheckResult::{Ok, Timeout};
        let secs = Span::from_secs;
        let settings = EnvoySettings {
            interval: secs(1),
            no_traffic_interval: secs(5),
            no_traffic_healthy_interval: Some(secs(6)),
            unhealthy_interval: Some(secs(2)),
            unhealthy_edge_interval: Some(secs(3)),
            healthy_edge_interval: Some(secs(4)),
            ..Default::default()
        };
        let mut draws = Stream::new(1, 0, "test", "interval");
        let mut host = EnvoyHealth::started(settings, true);
        let mut after = |result, traffic| {
            host.record(result);
            host.wait(traffic, &mut draws)
        };
        assert_eq!(after(Ok, true), secs(1));
        assert_eq!(after(Ok, false), secs(6));
        assert_eq!([after(Timeout, true), after(Timeout, true)], [secs(3), secs(3)]);
        assert_eq!([after(Timeout, true), after(Timeout, true)], [secs(2), secs(2)]);
        assert_eq!([after(Ok, true), after(Ok, true)], [secs(4), secs(1)]);
        assert_eq!(after(Timeout, false), secs(5));
    }
}
