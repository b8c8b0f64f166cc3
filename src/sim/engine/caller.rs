//! What one caller instance knows of one upstream: who may be picked, what is under way, who failed.

use super::super::plan::{Guards, Plan, Upstream};
use super::super::probe::{Cause, Ending};
use crate::kernel::{Span, Stream, Time};
use crate::policy::balancer::{self, Balancer, BalancerInfo, Hosts};
use crate::policy::outlier::{EnvoyOutlier, Outcome};
use crate::policy::retry::RetryBudget;

/// One caller instance's view of one upstream.
pub(super) struct CallerState {
    pub(super) hosts: Hosts,
    pub(super) balancer: Box<dyn Balancer>,
    kind: &'static BalancerInfo,
    settings: balancer::Settings,
    pub(super) stream: Stream,
    /// Retries waiting or under way.
    pub(super) retrying: u32,
    /// Which hosts are up as far as it knows; all of them are used when there are too few.
    healthy: Vec<bool>,
    guards: Guards,
    outliers: Option<EnvoyOutlier>,
    /// The next sweep of the detector; it is made up for when somebody looks.
    next_sweep: Time,
}

impl CallerState {
    pub(super) fn new(plan: &Plan, upstream: &Upstream, caller: u32, seed: u64, replication: u32) -> Self {
        let range = plan.services[upstream.service.index()].instances.clone();
        let targets = &plan.instances[range.start as usize..range.end as usize];
        let hosts = Hosts::new(targets.iter().map(|instance| instance.weight));
        let name = format!("{}/{caller}", upstream.name);
        // Where a turn starts is drawn for each caller instance, as Envoy does: callers that all began at the
        // first host would go round in step and fall on one host after another together.
        let start = Stream::new(seed, replication, "balancer start", &name).bits();
        let settings = balancer::Settings { start, ..upstream.settings };
        let mut state = Self {
            balancer: (upstream.balancer.build)(targets.len(), &settings),
            kind: upstream.balancer,
            settings,
            hosts,
            stream: Stream::new(seed, replication, "balancer", &name),
            retrying: 0,
            healthy: targets.iter().map(|instance| instance.listed).collect(),
            guards: upstream.guards,
            outliers: upstream.guards.outliers.map(|settings| EnvoyOutlier::new(settings, targets.len())),
            next_sweep: Time::ZERO
                + upstream.guards.outliers.map_or(Span::ZERO, |settings| settings.interval),
        };
        state.choose_eligible();
        state
    }

    /// It learns that a host is up, whose slow start begins, or down.
    pub(super) fn set_healthy(&mut self, host: usize, healthy: bool, now: Time) {
        if let Some(known) = self.healthy.get_mut(host)
            && *known != healthy
        {
            *known = healthy;
            self.hosts.set_since(host, healthy.then_some(now));
            self.choose_eligible();
        }
    }

    fn choose_eligible(&mut self) {
        let ejected = |host| self.outliers.as_ref().is_some_and(|outliers| outliers.is_ejected(host));
        let usable = |host: usize, healthy: bool| healthy && !ejected(host);
        let up = self.healthy.iter().enumerate().filter(|(host, healthy)| usable(*host, **healthy)).count();
        let panics = self.guards.panic.is_some_and(|share| (up as f64) < share * self.healthy.len() as f64);
        for (host, healthy) in self.healthy.iter().enumerate() {
            self.hosts.set_eligible(host, panics || usable(host, *healthy));
        }
    }

    /// Whether a cap keeps a further request from being sent.
    pub(super) fn is_full(&self) -> bool {
        self.guards.max_requests.is_some_and(|most| self.hosts.active() >= most)
    }

    /// Whether one more retry may wait and run. As in Envoy a budget takes the place of the number, and
    /// the attempt that failed, settled already, counts as outstanding.
    pub(super) fn may_retry(&self, budget: Option<RetryBudget>) -> bool {
        match budget {
            Some(budget) => budget.allows(self.hosts.active() + 1, self.retrying),
            None => self.guards.max_retries.is_none_or(|most| self.retrying < most),
        }
    }

    /// An attempt at a host ended: the detector counts it, and may take the host out.
    pub(super) fn report(&mut self, host: usize, end: Ending, now: Time) {
        self.sweep(now);
        let Some(outliers) = &mut self.outliers else { return };
        let outcome = match end {
            None => Outcome::Code(200),
            Some(Cause::Timeout) => Outcome::LocalTimeout,
            Some(Cause::Refused | Cause::Reset) => Outcome::LocalConnectFailed,
            Some(_) => Outcome::Code(503),
        };
        if outliers.report(host, outcome, now, || self.stream.bits()).is_some() {
            self.choose_eligible();
        }
    }

    /// Makes up for the sweeps of the detector until now. After a long silence the first of them changed
    /// nothing that the last do not.
    pub(super) fn sweep(&mut self, now: Time) {
        const MOST: u64 = 1000;
        let (Some(outliers), Some(settings)) = (&mut self.outliers, &self.guards.outliers) else { return };
        if now < self.next_sweep || settings.interval.is_zero() {
            return;
        }
        let missed = now.since(self.next_sweep).nanos() / settings.interval.nanos();
        self.next_sweep = self.next_sweep + settings.interval.times(missed.saturating_sub(MOST));
        while self.next_sweep <= now {
            outliers.tick(self.next_sweep, || self.stream.bits());
            self.next_sweep = self.next_sweep + settings.interval;
        }
        self.choose_eligible();
    }

    /// The caller is a new process: its turns begin anew where they began, and it knows of no failures.
    pub(super) fn forget(&mut self) {
        let hosts = self.healthy.len();
        self.balancer = (self.kind.build)(hosts, &self.settings);
        self.outliers = self.guards.outliers.map(|settings| EnvoyOutlier::new(settings, hosts));
        self.choose_eligible();
    }
}
