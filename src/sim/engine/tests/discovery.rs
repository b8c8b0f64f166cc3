//! Who knows of whom, and for how long the dead are still called.

use super::{event, two};
use crate::kernel::Span;
use crate::policy::discovery::{CacheSettings, ProbeSettings, RegistrySettings};
use crate::sim::{Action, Cause, Discovery, Knowledge, Outcome, Plan, simulate};

/// `two`, whose instances beat every second; leases of 2 s, sweeps every second, copies of 1 s.
fn registered() -> Plan {
    let mut plan = two(1);
    let second = Span::from_secs(1);
    plan.discovery = Some(Discovery {
        registry: RegistrySettings::plain(Span::from_secs(2), second),
        heartbeat: second,
        cache: CacheSettings { ttl: second, ..CacheSettings::default() },
    });
    plan
}

fn run(plan: &Plan) -> Outcome {
    simulate(plan, 1, 1, 1).expect("a valid plan")
}

fn count(outcome: &Outcome, what: Knowledge) -> u64 {
    outcome.known.iter().find(|(known, _)| *known == what).map_or(0, |(_, count)| *count)
}

/// The seconds in which requests failed.
fn failing(outcome: &Outcome) -> Vec<f64> {
    let windows = outcome.sources[0].windows.iter().filter(|window| window.failures_per_s > 0.0);
    windows.map(|window| window.at_s).collect()
}

#[test]
fn the_dead_are_called_until_lease_sweep_and_copy_are_over() {
    let kill = |lasts| vec![event(3_050, lasts, Action::Kill { unlisted_after: None }, &[0])];
    let mut plan = two(1);
    plan.events = kill(None);
    assert_eq!(run(&plan).sources[0].requests.failed, 35, "nobody notices: every other of the last 69");
    // The last heartbeat is in [2.05, 3.05), the lease ends 2 s later, the sweep of 5 s or 6 s takes it out, and
    // who asks every second, at 0.1 s, 1.1 s, …, learns of it 100 ms later: every other request until then.
    let mut plan = registered();
    assert_eq!(run(&plan).sources[0].requests.failed, 0);
    plan.events = kill(None);
    let outcome = run(&plan);
    let failed = outcome.sources[0].requests.failed;
    assert!(failed == 10 || failed == 15, "{failed}");
    assert!(failing(&outcome).iter().all(|at| (3.0..6.1).contains(at)), "{:?}", failing(&outcome));
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Refused, failed)]);
    assert_eq!((count(&outcome, Knowledge::Registered), count(&outcome, Knowledge::Expired)), (3, 1));
    assert!((2..=3).contains(&count(&outcome, Knowledge::HeartbeatMissed)));
    // Twice the lease and the copy, all later: two seconds of lease, up to two of the copy.
    let mut slow = plan.clone();
    slow.discovery.as_mut().expect("there").registry =
        RegistrySettings::plain(Span::from_secs(4), Span::from_secs(1));
    assert_eq!(run(&slow).sources[0].requests.failed, failed + 10);
    // It comes back, registers, and is called again when the copy is renewed.
    plan.events = kill(Some(4_000));
    let outcome = run(&plan);
    assert_eq!(outcome.sources[0].requests.failed, failed);
    assert_eq!(count(&outcome, Knowledge::Registered), 4);
    let calls = |instance: usize| outcome.instances[instance].requests;
    assert!(calls(0) > 20 && calls(0) < calls(1), "{} {}", calls(0), calls(1));
    // Cut off from everybody, it is alive and expires as well; nobody learns anything from silence.
    plan.edges[0].timeout = Some(Span::from_millis(50));
    plan.events = vec![event(3_050, None, Action::Network { lag: Span::ZERO, loss: 1.0 }, &[0])];
    let outcome = run(&plan);
    assert_eq!(outcome.edges[0].errors_by_cause, [(Cause::Timeout, failed)]);
}

#[test]
fn who_leaves_says_so() {
    let mut plan = registered();
    plan.events = vec![event(3_050, None, Action::Drain, &[0])];
    // The copy of 3.1 s knows.
    let outcome = run(&plan);
    assert_eq!((outcome.sources[0].requests.failed, count(&outcome, Knowledge::Deregistered)), (0, 1));
    assert!((14..=17).contains(&outcome.instances[0].requests), "{}", outcome.instances[0].requests);
    assert_eq!(count(&outcome, Knowledge::Registered), 3, "and does not come back by a heartbeat");
}

#[test]
fn health_checks_find_out() {
    let checked = |action| {
        let mut plan = two(1);
        plan.edges[0].timeout = Some(Span::from_millis(50));
        plan.services[0].health_check = Some(ProbeSettings {
            period: Span::from_secs(1),
            timeout: Span::from_millis(500),
            failure_threshold: 2,
            ..ProbeSettings::default()
        });
        plan.events = vec![event(3_050, Some(4_000), action, &[0])];
        let outcome = run(&plan);
        assert_eq!((count(&outcome, Knowledge::Unhealthy), count(&outcome, Knowledge::Healthy)), (1, 1));
        outcome.sources[0].requests.failed
    };
    // Two checks a second apart: in 1 to 2 s; half a second later where nobody answers.
    let killed = checked(Action::Kill { unlisted_after: None });
    let silent = checked(Action::Network { lag: Span::ZERO, loss: 1.0 });
    assert!((5..=10).contains(&killed), "{killed}");
    assert!((killed + 2..=killed + 3).contains(&silent), "{killed} {silent}");
}

#[test]
fn a_process_that_starts_is_called_when_it_is_ready() {
    for registered in [false, true] {
        let mut plan = self::registered();
        if !registered {
            plan.discovery = None;
        }
        plan.instances[0].startup = Span::from_secs(2);
        plan.services[0].health_check = Some(ProbeSettings {
            period: Span::from_millis(100),
            failure_threshold: 1,
            ..ProbeSettings::default()
        });
        plan.events = vec![event(3_050, Some(10), Action::Kill { unlisted_after: Some(Span::ZERO) }, &[0])];
        let outcome = run(&plan);
        assert_eq!(outcome.sources[0].requests.failed, 0, "{registered}");
        // Ready at 5.06 s, found out by the next check, and at the latest a second later with a copy.
        let missed = if registered { 20..=36 } else { 20..=22 };
        let calls = 99 - 2 * outcome.instances[0].requests;
        assert!(missed.contains(&calls), "{registered}: {calls}");
    }
}
