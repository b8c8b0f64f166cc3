//! The kubelet's probes.

use super::{CheckResult, HealthCheck, PolicyInfo, Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "kubernetes_probe",
    summary: "three failures in a row take a pod out of its service, restart it, or both",
    page: include_str!("kubernetes.md"),
};

/// What the kubelet does with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// Whether the pod gets requests. Failing until it first succeeds.
    Readiness,
    /// Whether the container must be restarted. Good until it fails.
    Liveness,
    /// Holds back the other two until it succeeds once; its failure restarts.
    Startup,
}

/// A probe as written in a pod's manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeSettings {
    /// Between probes. Default 10 s.
    pub period: Span,
    /// Until a probe counts as failed. Default 1 s.
    pub timeout: Span,
    /// Failures in a row that count. Default 3.
    pub failure_threshold: u32,
    /// Successes in a row that count. Default 1, the only one allowed for liveness and startup.
    pub success_threshold: u32,
    /// From the start of the container to the first probe. Default none.
    pub initial_delay: Span,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self {
            period: Span::from_secs(10),
            timeout: Span::from_secs(1),
            failure_threshold: 3,
            success_threshold: 1,
            initial_delay: Span::ZERO,
        }
    }
}

/// What the kubelet believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeResult {
    /// Startup only: not decided yet.
    Unknown,
    /// Good.
    Success,
    /// Bad: not ready, or to be restarted.
    Failure,
}

/// One probe of one container.
///
/// ```
/// use loadpath::policy::discovery::{CheckResult, HealthCheck, Probe, ProbeKind, ProbeSettings};
/// let mut ready = Probe::new(ProbeKind::Readiness, ProbeSettings::default());
/// assert!(ready.record(CheckResult::Ok), "one success makes it ready");
/// assert!(!ready.record(CheckResult::Timeout) && !ready.record(CheckResult::Timeout));
/// assert!(ready.record(CheckResult::Timeout) && !ready.healthy(), "three failures do not");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    kind: ProbeKind,
    settings: ProbeSettings,
    result: ProbeResult,
    last: Option<bool>,
    run: u32,
    held: bool,
}

impl Probe {
    /// Of a container that just started.
    pub fn new(kind: ProbeKind, settings: ProbeSettings) -> Self {
        let result = match kind {
            ProbeKind::Readiness => ProbeResult::Failure,
            ProbeKind::Liveness => ProbeResult::Success,
            ProbeKind::Startup => ProbeResult::Unknown,
        };
        Self { kind, settings, result, last: None, run: 0, held: false }
    }

    /// What the kubelet believes now.
    pub const fn result(&self) -> ProbeResult {
        self.result
    }

    /// Whether the container must be restarted; a new [`Probe`] belongs to the new container.
    pub fn must_restart(&self) -> bool {
        self.kind != ProbeKind::Readiness && self.result == ProbeResult::Failure
    }

    /// Whether a probe is due for a container that started at `started`. `startup_done`: whether its startup
    /// probe, if it has one, succeeded. The kubelet counts the initial delay in whole seconds.
    pub fn runs(&self, now: Time, started: Time, startup_done: bool) -> bool {
        let startup = self.kind == ProbeKind::Startup;
        let age = now.since(started).nanos() / 1_000_000_000 * 1_000_000_000;
        let waits = age < self.settings.initial_delay.nanos();
        let held = self.held || startup == startup_done;
        !waits && !held
    }

    /// The longest from a failure of the container to the end of the probe that finds it out: it may break
    /// right after a probe, and the last one waits for its timeout.
    pub fn slowest_detection(&self) -> Span {
        let s = &self.settings;
        s.period.times(u64::from(s.failure_threshold.max(1))) + s.timeout
    }
}

impl HealthCheck for Probe {
    fn record(&mut self, result: CheckResult) -> bool {
        if self.held {
            return false;
        }
        let before = self.healthy();
        let passed = result.passed();
        self.run = if self.last == Some(passed) { self.run.saturating_add(1) } else { 1 };
        self.last = Some(passed);
        let needed = if passed { self.settings.success_threshold } else { self.settings.failure_threshold };
        if self.run < needed {
            return false;
        }
        self.result = if passed { ProbeResult::Success } else { ProbeResult::Failure };
        if self.kind != ProbeKind::Readiness && !passed {
            // Nothing is probed until the new container is there.
            self.held = true;
            self.run = 0;
        }
        before != self.healthy()
    }

    fn healthy(&self) -> bool {
        self.result == ProbeResult::Success
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The obvious kubelet looks back over all probes: the row that ends it, against its threshold.
        #[test]
        fn it_does_what_the_obvious_one_does(
            kind in 0usize..3, good in 1usize..4, bad in 1usize..4, probes in prop::collection::vec(any::<bool>(), 1..60),
        ) {
            let kind = [ProbeKind::Readiness, ProbeKind::Liveness, ProbeKind::Startup][kind];
            let settings = ProbeSettings {
                success_threshold: good as u32, failure_threshold: bad as u32, ..Default::default()
            };
            let mut probe = Probe::new(kind, settings);
            let mut believed = probe.result();
            for now in 0..probes.len() {
                probe.record(if probes[now] { CheckResult::Ok } else { CheckResult::Error });
                let held = kind != ProbeKind::Readiness && believed == ProbeResult::Failure;
                let row = probes[..=now].iter().rev().take_while(|other| **other == probes[now]).count();
                if !held && row >= if probes[now] { good } else { bad } {
                    believed = if probes[now] { ProbeResult::Success } else { ProbeResult::Failure };
                }
                prop_assert_eq!(probe.result(), believed, "probe {}", now);
            }
        }
    }

    const FAIL: CheckResult = CheckResult::Error;

    #[test]
    fn a_liveness_probe_restarts_once() {
        let mut probe = Probe::new(ProbeKind::Liveness, ProbeSettings::default());
        assert!(probe.healthy());
        let changed: Vec<bool> =
            [FAIL, FAIL, CheckResult::Ok, FAIL, FAIL, FAIL, FAIL].map(|r| probe.record(r)).to_vec();
        assert_eq!(changed, [false, false, false, false, false, true, false]);
        assert!(probe.must_restart());
        assert!(!probe.runs(Time::MAX, Time::ZERO, true), "held until the new container");
    }

    #[test]
    fn startup_holds_back_the_others() {
        let settings = ProbeSettings { initial_delay: Span::from_secs(5), ..Default::default() };
        let live = Probe::new(ProbeKind::Liveness, settings);
        let start = Probe::new(ProbeKind::Startup, settings);
        let at = |millis| Time::ZERO + Span::from_millis(millis);
        assert_eq!(start.result(), ProbeResult::Unknown);
        assert!(!start.runs(at(4_999), Time::ZERO, false) && start.runs(at(5_000), Time::ZERO, false));
        assert!(!start.runs(at(5_000), Time::ZERO, true), "done once");
        assert!(!live.runs(at(9_000), Time::ZERO, false) && live.runs(at(9_000), Time::ZERO, true));
    }

    #[test]
    fn readiness_needs_its_row() {
        let settings = ProbeSettings { success_threshold: 2, ..Default::default() };
        let mut probe = Probe::new(ProbeKind::Readiness, settings);
        assert!(!probe.record(CheckResult::Ok) && !probe.healthy());
        assert!(!probe.record(FAIL) && !probe.record(CheckResult::Ok) && probe.record(CheckResult::Ok));
        assert_eq!(probe.slowest_detection(), Span::from_secs(31));
    }
}
