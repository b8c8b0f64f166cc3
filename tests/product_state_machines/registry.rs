//! Netflix/eureka: `eureka-core/src/main/java/com/netflix/eureka/…`, whose own tests hold no figures for these. What
//! is expected is worked out from the source that each test names.

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::discovery::{Lease, Periodic, Registry, RegistrySettings, Staleness};

use super::secs;

/// `lease/Lease.java`: `DEFAULT_DURATION_IN_SECS` 90, `renew` = now + duration, `isExpired` = now > last + duration;
/// `LeaseTest`'s cases on it: not yet expired, expired, renewed.
#[test]
fn a_lease_of_ninety_seconds() {
    let mut lease = Lease::new(RegistrySettings::default().lease, true, Time::ZERO);
    assert!(!lease.expired(secs(90)) && lease.expired(secs(91)));
    lease.renew(secs(91));
    assert!(!lease.expired(secs(91 + 180)) && lease.expired(secs(91 + 181)));
}

/// `AbstractInstanceRegistry.updateRenewsPerMinThreshold`: (int) (clients · 60 / 30 · 0.85).
#[test]
fn the_threshold_of_renewals_rounds_down() {
    for (clients, threshold) in [(1, 1), (2, 3), (3, 5), (10, 17), (20, 34), (100, 170)] {
        let mut registry = Registry::new(RegistrySettings::default());
        (0..clients).for_each(|id| assert!(registry.register(id, 0, Time::ZERO)));
        assert_eq!(registry.renewals(Time::ZERO).1, threshold, "{clients}");
        // `register` raises the expectation for a new lease only, `internalCancel` lowers it.
        registry.register(0, 0, secs(1));
        assert_eq!(registry.renewals(Time::ZERO).1, threshold);
        registry.deregister(0, secs(2));
        assert_eq!(registry.renewals(Time::ZERO).1, (f64::from(clients - 1) * 2.0 * 0.85) as u64);
    }
}

/// `PeerAwareInstanceRegistryImpl.isLeaseExpirationEnabled`: renewals of the last whole minute > threshold > 0; and
/// `AbstractInstanceRegistry.renew`, which counts no renewal of a lease it does not know.
#[test]
fn eighteen_renewals_of_ten_clients_let_leases_expire() {
    for (renewals, strangers, preserving) in [(17, 0, true), (18, 0, false), (17, 40, true)] {
        let mut registry = Registry::new(RegistrySettings::default());
        (0..10).for_each(|id| assert!(registry.register(id, 0, Time::ZERO)));
        (0..renewals).for_each(|n| assert!(registry.heartbeat(n % 10, secs(30))));
        (0..strangers).for_each(|n| assert!(!registry.heartbeat(100 + n, secs(30))));
        assert_eq!(registry.renewals(secs(60)), (u64::from(renewals), 17));
        assert_eq!(registry.preserving(secs(60)), preserving, "{renewals} and {strangers}");
    }
}

/// `AbstractInstanceRegistry.evict`: at most registered − (int) (registered · 0.85) go, however many are expired; the
/// evictions of one sweep lower what the next one expects.
#[test]
fn a_sweep_takes_its_share() {
    let mut draws = Stream::new(1, 0, "test", "eureka");
    for (registered, silent, goes) in [(20, 10, 3), (20, 2, 2), (6, 3, 1), (1, 1, 1), (100, 50, 15)] {
        let mut registry = Registry::new(RegistrySettings::default());
        (0..registered).for_each(|id| assert!(registry.register(id, 0, Time::ZERO)));
        // Those that live renew so often that they make up for the silent.
        for id in silent..registered {
            (0..8).for_each(|n| assert!(registry.heartbeat(id, secs(121 + n))));
        }
        // Where all are silent a newcomer renews for them.
        if silent == registered {
            registry.register(registered, 0, secs(121));
            (0..4).for_each(|n| assert!(registry.heartbeat(registered, secs(122 + n))));
        }
        assert_eq!(registry.sweep(secs(180), &mut draws), goes, "{silent} of {registered}");
    }
}

/// `EvictionTask.getCompensationTimeMs`: what a sweep comes late is granted to every lease; the first is never late.
#[test]
fn a_late_sweep_grants_the_delay() {
    let mut draws = Stream::new(1, 0, "test", "eureka");
    let settings = RegistrySettings { preservation: None, ..RegistrySettings::default() };
    // Registered at 0 s, over after 90 s; the second sweep is due at 90 s and comes so much later.
    for (first, second, goes) in [(30, 90, 0), (30, 91, 0), (31, 92, 1), (32, 92, 1), (20, 200, 0)] {
        let mut registry = Registry::new(settings);
        registry.register(1, 0, Time::ZERO);
        registry.sweep(secs(first), &mut draws);
        assert_eq!(registry.sweep(secs(second), &mut draws), goes, "{first} and {second}");
    }
}

/// `DefaultEurekaServerConfig`: eviction each 60 s, response cache each 30 s; `DefaultEurekaClientConfig`: fetch each 30 s.
#[test]
fn the_caches_and_the_sweep_add_up() {
    let settings = RegistrySettings::default();
    assert_eq!((settings.sweep, Periodic::EUREKA), (Span::from_secs(60), Span::from_secs(30)));
    let most = Staleness::registry(&settings, Periodic::EUREKA, Periodic::EUREKA).most();
    assert_eq!(most, Span::from_secs(300));
}
