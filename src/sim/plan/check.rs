//! Whether a plan holds together. The engine relies on it and looks at nothing twice.

use crate::kernel::Time;

use super::{Arrivals, Caller, Consumer, Fallback, Plan, PlanError, SourceId, Step, Target};

impl Plan {
    /// Whether every reference points at something and every script ends. The engine relies on it.
    pub fn validate(&self) -> Result<(), PlanError> {
        let fail = |what: &str, name: &str| Err(PlanError(format!("{what} in `{name}`")));
        for service in &self.services {
            if service.instances.end as usize > self.instances.len() || service.instances.is_empty() {
                return fail("no instances", &service.name);
            }
        }
        for instance in &self.instances {
            if instance.service.index() >= self.services.len()
                || instance.speed.is_nan()
                || instance.speed <= 0.0
            {
                return fail("bad service or speed", &instance.name);
            }
        }
        for endpoint in &self.endpoints {
            if endpoint.service.index() >= self.services.len() || endpoint.script as usize >= self.steps.len()
            {
                return fail("bad service or script", &endpoint.name);
            }
        }
        if !self.steps.is_empty() && self.steps.last() != Some(&Step::Done) {
            return fail("a script without an end", "steps");
        }
        for step in &self.steps {
            let bad = match step {
                Step::Calls { first, count } => (first + count) as usize > self.groups.len(),
                Step::Publish { queue, .. } => queue.index() >= self.queues.len(),
                Step::Work { .. } | Step::Check | Step::Done => false,
            };
            if bad {
                return fail("a step that points nowhere", "steps");
            }
        }
        if self.groups.iter().any(|edge| edge.index() >= self.edges.len()) {
            return fail("a call that does not exist", "groups");
        }
        self.validate_edges()?;
        self.validate_rest()
    }

    fn validate_edges(&self) -> Result<(), PlanError> {
        let fail = |what: &str, name: &str| Err(PlanError(format!("{what} in `{name}`")));
        for edge in &self.edges {
            let Some(upstream) = self.upstreams.get(edge.upstream.index()) else {
                return fail("no upstream", &edge.name);
            };
            let (first, count) = match edge.target {
                Target::One(endpoint) => (endpoint.index(), 1),
                Target::Spread { first, count } => (first.index(), count as usize),
            };
            let targets = self.endpoints.get(first..first + count).unwrap_or_default();
            if targets.is_empty() || targets.iter().any(|endpoint| endpoint.service != upstream.service) {
                return fail("an endpoint of another service", &edge.name);
            }
            if edge.breaker.is_some_and(|breaker| {
                self.breakers.get(breaker.index()).is_none_or(|breaker| breaker.caller != upstream.caller)
            }) {
                return fail("the breaker of another caller", &edge.name);
            }
            if let Fallback::Call(other) = edge.fallback
                && self
                    .edges
                    .get(other.index())
                    .and_then(|other| self.upstreams.get(other.upstream.index()))
                    .is_none_or(|other| other.caller != upstream.caller)
            {
                return fail("the fallback of another caller", &edge.name);
            }
        }
        self.validate_fallbacks()
    }

    /// Whether every chain of fallbacks ends.
    fn validate_fallbacks(&self) -> Result<(), PlanError> {
        for edge in &self.edges {
            let mut fallback = edge.fallback;
            let mut length = 0;
            while let Fallback::Call(next) = fallback {
                length += 1;
                if length > self.edges.len() {
                    return Err(PlanError(format!("a circle of fallbacks in `{}`", edge.name)));
                }
                fallback = self.edges[next.index()].fallback;
            }
        }
        Ok(())
    }

    fn validate_rest(&self) -> Result<(), PlanError> {
        let fail = |what: &str, name: &str| Err(PlanError(format!("{what} in `{name}`")));
        for upstream in &self.upstreams {
            let caller = match upstream.caller {
                Caller::Service(service) => service.index() < self.services.len(),
                Caller::Source(source) => source.index() < self.sources.len(),
            };
            if !caller || upstream.service.index() >= self.services.len() {
                return fail("no caller or no service", &upstream.name);
            }
        }
        for (index, source) in self.sources.iter().enumerate() {
            let own = Caller::Source(SourceId(index as u32));
            let edge = self.edges.get(source.edge.index());
            if edge.is_none_or(|edge| self.upstreams[edge.upstream.index()].caller != own) {
                return fail("the call of another caller", &source.name);
            }
            if !source.key_skew.is_finite() {
                return fail("a skew that is no number", &source.name);
            }
            let points = match &source.arrivals {
                Arrivals::Poisson(points) | Arrivals::Constant(points) => points,
                Arrivals::Bursts(states) if states.iter().any(|s| s.next.len() != states.len()) => {
                    return fail("a state without what follows it", &source.name);
                }
                Arrivals::Shared(first)
                    if self
                        .sources
                        .get(first.index())
                        .is_none_or(|s| matches!(s.arrivals, Arrivals::Shared(_))) =>
                {
                    return fail("the arrivals of nobody", &source.name);
                }
                _ => continue,
            };
            let rising = points.windows(2).all(|pair| pair[0].at < pair[1].at);
            if !rising || points.first().is_none_or(|point| point.at != Time::ZERO) {
                return fail("rates that do not start at 0 and rise in time", &source.name);
            }
        }
        for queue in &self.queues {
            let known = queue.dead_letter.is_none_or(|queue| queue.index() < self.queues.len());
            let handlers = |consumer: &Consumer| {
                self.endpoints.get(consumer.endpoint.index()).is_some_and(|endpoint| endpoint.handler)
            };
            if !known || !queue.consumers.iter().all(handlers) {
                return fail("no dead-letter queue or no handler", &queue.name);
            }
        }
        let instances = self.events.iter().flat_map(|event| &event.instances);
        if instances.into_iter().any(|instance| instance.index() >= self.instances.len()) {
            return fail("an instance that does not exist", "events");
        }
        Ok(())
    }
}
