//! The theory twin: what a closed form says about each station of a simulation, beside what was simulated; and
//! where none applies, which of its assumptions is broken.

mod assumptions;
mod flows;

use crate::kernel::queueing::{self, Steady};
use crate::kernel::stats::t_interval;
use crate::sim::{Arrivals, Compiled, Estimate, InstanceOutcome, Outcome, Plan};
use assumptions::{Arriving, Station};
use flows::Flows;

/// What theory says about one station, or why it says nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Twin {
    /// The service or datastore, or the entry of a closed loop.
    pub station: String,
    /// `M/M/4`; `None` where no closed form applies.
    pub model: Option<String>,
    /// The assumption that is broken, where there is no model.
    pub broken: Option<String>,
    /// What is compared.
    pub numbers: Vec<Number>,
    /// Busy share of its workers as simulated, for the order in which twins are shown.
    pub utilization: f64,
}

/// A number of theory beside the simulated one.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// What it is.
    pub what: What,
    /// What theory says.
    pub expected: f64,
    /// What was simulated, averaged over instances.
    pub observed: f64,
    /// Its 95% interval over replications.
    pub ci95: Option<(f64, f64)>,
}

/// A quantity of a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Busy share of the workers.
    Utilization,
    /// Requests waiting at one instance.
    Queue,
    /// Mean time in the queue, in seconds.
    Wait,
    /// Requests that are turned away.
    Loss,
    /// Answers per second of a closed loop.
    Throughput,
    /// Mean latency of a closed loop, in seconds.
    Response,
}

impl What {
    /// As the JSON says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utilization => "utilization",
            Self::Queue => "queue_mean",
            Self::Wait => "wait_s",
            Self::Loss => "loss",
            Self::Throughput => "throughput_per_s",
            Self::Response => "response_s",
        }
    }
}

/// The twins of all stations with a number of workers, in document order; then those of closed loops.
pub fn twins(compiled: &Compiled, outcome: &Outcome) -> Vec<Twin> {
    let plan = &compiled.plan;
    let flows = Flows::of(plan, 0.0);
    let stations = assumptions::stations(plan, outcome, &flows);
    let mut all: Vec<Twin> = stations.iter().filter_map(|station| twin(plan, outcome, station)).collect();
    all.extend(closed_loop(plan, outcome));
    all
}

fn twin(plan: &Plan, outcome: &Outcome, station: &Station) -> Option<Twin> {
    let service = plan.services.get(station.service)?;
    let range = service.instances.start as usize..service.instances.end as usize;
    let instances = outcome.instances.get(range)?;
    let workers = service.workers?;
    let of = |estimate: fn(&InstanceOutcome) -> Option<&Estimate>| average(instances, estimate);
    let utilization = of(|i| i.utilization.as_ref());
    let used = utilization.as_ref().map_or(0.0, |(value, _)| *value);
    if station.rate <= 0.0 || station.work.mean_s <= 0.0 {
        return None;
    }
    let mut twin = Twin {
        station: service.name.clone(),
        model: None,
        broken: None,
        numbers: Vec::new(),
        utilization: used,
    };
    let (name, steady) = match station.model(workers, service.queue_max_length, instances.len() as u32) {
        Ok(found) => found,
        Err(broken) => {
            twin.broken = Some(broken);
            return Some(twin);
        }
    };
    twin.model = Some(name);
    let arrived = outcome.endpoints.get(station.endpoints.clone()).unwrap_or_default();
    let requests: Vec<f64> = (0..outcome.replications as usize)
        .map(|r| arrived.iter().filter_map(|e| e.rate_per_s.replications.get(r)).sum::<f64>())
        .collect();
    let mut say = |what, expected, seen: Option<(f64, Vec<f64>)>| {
        if let Some((observed, each)) = seen {
            let ci95 = t_interval(&each, 0.95).map(|(mean, half)| (mean - half, mean + half));
            twin.numbers.push(Number { what, expected, observed, ci95 });
        }
    };
    say(What::Utilization, steady.utilization, utilization);
    let queue = of(|i| Some(&i.queue_mean));
    let count = instances.len() as f64;
    let admitted = 1.0 - steady.loss;
    let waits = queue.as_ref().map(|(_, each)| {
        let each: Vec<f64> =
            each.iter().zip(&requests).map(|(q, rate)| q * count / (rate * admitted)).collect();
        (each.iter().sum::<f64>() / each.len().max(1) as f64, each)
    });
    say(What::Queue, steady.queue, queue);
    say(What::Wait, steady.wait_s, waits.filter(|(value, _)| value.is_finite()));
    if service.queue_max_length.is_some() {
        say(What::Loss, steady.loss, lost(arrived, &station.errors));
    }
    Some(twin)
}

/// The share of requests turned away: failures beyond what the endpoints' own errors explain.
fn lost(endpoints: &[crate::sim::EndpointOutcome], errors: &[f64]) -> Option<(f64, Vec<f64>)> {
    if errors.iter().any(|e| *e > 0.0) {
        return None;
    }
    let replications = endpoints.iter().map(|e| e.availability.replications.len()).max()?;
    let share = |r: usize| {
        let pair = |e: &crate::sim::EndpointOutcome| {
            let rate = e.rate_per_s.replications.get(r).copied().unwrap_or(0.0);
            (rate, rate * (1.0 - e.availability.replications.get(r).copied().unwrap_or(1.0)))
        };
        let (all, failed) = endpoints.iter().map(pair).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        failed / all
    };
    let each: Vec<f64> = (0..replications).map(share).filter(|share| share.is_finite()).collect();
    let mean = each.iter().sum::<f64>() / each.len().max(1) as f64;
    (!each.is_empty()).then_some((mean, each))
}

/// A number averaged over instances: as a whole, and of each replication.
fn average(
    instances: &[InstanceOutcome],
    of: fn(&InstanceOutcome) -> Option<&Estimate>,
) -> Option<(f64, Vec<f64>)> {
    let all: Option<Vec<&Estimate>> = instances.iter().map(of).collect();
    let all = all.filter(|all| !all.is_empty())?;
    let count = all.len() as f64;
    let replications = all.iter().map(|e| e.replications.len()).min()?;
    let each = (0..replications)
        .map(|r| all.iter().filter_map(|e| e.replications.get(r)).sum::<f64>() / count)
        .collect();
    Some((all.iter().map(|e| e.value).sum::<f64>() / count, each))
}

/// Exact mean value analysis, where one closed loop is all there is and every station has one exponential server.
fn closed_loop(plan: &Plan, outcome: &Outcome) -> Option<Twin> {
    let [source] = plan.sources.as_slice() else { return None };
    let Arrivals::Closed { users, think } = &source.arrivals else { return None };
    let seen = &outcome.sources.first()?.requests;
    let flows = Flows::of(plan, 1.0);
    let stations = assumptions::stations(plan, outcome, &flows);
    let name = source.name.clone();
    let twin = |broken| Twin {
        station: name.clone(),
        model: None,
        broken: Some(broken),
        numbers: Vec::new(),
        utilization: 1.0,
    };
    let mut demands = Vec::new();
    for station in stations.iter().filter(|s| s.rate > 0.0 && s.work.mean_s > 0.0) {
        let service = plan.services.get(station.service)?;
        let instances = (service.instances.end - service.instances.start).max(1);
        let single = service.workers == Some(1) && instances == 1 && service.queue_max_length.is_none();
        match &station.arriving {
            Arriving::Broken(broken) => return Some(twin(broken.clone())),
            _ if !single || !station.exponential() => {
                let broken =
                    format!("`{}` is no single exponential server with an endless queue", service.name);
                return Some(twin(broken));
            }
            _ => demands.push(station.rate * station.work.mean_s),
        }
    }
    let network: f64 = plan
        .edges
        .iter()
        .zip(&flows.edges)
        .map(|(edge, rate)| rate * (edge.latency_out + edge.latency_back).seconds())
        .sum();
    let (throughput, response) = queueing::closed_loop(*users, think.mean().seconds() + network, &demands);
    let number = |what, expected, estimate: &Estimate| Number {
        what,
        expected,
        observed: estimate.value,
        ci95: estimate.ci95,
    };
    let mut numbers = vec![number(What::Throughput, throughput, &seen.goodput_per_s)];
    numbers.extend(seen.latency.mean.as_ref().map(|m| number(What::Response, response + network, m)));
    let model = Some(format!("closed loop of {users} users (mean value analysis)"));
    Some(Twin { broken: None, model, numbers, ..twin(String::new()) })
}

impl Station {
    /// The closed form that applies, with what it says about one instance.
    fn model(&self, workers: u32, queue: Option<u32>, instances: u32) -> Result<(String, Steady), String> {
        let rate = match &self.arriving {
            Arriving::Broken(why) => return Err(why.clone()),
            Arriving::Poisson | Arriving::InTurns | Arriving::Evenly => self.rate / f64::from(instances),
        };
        let (mean, exponential) = (self.work.mean_s, self.exponential());
        let load = rate * mean / f64::from(workers);
        let too_much = || Err(format!("offered {load:.2} of what it can do: the queue grows without end"));
        if self.arriving != Arriving::Poisson {
            if workers > 1 || !exponential || queue.is_some() {
                let how = if self.arriving == Arriving::Evenly { "evenly" } else { "in turns" };
                return Err(format!(
                    "it is called {how}: a closed form needs one exponential worker and an endless queue"
                ));
            }
            let (name, found) = if self.arriving == Arriving::Evenly {
                ("D/M/1".to_owned(), queueing::even_arrivals(rate, mean))
            } else {
                (format!("E{instances}/M/1"), queueing::erlang_arrivals(self.rate, mean, instances))
            };
            return found.map_or_else(too_much, |steady| Ok((name, steady)));
        }
        match queue {
            Some(0) if !exponential => {
                Ok((format!("M/G/{workers}/{workers}"), queueing::mmck(rate, mean, workers, workers)))
            }
            Some(_) if !exponential => Err("its queue is bounded and its work is not exponential".to_owned()),
            Some(queue) => {
                let places = workers.saturating_add(queue);
                if places > 1_000_000 {
                    return Err("its queue is longer than is worth adding up".to_owned());
                }
                Ok((format!("M/M/{workers}/{places}"), queueing::mmck(rate, mean, workers, places)))
            }
            None if exponential => queueing::mmc(rate, mean, workers)
                .map_or_else(too_much, |steady| Ok((format!("M/M/{workers}"), steady))),
            None if workers == 1 => {
                let letter = if self.work.scv == 0.0 { "D" } else { "G" };
                queueing::mg1(rate, mean, self.work.scv)
                    .map_or_else(too_much, |steady| Ok((format!("M/{letter}/1"), steady)))
            }
            None => Err(format!("{workers} workers and work that is not exponential")),
        }
    }
}
