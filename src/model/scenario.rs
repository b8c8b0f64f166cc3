//! Load and scenarios with their names resolved.

use super::EndpointRef;
use super::build::Building;
use super::resolve::Want;
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
}

impl Traffic {
    /// The rate at the start, or the highest of its points, per second; `None` in a closed loop.
    pub fn top_rate(&self) -> Option<f64> {
        let points = match &self.written.rate.as_ref()?.value {
            spec::RateProfile::Constant(rate) => return Some(rate.per_second()),
            spec::RateProfile::Points(points) => points,
        };
        points.iter().filter_map(|p| p.value.value).map(|r: Spanned<Rate>| r.per_second()).reduce(f64::max)
    }
}

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
            let Some(target) = &written.to else { continue };
            if let Some(to) = self.target(target, "traffic") {
                traffic.push(Traffic { to, written: written.value.clone(), span: target.span });
            }
        }
        traffic
    }

    fn target(&mut self, target: &Spanned<spec::Target>, who: &str) -> Option<TargetRef> {
        let node = self.resolve(&target.service, Want::Service, who)?;
        let endpoint = self.endpoint(node, &target.value, who)?;
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
        let (id, instance) = match target.value.split_once('/') {
            Some((id, instance)) => (id, Some(instance)),
            None => (target.value.as_str(), None),
        };
        let name = Spanned::new(id.to_owned(), target.span);
        let node = self.resolve(&name, Want::Service, who)?;
        let instance = instance.and_then(|wanted| {
            let named = self.arch.graph[node].service().and_then(|s| {
                s.instances.iter().position(|i| i.id.as_ref().is_some_and(|i| i.value == wanted))
            });
            named.or_else(|| wanted.parse().ok())
        });
        let lasts = event.r#for.map(|d| d.value);
        let target = TargetRef { node, endpoint: None, instance };
        Some(Happening { at: event.at?.value, lasts, target, written: event.clone() })
    }
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
