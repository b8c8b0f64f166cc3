use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn secs(n: u64) -> Time {
    Time::ZERO + Span::from_secs(n)
}

fn draws() -> Stream {
    Stream::new(1, 0, "test", "registry")
}

/// The obvious registry: when each instance was last heard of, and nothing else.
#[derive(Default)]
struct Slow(BTreeMap<u32, (u64, bool)>);

impl Slow {
    fn expired(&self, id: u32, now: u64, doubled: bool) -> bool {
        let (heard, renewed) = self.0[&id];
        now > heard + if doubled && renewed { 20 } else { 10 }
    }
}

proptest! {
    /// A lease ends exactly when it should, and who replays the events of a watcher has the registry.
    #[test]
    fn it_does_what_the_obvious_one_does(
        ops in prop::collection::vec((0u64..8, 0u8..5, 0u32..5), 1..150), doubled: bool,
    ) {
        let settings = RegistrySettings { doubled, ..RegistrySettings::plain(Span::from_nanos(10), Span::from_nanos(5)) };
        let mut registry = Registry::new(settings);
        let mut slow = Slow::default();
        let mut seen = std::collections::BTreeSet::new();
        let (eager, lazy) = (registry.watch(), registry.watch());
        let mut first = Vec::new();
        let (mut now, mut swept) = (0, None::<u64>);
        for (wait, op, id) in ops {
            now += wait;
            let at = Time::from_nanos(now);
            match op {
                0 => { registry.register(id, 0, at); slow.0.insert(id, (now, false)); }
                1 => { prop_assert_eq!(registry.deregister(id, at), slow.0.remove(&id).is_some()); }
                2 => {
                    let late = swept.map_or(0, |last| (now - last).saturating_sub(5));
                    swept = Some(now);
                    registry.sweep(at, &mut draws());
                    let gone: Vec<u32> = slow.0.keys().copied()
                        .filter(|id| now > late && slow.expired(*id, now - late, doubled)).collect();
                    slow.0.retain(|id, _| !gone.contains(id));
                }
                _ => {
                    let known = slow.0.contains_key(&id);
                    prop_assert_eq!(registry.heartbeat(id, at), known);
                    if known { slow.0.insert(id, (now, true)); }
                }
            }
            while let Some(event) = registry.next_event(eager) {
                first.push(event);
                if event.change == Change::Registered {
                    prop_assert!(seen.insert(event.instance), "came twice");
                } else {
                    prop_assert!(seen.remove(&event.instance), "went without having come");
                }
            }
            let there: Vec<u32> = registry.instances(0).collect();
            prop_assert!(there.iter().eq(slow.0.keys()), "{:?} {:?}", there, slow.0);
            prop_assert!(there.iter().eq(seen.iter()));
        }
        let second: Vec<Event> = std::iter::from_fn(|| registry.next_event(lazy)).collect();
        prop_assert_eq!(first, second, "every watcher sees the same history");
    }

    /// However many are silent, one sweep leaves at least 85%.
    #[test]
    fn a_sweep_takes_no_more_than_its_share(n in 1u32..200) {
        let mut registry = Registry::new(RegistrySettings {
            preservation: Some(SelfPreservation::default()), ..RegistrySettings::default()
        });
        for id in 0..n { registry.register(id, 0, Time::ZERO); }
        // One client beats often enough to keep the protection off.
        for _ in 0..=2 * n { registry.heartbeat(0, secs(239)); }
        let gone = registry.sweep(secs(240), &mut draws());
        let limit = n as usize - (f64::from(n) * 0.85) as usize;
        prop_assert_eq!(gone, limit.min(n as usize - 1));
    }
}

/// 10 clients are expected to renew 20 times a minute: 17 renewals expire nothing, 18 do.
#[test]
fn self_preservation_is_strict() {
    for (beats, preserving) in [(17, true), (18, false)] {
        let mut registry = Registry::new(RegistrySettings::default());
        for id in 0..10 {
            registry.register(id, 0, Time::ZERO);
        }
        for _ in 0..beats {
            registry.heartbeat(0, secs(170));
        }
        assert_eq!(registry.renewals(secs(180)), (beats, 17));
        assert_eq!(registry.preserving(secs(180)), preserving);
        assert_eq!(registry.sweep(secs(180), &mut draws()), if preserving { 0 } else { 2 });
    }
}

#[test]
fn status_changes_are_told_once() {
    let mut registry = Registry::new(RegistrySettings::default());
    registry.register(3, 1, Time::ZERO);
    let watcher = registry.watch();
    assert!(registry.set_status(3, Status::Down, secs(1)) && registry.set_status(3, Status::Down, secs(2)));
    assert!(!registry.set_status(4, Status::Down, secs(2)));
    let event = Event { at: secs(1), instance: 3, service: 1, change: Change::Status(Status::Down) };
    assert_eq!((registry.next_event(watcher), registry.next_event(watcher)), (Some(event), None));
    assert_eq!(registry.instances(1).count(), 0);
}

#[test]
fn expectation_follows_the_living_unless_most_are_gone() {
    let mut registry = Registry::new(RegistrySettings::default());
    for id in 0..10 {
        registry.register(id, 0, Time::ZERO);
    }
    registry.set_status(0, Status::Down, secs(1));
    registry.reset_expectation();
    assert_eq!(registry.renewals(secs(2)).1, 15, "9 of 10: ⌊18 · 0.85⌋");
    for id in 1..5 {
        registry.set_status(id, Status::Down, secs(3));
    }
    registry.reset_expectation();
    assert_eq!(registry.renewals(secs(4)).1, 15, "5 of 9 may be the network");
}
