//! Envoy's outlier detection.

use super::host::Host;
use super::{Ejection, EnvoyOutlierSettings, Origin, Outcome, PolicyInfo};
use crate::kernel::{Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "outlier_detection",
    summary: "ejects hosts that fail in a row or far more than the others: Envoy",
    page: include_str!("envoy.md"),
};

/// What the success rates were compared with, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// The mean over the hosts with enough requests.
    pub average: f64,
    /// Below it a host is ejected.
    pub threshold: f64,
}

impl Numbers {
    /// mean − factor/1000 × the standard deviation *of the population*; `None` without rates.
    pub fn of(rates: impl Iterator<Item = f64> + Clone, factor: u32) -> Option<Self> {
        let count = rates.clone().count() as f64;
        if count == 0.0 {
            return None;
        }
        let average = rates.clone().sum::<f64>() / count;
        let variance = rates.map(|rate| (rate - average) * (rate - average)).sum::<f64>() / count;
        Some(Self { average, threshold: average - f64::from(factor) / 1_000.0 * variance.sqrt() })
    }
}

/// All hosts of a cluster, as one Envoy sees them. Draws are 64 random bits each, asked for only where
/// Envoy draws.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Outcome};
/// let mut detector = EnvoyOutlier::new(EnvoyOutlierSettings::default(), 10);
/// (0..5).for_each(|_| _ = detector.report(3, Outcome::Code(500), Time::ZERO, || 0));
/// assert!(detector.is_ejected(3));
/// detector.tick(Time::ZERO + Span::from_secs(30), || 0);
/// assert!(!detector.is_ejected(3), "base × 1");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EnvoyOutlier {
    settings: EnvoyOutlierSettings,
    hosts: Vec<Host>,
    active: u32,
    overflows: u64,
    external: Option<Numbers>,
    local: Option<Numbers>,
}

impl EnvoyOutlier {
    /// So many hosts, numbered from zero.
    pub fn new(settings: EnvoyOutlierSettings, hosts: usize) -> Self {
        let hosts = vec![Host::default(); hosts];
        Self { settings, hosts, active: 0, overflows: 0, external: None, local: None }
    }

    /// One more host, with the next number.
    pub fn add_host(&mut self) {
        self.hosts.push(Host::default());
    }

    /// The host is gone, and what was known of it; those after it move up by one.
    pub fn remove_host(&mut self, host: usize) {
        if host < self.hosts.len() {
            let gone = self.hosts.remove(host);
            self.active -= u32::from(gone.ejected);
        }
    }

    /// A host's state.
    pub fn host(&self, host: usize) -> Option<&Host> {
        self.hosts.get(host)
    }

    /// Whether the host gets no requests.
    pub fn is_ejected(&self, host: usize) -> bool {
        self.host(host).is_some_and(|host| host.ejected)
    }

    /// Hosts ejected now.
    pub fn active(&self) -> u32 {
        self.active
    }

    /// Ejections that `max_ejection_percent` prevented.
    pub fn overflows(&self) -> u64 {
        self.overflows
    }

    /// What the last tick compared success rates with; `None` when too few hosts had requests enough.
    pub fn numbers(&self, origin: Origin) -> Option<Numbers> {
        match origin {
            Origin::External => self.external,
            Origin::Local => self.local,
        }
    }

    /// An attempt at a host ended. Why it is ejected, if it is by this.
    pub fn report(
        &mut self,
        host: usize,
        outcome: Outcome,
        now: Time,
        mut draw: impl FnMut() -> u64,
    ) -> Option<Ejection> {
        let split = self.settings.split_external_local_origin_errors;
        match outcome {
            Outcome::Code(code) => self.code(host, code, now, &mut draw),
            Outcome::LocalTimeout if !split => self.code(host, 504, now, &mut draw),
            Outcome::LocalConnectFailed if !split => self.code(host, 503, now, &mut draw),
            Outcome::LocalDone if !split => self.code(host, 200, now, &mut draw),
            Outcome::LocalConnected if !split => None,
            Outcome::LocalTimeout | Outcome::LocalConnectFailed => {
                let state = self.hosts.get_mut(host)?;
                state.local.count(false);
                state.run_local = state.run_local.saturating_add(1);
                let hit = state.run_local == self.settings.consecutive_local_origin_failure;
                hit.then(|| self.consecutive(host, Ejection::ConsecutiveLocalOrigin, now, &mut draw))
                    .flatten()
            }
            Outcome::LocalConnected | Outcome::LocalDone => {
                let state = self.hosts.get_mut(host)?;
                state.local.count(true);
                state.run_local = 0;
                None
            }
        }
    }

    fn code(&mut self, host: usize, code: u16, now: Time, draw: &mut dyn FnMut() -> u64) -> Option<Ejection> {
        let state = self.hosts.get_mut(host)?;
        let bad = (500..600).contains(&code);
        state.external.count(!bad);
        if !bad {
            (state.run_5xx, state.run_gateway) = (0, 0);
            return None;
        }
        let gateway = (502..=504).contains(&code);
        state.run_gateway = if gateway { state.run_gateway.saturating_add(1) } else { 0 };
        let gateway = gateway && state.run_gateway == self.settings.consecutive_gateway_failure;
        state.run_5xx = state.run_5xx.saturating_add(1);
        let all = state.run_5xx == self.settings.consecutive_5xx;
        let first =
            gateway.then(|| self.consecutive(host, Ejection::ConsecutiveGatewayFailure, now, draw)).flatten();
        let second = all.then(|| self.consecutive(host, Ejection::Consecutive5xx, now, draw)).flatten();
        first.or(second)
    }

    /// A run is long enough. It starts anew even when nothing is ejected for it; not on a host that
    /// is out already, whose late answers must not eject it again.
    fn consecutive(
        &mut self,
        host: usize,
        reason: Ejection,
        now: Time,
        draw: &mut dyn FnMut() -> u64,
    ) -> Option<Ejection> {
        if self.is_ejected(host) {
            return None;
        }
        let done = self.eject(host, reason, now, draw);
        let state = self.hosts.get_mut(host)?;
        match reason {
            Ejection::ConsecutiveGatewayFailure => state.run_gateway = 0,
            Ejection::ConsecutiveLocalOrigin => state.run_local = 0,
            _ => state.run_5xx = 0,
        }
        done.then_some(reason)
    }

    /// Takes a host out, if so many may be out and this reason is enforced.
    fn eject(&mut self, host: usize, reason: Ejection, now: Time, draw: &mut dyn FnMut() -> u64) -> bool {
        let share = 100.0 * (f64::from(self.active) + 1.0) / self.hosts.len() as f64;
        let fits = share <= f64::from(self.settings.max_ejection_percent.min(100));
        if !fits && (self.active > 0 || !self.settings.always_eject_one_host) {
            self.overflows += 1;
            return false;
        }
        let percent = self.settings.enforcing(reason);
        if percent == 0 || (percent < 100 && draw() % 100 >= u64::from(percent)) {
            return false;
        }
        let Some(state) = self.hosts.get_mut(host) else { return false };
        self.active += 1;
        state.ejected = true;
        state.ejections += 1;
        state.ejected_at = Some(now);
        let jitter = self.settings.max_ejection_time_jitter.nanos() / 1_000_000;
        state.jitter = Span::from_millis(draw() % (jitter + 1));
        let base = self.settings.base_ejection_time;
        if base.times(u64::from(state.multiplier)) < self.settings.longest() + base {
            state.multiplier += 1;
        }
        true
    }

    /// Lets the host back in at once, as a successful active health check does
    /// (`successful_active_health_check_uneject_host`).
    pub fn uneject(&mut self, host: usize, now: Time) {
        if let Some(state) = self.hosts.get_mut(host).filter(|state| state.ejected) {
            self.active -= 1;
            state.ejected = false;
            state.returned_at = Some(now);
            (state.run_5xx, state.run_gateway, state.run_local) = (0, 0, 0);
        }
    }

    /// The interval is over: hosts come back, rates are judged, multipliers fall. The caller's timer
    /// decides when.
    pub fn tick(&mut self, now: Time, mut draw: impl FnMut() -> u64) {
        for index in 0..self.hosts.len() {
            let due = self.hosts.get(index).filter(|host| host.ejected).and_then(|host| {
                let base = self.settings.base_ejection_time.times(u64::from(host.multiplier));
                Some(host.ejected_at? + (base.min(self.settings.longest()) + host.jitter))
            });
            if due.is_some_and(|due| due <= now) {
                self.uneject(index, now);
            }
        }
        for host in &mut self.hosts {
            host.external.close();
            host.local.close();
        }
        self.external = self.judge(Origin::External, now, &mut draw);
        self.local = self.judge(Origin::Local, now, &mut draw);
        for host in self.hosts.iter_mut().filter(|host| !host.ejected) {
            // Only after a whole healthy interval (Envoy 1.28).
            if host.returned_at.is_some_and(|at| now >= at + self.settings.interval) {
                host.multiplier = host.multiplier.saturating_sub(1);
            }
        }
    }

    fn judge(&mut self, origin: Origin, now: Time, draw: &mut dyn FnMut() -> u64) -> Option<Numbers> {
        let settings = self.settings;
        let (rate_volume, failure_volume) =
            (settings.success_rate_request_volume, settings.failure_percentage_request_volume);
        let (rate_hosts, failure_hosts) = (
            settings.success_rate_minimum_hosts as usize,
            settings.failure_percentage_minimum_hosts as usize,
        );
        if self.hosts.len() < rate_hosts && self.hosts.len() < failure_hosts {
            return None;
        }
        for host in self.hosts.iter_mut().filter(|host| !host.ejected) {
            let rates = host.rates_mut(origin);
            rates.shown = rates.judged(rate_volume.min(failure_volume));
        }
        let judged = |volume| {
            let inside = self.hosts.iter().filter(|host| !host.ejected);
            inside.filter_map(move |host| host.rates(origin).judged(volume))
        };
        let enough_failures = judged(failure_volume).count() >= failure_hosts;
        let numbers = (judged(rate_volume).count() >= rate_hosts)
            .then(|| Numbers::of(judged(rate_volume), settings.success_rate_stdev_factor))
            .flatten();
        for index in 0..self.hosts.len() {
            let rate = self.judged(index, origin, rate_volume);
            if numbers.zip(rate).is_some_and(|(numbers, rate)| rate < numbers.threshold) {
                self.eject(index, Ejection::SuccessRate(origin), now, draw);
            }
        }
        for index in (0..self.hosts.len()).filter(|_| enough_failures) {
            let rate = self.judged(index, origin, failure_volume);
            if rate.is_some_and(|rate| 100.0 - rate >= f64::from(settings.failure_percentage_threshold)) {
                self.eject(index, Ejection::FailurePercentage(origin), now, draw);
            }
        }
        numbers
    }

    fn judged(&self, host: usize, origin: Origin, volume: u32) -> Option<f64> {
        self.host(host).filter(|host| !host.ejected)?.rates(origin).judged(volume)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_than_the_percentage(
            hosts in 1usize..30,
            max_ejection_percent in 0u32..=100,
            always in any::<bool>(),
            ops in prop::collection::vec((0u64..20, 0usize..30, 0u8..5, any::<u64>()), 1..400),
        ) {
            let settings = EnvoyOutlierSettings {
                max_ejection_percent,
                always_eject_one_host: always,
                consecutive_5xx: 2,
                success_rate_request_volume: 3,
                success_rate_minimum_hosts: 2,
                failure_percentage_request_volume: 2,
                enforcing_failure_percentage: 50,
                ..Default::default()
            };
            let mut detector = EnvoyOutlier::new(settings, hosts);
            let mut now = Time::ZERO;
            for (wait, host, op, draw) in ops {
                now = now + Span::from_secs(wait);
                let before = detector.is_ejected(host);
                match op {
                    0 => detector.tick(now, || draw),
                    1 => _ = detector.report(host, Outcome::Code(200), now, || draw),
                    2 => _ = detector.report(host, Outcome::LocalTimeout, now, || draw),
                    _ => _ = detector.report(host, Outcome::Code(503), now, || draw),
                }
                prop_assert!(op == 0 || !before || detector.is_ejected(host), "only a tick lets it back in");
                let out = (0..hosts).filter(|host| detector.is_ejected(*host)).count();
                prop_assert_eq!(out, detector.active() as usize);
                let most = hosts * max_ejection_percent as usize / 100;
                prop_assert!(out <= most.max(usize::from(always)), "{} of {}", out, hosts);
            }
            // The first of these judges what is still counted, and may eject once more.
            for _ in 0..2 {
                now = now + Span::from_secs(301);
                detector.tick(now, || 0);
            }
            prop_assert_eq!(detector.active(), 0, "everybody comes back");
        }
    }

    #[test]
    fn ten_percent_of_nine_is_nobody() {
        for (hosts, always, expected) in
            [(9, false, 0), (9, true, 1), (10, false, 1), (19, false, 1), (20, false, 2)]
        {
            let settings = EnvoyOutlierSettings { always_eject_one_host: always, ..Default::default() };
            let mut detector = EnvoyOutlier::new(settings, hosts);
            for host in 0..hosts {
                (0..5).for_each(|_| _ = detector.report(host, Outcome::Code(500), Time::ZERO, || 0));
            }
            assert_eq!(detector.active(), expected, "{hosts}");
        }
    }

    #[test]
    fn enforcement_and_jitter_are_drawn() {
        let settings = EnvoyOutlierSettings {
            max_ejection_percent: 100,
            enforcing_consecutive_5xx: 50,
            max_ejection_time_jitter: Span::from_secs(1),
            ..Default::default()
        };
        let mut detector = EnvoyOutlier::new(settings, 2);
        for (host, number) in [50, 49].into_iter().enumerate() {
            (0..5).for_each(|_| _ = detector.report(host, Outcome::Code(500), Time::ZERO, || number));
        }
        assert_eq!((detector.is_ejected(0), detector.is_ejected(1)), (false, true));
        detector.tick(Time::ZERO + Span::from_millis(30_048), || 0);
        assert!(detector.is_ejected(1));
        detector.tick(Time::ZERO + Span::from_millis(30_049), || 0);
        assert!(!detector.is_ejected(1));
    }

    #[test]
    fn gateway_and_local_failures_have_their_own_runs() {
        let settings = EnvoyOutlierSettings {
            max_ejection_percent: 100,
            enforcing_consecutive_gateway_failure: 100,
            consecutive_gateway_failure: 2,
            split_external_local_origin_errors: true,
            ..Default::default()
        };
        let mut detector = EnvoyOutlier::new(settings, 2);
        let ends = [503, 500, 503, 503].map(|code| detector.report(0, Outcome::Code(code), Time::ZERO, || 0));
        assert_eq!(ends, [None, None, None, Some(Ejection::ConsecutiveGatewayFailure)]);
        let ends = [0; 5].map(|_| detector.report(1, Outcome::LocalTimeout, Time::ZERO, || 0));
        assert_eq!(ends[3..], [None, Some(Ejection::ConsecutiveLocalOrigin)]);
    }
}
