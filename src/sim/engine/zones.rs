//! Near hosts first: one caller instance's zone-aware routing, as Envoy has it.
//!
//! Each zone of the callee has hosts and a balancer of its own; which of them a request goes to is worked out
//! anew whenever somebody comes or goes.

use super::super::plan::{Caller, Plan, Upstream};
use crate::kernel::Stream;
use crate::policy::balancer::tiers::{Zone, ZoneAware, ZoneRouting};
use crate::policy::balancer::{self, Balancer, Finished, Hosts, Request};

/// The zones of an upstream, as seen from one caller instance.
pub(super) struct Zones {
    own: u32,
    /// Of each host, its place in `views`.
    place: Vec<usize>,
    /// The zones, the own one first, with the hosts of each and who picks among them.
    views: Vec<(u32, Hosts, Box<dyn Balancer>)>,
    callers: Vec<Zone>,
    routing: ZoneRouting,
}

/// Instances by zone, in the order of their first; `None` where one stands in none.
fn count(zones: impl Iterator<Item = Option<u32>>) -> Option<Vec<Zone>> {
    let mut counted: Vec<Zone> = Vec::new();
    for zone in zones {
        let zone = zone?;
        match counted.iter_mut().find(|known| known.zone == zone) {
            Some(known) => known.hosts += 1,
            None => counted.push(Zone { zone, hosts: 1 }),
        }
    }
    Some(counted)
}

impl Zones {
    /// `None` where zones are not heeded, or not known of everybody.
    pub(super) fn new(
        plan: &Plan,
        upstream: &Upstream,
        caller: u32,
        settings: &balancer::Settings,
    ) -> Option<Self> {
        let Caller::Service(service) = upstream.caller else { return None };
        if !upstream.guards.zone_aware {
            return None;
        }
        let instances = |service: usize| {
            let range = plan.services[service].instances.clone();
            &plan.instances[range.start as usize..range.end as usize]
        };
        let (asking, serving) = (instances(service.index()), instances(upstream.service.index()));
        let own = asking.get(caller as usize)?.zone?;
        let callers = count(asking.iter().map(|instance| instance.zone))?;
        let mut order = count(serving.iter().map(|instance| instance.zone))?;
        order.sort_by_key(|zone| zone.zone != own);
        let place: Vec<usize> = serving
            .iter()
            .map(|instance| order.iter().position(|zone| Some(zone.zone) == instance.zone).unwrap_or(0))
            .collect();
        let view = |zone: &Zone| {
            let hosts = Hosts::new(serving.iter().map(|instance| instance.weight));
            (zone.zone, hosts, (upstream.balancer.build)(serving.len(), settings))
        };
        let views = order.iter().map(view).collect();
        Some(Self { own, place, views, callers, routing: ZoneRouting::Direct })
    }

    /// Who may be picked changed.
    pub(super) fn update(&mut self, all: &Hosts) {
        for (host, known) in all.list().iter().enumerate() {
            for (at, (_, hosts, _)) in self.views.iter_mut().enumerate() {
                hosts.set_eligible(host, known.eligible && self.place.get(host) == Some(&at));
                hosts.set_since(host, known.since);
            }
        }
        let zone = |(zone, hosts, _): &(u32, Hosts, Box<dyn Balancer>)| Zone {
            zone: *zone,
            hosts: hosts.eligible() as u64,
        };
        let serving: Vec<Zone> = self.views.iter().map(zone).collect();
        self.routing = ZoneAware::default().plan(self.own, &self.callers, &serving);
    }

    /// A host of the zone that the request goes to; `None` where zones are ignored, or nobody is there.
    pub(super) fn pick(&mut self, request: Request, tried: &[usize], random: &mut Stream) -> Option<usize> {
        let at = self.routing.choose(|below| random.below(below.max(1)))?;
        let (_, hosts, balancer) = self.views.get_mut(at)?;
        if tried.is_empty() {
            return balancer.pick(hosts, request, random);
        }
        balancer.pick_again(hosts, request, tried, random)
    }

    pub(super) fn begin(&mut self, host: usize) {
        if let Some((_, hosts, _)) = self.place.get(host).and_then(|at| self.views.get_mut(*at)) {
            hosts.begin(host);
        }
    }

    pub(super) fn end(&mut self, host: usize) {
        if let Some((_, hosts, _)) = self.place.get(host).and_then(|at| self.views.get_mut(*at)) {
            hosts.end(host);
        }
    }

    pub(super) fn finished(&mut self, end: Finished, failed: bool) {
        if let Some((_, _, balancer)) = self.place.get(end.host).and_then(|at| self.views.get_mut(*at)) {
            if failed {
                balancer.failed(end.now, end.host);
            }
            balancer.finished(end);
        }
    }
}
