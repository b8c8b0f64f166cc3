//! Envoy's, the kubelet's and Consul's health checks.

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::discovery::{
    CheckResult, ConsulHealth, ConsulSettings, ConsulStatus, EnvoyHealth, EnvoySettings, HealthCheck, Probe,
    ProbeKind, ProbeResult, ProbeSettings, Transition, TtlCheck,
};

use super::{millis, secs};

const GOOD: CheckResult = CheckResult::Ok;
const SILENT: CheckResult = CheckResult::Timeout;
/// HTTP 503.
const BAD: CheckResult = CheckResult::Error;

// envoyproxy/envoy, test/common/upstream/health_checker_impl_test.cc.

/// `setupHealthCheckIntervalOverridesHC` and `HealthCheckIntervals`: each check with what it does to the host and the
/// seconds to the next.
#[test]
fn envoy_waits_by_what_the_last_check_did() {
    use Transition::{ChangePending, Changed, Unchanged};
    let seconds = Span::from_secs;
    let settings = EnvoySettings {
        timeout: seconds(1),
        interval: seconds(1),
        unhealthy_interval: Some(seconds(2)),
        unhealthy_edge_interval: Some(seconds(3)),
        healthy_edge_interval: Some(seconds(4)),
        no_traffic_interval: seconds(5),
        unhealthy_threshold: 3,
        healthy_threshold: 3,
        ..EnvoySettings::default()
    };
    let mut host = EnvoyHealth::started(settings, true);
    let mut draws = Stream::new(1, 0, "test", "envoy");
    for (n, (result, transition, wait)) in [
        (GOOD, Unchanged, 5),
        (GOOD, Unchanged, 1),
        (GOOD, Unchanged, 1),
        (BAD, Changed, 2),
        (BAD, Unchanged, 2),
        (BAD, Unchanged, 2),
        (GOOD, ChangePending, 4),
        (GOOD, ChangePending, 4),
        (GOOD, Changed, 1),
        (GOOD, Unchanged, 1),
        (SILENT, ChangePending, 3),
        (SILENT, ChangePending, 3),
        (SILENT, Changed, 2),
        (SILENT, Unchanged, 2),
        (GOOD, ChangePending, 4),
        (GOOD, ChangePending, 4),
        (GOOD, Changed, 1),
        (GOOD, Unchanged, 1),
    ]
    .into_iter()
    .enumerate()
    {
        host.record(result);
        assert_eq!(
            (host.transition(), host.wait(n > 0, &mut draws)),
            (transition, seconds(wait)),
            "check {n}"
        );
        // The flag ACTIVE_HC_TIMEOUT: from the check that took the host away to the one that brings it back.
        assert_eq!(host.timed_out(), (12..16).contains(&n), "check {n}");
    }
}

/// `TimeoutAfterDisconnect` (thresholds of 2): a broken connection, then silence.
#[test]
fn envoy_counts_network_failures_together() {
    let settings = EnvoySettings { unhealthy_threshold: 2, healthy_threshold: 2, ..EnvoySettings::default() };
    let mut host = EnvoyHealth::started(settings, true);
    host.record(CheckResult::Network);
    assert_eq!((host.transition(), host.healthy()), (Transition::ChangePending, true));
    host.record(SILENT);
    assert_eq!((host.transition(), host.healthy()), (Transition::Changed, false));
}

/// `SuccessStartFailedFailFirst…` (`expectSuccessStartFailedFailFirst`): failing first disables the fast way in.
#[test]
fn envoy_lets_a_host_in_at_once_only_on_its_first_check() {
    let settings = EnvoySettings { unhealthy_threshold: 2, healthy_threshold: 2, ..EnvoySettings::default() };
    let mut failed_first = EnvoyHealth::started(settings, false);
    let states = [BAD, GOOD, GOOD].map(|result| {
        failed_first.record(result);
        (failed_first.transition(), failed_first.healthy())
    });
    let pending = (Transition::ChangePending, false);
    assert_eq!(states, [(Transition::Unchanged, false), pending, (Transition::Changed, true)]);
    let mut good_first = EnvoyHealth::started(settings, false);
    assert!(good_first.record(GOOD) && good_first.healthy());
}

// kubernetes/kubernetes, pkg/kubelet/prober/worker_test.go.

fn probe(kind: ProbeKind, success_threshold: u32, failure_threshold: u32) -> Probe {
    Probe::new(kind, ProbeSettings { success_threshold, failure_threshold, ..ProbeSettings::default() })
}

fn results(probe: &mut Probe, result: CheckResult, times: usize) -> Vec<bool> {
    (0..times).map(|_| (probe.record(result), probe.healthy()).1).collect()
}

/// `TestFailureThreshold` and `TestSuccessThreshold`, each twice over.
#[test]
fn a_probe_believes_what_comes_in_a_row() {
    let mut ready = probe(ProbeKind::Readiness, 1, 3);
    for _ in 0..2 {
        assert_eq!(results(&mut ready, GOOD, 3), [true; 3]);
        assert_eq!(results(&mut ready, BAD, 2), [true; 2]);
        assert_eq!(results(&mut ready, BAD, 3), [false; 3]);
    }
    let mut ready = probe(ProbeKind::Readiness, 3, 1);
    for _ in 0..2 {
        assert_eq!(results(&mut ready, GOOD, 2), [false; 2]);
        assert_eq!(results(&mut ready, GOOD, 3), [true; 3]);
        assert_eq!(results(&mut ready, BAD, 1), [false]);
    }
}

/// `TestInitialDelay`: 10 s; what is believed meanwhile, and a probe that is due after 100 s.
#[test]
fn a_probe_waits_for_its_initial_delay() {
    let settings = ProbeSettings { initial_delay: Span::from_secs(10), ..ProbeSettings::default() };
    for (kind, believed) in
        [(ProbeKind::Liveness, ProbeResult::Success), (ProbeKind::Readiness, ProbeResult::Failure)]
    {
        let mut probe = Probe::new(kind, settings);
        assert!(!probe.runs(Time::ZERO, Time::ZERO, true));
        assert_eq!(probe.result(), believed);
        assert!(probe.runs(secs(100), Time::ZERO, true));
        probe.record(GOOD);
        assert_eq!(probe.result(), ProbeResult::Success);
    }
}

/// `TestOnHoldOnLivenessCheckFailure`: held until there is a new container.
#[test]
fn a_failed_liveness_probe_is_on_hold() {
    let mut live = probe(ProbeKind::Liveness, 1, 1);
    live.record(BAD);
    assert_eq!(live.result(), ProbeResult::Failure);
    assert!(!live.runs(secs(1), Time::ZERO, true));
    live.record(GOOD);
    assert_eq!(live.result(), ProbeResult::Failure, "while on hold");
    let mut new_container = probe(ProbeKind::Liveness, 1, 1);
    new_container.record(GOOD);
    assert_eq!(new_container.result(), ProbeResult::Success);
}

// hashicorp/consul, agent/checks/check_test.go.

/// The four `TestStatusHandler…` tests: successes before passing, failures before warning and before critical; a
/// letter per check (P passes, F fails) and the status after it.
#[test]
fn consul_needs_rows_after_the_first_check() {
    for ((passing, warning, critical), checks, statuses) in [
        // UpdateStatusAfterConsecutiveChecksThresholdIsReached
        ((2, 2, 3), "PFFFPP", "ppwccp"),
        // ResetCountersOnNonIdenticalsConsecutiveChecks
        ((2, 2, 3), "PFPFPFFFPFPP", "ppppppwccccp"),
        // WarningAndCriticalThresholdsTheSameSetsCritical
        ((2, 3, 3), "PFFFPP", "pppccp"),
        // MaintainWarningStatusWhenCheckIsFlapping
        ((3, 3, 5), "PFFFPFFFPFFFPFFFFF", "pppwwwwwwwwwwwwwwc"),
    ] {
        let mut check = ConsulHealth::new(ConsulSettings {
            success_before_passing: passing,
            failures_before_warning: Some(warning),
            failures_before_critical: critical,
            ..ConsulSettings::default()
        });
        let seen: String = checks
            .chars()
            .map(|letter| {
                check.record(if letter == 'P' { GOOD } else { BAD });
                match check.status() {
                    ConsulStatus::Passing => 'p',
                    ConsulStatus::Warning => 'w',
                    ConsulStatus::Critical => 'c',
                }
            })
            .collect();
        assert_eq!(seen, statuses, "{checks}");
    }
}

/// `TestCheckTTL`: a TTL of 200 ms, told at 100 ms, looked at 150 ms and 300 ms later.
#[test]
fn consul_waits_for_the_ttl() {
    let mut check = TtlCheck::new(Span::from_millis(200));
    check.pass(millis(100));
    assert!(check.passing(millis(100)) && check.passing(millis(250)));
    assert!(!check.passing(millis(400)));
}
