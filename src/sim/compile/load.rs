//! Traffic.

use super::super::ids::{EdgeId, SourceId};
use super::super::plan::{Arrivals, Caller, RatePoint};
use super::{Compiler, span};
use crate::kernel::{Distribution, Span, Time};
use crate::model::words as spec;
use crate::model::{Edge, EdgeKind, Scenario, Traffic};

/// End users of a source that says nothing.
const KEYS: u32 = 10_000;

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

    /// Where something hashes who asks, somebody must: many, who come evenly.
    pub(super) fn keys(&mut self) {
        let hashes = self.plan.upstreams.iter().any(super::super::plan::Upstream::hashes);
        for source in &mut self.plan.sources {
            if hashes {
                let silent = (source.keys == 0).then_some(source.name.as_str());
                self.assumptions.asked("10,000 keys that come evenly|sources of traffic", silent);
                source.keys = if source.keys == 0 { KEYS } else { source.keys };
            } else {
                // Nobody looks at them: nothing is drawn.
                source.keys = 0;
            }
        }
    }

    fn source(&mut self, traffic: &Traffic) {
        let id = SourceId(self.plan.sources.len() as u32);
        let target = match traffic.to.endpoint_ref() {
            Some(at) => self.arch.endpoint_id(at),
            None => self.arch.id(traffic.to.node).to_owned(),
        };
        let name = traffic.written.name.as_ref().map_or_else(|| target.clone(), |n| n.value.clone());
        let name = self.unused(name);
        let mut edge = Edge::new(EdgeKind::Call, traffic.span, "traffic");
        edge.to_endpoint = traffic.to.endpoint;
        edge.policy = self.arch.upstream(traffic.to.node).cloned().unwrap_or_default();
        // The source must stand before its call: the call's upstream names it.
        let source = self.plan.add_source(&name, EdgeId(0), arrivals(&traffic.written));
        self.plan.sources[source.index()].clients = traffic.written.clients.map_or(1, |c| c.value.0);
        let keys = traffic.written.keys;
        self.plan.sources[source.index()].keys = keys.map_or(0, |k| k.value.0);
        self.plan.sources[source.index()].key_skew = traffic.written.key_skew.map_or(0.0, |s| s.value);
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

    /// A name that no source has: the wanted one, else with the first free number.
    fn unused(&mut self, wanted: String) -> String {
        if self.source_names.insert(wanted.clone()) {
            return wanted;
        }
        let numbered = (2..).map(|n| format!("{wanted} #{n}"));
        numbered.into_iter().find(|name| self.source_names.insert(name.clone())).unwrap_or(wanted)
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
