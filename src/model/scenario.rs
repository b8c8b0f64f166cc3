//! Load and scenarios with their names resolved.

use super::build::Building;
use super::resolve::Want;
use super::rules::UNDEFINED_SERVICE;
use super::{EndpointRef, Node, NodeKind, distribution};
use crate::finding::{Finding, nearest};
use crate::source::{Span, Spanned};
use crate::spec::units::{Duration, Rate};
use crate::spec::vocabulary as spec;
use petgraph::graph::NodeIndex;

/// Requests from outside to one endpoint.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// Where they go; `endpoint` is `None` for a service of which no endpoint is named.
    pub to: TargetRef,
    /// What was written.
    pub written: spec::Traffic,
    /// Where the target is named.
    pub span: Span,
    /// Which of the written `classes` this is; 0 where there are none.
    pub class: usize,
    /// So much of all that was written comes here.
    pub share: f64,
}

impl Traffic {
    /// The highest rate there is at any time, per second; `None` in a closed loop.
    pub fn top_rate(&self) -> Option<f64> {
        let written = &self.written;
        if let Some(states) = &written.states {
            let rates = states.iter().filter_map(|s| s.rate).map(|r| r.per_second());
            return rates.reduce(f64::max).map(|top| top * self.share);
        }
        if let Some(replay) = &written.replay {
            return Some(replay.peak() * self.share);
        }
        let points = match &written.rate.as_ref()?.value {
            spec::RateProfile::Constant(rate) => return Some(rate.per_second() * self.share),
            spec::RateProfile::Points(points) => points,
        };
        let rates = points.iter().filter_map(|p| p.value.value).map(|r: Spanned<Rate>| r.per_second());
        rates.reduce(f64::max).map(|top| top * self.share)
    }

    /// The rate it settles at, per second: the last of its points, or the mean where it goes up and down for ever;
    /// `None` in a closed loop.
    pub fn base_rate(&self) -> Option<f64> {
        let written = &self.written;
        let rate = if let Some(states) = &written.states {
            bursts(states).iter().map(|state| state.share * state.rate_per_s).sum()
        } else if let Some(replay) = &written.replay {
            replay.rate()
        } else {
            match (&written.rate.as_ref()?.value, written.repeat) {
                (spec::RateProfile::Constant(rate), _) => rate.per_second(),
                (spec::RateProfile::Points(points), Some(period)) => self.mean(points, period.value),
                (spec::RateProfile::Points(points), None) => {
                    points.iter().rev().find_map(|p| p.value.value).map_or(0.0, |r| r.per_second())
                }
            }
        };
        Some(rate * self.share)
    }

    /// Over one period.
    fn mean(&self, points: &[Spanned<spec::RatePoint>], period: Duration) -> f64 {
        let linear = self.written.interpolate.is_some_and(|i| i.value == spec::Interpolate::Linear);
        let known: Vec<(f64, f64)> =
            points.iter().filter_map(|p| Some((p.at?.seconds(), p.value.value?.per_second()))).collect();
        let Some(first) = known.first() else { return 0.0 };
        let ends = known.iter().skip(1).copied().chain([(period.seconds(), first.1)]);
        let area = known.iter().zip(ends).map(|((at, rate), (until, next))| {
            let rate = if linear { f64::midpoint(*rate, next) } else { *rate };
            rate * (until - at)
        });
        area.sum::<f64>() / period.seconds().max(1e-9)
    }

    /// How long a user thinks on average, in seconds.
    pub fn think_s(&self) -> Option<f64> {
        match &self.written.think_time.as_ref()?.value {
            spec::ThinkTime::Mean(mean) => Some(mean.seconds()),
            spec::ThinkTime::Spread(latency) => distribution(latency).map(|d| d.mean().seconds()),
        }
    }
}

/// A state of traffic that changes at random.
#[derive(Debug, Clone, PartialEq)]
pub struct Burst {
    /// Arrivals per second while it lasts.
    pub rate_per_s: f64,
    /// How long it lasts on average, in seconds.
    pub lasts_s: f64,
    /// For each state the probability that it follows.
    pub next: Vec<f64>,
    /// The share of the time it is this one.
    pub share: f64,
}

/// The states of traffic with what follows them, and how much of the time each takes: π of the embedded chain, by
/// iteration, times how long each lasts.
pub fn bursts(states: &[Spanned<spec::TrafficState>]) -> Vec<Burst> {
    let count = states.len();
    let of = |state: &Spanned<spec::TrafficState>, at: usize| {
        let named = |name: &str| states.iter().position(|s| s.name.as_ref().is_some_and(|n| n.value == name));
        let mut next = vec![0.0; count];
        if let Some(shares) = &state.next {
            for (name, share) in shares.iter() {
                if let Some(at) = named(&name.value).and_then(|at| next.get_mut(at)) {
                    *at += share.fraction();
                }
            }
        } else {
            let others = 1.0 / count.saturating_sub(1).max(1) as f64;
            next.iter_mut().enumerate().for_each(|(i, p)| *p = if i == at { 0.0 } else { others });
        }
        let (rate_per_s, lasts_s) =
            (state.rate.map_or(0.0, |r| r.per_second()), state.lasts.map_or(0.0, |l| l.seconds()));
        Burst { rate_per_s, lasts_s, next, share: 0.0 }
    };
    let mut all: Vec<Burst> = states.iter().enumerate().map(|(at, state)| of(state, at)).collect();
    // Half a step at a time, so that chains that only alternate settle as well.
    let mut visits = vec![1.0 / count.max(1) as f64; count];
    for _ in 0..ROUNDS {
        let mut after: Vec<f64> = visits.iter().map(|v| v * 0.5).collect();
        for (state, visit) in all.iter().zip(&visits) {
            for (sum, p) in after.iter_mut().zip(&state.next) {
                *sum += 0.5 * visit * p;
            }
        }
        visits = after;
    }
    let whole: f64 = all.iter().zip(&visits).map(|(state, visit)| visit * state.lasts_s).sum();
    for (state, visit) in all.iter_mut().zip(&visits) {
        state.share = visit * state.lasts_s / whole.max(f64::MIN_POSITIVE);
    }
    all
}

/// Steps of the chain, until what each state is visited no longer changes.
const ROUNDS: usize = 2000;

/// A service, one of its endpoints, or one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRef {
    /// The node.
    pub node: NodeIndex,
    /// Index into its endpoints.
    pub endpoint: Option<usize>,
    /// Index of the instance.
    pub instance: Option<usize>,
}

impl TargetRef {
    /// The endpoint, where one is named.
    pub fn endpoint_ref(&self) -> Option<EndpointRef> {
        self.endpoint.map(|endpoint| EndpointRef { service: self.node, endpoint })
    }
}

/// Something that happens during a scenario.
#[derive(Debug, Clone)]
pub struct Happening {
    /// When.
    pub at: Duration,
    /// How long; to the end where nothing is said.
    pub lasts: Option<Duration>,
    /// To whom.
    pub target: TargetRef,
    /// What was written.
    pub written: spec::Event,
}

/// Something to try.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: Spanned<String>,
    /// What was written.
    pub written: spec::Scenario,
    /// In place of the document's traffic, where it says any.
    pub traffic: Option<Vec<Traffic>>,
    /// What happens.
    pub events: Vec<Happening>,
    /// What must hold.
    pub expectations: Vec<Expected>,
}

/// An expectation and the target it is about; `None` for every entry.
pub type Expected = (Spanned<spec::Expectation>, Option<TargetRef>);

impl Building<'_> {
    /// Traffic and scenarios of one document.
    pub(super) fn traffic_and_scenarios(&mut self, document: &spec::Document) {
        let traffic = self.traffic(document.traffic.as_ref());
        self.arch.traffic.extend(traffic);
        for (name, written) in document.scenarios.iter().flat_map(|s| s.iter()) {
            let scenario = self.scenario(name, &written.value);
            self.arch.scenarios.push(scenario);
        }
    }

    fn traffic(&mut self, list: Option<&Spanned<Vec<Spanned<spec::Traffic>>>>) -> Vec<Traffic> {
        let mut traffic = Vec::new();
        for written in list.iter().flat_map(|l| l.value.iter()) {
            let one = written.to.as_ref().map(|to| (to, 1.0));
            let classes = written.classes.iter().flat_map(|c| c.value.iter());
            let classes = classes.filter_map(|c| Some((c.to.as_ref()?, c.weight.map_or(1.0, |w| w.value))));
            let classes: Vec<_> = one.into_iter().chain(classes).collect();
            let all: f64 = classes.iter().map(|(_, weight)| weight).sum();
            for (class, (target, weight)) in classes.into_iter().enumerate() {
                if let Some(to) = self.target(target, "traffic") {
                    let (written, span) = (written.value.clone(), target.span);
                    traffic.push(Traffic {
                        to,
                        written,
                        span,
                        class,
                        share: weight / all.max(f64::MIN_POSITIVE),
                    });
                }
            }
        }
        traffic
    }

    fn target(&mut self, target: &Spanned<spec::Target>, who: &str) -> Option<TargetRef> {
        let node = self.resolve(&target.service, Want::Service, &who)?;
        let endpoint = self.endpoint(node, &target.value, &who)?;
        Some(TargetRef { node, endpoint, instance: None })
    }

    fn scenario(&mut self, name: &Spanned<String>, written: &spec::Scenario) -> Scenario {
        let who = format!("scenario `{}`", name.value);
        let traffic = written.traffic.as_ref().map(|t| self.traffic(Some(t)));
        let mut events = Vec::new();
        for event in written.events.iter().flat_map(|e| e.value.iter()) {
            events.extend(self.event(&event.value, &who));
        }
        let mut expectations = Vec::new();
        for expectation in written.expect.iter().flat_map(|e| e.value.iter()) {
            let target = match &expectation.target {
                None => None,
                Some(target) => match self.target(&Spanned::new(target.clone(), expectation.span), &who) {
                    Some(target) => Some(target),
                    None => continue,
                },
            };
            expectations.push((expectation.clone(), target));
        }
        Scenario { name: name.clone(), written: written.clone(), traffic, events, expectations }
    }

    fn event(&mut self, event: &spec::Event, who: &str) -> Option<Happening> {
        let target = event_target(event)?;
        // A zone is a word of the user's, not a node.
        if event.zone_outage.is_some() {
            return None;
        }
        let (node, instance) = self.event_place(target, who)?;
        let lasts = event.r#for.map(|d| d.value);
        let target = TargetRef { node, endpoint: None, instance };
        Some(Happening { at: event.at?.value, lasts, target, written: event.clone() })
    }

    /// The node an event happens to and, after a slash, one of its instances. Ids may have slashes
    /// themselves: the longest known one counts.
    fn event_place(&mut self, target: &Spanned<String>, who: &str) -> Option<(NodeIndex, Option<usize>)> {
        let text = target.value.as_str();
        let cuts = text.rmatch_indices('/').map(|(at, _)| (&text[..at], Some(&text[at + 1..])));
        let known = std::iter::once((text, None)).chain(cuts).find(|(id, _)| self.arch.find(id).is_some());
        let (id, instance) = known.unwrap_or_else(|| match text.split_once('/') {
            Some((id, instance)) => (id, Some(instance)),
            None => (text, None),
        });
        let name = Spanned::new(id.to_owned(), target.span);
        let node = self.resolve(&name, Want::Instances, &who)?;
        let Some(instance) = instance else { return Some((node, None)) };
        match instance_of(&self.arch.graph[node], instance) {
            Ok(instance) => Some((node, Some(instance))),
            Err(help) => {
                let message = format!("`{id}` has no instance `{instance}`");
                let finding = Finding::new(&UNDEFINED_SERVICE, target.span, message);
                let finding = finding.label(format!("{who} names it here")).about(text).about(who);
                self.findings.push(finding.help(help));
                None
            }
        }
    }
}

/// The index of an instance: by its `id`, else counted from 0. The error is what helps.
fn instance_of(node: &Node, wanted: &str) -> Result<usize, String> {
    let (count, listed) = match &node.kind {
        NodeKind::Service(s) => (s.replicas.map(|n| n.value), s.instances.as_slice()),
        NodeKind::Datastore(d) => (d.replicas.as_ref().map(|n| n.value.0), [].as_slice()),
        NodeKind::Queue(_) | NodeKind::Topic(_) => (None, [].as_slice()),
    };
    let count = count.unwrap_or(super::builtin::REPLICAS) as usize;
    let ids = || listed.iter().filter_map(|i| i.id.as_ref()).map(|i| i.value.as_str());
    let named = listed.iter().position(|i| i.id.as_ref().is_some_and(|i| i.value == wanted));
    if let Some(at) = named.or_else(|| wanted.parse().ok().filter(|at| *at < count)) {
        return Ok(at);
    }
    let id = &node.id.value;
    Err(match nearest(wanted, ids()) {
        Some(near) => format!("did you mean `{id}/{near}`?"),
        None if count == 1 => format!("`{id}` has one instance, 0"),
        None => format!("`{id}` has instances 0 to {}", count - 1),
    })
}

/// The target an event names.
fn event_target(event: &spec::Event) -> Option<&Spanned<String>> {
    let plain =
        [&event.kill, &event.restart, &event.stall, &event.partition, &event.zone_outage, &event.deploy];
    let plain = plain.into_iter().flatten().find_map(|e| e.target.as_ref());
    plain
        .or_else(|| event.slow.as_ref()?.target.as_ref())
        .or_else(|| event.errors.as_ref()?.target.as_ref())
        .or_else(|| event.network.as_ref()?.target.as_ref())
}
