//! What a simulation found: one row per source, endpoint, edge, instance, breaker and queue, in the
//! order of the plan, over all replications, with confidence intervals.
//!
//! Times are in seconds, rates per second. Must not know how any of it is printed.

use super::estimate::{Estimate, Latency};
use super::metrics::{Breakers, Calls, Levels, Messages, Metrics, Tally};
use super::plan::Plan;
use super::probe::{Cause, Knowledge};
use super::timeline::Timeline;
use crate::policy::breaker::State;

/// Requests at a source: what its clients saw, retries included.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceOutcome {
    /// [`super::Source::name`].
    pub name: String,
    /// What came in and how it ended; latency is from arrival at the source to the final outcome.
    pub requests: EndpointOutcome,
    /// Replication 0 over time, warm-up included.
    pub windows: Vec<Window>,
    /// The same, each window the mean over all replications.
    pub mean_windows: Vec<Window>,
}

/// Requests at an endpoint. Latency is from arrival at the instance to the reply.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointOutcome {
    /// [`super::Endpoint::name`].
    pub name: String,
    /// Measured requests.
    pub arrived: u64,
    /// Of these, answered well.
    pub succeeded: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, without an outcome when the draining was over.
    pub in_flight: u64,
    /// Failures by cause; only causes that occurred, in the order of [`Cause::ALL`].
    pub errors_by_cause: Vec<(Cause, u64)>,
    /// Arrivals per second of measured time.
    pub rate_per_s: Estimate,
    /// Successes per second of measured time.
    pub goodput_per_s: Estimate,
    /// Successes per arrival; 1 where nothing arrived.
    pub availability: Estimate,
    /// Of successes.
    pub latency: Latency,
}

/// Calls over an edge.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeOutcome {
    /// [`super::Edge::name`].
    pub name: String,
    /// Calls.
    pub requests: u64,
    /// What was sent, retries included.
    pub attempts: u64,
    /// Attempts beside the first.
    pub retries: u64,
    /// Attempts that timed out.
    pub timeouts: u64,
    /// Calls that the breaker rejected.
    pub rejected: u64,
    /// Calls that were answered well.
    pub succeeded: u64,
    /// Calls that failed and were made up for: optional, or a fallback.
    pub recovered: u64,
    /// Failures of calls by their last cause, recovered ones included.
    pub errors_by_cause: Vec<(Cause, u64)>,
    /// Attempts per call that would be there without any retry above or here; `None` where there is
    /// none.
    pub amplification: Option<Estimate>,
}

/// An instance.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceOutcome {
    /// [`super::Instance::name`].
    pub name: String,
    /// Measured requests and messages that arrived.
    pub requests: u64,
    /// Busy worker time / (workers · time up); `None` with unlimited workers, or never up.
    pub utilization: Option<Estimate>,
    /// Workers busy, averaged over the measured time.
    pub busy_mean: Estimate,
    /// Requests waiting, those in service not counted, averaged over the measured time.
    pub queue_mean: Estimate,
}

/// A circuit breaker, all its caller instances together.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerOutcome {
    /// [`super::BreakerPlan::name`].
    pub name: String,
    /// How often it opened while measured, over all replications.
    pub opened: u64,
    /// The share of the measured time it was open, averaged over caller instances.
    pub open_share: Estimate,
    /// Of replication 0, from t = 0.
    pub transitions: Vec<Transition>,
}

/// A queue or topic. All counts but the depth are of measured messages, per group where it fans out.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueOutcome {
    /// [`super::Queue::name`].
    pub name: String,
    /// Put in.
    pub published: u64,
    /// Refused because it was full.
    pub dropped: u64,
    /// Handed to a handler, repeats included.
    pub delivered: u64,
    /// Handled well.
    pub acknowledged: u64,
    /// Put back after a failure.
    pub redelivered: u64,
    /// Given up.
    pub dead_lettered: u64,
    /// Published and neither handled nor given up when the draining was over.
    pub left: u64,
    /// The most that waited at once in a group before traffic ended, warm-up included.
    pub depth_max: u32,
    /// From publishing to the end of handling.
    pub age: Latency,
}

/// A breaker of one caller instance changed its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// When, in seconds from the start.
    pub at_s: f64,
    /// Which instance of the caller, from 0.
    pub caller_instance: u32,
    /// From this state.
    pub from: State,
    /// To this one.
    pub to: State,
}

/// A stretch of one source's time, by when requests arrived (offered) or ended (the rest).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Where it starts, in seconds.
    pub at_s: f64,
    /// Arrivals per second.
    pub offered_per_s: f64,
    /// Successes per second.
    pub goodput_per_s: f64,
    /// Failures per second.
    pub failures_per_s: f64,
    /// Of the successes that ended in it.
    pub p99_s: Option<f64>,
}

/// All results of a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The seed it was run with.
    pub seed: u64,
    /// How many replications.
    pub replications: u32,
    /// Measured seconds of each.
    pub measured_s: f64,
    /// One per [`Plan::sources`].
    pub sources: Vec<SourceOutcome>,
    /// One per [`Plan::endpoints`].
    pub endpoints: Vec<EndpointOutcome>,
    /// One per [`Plan::edges`].
    pub edges: Vec<EdgeOutcome>,
    /// One per [`Plan::instances`].
    pub instances: Vec<InstanceOutcome>,
    /// One per [`Plan::breakers`].
    pub breakers: Vec<BreakerOutcome>,
    /// One per [`Plan::queues`].
    pub queues: Vec<QueueOutcome>,
    /// What was learnt of instances, warm-up included; only what occurred, in the order of [`Knowledge::ALL`].
    pub known: Vec<(Knowledge, u64)>,
}

impl Outcome {
    /// Merges replications, in the order given.
    pub(super) fn of(plan: &Plan, seed: u64, all: &[Metrics], timelines: &[Timeline]) -> Self {
        let mut averaged = mean_windows(timelines).into_iter();
        let nothing = Timeline::new(plan);
        let timeline = timelines.first().unwrap_or(&nothing);
        let measured_s = (plan.duration - plan.warm_up).seconds();
        let column = |index: usize, of: fn(&Metrics) -> &[Tally]| -> Vec<&Tally> {
            all.iter().map(|metrics| &of(metrics)[index]).collect()
        };
        let sources = plan.sources.iter().zip(&timeline.windows).enumerate().map(|(i, (source, windows))| {
            let tallies = column(i, |metrics| &metrics.sources);
            SourceOutcome {
                name: source.name.clone(),
                requests: EndpointOutcome::of(&source.name, &tallies, measured_s),
                windows: windows.clone(),
                mean_windows: averaged.next().unwrap_or_default(),
            }
        });
        let endpoints = plan.endpoints.iter().enumerate().map(|(i, endpoint)| {
            EndpointOutcome::of(&endpoint.name, &column(i, |metrics| &metrics.endpoints), measured_s)
        });
        let edges = plan.edges.iter().enumerate().map(|(i, edge)| {
            EdgeOutcome::of(&edge.name, &all.iter().map(|metrics| &metrics.edges[i]).collect::<Vec<_>>())
        });
        let instances = plan.instances.iter().enumerate().map(|(i, instance)| {
            let workers = plan.services[instance.service.index()].workers;
            let levels: Vec<&Levels> = all.iter().map(|metrics| &metrics.instances[i]).collect();
            InstanceOutcome::of(&instance.name, &levels, workers, measured_s)
        });
        let breakers =
            plan.breakers.iter().zip(&timeline.transitions).enumerate().map(|(i, (breaker, transitions))| {
                let time = measured_s * f64::from(plan.callers(breaker.caller));
                let found: Vec<&Breakers> = all.iter().map(|metrics| &metrics.breakers[i]).collect();
                BreakerOutcome {
                    name: breaker.name.clone(),
                    opened: found.iter().map(|one| one.opened).sum(),
                    open_share: Estimate::mean_of(
                        found.iter().map(|one| ratio(one.open_nanos as f64 / 1e9, time)).collect(),
                    ),
                    transitions: transitions.clone(),
                }
            });
        let queues = plan.queues.iter().enumerate().map(|(i, queue)| {
            QueueOutcome::of(&queue.name, &all.iter().map(|metrics| &metrics.queues[i]).collect::<Vec<_>>())
        });
        Self {
            seed,
            replications: all.len() as u32,
            measured_s,
            sources: sources.collect(),
            endpoints: endpoints.collect(),
            edges: edges.collect(),
            instances: instances.collect(),
            breakers: breakers.collect(),
            queues: queues.collect(),
            known: Knowledge::ALL
                .into_iter()
                .map(|what| (what, all.iter().map(|metrics| metrics.known[what as usize]).sum()))
                .filter(|(_, count)| *count > 0)
                .collect(),
        }
    }
}

/// For each source its windows, averaged over replications; a 99th percentile over those that have one.
fn mean_windows(timelines: &[Timeline]) -> Vec<Vec<Window>> {
    let sources = timelines.first().map_or(0, |t| t.windows.len());
    let of_source = |source: usize| {
        let all: Vec<&Vec<Window>> = timelines.iter().filter_map(|t| t.windows.get(source)).collect();
        let count = all.iter().map(|w| w.len()).min().unwrap_or(0);
        (0..count).map(|at| mean_window(&all.iter().map(|w| w[at]).collect::<Vec<_>>())).collect()
    };
    (0..sources).map(of_source).collect()
}

fn mean_window(all: &[Window]) -> Window {
    let mean = |of: fn(&Window) -> f64| all.iter().map(of).sum::<f64>() / all.len().max(1) as f64;
    let p99: Vec<f64> = all.iter().filter_map(|w| w.p99_s).collect();
    Window {
        at_s: mean(|w| w.at_s),
        offered_per_s: mean(|w| w.offered_per_s),
        goodput_per_s: mean(|w| w.goodput_per_s),
        failures_per_s: mean(|w| w.failures_per_s),
        p99_s: (!p99.is_empty()).then(|| p99.iter().sum::<f64>() / p99.len() as f64),
    }
}

/// Zero where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn by_cause<'a>(counts: &(impl Iterator<Item = &'a [u64; Cause::COUNT]> + Clone)) -> Vec<(Cause, u64)> {
    let total = |cause: Cause| counts.clone().map(|counts| counts[cause as usize]).sum::<u64>();
    Cause::ALL.into_iter().map(|cause| (cause, total(cause))).filter(|(_, count)| *count > 0).collect()
}

impl EndpointOutcome {
    fn of(name: &str, all: &[&Tally], measured_s: f64) -> Self {
        let arrived: u64 = all.iter().map(|tally| tally.arrived).sum();
        let succeeded: u64 = all.iter().map(|tally| tally.succeeded).sum();
        let failed: u64 = all.iter().map(|tally| tally.failures()).sum();
        let per_second = |of: fn(&Tally) -> u64| {
            Estimate::mean_of(all.iter().map(|tally| ratio(of(tally) as f64, measured_s)).collect())
        };
        let available = |tally: &Tally| match tally.arrived {
            0 => 1.0,
            arrived => tally.succeeded as f64 / arrived as f64,
        };
        let availability = if arrived == 0 { 1.0 } else { succeeded as f64 / arrived as f64 };
        Self {
            name: name.to_owned(),
            arrived,
            succeeded,
            failed,
            in_flight: arrived.saturating_sub(succeeded + failed),
            errors_by_cause: by_cause(&all.iter().map(|tally| &tally.failed)),
            rate_per_s: per_second(|tally| tally.arrived),
            goodput_per_s: per_second(|tally| tally.succeeded),
            availability: Estimate::of(
                availability,
                all.iter().map(|tally| available(tally)).collect(),
                true,
            ),
            latency: Latency::of(&all.iter().map(|tally| &tally.latency).collect::<Vec<_>>()),
        }
    }
}

impl EdgeOutcome {
    fn of(name: &str, all: &[&Calls]) -> Self {
        let sum = |of: fn(&Calls) -> u64| all.iter().map(|calls| of(calls)).sum::<u64>();
        let amplified = |calls: &&&Calls| calls.first_line > 0;
        let each: Vec<f64> = all
            .iter()
            .filter(amplified)
            .map(|calls| calls.attempts as f64 / calls.first_line as f64)
            .collect();
        let (attempts, base) = (sum(|calls| calls.attempts), sum(|calls| calls.first_line));
        let sound = each.len() == all.len();
        Self {
            name: name.to_owned(),
            requests: sum(|calls| calls.started),
            attempts,
            retries: sum(|calls| calls.retries),
            timeouts: sum(|calls| calls.timeouts),
            rejected: sum(|calls| calls.rejected),
            succeeded: sum(|calls| calls.succeeded),
            recovered: sum(|calls| calls.recovered),
            errors_by_cause: by_cause(&all.iter().map(|calls| &calls.failed)),
            amplification: (base > 0).then(|| Estimate::of(attempts as f64 / base as f64, each, sound)),
        }
    }
}

impl InstanceOutcome {
    fn of(name: &str, all: &[&Levels], workers: Option<u32>, measured_s: f64) -> Self {
        let mean = |of: fn(&Levels) -> u128| {
            Estimate::mean_of(all.iter().map(|levels| ratio(of(levels) as f64 / 1e9, measured_s)).collect())
        };
        let up: u64 = all.iter().map(|levels| levels.up_nanos).sum();
        let utilization = workers.filter(|_| up > 0).map(|workers| {
            let used = |busy: u128, up: u64| ratio(busy as f64, up as f64 * f64::from(workers));
            let busy: u128 = all.iter().map(|levels| levels.busy_area).sum();
            let each = all.iter().map(|levels| used(levels.busy_area, levels.up_nanos)).collect();
            Estimate::of(used(busy, up), each, true)
        });
        Self {
            name: name.to_owned(),
            requests: all.iter().map(|levels| levels.requests).sum(),
            utilization,
            busy_mean: mean(|levels| levels.busy_area),
            queue_mean: mean(|levels| levels.waiting_area),
        }
    }
}

impl QueueOutcome {
    fn of(name: &str, all: &[&Messages]) -> Self {
        let sum = |of: fn(&Messages) -> u64| all.iter().map(|messages| of(messages)).sum::<u64>();
        let published = sum(|messages| messages.published);
        let (acknowledged, dead) = (sum(|messages| messages.acknowledged), sum(|m| m.dead_lettered));
        Self {
            name: name.to_owned(),
            published,
            dropped: sum(|messages| messages.dropped),
            delivered: sum(|messages| messages.delivered),
            acknowledged,
            redelivered: sum(|messages| messages.redelivered),
            dead_lettered: dead,
            left: published.saturating_sub(acknowledged + dead),
            depth_max: all.iter().map(|messages| messages.depth_max).max().unwrap_or(0),
            age: Latency::of(&all.iter().map(|messages| &messages.age).collect::<Vec<_>>()),
        }
    }
}
