//! What one simulation may cost, so that a slip of the pen is a sentence and not a machine out of memory.

use super::super::plan::{Arrivals, Plan};

/// Requests at the sources of one replication.
const REQUESTS: f64 = 1e9;
/// Hosts known to callers: caller instances times instances called.
const HOSTS: u64 = 50_000_000;
/// Windows of a timeline, over all sources.
const WINDOWS: f64 = 2e6;
/// Instances of all services.
const INSTANCES: usize = 2_000_000;
/// Retries of one call.
const RETRIES: u32 = 10_000;

/// Refuses a plan beyond these limits, naming what is too much.
pub(super) fn refuse(plan: &Plan) -> Result<(), String> {
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
    if let Some(edge) = plan.edges.iter().find(|e| e.retry.num_retries > RETRIES) {
        return Err(format!("`{}`: {} retries are more than {RETRIES}", edge.name, edge.retry.num_retries));
    }
    let seconds = plan.duration.seconds();
    for source in &plan.sources {
        let (Arrivals::Poisson(points) | Arrivals::Constant(points)) = &source.arrivals else { continue };
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
