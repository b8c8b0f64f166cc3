//! Where an attempt goes: the endpoint, and the instance that the caller's balancer picks.

use super::super::ids::EndpointId;
use super::super::plan::{Edge, Target};
use super::super::probe::Probe as Watch;
use super::{Engine, NONE};
use crate::policy::balancer::hashing::xxhash64;
use crate::policy::balancer::{Probe, Request};

/// The address of the nth end user: each in a /24 network of its own, so that hashes of networks
/// tell them apart.
fn address(n: u32) -> [u8; 4] {
    let [_, high, middle, low] = n.to_be_bytes();
    [10u8.wrapping_add(high), middle, low, 1]
}

impl<P: Watch> Engine<'_, P> {
    /// Picks a host and counts the request there.
    #[inline]
    pub(super) fn pick(&mut self, call: u32, caller: usize, edge: &Edge) -> Option<usize> {
        let record = &mut self.calls[call];
        let state = &mut self.callers[caller];
        // Whatever a hash policy looks at, it is the end user's.
        let client = address(record.address);
        let key = state.keyed.then(|| xxhash64(&client, 0));
        let request = Request { now: self.now, client, key };
        state.sweep(self.now);
        let again = edge.retry.num_retries > 0 || edge.hedging.is_some();
        if !again || !edge.retry.avoids_tried {
            return state.pick(request, &[]);
        }
        let first = record.attempts == 1;
        let host = if first {
            state.pick(request, &[])?
        } else {
            if record.tried == NONE {
                record.tried = self.tried.reuse(Vec::clear);
            }
            let tried = &mut self.tried[record.tried];
            if record.last_host != NONE {
                tried.push(record.last_host as usize);
            }
            state.pick(request, tried)?
        };
        record.last_host = host as u32;
        Some(host)
    }

    /// Asks the hosts that the balancer wants to know of for their load. They answer at once.
    pub(super) fn send_probes(&mut self, caller: usize, edge: &Edge) {
        let service = self.plan.upstreams[edge.upstream.index()].service;
        let first = self.plan.services[service.index()].instances.start as usize;
        let state = &mut self.callers[caller];
        let (now, asked) = (self.now, &mut self.asked);
        asked.clear();
        state.balancer.probe(&state.hosts, &mut state.stream, &mut |host| asked.push(host));
        for host in &self.asked {
            let Some(instance) = self.instances.get(first + host).filter(|instance| instance.up) else {
                continue;
            };
            let in_flight = instance.inside + instance.entry.len() as u32;
            let probe = Probe { host: *host, now, in_flight, latency: instance.latency };
            state.balancer.probed(probe);
        }
    }

    #[inline]
    pub(super) fn target(&mut self, call: u32, edge: &Edge) -> EndpointId {
        match edge.target {
            Target::One(endpoint) => endpoint,
            Target::Spread { first, count } => {
                let stream = &mut self.edges[self.calls[call].edge.index()].spread;
                EndpointId(first.0 + stream.below(u64::from(count)) as u32)
            }
        }
    }
}
