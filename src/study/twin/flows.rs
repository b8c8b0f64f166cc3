//! How often requests reach each endpoint of a plan when nothing times out, retries or overflows: what theory is
//! asked for.

use crate::sim::{Arrivals, EdgeId, EndpointId, Fallback, Plan, Step, Target};

/// Rounds in which requests on a circle die out.
const ROUNDS: usize = 200;

/// Requests per second at every endpoint, and over every edge.
pub(super) struct Flows {
    /// One per [`Plan::endpoints`].
    pub endpoints: Vec<f64>,
    /// One per [`Plan::edges`].
    pub edges: Vec<f64>,
    /// How likely a request at an endpoint succeeds.
    success: Vec<f64>,
}

impl Flows {
    /// Solves the traffic equations; a closed loop counts with `closed` requests per second.
    pub fn of(plan: &Plan, closed: f64) -> Self {
        let mut this = Self {
            endpoints: vec![0.0; plan.endpoints.len()],
            edges: vec![0.0; plan.edges.len()],
            success: vec![1.0; plan.endpoints.len()],
        };
        for _ in 0..ROUNDS {
            let before = (this.endpoints.clone(), this.success.clone());
            this.round(plan, closed);
            let near =
                |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs()));
            if near(&this.endpoints, &before.0) && near(&this.success, &before.1) {
                break;
            }
        }
        this
    }

    fn round(&mut self, plan: &Plan, closed: f64) {
        self.edges.iter_mut().for_each(|rate| *rate = 0.0);
        for source in &plan.sources {
            let arrivals = match source.arrivals {
                Arrivals::Shared(first) => {
                    plan.sources.get(first.index()).map_or(&source.arrivals, |s| &s.arrivals)
                }
                _ => &source.arrivals,
            };
            let rate = arrivals.rates().map_or(closed, |(rate, _)| rate);
            self.add(source.edge, rate * source.share);
        }
        let rates = self.endpoints.clone();
        for (index, rate) in rates.into_iter().enumerate() {
            let success = self.script(plan, index, rate);
            if let Some(known) = self.success.get_mut(index) {
                *known = success;
            }
        }
        self.endpoints.iter_mut().for_each(|rate| *rate = 0.0);
        for (edge, rate) in plan.edges.iter().zip(&self.edges) {
            for (endpoint, share) in targets(edge.target) {
                if let Some(known) = self.endpoints.get_mut(endpoint.index()) {
                    *known += rate * share;
                }
            }
        }
    }

    fn add(&mut self, edge: EdgeId, rate: f64) {
        if let Some(known) = self.edges.get_mut(edge.index()) {
            *known += rate;
        }
    }

    /// What requests at an endpoint send on; gives how likely one of them succeeds.
    fn script(&mut self, plan: &Plan, index: usize, rate: f64) -> f64 {
        let Some(endpoint) = plan.endpoints.get(index) else { return 1.0 };
        let mut alive = 1.0;
        let steps = plan.steps.iter().skip(endpoint.script as usize).take_while(|s| **s != Step::Done);
        for step in steps {
            match step {
                Step::Check => alive *= 1.0 - endpoint.error_rate,
                Step::Calls { first, count } => {
                    let group = plan.groups.iter().skip(*first as usize).take(*count as usize);
                    let mut all = 1.0;
                    for edge in group {
                        all *= self.call(plan, *edge, rate * alive);
                    }
                    alive *= all;
                }
                _ => {}
            }
        }
        alive
    }

    /// A call site: how likely the request goes on after it.
    fn call(&mut self, plan: &Plan, edge: EdgeId, rate: f64) -> f64 {
        let Some(site) = plan.edges.get(edge.index()) else { return 1.0 };
        let one: f64 =
            targets(site.target).map(|(e, share)| share * self.success.get(e.index()).unwrap_or(&1.0)).sum();
        // Repetitions end with the first that fails.
        let mut going = site.probability;
        let mut sent = 0.0;
        for _ in 0..site.times.min(10_000) {
            sent += going;
            going *= one;
        }
        self.add(edge, rate * sent);
        let failed = site.probability - going;
        let lost = match site.fallback {
            Fallback::Answer => 0.0,
            Fallback::Call(other) => {
                self.add(other, rate * failed);
                let to = plan.edges.get(other.index()).map(|e| e.target);
                let helps: f64 = to
                    .into_iter()
                    .flat_map(targets)
                    .map(|(e, share)| share * self.success.get(e.index()).unwrap_or(&1.0))
                    .sum();
                failed * (1.0 - helps)
            }
            Fallback::None => failed,
        };
        if site.optional { 1.0 } else { 1.0 - lost }
    }
}

/// The endpoints a call may reach, with their shares.
fn targets(target: Target) -> impl Iterator<Item = (EndpointId, f64)> {
    let (first, count) = match target {
        Target::One(endpoint) => (endpoint.0, 1),
        Target::Spread { first, count } => (first.0, count),
    };
    (first..first + count).map(move |at| (EndpointId(at), 1.0 / f64::from(count.max(1))))
}
