//! What happens during a scenario, to the instances it happens to.

use super::super::ids::InstanceId;
use super::super::plan::{Action, STALL, ScenarioEvent};
use super::{Compiler, span};
use crate::kernel::{Span, Time};
use crate::model::words as spec;
use crate::model::{Happening, Scenario, TargetRef};

/// A replica that is replaced finishes for so long what it has.
const GRACE: Span = Span::from_secs(5);
/// A process is gone for so long when it is only restarted.
const GONE: Span = Span::from_millis(1);

impl Compiler<'_> {
    /// All events of a scenario.
    pub(super) fn events(&mut self, scenario: Option<&Scenario>) {
        let Some(scenario) = scenario else { return };
        for event in &scenario.events {
            self.event(event);
        }
        for event in scenario.written.events.iter().flat_map(|e| e.value.iter()) {
            self.zone_outage(&event.value);
        }
    }

    fn event(&mut self, event: &Happening) {
        let instances = self.instances(&event.target);
        let id = self.arch.id(event.target.node).to_owned();
        if instances.is_empty() {
            self.leaves_out_event("an event names an instance that is not there", &id);
            return;
        }
        let at = Time::ZERO + span(event.at);
        let written = &event.written;
        if written.deploy.is_some() {
            return self.deploy(at, &instances);
        }
        let mut lasts = event.lasts.map(span);
        let action = if written.kill.is_some() {
            Action::Kill { unlisted_after: None }
        } else if written.restart.is_some() {
            // Gone for a moment, then up and empty, listed after its startup.
            lasts = Some(lasts.unwrap_or(GONE));
            Action::Kill { unlisted_after: Some(Span::ZERO) }
        } else if let Some(slow) = &written.slow {
            Action::Slow(slow.factor.map_or(1.0, |f| f.value).max(1e-6))
        } else if let Some(errors) = &written.errors {
            Action::ErrorRate(errors.rate.map_or(0.0, |r| r.fraction()))
        } else if written.stall.is_some() {
            Action::Slow(STALL)
        } else if written.partition.is_some() {
            Action::Network { lag: Span::ZERO, loss: 1.0 }
        } else if let Some(network) = &written.network {
            let lag = network.latency.map_or(Span::ZERO, |l| span(l.value));
            Action::Network { lag, loss: network.loss.map_or(0.0, |l| l.fraction()) }
        } else {
            return;
        };
        self.plan.events.push(ScenarioEvent { at, lasts, action, instances });
    }

    /// One after another: no longer called, then stopped, then started anew; the next when it is called again.
    fn deploy(&mut self, at: Time, instances: &[InstanceId]) {
        let mut at = at;
        for instance in instances {
            let startup = self.plan.instances[instance.index()].startup;
            let mut push = |at, lasts, action| {
                self.plan.events.push(ScenarioEvent { at, lasts, action, instances: vec![*instance] });
            };
            push(at, None, Action::Drain);
            at = at + GRACE;
            push(at, Some(GONE), Action::Kill { unlisted_after: Some(Span::ZERO) });
            at = at + GONE + startup;
        }
    }

    /// Everything in the zone is gone, and comes back together.
    fn zone_outage(&mut self, event: &spec::Event) {
        let Some(zone) = event.zone_outage.as_ref().and_then(|e| e.target.as_ref()) else { return };
        let number = self.zones.iter().position(|known| *known == zone.value).map(|n| n as u32);
        let in_zone = |(_, instance): &(usize, &super::super::plan::Instance)| {
            number.is_some() && instance.zone == number
        };
        let instances: Vec<InstanceId> = self
            .plan
            .instances
            .iter()
            .enumerate()
            .filter(in_zone)
            .map(|(n, _)| InstanceId(n as u32))
            .collect();
        let Some(at) = event.at.filter(|_| !instances.is_empty()) else {
            return self.leaves_out_event("no instance stands in the zone of an outage", &zone.value);
        };
        let lasts = event.r#for.map(|d| span(d.value));
        let action = Action::Kill { unlisted_after: None };
        self.plan.events.push(ScenarioEvent { at: Time::ZERO + span(at.value), lasts, action, instances });
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
}
