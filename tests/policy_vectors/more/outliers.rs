//! Outlier detection: Envoy `test/common/upstream/outlier_detection_impl_test.cc`. Its `featureEnabled` mocks are
//! percentages here; its clusters of one to five hosts need a `max_ejection_percent` of 100 since Envoy 1.28.

use loadpath::policy::outlier::{Ejection, EnvoyOutlier, EnvoyOutlierSettings, Host, Origin, Outcome};

use super::at;

fn all() -> EnvoyOutlierSettings {
    EnvoyOutlierSettings { max_ejection_percent: 100, ..EnvoyOutlierSettings::default() }
}

/// So many of the same; why the host was ejected in the end.
fn load(
    detector: &mut EnvoyOutlier,
    host: usize,
    count: usize,
    outcome: Outcome,
    now: u64,
) -> Option<Ejection> {
    (0..count).filter_map(|_| detector.report(host, outcome, at(now), || 0)).last()
}

#[test]
fn basic_flow_gateway_failure_and_5xx() {
    let settings = EnvoyOutlierSettings { enforcing_consecutive_gateway_failure: 100, ..all() };
    let mut detector = EnvoyOutlier::new(settings, 2);
    load(&mut detector, 0, 1, Outcome::Code(503), 0);
    load(&mut detector, 0, 1, Outcome::Code(200), 0);
    assert_eq!(load(&mut detector, 0, 4, Outcome::Code(503), 0), None);
    let reason = load(&mut detector, 0, 1, Outcome::Code(503), 0);
    assert_eq!(reason, Some(Ejection::ConsecutiveGatewayFailure));
    detector.tick(at(9_999), || 0);
    assert_eq!((detector.is_ejected(0), detector.active()), (true, 1));
    detector.tick(at(30_001), || 0);
    assert!(!detector.is_ejected(0));
    // Two 503 and three 500: five in a row, no gateway failures in a row.
    load(&mut detector, 0, 2, Outcome::Code(503), 30_001);
    assert_eq!(load(&mut detector, 0, 2, Outcome::Code(500), 30_001), None);
    assert_eq!(load(&mut detector, 0, 1, Outcome::Code(500), 40_000), Some(Ejection::Consecutive5xx));
    (0..2).for_each(|_| detector.remove_host(0));
    assert_eq!(detector.active(), 0);
}

#[test]
fn basic_flow_non_http_codes_external_origin() {
    let mut detector = EnvoyOutlier::new(all(), 2);
    for _ in 0..100 {
        load(&mut detector, 0, 1, Outcome::LocalConnectFailed, 0);
        // ExtOriginRequestSuccess is a 200 where origins are not told apart.
        load(&mut detector, 0, 1, Outcome::Code(200), 0);
    }
    assert!(!detector.is_ejected(0));
    load(&mut detector, 0, 1, Outcome::LocalConnectFailed, 0);
    load(&mut detector, 0, 1, Outcome::LocalConnected, 0);
    assert_eq!(load(&mut detector, 0, 3, Outcome::LocalConnectFailed, 0), None);
    let reason = load(&mut detector, 0, 1, Outcome::LocalConnectFailed, 0);
    assert_eq!(reason, Some(Ejection::Consecutive5xx));
}

/// The test of consecutive failures of local origin, split from the others.
#[test]
fn basic_flow_local_origin_failure() {
    let settings = EnvoyOutlierSettings { split_external_local_origin_errors: true, ..all() };
    let mut detector = EnvoyOutlier::new(settings, 1);
    let reason = load(&mut detector, 0, 5, Outcome::LocalConnectFailed, 0);
    assert_eq!(reason, Some(Ejection::ConsecutiveLocalOrigin));
    // "Simulate additional number of failures to ensure they don't affect future ejections."
    assert_eq!(load(&mut detector, 0, 5, Outcome::LocalConnectFailed, 0), None);
    detector.tick(at(9_999), || 0);
    assert!(detector.is_ejected(0));
    detector.tick(at(30_001), || 0);
    assert_eq!(detector.active(), 0);
    load(&mut detector, 0, 5, Outcome::LocalConnectFailed, 30_001);
    assert_eq!(detector.active(), 1);
    detector.tick(at(40_000), || 0);
    assert_eq!(detector.active(), 1);
    // The second time it is twice 30 s.
    detector.tick(at(90_002), || 0);
    assert_eq!(detector.active(), 0);
    load(&mut detector, 0, 4, Outcome::LocalConnectFailed, 90_002);
    load(&mut detector, 0, 1, Outcome::LocalConnected, 90_002);
    load(&mut detector, 0, 2, Outcome::LocalConnectFailed, 90_002);
    assert_eq!((detector.is_ejected(0), detector.host(0).map(Host::ejections)), (false, Some(2)));
}

/// Success rates and failure percentages: who is ejected at 10 s, and what is known then and after 25 requests a
/// host, which are too few for a success rate and enough for a failure percentage.
fn rates(settings: EnvoyOutlierSettings, origin: Origin, good: Outcome, bad: Outcome) {
    let mut detector = EnvoyOutlier::new(settings, 5);
    (0..5).for_each(|host| _ = load(&mut detector, host, 200, good, 0));
    load(&mut detector, 4, 200, bad, 0);
    detector.tick(at(10_000), || 0);
    let rate = |detector: &EnvoyOutlier, origin| detector.host(4).and_then(|host| host.success_rate(origin));
    let other = if origin == Origin::External { Origin::Local } else { Origin::External };
    assert_eq!((rate(&detector, origin), rate(&detector, other)), (Some(50.0), None));
    let numbers = detector.numbers(origin).expect("enough hosts");
    assert_eq!((numbers.average, numbers.threshold), (90.0, 52.0));
    assert_eq!(detector.numbers(other), None);
    let out: Vec<usize> = (0..5).filter(|host| detector.is_ejected(*host)).collect();
    assert_eq!(out, [4]);
    detector.tick(at(19_999), || 0);
    assert_eq!(detector.active(), 1);
    detector.tick(at(50_001), || 0);
    assert_eq!(detector.active(), 0);
    (0..5).for_each(|host| _ = load(&mut detector, host, 25, good, 50_001));
    load(&mut detector, 4, 25, bad, 50_001);
    detector.tick(at(60_001), || 0);
    assert_eq!((detector.active(), rate(&detector, origin)), (0, Some(50.0)));
    assert_eq!(detector.numbers(origin), None);
}

fn rates_alone() -> EnvoyOutlierSettings {
    EnvoyOutlierSettings {
        enforcing_consecutive_5xx: 0,
        enforcing_consecutive_local_origin_failure: 0,
        ..all()
    }
}

#[test]
fn basic_flow_success_rate() {
    rates(rates_alone(), Origin::External, Outcome::Code(200), Outcome::Code(503));
    let split = EnvoyOutlierSettings { split_external_local_origin_errors: true, ..rates_alone() };
    rates(split, Origin::Local, Outcome::LocalConnected, Outcome::LocalConnectFailed);
}

#[test]
fn basic_flow_failure_percentage_local_origin() {
    // The threshold is lowered to 40 there.
    let settings = EnvoyOutlierSettings {
        split_external_local_origin_errors: true,
        enforcing_local_origin_success_rate: 0,
        enforcing_failure_percentage_local_origin: 100,
        failure_percentage_threshold: 40,
        ..rates_alone()
    };
    let mut detector = EnvoyOutlier::new(settings, 5);
    (0..5).for_each(|host| _ = load(&mut detector, host, 200, Outcome::LocalConnected, 0));
    load(&mut detector, 4, 200, Outcome::LocalConnectFailed, 0);
    detector.tick(at(10_000), || 0);
    assert!(detector.is_ejected(4) && detector.active() == 1);
}

#[test]
fn basic_flow_failure_percentage_external_origin() {
    let settings = EnvoyOutlierSettings {
        enforcing_success_rate: 0,
        enforcing_failure_percentage: 100,
        ..rates_alone()
    };
    let mut detector = EnvoyOutlier::new(settings, 5);
    (0..5).for_each(|host| _ = load(&mut detector, host, 50, Outcome::Code(200), 0));
    load(&mut detector, 3, 250, Outcome::Code(503), 0);
    load(&mut detector, 4, 300, Outcome::Code(503), 0);
    detector.tick(at(10_000), || 0);
    let rate = |host| detector.host(host).and_then(|host| host.success_rate(Origin::External));
    assert_eq!(rate(3), Some(100.0 * 50.0 / 300.0));
    assert_eq!(rate(4), Some(50.0 * 100.0 / 350.0));
    // 83.3% of failures are below 85%, 85.7% are not.
    assert_eq!([3, 4].map(|host| detector.is_ejected(host)), [false, true]);
}

#[test]
fn empty_success_rate() {
    let settings = EnvoyOutlierSettings { success_rate_minimum_hosts: 0, ..all() };
    let mut detector = EnvoyOutlier::new(settings, 0);
    detector.tick(at(10_000), || 0);
    assert_eq!(detector.numbers(Origin::External), None);
}

#[test]
fn overflow() {
    // One percent, and the first goes all the same: as before 1.28.
    let settings = EnvoyOutlierSettings {
        max_ejection_percent: 1,
        always_eject_one_host: true,
        ..EnvoyOutlierSettings::default()
    };
    let mut detector = EnvoyOutlier::new(settings, 2);
    (0..2).for_each(|host| _ = load(&mut detector, host, 5, Outcome::Code(500), 0));
    assert_eq!([0, 1].map(|host| detector.is_ejected(host)), [true, false]);
    assert_eq!((detector.active(), detector.overflows()), (1, 1));
}

#[test]
fn not_enforcing_and_already_ejected() {
    let settings = EnvoyOutlierSettings { enforcing_consecutive_5xx: 0, ..all() };
    let mut detector = EnvoyOutlier::new(settings, 1);
    assert_eq!(load(&mut detector, 0, 5, Outcome::Code(503), 0), None);
    assert_eq!(detector.active(), 0);
    // Consecutive_5xxAlreadyEjected
    let mut detector = EnvoyOutlier::new(all(), 1);
    load(&mut detector, 0, 5, Outcome::Code(500), 0);
    load(&mut detector, 0, 1, Outcome::Code(200), 0);
    load(&mut detector, 0, 5, Outcome::Code(500), 0);
    assert_eq!(detector.host(0).map(Host::ejections), Some(1));
}

#[test]
fn remove_while_ejected() {
    let mut detector = EnvoyOutlier::new(all(), 1);
    load(&mut detector, 0, 5, Outcome::Code(500), 0);
    assert_eq!(detector.active(), 1);
    detector.remove_host(0);
    assert_eq!(detector.active(), 0);
    detector.tick(at(9_999), || 0);
}
