//! Consul's checks: HTTP with thresholds, and the TTL that an instance must keep alive itself.

use super::{CheckResult, HealthCheck, PolicyInfo, Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "consul_check",
    summary: "critical until it passes; long critical, its service is deregistered",
    page: include_str!("consul.md"),
};

/// Checks that reap critical services run this often.
const REAP_INTERVAL: Span = Span::from_secs(30);
/// And never reap earlier than this.
const REAP_MINIMUM: Span = Span::from_secs(60);

/// A check definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsulSettings {
    /// Good results in a row before it passes. Default 0, which is as good as 1.
    pub success_before_passing: u32,
    /// Bad ones in a row before it is critical. Default 0, which is as good as 1.
    pub failures_before_critical: u32,
    /// Bad ones in a row before it warns. Default: `failures_before_critical`, so that it never does.
    pub failures_before_warning: Option<u32>,
    /// How long critical before the agent deregisters the service; below a minute counts as one.
    /// Default never.
    pub deregister_critical_service_after: Option<Span>,
}

/// Status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsulStatus {
    /// Discoverable.
    Passing,
    /// Discoverable, with a mark.
    Warning,
    /// Not discoverable.
    Critical,
}

/// One check of one service instance.
///
/// ```
/// use loadpath::policy::discovery::{CheckResult, ConsulHealth, ConsulSettings, HealthCheck};
/// let mut check = ConsulHealth::new(ConsulSettings { failures_before_critical: 2, ..Default::default() });
/// assert!(check.record(CheckResult::Ok), "critical until then");
/// assert!(!check.record(CheckResult::Timeout) && check.record(CheckResult::Timeout));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsulHealth {
    settings: ConsulSettings,
    status: ConsulStatus,
    good: u32,
    bad: u32,
}

impl ConsulHealth {
    /// Critical: an instance is not found before its first good check. The counters begin at their thresholds,
    /// so that this first check decides alone.
    pub fn new(settings: ConsulSettings) -> Self {
        let (good, bad) = (settings.success_before_passing, settings.failures_before_critical);
        Self { settings, status: ConsulStatus::Critical, good, bad }
    }

    /// What the agent tells the catalogue.
    pub const fn status(&self) -> ConsulStatus {
        self.status
    }

    /// When the agent deregisters a service that is critical since `since`: at the first of its rounds (every
    /// 30 s from time 0) that finds it critical for longer than the limit.
    pub fn reaped_at(&self, since: Time) -> Option<Time> {
        let limit = self.settings.deregister_critical_service_after?.max(REAP_MINIMUM);
        let over = (since + limit).nanos();
        let round = REAP_INTERVAL.nanos();
        Some(Time::from_nanos((over / round + 1).saturating_mul(round)))
    }
}

impl HealthCheck for ConsulHealth {
    fn record(&mut self, result: CheckResult) -> bool {
        let before = self.healthy();
        if result.passed() {
            self.good = self.good.saturating_add(1);
            self.bad = 0;
            if self.good >= self.settings.success_before_passing {
                self.status = if result == CheckResult::Warning {
                    ConsulStatus::Warning
                } else {
                    ConsulStatus::Passing
                };
            }
        } else {
            self.bad = self.bad.saturating_add(1);
            self.good = 0;
            let critical = self.settings.failures_before_critical;
            if self.bad >= critical {
                self.status = ConsulStatus::Critical;
            } else if self.bad >= self.settings.failures_before_warning.unwrap_or(critical) {
                self.status = ConsulStatus::Warning;
            }
        }
        before != self.healthy()
    }

    fn healthy(&self) -> bool {
        self.status != ConsulStatus::Critical
    }
}

/// A check that the instance itself keeps passing: silent for longer than the TTL, it is critical.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::discovery::TtlCheck;
/// let mut check = TtlCheck::new(Span::from_secs(30));
/// assert!(!check.passing(Time::ZERO), "critical until the first beat");
/// check.pass(Time::ZERO);
/// assert!(check.passing(Time::ZERO + Span::from_secs(29)));
/// assert!(!check.passing(Time::ZERO + Span::from_secs(30)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TtlCheck {
    ttl: Span,
    expires: Option<Time>,
}

impl TtlCheck {
    /// Not passing yet.
    pub const fn new(ttl: Span) -> Self {
        Self { ttl, expires: None }
    }

    /// The instance says it is well: its timer starts anew.
    pub fn pass(&mut self, now: Time) {
        self.expires = Some(now + self.ttl);
    }

    /// The instance says it is not.
    pub fn fail(&mut self) {
        self.expires = None;
    }

    /// Whether it passes now.
    pub fn passing(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| now < expires)
    }

    /// When its timer fires unless a beat comes.
    pub const fn expires(&self) -> Option<Time> {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The obvious handler looks back over all checks: the first decides alone, then rows do.
        #[test]
        fn it_does_what_the_obvious_one_does(
            passing in 0usize..4, critical in 0usize..5, warning in prop::option::of(0usize..5),
            checks in prop::collection::vec(0usize..3, 1..60),
        ) {
            let settings = ConsulSettings {
                success_before_passing: passing as u32, failures_before_critical: critical as u32,
                failures_before_warning: warning.map(|n| n as u32), deregister_critical_service_after: None,
            };
            let mut check = ConsulHealth::new(settings);
            let mut status = ConsulStatus::Critical;
            for now in 0..checks.len() {
                check.record([CheckResult::Ok, CheckResult::Warning, CheckResult::Error][checks[now]]);
                let bad = checks[now] == 2;
                let row = checks[..=now].iter().rev().take_while(|other| (**other == 2) == bad).count();
                let all = row == now + 1;
                if !bad && (row >= passing || all) {
                    status = if checks[now] == 1 { ConsulStatus::Warning } else { ConsulStatus::Passing };
                } else if bad && (row >= critical || all) {
                    status = ConsulStatus::Critical;
                } else if bad && row >= warning.unwrap_or(critical) {
                    status = ConsulStatus::Warning;
                }
                prop_assert_eq!(check.status(), status, "check {}", now);
            }
        }
    }

    #[test]
    fn thresholds_hold_the_old_status() {
        use CheckResult::{Error as Bad, Ok};
        use ConsulStatus::{Critical, Passing, Warning};
        let settings = ConsulSettings {
            success_before_passing: 2,
            failures_before_critical: 3,
            failures_before_warning: Some(2),
            deregister_critical_service_after: None,
        };
        let mut check = ConsulHealth::new(settings);
        let states = [Ok, Bad, Bad, Ok, Bad, Bad, Bad, Ok, Ok].map(|result| {
            check.record(result);
            check.status()
        });
        let expected = [Passing, Passing, Warning, Warning, Warning, Warning, Critical, Critical, Passing];
        assert_eq!(states, expected, "the first check decides alone");
    }

    #[test]
    fn reaping_waits_a_minute_at_least() {
        let with = |limit| {
            let settings = ConsulSettings { deregister_critical_service_after: limit, ..Default::default() };
            ConsulHealth::new(settings).reaped_at(Time::ZERO + Span::from_secs(5))
        };
        let at = |seconds| Some(Time::ZERO + Span::from_secs(seconds));
        assert_eq!(with(None), None);
        assert_eq!(with(Some(Span::from_secs(1))), at(90), "critical for more than 60 s at 65 s");
        assert_eq!(with(Some(Span::from_secs(85))), at(120), "at 90 s it is exactly the limit, not over it");
    }
}
