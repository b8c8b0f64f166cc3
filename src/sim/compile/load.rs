//! Traffic and what happens during a scenario.

use super::super::ids::{EdgeId, InstanceId, SourceId};
use super::super::plan::{Action, Arrivals, Caller, RatePoint, ScenarioEvent};
use super::{Compiler, span};
use crate::kernel::{Distribution, Span, Time};
use crate::model::words as spec;
use crate::model::{Edge, EdgeKind, Happening, Scenario, TargetRef, Traffic};

impl Compiler<'_> {
    /// The scenario's traffic, else the document's.
    pub(super) fn traffic(&mut self, scenario: Option<&Scenario>) -> Result<(), String> {
        let own = scenario.and_then(|s| s.traffic.as_ref());
        let list = own.unwrap_or(&self.arch.traffic);
        if list.is_empty() {
            let example = self.arch.entry_points().first().map(|at| self.arch.endpoint_id(*at));
            let example = example.unwrap_or_else(|| "web GET /".to_owned());
            return Err(format!(
                "there is no traffic to simulate: add\n\n    traffic:\n      - {{ to: \"{example}\", rate: 100/s }}\n"
            ));
        }
        for traffic in list {
            self.source(traffic);
        }
        Ok(())
    }

    fn source(&mut self, traffic: &Traffic) {
        let id = SourceId(self.plan.sources.len() as u32);
        let target = match traffic.to.endpoint_ref() {
            Some(at) => self.arch.endpoint_id(at),
            None => self.arch.id(traffic.to.node).to_owned(),
        };
        let name = traffic.written.name.as_ref().map_or_else(|| target.clone(), |n| n.value.clone());
        let same = self
            .plan
            .sources
            .iter()
            .filter(|s| s.name == name || s.name.starts_with(&format!("{name} #")))
            .count();
        let name = if same == 0 { name } else { format!("{name} #{}", same + 1) };
        let mut edge = Edge::new(EdgeKind::Call, traffic.span, "traffic");
        edge.to_endpoint = traffic.to.endpoint;
        edge.policy = self.arch.upstream(traffic.to.node).cloned().unwrap_or_default();
        // The source must stand before its call: the call's upstream names it.
        let source = self.plan.add_source(&name, EdgeId(0), arrivals(&traffic.written));
        self.plan.sources[source.index()].clients = traffic.written.clients.map_or(1, |c| c.value.0);
        let call = self.call(&format!("traffic → {name}"), Caller::Source(id), traffic.to.node, &edge);
        match call {
            Some(call) => {
                self.plan.sources[source.index()].edge = call;
                self.edge_refs.push(None);
                self.sources.push((traffic.to.node, traffic.to.endpoint));
            }
            None => drop(self.plan.sources.pop()),
        }
    }

    /// What happens, to the instances it happens to.
    pub(super) fn events(&mut self, scenario: Option<&Scenario>) {
        let Some(scenario) = scenario else { return };
        for event in &scenario.events {
            self.event(event);
        }
        for kind in scenario.written.events.iter().flat_map(|e| e.value.iter()) {
            if kind.zone_outage.is_some() {
                self.leaves_out_event("zone_outage is not simulated yet", "an event");
            }
        }
    }

    fn event(&mut self, event: &Happening) {
        let instances = self.instances(&event.target);
        let id = self.arch.id(event.target.node).to_owned();
        if instances.is_empty() {
            self.leaves_out_event("an event names an instance that is not there", &id);
            return;
        }
        let mut lasts = event.lasts.map(span);
        let written = &event.written;
        let action = if written.kill.is_some() {
            Action::Kill { unlisted_after: self.noticed_after(&event.target) }
        } else if written.restart.is_some() {
            // Gone for a moment, then up and empty, listed after its startup.
            lasts = Some(lasts.unwrap_or(Span::from_millis(1)));
            Action::Kill { unlisted_after: Some(Span::ZERO) }
        } else if let Some(slow) = &written.slow {
            Action::Slow(slow.factor.map_or(1.0, |f| f.value).max(1e-6))
        } else if let Some(errors) = &written.errors {
            Action::ErrorRate(errors.rate.map_or(0.0, |r| r.fraction()))
        } else {
            let kinds = [
                ("stall", written.stall.is_some()),
                ("partition", written.partition.is_some()),
                ("network", written.network.is_some()),
                ("deploy", written.deploy.is_some()),
            ];
            for (kind, _) in kinds.iter().filter(|(_, said)| *said) {
                self.leaves_out_event(&format!("{kind} is not simulated yet"), &id);
            }
            return;
        };
        let at = Time::ZERO + span(event.at);
        self.plan.events.push(ScenarioEvent { at, lasts, action, instances });
    }

    fn leaves_out_event(&mut self, what: &str, who: &str) {
        self.assumptions.leaves_out(what, who);
        self.incomplete = true;
    }

    fn instances(&self, target: &TargetRef) -> Vec<InstanceId> {
        let Some(service) = self.services.get(&target.node) else { return Vec::new() };
        let range = self.plan.services[service.index()].instances.clone();
        match target.instance {
            None => range.map(InstanceId).collect(),
            Some(n) => range.skip(n).take(1).map(InstanceId).collect(),
        }
    }

    /// How long callers do not know of a dead instance: until its health check has failed often enough;
    /// forever without one.
    fn noticed_after(&self, target: &TargetRef) -> Option<Span> {
        let service = self.arch.graph[target.node].service()?;
        let check = service.health_check.as_ref()?.value.on()?;
        let interval = check.interval.map_or(Span::from_secs(10), |i| span(i.value));
        let failures = check.unhealthy_threshold.map_or(3, |t| t.value.0);
        Some(interval.times(u64::from(failures)))
    }
}

fn arrivals(written: &spec::Traffic) -> Arrivals {
    if let Some(users) = written.users {
        let think = written.think_time.map_or(Span::ZERO, |t| span(t.value));
        let think = if think == Span::ZERO {
            Distribution::Constant(think)
        } else {
            Distribution::Exponential(think)
        };
        return Arrivals::Closed { users: users.value.0, think };
    }
    let ramp = written.interpolate.is_some_and(|i| i.value == spec::Interpolate::Linear);
    let mut points = Vec::new();
    match written.rate.as_ref().map(|r| &r.value) {
        Some(spec::RateProfile::Constant(rate)) => points.push(RatePoint::from(rate.per_second())),
        Some(spec::RateProfile::Points(list)) => {
            for point in list {
                let (Some(at), Some(rate)) = (point.at, point.value.value) else { continue };
                points.push(RatePoint { at: Time::ZERO + span(at.value), rate: rate.per_second(), ramp });
            }
        }
        None => {}
    }
    if points.first().is_none_or(|p| p.at != Time::ZERO) {
        points.insert(0, RatePoint { at: Time::ZERO, rate: 0.0, ramp: false });
    }
    match written.arrivals.map(|a| a.value).unwrap_or_default() {
        spec::Arrivals::Poisson => Arrivals::Poisson(points),
        spec::Arrivals::Constant => Arrivals::Constant(points),
    }
}
