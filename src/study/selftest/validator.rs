//! What the families of policies promise, tried on the policies themselves: registration, discovery, balancing,
//! event bus, breaker.

use crate::kernel::{Span, Stream, Time};
use crate::policy::balancer::{self, Hosts, Request};
use crate::policy::breaker::{Breaker, Consecutive, ConsecutiveSettings, State, Verdict};
use crate::policy::discovery::{CacheSettings, Change, ClientCache, Lookup, Registry, RegistrySettings};
use crate::policy::messaging::EventBus;

/// Something a family promises.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// The family: `registration`.
    pub family: &'static str,
    /// What is promised.
    pub what: &'static str,
    /// What was seen, in numbers.
    pub seen: String,
    /// Whether it is kept.
    pub kept: bool,
}

/// Tries all of them.
pub fn validate(seed: u64) -> Vec<Promise> {
    let mut all = Vec::new();
    registration(&mut all, seed);
    discovery(&mut all);
    balancing(&mut all, seed);
    event_bus(&mut all);
    breaker(&mut all);
    all
}

const fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

fn promise(family: &'static str, what: &'static str, seen: String, kept: bool) -> Promise {
    Promise { family, what, seen, kept }
}

fn registration(all: &mut Vec<Promise>, seed: u64) {
    const FAMILY: &str = "registration";
    let mut registry = Registry::new(RegistrySettings::plain(Span::from_secs(90), Span::from_secs(60)));
    let (watcher, idle) = (registry.watch(), registry.watch());
    let new = (0..3).filter(|instance| registry.register(*instance, 7, at(0))).count();
    let again = registry.register(0, 7, at(0));
    let listed = registry.instances(7).count();
    all.push(promise(
        FAMILY,
        "who registers is listed, once",
        format!("{new} registered, one of them again: {listed} listed"),
        (new, again, listed) == (3, false, 3),
    ));
    let left = registry.deregister(1, at(1));
    let listed: Vec<u32> = registry.instances(7).collect();
    all.push(promise(
        FAMILY,
        "who deregisters is gone at once",
        format!("1 of 3 left: {} listed", listed.len()),
        left && listed == [0, 2],
    ));
    // One goes on beating every 30 s, the other is silent.
    let beats = (1..=5).filter(|n| registry.heartbeat(0, at(30 * n))).count();
    let mut draws = Stream::new(seed, 0, "selftest", "sweep");
    let early = registry.sweep(at(89), &mut draws);
    let late = registry.sweep(at(149), &mut draws);
    let listed: Vec<u32> = registry.instances(7).collect();
    all.push(promise(
        FAMILY,
        "heartbeats keep a lease, silence ends it",
        format!("lease 90 s: {early} gone at 89 s, {late} at 149 s, {beats} heartbeats renewed the other"),
        (beats, early, late) == (5, 0, 1) && listed == [0],
    ));
    let mut told = Vec::new();
    while let Some(event) = registry.next_event(watcher) {
        told.push(event.change);
    }
    let expected =
        [Change::Registered, Change::Registered, Change::Registered, Change::Deregistered, Change::Expired];
    registry.unwatch(idle);
    all.push(promise(
        FAMILY,
        "watchers hear of every change, whatever other watchers do",
        format!("{} changes, {} told beside a watcher that never reads", expected.len(), told.len()),
        told == expected,
    ));
}

fn discovery(all: &mut Vec<Promise>) {
    const FAMILY: &str = "discovery";
    let mut registry = Registry::new(RegistrySettings::plain(Span::from_secs(90), Span::from_secs(60)));
    let mut cache = ClientCache::new(CacheSettings::default());
    let cold = cache.get(at(0)) == Lookup::Miss;
    for instance in 0..2 {
        registry.register(instance, 7, at(0));
    }
    cache.fill(registry.instances(7), at(0));
    registry.deregister(1, at(1));
    let stale = matches!(cache.get(at(29)), Lookup::Hit(list) if list.len() == 2);
    let fresh = registry.instances(7).count();
    all.push(promise(
        FAMILY,
        "a caller believes its cache for the TTL of 30 s, and the registry when it bypasses it",
        format!("1 of 2 left at 1 s: at 29 s the cache says 2, the registry {fresh}"),
        cold && stale && fresh == 1,
    ));
    let asks = cache.get(at(30)) == Lookup::Miss;
    cache.fill(registry.instances(7), at(30));
    let seen = match cache.get(at(31)) {
        Lookup::Hit(list) => list.len(),
        Lookup::Miss => 0,
    };
    all.push(promise(
        FAMILY,
        "then it asks again",
        format!("at 30 s it asks, at 31 s it knows {seen}"),
        asks && seen == 1,
    ));
    registry.deregister(0, at(32));
    cache.fill(registry.instances(7), at(60));
    all.push(promise(
        FAMILY,
        "nobody there is an answer that is not kept",
        "0 registered: the next look asks again".to_owned(),
        cache.get(at(60)) == Lookup::Miss,
    ));
}

/// The picks of a balancer of the family, each request ended before the next.
fn picks(name: &str, hosts: &Hosts, count: u32, address: impl Fn(u32) -> [u8; 4], seed: u64) -> Vec<usize> {
    let Some(info) = balancer::find(name) else { return Vec::new() };
    let mut balancer = (info.build)(hosts.list().len(), &balancer::Settings::default());
    let mut draws = Stream::new(seed, 0, "selftest", name);
    let pick = |n| {
        let request = Request { now: Time::ZERO, client: address(n), key: None };
        balancer.pick(hosts, request, &mut draws)
    };
    (0..count).filter_map(pick).collect()
}

fn shares(picks: &[usize], hosts: usize) -> Vec<u32> {
    let mut counts = vec![0; hosts];
    for pick in picks {
        if let Some(count) = counts.get_mut(*pick) {
            *count += 1;
        }
    }
    counts
}

fn balancing(all: &mut Vec<Promise>, seed: u64) {
    const FAMILY: &str = "balancing";
    let even = Hosts::new([1, 1, 1]);
    let nobody = |_| [0; 4];
    let turns = shares(&picks("round_robin", &even, 300, nobody, seed), 3);
    all.push(promise(
        FAMILY,
        "round_robin gives everyone the same",
        format!("{turns:?} of 300"),
        turns == [100, 100, 100],
    ));
    let drawn = shares(&picks("random", &even, 30_000, nobody, seed), 3);
    // χ² of two degrees: e^(−x/2) = 0.1% at 13.8.
    let chi: f64 = drawn.iter().map(|n| (f64::from(*n) - 1e4) * (f64::from(*n) - 1e4) / 1e4).sum();
    all.push(promise(
        FAMILY,
        "random draws evenly",
        format!("{drawn:?} of 30000: χ² {chi:.1}, 13.8 at most"),
        drawn.iter().sum::<u32>() == 30_000 && chi <= 13.8,
    ));
    let weighted = picks("weighted_round_robin", &Hosts::new([5, 1, 1]), 7, nobody, seed);
    all.push(promise(
        FAMILY,
        "weighted_round_robin keeps weights and spreads them",
        format!("weights 5, 1, 1: {weighted:?}"),
        weighted == [0, 0, 1, 0, 2, 0, 0],
    ));
    let mut busy = Hosts::new([1, 1, 1]);
    for host in [0, 0, 1, 2, 2] {
        busy.begin(host);
    }
    let least = picks("least_connections", &busy, 1, nobody, seed);
    busy.end(0);
    busy.end(0);
    let after = picks("least_connections", &busy, 1, nobody, seed);
    all.push(promise(
        FAMILY,
        "least_connections picks who has least under way, and forgets what ended",
        format!("2, 1, 2 under way: {least:?}; 0, 1, 2: {after:?}"),
        least == [1] && after == [0],
    ));
    let four = Hosts::new([1; 4]);
    let address = |n: u32| [10, (n % 97) as u8, (n % 251) as u8, 1];
    let (once, again) =
        (picks("ip_hash", &four, 1_000, address, seed), picks("ip_hash", &four, 1_000, address, seed + 1));
    let used = shares(&once, 4).iter().filter(|n| **n > 0).count();
    all.push(promise(
        FAMILY,
        "ip_hash sends an address to the same instance every time",
        format!("1000 addresses twice: {} moved, {used} of 4 instances used", moved(&once, &again)),
        once.len() == 1_000 && once == again && used == 4,
    ));
    let mut none = Hosts::new([1]);
    none.set_eligible(0, false);
    let picked =
        balancer::BALANCERS.iter().map(|b| picks(b.about.name, &none, 1, nobody, seed).len()).sum::<usize>();
    all.push(promise(
        FAMILY,
        "nobody healthy: nobody is picked",
        format!("{picked} picked by {} balancers", balancer::BALANCERS.len()),
        picked == 0,
    ));
}

fn moved(once: &[usize], again: &[usize]) -> usize {
    once.iter().zip(again).filter(|(a, b)| a != b).count()
}

fn event_bus(all: &mut Vec<Promise>) {
    const FAMILY: &str = "event bus";
    let mut bus: EventBus<u32> = EventBus::new(EventBus::<u32>::HISTORY);
    let (first, second, other) = (bus.subscribe(1), bus.subscribe(1), bus.subscribe(2));
    let mut got = Vec::new();
    bus.publish(1, 0, |who, _| {
        got.push(who);
        true
    });
    all.push(promise(
        FAMILY,
        "an event reaches all who subscribed to its type, in order, and nobody else",
        format!("{} of 2 subscribers, {} of others", got.len(), got.iter().filter(|w| **w == other).count()),
        got == [first, second],
    ));
    let mut reached = 0;
    let failed = bus.publish(1, 1, |who, _| {
        reached += 1;
        who != first
    });
    all.push(promise(
        FAMILY,
        "a handler that fails keeps nobody else from the event",
        format!("{failed} failed, {reached} of 2 were called"),
        (failed, reached) == (1, 2),
    ));
    bus.unsubscribe(first);
    let mut reached = 0;
    bus.publish(1, 2, |_, _| {
        reached += 1;
        true
    });
    all.push(promise(
        FAMILY,
        "who unsubscribes hears no more",
        format!("1 of 2 left: {reached} called"),
        reached == 1,
    ));
    for event in 3..1_503 {
        bus.publish(2, event, |_, _| true);
    }
    let oldest = bus.history().next().map_or(0, |(_, event)| *event);
    let kept = bus.history().count();
    all.push(promise(
        FAMILY,
        "the last 1000 events are remembered",
        format!("1503 published: {kept} kept, the oldest is number {oldest}"),
        (kept, oldest) == (1_000, 503),
    ));
}

fn breaker(all: &mut Vec<Promise>) {
    const FAMILY: &str = "breaker";
    let mut breaker = Consecutive::new(ConsecutiveSettings::default());
    let call = |breaker: &mut Consecutive, now: Time, verdict: Verdict| {
        let permit = breaker.admit(now);
        if let Some(permit) = permit {
            breaker.record(now, permit, verdict.into());
        }
        permit.is_some()
    };
    let failed = (0..10).filter(|_| call(&mut breaker, at(0), Verdict::Failure)).count();
    all.push(promise(
        FAMILY,
        "five failures in a row open it, and what it rejects is not called",
        format!("10 calls: {failed} went through, {} rejected", 10 - failed),
        failed == 5 && breaker.state() == State::Open,
    ));
    let early = call(&mut breaker, at(59), Verdict::Success);
    let probes = [breaker.admit(at(61)), breaker.admit(at(61))];
    let through = probes.iter().flatten().count();
    all.push(promise(
        FAMILY,
        "it rejects for 60 s, then lets one probe through",
        format!("at 59 s {}, at 61 s {through} of 2", u8::from(early)),
        !early && through == 1 && breaker.state() == State::HalfOpen,
    ));
    if let Some(permit) = probes.into_iter().flatten().next() {
        breaker.record(at(61), permit, Verdict::Failure.into());
    }
    let reopened = breaker.state();
    let closed = call(&mut breaker, at(122), Verdict::Success) && breaker.state() == State::Closed;
    let then = (0..4).filter(|_| call(&mut breaker, at(122), Verdict::Failure)).count();
    all.push(promise(
        FAMILY,
        "a probe that fails opens it again, one that succeeds closes it and counts anew",
        format!(
            "{} after the failure, {} after the success, {then} of 4 failures let through",
            reopened.name(),
            if closed { "closed" } else { "not closed" }
        ),
        reopened == State::Open && closed && then == 4 && breaker.state() == State::Closed,
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_promises_are_kept() {
        for seed in 1..20 {
            for promise in validate(seed) {
                assert!(promise.kept || promise.what == "random draws evenly" && seed > 1, "{promise:?}");
            }
        }
    }
}
