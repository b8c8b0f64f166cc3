//! What one caller instance knows of one upstream: who may be picked, what is under way, who failed, and
//! what a request passes before it is sent.

use super::super::plan::{Guards, Plan, Upstream};
use super::super::probe::{Cause, Ending};
use super::budget::BudgetState;
use super::limits::Turnstile;
use super::pool::{Compartment, Pool};
use super::zones::Zones;
use crate::kernel::{Span, Stream, Time};
use crate::policy::balancer::{self, Balancer, Finished, Hosts, Request};
use crate::policy::discovery::ClientCache;
use crate::policy::outlier::{EnvoyOutlier, Outcome};

/// One caller instance's view of one upstream.
pub(super) struct CallerState {
    pub(super) hosts: Hosts,
    pub(super) balancer: Box<dyn Balancer>,
    settings: balancer::Settings,
    pub(super) stream: Stream,
    /// What the draws of its adaptive limits begin with, in every life.
    limits: Stream,
    /// Whether the balancer looks at who asks.
    pub(super) keyed: bool,
    /// Whether the balancer asks hosts for their load.
    pub(super) probes: bool,
    /// Whether requests may have to wait before they are sent.
    pub(super) holds_back: bool,
    /// Retries waiting or under way.
    pub(super) retrying: u32,
    /// Which hosts are up as far as it knows; all of them are used when there are too few.
    healthy: Vec<bool>,
    /// What it knows of the registry, where there is one.
    pub(super) cache: Option<Box<ClientCache>>,
    guards: Guards,
    pub(super) turnstile: Option<Box<Turnstile>>,
    pub(super) compartment: Option<Box<Compartment>>,
    pub(super) pool: Option<Box<Pool>>,
    pub(super) budget: Option<Box<BudgetState>>,
    zones: Option<Box<Zones>>,
    outliers: Option<EnvoyOutlier>,
    /// Whom those who trace believe to be ejected.
    told: Vec<bool>,
    /// The next sweep of the detector; it is made up for when somebody looks.
    next_sweep: Time,
}

impl CallerState {
    pub(super) fn new(plan: &Plan, upstream: &Upstream, caller: u32, seed: u64, replication: u32) -> Self {
        let range = plan.services[upstream.service.index()].instances.clone();
        let targets = &plan.instances[range.start as usize..range.end as usize];
        let hosts = Hosts::new(targets.iter().map(|instance| instance.weight));
        let name = format!("{}/{caller}", upstream.name);
        let stream = |purpose| Stream::new(seed, replication, purpose, &name);
        // Where a turn starts is drawn for each caller instance, as Envoy does: callers that all began at the
        // first host would go round in step and fall on one host after another together.
        let settings = balancer::Settings { start: stream("balancer start").bits(), ..upstream.settings };
        let guards = upstream.guards;
        let mut state = Self {
            balancer: (upstream.balancer.build)(targets.len(), &settings),
            settings,
            hosts,
            stream: stream("balancer"),
            limits: stream("limits"),
            keyed: upstream.hashes(),
            probes: upstream.balancer.about.name == "prequal",
            holds_back: guards.limits.holds_back(),
            retrying: 0,
            healthy: targets.iter().map(|instance| instance.listed).collect(),
            cache: plan.discovery.map(|discovery| Box::new(ClientCache::new(discovery.cache))),
            guards,
            turnstile: Turnstile::new(&guards.limits, stream("limits"), Time::ZERO),
            compartment: guards.limits.bulkhead.map(|settings| Box::new(Compartment::new(settings))),
            pool: guards.limits.connections.map(|settings| Box::new(Pool::new(settings, targets.len()))),
            budget: guards.budget.map(|budget| Box::new(BudgetState::new(budget, Time::ZERO))),
            zones: Zones::new(plan, upstream, caller, &settings).map(Box::new),
            outliers: guards.outliers.map(|settings| EnvoyOutlier::new(settings, targets.len())),
            told: Vec::new(),
            next_sweep: Time::ZERO + guards.outliers.map_or(Span::ZERO, |settings| settings.interval),
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

    /// Its cache was filled: who is not in there is not there.
    pub(super) fn learn(&mut self, first: u32, now: Time) {
        for host in 0..self.healthy.len() {
            let listed = self.cache.as_ref().is_some_and(|cache| cache.contains(first + host as u32));
            self.set_healthy(host, listed, now);
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
        if let Some(zones) = &mut self.zones {
            zones.update(&self.hosts);
        }
    }

    /// A host for an attempt of a request that has been at `tried`, counted there.
    #[inline]
    pub(super) fn pick(&mut self, request: Request, tried: &[usize]) -> Option<usize> {
        let near = self.zones.as_mut().and_then(|zones| zones.pick(request, tried, &mut self.stream));
        let host = match near {
            Some(host) => host,
            None if tried.is_empty() => self.balancer.pick(&self.hosts, request, &mut self.stream)?,
            None => self.balancer.pick_again(&self.hosts, request, tried, &mut self.stream)?,
        };
        self.hosts.begin(host);
        if let Some(zones) = &mut self.zones {
            zones.begin(host);
        }
        Some(host)
    }

    /// A request there is over.
    #[inline]
    pub(super) fn ended(&mut self, host: usize) {
        self.hosts.end(host);
        if let Some(zones) = &mut self.zones {
            zones.end(host);
        }
    }

    /// What balancers learn from it; `failed`: in a way that a proxy holds against the host.
    #[inline]
    pub(super) fn finished(&mut self, end: Finished, failed: bool) {
        if failed {
            self.balancer.failed(end.now, end.host);
        }
        self.balancer.finished(end);
        if let Some(zones) = &mut self.zones {
            zones.finished(end, failed);
        }
    }

    /// Lets a request in, or says why not; the count is the adaptive limit's, 0 where there is none.
    pub(super) fn let_in(&mut self, now: Time) -> Result<u32, Cause> {
        if self.guards.max_requests.is_some_and(|most| self.hosts.active() >= most) {
            return Err(Cause::Capped);
        }
        match self.turnstile.as_mut().and_then(|turnstile| turnstile.crowd.as_mut()) {
            None => Ok(0),
            Some(crowd) => Some(crowd.enter(now)).filter(|inside| *inside > 0).ok_or(Cause::Capped),
        }
    }

    /// Takes one more retry out of the budget, after a failure or (a hedge) beside what is under way: its price,
    /// `None` when there is none. As in Envoy a budget takes the place of the number, and the attempt that
    /// failed, settled already, counts as outstanding.
    pub(super) fn take_retry(&mut self, now: Time, after: Ending) -> Option<u32> {
        let outstanding = self.hosts.active() + u32::from(after.is_some());
        let timed_out = after == Some(Cause::Timeout);
        match &mut self.budget {
            Some(budget) => budget.take(now, outstanding, self.retrying, timed_out),
            None => self.guards.max_retries.is_none_or(|most| self.retrying < most).then_some(0),
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
            // Too many requests is no server error.
            Some(Cause::RateLimited) => Outcome::Code(429),
            Some(_) => Outcome::Code(503),
        };
        if outliers.report(host, outcome, now, || self.stream.bits()).is_some() {
            self.choose_eligible();
        }
    }

    /// How many hosts may be ejected.
    pub(super) fn hosts_known(&self) -> usize {
        if self.outliers.is_some() { self.healthy.len() } else { 0 }
    }

    /// Whether a host was ejected (or taken back) since this was asked last.
    pub(super) fn ejection_changed(&mut self, host: usize) -> Option<bool> {
        let out = self.outliers.as_ref().is_some_and(|outliers| outliers.is_ejected(host));
        self.told.resize(self.healthy.len(), false);
        let known = self.told.get_mut(host)?;
        (std::mem::replace(known, out) != out).then_some(out)
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
    pub(super) fn forget(&mut self, plan: &Plan, upstream: &Upstream, caller: u32, now: Time) {
        let (hosts, limits) = (self.healthy.len(), self.guards.limits);
        self.balancer = (upstream.balancer.build)(hosts, &self.settings);
        self.zones = Zones::new(plan, upstream, caller, &self.settings).map(Box::new);
        if let Some(cache) = &mut self.cache {
            cache.clear();
        }
        self.turnstile = Turnstile::new(&limits, self.limits.clone(), now);
        self.compartment = limits.bulkhead.map(|settings| Box::new(Compartment::new(settings)));
        self.pool = limits.connections.map(|settings| Box::new(Pool::new(settings, hosts)));
        self.budget = self.guards.budget.map(|budget| Box::new(BudgetState::new(budget, now)));
        self.outliers = self.guards.outliers.map(|settings| EnvoyOutlier::new(settings, hosts));
        self.next_sweep = now + self.guards.outliers.map_or(Span::ZERO, |settings| settings.interval);
        self.choose_eligible();
    }
}
