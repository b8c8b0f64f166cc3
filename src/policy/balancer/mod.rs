//! Load balancers: which instance of a service takes the next request.
//!
//! A balancer belongs to *one caller instance*: it sees only the requests that this caller has
//! outstanding, which is what makes real least-request differ from the textbook's shortest queue.
//! It must not know what an instance is beyond [`Host`].

mod bounded;
mod bounded_load;
mod consistent_hash;
mod edf;
mod hash;
pub mod hashing;
mod ip_hash;
mod least_connections;
mod least_request;
mod maglev;
mod p2c;
mod peak_ewma;
mod peers;
mod prequal;
mod random;
mod random_two;
mod ring;
mod ring_hash;
mod round_robin;
mod slow_start;
pub mod tiers;
mod weighted_edf;
mod weighted_round_robin;

use super::PolicyInfo;
use crate::kernel::{Span, Stream, Time};

pub use bounded::{Bounded, KeyTable, overload_order};
pub use bounded_load::BoundedLoad;
pub use consistent_hash::ConsistentHash;
pub use edf::Edf;
pub use hash::Hash;
pub use ip_hash::IpHash;
pub use least_connections::{LeastConnections, haproxy_leastconn_key};
pub use least_request::LeastRequest;
pub use maglev::{Maglev, TABLE_SIZE, populate};
pub use p2c::P2c;
pub use peak_ewma::PeakEwma;
pub use peers::{NginxBalancer, Peer, Peers, Tier};
pub use prequal::{Prequal, PrequalSettings, Probe};
pub use random::Random;
pub use random_two::RandomTwo;
pub use ring_hash::{RingFunction, RingHash};
pub use round_robin::RoundRobin;
pub use slow_start::{Curve, SlowStart};
pub use weighted_edf::WeightedEdf;
pub use weighted_round_robin::WeightedRoundRobin;

/// An instance, as one caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Its weight, at least 1.
    pub weight: u32,
    /// Requests this caller has outstanding there: in transit, queued and in service.
    pub active: u32,
    /// Whether it may be picked: discovered, healthy, not ejected.
    pub eligible: bool,
    /// Requests it may have outstanding (nginx `max_conns`); 0: any number.
    pub max_conns: u32,
    /// Whether it serves only when no primary can (nginx `backup`).
    pub backup: bool,
    /// Since when it has been healthy, for slow start; `None`: for ever.
    pub since: Option<Time>,
}

/// The instances of one service as one caller sees them, in configuration order.
///
/// Outstanding requests are counted here: one more at [`Hosts::begin`], one less at [`Hosts::end`],
/// which is called at *every* end of a request: success, error, timeout or cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts {
    list: Vec<Host>,
    /// Those that may be picked, in configuration order: the nth is found without counting.
    eligible: Vec<u32>,
    /// Where the weight of each ends when all lie side by side.
    ends: Vec<u64>,
    active: u32,
    revision: u64,
    membership: u64,
}

impl Hosts {
    /// All eligible and idle.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let list: Vec<Host> = weights
            .into_iter()
            .map(|weight| Host {
                weight: weight.max(1),
                active: 0,
                eligible: true,
                max_conns: 0,
                backup: false,
                since: None,
            })
            .collect();
        let eligible = (0..list.len() as u32).collect();
        let mut hosts = Self { list, eligible, ends: Vec::new(), active: 0, revision: 0, membership: 0 };
        hosts.weigh();
        hosts
    }

    fn weigh(&mut self) {
        self.ends.clear();
        let mut end = 0;
        self.ends.extend(self.list.iter().map(|host| {
            end += u64::from(host.weight);
            end
        }));
    }

    /// In configuration order.
    pub fn list(&self) -> &[Host] {
        &self.list
    }

    /// Grows whenever a host becomes eligible, ceases to be, or gets another weight: what tables are
    /// built from has changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows whenever a host becomes eligible, ceases to be, or begins its slow start: Envoy builds its
    /// schedules anew. It does not for a weight alone.
    pub fn membership(&self) -> u64 {
        self.membership
    }

    /// How many may be picked.
    pub fn eligible(&self) -> usize {
        self.eligible.len()
    }

    /// Requests this caller has outstanding, all hosts together.
    pub fn active(&self) -> u32 {
        self.active
    }

    /// The `n`th that may be picked, counted in configuration order. O(1).
    pub fn nth_eligible(&self, n: usize) -> Option<usize> {
        self.eligible.get(n).map(|host| *host as usize)
    }

    /// The weights of all hosts together, whether they may be picked or not.
    pub fn total_weight(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The host that holds this slot, when the weights of all hosts lie side by side. O(log n).
    pub fn at_weight(&self, slot: u64) -> Option<usize> {
        let host = self.ends.partition_point(|end| *end <= slot);
        (host < self.list.len()).then_some(host)
    }

    /// Lets a host be picked, or not.
    pub fn set_eligible(&mut self, host: usize, eligible: bool) {
        if let Some(found) = self.list.get_mut(host)
            && found.eligible != eligible
        {
            found.eligible = eligible;
            let place = self.eligible.partition_point(|other| (*other as usize) < host);
            if eligible {
                self.eligible.insert(place, host as u32);
            } else {
                self.eligible.remove(place);
            }
            self.revision += 1;
            self.membership += 1;
        }
    }

    /// Changes a weight; 0 counts as 1.
    pub fn set_weight(&mut self, host: usize, weight: u32) {
        if let Some(found) = self.list.get_mut(host)
            && found.weight != weight.max(1)
        {
            found.weight = weight.max(1);
            self.revision += 1;
            self.weigh();
        }
    }

    /// Caps the requests outstanding at a host; 0 lifts the cap.
    pub fn set_max_conns(&mut self, host: usize, max_conns: u32) {
        if let Some(found) = self.list.get_mut(host) {
            found.max_conns = max_conns;
        }
    }

    /// Makes a host a backup, or a primary.
    pub fn set_backup(&mut self, host: usize, backup: bool) {
        if let Some(found) = self.list.get_mut(host)
            && found.backup != backup
        {
            found.backup = backup;
            self.revision += 1;
        }
    }

    /// A host joined, or passed its health check again: its slow start begins.
    pub fn set_since(&mut self, host: usize, since: Option<Time>) {
        if let Some(found) = self.list.get_mut(host)
            && found.since != since
        {
            found.since = since;
            self.revision += 1;
            self.membership += 1;
        }
    }

    /// A request was sent to this host.
    #[inline]
    pub fn begin(&mut self, host: usize) {
        if let Some(found) = self.list.get_mut(host) {
            found.active += 1;
            self.active += 1;
        }
    }

    /// A request to this host ended, in whatever way.
    #[inline]
    pub fn end(&mut self, host: usize) {
        if let Some(found) = self.list.get_mut(host)
            && found.active > 0
        {
            found.active -= 1;
            self.active -= 1;
        }
    }
}

/// What a balancer may know of the request it places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// Now.
    pub now: Time,
    /// The IPv4 address of the client it came from (the end user, as `X-Forwarded-For` has it).
    pub client: [u8; 4],
    /// What a hash policy looks at (a user, a session), hashed already; `None`: the request has no key.
    pub key: Option<u64>,
}

/// How a request ended, for balancers that learn from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// When.
    pub now: Time,
    /// The host it was at.
    pub host: usize,
    /// How long the caller waited.
    pub latency: Span,
    /// Whether it was answered without an error.
    pub success: bool,
}

/// Picks more when a retry is given a host it was at (Istio's `host_selection_retry_max_attempts`).
pub const HOST_SELECTION_RETRIES: u32 = 5;

/// The state of one caller's load balancing.
pub trait Balancer: Send {
    /// The index of the host that takes this request; `None` when none is eligible.
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize>;

    /// The host of a further attempt of a request that has been at `tried`. As Istio has it: up to
    /// [`HOST_SELECTION_RETRIES`] picks more, and the last one stands even if it was tried. Who wants
    /// Envoy without a retry host predicate calls [`Balancer::pick`].
    fn pick_again(
        &mut self,
        hosts: &Hosts,
        request: Request,
        tried: &[usize],
        random: &mut Stream,
    ) -> Option<usize> {
        let mut host = self.pick(hosts, request, random)?;
        for _ in 0..HOST_SELECTION_RETRIES {
            if !tried.contains(&host) {
                break;
            }
            host = self.pick(hosts, request, random)?;
        }
        Some(host)
    }

    /// A request ended. Balancers that do not learn ignore it.
    fn finished(&mut self, _end: Finished) {}

    /// An attempt failed in a way the proxy counts against the host (nginx `proxy_next_upstream`, by
    /// default connection errors and timeouts, not a 503); to be called before [`Balancer::finished`].
    fn failed(&mut self, _now: Time, _host: usize) {}
    /// Names the hosts to probe because of a request. Balancers that do not probe name none.
    fn probe(&mut self, _hosts: &Hosts, _random: &mut Stream, _send: &mut dyn FnMut(usize)) {}

    /// A probe came back.
    fn probed(&mut self, _probe: Probe) {}
}

/// What a balancer can be told; each reads what its page names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// `least_request`: how many hosts are drawn. Default 2.
    pub choice_count: u32,
    /// `round_robin`: a number the first host is taken from, modulo their count; `weighted_edf`,
    /// `least_request`: picks the schedule is ahead by. Envoy draws it per balancer. Default 0.
    pub start: u64,
    /// nginx: failures after which a host is left alone for `fail_timeout`; 0: never. Default 1.
    pub max_fails: u32,
    /// nginx: how long, in whole seconds. Default 10 s.
    pub fail_timeout: Span,
    /// `least_request`: the least loaded of all hosts instead of a few. Default false.
    pub full_scan: bool,
    /// `least_request`: the exponent of active + 1 by which a weight is divided. Default 1 where weights
    /// differ; set, it makes a weighted schedule of equal weights too.
    pub active_request_bias: Option<f64>,
    /// A host that has just joined gets less. Default: no slow start.
    pub slow_start: Option<SlowStart>,
    /// `ring_hash`, `maglev`, `bounded_load`: percent of the average load a host may have; 0: any,
    /// for `bounded_load` 125. Default 0.
    pub hash_balance_factor: u32,
    /// `ring_hash`: at least so many points. Default 1024.
    pub minimum_ring_size: u64,
    /// `ring_hash`: at most so many points. Default 8 Mi.
    pub maximum_ring_size: u64,
    /// `maglev`: slots of the table, a prime. Default 65537.
    pub table_size: u64,
    /// `peak_ewma`: what a host nothing is known of is taken for; 0: Finagle's penalty. Default 30 ms.
    pub default_rtt: Span,
    /// `peak_ewma`: the time constant of forgetting. Default 10 s.
    pub decay: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            choice_count: 2,
            start: 0,
            max_fails: 1,
            fail_timeout: Span::from_secs(10),
            full_scan: false,
            active_request_bias: None,
            slow_start: None,
            hash_balance_factor: 0,
            minimum_ring_size: ring_hash::MINIMUM_RING_SIZE,
            maximum_ring_size: ring_hash::MAXIMUM_RING_SIZE,
            table_size: maglev::TABLE_SIZE,
            default_rtt: peak_ewma::DEFAULT_RTT,
            decay: peak_ewma::DECAY,
        }
    }
}

/// A member of the family.
#[derive(Debug)]
pub struct BalancerInfo {
    /// Its name, summary and page.
    pub about: PolicyInfo,
    /// Makes the state of one caller for so many hosts.
    pub build: fn(hosts: usize, settings: &Settings) -> Box<dyn Balancer>,
}

/// All load balancers, the default first.
pub static BALANCERS: &[BalancerInfo] = &[
    round_robin::INFO,
    weighted_round_robin::INFO,
    weighted_edf::INFO,
    random::INFO,
    random_two::INFO,
    p2c::INFO,
    least_request::INFO,
    least_connections::INFO,
    ip_hash::INFO,
    hash::INFO,
    consistent_hash::INFO,
    ring_hash::INFO,
    maglev::INFO,
    bounded_load::INFO,
    peak_ewma::INFO,
    prequal::INFO,
];

/// The balancer of this name.
pub fn find(name: &str) -> Option<&'static BalancerInfo> {
    BALANCERS.iter().find(|info| info.about.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_balancer_leaves_out_the_ineligible_and_gives_up_when_none_is_left() {
        let mut random = Stream::new(1, 0, "test", "balancers");
        let request = |i: u8| Request { now: Time::ZERO, client: [10, 0, i, 1], key: Some(u64::from(i)) };
        for info in BALANCERS {
            let mut hosts = Hosts::new([1, 2, 3]);
            let mut balancer = (info.build)(3, &Settings::default());
            hosts.set_eligible(1, false);
            hosts.set_eligible(1, false);
            for i in 0..100 {
                let picked = balancer.pick(&hosts, request(i), &mut random);
                assert!(matches!(picked, Some(0 | 2)), "{}: {picked:?}", info.about.name);
            }
            hosts.set_eligible(0, false);
            hosts.set_eligible(2, false);
            assert_eq!(balancer.pick(&hosts, request(0), &mut random), None, "{}", info.about.name);
            assert!(info.about.page.starts_with(&format!("# {}", info.about.name)));
        }
    }
}
