//! What one simulation may cost, so that a slip of the pen is a sentence and not a machine out of memory.

use super::super::plan::{Arrivals, Plan, RatePoint, Upstream};

/// Requests at the sources of one replication.
const REQUESTS: f64 = 1e9;
/// Hosts known to callers: caller instances times instances called.
const HOSTS: u64 = 50_000_000;
/// Slots of the tables of hashing balancers, over all caller instances.
const SLOTS: u64 = 10_000_000;
/// Windows of a timeline, over all sources.
const WINDOWS: f64 = 2e6;
/// Instances of all services.
const INSTANCES: usize = 2_000_000;
/// Points of a rate over time.
pub(super) const POINTS: usize = 1_000_000;
/// Users of one closed loop.
const USERS: u32 = 10_000_000;
/// Retries of one call.
const RETRIES: u32 = 10_000;

/// Refuses a plan beyond these limits, naming what is too much.
///
/// # Errors
/// The sentence that names it.
pub fn refuse(plan: &Plan) -> Result<(), String> {
    if plan.instances.len() > INSTANCES {
        return Err(format!(
            "{} instances are more than can be simulated ({INSTANCES})",
            plan.instances.len()
        ));
    }
    for upstream in &plan.upstreams {
        let callers = u64::from(plan.callers(upstream.caller));
        let hosts = plan.services[upstream.service.index()].instances.len() as u64;
        if callers * hosts > HOSTS {
            let name = &upstream.name;
            return Err(format!(
                "`{name}`: {callers} callers that each balance over {hosts} instances are too many"
            ));
        }
    }
    let mut slots: u64 = 0;
    for upstream in &plan.upstreams {
        slots = slots
            .saturating_add(u64::from(plan.callers(upstream.caller)).saturating_mul(table(plan, upstream)));
        if slots > SLOTS {
            return Err(format!(
                "`{}`: the tables of {} would have more than {SLOTS} slots: use smaller weights or tables",
                upstream.name, upstream.balancer.about.name
            ));
        }
    }
    if let Some(edge) = plan.edges.iter().find(|e| e.retry.num_retries > RETRIES) {
        return Err(format!("`{}`: {} retries are more than {RETRIES}", edge.name, edge.retry.num_retries));
    }
    let seconds = plan.duration.seconds();
    for source in &plan.sources {
        let points = match &source.arrivals {
            Arrivals::Poisson(points) | Arrivals::Constant(points) => points,
            Arrivals::Closed { users, .. } if *users > USERS => {
                return Err(format!("`{}`: {users} users are more than {USERS}", source.name));
            }
            Arrivals::Bursts(states) => {
                let shortest = states.iter().map(|s| s.lasts.seconds()).fold(f64::INFINITY, f64::min);
                if seconds / shortest > REQUESTS {
                    return Err(format!("`{}`: its states last too short a time", source.name));
                }
                &states.iter().map(|s| RatePoint::from(s.rate)).collect()
            }
            Arrivals::Closed { .. } | Arrivals::Replay(_) | Arrivals::Shared(_) => continue,
        };
        if points.len() > POINTS {
            return Err(format!("`{}`: more than {POINTS} points of a rate", source.name));
        }
        let most = points.iter().map(|p| p.rate).fold(0.0, f64::max) * seconds;
        if most > REQUESTS {
            return Err(format!("`{}`: about {most:.0} requests are more than {REQUESTS:.0}", source.name));
        }
    }
    let windows = seconds / plan.window.seconds() * plan.sources.len() as f64;
    if windows > WINDOWS {
        return Err(format!("a duration of {seconds:.0} s is more than can be simulated with this traffic"));
    }
    Ok(())
}

/// About how many slots one caller instance's table has; 0 for a balancer without one.
fn table(plan: &Plan, upstream: &Upstream) -> u64 {
    let instances = plan.services[upstream.service.index()].instances.clone();
    let weights =
        || plan.instances[instances.start as usize..instances.end as usize].iter().map(|i| i.weight);
    let (sum, least) = (weights().map(u64::from).sum::<u64>(), weights().min().unwrap_or(1).max(1));
    let settings = &upstream.settings;
    match upstream.balancer.about.name {
        "consistent_hash" => sum.saturating_mul(160),
        "bounded_load" => sum.saturating_mul(16),
        // The lightest host has at least one point.
        "ring_hash" => settings.minimum_ring_size.max(sum / u64::from(least)).min(settings.maximum_ring_size),
        "maglev" => settings.table_size,
        _ => 0,
    }
}
