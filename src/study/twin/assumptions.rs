//! Which assumptions of the closed forms a station keeps.

use super::flows::Flows;
use crate::kernel::Distribution;
use crate::sim::{Arrivals, Caller, Cancellation, Edge, Endpoint, Outcome, Plan, Step};
use std::ops::Range;

/// Something with workers, as theory sees it.
#[derive(Debug)]
pub(super) struct Station {
    /// Its place in the plan.
    pub service: usize,
    /// Its endpoints in the plan.
    pub endpoints: Range<usize>,
    /// Their own error rates.
    pub errors: Vec<f64>,
    /// Requests per second, all instances together.
    pub rate: f64,
    /// What one takes.
    pub work: Work,
    /// How they arrive at an instance.
    pub arriving: Arriving,
}

/// The own work of a request, all endpoints together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub mean_s: f64,
    /// Variance over mean².
    pub scv: f64,
    /// Every endpoint exponential, with the same mean.
    pub exponential: bool,
}

/// How requests arrive at an instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arriving {
    /// Independently of one another, or as good as that (a network of exponential stations).
    Poisson,
    /// Every so-many-th of a Poisson stream.
    InTurns,
    /// In equal steps.
    Evenly,
    /// Otherwise.
    Broken(String),
}

impl Station {
    pub const fn exponential(&self) -> bool {
        self.work.exponential
    }
}

/// All services of a plan.
pub(super) fn stations(plan: &Plan, outcome: &Outcome, flows: &Flows) -> Vec<Station> {
    let closed =
        plan.sources.iter().all(|s| matches!(s.arrivals, Arrivals::Closed { .. })) && plan.sources.len() == 1;
    let mut first = 0;
    let mut all = Vec::new();
    let ways = Ways::of(plan, flows);
    for service in 0..plan.services.len() {
        let count = plan.endpoints.iter().skip(first).take_while(|e| e.service.index() == service).count();
        let endpoints = first..first + count;
        first += count;
        let rates = flows.endpoints.get(endpoints.clone()).unwrap_or_default();
        let own = plan.endpoints.get(endpoints.clone()).unwrap_or_default();
        let into = ways.into.get(service).map(Vec::as_slice).unwrap_or_default();
        let arriving = arriving(plan, outcome, service, own.iter().any(|e| calls_out(plan, e)), into, closed);
        let errors = own.iter().map(|e| e.error_rate).collect();
        let rate = rates.iter().sum();
        let work = work(own.iter().map(|e| e.work.as_ref()).zip(rates.iter().copied()));
        all.push(Station { service, endpoints, errors, rate, work, arriving });
    }
    spread(plan, &ways, &mut all);
    all
}

/// The mixture of what endpoints do, each as often as it is asked.
fn work<'a>(all: impl Iterator<Item = (Option<&'a Distribution>, f64)>) -> Work {
    let (mut rate, mut first, mut second, mut exponential) = (0.0, 0.0, 0.0, true);
    let mut known: Option<f64> = None;
    for (work, often) in all.filter(|(_, often)| *often > 0.0) {
        let (mean, scv) = work.map_or((0.0, 0.0), |w| (w.mean().seconds(), w.scv()));
        rate += often;
        first += often * mean;
        second += often * mean * mean * (1.0 + scv);
        let same = known.is_none_or(|known: f64| (known - mean).abs() <= 1e-9 * mean);
        exponential &= same && matches!(work, Some(Distribution::Exponential(_)));
        known = Some(mean);
    }
    if rate <= 0.0 || first <= 0.0 {
        return Work { mean_s: 0.0, scv: 0.0, exponential: false };
    }
    let (first, second) = (first / rate, second / rate);
    Work { mean_s: first, scv: (second / (first * first) - 1.0).max(0.0), exponential }
}

/// How requests come to one service, seen alone.
fn arriving(
    plan: &Plan,
    outcome: &Outcome,
    service: usize,
    calls: bool,
    into: &[usize],
    closed: bool,
) -> Arriving {
    let broken = |why: &str| Arriving::Broken(why.to_owned());
    if !plan.events.is_empty() {
        return broken("something happens during the run (`events`)");
    }
    let Some(own) = plan.services.get(service) else { return Arriving::Poisson };
    let instances = plan.instances.get(own.instances.start as usize..own.instances.end as usize);
    let instances = instances.unwrap_or_default();
    if instances.iter().any(|i| !i.up || !i.listed) {
        return broken("not all instances are there from the start");
    }
    if instances.windows(2).any(|pair| matches!(pair, [a, b] if (a.speed - b.speed).abs() > 1e-9)) {
        return broken("its instances are not equally fast");
    }
    if own.discipline.about.name == "codel" {
        return broken("`codel` drops what waits for long");
    }
    if own.concurrency.is_some() && calls {
        return broken("`concurrency` holds a place while it waits for calls");
    }
    let even = match into {
        [only] => is_even(plan, *only),
        _ => false,
    };
    let mut turns = false;
    let mut callers = 0;
    let mut known = Vec::new();
    for index in into {
        let Some(edge) = plan.edges.get(*index) else { continue };
        let Some(upstream) = plan.upstreams.get(edge.upstream.index()) else { continue };
        if let Some(why) = disturbed(plan, outcome, *index, edge, closed || even) {
            return Arriving::Broken(why);
        }
        // One caller with several call sites takes its turns over all of them.
        if !known.contains(&edge.upstream) && known.len() < 3 {
            known.push(edge.upstream);
            callers += plan.callers(upstream.caller);
        }
        match upstream.balancer.about.name {
            _ if instances.len() < 2 => {}
            "random" if !even => {}
            "round_robin" | "weighted_round_robin" => turns = true,
            name => return Arriving::Broken(format!("`{name}` looks at the instances: no closed form")),
        }
    }
    if even {
        return if callers == 1 {
            Arriving::Evenly
        } else {
            broken("evenly spaced requests of several callers")
        };
    }
    match (turns, callers) {
        (false, _) => Arriving::Poisson,
        (true, 1) if instances.windows(2).all(|pair| matches!(pair, [a, b] if a.weight == b.weight)) => {
            Arriving::InTurns
        }
        (true, 1) => broken("it is called in turns by weight: no closed form"),
        (true, _) => broken("several callers each take turns: no closed form"),
    }
}

/// Whether an endpoint makes calls.
fn calls_out(plan: &Plan, endpoint: &Endpoint) -> bool {
    script(plan, endpoint).any(|step| matches!(step, Step::Calls { .. }))
}

fn script<'a>(plan: &'a Plan, endpoint: &Endpoint) -> impl Iterator<Item = &'a Step> {
    plan.steps.iter().skip(endpoint.script as usize).take_while(|step| **step != Step::Done)
}

/// The calls that are made, by who is called and who calls.
struct Ways {
    into: Vec<Vec<usize>>,
    out_of: Vec<Vec<usize>>,
    /// Of each call whether it is one of several made at once, or comes after such: then arrivals depend on one
    /// another.
    together: Vec<bool>,
}

impl Ways {
    fn of(plan: &Plan, flows: &Flows) -> Self {
        let none = vec![Vec::new(); plan.services.len()];
        let mut this = Self { into: none.clone(), out_of: none, together: vec![false; plan.edges.len()] };
        for (index, edge) in plan.edges.iter().enumerate() {
            let asked = flows.edges.get(index).is_some_and(|rate| *rate > 0.0);
            let Some(upstream) = plan.upstreams.get(edge.upstream.index()).filter(|_| asked) else {
                continue;
            };
            if let Some(into) = this.into.get_mut(upstream.service.index()) {
                into.push(index);
            }
            if let Caller::Service(from) = upstream.caller
                && let Some(out) = this.out_of.get_mut(from.index())
            {
                out.push(index);
            }
        }
        for endpoint in &plan.endpoints {
            let mut parallel = false;
            for step in script(plan, endpoint) {
                let Step::Calls { first, count } = step else { continue };
                parallel |= *count > 1;
                for edge in plan.groups.iter().skip(*first as usize).take(*count as usize) {
                    if let Some(known) = this.together.get_mut(edge.index()) {
                        *known |= parallel;
                    }
                }
            }
        }
        this
    }
}

/// Whether a call is that of evenly spaced traffic.
fn is_even(plan: &Plan, edge: usize) -> bool {
    let upstream = plan.edges.get(edge).and_then(|e| plan.upstreams.get(e.upstream.index()));
    let Some(Caller::Source(source)) = upstream.map(|u| u.caller) else { return false };
    matches!(plan.sources.get(source.index()).map(|s| &s.arrivals), Some(Arrivals::Constant(points)) if points.len() == 1)
}

/// What about a call keeps arrivals from being Poisson.
fn disturbed(plan: &Plan, outcome: &Outcome, index: usize, edge: &Edge, alone: bool) -> Option<String> {
    let seen = outcome.edges.get(index)?;
    if edge.hedging.is_some() {
        return Some("slow calls are made a second time (`hedging`)".to_owned());
    }
    if seen.retries > 0 {
        return Some("what failed is tried again (`retry`)".to_owned());
    }
    if seen.rejected > 0 {
        return Some("a breaker rejects calls".to_owned());
    }
    let from = plan.upstreams.get(edge.upstream.index()).map(|u| u.caller);
    let Some(Caller::Source(source)) = from else {
        return (seen.timeouts > 0).then(|| "callers give up (`timeout`)".to_owned());
    };
    if seen.timeouts > 0 && edge.cancellation != Cancellation::None {
        return Some("callers give up and say so (`cancellation`)".to_owned());
    }
    match &plan.sources.get(source.index())?.arrivals {
        Arrivals::Poisson(points) if points.len() > 1 => Some("the rate of traffic changes".to_owned()),
        Arrivals::Poisson(_) => None,
        Arrivals::Constant(_) | Arrivals::Closed { .. } if alone => None,
        Arrivals::Constant(_) => Some("traffic arrives evenly, not at random".to_owned()),
        Arrivals::Closed { .. } => Some("users wait for their answer (closed loop)".to_owned()),
        Arrivals::Bursts(_) => Some("traffic comes in bursts (`states`)".to_owned()),
        Arrivals::Replay(_) => Some("traffic comes at recorded times (`replay`)".to_owned()),
        // A random part of a Poisson stream is one.
        Arrivals::Shared(first) => match plan.sources.get(first.index()).map(|s| &s.arrivals) {
            Some(Arrivals::Poisson(points)) if points.len() == 1 => None,
            _ => Some("it is one class of traffic that does not come at random".to_owned()),
        },
    }
}

/// A station that is not exponential, or is disturbed itself, passes no Poisson stream on.
fn spread(plan: &Plan, ways: &Ways, all: &mut [Station]) {
    let mut wild: Vec<bool> = all.iter().map(|station| !passes_on(plan, station)).collect();
    let mut open: Vec<usize> = (0..all.len()).collect();
    while let Some(from) = open.pop() {
        let everything = wild.get(from).copied().unwrap_or(false);
        for edge in ways.out_of.get(from).into_iter().flatten() {
            let to = plan.edges.get(*edge).and_then(|e| plan.upstreams.get(e.upstream.index()));
            let Some(to) = to.map(|u| u.service.index()) else { continue };
            if !everything && !ways.together.get(*edge).copied().unwrap_or(false) {
                continue;
            }
            if let Some(station) = all.get_mut(to)
                && !matches!(station.arriving, Arriving::Broken(_))
            {
                let caller = plan.services.get(from).map_or("", |s| s.name.as_str());
                station.arriving = Arriving::Broken(if everything {
                    format!("what `{caller}` passes on does not come at random: it is no M/M/c itself")
                } else {
                    format!("`{caller}` calls it beside or after parallel calls")
                });
            }
            if let Some(known) = wild.get_mut(to).filter(|known| !**known) {
                *known = true;
                open.push(to);
            }
        }
    }
}

/// Whether what leaves a station is Poisson when what arrives is (Burke): exponential work and an endless queue, or
/// workers for everyone.
fn passes_on(plan: &Plan, station: &Station) -> bool {
    let Some(service) = plan.services.get(station.service) else { return true };
    let endless = service.queue_max_length.is_none();
    let work = station.work.mean_s <= 0.0 || station.exponential() || service.workers.is_none();
    let own = plan.endpoints.get(station.endpoints.clone()).unwrap_or_default();
    let split = own.iter().any(|endpoint| {
        script(plan, endpoint).any(|s| matches!(s, Step::Work { share } if *share < 1.0 && *share > 0.0))
    });
    endless && work && !split && station.arriving == Arriving::Poisson
}
