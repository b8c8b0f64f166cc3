//! Traffic.

use super::super::ids::{EdgeId, SourceId};
use super::super::plan::{Arrivals, BurstState, Caller, RatePoint};
use super::budget::POINTS;
use super::{Compiler, span};
use crate::kernel::{Distribution, Span, Time};
use crate::model::words as spec;
use crate::model::{Burst, Edge, EdgeKind, Scenario, Traffic, bursts, distribution};

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
        let mut first = None;
        for traffic in list {
            // The classes of one source follow one another.
            let of = first.filter(|_| traffic.class > 0);
            let source = self.source(traffic, of)?;
            first = if traffic.class == 0 { source } else { first };
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

    /// A source; `first` is the one whose arrivals it shares.
    fn source(&mut self, traffic: &Traffic, first: Option<SourceId>) -> Result<Option<SourceId>, String> {
        let id = SourceId(self.plan.sources.len() as u32);
        let target = match traffic.to.endpoint_ref() {
            Some(at) => self.arch.endpoint_id(at),
            None => self.arch.id(traffic.to.node).to_owned(),
        };
        let name = match &traffic.written.name {
            None => target.clone(),
            Some(name) if traffic.written.classes.is_some() => format!("{}: {target}", name.value),
            Some(name) => name.value.clone(),
        };
        let name = self.unused(name);
        let mut edge = Edge::new(EdgeKind::Call, traffic.span, "traffic");
        edge.to_endpoint = traffic.to.endpoint;
        edge.policy = self.arch.upstream(traffic.to.node).cloned().unwrap_or_default();
        // The source must stand before its call: the call's upstream names it.
        let arrivals = match first {
            Some(first) => Arrivals::Shared(first),
            None => arrivals(traffic, self.plan.duration)?,
        };
        let source = self.plan.add_source(&name, EdgeId(0), arrivals);
        self.plan.sources[source.index()].share = traffic.share;
        self.plan.sources[source.index()].clients = traffic.written.clients.map_or(1, |c| c.value.0);
        let keys = traffic.written.keys;
        self.plan.sources[source.index()].keys = keys.map_or(0, |k| k.value.0);
        self.plan.sources[source.index()].key_skew = traffic.written.key_skew.map_or(0.0, |s| s.value);
        let call = self.call(&format!("traffic → {name}"), Caller::Source(id), traffic.to.node, &edge);
        let Some(call) = call else {
            self.plan.sources.pop();
            return Ok(None);
        };
        self.plan.sources[source.index()].edge = call;
        self.edge_refs.push(None);
        self.sources.push((traffic.to.node, traffic.to.endpoint));
        Ok(Some(source))
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

/// When requests of some traffic arrive in a run of this length.
fn arrivals(traffic: &Traffic, length: Span) -> Result<Arrivals, String> {
    let written = &traffic.written;
    if let Some(users) = written.users {
        let think = match written.think_time.as_ref().map(|t| &t.value) {
            None | Some(spec::ThinkTime::Mean(spec::Duration(0))) => Distribution::Constant(Span::ZERO),
            Some(spec::ThinkTime::Mean(mean)) => Distribution::Exponential(span(*mean)),
            Some(spec::ThinkTime::Spread(latency)) => {
                distribution(latency).unwrap_or(Distribution::Constant(Span::ZERO))
            }
        };
        return Ok(Arrivals::Closed { users: users.value.0, think });
    }
    if let Some(states) = &written.states {
        return Ok(Arrivals::Bursts(bursts(&states.value).iter().map(state).collect()));
    }
    if let Some(replay) = &written.replay {
        if replay.times.is_empty() {
            return Err(format!("the times in `{}` were not read: nothing can be replayed", replay.path));
        }
        let times = replay.times.iter().map(|at| Time::ZERO + Span::from_nanos(*at));
        return Ok(Arrivals::Replay(times.collect()));
    }
    let points = points(written, length);
    Ok(match written.arrivals.map(|a| a.value).unwrap_or_default() {
        spec::Arrivals::Poisson => Arrivals::Poisson(points),
        spec::Arrivals::Constant => Arrivals::Constant(points),
    })
}

fn state(burst: &Burst) -> BurstState {
    let mut sum = 0.0;
    let next = burst.next.iter().map(|p| {
        sum += p;
        sum
    });
    let next = next.collect();
    BurstState { rate: burst.rate_per_s, lasts: Span::from_seconds(burst.lasts_s), next, share: burst.share }
}

/// The points of a rate; those of one that repeats again and again, up to one beyond what can be simulated.
fn points(written: &spec::Traffic, length: Span) -> Vec<RatePoint> {
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
    if let Some(period) = written.repeat.map(|r| span(r.value)).filter(|p| !p.is_zero()) {
        let once = points.clone();
        let mut from = period;
        // One period more than there is time for: a ramp leads there.
        while from < length + period && points.len() <= POINTS {
            points.extend(once.iter().map(|point| RatePoint { at: point.at + from, ..*point }));
            from = from + period;
        }
    }
    if points.first().is_none_or(|p| p.at != Time::ZERO) {
        points.insert(0, RatePoint { at: Time::ZERO, rate: 0.0, ramp: false });
    }
    points
}
